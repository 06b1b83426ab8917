# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a save lets in whom the host let in before, judged from the answers of the proxy (pure).

The rules in the block are written from what a version was seen to render. What counts is what the running nginx makes
of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .answer import ProxyAnswer
from .headers import HSTS

WITHOUT_CREDENTIALS = "without credentials"
WITH_CREDENTIALS = "with the credentials of O(access_user)"
#: Headers that one and the same application sends or not; the last is one of Nginx Proxy Manager's own locations.
_CHANGING = frozenset(
    (
        *("age", "alt-svc", "cache-control", "connection", "content-length", "content-type", "date", "etag", "expires"),
        *("keep-alive", "last-modified", "server", "set-cookie", "transfer-encoding", "vary", "x-cache-status"),
        "x-served-by",
    )
)
GET = "GET"
HANDSHAKE = "the handshake on"
PAGE = "/"


@dataclass(frozen=True)
class AccessRequest:
    """One request that shows who is let in."""

    kind: str
    path: str
    client: str = WITHOUT_CREDENTIALS

    def __str__(self) -> str:
        return f"{self.kind} {self.path} {self.client}"


@dataclass(frozen=True)
class Expectation:
    """What the answers after a save are compared with.

    :param before: The answers before the save; ``None`` if the access rules of the path change with it.
    :param own_page: Whether ``/`` has the access rules and headers of the host.
    :param headers: Names of the headers that the server level adds.
    """

    before: Mapping[AccessRequest, ProxyAnswer] | None
    own_page: bool = True
    headers: Collection[str] = ()

    @property
    def proof(self) -> str:
        """What is proven if nothing differs; empty for nothing."""
        if self.before is not None:
            return "the same access as before"
        return "the same access as for /" if self.own_page else ""


def requests(paths: Collection[str], with_credentials: bool) -> tuple[AccessRequest, ...]:
    """The requests that show who is let in to the paths, and to the page."""
    clients = (WITHOUT_CREDENTIALS, WITH_CREDENTIALS) if with_credentials else (WITHOUT_CREDENTIALS,)
    return tuple(
        AccessRequest(kind, path, client)
        for client in clients
        for path, kinds in ((PAGE, (GET,)), *((path, (GET, HANDSHAKE)) for path in paths if path != PAGE))
        for kind in kinds
    )


def find_difference(expected: Expectation, after: Mapping[AccessRequest, ProxyAnswer]) -> str:
    """The first request whose answer is not the expected one, as a sentence; empty if all are."""
    for request, now in after.items():
        if request.path == PAGE:
            continue
        page = after.get(AccessRequest(GET, PAGE, request.client))
        was = expected.before.get(request) if expected.before is not None else None
        if was is not None and was.status is not None:
            if _differs(was, now):
                return f"answers {now} to {request}, and answered {was} before"
            lost = [name for name in expected.headers if name.lower() in was.headers - now.headers]
            if lost and was.status == now.status:
                return f"does not send the header {lost[0]} to {request} any more"
        elif expected.before is None and expected.own_page and page is not None and _denies_otherwise(page, now):
            return f"answers {now} to {request}, and {page} to {GET} {PAGE}"
        if expected.own_page and page is not None and HSTS.lower() in page.headers and HSTS.lower() not in now.headers:
            return f"sends the header {HSTS} to {GET} {PAGE} and not to {request}"
    return ""


def lost_headers(expected: Expectation, after: Mapping[AccessRequest, ProxyAnswer]) -> str:
    """A sentence on headers that the application may or may not need; empty for none.

    They come from an include, or from the location that served the path before.
    """
    for request, now in after.items():
        was = expected.before.get(request) if expected.before is not None else None
        if (
            was is None
            or request.kind != GET
            or request.path == PAGE
            or (was.status, was.denied) != (now.status, False)
        ):
            continue
        lost = sorted(was.headers - now.headers - _CHANGING)
        if lost:
            return (
                f"answers {request} without the {'header' if len(lost) == 1 else 'headers'} {', '.join(lost)}, which "
                "it sent before: an include or the location that served the path added them; an add_header at server "
                "level of the Advanced text is repeated by the block"
            )
    return ""


def _differs(was: ProxyAnswer, now: ProxyAnswer) -> bool:
    """Whether a client is let in that was not, or the other way round."""
    if was.denied:
        return not now.denied or now.status != was.status
    return now.denied or now.status is None or (was.upgraded and not now.upgraded)


def _denies_otherwise(page: ProxyAnswer, now: ProxyAnswer) -> bool:
    return page.denied != now.denied or (page.denied and page.status != now.status)
