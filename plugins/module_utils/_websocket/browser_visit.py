# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it means for a verification that a browser opened a page (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .judgement import as_sentence

#: Fields of the WebSocket that a browser opened, with what they are called.
_TIMES = (("opened_s", "after"), ("held_s", "held"))

#: Causes of ``browser_check`` that are in the page or in its server.
_OF_THE_PAGE = frozenset(
    (
        "asset_failed",
        "closed_after",
        "console_error",
        "console_text_missing",
        "csp_blocked",
        "handshake_refused",
        "handshake_stalled",
        "mixed_content",
        "no_frames",
        "no_websocket_opened",
        "origin_rejected",
        "page_failed",
        "page_redirected",
        "service_worker_stale",
        "stale_bundle",
    )
)


@dataclass(frozen=True)
class BrowserVisit:
    """One page that a browser opened.

    :param result: That of ``browser_check``.
    :param chosen: Whether the page was named as one that opens the WebSocket. The first page may open none.
    """

    url: str
    result: Mapping[str, Any]
    chosen: bool
    required: bool = False

    @property
    def fault(self) -> str:
        """Why the verification fails; empty if it does not."""
        if self.result.get("passed") or self.result.get("skipped") or not (self._available or self.required):
            return ""
        if not self.chosen and self.result.get("cause") == "no_websocket_opened":
            return ""
        return f"{self.url} in a browser: {self._explanation}"

    @property
    def accuses_host(self) -> bool:
        """Whether the host can be the cause of the fault: not where the controller did not reach the page."""
        return bool(self.fault) and self.result.get("cause") in _OF_THE_PAGE

    @property
    def line(self) -> str:
        """The line for people; empty if no browser was asked for."""
        if self.result.get("skipped"):
            return ""
        if self.result.get("passed"):
            socket = self.result.get("websocket") or {}
            times = [f"{word} {socket[name]:.1f} s" for name, word in _TIMES if socket.get(name) is not None]
            return f"Browser: passed ({', '.join((f'{self.url} opens the WebSocket', *times))})"
        if not self._available:
            return f"Browser: not used: {self._explanation}"
        if not self.fault:
            return f"Browser: {self.url} opens no WebSocket; name a page that does in staging_browser_pages"
        return f"Browser: failed ({self.result.get('cause') or 'not checked'}): {self.url}: {self._explanation}"

    @property
    def _available(self) -> bool:
        return bool(self.result.get("available"))

    @property
    def _explanation(self) -> str:
        told = self.result.get("explanation") or self.result.get("msg") or "the check gave no result"
        remedy = str(self.result.get("remedy") or "")
        return as_sentence(str(told), remedy) if remedy else str(told).rstrip(".")
