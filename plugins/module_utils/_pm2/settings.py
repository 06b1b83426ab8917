# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a process beside its command, in the form in which pm2 reports them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from .error import Pm2Error

#: Settings that are compared, with what pm2 does where none is given.
SETTING_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "autorestart": True,
        "cron_restart": None,
        "exp_backoff_restart_delay": None,
        "kill_timeout": None,
        "listen_timeout": None,
        "max_memory_restart": None,
        "max_restarts": None,
        "min_uptime": None,
        "namespace": "default",
        "restart_delay": None,
        "shutdown_with_message": False,
        "stop_exit_codes": None,
        "treekill": True,
        "wait_ready": False,
        "watch": False,
    }
)
_SIZES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_DURATIONS = {"": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_DURATION_SETTINGS = frozenset({"min_uptime", "kill_timeout", "listen_timeout", "restart_delay"})
#: What pm2 waits for an application to listen, in milliseconds, where no listen_timeout is set.
_LISTEN_TIMEOUT_MS = 3000


def size_in_bytes(value: Any) -> int | None:
    """Read a limit as pm2 does: a number of bytes, or one with K, M or G.

    :raises Pm2Error: If it is neither.
    """
    if value is None or value == "":
        return None
    match = re.fullmatch(r"([0-9]+)\s*([KMG]?)B?", str(value).strip(), re.IGNORECASE)
    if not match:
        raise Pm2Error(f"max_memory_restart is {value!r}; expected a number with K, M or G, such as 512M")
    return int(match.group(1)) * _SIZES[match.group(2).upper()]


def duration_in_ms(value: Any) -> int | None:
    """Read a duration as pm2 does: a number of milliseconds, or one with s, m or h.

    :raises Pm2Error: If it is neither.
    """
    if value is None or value == "":
        return None
    match = re.fullmatch(r"([0-9]+)\s*([smh]?)", str(value).strip())
    if not match:
        raise Pm2Error(f"a duration is {value!r}; expected milliseconds, or a number with s, m or h")
    return int(match.group(1)) * _DURATIONS[match.group(2)]


def normalised_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are compared and differ from pm2's defaults.

    :param given: An entry of an ecosystem file, or what pm2 reports.
    :raises Pm2Error: If one of them cannot be read.
    """
    result: dict[str, Any] = {}
    for key, default in SETTING_DEFAULTS.items():
        value = given.get(key)
        if value is None or value == default:
            continue
        if key == "max_memory_restart":
            value = size_in_bytes(value)
        elif key in _DURATION_SETTINGS:
            value = duration_in_ms(value)
        elif key == "stop_exit_codes":
            # pm2 reports a list of one as the one.
            value = [str(item) for item in (value if isinstance(value, (list, tuple)) else [value])]
        result[key] = value
    return result


def listen_timeout_s(settings: Mapping[str, Any]) -> float:
    """Seconds that pm2 waits for an application to listen or to be ready."""
    return float(settings.get("listen_timeout") or _LISTEN_TIMEOUT_MS) / 1000
