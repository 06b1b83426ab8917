# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The package manager of a frontend, and whether its packages are installed as its lock file says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._host.json_text import object_of
from .errors import BuildError


def reasons_to_install(lock: Mapping[str, Any], installed: Mapping[str, Any], present: set[str]) -> list[str]:
    """Compare npm's lock file with what it recorded as installed (``node_modules/.package-lock.json``).

    Optional packages, such as those of other platforms, may be absent.

    :param present: The package directories that exist, as paths like ``node_modules/next``.
    """
    wanted, found = lock.get("packages"), installed.get("packages")
    if not isinstance(wanted, dict) or not isinstance(found, dict):
        return ["node_modules has no record of what was installed"]
    for path in sorted(wanted):
        entry, recorded = object_of(wanted[path]), object_of(found.get(path))
        if not path.startswith("node_modules/"):
            continue
        if path not in found:
            # npm leaves packages of other platforms in a lock file that nothing depends on, and does not install them.
            if any(entry.get(key) for key in ("optional", "devOptional", "peer", "extraneous")):
                continue
            return [f"node_modules differs from the lock file: {_package(path)} is not installed"]
        for key in ("version", "integrity", "resolved"):
            if key in entry and key in recorded and entry[key] != recorded[key]:
                version = f"{recorded.get('version')} instead of {entry.get('version')}"
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
    """A package manager, as the lock file determines it.

    :param version: The one that ``package.json`` declares; empty for any.
    :param checksum: Algorithm and hexadecimal digest of its package, if they are declared.
    :param ignored: Lock files of others that are there too, if nothing is declared.
    """

    name: str
    lock_file: str
    install_command: tuple[str, ...]
    version: str = ""
    checksum: tuple[str, str] | None = None
    ignored: tuple[str, ...] = ()

    def accepts(self, version: str) -> bool:
        """Whether a version of the program understands the command and the lock file."""
        return self.name != "yarn" or "--immutable" not in self.install_command or not _FIRST_YARN.match(version)

    @property
    def declared(self) -> str:
        """Name and version as ``packageManager`` has them; empty if no version is declared."""
        return f"{self.name}@{self.version}" if self.version else ""


#: Their lock files, in the order in which they count where nothing is declared.
_LOCK_FILES = {
    "npm": ("npm-shrinkwrap.json", "package-lock.json"),
    "pnpm": ("pnpm-lock.yaml",),
    "yarn": ("yarn.lock",),
    "bun": ("bun.lock", "bun.lockb"),
}
LOCK_FILES = tuple(name for names in _LOCK_FILES.values() for name in names)
_FIRST_YARN = re.compile(r"[01]\.")
#: Of yarn 2 and later.
_MODERN_LOCK = re.compile(r"^__metadata:", re.MULTILINE)
_DECLARATION = re.compile(r"([a-z]+)@([0-9][0-9A-Za-z.-]*)(?:\+(sha[0-9]+)\.([0-9a-f]+))?\Z")


def manager_for(
    files: Sequence[str], package: Mapping[str, Any], yarn_settings: str = "", yarn_lock: str = ""
) -> PackageManager:
    """Choose the package manager that ``package.json`` declares, otherwise by the lock file.

    Development packages are always installed, whatever NODE_ENV is, because the build needs them.

    :param files: Names of the files beside ``package.json``.
    :param yarn_settings: The text of ``.yarnrc.yml``.
    :param yarn_lock: That of ``yarn.lock``.
    :raises BuildError: If there is no lock file, or none of the declared package manager.
    """
    found = {
        name: next(lock for lock in locks if lock in files)
        for name, locks in _LOCK_FILES.items()
        if any(lock in files for lock in locks)
    }
    if not found:
        raise BuildError(
            "there is no lock file; expected package-lock.json, pnpm-lock.yaml, yarn.lock or bun.lock beside "
            "package.json"
        )
    declared = _declaration(package) or _declared_elsewhere(package, found)
    name, version, checksum = declared or (next(iter(found)), "", None)
    if name not in found:
        raise BuildError(
            f"package.json declares packageManager {package.get('packageManager')}, but there is "
            f"{' and '.join(found.values())} instead of {' or '.join(_LOCK_FILES[name])}; commit the lock file of "
            f"{name}, or correct packageManager"
        )
    modern = name == "yarn" and (
        not _FIRST_YARN.match(version)
        if version
        else ".yarnrc.yml" in files or _MODERN_LOCK.search(yarn_lock) is not None
    )
    ignored = () if declared else tuple(lock for other, lock in found.items() if other != name)
    return PackageManager(name, found[name], _install_command(name, modern, yarn_settings), version, checksum, ignored)


def _declaration(package: Mapping[str, Any]) -> tuple[str, str, tuple[str, str] | None] | None:
    """Read ``packageManager``; None if it declares nothing.

    :raises BuildError: If it cannot be read, or names a package manager that is not supported.
    """
    text = package.get("packageManager")
    if not text:
        return None
    match = _DECLARATION.match(str(text))
    if not match or match[1] not in _LOCK_FILES:
        raise BuildError(
            f"package.json declares packageManager {str(text)!r}, which is no exact version of npm, pnpm, yarn or bun; "
            "correct it, for example as pnpm@9.15.9"
        )
    return match[1], match[2], (match[3], match[4]) if match[3] else None


def _declared_elsewhere(
    package: Mapping[str, Any], found: Collection[str]
) -> tuple[str, str, tuple[str, str] | None] | None:
    """Read an exact version from ``devEngines``, or from ``volta``, of a package manager that has a lock file."""
    engines, volta = package.get("devEngines"), package.get("volta")
    named = engines.get("packageManager") if isinstance(engines, dict) else None
    entries = [entry for entry in (named if isinstance(named, list) else [named]) if isinstance(entry, dict)]
    pairs = [(entry.get("name"), entry.get("version")) for entry in entries]
    if isinstance(volta, dict):
        pairs += [(name, volta.get(name)) for name in ("pnpm", "yarn", "npm")]
    matches = (_DECLARATION.match(f"{name}@{version}") for name, version in pairs if name in found)
    return next(((match[1], match[2], None) for match in matches if match and match[2].count(".") == 2), None)


def _install_command(name: str, modern: bool, yarn_settings: str) -> tuple[str, ...]:
    if name == "npm":
        return ("npm", "ci", "--include=dev", "--no-audit", "--no-fund")
    if name == "pnpm":
        return ("pnpm", "install", "--frozen-lockfile", "--prod=false")
    if name == "bun":
        return ("bun", "install", "--frozen-lockfile")
    if not modern:
        return ("yarn", "install", "--frozen-lockfile", "--production=false")
    # A yarn that is part of the source.
    own = re.search(r"^yarnPath:\s*[\"']?([^\s\"'#]+)", yarn_settings, re.MULTILINE)
    return (*(("node", own[1]) if own else ("yarn",)), "install", "--immutable")
