# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the files of a site belong, as the include directives of the main file decide it.

A site is one file, and in the layout ``sites`` a link to it. Its directives for the main context, outside of the http
block, are a second file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..config import MAX_INCLUDE_DEPTH, ConfigError, Directive, include_pattern, is_glob, parse
from .errors import SiteError

#: Names of included directories by layout, in the order of preference.
_DIRECTORIES = {"sites": ("sites-enabled",), "conf_d": ("conf.d", "http.d"), "main": ("modules-enabled", "main.d")}


@dataclass(frozen=True)
class SiteLayout:
    """The paths of a site; ``link`` is ``None`` where nginx includes the file itself."""

    kind: str
    file: str
    link: str | None = None

    @property
    def loaded(self) -> str:
        """The path that nginx includes."""
        return self.link or self.file

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.file,) if self.link is None else (self.file, self.link)


def paths_in(kind: str, name: str, suffix: str, directory: str) -> SiteLayout:
    """The paths of a site in a directory that nginx includes."""
    included = posixpath.join(directory, name + suffix)
    if kind != "sites":
        return SiteLayout(kind, included)
    available = posixpath.join(posixpath.dirname(directory), "sites-available")
    return SiteLayout(kind, posixpath.join(available, name + suffix), included)


def default_layout(kind: str, name: str, conf_dir: str) -> SiteLayout:
    """The paths of a site on a host without nginx: those of Debian's package.

    :param kind: ``auto``, ``sites``, ``conf_d`` or ``main``.
    """
    found = "sites" if kind == "auto" else kind
    suffix = "" if found == "sites" else ".conf"
    return paths_in(found, name, suffix, posixpath.join(conf_dir, _DIRECTORIES[found][0]))


def detect_layout(includes: Sequence[str], name: str, wanted: str = "auto") -> SiteLayout:
    """Find the paths of a site from the include patterns of its context.

    :param includes: Absolute patterns, see :func:`included_patterns`.
    :param wanted: ``auto``, ``sites``, ``conf_d`` or ``main``. ``auto`` prefers ``sites`` to ``conf_d``.
    :raises SiteError: If no pattern would load such a file.
    """
    for kind, directories in _DIRECTORIES.items():
        if wanted != kind and (wanted != "auto" or kind == "main"):
            continue
        for directory in directories:
            for suffix in ("", ".conf") if kind == "sites" else (".conf",):
                for pattern in includes:
                    folder, _slash, last = pattern.rpartition("/")
                    if posixpath.basename(folder) == directory and fnmatchcase(name + suffix, last):
                        return paths_in(kind, name, suffix, folder)
    asked = "sites-enabled or conf.d" if wanted == "auto" else _DIRECTORIES[wanted][0]
    block = "the main file" if wanted == "main" else "the http block"
    remedy = "" if wanted == "main" else " or set another layout"
    raise SiteError(
        f"{block} includes no directory {asked} that would load the site {name} "
        f"(it includes {', '.join(includes) or 'nothing'}); add such an include to the main file{remedy}"
    )


def possible_layouts(includes: Sequence[str], conf_dir: str, name: str) -> list[SiteLayout]:
    """Every layout in the http block that a site may have, those that nginx includes first."""
    directories = [pattern.rpartition("/")[0] for pattern in includes]
    directories += [posixpath.join(conf_dir, each) for kind in ("sites", "conf_d") for each in _DIRECTORIES[kind]]
    found = [
        paths_in(kind, name, suffix, directory)
        for directory in directories
        for kind, suffix in (("sites", ""), ("sites", ".conf"), ("conf_d", ".conf"))
        if posixpath.basename(directory) in _DIRECTORIES[kind]
    ]
    return list(dict.fromkeys(found))


def included_patterns(
    main: str, context: str, read: Callable[[str], str], expand: Callable[[str], Sequence[str]]
) -> list[str]:
    """Absolute patterns of the includes in a context, those of included files too.

    :param context: ``http`` or ``main``.
    """
    conf_dir = posixpath.dirname(main)
    found: list[str] = []

    def collect(path: str, inside_http: bool, depth: int) -> None:
        try:
            directives: Sequence[Directive] = parse(read(path), path)
        except (OSError, ConfigError):
            return
        for each in directives:
            if each.name == "http" and not inside_http:
                take(each.block or (), True, depth)
            elif each.name == "include":
                take((each,), inside_http, depth)

    def take(directives: Sequence[Directive], inside_http: bool, depth: int) -> None:
        for each in directives:
            if each.name != "include" or not each.args or depth > MAX_INCLUDE_DEPTH:
                continue
            pattern = include_pattern(each, conf_dir)
            if inside_http == (context == "http"):
                found.append(pattern)
            for path in expand(pattern) if is_glob(pattern) else [pattern]:
                collect(path, inside_http, depth + 1)

    collect(main, False, 0)
    return found
