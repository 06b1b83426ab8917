#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: runtime_info
short_description: Gather facts about the runtime that a deployment needs
version_added: "0.1.0"
description:
  - Gathers facts about distribution packages, the deploy user, Node.js, npm, pm2, its unit and files in one call.
  - Works on a host that has none of them. Starts nothing, in particular no pm2 daemon.
author:
  - The codeframe.staging contributors (@codeframe)
options:
  user:
    description: Name of the deploy user.
    type: str
    required: true
  packages:
    description: Debian packages that should be installed.
    type: list
    elements: str
    default: []
  project_dir:
    description: Project directory, for RV(missing_parent).
    type: path
  npm_packages:
    description: Directories below C(/usr/local/lib) that all users must be able to read, for RV(closed_packages).
    type: list
    elements: str
    default: []
  files:
    description: Files whose digest, owner and mode are returned.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    description: Changes nothing, so it does the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: Gather the runtime facts
  codeframe.staging.runtime_info:
    user: deploy
    packages: [nodejs, python3-venv]
  register: runtime
"""

RETURN = r"""
missing_packages:
  description: Packages of O(packages) that are not installed, in the order given.
  returned: success
  type: list
  elements: str
  sample: [nodejs]
home:
  description: Home directory of the user; null if there is no such user.
  returned: success
  type: str
  sample: /home/deploy
missing_parent:
  description:
    - First missing directory above O(project_dir) that only root can create. Empty if there is none, and if another
      user can change a directory above it.
  returned: success
  type: str
  sample: /srv/projects
closed_packages:
  description: Paths of those O(npm_packages) in which something cannot be read by all users.
  returned: success
  type: list
  elements: str
  sample: [/usr/local/lib/node_modules/pm2]
group:
  description: Primary group of the user; null if there is no such user.
  returned: success
  type: str
  sample: deploy
nodejs:
  description: Version of the Node.js on the path; null if there is none.
  returned: success
  type: str
  sample: 20.19.2
machine:
  description: Architecture of the machine, as C(uname -m) prints it.
  returned: success
  type: str
  sample: x86_64
npm:
  description: Path of npm; null if there is none.
  returned: success
  type: str
  sample: /usr/local/bin/npm
pm2:
  description: Version of the pm2 installed below C(/usr/local); null if there is none.
  returned: success
  type: str
  sample: 7.0.4
pm2_daemon:
  description: Pid of the user's running pm2 daemon; null if none runs.
  returned: success
  type: int
  sample: 812
pm2_unit_enabled:
  description: Whether systemd starts the user's pm2 at boot.
  returned: success
  type: bool
pm2_unit_active:
  description: Whether that unit is active.
  returned: success
  type: bool
files:
  description: Regular files among O(files), each with the SHA-256 digest of its content, owner, group and mode.
  returned: success
  type: dict
  sample:
    /etc/logrotate.d/pm2-app:
      sha256: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
      owner: root
      group: root
      mode: "0644"
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.programs import find_program
from ..module_utils._pm2.daemon import find_daemon
from ..module_utils._runtime.facts import (
    RuntimeFactsError,
    account_of,
    closed_packages,
    file_states,
    missing_packages,
    missing_parent,
    node_version,
    npm_package_version,
    unit_is,
)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "packages": {"type": "list", "elements": "str", "default": []},
            "project_dir": {"type": "path"},
            "npm_packages": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
        },
        supports_check_mode=True,
    )
    user = module.params["user"]
    home, group = account_of(user)
    daemon = find_daemon(os.path.join(home, ".pm2")) if home else None
    unit = f"pm2-{user}.service"
    try:
        files = file_states(module.params["files"])
    except RuntimeFactsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        missing_packages=missing_packages(module.params["packages"]),
        home=home,
        missing_parent=missing_parent(module.params["project_dir"], user),
        group=group,
        nodejs=node_version(),
        machine=os.uname().machine,
        npm=find_program("npm"),
        pm2=npm_package_version("pm2"),
        pm2_daemon=daemon.pid if daemon else None,
        pm2_unit_enabled=unit_is("is-enabled", unit),
        pm2_unit_active=unit_is("is-active", unit),
        closed_packages=closed_packages(module.params["npm_packages"]),
        files=files,
    )


if __name__ == "__main__":
    main()
