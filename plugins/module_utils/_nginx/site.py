# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pure logic of one nginx site: where it belongs, how its candidate is tested, what has to be done.

A site is one file with a marker line, and, in the layout with
``sites-available`` and ``sites-enabled``, a link to it.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from . import config as nginx_config

MARKER = "# Managed by codeframe.staging, site {name}; changes by hand are replaced."
_MARKER_LINE = re.compile(r"# Managed by codeframe\.staging, site (\S+); ")
DISABLED_SUFFIX = ".disabled"
SITE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")


class SiteError(ValueError):
    """Something that forbids the site, in one sentence for the user."""


@dataclass(frozen=True)
class Layout:
    """Where a site lives.

    ``loaded`` is the path that nginx includes; ``link`` is ``None`` where the
    file itself is that path.
    """

    kind: str
    file: str
    link: str | None

    @property
    def loaded(self) -> str:
        return self.link or self.file

    @property
    def disabled(self) -> Layout:
        """Where a site without a link stands while it is not enabled."""
        return Layout(self.kind, self.file + DISABLED_SUFFIX, None)


def with_marker(name: str, content: str) -> str:
    """The text of the file: the marker, then the content with one newline at its end."""
    return MARKER.format(name=name) + "\n" + content.strip("\n") + "\n"


def without_marker(text: str) -> str:
    """The content of a file of ours, as it was given."""
    first, _newline, rest = text.partition("\n")
    return rest if _MARKER_LINE.match(first) else text


def is_ours(text: str, name: str | None = None) -> bool:
    """Whether a file carries our marker, that of the site ``name`` if one is given."""
    found = _MARKER_LINE.match(text)
    return found is not None and name in (None, found.group(1))


def site_paths(kind: str, name: str, suffix: str, enabled_dir: str) -> Layout:
    """The paths of a site in the directory that nginx includes."""
    if kind == "sites":
        available = posixpath.join(posixpath.dirname(enabled_dir), "sites-available")
        return Layout(kind, posixpath.join(available, name + suffix), posixpath.join(enabled_dir, name + suffix))
    return Layout(kind, posixpath.join(enabled_dir, name + suffix), None)


_PLACES = {"sites": ("sites-enabled",), "conf_d": ("conf.d", "http.d"), "main": ("modules-enabled", "main.d")}


def possible_paths(includes: Sequence[str], conf_dir: str, name: str) -> list[str]:
    """Every path that a site may have had, whatever its layout and whether it was enabled."""
    folders = [pattern.rpartition("/")[0] for pattern in includes]
    folders += [posixpath.join(conf_dir, folder) for kind in ("sites", "conf_d") for folder in _PLACES[kind]]
    found: list[str] = []
    for folder in folders:
        if posixpath.basename(folder) in _PLACES["sites"]:
            for suffix in ("", ".conf"):
                layout = site_paths("sites", name, suffix, folder)
                found += [layout.loaded, layout.file]
        elif posixpath.basename(folder) in _PLACES["conf_d"]:
            layout = site_paths("conf_d", name, ".conf", folder)
            found += [layout.file, layout.disabled.file]
    return list(dict.fromkeys(found))


def detect_layout(includes: Sequence[str], name: str, wanted: str = "auto") -> Layout:
    """Find where a site belongs from the include patterns of its context.

    :param includes: Absolute patterns.
    :param wanted: ``auto``, ``sites``, ``conf_d`` or ``main`` (for directives outside of ``http``; the patterns are
        then those of the main context). ``sites-enabled`` goes first for ``auto``.
    :raises SiteError: If no pattern takes in a file of such a name.
    """
    for kind, directories in _PLACES.items():
        if wanted != kind and (wanted != "auto" or kind == "main"):
            continue
        for directory in directories:
            for suffix in ("", ".conf") if kind == "sites" else (".conf",):
                for pattern in includes:
                    folder, _slash, last = pattern.rpartition("/")
                    if posixpath.basename(folder) == directory and fnmatchcase(name + suffix, last):
                        return site_paths(kind, name, suffix, folder)
    asked = "sites-enabled or conf.d" if wanted == "auto" else _PLACES[wanted][0]
    block = "the main file" if wanted == "main" else "the http block"
    raise SiteError(
        f"{block} includes no directory {asked} that would load the site {name} "
        f"(it includes {', '.join(includes) or 'nothing'}); add such an include to the main file or set another layout"
    )


