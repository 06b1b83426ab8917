# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rules of ``allow`` and ``deny`` (``ngx_http_access_module.c``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from ..config import Directive


@dataclass(frozen=True)
class Access:
    """What the rules say of a client.

    :param allowed: ``None`` if that depends on the client's address, which is not known.
    :param rule: The rule that decides; ``None`` if no rule does, which allows.
    """

    allowed: bool | None
    rule: Directive | None = None


def access(rules: Sequence[Directive], client_address: str | None) -> Access:
    """Apply the rules in their order; the first that covers the address decides.

    :param rules: Directives ``allow`` and ``deny``.
    """
    depends: list[Directive] = []
    for rule in rules:
        covered = _covers(rule.args[0] if rule.args else "", client_address)
        if covered is None:
            depends.append(rule)
        elif covered:
            return _decided(rule.name == "allow", rule, depends)
    return _decided(True, None, depends)


def _decided(allowed: bool, rule: Directive | None, depends: Sequence[Directive]) -> Access:
    """The rule that decides for all clients that no rule before it covers."""
    other = [each for each in depends if (each.name == "allow") != allowed]
    if not other:
        return Access(allowed, rule)
    return Access(None, rule if rule is not None and not allowed else other[0])


def _covers(text: str, client_address: str | None) -> bool | None:
    if text == "all":
        return True
    if text == "unix:":
        return False
    if client_address is None:
        return None
    try:
        address = ipaddress.ip_address(client_address)
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return (mapped or address) in ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
