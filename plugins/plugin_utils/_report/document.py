# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a report: one document from which all files are made (pure).

The document is what ``report.json`` holds; ``docs/report.schema.json`` describes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._host.redaction import redacted
from ansible_collections.codeframe.staging.plugins.plugin_utils._plain import plain
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.diffs import diff_lines

#: Increased when a field is removed or changes its meaning; a new field does not increase it.
SCHEMA_VERSION = 1
#: What one check tells, by the names of the results of websocket_check.
CHECK_FIELDS = (
    "name",
    "vantage",
    "transport",
    "url",
    "passed",
    "cause",
    "explanation",
    "status",
    "address",
    "server",
    "phases",
    "held_s",
    "longest_silence_s",
    "idle_timeout_proven_s",
    "proves",
    "server_pings",
    "round_trips",
    "samples",
    "arrivals_s",
    "close",
    "tls",
    "first_event_s",
    "event_gaps",
    "connections",
    "evidence",
)
KINDS = ("deployment", "verification", "rollback", "diagnosis")


def build_document(options: Mapping[str, Any], *, finished_at: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """Put the results of a run into the order of the schema.

    :param options: Options of the action, see the documentation of ``deployment_report``, and the ``steps`` of the run.
    :param finished_at: ISO 8601 in UTC.
    :returns: Plain values in which no secret and no control character is left.
    """
    verification = _mapping(options.get("verification"))
    page = _mapping(verification.get("page"))
    restored = _mapping(options.get("restored"))
    document = {
        "version": SCHEMA_VERSION,
        "kind": str(options.get("kind") or KINDS[0]),
        "application": str(options["application"]),
        "host": str(options["host"]),
        "finished_at": finished_at,
        "verdict": _verdict(verification, str(options.get("failure") or ""), bool(options.get("check_mode"))),
        "check_mode": bool(options.get("check_mode")),
        "failure": str(options.get("failure") or ""),
        "failed_step": str(options.get("failed_step") or ""),
        "outcome": str(options.get("outcome") or ""),
        "diagnosis": _diagnosis(_mapping(verification.get("diagnosis")), verification),
        "urls": {
            "page": str(verification.get("page_url") or options.get("page_url") or ""),
            "websocket": str(verification.get("url") or options.get("websocket_url") or ""),
        },
        "release": {key: str(_mapping(options.get("release")).get(key) or "") for key in ("id", "revision")},
        "changes": {
            str(layer): [str(reason) for reason in reasons]
            for layer, reasons in _mapping(options.get("changes")).items()
            if reasons
        },
        "diffs": {
            str(layer): lines
            for layer, diffs in _mapping(options.get("diffs")).items()
            if (lines := diff_lines(_mappings(diffs)))
        },
        "downtime_s": {
            str(part): float(seconds)
            for part, seconds in _mapping(options.get("downtime_s")).items()
            if seconds and isinstance(seconds, (int, float))
        },
        "kept_for_data": {
            str(release): _texts(paths) for release, paths in _mapping(options.get("kept_for_data")).items()
        },
        "shared_data": _texts(options.get("shared_data")),
        "duration_s": None if options.get("duration_s") is None else round(float(options["duration_s"]), 1),
        "proven": _texts(verification.get("lines")),
        "restored": {
            "passed": bool(restored["passed"]) if "passed" in restored else None,
            "lines": _texts(restored.get("lines")),
        },
        "checks": [
            {field: check.get(field) for field in CHECK_FIELDS} for check in _mappings(verification.get("results"))
        ],
        "page": {
            "passed": bool(page["passed"]) if "passed" in page else None,
            "message": str(page.get("complaint") or page.get("msg") or ""),
            "found": {str(url): _texts(scripts) for url, scripts in _mapping(page.get("found")).items()},
            "forbidden": {str(url): _texts(scripts) for url, scripts in _mapping(page.get("forbidden")).items()},
        },
        "browser": _browser(_mapping(verification.get("browser"))),
        "proxy": {
            "evidence": str(options.get("proxy_evidence") or ""),
            "tls": _texts(options.get("proxy_tls")),
            "directives": [
                {"name": str(name), **{key: _optional(each.get(key)) for key in ("value", "where")}}
                for name, each in sorted(_mapping(options.get("proxy_directives")).items())
                if isinstance(each, Mapping)
            ],
        },
        "findings": {
            str(subject): _texts(lines) for subject, lines in _mapping(options.get("findings")).items() if lines
        },
        "steps": [
            {"name": str(step["name"]), "seconds": round(float(step["seconds"]), 1), "outcome": str(step["outcome"])}
            for step in _mappings(options.get("steps"))
        ],
        "versions": dict(versions),
    }
    secrets = sorted((str(value) for value in options.get("secrets") or () if len(str(value)) >= 4), key=len)[::-1]
    cleaned: dict[str, Any] = _each_text(document, lambda text: plain(redacted(text, secrets)))
    return cleaned


def _verdict(verification: Mapping[str, Any], failure: str, check_mode: bool) -> str:
    if failure:
        return "failed"
    if not verification.get("passed"):
        # Check mode tolerates the failure of a state that the changes would replace.
        return "failed" if "passed" in verification and not check_mode else "not_verified"
    return "passed"


def _diagnosis(diagnosis: Mapping[str, Any], verification: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "cause": str(diagnosis.get("cause") or ""),
        "explanation": str(diagnosis.get("explanation") or verification.get("message") or ""),
        "remedy": str(diagnosis.get("remedy") or ""),
        "evidence": _texts(diagnosis.get("evidence")),
    }


def _browser(browser: Mapping[str, Any]) -> dict[str, Any] | None:
    if not browser:
        return None
    return {
        "available": bool(browser.get("available")),
        "passed": bool(browser.get("passed")),
        "cause": str(browser.get("cause") or ""),
        "explanation": str(browser.get("explanation") or ""),
        "remedy": str(browser.get("remedy") or ""),
        "evidence": _texts(browser.get("evidence")),
        "websocket": browser.get("websocket"),
        "console": _texts(browser.get("console")),
        "screenshot": "screenshot.png" if browser.get("screenshot") else "",
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, Sequence) else []


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, Sequence) and not isinstance(value, str) else []


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    """The same structure, of plain types, with each text changed."""
    if isinstance(value, str):
        return change(str(value))
    if isinstance(value, Mapping):
        return {change(str(key)): _each_text(each, change) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_each_text(each, change) for each in value]
    return value
