# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: diagnosis_conclusion
short_description: Name the most likely cause of a failure
version_added: 0.1.0
description:
  - Names the most likely cause of a failure from the verification and from what was seen on the host.
options:
  _input:
    description: Result of the role websocket_verify, empty if it could not run.
    type: dict
    required: true
  findings:
    description: Findings of M(codeframe.staging.preflight_info) on the host.
    type: list
    elements: dict
    default: []
  processes:
    description: Processes of M(codeframe.staging.pm2_process_info), with their logs.
    type: list
    elements: dict
    default: []
  env:
    description: Result of M(codeframe.staging.dotenv_info).
    type: dict
    default: {}
  proxy_evidence:
    description: What in the configuration of the proxy breaks or endangers the WebSocket.
    type: str
    default: ""
  backend:
    description: Name of the backend's process.
    type: str
    default: ""
  problems:
    description: What could not be looked at, and why.
    type: list
    elements: str
    default: []
seealso:
  - plugin: codeframe.staging.verification_result
    plugin_type: filter
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
conclusion: "{{ websocket_verify_result | codeframe.staging.diagnosis_conclusion(backend='app-backend') }}"
"""

RETURN = r"""
_value:
  description: The conclusion.
  type: dict
  contains:
    cause:
      description: A cause, empty if no fault was found.
      type: str
    explanation:
      description: What is wrong.
      type: str
    remedy:
      description: What to do.
      type: str
    evidence:
      description: What shows it.
      type: list
      elements: str
    seen:
      description: What else was seen, in lines by subject.
      type: dict
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._diagnosis.conclusion import Look, conclude_diagnosis


def diagnosis_conclusion(verification: Mapping[str, Any], **seen: Any) -> dict[str, Any]:
    """Put the conclusion into a template's terms."""
    conclusion = asdict(conclude_diagnosis(Look(verification, **seen)))
    return {
        **conclusion,
        "evidence": list(conclusion["evidence"]),
        "seen": {subject: list(lines) for subject, lines in conclusion["seen"].items()},
    }


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"diagnosis_conclusion": diagnosis_conclusion}
