# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installed packages of a frontend: whether they are as its lock file says, and their installation."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from .._host.files import write_atomic
from .._host.json_text import read_json_object
from .._host.progress import Say
from .aside import aside, recover
from .build_plan import digest
from .commands import run_command
from .errors import BuildError
from .frontend import ALWAYS_EXCLUDED, INSTALL_RECORD, BuildOptions, Frontend
from .install_scripts import files_beside, inputs_of_scripts, steps_of
from .modules import modules_damage, packages_named, store_listing
from .packages import reasons_to_install
from .workspace import Workspace, find_workspace

_MODULES = "node_modules"
#: In the place of the id of an installation that is only predicted.
TO_BE_MADE = "new"


def module_directories(base: str, workspace: Workspace | None) -> list[str]:
    """Return where packages may be installed: first the directory with the lock file, then each member."""
    places = [base, *(os.path.join(base, member) for member in (workspace.members if workspace else ()))]
    return [os.path.join(place, _MODULES) for place in places]


def recover_packages(options: BuildOptions) -> None:
    """Restore what a killed installation has left half-made."""
    workspace = find_workspace(options.path, options.root)
    directories = module_directories(workspace.root if workspace else options.path, workspace)
    # The record is in the first one. Restored last, it tells until then that the others have to be.
    for modules in reversed(directories):
        recover(modules, os.path.join(directories[0], INSTALL_RECORD))


def why_install(front: Frontend) -> list[str]:
    """Return why packages must be installed; empty if they are as the lock file says, and as they were installed."""
    modules = os.path.join(front.base, _MODULES)
    if not os.path.isdir(modules):
        return ["there is no node_modules"]
    recorded = read_json_object(os.path.join(modules, INSTALL_RECORD))
    reasons = _differs_from_lock(front, modules, recorded)
    damage = [] if reasons else packages_damage(front)
    return [packages_named(damage)] if damage else reasons


def packages_damage(front: Frontend) -> list[str] | None:
    """Return which installed files are missing or were changed; None if they were never listed."""
    modules = os.path.join(front.base, _MODULES)
    damage = modules_damage(modules)
    if damage is None:
        return None
    members = read_json_object(os.path.join(modules, INSTALL_RECORD)).get("members")
    for member in members if isinstance(members, list) else ():
        place = os.path.join(front.base, str(member), _MODULES)
        if os.path.isdir(place):
            damage += [f"{member}: {each}" for each in modules_damage(place) or []]
        else:
            damage.append(f"{member}/{_MODULES} is missing")
    return damage


def _differs_from_lock(front: Frontend, modules: str, recorded: Mapping[str, Any]) -> list[str]:
    installed = read_json_object(os.path.join(modules, ".package-lock.json"))
    if recorded:
        if recorded.get("lock") != front.inputs.lock:
            return ["lock file changed"]
        if recorded.get("command") != list(front.manager.install_command):
            return ["install command changed"]
        if recorded.get("manager", "") != front.manager.declared:
            before, now = recorded.get("manager") or "none", front.manager.declared or "none"
            return [f"packageManager changed from {before} to {now}"]
        major = front.node.split(".")[0]
        if front.node and str(recorded.get("node", "")).split(".")[0] != major:
            return [f"Node.js is {front.node}, the packages were installed with {recorded.get('node')}"]
        # If the other part of the application, which has the same packages, has installed them, there is no such entry.
        read = recorded.get("scripts") or {_part(front): ""}
        if read.get(_part(front)) not in (None, _read_by_scripts(front, recorded)):
            return ["files that the scripts of an installation read, such as postinstall, were changed"]
        gone = [name for name in _made(recorded) if not _exists(front, name)]
        if gone:
            return [f"{gone[0]}, which a script of an installation makes, is missing"]
    packages = installed.get("packages")
    if front.manager.lock_file.endswith(".json") and isinstance(packages, dict) and packages:
        lock = read_json_object(os.path.join(front.base, front.manager.lock_file))
        present = {path for path in packages if os.path.lexists(os.path.join(front.base, path))}
        return reasons_to_install(lock, installed, present)
    if not recorded:
        return ["node_modules has no record of what was installed"]
    places = (os.path.join(front.path, _MODULES), modules)
    gone = sorted(
        name for name in front.dependencies if not any(os.path.lexists(os.path.join(place, name)) for place in places)
    )
    return [f"node_modules is incomplete: {gone[0]} is missing"] if gone else []


