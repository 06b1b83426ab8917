# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a block that is pasted manually is in force, judged from the proxy's answers (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .answer import ProxyAnswer


@dataclass(frozen=True)
class BlockVerdict:
    """``kind`` is a word for programs, ``text`` one sentence with the remedy."""

    kind: str
    text: str


def api_causes(hosts: Sequence[Mapping[str, Any]], revision: str) -> tuple[str, ...]:
    """What the API says of the host, as causes of a WebSocket that is not upgraded.

    :param hosts: As the module lists them: the one host, or none.
    """
    if not hosts:
        return ("Nginx Proxy Manager has no such proxy host, or none that this account sees",)
    host = hosts[0]
    causes = [str(each["text"]) for each in host["findings"]]
    if host["allow_websocket_upgrade"]:
        causes.append("Websockets Support is on")
    if not host["enabled"]:
        causes.append("the proxy host is disabled")
    if host["online"] is False:
        causes.append(f"nginx refused the proxy host ({host['nginx_error'] or 'no reason in the API'})")
    if host["block"] is None:
        causes.append("its Advanced text does not have the block")
    elif host["block"] == revision:
        causes.append("its Advanced text has the block, and the running nginx has not: save it once more")
    else:
        causes.append("its Advanced text has an older block, or one with other settings")
    return tuple(causes)


def judge_block(
    name: str | None,
    revision: str | None,
    seen: Mapping[str, ProxyAnswer],
    served: bool | None,
    asked: bool,
    causes: Sequence[str] = (),
) -> BlockVerdict:
    """Conclude from the answers what was pasted, and how.

    :param revision: Of the block that should be in force; ``None`` if no block is needed.
    :param served: Whether the proxy has a configuration for this host name; ``None`` if nothing answers.
    :param asked: Whether the proxy was asked at all.
    :param causes: By :func:`api_causes`; without them, the usual causes of such answers are named.
    """
    if not asked:
        return BlockVerdict(
            "not_asked", "the proxy was not asked, since O(domain_name) or O(proxy_address) is not given"
        )
    if served is None:
        answers = ", ".join(sorted({each.error for each in seen.values() if each.error})) or "no answer in time"
        return BlockVerdict(
            "no_answer",
            f"the proxy does not answer for {name} ({answers}); check O(proxy_address), O(proxy_port) and that it runs",
        )
    if not seen or revision is None:
        if served:
            return BlockVerdict("in_force", f"the proxy serves {name}")
        return _not_served(name, causes)
    revisions = {each.revision for each in seen.values()}
    if revisions == {revision}:
        return BlockVerdict("in_force", f"the block is in force for {name}")
    if revisions - {None, revision}:
        return BlockVerdict(
            "other_block",
            f"{name} has an older block, or one with other settings, in force; paste the new one over it",
        )
    without = [path for path, each in seen.items() if each.revision != revision]
    shown = ", ".join(f"{path}: {seen[path]}" for path in without)
    if not served:
        return _not_served(name, causes)
    if all(seen[path].upgraded for path in without):
        cause = "; ".join(causes) or "Websockets Support is on, or a location was added manually"
        return BlockVerdict(
            "upgrades_without_block",
            f"the block is not in force for {name}, though upgrades are forwarded, with the proxy's own idle timeout "
            f"({shown}): {cause}; paste the block into the Advanced tab, in place of what was pasted before",
        )
    cause = "; ".join(causes) or (
        "nothing was pasted, it was not saved, or another snippet was pasted at server level, where it has no effect "
        "while Websockets Support is off"
    )
    return BlockVerdict(
        "not_in_force",
        f"the block is not in force for {name} ({shown}): {cause}; paste the whole block, from BEGIN to END, into the "
        "Advanced tab of this host, in place of any other snippet",
    )


def _not_served(name: str | None, causes: Sequence[str]) -> BlockVerdict:
    cause = "; ".join(causes) or (
        "there is no such proxy host, or nginx refused it and it is offline, which happens if lines of the block are "
        "outside of their location, if a snippet is at server level while Websockets Support is on, if there are two "
        "blocks, and if there is a second location of the path"
    )
    return BlockVerdict(
        "not_served",
        f"the proxy answers for {name} as for a host name that it does not know: {cause}; look at its status in Nginx "
        "Proxy Manager and correct the Advanced tab",
    )
