# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All checks of one stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._host.shown import shown, shown_result
from .controller import check_controller
from .finding import ERROR, OPINIONS, summary, with_levels, wrong_levels
from .host import PreflightOptions, check_host
from .inputs import check_inputs


def run_preflight(params: Mapping[str, Any], *, check_mode: bool) -> dict[str, Any]:
    """Run the checks of a stage.

    :param params: The options of ``preflight_info``.
    :returns: Its result, with ``failed`` and ``warnings``.
    """
    wrong = wrong_levels(params["levels"])
    if wrong:
        known = ", ".join(sorted(OPINIONS))
        message = f"in staging_preflight_levels, {'; '.join(wrong)}; levels can be set for {known}"
        return {"failed": True, "warnings": [], "msg": message}
    inputs = params["inputs"]
    if params["stage"] == "inputs":
        found, addresses = check_controller(inputs, resolve=params["resolve"])
        found = [*check_inputs(inputs), *found]
    else:
        options = PreflightOptions(
            check_mode=check_mode,
            source_path=params["source_path"] or "",
            process_names=params["process_names"],
            controller_addresses=params["controller_addresses"],
            min_free_bytes=params["min_free_bytes"],
            min_memory_bytes=params["min_memory_bytes"],
            node=params["node"],
            python=params["python"],
        )
        found, addresses = check_host(inputs, options)
    found = with_levels(found, params["levels"])
    errors = [item for item in found if item.level == ERROR]
    result = {
        "changed": False,
        "findings": [item.as_dict() for item in found],
        "errors": len(errors),
        "warnings_count": len(found) - len(errors),
        "addresses": addresses,
        "message": summary(found),
        **({"msg": summary(errors)} if errors else {}),
    }
    warnings = [shown(item.sentence) for item in found if item.level != ERROR]
    return {**shown_result(result), "failed": bool(errors), "warnings": warnings}
