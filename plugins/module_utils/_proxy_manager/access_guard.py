# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asks the proxy, before and after a save, who is let in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from .access_proof import (
    GET,
    PAGE,
    WITH_CREDENTIALS,
    WITHOUT_CREDENTIALS,
    AccessRequest,
    Expectation,
    find_difference,
    lost_headers,
    requests,
)
from .answer import ProxyAnswer
from .plan import HostPlan
from .probe import ProxyEndpoint, handshake, plain

#: Fields with which the access to a path changes as it is wanted.
_CHANGE_ACCESS = ("access_list_id",)
#: Times in a row that an answer has to be seen, 50 ms apart. Old workers of nginx answer for a moment after a save, and
#: only the paths of the block show which configuration answered, not the page that they are compared with.
_ROUNDS = 5
_POLL_S = 0.05
#: Times that it is asked at most, since a host that lets in others than before is not to stay so for longer.
_MOST_ROUNDS = 20


@dataclass
class AccessGuard:
    """Who is let in to the paths of a plan, before it is carried out and afterwards.

    :param login: Name and password of a user of the access list, for a test.
    :param expected: What the answers afterwards are compared with; ``None`` until it was asked.
    :param note: A sentence on what differs and is no fault; empty for nothing.
    """

    plan: HostPlan
    login: tuple[str, str] | None = None
    expected: Expectation | None = field(default=None, init=False)
    note: str = field(default="", init=False)

    @property
    def paths(self) -> tuple[str, ...]:
        return self.plan.loaded_after.paths if self.plan.block is not None else ()

    def look_before(self, endpoint: ProxyEndpoint | None, is_served: bool) -> None:
        """Ask before the save.

        :param endpoint: Where the host answers now; ``None`` if it is not to be asked.
        :param is_served: Whether the host serves now.
        """
        if endpoint is None or not self.paths:
            return
        plan = self.plan
        # What a block or a pasted location lets in need not be what the host's rules let in.
        comparable = is_served and plan.before.block is None and not plan.removed
        comparable = comparable and not any(name in plan.body for name in _CHANGE_ACCESS)
        before = self._ask(endpoint) if comparable else None
        own_page = plan.served.own_page and PAGE not in self.paths
        self.expected = Expectation(before, own_page, plan.served.headers)

    def difference(self, endpoint: ProxyEndpoint | None, revision: str | None = None) -> str:
        """Ask after the save; a sentence on the first difference, empty if there is none.

        A path that answers in another way than before is one at once: an old worker of nginx does not. What is compared
        with ``/``, which an old worker may have answered, counts once it stays.

        :param endpoint: Where the host answers now.
        :param revision: For a first look, while old workers of nginx may answer: the block that every answer has to be
            of; otherwise, and without an answer that stays, nothing is concluded.
        """
        if self.expected is None or endpoint is None:
            return ""
        settles = self.expected.before is None and self.expected.own_page and revision is None
        latest, times = "", 0
        for _ in range(_MOST_ROUNDS):
            seen = self._ask(endpoint)
            if revision is not None and not _is_of(revision, seen):
                return ""
            found = find_difference(self.expected, {each: now for each, now in seen.items() if each.path != PAGE})
            if found:
                return found
            found = find_difference(self.expected, seen)
            times = times + 1 if found == latest else 1
            latest = found
            if times >= (_ROUNDS if found or settles else 1):
                self.note = lost_headers(self.expected, seen)
                return found
            time.sleep(_POLL_S)
        return latest if revision is None else ""

    @property
    def proof(self) -> str:
        """What is proven if there is no difference; empty for nothing."""
        proof = self.expected.proof if self.expected is not None else ""
        return f"{proof}, {self._clients}" if proof else ""

    @property
    def _clients(self) -> str:
        if self.login is None:
            return WITHOUT_CREDENTIALS
        return f"{WITHOUT_CREDENTIALS} and {WITH_CREDENTIALS.replace('the credentials', 'those')}"

    def _ask(self, endpoint: ProxyEndpoint) -> Mapping[AccessRequest, ProxyAnswer]:
        seen = {}
        for each in requests(self.paths, self.login is not None):
            login = self.login if each.client == WITH_CREDENTIALS else None
            ask = plain if each.kind == GET else handshake
            seen[each] = ask(endpoint, each.path, login=login)
        return seen


def _is_of(revision: str, seen: Mapping[AccessRequest, ProxyAnswer]) -> bool:
    """Whether all answers on the paths are those of one block."""
    return all(now.revision == revision for each, now in seen.items() if each.path != PAGE)
