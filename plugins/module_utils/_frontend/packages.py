# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package manager of a frontend, and whether its packages are installed as its lock file says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import BuildError


def reasons_to_install(lock: Mapping[str, Any], installed: Mapping[str, Any], present: set[str]) -> list[str]:
    """Compare npm's lock file with what it recorded as installed (``node_modules/.package-lock.json``).

    Optional packages, such as those of other platforms, may be absent.

    :param present: The package directories that exist, as paths like ``node_modules/next``.
    """
    wanted, found = lock.get("packages"), installed.get("packages")
    if not isinstance(wanted, dict) or not isinstance(found, dict):
        return ["node_modules has no record of what was installed"]
    for path, entry in sorted(wanted.items()):
        if not path.startswith("node_modules/"):
            continue
        if path not in found:
            if entry.get("optional") or entry.get("devOptional") or entry.get("peer"):
                continue
            return [f"node_modules differs from the lock file: {_package(path)} is not installed"]
        for key in ("version", "integrity", "resolved"):
            if key in entry and key in found[path] and entry[key] != found[path][key]:
                version = f"{found[path].get('version')} instead of {entry.get('version')}"
                return [f"node_modules differs from the lock file: {_package(path)} is {version}"]
    extra = sorted(path for path in found if path not in wanted)
    if extra:
        return [f"node_modules differs from the lock file: {_package(extra[0])} is not in it"]
    gone = sorted(path for path in found if path not in present)
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        return [f"node_modules is incomplete: {_package(gone[0])}{more} is missing"]
    return []


def _package(path: str) -> str:
    return path.rpartition("node_modules/")[2]


@dataclass(frozen=True)
class PackageManager:
    """A package manager, as the lock file determines it."""

    name: str
    lock_file: str
    install_command: tuple[str, ...]


def manager_for(files: Sequence[str], package: Mapping[str, Any]) -> PackageManager:
    """Choose the package manager by the lock file.

    Development packages are always installed, whatever NODE_ENV is, because the build needs them.

    :param files: Names of the files beside ``package.json``.
    :raises BuildError: If there is no lock file.
    """
    npm = ("npm", "ci", "--include=dev", "--no-audit", "--no-fund")
    for name in ("npm-shrinkwrap.json", "package-lock.json"):
        if name in files:
            return PackageManager("npm", name, npm)
    if "pnpm-lock.yaml" in files:
        return PackageManager("pnpm", "pnpm-lock.yaml", ("pnpm", "install", "--frozen-lockfile", "--prod=false"))
    if "yarn.lock" in files:
        modern = re.match(r"yarn@(?!1\.|0\.)", str(package.get("packageManager", ""))) or ".yarnrc.yml" in files
        command = ("yarn", "install", "--immutable")
        return PackageManager(
            "yarn",
            "yarn.lock",
            command if modern else ("yarn", "install", "--frozen-lockfile", "--production=false"),
        )
    raise BuildError(
        "there is no lock file; expected package-lock.json, pnpm-lock.yaml or yarn.lock beside package.json"
    )
