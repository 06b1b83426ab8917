# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Response headers that the locations of a managed block repeat (pure).

nginx inherits ``add_header`` of the server level only into a location that adds no header of its own. The locations of
the block add one, and so do those of Nginx Proxy Manager, which repeat its HSTS header and no other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._nginx.config import ConfigError, Directive, parse
from .certificate_field import has_certificate
from .locations import custom_location, drops_default_location, location_of
from .version import Version, flag, has_hsts_variable

HSTS = "Strict-Transport-Security"


def hsts_directive(host: Mapping[str, Any], version: Version) -> str | None:
    """The directive by which Nginx Proxy Manager sends HSTS for a host, ``None`` if it does not.

    :param host: The host as it will be.
    """
    forced = has_certificate(host) and flag(host.get("ssl_forced"))
    if not forced or not flag(host.get("hsts_enabled")):
        return None
    subdomains = "includeSubDomains;" if flag(host.get("hsts_subdomains")) else ""
    value = "$hsts_header" if has_hsts_variable(version) else f'"max-age=63072000;{subdomains} preload"'
    return f"add_header {HSTS} {value} always;"


def header_names(unmanaged: str) -> tuple[str, ...]:
    """The names of the headers that the Advanced text adds at server level."""
    return tuple(dict.fromkeys(each.args[0] for each in _added(_parse(unmanaged)) if each.args))


def repeated_headers(
    unmanaged: str, custom_locations: Sequence[Mapping[str, Any]], hsts: str | None
) -> Callable[[str], tuple[str, ...]]:
    """What a location of the block has to add so that its answers have the headers that they had before.

    :param unmanaged: The Advanced text without the block.
    :param hsts: Of :func:`hsts_directive`.
    """
    directives = _parse(unmanaged)
    # A line break in a header is no header, and the block is read by its lines.
    added = [each for each in _added(directives) if not any("\n" in argument for argument in each.args)]
    own = [(found, each.block or ()) for each in directives if (found := location_of(each))]
    custom = [each for entry in custom_locations if (each := custom_location(entry)) is not None]
    drops_default = drops_default_location(unmanaged) or any(path == "/" for (_, path), _ in custom)

    def headers(location: str) -> tuple[str, ...]:
        inherits = bool(added) and _inherits(location, own, custom, hsts is not None, drops_default)
        repeated = [_text(each) for each in added] if inherits else []
        return (*([hsts] if hsts else []), *repeated)

    return headers


def _inherits(
    path: str,
    own: Sequence[tuple[tuple[str, str], tuple[Directive, ...]]],
    custom: Sequence[tuple[tuple[str, str], tuple[Directive, ...]]],
    has_hsts: bool,
    drops_default: bool,
) -> bool:
    """Whether the location that serves a path without the block inherits the headers of the server level."""
    serving: tuple[int, bool] | None = None
    for locations, adds in ((own, False), (custom, has_hsts)):
        for (modifier, above), inner in locations:
            if modifier not in ("", "^~") or not path.startswith(above):
                continue
            # A file that is included may add headers as well.
            own_headers = adds or any(each.name in ("add_header", "include") for each in inner)
            if serving is None or len(above) > serving[0]:
                serving = (len(above), not own_headers)
    return drops_default if serving is None else serving[1]


def _parse(text: str) -> tuple[Directive, ...]:
    try:
        return parse(text, "advanced_config")
    except ConfigError:
        return ()


def _added(directives: Sequence[Directive]) -> list[Directive]:
    return [each for each in directives if each.name == "add_header"]


def _text(directive: Directive) -> str:
    """The directive on one line, with each argument but the name of the header in quotes."""
    quoted = ('"{}"'.format(argument.replace("\\", "\\\\").replace('"', '\\"')) for argument in directive.args[1:])
    return " ".join(["add_header", *directive.args[:1], *quoted]) + ";"
