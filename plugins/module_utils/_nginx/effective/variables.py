# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values of nginx's variables for one request, as far as the configuration determines them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..config import Directive, walk
from .patterns import python_regex

#: A group has one digit: `$10` is the first group and a zero.
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|([1-9]|\w+))")
#: nginx refuses maps that need each other; this only ends a search.
_MAX_DEPTH = 10
#: Headers of a handshake with values that only the client knows. It sends no others but those that are known.
_CLIENT_HEADERS = frozenset(
    f"http_{name}"
    for name in (
        *("accept", "accept_encoding", "accept_language", "cache_control", "cookie", "origin", "pragma", "user_agent"),
        *("sec_fetch_dest", "sec_fetch_mode", "sec_fetch_site", "sec_websocket_extensions", "sec_websocket_protocol"),
    )
)
#: Directives that give a variable a value that is not evaluated here, with the number of the argument that names it.
_DEFINED_ELSEWHERE = {
    **dict.fromkeys(("js_set", "js_var", "perl_set", "auth_request_set", "auth_jwt_claim_set", "set_by_lua_block"), 0),
    "split_clients": -1,
}
#: What a `geo` takes for an address that is none.
_NO_ADDRESS = "255.255.255.255"


@dataclass(frozen=True)
class Definitions:
    """Variables that a configuration defines.

    :param maps: By name, also each ``geo``.
    :param assigned: Names that a ``set`` anywhere defines.
    :param elsewhere: Names with values that are not evaluated here.
    """

    maps: Mapping[str, Directive]
    assigned: frozenset[str]
    elsewhere: frozenset[str]

    @classmethod
    def of(cls, http: Sequence[Directive]) -> Definitions:
        """Those of an http block."""
        maps: dict[str, Directive] = {}
        assigned, elsewhere = set(), set()
        for each in walk(http):
            if (each.name == "map" and len(each.args) == 2) or (each.name == "geo" and each.args):
                maps[each.args[-1].lstrip("$")] = each
            elif each.name == "set" and each.args:
                assigned.add(each.args[0].lstrip("$"))
            elif each.name in _DEFINED_ELSEWHERE and each.args:
                elsewhere.add(each.args[_DEFINED_ELSEWHERE[each.name]].lstrip("$"))
        return cls(maps, frozenset(assigned), frozenset(elsewhere))


def host_entry(entries: Mapping[str, Directive], host: str) -> Directive | None:
    """The entry of a map with ``hostnames``: the name, the longest ``*.name``, or the longest ``name.*``."""
    exact = entries.get(host) or entries.get(f".{host}")
    if exact is not None:
        return exact
    leading = [name for name in entries if name.startswith(("*.", ".")) and host.endswith(f".{name.lstrip('*.')}")]
    trailing = [name for name in entries if name.endswith(".*") and host.startswith(name[:-1])]
    found = max(leading or trailing, key=lambda name: len(name.strip("*.")), default=None)
    return None if found is None else entries[found]


def geo_value(each: Directive, address: str | None) -> str | None:
    """The value of a ``geo`` for an address: that of the smallest network; ``None`` if it is not known."""
    if address is None or any(entry.name == "delete" for entry in each.block or ()):
        return None
    try:
        client = ipaddress.ip_address(address)
    except ValueError:
        client = ipaddress.ip_address(_NO_ADDRESS)
    mapped = client.ipv4_mapped if isinstance(client, ipaddress.IPv6Address) else None
    client = mapped or client
    default, found = "", []
    for entry in each.block or ():
        if entry.name == "default" and entry.args:
            default = entry.args[0]
        elif entry.args and entry.name not in ("proxy", "include"):
            covered = _bits_covered(entry.name, client)
            if covered is not None:
                found.append((covered, entry.args[0]))
    if not found:
        return default
    smallest = [value for bits, value in found if bits == max(found)[0]]
    # Of one network the last value counts; ranges may overlap in any way.
    if any("-" in entry.name for entry in each.block or ()):
        return smallest[0] if len({value for _bits, value in found}) == 1 else None
    return smallest[-1]


def _bits_covered(text: str, client: ipaddress.IPv4Address | ipaddress.IPv6Address) -> int | None:
    """Length of the prefix of a network that has the address; ``None`` if it has not."""
    try:
        if "-" in text:
            first, last = (ipaddress.ip_address(part) for part in text.split("-", 1))
            same = first.version == last.version == client.version
            return 0 if same and int(first) <= int(client) <= int(last) else None
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network.prefixlen if client in network else None


