# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The source files of a frontend's build."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .._host.files import file_digest

#: Written by the build itself, in place.
_GENERATED = ("next-env.d.ts",)
_GENERATED_ENDING = ".tsbuildinfo"


def short_digest(path: str, *, follow: bool = False) -> str:
    """Return the digest of a file as a build records it."""
    return file_digest(path, follow=follow)[:32]


def source_digests(root: str, exclude: Iterable[str]) -> dict[str, str]:
    """Return the digest of every source file below a directory; of a symbolic link, its target.

    :param exclude: Names (anywhere), or paths relative to the root, that are not source.
    """
    excluded = frozenset(exclude)
    found: dict[str, str] = {}
    for directory, names, files in os.walk(root):
        relative = os.path.relpath(directory, root)
        prefix = "" if relative == "." else relative + "/"
        names.sort()
        for name in list(names):
            if name in excluded or prefix + name in excluded:
                names.remove(name)
            elif os.path.islink(os.path.join(directory, name)):
                names.remove(name)
                files.append(name)
        for name in files:
            if name in excluded or prefix + name in excluded or name in _GENERATED or name.endswith(_GENERATED_ENDING):
                continue
            path = os.path.join(directory, name)
            if os.path.islink(path):
                found[prefix + name] = "-> " + os.readlink(path)
            elif os.path.isfile(path):
                found[prefix + name] = short_digest(path)
    return found
