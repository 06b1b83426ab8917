# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read a configuration from the output of ``nginx -T``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .config import Tree, include_matches, load_tree


def split_dump(dump: str) -> dict[str, str]:
    """The files of a dump, path to text, in the order in which nginx read them.

    :raises ValueError: If the text contains no file.
    """
    files: dict[str, str] = {}
    parts = re.split(r"(?m)^# configuration file (.+):\n", dump)
    for path, text in zip(parts[1::2], parts[2::2]):
        # nginx adds a newline to each file.
        files.setdefault(path, text[:-1] if text.endswith("\n") else text)
    if not files:
        raise ValueError("no '# configuration file PATH:' line in the dump of nginx -T")
    return files


def tree_of_files(files: Mapping[str, str]) -> Tree:
    """The configuration that consists of these files, path to text, of which the first is the main file.

    :raises ConfigError: If the main file is not a configuration.
    """

    def read(path: str) -> str:
        if path not in files:
            raise FileNotFoundError(path)
        return files[path]

    def expand(pattern: str) -> list[str]:
        return sorted(
            (path for path in files if include_matches(pattern, path)),
            key=lambda path: path.encode("utf-8", "surrogateescape"),
        )

    return load_tree(next(iter(files)), read, expand)