class Variables:
    """Variables of one request; ``None`` is an unknown value.

    :param known: Variables of the request itself, by name.
    """

    def __init__(self, definitions: Definitions, known: Mapping[str, str | None]) -> None:
        self.known: dict[str, str | None] = dict(known)
        self._definitions = definitions
        self._captures: Sequence[str] = ()
        #: nginx evaluates a map once in a request.
        self._mapped_once: dict[str, str] = {}
        self._depth = 0
        self._set: set[str] = set()

    def of_subrequest(self) -> Variables:
        """Variables of a subrequest: what is a variable of the URI is its own, see :meth:`take_over`."""
        other = Variables(self._definitions, self.known)
        other._mapped_once = self._mapped_once
        return other

    def take_over(self, other: Variables) -> None:
        """Take the values that a subrequest has set: they are those of the request."""
        self.known.update({name: other.known[name] for name in other._set})

    def text(self, template: str) -> str | None:
        """A text with its variables replaced by their values."""
        out, position = "", 0
        for match in _VARIABLE.finditer(template):
            value = self.value(match.group(1) or match.group(2))
            if value is None:
                return None
            out += template[position : match.start()] + value
            position = match.end()
        return out + template[position:]

    def assign(self, name: str, value: str | None) -> None:
        """What the directive ``set`` does."""
        self.known[name.lstrip("$")] = value
        self._set.add(name.lstrip("$"))

    def matches(self, pattern: re.Pattern[str], text: str) -> bool:
        """Whether a regular expression matches; its groups are kept in ``$1`` and in named variables."""
        found = pattern.search(text)
        if found is None:
            return False
        self._captures = [group or "" for group in found.groups()]
        for name, group in found.groupdict().items():
            self.known[name] = group or ""
        return True

    def value(self, name: str) -> str | None:
        if name.isdigit():
            number = int(name)
            return self._captures[number - 1] if 0 < number <= len(self._captures) else ""
        if name in self.known:
            return self.known[name]
        definitions = self._definitions
        each = definitions.maps.get(name)
        if each is not None:
            return self._map(name, each)
        if name in definitions.elsewhere or name in _CLIENT_HEADERS:
            return None
        if name.startswith("arg_"):
            return self._argument(name[4:])
        # A variable that a `set` anywhere defines is empty where that `set` is not executed.
        return "" if name in definitions.assigned or name.startswith("http_") else None

    def _argument(self, name: str) -> str | None:
        """The first argument of this name, in any case; empty if there is none."""
        arguments = self.known.get("args")
        if arguments is None:
            return None
        pairs = (each.partition("=") for each in arguments.split("&"))
        return next((value for key, mark, value in pairs if mark and key.lower() == name.lower()), "")

    def _map(self, name: str, each: Directive) -> str | None:
        if name in self._mapped_once:
            return self._mapped_once[name]
        if self._depth > _MAX_DEPTH:
            return None
        self._depth += 1
        try:
            value = self._mapped(each)
        finally:
            self._depth -= 1
        if value is not None and not any(entry.name == "volatile" for entry in each.block or ()):
            self._mapped_once[name] = value
        return value

    def _mapped(self, each: Directive) -> str | None:
        if each.name == "geo":
            return geo_value(each, self.text(each.args[0]) if len(each.args) == 2 else self.value("remote_addr"))
        source = self.text(each.args[0])
        if source is None:
            return None
        default = ""
        hosts: dict[str, Directive] = {}
        by_host = any(entry.name == "hostnames" and not entry.args for entry in each.block or ())
        regexes: list[Directive] = []
        for entry in each.block or ():
            # A backslash makes a value of what would be special, such as `\\default`.
            key = entry.name[1:] if entry.name.startswith("\\") else entry.name
            if entry.name == "default" and entry.args:
                default = entry.args[0]
            elif entry.name in ("hostnames", "volatile") and not entry.args:
                continue
            elif entry.name.startswith("~"):
                regexes.append(entry)
            elif key.lower() == source.lower() and entry.args:
                return self.text(entry.args[0])
            elif by_host and entry.args:
                hosts.setdefault(key.lower(), entry)
        named = host_entry(hosts, source.lower().rstrip("."))
        if named is not None:
            return self.text(named.args[0])
        for entry in regexes:
            ignore_case = entry.name.startswith("~*")
            pattern = python_regex(entry.name[2 if ignore_case else 1 :], ignore_case)
            if pattern is None:
                return None
            if entry.args and self.matches(pattern, source):
                return self.text(entry.args[0])
        return self.text(default)
