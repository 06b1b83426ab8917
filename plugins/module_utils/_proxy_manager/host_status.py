# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the API says of a proxy host, alike for all versions (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .plan import SWITCHES
from .version import flag

_SHOWN = (
    "id",
    "domain_names",
    "forward_scheme",
    "forward_host",
    "forward_port",
    "certificate_id",
    "access_list_id",
    *SWITCHES,
    "enabled",
)


def online(host: Mapping[str, Any]) -> bool | None:
    """Whether Nginx Proxy Manager considers the host to be online; ``None`` if it does not say."""
    value = (host.get("meta") or {}).get("nginx_online")
    return None if value is None else flag(value)


def nginx_error(host: Mapping[str, Any]) -> str:
    """The line of nginx on why it refused the host; empty if it did not."""
    text = str((host.get("meta") or {}).get("nginx_err") or "")
    for line in text.splitlines():
        match = re.search(r"\[(?:emerg|alert|crit|error)\] *(?:\d+#\d+: *)?(.+)", line)
        if match:
            return match.group(1).strip()
    return " ".join(text.split())[:300]


def remedy(error: str) -> str:
    """What to do about an error of nginx."""
    match = re.search(r'"([^"]+)" directive is duplicate', error)
    if match:
        return f'remove "{match.group(1)}" from the Advanced tab, or switch Websockets Support off'
    if "duplicate location" in error:
        return "remove the other location of this path from the Advanced tab or from Custom locations"
    if "host not found in upstream" in error:
        return "check the forward host"
    if "unknown directive" in error or "unexpected" in error:
        return "correct the text in the Advanced tab"
    return "correct the host's configuration"


def is_own_fault(host: Mapping[str, Any]) -> bool:
    """Whether the error of nginx names this host's own file or one that it includes, and not that of another host."""
    text = str((host.get("meta") or {}).get("nginx_err") or "")
    return f"/proxy_host/{host['id']}.conf" in text or not re.search(r"/nginx/\w+/\d+\.conf", text)


def shown(host: Mapping[str, Any]) -> dict[str, Any]:
    """A host for the result of a module, without its Advanced text."""
    out = {key: flag(host.get(key)) if key in (*SWITCHES, "enabled") else host.get(key) for key in _SHOWN}
    return {**out, "online": online(host), "nginx_error": nginx_error(host) or None}
