# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse nginx configuration files: tokens, blocks and includes, each with its file and line.

The grammar is that of ``ngx_conf_file.c``. Validity is not checked here: only ``nginx -t`` decides it. The parser uses
the standard library alone because it runs on managed hosts, and it records the offset of each directive, which the
test of a candidate needs (``site/candidate.py``).
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NamedTuple

#: nginx itself stops at its limit of open files; includes nested this deeply are a loop.
MAX_INCLUDE_DEPTH = 20

_ESCAPES = {'"': '"', "'": "'", "\\": "\\", "t": "\t", "r": "\r", "n": "\n"}
#: One token after white space and comments: a special character, a quoted word or a bare word, none at the end of the
#: text. A bare word goes on over what a backslash or ``${`` protects.
_TOKEN = re.compile(
    r"""[ \t\r\n]*(?:\#[^\n]*[ \t\r\n]*)*
    (?:([;{}])
      |("[^"\\]*(?:\\[\s\S][^"\\]*)*"|'[^'\\]*(?:\\[\s\S][^'\\]*)*')
      |((?=[^ \t\r\n])[^ \t\r\n;{\\$]*(?:(?:\\[\s\S]|\\\Z|\$\{|\$)[^ \t\r\n;{\\$]*)*)
    )?""",
    re.VERBOSE,
)
_QUOTED, _WORD = 2, 3
_GLOB_CHARACTERS = re.compile(r"[*?\[]")


class ConfigError(ValueError):
    """A text that is not an nginx configuration, with the file and line of the mistake."""

    def __init__(self, reason: str, file: str, line: int) -> None:
        super().__init__(f"{reason} in {file}:{line}")
        self.reason = reason
        self.file = file
        self.line = line


@dataclass(frozen=True)
class Directive:
    """One directive; ``block`` is ``None`` unless it has braces.

    ``start`` and ``end`` are offsets into the text of the file. They cover the directive up to and including its ``;``
    or closing brace.
    """

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None
    start: int = 0
    end: int = 0

    @property
    def where(self) -> str:
        """The place as ``FILE:LINE``."""
        return f"{self.file}:{self.line}"

    def children(self, name: str) -> list[Directive]:
        """The directives of this name directly inside the block."""
        return [each for each in self.block or () if each.name == name]


class _Token(NamedTuple):
    text: str
    quoted: bool
    start: int
    end: int


def _unescape(raw: str) -> str:
    """Resolve the escapes that nginx resolves (``ngx_conf_read_token``) and leave all others unchanged."""
    if "\\" not in raw:
        return raw
    out: list[str] = []
    position = 0
    while position < len(raw):
        character = raw[position]
        following = raw[position + 1 : position + 2]
        if character == "\\" and following in _ESCAPES and following:
            out.append(_ESCAPES[following])
            position += 2
        else:
            out.append(character)
            position += 1
    return "".join(out)


class _Reader:
    """Tokens of one text. The caller skips Lua blocks with :meth:`skip_braces`."""

    def __init__(self, text: str, file: str) -> None:
        self.text = text
        self.file = file
        self.position = 0
        self._counted_to = 0
        self._line = 1

    def line_at(self, position: int) -> int:
        """The line of a position, none of which may be before an earlier one."""
        self._line += self.text.count("\n", self._counted_to, position)
        self._counted_to = position
        return self._line

    def next(self) -> _Token | None:
        match = _TOKEN.match(self.text, self.position)
        # The expression matches the empty text.
        if match is None:
            raise AssertionError("the pattern matches every text")
        kind = match.lastindex
        if kind is None:
            return None
        text = match[kind]
        start, self.position = match.span(kind)
        if kind == _QUOTED:
            return _Token(_unescape(text[1:-1]), True, start, self.position)
        if kind == _WORD:
            if text[0] in "\"'":
                raise ConfigError("a quote that is not closed", self.file, self.line_at(start))
            text = _unescape(text)
        return _Token(text, False, start, self.position)

    def skip_braces(self) -> None:
        """Skip a block in another language, up to and including its closing brace."""
        depth, line = 1, self.line_at(self.position)
        for match in re.compile(r"[{}]").finditer(self.text, self.position):
            depth += 1 if match.group() == "{" else -1
            if depth == 0:
                self.position = match.end()
                return
        raise ConfigError("a block that is not closed", self.file, line)


def parse(text: str, file: str) -> tuple[Directive, ...]:
    """Parse one configuration text.

    :raises ConfigError: If braces, quotes or semicolons are not balanced.
    """
    reader = _Reader(text, file)
    return _block(reader, opened_at=None)


