# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One answer of the proxy, and what it shows of the managed block (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from .advanced_text import LoadedState


@dataclass(frozen=True)
class ProxyAnswer:
    """One answer; ``error`` is set if there was none.

    :param revision: Revision of the managed block that the running nginx has loaded for the path.
    :param denied: Whether the proxy itself refused the request, by its access rules.
    :param headers: Names of its headers, in lower case.
    """

    status: int | None = None
    upgraded: bool = False
    revision: str | None = None
    body_digest: str = ""
    error: str = ""
    denied: bool = False
    headers: frozenset[str] = frozenset()

    def as_result(self) -> dict[str, object]:
        """The answer for the result of a module."""
        return {
            "status": self.status,
            "upgraded": self.upgraded,
            "block": self.revision,
            "error": self.error or None,
        }

    def __str__(self) -> str:
        return self.error or f"{self.status}"


def is_denial(status: int, challenge: str, page: str) -> bool:
    """Whether an answer is one of the access rules of the proxy, and not one of the application.

    :param challenge: The header ``WWW-Authenticate``. Nginx Proxy Manager uses one realm for all its access lists.
    :param page: The body; nginx and OpenResty sign the pages that they make themselves.
    """
    if status == 401 and 'realm="Authorization required"' in challenge:
        return True
    return status in (401, 403) and re.search(r"<center>(?:nginx|openresty)", page) is not None


def shows(seen: Mapping[str, ProxyAnswer], state: LoadedState) -> bool:
    """Whether every path has an answer, and from this block."""
    return all(each.revision == state.revision and each.status is not None for each in seen.values())
