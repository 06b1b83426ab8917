# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sources of a build outside of its directory: what its sources name by a path that leaves it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from .._host.files import read_text

_CODE = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte", ".astro")
_READ = (*_CODE, ".json", ".jsonc", ".json5", ".css", ".scss", ".sass", ".less", ".html", ".mdx")
#: An import, a path of tsconfig.json or of an alias, and a package by its directory.
_NAMED = re.compile(r"""["'`(](?:(?:file|link|portal):)?(\.\.?/[^"'`()\s*?#]*)""")
_ENDINGS = ("", *_CODE, ".json", ".d.ts", ".css", ".scss")
_LARGEST = 512 * 1024


def named_outside(base: str, root: str, source: Iterable[str], other: Sequence[str]) -> tuple[set[str], set[str]]:
    """Return the directories and the single files outside of a directory that sources in it name.

    The directory of a script counts as a whole, since scripts use others beside them; of another file, the file alone.

    :param base: The directory, without symbolic links in its path.
    :param root: That of the application, outside of which nothing counts; the same.
    :param source: Paths of its sources, relative to it.
    :param other: Directories that never count as a whole, such as that of the other part of the application.
    :returns: Absolute paths.
    """
    directories: set[str] = set()
    files: set[str] = set()
    pending = [os.path.join(base, name) for name in source]
    while pending:
        for target in _targets(pending.pop(), base):
            if not _may_be_source(target, base, root) or _within(target, directories) or target in files:
                continue
            place = target if os.path.isdir(target) else os.path.dirname(target)
            whole = place == target or target.endswith(_CODE)
            if whole and _may_be_source(place, base, root) and not any(_within(each, (place,)) for each in other):
                directories.add(place)
                pending += _scripts_in(place)
            elif place != target:
                files.add(target)
                pending.append(target)
    return {each for each in directories if not _within(each, directories - {each})}, files


def _targets(path: str, base: str) -> Iterator[str]:
    """Return the existing files and directories outside of a directory that a file names, or links to."""
    if os.path.islink(path):
        found = [os.path.realpath(path)]
    else:
        text = (read_text(path, limit=_LARGEST) or "") if path.endswith(_READ) else ""
        place = os.path.dirname(path)
        found = [os.path.normpath(os.path.join(place, name)) for name in dict.fromkeys(_NAMED.findall(text))]
    for each in found:
        if not _within(each, (base,)):
            # TypeScript names the file that it makes of a source.
            stem = re.sub(r"\.([cm]?)js\Z", "", each)
            names = [place + ending for place in dict.fromkeys((each, stem)) for ending in _ENDINGS]
            target = next((name for name in names if os.path.lexists(name)), None)
            if target:
                yield target


def _may_be_source(path: str, base: str, root: str) -> bool:
    """Whether a path is inside the application, and is neither above the directory nor that of packages."""
    parts = os.path.relpath(path, root).split("/")
    hidden = any(part.startswith(".") for part in parts)
    return not (hidden or "node_modules" in parts or _within(base, (path,)))


def _scripts_in(directory: str) -> Iterator[str]:
    for place, names, files in os.walk(directory):
        names[:] = [name for name in names if name != "node_modules" and not name.startswith(".")]
        yield from (os.path.join(place, name) for name in files)
        yield from (os.path.join(place, name) for name in names if os.path.islink(os.path.join(place, name)))


def _within(path: str, directories: Collection[str]) -> bool:
    return any(path == each or path.startswith(each.rstrip("/") + "/") for each in directories)


def local_packages(package: Mapping[str, object]) -> list[str]:
    """Return the relative paths of the packages that a ``package.json`` names by their directory."""
    named = (package.get(key) for key in ("dependencies", "devDependencies", "optionalDependencies"))
    versions = (str(version) for each in named if isinstance(each, dict) for version in each.values())
    matches = (re.match(r"(?:file:|link:|portal:)?(\.{1,2}/.*?)/?\Z", version) for version in versions)
    return [match[1] for match in matches if match and not match[1].endswith((".tgz", ".tar.gz"))]
