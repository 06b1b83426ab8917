# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a deployment come to (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .browser_visit import BrowserVisit
from .judgement import as_sentence


@dataclass(frozen=True)
class VerificationOutcome:
    """What the checks of a deployment come to.

    :param host_passed: Whether nothing failed for which the host can be the cause.
    :param message: All faults in one sentence, empty if everything passed.
    :param lines: One line for each check, for people.
    :param diagnosis: Of the first check that failed: cause, explanation, remedy, evidence. Empty if none did.
    """

    passed: bool
    host_passed: bool
    message: str
    lines: tuple[str, ...]
    diagnosis: Mapping[str, Any]
    results: tuple[Mapping[str, Any], ...]


def conclude(
    checks: Sequence[Mapping[str, Any]],
    page_way: str,
    page_fault: str | None,
    url: str,
    page_evidence: str = "",
    visits: Sequence[BrowserVisit] = (),
) -> VerificationOutcome:
    """Summarise the results of ``websocket_check`` and of ``frontend_bundle_info``.

    :param checks: Results of calls, in the order from the backend to the public URL; skipped ones are left out.
    :param page_way: How the page was read, in words.
    :param page_fault: Why its scripts did not pass.
    :param url: The public URL that they must contain.
    :param page_evidence: Which of them contain it, in words; empty if that is not known.
    :param visits: What a browser saw; it uses the public connection.
    """
    made = [check for check in checks if not check.get("skipped")]
    # A call that could not run, for example without its library, has no results.
    not_made = [str(check.get("msg") or "a check gave no result") for check in made if not check.get("results")]
    results = tuple(result for check in made for result in check.get("results") or ())
    diagnoses = [check["diagnosis"] for check in made if check.get("results")]
    # The first cause on the way from the backend to the public URL explains those after it.
    failed = [each for each in diagnoses if each["cause"] != "none"][:1]
    causes = [as_sentence(each["explanation"], each["remedy"]) for each in failed]
    pages = [f"{page_way}, {page_fault}"] if page_fault else []
    seen = [visit.fault for visit in visits if visit.fault]
    faults = [*dict.fromkeys(not_made), *causes, *pages, *seen]
    scripts = f"failed ({pages[0]})" if pages else f"passed ({page_way} {page_evidence or f'they contain {url}'})"
    host_failed = any(not result["passed"] and result["vantage"] != "public" for result in results)
    page_failed = not failed and any(visit.accuses_host for visit in visits)
    return VerificationOutcome(
        passed=not faults,
        # A failure that only the controller sees is not caused by the host.
        host_passed=not (not_made or pages or host_failed or page_failed),
        message="; ".join(fault.rstrip(".") for fault in faults),
        lines=(
            *(line for check in made for line in check.get("summary") or ()),
            f"Scripts of the served page: {scripts}",
            *dict.fromkeys(visit.line for visit in visits if visit.line),
        ),
        diagnosis=failed[0] if failed else {},
        results=results,
    )
