# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A configuration as it would be with some files changed, to read it or to let nginx test it.

``changes`` maps paths that nginx includes to their new text, ``None`` for a file that would be gone.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from ..config import ConfigError, Directive, include_matches, include_pattern, is_glob, parse, walk
from .errors import SiteError

Changes = Mapping[str, Optional[str]]
Read = Callable[[str], str]
Expand = Callable[[str], Sequence[str]]


def overlay(changes: Changes, read: Read, expand: Expand) -> tuple[Read, Expand]:
    """``read`` and ``expand`` of the configuration with the changes."""

    def read_over(path: str) -> str:
        if path not in changes:
            return read(path)
        text = changes[path]
        if text is None:
            raise FileNotFoundError(path)
        return text

    def expand_over(pattern: str) -> Sequence[str]:
        kept = set(expand(pattern)) - set(changes)
        return _in_order(kept | {path for path in _texts(changes) if include_matches(pattern, path)})

    return read_over, expand_over


@dataclass(frozen=True)
class Shadow:
    """A copy of the files that lead to the changes, for ``nginx -t``.

    ``files`` maps names inside the directory of the copy to texts; ``main`` is the name of the main file;
    ``originals`` maps names to the paths that they replace.
    """

    directory: str
    main: str
    files: Mapping[str, str]
    originals: Mapping[str, str]

    def with_real_paths(self, message: str) -> str:
        """A message of nginx with the paths of the real files."""
        for name, original in self.originals.items():
            message = message.replace(posixpath.join(self.directory, name), original)
        return message.replace(self.directory, posixpath.dirname(self.originals[self.main]))


def shadow(main: str, directory: str, changes: Changes, read: Read, expand: Expand) -> Shadow:
    """Make the configuration with the changes without touching it.

    Only the files whose includes reach a changed file are copied, with those includes expanded. All others are loaded
    from their real paths.

    :param main: The main file.
    :param directory: Directory that the copy is for.
    :raises ConfigError: If the main file cannot be parsed.
    :raises SiteError: If no include leads to a changed file.
    """
    return _Builder(main, directory, changes, read, expand).build()


class _Builder:
    def __init__(self, main: str, directory: str, changes: Changes, read: Read, expand: Expand) -> None:
        self.main = main
        self.conf_dir = posixpath.dirname(main)
        self.directory = directory
        self.changes = changes
        self.read = read
        self.expand = expand
        self.files: dict[str, str] = {}
        self.originals: dict[str, str] = {}
        self.reached: set[str] = set()

    def build(self) -> Shadow:
        name = posixpath.basename(self.main)
        self.files[name] = self.rewrite(self.main, parse(self.read(self.main), self.main), ())[0]
        self.originals[name] = self.main
        for path in _texts(self.changes):
            if path not in self.reached:
                raise SiteError(f"nothing in {self.main} includes {path}")
        return Shadow(self.directory, name, self.files, self.originals)

    def rewrite(self, path: str, directives: Sequence[Directive], above: tuple[str, ...]) -> tuple[str, bool]:
        """The text of a file with the includes that lead to a change expanded, and whether there are any."""
        text = self.read(path)
        out: list[str] = []
        position = 0
        leads = False
        for each in walk(directives):
            if each.name != "include" or each.block is not None or not each.args:
                continue
            pattern = include_pattern(each, self.conf_dir)
            included, changed = self.included(pattern, (*above, path))
            leads = leads or changed
            # In the copy, a relative path with `..` would start at another directory.
            if changed or ".." in each.args[0].split("/"):
                out.append(text[position : each.start])
                # All on one line, so that nginx's line numbers are those of the real file.
                out.append(" ".join(f"include {_quoted(line)};" for line in (included if changed else [pattern])))
                position = each.end
        out.append(text[position:])
        return "".join(out), leads

    def included(self, pattern: str, above: tuple[str, ...]) -> tuple[list[str], bool]:
        """Paths to include instead of a pattern, and whether they differ from what it loads now."""
        paths = set(self.expand(pattern)) if is_glob(pattern) else {pattern}
        paths |= {path for path in _texts(self.changes) if include_matches(pattern, path)}
        found: list[str] = []
        changed = False
        for path in _in_order(paths):
            if path in self.changes:
                changed = True
                text = self.changes[path]
                if text is not None:
                    self.reached.add(path)
                    found.append(self.add("candidate", path, text))
                continue
            copy = None if path in above else self.copy_of(path, above)
            changed = changed or copy is not None
            found.append(path if copy is None else self.add("include", path, copy))
        return found, changed

    def copy_of(self, path: str, above: tuple[str, ...]) -> str | None:
        """The new text of an included file that leads to a change."""
        try:
            directives = parse(self.read(path), path)
        except (OSError, ConfigError):
            return None
        text, leads = self.rewrite(path, directives, above)
        return text if leads else None

    def add(self, kind: str, path: str, text: str) -> str:
        name = f".{kind}.{len(self.files)}.{posixpath.basename(path)}"
        self.files[name] = text
        self.originals[name] = path
        return posixpath.join(self.directory, name)


def _texts(changes: Changes) -> list[str]:
    return [path for path, text in changes.items() if text is not None]


def _in_order(paths: Iterable[str]) -> list[str]:
    """Paths in the order in which nginx loads those of a pattern: by bytes."""
    return sorted(paths, key=lambda path: path.encode("utf-8", "surrogateescape"))


def _quoted(path: str) -> str:
    # Glob characters in an include cannot be escaped; nginx itself refuses such names.
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