def takes_in(pattern: str, path: str) -> bool:
    """Whether an include of this absolute pattern loads a path, if it is there."""
    if pattern == path:
        return True
    if not nginx_config.is_glob(pattern) or posixpath.basename(path).startswith("."):
        return False
    return pattern.count("/") == path.count("/") and fnmatchcase(path, pattern)


def overlay(
    loaded: str,
    text: str | None,
    read: Callable[[str], str],
    expand: Callable[[str], Sequence[str]],
    without: Collection[str] = (),
) -> tuple[Callable[[str], str], Callable[[str], Sequence[str]]]:
    """``read`` and ``expand`` of the tree as it would be with this text at ``loaded`` (``None``: without it).

    :param without: Paths that would be gone too.
    """

    def read_over(path: str) -> str:
        if path in without:
            raise FileNotFoundError(path)
        if path != loaded:
            return read(path)
        if text is None:
            raise FileNotFoundError(path)
        return text

    def expand_over(pattern: str) -> Sequence[str]:
        paths = set(expand(pattern)) - set(without)
        if takes_in(pattern, loaded):
            paths = paths | {loaded} if text is not None else paths - {loaded}
        return sorted(paths, key=lambda path: path.encode("utf-8", "surrogateescape"))

    return read_over, expand_over


@dataclass(frozen=True)
class Shadow:
    """A copy of the part of the tree that leads to the site.

    ``files`` maps names inside the shadow directory to texts; ``main`` is the
    name of the main file; ``originals`` tells which real path each stands for.
    """

    main: str
    files: Mapping[str, str]
    originals: Mapping[str, str]


def shadow_tree(
    main: str,
    shadow_dir: str,
    loaded: str,
    candidate: str | None,
    read: Callable[[str], str],
    expand: Callable[[str], Sequence[str]],
    without: Collection[str] = (),
) -> Shadow:
    """Make the tree as it would be with the candidate in place of ``loaded``, without touching it.

    Only files whose includes reach the site are copied, with those includes
    written out; everything else is loaded from where it is. ``candidate``
    ``None`` is the tree without the site; the paths in ``without`` are left
    out in any case.

    :raises nginx_config.ConfigError: If a file on the way cannot be parsed.
    :raises SiteError: If no include leads to the site.
    """
    conf_dir = posixpath.dirname(main)
    files: dict[str, str] = {}
    originals: dict[str, str] = {}
    main_name = posixpath.basename(main)
    candidate_name = ".candidate." + posixpath.basename(loaded)
    candidate_path = posixpath.join(shadow_dir, candidate_name)

    def rewrite(path: str, seen: tuple[str, ...]) -> str | None:
        """The new text of a file if the site is reached through it."""
        if path in seen:
            return None
        try:
            text = read(path)
        except OSError:
            return None
        if path == main:
            directives = nginx_config.parse(text, path)
        else:
            try:
                directives = nginx_config.parse(text, path)
            except nginx_config.ConfigError:
                return None
        out: list[str] = []
        position = 0
        reached = False
        for each in nginx_config.walk(directives):
            if each.name != "include" or each.block is not None or not each.args:
                continue
            pattern = nginx_config.include_pattern(each, conf_dir)
            paths = list(expand(pattern)) if nginx_config.is_glob(pattern) else [pattern]
            replaced = False
            lines: list[str] = []
            if takes_in(pattern, loaded):
                paths = sorted({*paths, loaded}, key=lambda name: name.encode("utf-8", "surrogateescape"))
            for included in paths:
                if included == loaded and takes_in(pattern, loaded):
                    replaced = True
                    if candidate is not None:
                        lines.append(candidate_path)
                    continue
                if included in without:
                    replaced = True
                    continue
                inner = rewrite(included, (*seen, path))
                if inner is None:
                    lines.append(included)
                else:
                    replaced = True
                    name = f".include.{len(files)}.{posixpath.basename(included)}"
                    files[name] = inner
                    originals[name] = included
                    lines.append(posixpath.join(shadow_dir, name))
            reached = reached or replaced
            # From the copy, `..` would lead elsewhere.
            if replaced or ".." in each.args[0].split("/"):
                lines = lines if replaced else [pattern]
                out.append(text[position : each.start])
                # All on one line, so that nginx's line numbers stay those of the real file.
                out.append(" ".join(f"include {_quote(line)};" for line in lines))
                position = each.end
        if not reached:
            return None
        out.append(text[position:])
        return "".join(out)

    changed = rewrite(main, ())
    if changed is None:
        raise SiteError(f"nothing in {main} includes {loaded}")
    files[main_name] = changed
    originals[main_name] = main
    if candidate is not None:
        files[candidate_name] = candidate
        originals[candidate_name] = loaded
    return Shadow(main_name, files, originals)


