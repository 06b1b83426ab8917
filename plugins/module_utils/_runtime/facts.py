# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has of the runtime that a deployment needs."""

from __future__ import annotations

import contextlib
import grp
import hashlib
import os
import pwd
import re
import stat
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._host.accounts import future_home
from .._host.command import run
from .._host.directories import missing_below_root
from .._host.files import UnsafeFileError, read_file, read_text
from .._host.json_text import json_value
from .._host.programs import find_program
from .._pm2.daemon import find_daemon
from .plan import differing_files, reasons

#: npm installs global packages below it, as the role runtime tells it to.
NPM_PREFIX = "/usr/local"
_ANSWER_WITHIN_S = 60.0


class RuntimeFactsError(Exception):
    """A fact that cannot be gathered, in one sentence."""


def gather(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts that runtime_info returns, and why the runtime must be changed.

    :param params: The options of runtime_info.
    :raises RuntimeFactsError: If a file cannot be read.
    """
    user = params["user"]
    home, group = account_of(user)
    daemon = find_daemon(os.path.join(home, ".pm2")) if home else None
    unit = f"pm2-{user}.service"
    # A user that is still to be created gets a group of the same name.
    place = (home or future_home(user), group or user)
    facts = {
        "missing_packages": missing_packages(params["packages"]),
        "home": home,
        "missing_directories": missing_directories((params["project_dir"], params["socket"]), user),
        "group": group,
        "nodejs": node_version(),
        "machine": os.uname().machine,
        "npm": find_program("npm"),
        "logrotate": find_program("logrotate"),
        "pm2": npm_package_version("pm2"),
        "pm2_daemon": daemon.pid if daemon else None,
        "pm2_unit_enabled": unit_is("is-enabled", unit),
        "pm2_unit_active": unit_is("is-active", unit),
        "pm2_unit_right": unit_runs_as(unit, user),
        "closed_packages": closed_packages(params["npm_packages"]),
        "differing_files": differing_files(params["files"], file_states(params["files"]), *place),
    }
    versions = {name: params[name] for name in ("node_version", "pm2_version")}
    return {**facts, "reasons": reasons(facts, user=user, **versions)}


def missing_packages(packages: Sequence[str]) -> list[str]:
    """The packages that dpkg or rpm does not list as installed, in the order given."""
    if not packages:
        return []
    # Unknown names make both fail while they still list the others.
    listed = _output("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n", *packages)
    if listed is None:
        listed = _output("rpm", "--query", "--queryformat", "%{NAME} installed\n", *packages) or ""
    installed = {line.split()[0] for line in listed.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def account_of(user: str) -> tuple[str | None, str | None]:
    """Home directory and primary group of a user; both None if the user does not exist."""
    try:
        account = pwd.getpwnam(user)
    except KeyError:
        return None, None
    return account.pw_dir, _group_name(account.pw_gid)


def missing_directories(paths: Iterable[str | None], user: str) -> list[str]:
    """The first missing directory above each of several paths, as far as only root can create it.

    :param user: The deploy user, whose home directory is created with the user.
    """
    outside = (path for path in paths if path and not f"{path}/".startswith(f"{future_home(user)}/"))
    found = (missing_below_root(os.path.dirname(path)) for path in outside)
    return list(dict.fromkeys(path for path in found if path))


def closed_packages(packages: Sequence[str]) -> list[str]:
    """Those of the directories below :data:`NPM_PREFIX` in which something is closed to users other than root.

    A package that root installs with a umask of 077 runs for root alone.
    """
    library = os.path.join(NPM_PREFIX, "lib")
    paths = [os.path.join(library, each) for each in packages]
    above = dict.fromkeys(os.path.dirname(path) for path in paths if os.path.isdir(path))
    closed = [path for path in above if path != library and _closed(path)]
    return closed + [path for path in paths if any(_closed(each) for each in _tree(path))]


def _tree(top: str) -> Iterator[str]:
    for directory, _names, files in os.walk(top):
        yield directory
        yield from (os.path.join(directory, name) for name in files)


def _closed(path: str) -> bool:
    """Whether others than the owner cannot read a file or enter a directory, or not run what the owner can run."""
    mode = os.lstat(path).st_mode
    return not stat.S_ISLNK(mode) and bool(~mode & (0o004 | (mode & 0o100) >> 6))


def node_version() -> str | None:
    """Version of the Node.js on the path, without a leading ``v``; None if there is none."""
    output = _output("node", "--version")
    return output.strip().lstrip("v") or None if output else None


def npm_package_version(package: str) -> str | None:
    """Version of a globally installed npm package; None if it is not installed, or something of it is missing.

    npm installs the packages that one depends on inside it, and links its commands.
    """
    directory = os.path.join(NPM_PREFIX, "lib/node_modules", package)
    try:
        described = json_value(read_text(os.path.join(directory, "package.json")) or "")
        version, commands = described["version"], described.get("bin", {})
        needed = {*described.get("dependencies", {})} - {*described.get("optionalDependencies", {})}
        names = [package] if isinstance(commands, str) else list(commands)
        parts = [os.path.join(directory, "node_modules", each, "package.json") for each in needed]
        parts += [os.path.join(NPM_PREFIX, "bin", name) for name in names]
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    return str(version) if all(os.path.isfile(part) for part in parts) else None


def unit_is(question: str, unit: str) -> bool:
    """Whether ``systemctl is-enabled`` or ``is-active`` says so; without systemd it does not."""
    return (_output("systemctl", question, unit) or "").strip() in ("enabled", "active")


def unit_runs_as(unit: str, user: str) -> bool:
    """Whether a unit runs a program that exists, as this user; one that starts nothing may be enabled all the same."""
    shown = _output("systemctl", "show", "--property=User,ExecStart", unit) or ""
    program = re.search(r"^ExecStart=\{ path=(\S+) ;", shown, re.MULTILINE)
    return f"User={user}" in shown.splitlines() and program is not None and find_program(program[1]) is not None


def file_states(paths: Iterable[str]) -> dict[str, dict[str, str]]:
    """Digest, owner, group and mode of those paths that are regular files.

    :raises RuntimeFactsError: If one of them cannot be read.
    """
    found = {}
    for path in paths:
        try:
            content = read_file(path)
        except (FileNotFoundError, NotADirectoryError, UnsafeFileError):
            continue
        except OSError as error:
            raise RuntimeFactsError(f"{path} cannot be read: {error.strerror}") from error
        found[path] = {
            "sha256": hashlib.sha256(content.data).hexdigest(),
            "owner": _user_name(content.uid),
            "group": _group_name(content.gid),
            "mode": f"{content.mode:04o}",
        }
    return found


def _output(name: str, *arguments: str) -> str | None:
    """What a program prints, however it ends; None if there is no such program."""
    program = find_program(name)
    if program is None:
        return None
    try:
        return run([program, *arguments], deadline=time.monotonic() + _ANSWER_WITHIN_S, separate=True).output
    except OSError:
        return None


def _user_name(uid: int) -> str:
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(uid).pw_name
    return str(uid)


def _group_name(gid: int) -> str:
    with contextlib.suppress(KeyError):
        return grp.getgrgid(gid).gr_name
    return str(gid)
