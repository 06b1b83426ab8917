# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the answers of the proxy prove of a save (pure).

nginx loads the file of a host as a whole. So one visible difference proves all that was saved with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .advanced_text import LoadedState
from .answer import ProxyAnswer


@dataclass(frozen=True)
class Proof:
    """What is proven, as sentences, and the fields of which it does not show whether they are in force."""

    proven: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()


def judge_save(
    body: Mapping[str, Any],
    previous_state: LoadedState,
    state: LoadedState,
    page: tuple[ProxyAnswer, ProxyAnswer] | None,
    served_names: tuple[str, ...],
) -> Proof:
    """Conclude from answers that were seen.

    :param body: The fields that were saved.
    :param state: What the running nginx was seen to show after the save.
    :param page: The answers to ``GET /`` before and after, at the place where the host answers afterwards; ``None`` if
        that is where it answered before.
    :param served_names: New domain names of the host that are served.
    """
    if state.revision != previous_state.revision:
        how = "it returns the new revision of the block"
        if state.revision is None:
            how = "it does not return the block any more"
        return Proof((f"the running nginx has loaded this save: {how}",))
    if "advanced_config" in body and state.revision is not None:
        return Proof(("the running nginx has loaded this save: it returns the revision of the block",))
    if page is not None and str(page[0]) != str(page[1]):
        return Proof((f"the running nginx has loaded this save: its answer to GET / was {page[0]} and is {page[1]}",))
    if "domain_names" in body and served_names:
        return Proof((f"the running nginx has loaded this save: it serves {', '.join(served_names)}",))
    return Proof((), tuple(sorted("the Advanced text" if key == "advanced_config" else key for key in body)))