def _quote(path: str) -> str:
    # Glob characters cannot be escaped in an include; such names are left to nginx to complain about.
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'


def real_names(message: str, shadow_dir: str, shadow: Shadow) -> str:
    """nginx's message with the real paths in place of those of the shadow."""
    for name, original in sorted(shadow.originals.items(), key=lambda item: -len(item[0])):
        message = message.replace(posixpath.join(shadow_dir, name), original)
    return message.replace(shadow_dir, posixpath.dirname(shadow.originals[shadow.main]))


_PLACE = re.compile(r" in (/.+):(\d+)\s*$")


def complaints(output: str, levels: Sequence[str] = ("emerg", "alert", "crit", "error")) -> list[str]:
    """nginx's own messages of these levels, without time and process id."""
    found: list[str] = []
    for line in output.splitlines():
        match = re.search(r"\[(\w+)\] (?:\d+#\d+: )?(.*)", line)
        if match and match.group(1) in levels:
            found.append(match.group(2).strip())
        elif match is None and line.startswith("nginx: ") and " test " not in line and "syntax is ok" not in line:
            found.append(line[len("nginx: ") :].strip())
    return found


def complaint_place(message: str) -> tuple[str, int] | None:
    """File and line that a message of nginx names."""
    match = _PLACE.search(message)
    return (match.group(1), int(match.group(2))) if match else None


@dataclass(frozen=True)
class Listen:
    """One ``listen`` of a server: address (``*`` for any), port, whether it is the default server."""

    address: str
    port: int
    default: bool
    tls: bool


def parse_listen(args: Sequence[str]) -> Listen | None:
    """Read the arguments of ``listen``; ``None`` for a unix socket."""
    if not args or args[0].startswith("unix:"):
        return None
    value, options = args[0], set(args[1:])
    default, tls = bool(options & {"default_server", "default"}), bool(options & {"ssl", "quic"})
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.%\w]*\]|[^:\[\]]+)(?::(\d+))?", value)
    if match is None:
        return None
    address, port = match.group(1), match.group(2)
    if port is None and address.isdigit():
        return Listen("*", int(address), default, tls)
    if address in ("0.0.0.0", "*"):  # noqa: S104 - compared, not bound
        address = "*"
    return Listen(address.lower(), int(port or 80), default, tls)


def bare_address(address: str) -> str:
    """The address as the kernel's table has it: no brackets, ``*`` for any of either family."""
    bare = address.strip("[]")
    return "*" if bare in ("", "::", "*") else bare


