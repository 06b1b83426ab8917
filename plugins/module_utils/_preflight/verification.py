# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the deployment is verified."""

from __future__ import annotations

from typing import Any

from .variables import DeploymentInputs

#: Seconds of silence after which a proxy closes a connection by default; only a longer hold detects that.
IDLE_TIMEOUT_S = {"nginx": 60, "nginx_proxy_manager": 90, "manual": 90}
_LONGEST_HOLD_S = 86400


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


def _seconds(value: Any) -> float | None:
    try:
        return None if isinstance(value, bool) else float(str(value))
    except ValueError:
        return None
