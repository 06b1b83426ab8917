# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the wire says of a block that was to be pasted by hand (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .wire import Seen


@dataclass(frozen=True)
class Verdict:
    """``kind`` is a word for programs, ``text`` one sentence with the remedy."""

    kind: str
    text: str


def tell(hosts: Sequence[Mapping[str, Any]], revision: str) -> tuple[str, ...]:
    """What the API says of the host that was asked for, as the causes of a WebSocket that does not pass.

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


def judge(
    name: str | None,
    revision: str | None,
    seen: Mapping[str, Seen],
    served: bool | None,
    asked: bool,
    told: Sequence[str] = (),
) -> Verdict:
    """Tell from the answers what was pasted, and how.

    :param served: Whether the proxy answers otherwise for this host name than for one that nobody serves.
    :param told: The causes by :func:`tell`; without them, those that such answers can have are named.
    """
    if not asked:
        return Verdict("not_asked", "the proxy was not asked: domain_name or its address is not given")
    if served is None:
        answers = ", ".join(sorted({each.error for each in seen.values() if each.error})) or "no answer in time"
        return Verdict(
            "no_answer",
            f"the proxy does not answer for {name} ({answers}); check proxy_address, proxy_port and that it runs",
        )
    if not seen or revision is None:
        if served:
            return Verdict("in_force", f"the proxy serves {name}")
        return _not_served(name, told)
    revisions = {each.revision for each in seen.values()}
    if revisions == {revision}:
        return Verdict("in_force", f"the block is in force for {name}")
    if revisions - {None, revision}:
        return Verdict(
            "other_block",
            f"{name} has an older block, or one with other settings, in force; paste the new one over it",
        )
    without = [path for path, each in seen.items() if each.revision != revision]
    shown = ", ".join(f"{path}: {seen[path]}" for path in without)
    if not served:
        return _not_served(name, told)
    if all(seen[path].upgraded for path in without):
        causes = "; ".join(told) or "the switch Websockets Support is on, or a location was made by hand"
        return Verdict(
            "upgrades_without_block",
            f"the block is not in force for {name}, though upgrades pass, with the proxy's own idle timeout ({shown}): "
            f"{causes}; paste the block into the Advanced tab, in place of what was pasted before",
        )
    causes = "; ".join(told) or (
        "nothing was pasted, it was not saved, or another snippet was pasted at server level, where it has no effect "
        "while Websockets Support is off"
    )
    return Verdict(
        "not_in_force",
        f"the block is not in force for {name} ({shown}): {causes}; paste the whole block, from BEGIN to END, into the "
        "Advanced tab of this host, in place of any other snippet",
    )


def _not_served(name: str | None, told: Sequence[str]) -> Verdict:
    causes = "; ".join(told) or (
        "there is no such proxy host, or nginx refused it and it is offline, as it does with lines of the block "
        "outside of their location, with a snippet at server level while Websockets Support is on, with two blocks, "
        "and with a second location of the path"
    )
    return Verdict(
        "not_served",
        f"the proxy answers for {name} as for a host name that it does not know: {causes}; look at its status in Nginx "
        "Proxy Manager and correct the Advanced tab",
    )