def listens_of(text: str, path: str) -> list[Listen]:
    """All ``listen`` of a site's servers, in order, each once; a server without one is at port 80.

    :raises nginx_config.ConfigError: If the text is no configuration.
    """
    found: list[Listen] = []
    for block in nginx_config.walk(nginx_config.parse(text, path)):
        if block.name != "server" or block.block is None:
            continue
        own = block.children("listen")
        for listen in [parse_listen(each.args) for each in own] if own else [Listen("*", 80, False, False)]:
            if listen is not None and listen not in found:
                found.append(listen)
    return found


def upstream_ports(directives: Sequence[nginx_config.Directive]) -> set[int]:
    """Ports that ``proxy_pass`` and ``upstream`` lead to, as far as they stand there as numbers."""
    ports: set[int] = set()
    for each in nginx_config.walk(directives):
        if each.name == "proxy_pass" and each.args:
            match = re.match(r"(https?)://[^/$]*?(?::(\d+))?(?:/|\Z)", each.args[0])
            if match:
                ports.add(int(match.group(2) or (443 if match.group(1) == "https" else 80)))
        elif each.name == "upstream":
            for server in each.children("server"):
                port = re.search(r":(\d+)\Z", server.args[0]) if server.args else None
                ports.add(int(port.group(1)) if port else 80)
    return ports


def files_named(directives: Sequence[nginx_config.Directive], directive: str) -> list[str]:
    """Arguments of a directive such as ``ssl_certificate`` that are plain paths, each once."""
    found = []
    for each in nginx_config.walk(directives):
        if each.name == directive and each.args and "$" not in each.args[0] and ":" not in each.args[0]:
            found.append(each.args[0])
    return list(dict.fromkeys(found))


@dataclass(frozen=True)
class Server:
    """What decides whether a server block answers a request."""

    listens: tuple[Listen, ...]
    names: tuple[str, ...]
    where: str
    file: str


def names_of(server: nginx_config.Directive) -> tuple[str, ...]:
    """The names of a server, ``""`` if it has none; ``.example.com`` is two, ``example.com`` and ``*.example.com``."""
    found: list[str] = []
    for each in server.children("server_name"):
        for name in each.args:
            if name.startswith("."):
                found += [name[1:].lower(), f"*{name.lower()}"]
            else:
                found.append(name if name.startswith("~") else name.lower())
    return tuple(found) or ("",)


def servers_of(tree: nginx_config.Tree) -> list[Server]:
    """The servers of a tree in load order; without ``listen`` a server is at ``*:80``, without a name it is ``""``."""
    found = []
    for block in tree.servers():
        listens = tuple(parsed for each in block.children("listen") if (parsed := parse_listen(each.args)) is not None)
        found.append(
            Server(
                listens or (() if block.children("listen") else (Listen("*", 80, False, False),)),
                names_of(block),
                block.where,
                block.file,
            )
        )
    return found


@dataclass(frozen=True)
class Conflict:
    """A host name that two files claim on one address; nginx ignores all claims but the first."""

    name: str
    port: int
    ours: str
    theirs: str
    ours_wins: bool


def name_conflicts(servers: Sequence[Server], our_file: str) -> list[Conflict]:
    """Host names of ours that another file claims too."""
    found: list[Conflict] = []
    for index, mine in enumerate(servers):
        if mine.file != our_file:
            continue
        for other_index, other in enumerate(servers):
            if other.file == our_file:
                continue
            for name in mine.names:
                if name == "" or name not in other.names:
                    continue
                ports = {(each.address, each.port) for each in mine.listens} & {
                    (each.address, each.port) for each in other.listens
                }
                for _address, port in sorted(ports)[:1]:
                    found.append(Conflict(name, port, mine.where, other.where, index < other_index))
    return found


