# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between the database of Nginx Proxy Manager and its running nginx (pure apart from one question)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .advanced_text import LoadedState
from .answer import ProxyAnswer
from .host_status import nginx_error, online
from .plan import HostPlan
from .version import flag


@dataclass(frozen=True)
class Drift:
    """A difference; ``repairable`` tells whether saving once more repairs it."""

    text: str
    repairable: bool = True


def find_drift(
    host: Mapping[str, Any],
    plan: HostPlan,
    seen: Mapping[str, ProxyAnswer],
    confirm: Callable[[LoadedState], bool],
) -> Drift | None:
    """Compare what the database has with what the proxy shows.

    :param seen: The answers of the proxy, by path; empty if it was not asked.
    :param confirm: Asks the proxy for a state, a short time only: a state that is in force shows at once.
    """
    if not flag(host.get("enabled", True)):
        return None
    database = plan.before.loaded
    if online(host) is False:
        error = nginx_error(host) or "no reason in the API"
        return Drift(f"the host is offline: nginx refused what the database has ({error})")
    if not database.paths and any(each.revision for each in seen.values()):
        return Drift("the running nginx has a managed block, the database has not")
    if confirm(database):
        return None
    if database.paths:
        other = {each.revision for each in seen.values()} - {None, database.revision}
        return Drift(f"the database has the managed block, the running nginx has {'another' if other else 'not'}")
    # Concluded from an answer like that of the default site, which the application can give too: no reason to save.
    return Drift("the proxy answers for this host name as for one that it does not know", repairable=False)
