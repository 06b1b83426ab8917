# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The access list of a proxy host, as its locations apply it (pure)."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .paths import BlockError
from .version import LATEST, Version, always_denies


@dataclass(frozen=True)
class AccessRules:
    """The rules of one access list of Nginx Proxy Manager.

    :param clients: Pairs of ``allow`` or ``deny`` and an address or network, in the order in which nginx compares them.
    :param denies_others: Whether addresses that no pair names are denied.
    """

    list_id: int
    has_users: bool
    clients: tuple[tuple[str, str], ...] = ()
    satisfy_any: bool = False
    pass_auth: bool = False
    denies_others: bool = True

    @property
    def directives(self) -> tuple[str, ...]:
        """The directives that apply the rules in a location."""
        lines = []
        if self.has_users:
            lines += ['auth_basic "Authorization required";', f"auth_basic_user_file /data/access/{self.list_id};"]
            if not self.pass_auth:
                lines.append('proxy_set_header Authorization "";')
        lines += [f"{directive} {address};" for directive, address in self.clients]
        if self.denies_others:
            lines.append("deny all;")
        return (*lines, f"satisfy {'any' if self.satisfy_any else 'all'};")


def parse_access_list(access_list: Mapping[str, Any], version: Version = LATEST) -> AccessRules:
    """Read an access list as the API returns it (expanded by items and clients).

    :param version: Of Nginx Proxy Manager, since versions render a list without addresses differently.
    :raises BlockError: If a rule cannot be written into a configuration safely.
    """
    clients = []
    for client in access_list.get("clients") or ():
        directive, address = str(client.get("directive", "")), str(client.get("address", "")).strip()
        if not address:
            continue
        if directive not in ("allow", "deny") or not _is_address(address):
            raise BlockError(
                f"access list {access_list.get('id')} has the rule {directive!r} {address!r}; "
                "expected allow or deny and an address or network"
            )
        clients.append((directive, address))
    return AccessRules(
        list_id=int(access_list["id"]),
        has_users=bool(access_list.get("items")),
        clients=tuple(clients),
        satisfy_any=access_list.get("satisfy_any") in (True, 1),
        pass_auth=access_list.get("pass_auth") in (True, 1),
        denies_others=bool(access_list.get("clients")) or always_denies(version),
    )


def _is_address(text: str) -> bool:
    if text == "all":
        return True
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
