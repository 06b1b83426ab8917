# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a judgement about one endpoint is made of, and what it may know about the others (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .causes import Cause
    from .http_answer import Page
    from .observation import Observation

_PLACES = {"direct": "the backend", "proxy": "the proxy", "public": "the public address"}


@dataclass(frozen=True)
class Judgement:
    """One cause in one sentence; without a remedy, that of the catalogue applies."""

    cause: Cause
    explanation: str
    remedy: str | None = None


@dataclass(frozen=True)
class Reference:
    """What the other endpoints of the same transport prove.

    :param direct_passed: None if no direct endpoint was checked.
    :param proxied_passed: Whether an endpoint through the proxy passed, at whatever vantage point.
    :param proxy_passed: Whether the proxy passed at its own address.
    :param direct_plain: The direct endpoint's answer to the same request without an upgrade.
    :param same_credentials: Whether a direct endpoint that passed was sent the same headers, query and origin.
    :param direct_burst: The largest number of events that arrived together on the direct stream.
    """

    direct_passed: bool | None = None
    proxied_passed: bool = False
    proxy_passed: bool = False
    direct_plain: Page | None = None
    direct_silence_s: float | None = None
    direct_status: int | None = None
    same_credentials: bool = False
    direct_burst: int | None = None
    expected_idle_timeout_s: float | None = None


#: What judges one kind of fault.
Judge = Callable[["Observation", Reference], Judgement]


def as_sentence(explanation: str, remedy: str) -> str:
    """Explanation and remedy as one sentence, without the full stop at its end."""
    return f"{explanation}; {remedy[:1].lower() + remedy[1:]}".rstrip(".")


def place(seen: Observation) -> str:
    """What answers at the endpoint, by its vantage point."""
    return _PLACES[seen.target.vantage]


def place_and_url(seen: Observation) -> str:
    return f"{place(seen)} ({seen.target.url})"
