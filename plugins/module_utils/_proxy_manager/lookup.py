# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects of Nginx Proxy Manager that a user names: certificates and access lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .access import AccessRules, parse_access_list
from .api_errors import ForbiddenError
from .client import ProxyManagerClient
from .plan import PlanError


def certificate_id(client: ProxyManagerClient, value: str) -> int:
    """The id of a certificate by its id, its name or a domain name that it is for; 0 for ``none``.

    A certificate for ``*.example.com`` is for ``api.example.com`` too, if there is none for exactly this name.

    :raises PlanError: If none or more than one has it.
    """
    known = client.certificates() if not _is_none(value) else []
    above = f"*.{value.partition('.')[2]}"
    exact = any(value in _as_list(each.get(key)) for each in known for key in ("nice_name", "domain_names"))
    if not exact and not value.isdigit() and any(above in _as_list(each.get("domain_names")) for each in known):
        value = above
    return _find_id("certificate", value, lambda: known, ("nice_name", "domain_names"))


def access_list_id(client: ProxyManagerClient, value: str) -> int:
    """The id of an access list by its id or its name; 0 for ``none``.

    :raises PlanError: If none or more than one has it.
    """
    return _find_id("access_list", value, client.access_lists, ("name",))


def _find_id(option: str, value: str, objects: Callable[[], Sequence[Mapping[str, Any]]], keys: tuple[str, ...]) -> int:
    if _is_none(value):
        return 0
    known = objects()
    if value.isdigit():
        found = [each for each in known if int(each["id"]) == int(value)]
    else:
        found = []
        for key in keys:
            found = found or [each for each in known if value in _as_list(each.get(key))]
    if len(found) == 1:
        return int(found[0]["id"])
    if found:
        ids = ", ".join(str(each["id"]) for each in found)
        raise PlanError(f"O({option}) is {value!r}, which fits the ids {ids}; give one of them")
    names = ", ".join(sorted(str(each.get(keys[0])) for each in known)) or "none"
    raise PlanError(f"O({option}) is {value!r}, which this account does not see; it sees: {names}")


def _is_none(value: str) -> bool:
    return value.lower() in ("none", "0")


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def access_rules(client: ProxyManagerClient, name: str, list_id: int) -> AccessRules:
    """The rules of an access list that is in force for a host.

    :raises PlanError: If the account cannot read them.
    """
    try:
        lists = client.access_lists()
    except ForbiddenError as exc:
        raise PlanError(
            f"proxy host {name}: access list {list_id} is in force, but its rules cannot be read ({exc})"
        ) from None
    for each in lists:
        if int(each.get("id", 0)) == list_id:
            return parse_access_list(each, client.version)
    raise PlanError(
        f"proxy host {name}: access list {list_id} is in force, but this account does not see it; "
        "without its rules the WebSocket paths would be open to everybody: let the account see all access lists"
    )
