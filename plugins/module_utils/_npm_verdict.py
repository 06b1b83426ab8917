# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the wire says of a block that was to be pasted by hand (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.codeframe.staging.plugins.module_utils._npm_wire import Seen


@dataclass(frozen=True)
class Verdict:
    """``kind`` is a word for programs, ``text`` one sentence with the remedy."""

    kind: str
    text: str


def judge(
    name: str | None, revision: str | None, seen: Mapping[str, Seen], served: bool | None, asked: bool
) -> Verdict:
    """Tell from the answers what was pasted, and how.

    :param served: Whether the proxy answers otherwise for this host name than for one that nobody serves.
    """
    if not asked:
        return Verdict("not_asked", "the proxy was not asked: domain_name or its address is not given")
    if served is None:
        return Verdict(
            "no_answer", f"the proxy does not answer for {name}; check proxy_address, proxy_port and that it runs"
        )
    if not seen or revision is None:
        if served:
            return Verdict("in_force", f"the proxy serves {name}")
        return _not_served(name)
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
        return _not_served(name)
    if all(seen[path].upgraded for path in without):
        return Verdict(
            "upgrades_without_block",
            f"the block is not in force for {name}, though upgrades pass ({shown}): the switch Websockets Support or a "
            "location made by hand lets them through, with the proxy's own idle timeout; paste the block into the "
            "Advanced tab, in place of what was pasted before",
        )
    return Verdict(
        "not_in_force",
        f"the block is not in force for {name} ({shown}): nothing was pasted, it was not saved, or only the lines "
        "inside its location were pasted, which have no effect at server level; paste the whole block, from BEGIN to "
        "END, into the Advanced tab of this host",
    )


def _not_served(name: str | None) -> Verdict:
    return Verdict(
        "not_served",
        f"the proxy answers for {name} as for a host name that it does not know: there is no such proxy host, or nginx "
        "refused its configuration and it is offline (a snippet pasted at server level while the switch Websockets "
        "Support is on does that; so do two blocks, or a second location of the path); look at its status in Nginx "
        "Proxy Manager and correct the Advanced tab",
    )
