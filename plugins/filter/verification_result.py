# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: verification_result
short_description: Summarise the checks of a deployment
version_added: 0.1.0
description:
  - Summarises results of M(codeframe.staging.websocket_check) and M(codeframe.staging.frontend_bundle_info).
positional: _input, page
options:
  _input:
    description:
      - Registered results of M(codeframe.staging.websocket_check), in the order from the backend to the public URL.
        Skipped ones are left out.
    type: list
    elements: dict
    required: true
  page:
    description:
      - Registered result of M(codeframe.staging.frontend_bundle_info).
    type: dict
    required: true
  way:
    description:
      - How the page was read, in words.
    type: str
    required: true
  url:
    description:
      - Public URL of the WebSocket, which the scripts of the page must contain.
    type: str
    required: true
seealso:
  - plugin: codeframe.staging.verification_plan
    plugin_type: filter
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
result: "{{ [check] | codeframe.staging.verification_result(page, way='through the proxy', url=public_url) }}"
"""

RETURN = r"""
_value:
  description: The summary.
  type: dict
  contains:
    passed:
      description: Whether everything passed.
      type: bool
    host_passed:
      description: Whether everything passed for which the host can be the cause.
      type: bool
    message:
      description: All faults in one sentence, empty if everything passed.
      type: str
    lines:
      description: One line for each check.
      type: list
      elements: str
    diagnosis:
      description: Cause, explanation, remedy and evidence of the first check that failed; empty if none did.
      type: dict
    page:
      description: What was found in the scripts of the page, with C(passed), C(found), C(forbidden) and C(complaint).
      type: dict
    results:
      description: The results for each endpoint.
      type: list
      elements: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.outcome import conclude


def verification_result(
    checks: Sequence[Mapping[str, Any]], page: Mapping[str, Any], *, way: str, url: str
) -> dict[str, Any]:
    """Put the outcome into a template's terms."""
    outcome = conclude(checks, way, page.get("msg"), url, page.get("evidence") or "")
    return {
        "passed": outcome.passed,
        "host_passed": outcome.host_passed,
        "message": outcome.message,
        "lines": list(outcome.lines),
        "diagnosis": dict(outcome.diagnosis),
        "page": {name: page[name] for name in ("passed", "found", "forbidden", "complaint") if name in page},
        "results": [dict(result) for result in outcome.results],
    }


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"verification_result": verification_result}
