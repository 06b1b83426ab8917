#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell in one look what a host has of the runtime that a deployment needs."""

from __future__ import annotations

DOCUMENTATION = r"""
module: runtime_info
short_description: What a host has of the runtime that a deployment needs
version_added: "0.1.0"
description:
  - Looks at distribution packages, the deploy user, Node.js, npm, pm2, pm2's unit and files in one call.
  - Works on a host that has none of them. Starts nothing, in particular no pm2 daemon.
author:
  - The codeframe.staging contributors (@codeframe)
options:
  user:
    description: Name of the deploy user.
    type: str
    required: true
  packages:
    description: Debian packages whose installation is looked up.
    type: list
    elements: str
    default: []
  files:
    description: Files that are looked at.
    type: list
    elements: path
    default: []
  prefix:
    description: Directory below which npm installs global packages (C(<prefix>/lib/node_modules)).
    type: path
    default: /usr/local
attributes:
  check_mode:
    description: Can run in check mode and changes nothing.
    support: full
  diff_mode:
    description: Returns what has changed.
    support: none
"""

EXAMPLES = r"""
- name: See what the host has
  codeframe.staging.runtime_info:
    user: deploy
    packages: [nodejs, python3-venv]
  register: runtime
"""

RETURN = r"""
missing_packages:
  description: Those of O(packages) that are not installed, in the order given.
  returned: success
  type: list
  elements: str
  sample: [nodejs]
home:
  description: Home directory of the user; null where there is no such user.
  returned: success
  type: str
  sample: /home/deploy
group:
  description: Primary group of the user; null where there is no such user.
  returned: success
  type: str
  sample: deploy
nodejs:
  description: Version of Node.js on the path; null where there is none.
  returned: success
  type: str
  sample: 20.19.2
machine:
  description: Kind of the machine, as C(uname -m) says it.
  returned: success
  type: str
  sample: x86_64
npm:
  description: Path of npm; null where there is none.
  returned: success
  type: str
  sample: /usr/local/bin/npm
pm2:
  description: Version of pm2 installed below O(prefix); null where there is none.
  returned: success
  type: str
  sample: 7.0.4
pm2_daemon:
  description: Process id of the user's running pm2 daemon; null where none runs.
  returned: success
  type: int
  sample: 812
pm2_unit_enabled:
  description: Whether the user's pm2 is started at boot by systemd.
  returned: success
  type: bool
pm2_unit_active:
  description: Whether that unit is active now.
  returned: success
  type: bool
files:
  description: Those of O(files) that are regular files, with the SHA-256 digest of the text, owner, group and mode.
  returned: success
  type: dict
  sample:
    /etc/logrotate.d/pm2-app:
      sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
      owner: root
      group: root
      mode: "0644"
"""

import contextlib
import grp
import hashlib
import json
import os
import pwd
import stat
from typing import Any

from ansible.module_utils.basic import AnsibleModule

# pm2 and npm lie where an administrator installs them, which sudo's path may leave out.
PATH_DIRS = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]


def missing_packages(module: AnsibleModule, packages: list[str]) -> list[str]:
    """Return the packages that dpkg does not list as installed."""
    if not packages:
        return []
    dpkg_query = module.get_bin_path("dpkg-query", opt_dirs=PATH_DIRS)
    if dpkg_query is None:
        return list(packages)
    # Unknown names make dpkg-query fail while it still lists the others.
    _rc, out, _err = module.run_command([dpkg_query, "-W", "-f", "${Package} ${db:Status-Status}\n", *packages])
    installed = {line.split()[0] for line in out.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def account_of(user: str) -> tuple[str | None, str | None]:
    """Return the user's home directory and primary group, or twice ``None`` where the user does not exist."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return None, None
    return account.pw_dir, group_name(account.pw_gid)


def group_name(gid: int) -> str:
    """Return the name of a group, or its number where it has none."""
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def nodejs_version(module: AnsibleModule) -> str | None:
    """Return Node.js' version without its leading ``v``."""
    node = module.get_bin_path("node", opt_dirs=PATH_DIRS)
    if node is None:
        return None
    rc, out, _err = module.run_command([node, "--version"])
    return out.strip().lstrip("v") if rc == 0 else None


def package_version(prefix: str, package: str) -> str | None:
    """Return the version of a global npm package from its ``package.json``."""
    try:
        with open(os.path.join(prefix, "lib", "node_modules", package, "package.json"), encoding="utf-8") as handle:
            return str(json.load(handle)["version"])
    except (OSError, ValueError, KeyError):
        return None


def daemon_pid(home: str | None) -> int | None:
    """Return the process id of a live pm2 daemon, without asking pm2: it would start one."""
    if home is None:
        return None
    try:
        with open(os.path.join(home, ".pm2", "pm2.pid"), encoding="ascii") as handle:
            pid = int(handle.read())
        with open(f"/proc/{pid}/cmdline", "rb") as handle:
            return pid if b"PM2" in handle.read() else None
    except (OSError, ValueError):
        return None


def unit_is(module: AnsibleModule, question: str, unit: str) -> bool:
    """Ask ``systemctl is-enabled`` or ``is-active``; no systemd means no."""
    systemctl = module.get_bin_path("systemctl", opt_dirs=PATH_DIRS)
    if systemctl is None:
        return False
    _rc, out, _err = module.run_command([systemctl, question, unit])
    return out.strip() in ("enabled", "active")


def file_state(module: AnsibleModule, path: str) -> dict[str, str] | None:
    """Return the digest, owner, group and mode of a regular file, or ``None`` where there is none."""
    try:
        status = os.lstat(path)
        if not stat.S_ISREG(status.st_mode):
            return None
        with open(path, "rb") as handle:
            digest = hashlib.sha256(handle.read()).hexdigest()
    except FileNotFoundError:
        return None
    except OSError as error:
        module.fail_json(msg=f"{path} cannot be read: {error.strerror}")
    owner = str(status.st_uid)
    with contextlib.suppress(KeyError):
        owner = pwd.getpwuid(status.st_uid).pw_name
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    return {"sha256": digest, "owner": owner, "group": group_name(status.st_gid), "mode": mode}


def main() -> None:
    """Look and report."""
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "prefix": {"type": "path", "default": "/usr/local"},
        },
        supports_check_mode=True,
    )
    module.run_command_environ_update = {"LC_ALL": "C.UTF-8"}
    user, prefix = module.params["user"], module.params["prefix"]
    home, group = account_of(user)
    unit = f"pm2-{user}.service"
    result: dict[str, Any] = {
        "changed": False,
        "missing_packages": missing_packages(module, module.params["packages"]),
        "home": home,
        "group": group,
        "nodejs": nodejs_version(module),
        "machine": os.uname().machine,
        "npm": module.get_bin_path("npm", opt_dirs=PATH_DIRS),
        "pm2": package_version(prefix, "pm2"),
        "pm2_daemon": daemon_pid(home),
        "pm2_unit_enabled": unit_is(module, "is-enabled", unit),
        "pm2_unit_active": unit_is(module, "is-active", unit),
        "files": {path: state for path in module.params["files"] if (state := file_state(module, path))},
    }
    module.exit_json(**result)


if __name__ == "__main__":
    main()
