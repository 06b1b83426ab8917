# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as JUnit XML: a test case for each check (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr


def junit_of(document: Mapping[str, Any]) -> str:
    """The XML text."""
    cases = list(_cases(document))
    failures = sum(problem is not None for _name, _seconds, problem in cases)
    suite = f"{document['application']} on {document['host']}"
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<testsuite name={quoteattr(suite)} timestamp={quoteattr(document['finished_at'])} "
        f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="0">',
    ]
    for name, seconds, problem in cases:
        head = f'  <testcase classname={quoteattr(suite)} name={quoteattr(name)} time="{seconds:.3f}"'
        if problem is None:
            lines.append(f"{head}/>")
        else:
            cause, text = problem
            lines += [
                f"{head}>",
                f"    <failure type={quoteattr(cause)} message={quoteattr(text)}>{escape(text)}</failure>",
            ]
            lines.append("  </testcase>")
    return "\n".join([*lines, "</testsuite>", ""])


def _cases(document: Mapping[str, Any]) -> Iterator[tuple[str, float, tuple[str, str] | None]]:
    for check in document["checks"]:
        seconds = sum(float(each) for each in (check["phases"] or {}).values() if each is not None)
        problem = None if check["passed"] else (str(check["cause"]), str(check["explanation"]))
        yield f"{check['vantage']}: {check['name']}", seconds, problem
    page, browser = document["page"], document["browser"]
    if page["passed"] is not None:
        yield "scripts of the served page", 0.0, None if page["passed"] else ("stale_bundle", page["message"])
    if browser is not None and browser["available"]:
        problem = None if browser["passed"] else (browser["cause"], browser["explanation"])
        yield "browser", 0.0, problem
    if document["failure"] and all(each["passed"] for each in document["checks"]):
        yield document["kind"], 0.0, ("failed", document["failure"])
