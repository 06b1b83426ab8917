# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of websocket_check from the options of a task."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from .._host.progress import OPTION as PROGRESS_OPTION
from .._host.progress import Progress
from .call import parse_call
from .diagnosis import diagnose
from .frames import library_problem
from .load import allow_files
from .report import report, report_not_checked
from .run import observe

_DECIDING = {"any": {"direct", "proxy", "public"}, "public": {"public"}, "never": set()}


def check(params: Mapping[str, Any]) -> dict[str, Any]:
    """Check the endpoints.

    :param params: The options of ``websocket_check``.
    :returns: Its result; with ``failed`` and ``msg`` if it fails.
    """
    problem = library_problem()
    if problem is not None:
        return _unchecked(
            f"{problem} for {sys.executable}, which websocket_check needs",
            "install it with 'apt install python3-websockets' or 'pip install websockets'",
        )
    try:
        call = parse_call(params)
        allow_files(max(call.settings.connections, len(call.targets)))
    except ValueError as exc:
        return _unchecked(str(exc), "nothing was checked")

    with Progress(params[PROGRESS_OPTION]) as progress:
        observations = asyncio.run(observe(call, progress.say))
    diagnosis = diagnose(observations, call.settings.expected_idle_timeout_s, call.earlier)
    result = report(observations, diagnosis, call.settings.expected_idle_timeout_s)
    failed = {seen.target.vantage for seen, verdict in zip(observations, diagnosis.verdicts) if not verdict.passed}
    if failed & _DECIDING[params["fail_on"]]:
        return {**result, "failed": True, "msg": diagnosis.message}
    return result


def secrets_in(params: Mapping[str, Any]) -> set[str]:
    """The values of the headers and the parameters that must not be shown."""
    return set(_secrets(params["endpoints"]))


def _secrets(endpoints: list[Mapping[str, Any]]) -> Iterator[str]:
    for endpoint in endpoints:
        for option in ("secret_headers", "secret_query"):
            yield from (str(value) for value in endpoint[option].values() if str(value))


def _unchecked(message: str, remedy: str) -> dict[str, Any]:
    return {**report_not_checked(message, remedy), "failed": True, "msg": f"{message}; {remedy}"}
