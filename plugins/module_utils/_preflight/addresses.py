# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the public names resolve to the host, judged from addresses that were looked up before."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Optional

from .finding import PreflightFinding
from .variables import DeploymentInputs

#: Addresses by host name; None for a name without one.
Addresses = dict[str, Optional[list[str]]]


def judge_addresses(
    inputs: DeploymentInputs,
    hosts: Mapping[str, str],
    answers: Mapping[str, Sequence[str] | None],
    local: Iterable[str],
    *,
    vantage: str,
    on_host: Container[str],
) -> list[PreflightFinding]:
    """:param hosts: Host name by variable.
    :param answers: Addresses by host name; a name that was not asked for is left out.
    :param local: The addresses of the staging host; empty where they are not known.
    :param vantage: The machine that asked.
    :param on_host: Variables whose URL the staging host itself serves.
    """
    found = []
    own = set(local)
    for variable, host in hosts.items():
        if host not in answers:
            continue
        addresses = answers[host]
        if not addresses:
            found.append(
                inputs.finding(
                    "host-unresolved",
                    variable,
                    "a name with an address",
                    "check the name, its DNS record and the resolver",
                    found=f"{vantage} finds no address of {host}",
                )
            )
        elif variable in on_host and own and not own & set(addresses):
            found.append(
                inputs.finding(
                    "host-resolves-elsewhere",
                    variable,
                    "an address of the staging host",
                    "make sure that the machine there forwards to this host",
                    found=f"for {vantage}, {host} has the address {', '.join(sorted(addresses))}",
                )
            )
    return found
