# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the processes and the deployment are verified."""

from __future__ import annotations

from typing import Any

from .._host.url import UrlError, parse_url
from .._websocket.settings import MAX_CONNECTIONS
from .variables import DeploymentInputs

#: Seconds of silence after which a proxy closes a connection by default; only a longer hold detects that.
IDLE_TIMEOUT_S = {"nginx": 60, "nginx_proxy_manager": 90, "manual": 90}
_LONGEST_HOLD_S = 86400


def check_health_urls(inputs: DeploymentInputs) -> None:
    """The URLs that a healthy process answers."""
    for variable, example in (
        ("staging_backend_health_url", "http://127.0.0.1:{port}/health"),
        ("staging_frontend_health_url", "http://127.0.0.1:14100/"),
    ):
        text = inputs.line(variable)
        if text is None:
            continue
        expected, remedy = "an http:// or https:// URL on the host", f"write it as {example}"
        try:
            # The role backend replaces {port}.
            url = parse_url(text.replace("{port}", "1") if "backend" in variable else text, lenient=True)
        except UrlError as error:
            inputs.add("url", variable, expected, remedy, found=str(error))
            continue
        if url.scheme not in ("http", "https"):
            inputs.add("url", variable, expected, remedy)


def check_hold(inputs: DeploymentInputs) -> None:
    value = inputs.get("staging_hold")
    if value is None:
        return
    seconds, idle = _seconds(value), IDLE_TIMEOUT_S[inputs.provider]
    if seconds is None or not 0 <= seconds <= _LONGEST_HOLD_S:
        inputs.add(
            "hold", "staging_hold", f"a number of seconds from 0 to {_LONGEST_HOLD_S}", "remove it for the default"
        )
    elif seconds <= idle:
        inputs.add(
            "hold-short",
            "staging_hold",
            f"more than {idle} seconds",
            f"write {idle + 5}, or accept that the verification proves less",
            found=f"the proxy closes idle connections after {idle} s by default, which a shorter hold does not detect",
        )


def check_connections(inputs: DeploymentInputs) -> None:
    value = inputs.get("staging_verify_connections")
    # What is not a number is told by its kind.
    if isinstance(value, bool) or not str(value).isdigit() or 1 <= int(str(value)) <= MAX_CONNECTIONS:
        return
    expected = f"a number from 1 to {MAX_CONNECTIONS}"
    inputs.add("connections", "staging_verify_connections", expected, "remove it for the default")


def _seconds(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(str(value))
    except ValueError:
        return None
