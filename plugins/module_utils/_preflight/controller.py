# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the controller can tell: the source to be packed, and the addresses of the public names."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from . import addresses_facts
from .addresses import Addresses, judge_addresses
from .application import judge_application
from .application_facts import look_at_application
from .finding import PreflightFinding
from .reachable import judge_names_to_connect_to, judge_readable, names_to_connect_to
from .source_facts import unreadable_in
from .variables import DeploymentInputs


def check_controller(given: Mapping[str, Any], *, resolve: bool) -> tuple[list[PreflightFinding], Addresses]:
    """Every finding on the controller.

    :param resolve: Whether to look up the addresses of the public names.
    """
    inputs = DeploymentInputs(given)
    found = _check_source_dir(inputs)
    answers: Addresses = {}
    if resolve:
        hosts = {variable: url.host for variable, url in inputs.public_urls().items()}
        needed = names_to_connect_to(inputs, on_host=False)
        answers = addresses_facts.resolve([*hosts.values(), *needed.values()])
        found += judge_addresses(inputs, hosts, answers, (), vantage="the controller", on_host=())
        found += judge_names_to_connect_to(inputs, needed, answers, vantage="the controller")
    return found, answers


def _check_source_dir(inputs: DeploymentInputs) -> list[PreflightFinding]:
    path = inputs.get("staging_source_dir")
    if inputs.get("staging_source_type") != "archive" or not isinstance(path, str) or "\n" in path:
        return []
    if os.path.isdir(path):
        unreadable = unreadable_in(path, inputs)
        return judge_readable(inputs, unreadable) or judge_application(inputs, look_at_application(path, inputs))
    return [
        inputs.finding(
            "source-dir-missing",
            "staging_source_dir",
            "a directory on the controller",
            "correct the path, which is relative to the directory of the command unless it is absolute",
            found="there is no such directory",
        )
    ]
