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
  browser:
    description:
      - Results of M(codeframe.staging.browser_check), one for each page; empty if no browser was asked for.
    type: list
    elements: dict
    default: []
  browser_urls:
    description:
      - The URLs of these pages.
    type: list
    elements: str
    default: []
  browser_chosen:
    description:
      - Whether the pages were named as opening the WebSocket. If not, a page that opens none is no failure.
    type: bool
    default: false
  browser_required:
    description:
      - Whether the verification fails where no browser is found.
    type: bool
    default: false
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
    browser:
      description: What a browser saw, of the page that failed or else of the first; empty if none was used.
      type: dict
    results:
      description: The results for each endpoint.
      type: list
      elements: dict
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.browser_visit import BrowserVisit
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.outcome import conclude

_SEEN = ("available", "passed", "cause", "explanation", "remedy", "evidence", "websocket", "console")


def verification_result(
    checks: Sequence[Mapping[str, Any]],
    page: Mapping[str, Any],
    *,
    way: str,
    url: str,
    browser: Sequence[Mapping[str, Any]] = (),
    browser_urls: Sequence[str] = (),
    browser_chosen: bool = False,
    browser_required: bool = False,
) -> dict[str, Any]:
    """Put the outcome into a template's terms."""
    visits = [
        BrowserVisit(page_url, result, chosen=browser_chosen, required=browser_required)
        for page_url, result in zip(browser_urls, browser)
    ]
    outcome = conclude(checks, way, page.get("msg"), url, page.get("evidence") or "", visits)
    shown = [visit for visit in visits if visit.line]
    seen = next((visit for visit in shown if visit.fault), shown[0] if shown else None)
    return {
        "passed": outcome.passed,
        "host_passed": outcome.host_passed,
        "message": outcome.message,
        "lines": list(outcome.lines),
        "diagnosis": dict(outcome.diagnosis),
        "page": {name: page[name] for name in ("passed", "found", "forbidden", "complaint") if name in page},
        "browser": {name: seen.result[name] for name in _SEEN if name in seen.result} if seen else {},
        "results": [dict(result) for result in outcome.results],
    }


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"verification_result": verification_result}
