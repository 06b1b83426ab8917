# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Provide the package manager that a frontend declares: the installed one of that version, or one from the registry."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from functools import partial

from .._host.command import run
from .._host.progress import Say
from .aside import put_in_place
from .commands import find_in_path, run_command
from .errors import BuildError
from .packages import PackageManager

#: Below the home of the user, so that all releases share it.
_CACHE = os.path.join(".cache", "codeframe-staging", "package-managers")
_LOOK_S = 30
_PROVIDED = ("npm", "pnpm", "yarn", "bun")


def manager_path(manager: PackageManager, env: Mapping[str, str]) -> str | None:
    """Return the directory with the programs of a package manager, empty for those on the search path.

    :returns: None if it has to be installed first.
    :raises BuildError: If it is not installed, and no version is declared that could be.
    """
    program = manager.install_command[0]
    if manager.name not in _PROVIDED or program == "node" or (manager.name == "npm" and not manager.version):
        return ""
    installed = find_in_path(program, env)
    if not manager.version:
        found = _version_of(installed, env) if installed and manager.name == "yarn" else ""
        if installed and manager.accepts(found):
            return ""
        problem = (
            f"but {installed} is yarn {found}" if installed else f"which is not installed (looked in {env['PATH']})"
        )
        wanted = f"{program} 2 or later" if installed else program
        raise BuildError(
            f"{manager.lock_file} requires {wanted}, {problem}, and no version is declared; "
            f'add "packageManager": "{program}@<version>" to package.json, and that version is used, or '
            f"install {wanted} on the host"
        )
    if installed and _version_of(installed, env) == manager.version:
        return ""
    programs = _programs(manager, env)
    return programs if os.path.exists(os.path.join(programs, program)) else None


def install_manager(
    manager: PackageManager, base: str, marker: str, env: Mapping[str, str], deadline: float, say: Say
) -> str:
    """Install the declared version from the npm registry, and return the directory with its programs.

    :param base: The directory of ``package.json``, whose ``.npmrc`` may name a registry.
    :raises BuildError: If it cannot be installed, or is not the package whose checksum is declared.
    """
    programs = _programs(manager, env)
    place = os.path.dirname(os.path.dirname(programs))
    os.makedirs(os.path.dirname(place), exist_ok=True)
    name = (
        "@yarnpkg/cli-dist" if manager.name == "yarn" and not manager.version.startswith(("0.", "1.")) else manager.name
    )
    call = partial(run_command, env=env, deadline=deadline, marker=marker)
    say(f"install {manager.declared}", "")
    made = tempfile.mkdtemp(prefix=".new-", dir=os.path.dirname(place))
    try:
        call(["npm", "pack", f"{name}@{manager.version}", "--silent", f"--pack-destination={made}"], base)
        archive = next(entry for entry in os.listdir(made) if entry.endswith(".tgz"))
        # Only bun has to link its program to that of this machine.
        scripts = [] if manager.name == "bun" else ["--ignore-scripts"]
        with open(os.path.join(made, "package.json"), "w", encoding="utf-8") as file:
            file.write("{}")
        call(["npm", "install", "--no-audit", "--no-fund", *scripts, f"./{archive}"], made)
        _check(manager, os.path.join(made, archive), os.path.join(made, "node_modules", name, "bin", "yarn.js"))
        put_in_place(made, place)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return programs


def _programs(manager: PackageManager, env: Mapping[str, str]) -> str:
    return os.path.join(env["HOME"], _CACHE, f"{manager.name}-{manager.version}", "node_modules", ".bin")


def _version_of(program: str, env: Mapping[str, str]) -> str:
    """Ask outside of a project, in which a package manager may take the place of another."""
    ended = run(
        [program, "--version"], env={**env, "COREPACK_ENABLE_NETWORK": "0"}, deadline=time.monotonic() + _LOOK_S
    )
    return ended.output.strip() if ended.succeeded else ""


def _check(manager: PackageManager, archive: str, script: str) -> None:
    """Compare with the checksum as corepack does: of the package, or of the only script of yarn."""
    if manager.checksum is None:
        return
    algorithm, expected = manager.checksum
    found = []
    for path in (archive, script):
        if os.path.isfile(path):
            with open(path, "rb") as file:
                found.append(hashlib.new(algorithm, file.read()).hexdigest())
    if expected not in found:
        raise BuildError(
            f"{manager.declared} from the registry has the {algorithm} {found[0]}, but package.json declares "
            f"{expected}; it was not installed"
        )
