# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of ``websocket_check``: its options, validated together before the first connection."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .diagnosis import EarlierResult, parse_earlier
from .settings import Settings, SettingsError, parse_settings
from .target import Target, TargetError, parse_target
from .tls import tls_context


@dataclass(frozen=True)
class Call:
    """What to check and how.

    :param contexts: The TLS context of each endpoint by its name.
    """

    settings: Settings
    targets: tuple[Target, ...]
    contexts: Mapping[str, ssl.SSLContext | None]
    earlier: tuple[EarlierResult, ...] = ()

    def settings_of(self, target: Target) -> Settings:
        """The settings of one endpoint."""
        if target.message_timeout_s is None:
            return self.settings
        return replace(self.settings, message_timeout_s=target.message_timeout_s)


def parse_call(params: Mapping[str, Any]) -> Call:
    """Read the module's parameters and the certificate files that they name.

    :raises ValueError: One sentence on the first option that cannot be used.
    """
    settings = parse_settings(params)
    protocol = settings.protocol
    targets = tuple(
        parse_target(protocol.endpoint(raw), f"endpoints[{index}]") for index, raw in enumerate(params["endpoints"])
    )
    if not targets:
        raise TargetError("endpoints is empty; name at least one")
    names = [target.name for target in targets]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise TargetError(f"endpoints has the name {repeated[0]!r} more than once; the results are listed by name")
    if settings.connections > 1 and (len(targets) != 1 or targets[0].transport != "websocket"):
        raise SettingsError(
            f"connections is {settings.connections}, which needs exactly one endpoint, with transport websocket"
        )
    contexts = {target.name: tls_context(target) for target in targets}
    return Call(settings, targets, contexts, parse_earlier(params["earlier_results"]))