def _block(reader: _Reader, opened_at: int | None) -> tuple[Directive, ...]:
    found: list[Directive] = []
    words: list[_Token] = []
    line = 0
    while True:
        token = reader.next()
        if token is None:
            if words:
                raise ConfigError(f'"{words[0].text}" does not end with ";"', reader.file, line)
            if opened_at is not None:
                raise ConfigError("a block that is not closed", reader.file, opened_at)
            return tuple(found)
        if token.quoted or token.text not in (";", "{", "}"):
            if not words:
                line = reader.line_at(token.start)
            words.append(token)
            continue
        if token.text == "}":
            if words:
                raise ConfigError(f'"{words[0].text}" does not end with ";"', reader.file, line)
            if opened_at is None:
                raise ConfigError("a closing brace without a block", reader.file, reader.line_at(token.start))
            return tuple(found)
        if not words:
            raise ConfigError(f'an unexpected "{token.text}"', reader.file, reader.line_at(token.start))
        block: tuple[Directive, ...] | None = None
        if token.text == "{":
            if words[0].text.endswith("_by_lua_block"):
                reader.skip_braces()
                block = ()
            else:
                block = _block(reader, opened_at=reader.line_at(token.start))
        found.append(
            Directive(
                name=words[0].text,
                args=tuple(word.text for word in words[1:]),
                file=reader.file,
                line=line,
                block=block,
                start=words[0].start,
                end=reader.position,
            )
        )
        words = []


def include_pattern(directive: Directive, conf_dir: str) -> str:
    """The absolute path or glob of an ``include``; a relative one starts at the main file's directory."""
    return posixpath.normpath(posixpath.join(conf_dir, directive.args[0])) if directive.args else ""


def is_glob(pattern: str) -> bool:
    """Whether nginx treats the include as a pattern (a pattern without a match is not an error)."""
    return _GLOB_CHARACTERS.search(pattern) is not None


def include_matches(pattern: str, path: str) -> bool:
    """Whether an include with this absolute path or glob loads a file at ``path``."""
    if pattern == path:
        return True
    if not is_glob(pattern) or posixpath.basename(path).startswith("."):
        return False
    return pattern.count("/") == path.count("/") and fnmatchcase(path, pattern)


@dataclass(frozen=True)
class Tree:
    """A whole configuration: the directives of the main file with every include expanded.

    ``files`` are the files read, in order. ``unreadable`` are those left out. ``folders`` are the directories that
    includes with a pattern read from.
    """

    directives: tuple[Directive, ...]
    files: tuple[str, ...]
    unreadable: tuple[str, ...]
    folders: tuple[str, ...] = ()

    def http(self) -> list[Directive]:
        """The directives directly inside ``http``."""
        return [each for top in self.directives if top.name == "http" for each in top.block or ()]

    def servers(self) -> list[Directive]:
        """The ``server`` blocks of ``http`` in the order in which nginx loads them."""
        return [each for each in self.http() if each.name == "server" and each.block is not None]

    def main_value(self, name: str) -> str | None:
        """The first argument of a directive of the main context; ``None`` if it is not set."""
        for each in self.directives:
            if each.name == name and each.args:
                return each.args[0]
        return None


def load_tree(
    main: str,
    read: Callable[[str], str],
    expand: Callable[[str], Sequence[str]],
    inside_blocks: bool = True,
) -> Tree:
    """Read a configuration with its includes.

    Files other than the main file that cannot be read or parsed are listed in ``unreadable`` and left out.

    :param read: Returns the text of a file; may raise ``OSError``.
    :param expand: Returns the paths that a glob matches, in nginx's order.
    :param inside_blocks: Whether to expand includes inside of blocks too; without it only the main context is whole.
    :raises ConfigError: If the main file is not a configuration.
    :raises OSError: If the main file cannot be read.
    """
    conf_dir = posixpath.dirname(main)
    files: list[str] = [main]
    unreadable: list[str] = []
    folders: list[str] = []

    def resolve(directives: Sequence[Directive], depth: int) -> Iterator[Directive]:
        for each in directives:
            if each.name == "include" and each.args and each.block is None:
                if depth >= MAX_INCLUDE_DEPTH:
                    unreadable.append(each.where)
                    continue
                pattern = include_pattern(each, conf_dir)
                if is_glob(pattern) and not is_glob(posixpath.dirname(pattern)):
                    folders.append(posixpath.dirname(pattern))
                for path in expand(pattern) if is_glob(pattern) else [pattern]:
                    try:
                        included = parse(read(path), path)
                    except (OSError, ConfigError) as exc:
                        unreadable.append(str(exc) if isinstance(exc, ConfigError) else path)
                        continue
                    if path not in files:
                        files.append(path)
                    yield from resolve(included, depth + 1)
            elif each.block is None or not inside_blocks:
                yield each
            else:
                yield Directive(
                    each.name,
                    each.args,
                    each.file,
                    each.line,
                    tuple(resolve(each.block, depth)),
                    each.start,
                    each.end,
                )

    directives = tuple(resolve(parse(read(main), main), 0))
    return Tree(directives, tuple(files), tuple(unreadable), tuple(dict.fromkeys(folders)))


def walk(directives: Sequence[Directive]) -> Iterator[Directive]:
    """All directives, outer before inner, in the order of the text."""
    for each in directives:
        yield each
        yield from walk(each.block or ())