def _read_by_scripts(front: Frontend, recorded: Mapping[str, Any]) -> str:
    """Return the digest of what an installation reads of the sources: the application's own scripts, and copies.

    :param recorded: The record of the installation.
    """
    made, packages = set(_made(recorded)), front.packages
    source = front.inputs.source if front.delivered is None else front.delivered
    # npm links packages that are named by their directory, of which others install a copy.
    copied = [] if front.manager.name == "npm" else [os.path.relpath(each, front.base) for each in front.local_packages]
    beginnings = tuple(f"{each}/" for each in copied)
    of_copies = {name: source[name] for name in sorted({*source} - made) if name.startswith(beginnings)}
    return inputs_of_scripts(packages, source, made) + (digest(json.dumps(of_copies)) if of_copies else "")


def _part(front: Frontend) -> str:
    """Return what the digest of :func:`_read_by_scripts` holds for.

    It is the same for each part of an application whose whole source is known, otherwise for this part alone.
    """
    return "." if front.delivered is not None else os.path.relpath(front.path, front.base) + "/"


def _made(recorded: Mapping[str, Any]) -> list[str]:
    made = recorded.get("made")
    return [str(name) for name in made] if isinstance(made, list) else []


def install_packages(front: Frontend, env: Mapping[str, str], deadline: float, say: Say) -> None:
    """Install the packages into new directories, because files of the previous ones may be hard links.

    :raises BuildError: If the installation fails; the previous packages are restored then.
    """
    command = front.manager.install_command
    directories = module_directories(front.base, front.workspace)
    modules = directories[0]
    record = os.path.join(modules, INSTALL_RECORD)
    scripts = any(steps_of(package) for package in front.packages.values())
    previous, before = _made(read_json_object(record)), _beside(front) if scripts else set()
    with contextlib.ExitStack() as stack:
        for place in directories:
            stack.enter_context(aside(place, record))
        say("install packages", "")
        run_command(command, front.base, env, deadline, marker=front.path, watch=partial(say, "install packages"))
        if not os.path.isdir(modules):
            if front.dependencies:
                raise BuildError(
                    f"`{' '.join(command)}` ended without an error, but there is no {modules}; yarn creates it "
                    "with nodeLinker: node-modules in .yarnrc.yml"
                )
            os.mkdir(modules)
        list_packages(front)
        members = [
            os.path.relpath(os.path.dirname(place), front.base) for place in directories[1:] if os.path.isdir(place)
        ]
        recorded: dict[str, Any] = {
            "lock": front.inputs.lock,
            "command": list(command),
            "node": front.node,
            "members": members,
        }
        recorded["manager"] = front.manager.declared
        made = _beside(front) - before if scripts else set()
        # What an earlier one has made is no source either.
        recorded["made"] = sorted({*made, *(name for name in previous if scripts and _exists(front, name))})
        recorded["scripts"] = {_part(front): _read_by_scripts(front, recorded)}
        recorded["id"] = uuid.uuid4().hex
        write_atomic(record, json.dumps(recorded, sort_keys=True), mode=0o600)


def _beside(front: Frontend) -> set[str]:
    """Return the files beside the packages, those of packages outside of the directory among them."""
    outside = [each for each in front.local_packages if not each.startswith(f"{front.base}/")]
    return {
        os.path.normpath(os.path.join(os.path.relpath(place, front.base), name))
        for place in (front.base, *outside)
        for name in files_beside(place, ALWAYS_EXCLUDED)
    }


def _exists(front: Frontend, name: str) -> bool:
    return os.path.lexists(os.path.join(front.base, name))


def installation_id(base: str) -> str:
    """Return what tells an installation from a later one of the same packages; empty if it was made by others.

    Copies and hard links of the directory keep it.

    :param base: The directory with the lock file.
    """
    return str(read_json_object(os.path.join(base, _MODULES, INSTALL_RECORD)).get("id", ""))


def list_packages(front: Frontend) -> None:
    """Store what is installed as it is now."""
    for place in module_directories(front.base, front.workspace):
        if os.path.isdir(place):
            store_listing(place)