def hidden_addresses(servers: Sequence[Server], our_file: str) -> list[tuple[str, str]]:
    """Addresses at which a server of another file takes every connection away from ours.

    nginx chooses among the servers that listen on the very address of a
    connection; one at any address is asked only where no other has it.
    Each entry is the address with its port, and the place of the other server.
    """
    found: list[tuple[str, str]] = []
    ours = {(each.address, each.port) for server in servers if server.file == our_file for each in server.listens}
    for server in servers:
        if server.file == our_file:
            continue
        for each in server.listens:
            family = "[::]" if each.address.startswith("[") else "*"
            if each.address == family or (each.address, each.port) in ours or (family, each.port) not in ours:
                continue
            found.append((f"{each.address}:{each.port}", server.where))
    return found


def _number(text: str, otherwise: int) -> int:
    """A number of the configuration; nginx itself tells what is wrong with one that is none."""
    return int(text) if re.fullmatch("[1-9][0-9]*", text, re.ASCII) else otherwise


def too_small(tree: nginx_config.Tree, processors: int, files_limit: int | None, clients: int) -> str | None:
    """Why this nginx cannot carry a number of clients at once, or ``None``.

    A client that is proxied takes two connections, its own and that to the
    application, and each takes an open file.
    """
    connections = 512
    for events in (each for each in tree.directives if each.name == "events"):
        for each in events.children("worker_connections"):
            connections = _number(each.args[0], connections) if each.args else connections
    asked = tree.main_value("worker_processes") or "1"
    workers = processors if asked == "auto" else _number(asked, 1)
    needed = -(-2 * clients // workers)
    if connections < needed:
        return (
            f"{workers} worker processes with worker_connections {connections} carry {workers * connections // 2} "
            f"clients of the {clients} wanted (2 connections each); set worker_connections to {needed} or more"
        )
    limit = tree.main_value("worker_rlimit_nofile")
    files = int(limit) if limit and limit.isdigit() else files_limit
    if files is not None and files < needed:
        return (
            f"a worker may open {files} files and needs {needed} for its share of {clients} clients; "
            f"set worker_rlimit_nofile to {needed} or more"
        )
    return None


@dataclass(frozen=True)
class Observed:
    """What is there. Texts are ``None`` where there is no such file; ``link_target`` where there is no link."""

    file_text: str | None
    link_target: str | None
    link_is_file: bool
    running: bool
    newest_change: float | None
    oldest_worker: float | None
    mode_ok: bool = True
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What to do, each with its reason."""

    write: bool
    link: str
    reload: bool
    reasons: tuple[str, ...]

    @property
    def changes(self) -> bool:
        return self.write or bool(self.link) or self.reload


def plan(
    observed: Observed,
    layout: Layout,
    text: str | None,
    enabled: bool,
    tolerance_s: float,
) -> Plan:
    """Compare what is with what should be.

    :param text: The wanted text of the file with its marker, ``None`` for a site that should be gone.

    ``link`` of the result is ``make``, ``remove`` or empty.
    """
    reasons: list[str] = []
    write = False
    link = ""
    if text is None:
        if observed.file_text is not None:
            write = True
            reasons.append(f"{layout.file} is there and should not be")
    elif observed.file_text is None:
        write = True
        reasons.append(f"{layout.file} is missing")
    elif observed.file_text != text:
        write = True
        reasons.append(f"{layout.file} differs from what is wanted")
    elif not observed.mode_ok:
        write = True
        reasons.append(f"{layout.file} has other permissions than wanted")
    for path in observed.elsewhere:
        write = True
        reasons.append(f"{path} is there and should not be")
    if layout.link is not None:
        wanted_link = text is not None and enabled
        if wanted_link and observed.link_target != layout.file:
            link = "make"
            reasons.append(f"{layout.link} is not a link to {layout.file}")
        elif not wanted_link and (observed.link_target is not None or observed.link_is_file):
            link = "remove"
            reasons.append(f"{layout.link} is there and should not be")
    reload = False
    if observed.running:
        if write or link:
            reload = True
        elif (
            observed.newest_change is not None
            and observed.oldest_worker is not None
            and observed.newest_change > observed.oldest_worker + tolerance_s
        ):
            reload = True
            reasons.append("nginx runs with workers older than the files on disk")
    return Plan(write, link, reload, tuple(reasons))
