# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run for a terminal, in the order in which a person asks (pure).

Did it work; where; what failed, why, and what to do; what is active now; what changed; what was proven and for how
long; time by step; where the report is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.codeframe.staging.plugins.plugin_utils._steps import wrap

_LABEL_WIDTH = 11
# Details of a check that passed and that only the report needs.
_DETAILS = re.compile(r", \d+ further handshakes|(?<=idle timeout )(\d+ s) by [^,)]+")
_SILENT = re.compile(r"held (\d+\.\d) s, longest silence \1 s")
_MAX_EVIDENCE = 3
_MAX_SEEN = 10
_MAX_STEPS = 3


def summary_lines(
    document: Mapping[str, Any], *, width: int, report_path: str = "", report_problem: str = ""
) -> list[str]:
    """Lines of at most ``width`` columns, unless a single word is longer.

    :param document: What :func:`document.build_document` returns.
    :param report_path: Page of the report, empty if none was written.
    :param report_problem: Why none could be written.
    """
    failed = document["verdict"] == "failed"
    entries: list[tuple[str, str]] = [
        ("Verdict", _verdict(document)),
        ("Page", document["urls"]["page"]),
        ("WebSocket", document["urls"]["websocket"]),
        *(("TLS", line) for line in document["proxy"]["tls"]),
        *(_failure(document) if failed else ()),
        ("Outcome", _sentence(document["outcome"])),
    ]
    release = document["release"]
    if release["id"]:
        entries.append(("Release", f"{release['id']}, source revision {release['revision'][:12]}"))
    lines = [line for label, text in entries if text for line in _entry(label, text, width)]
    lines += _changes(document, width)
    for label, checks in (
        ("Checked" if failed else "At present" if document["verdict"] != "passed" else "Proven", document["proven"]),
        ("After the rollback", document["restored"]["lines"]),
    ):
        if checks:
            lines.append(f"{label}:")
            lines += [
                text
                for check in checks
                for text in wrap(_short(_told_once(check, document)), "  ", width, indent="    ")
            ]
    for subject, seen in document["findings"].items():
        lines.append(f"{subject}:")
        more = [f"{len(seen) - _MAX_SEEN} more lines are in the report"] if len(seen) > _MAX_SEEN else []
        lines += [text for each in [*seen[:_MAX_SEEN], *more] for text in wrap(each, "  ", width, indent="    ")]
    lines += [
        line for label, text in _rest(document, report_path, report_problem) for line in _entry(label, text, width)
    ]
    return lines


def _verdict(document: Mapping[str, Any]) -> str:
    kind, cause = document["kind"], document["diagnosis"]["cause"]
    if document["verdict"] == "passed":
        now = (
            " now; the state after the changes is only predicted"
            if document["check_mode"] and document["changes"]
            else ""
        )
        return f"the WebSocket works{now}"
    if document["verdict"] == "failed" and kind == "diagnosis":
        return f"FAILED, the WebSocket does not work{f' ({cause})' if cause not in ('', 'none') else ''}"
    if document["verdict"] == "failed":
        step = f' in "{document["failed_step"]}"' if document["failed_step"] else ""
        return f"FAILED, the {kind} stopped{step}{f' ({cause})' if cause not in ('', 'none') else ''}"
    if document["check_mode"] and document["proven"]:
        return "none, since a state that is only predicted cannot be verified"
    return "none, the verification was left out"


def _failure(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    diagnosis = document["diagnosis"]
    known = diagnosis["cause"] not in ("", "none")
    evidence = [("Seen", line) for line in diagnosis["evidence"][:_MAX_EVIDENCE]]
    return [
        ("Why", _sentence(diagnosis["explanation"] if known else document["failure"] or diagnosis["explanation"])),
        ("To do", _sentence(diagnosis["remedy"])),
        *(evidence if known else ()),
        ("Proxy", _sentence(document["proxy"]["evidence"])),
    ]


def _changes(document: Mapping[str, Any], width: int) -> list[str]:
    changes: Mapping[str, Sequence[str]] | None = document["changes"]
    if document["kind"] not in ("deployment", "rollback") or (document["kind"] == "rollback" and not changes):
        return []
    if not changes:
        return [_label("Changed") + "nothing"]
    head = (
        "Would change:"
        if document["check_mode"]
        else "Changed before the failure:"
        if document["verdict"] == "failed"
        else "Changed:"
    )
    return [head] + [
        line
        for layer, reasons in changes.items()
        for line in wrap(f"{layer}: {'; '.join(reasons)}", "  ", width, indent="    ")
    ]


def _rest(document: Mapping[str, Any], path: str, problem: str) -> list[tuple[str, str]]:
    shared = document["shared_data"]
    entries = [("Data", f"what outlives releases is in {', '.join(shared)}")] if shared else []
    entries += [
        (
            "Data",
            f"release {release} is old and not deleted, because the application has written in it: {', '.join(paths)}",
        )
        for release, paths in document["kept_for_data"].items()
    ]
    entries += [
        ("Downtime", f"the {part} refused connections for {seconds:g} s while its process was replaced")
        for part, seconds in document["downtime_s"].items()
    ]
    entries += [("Time", text) for text in [_time(document)] if text]
    if path or problem:
        entries.append(("Report", path or f"none, {problem}"))
    return entries


def _time(document: Mapping[str, Any]) -> str:
    total = document["duration_s"]
    slowest = sorted(document["steps"], key=lambda step: -float(step["seconds"]))[:_MAX_STEPS]
    parts = [f"{step['name']} {step['seconds']:.0f} s" for step in slowest if step["seconds"] >= 1]
    listed = f": {', '.join(parts)}" if parts else ""
    return f"{total:.0f} s{listed}" if total is not None else listed[2:]


def _told_once(line: str, document: Mapping[str, Any]) -> str:
    """A line of a check without the explanation that the summary has given already."""
    explanation = document["diagnosis"]["explanation"] if document["verdict"] == "failed" else ""
    return line.replace(f": {explanation}", "") if explanation else line


def _short(line: str) -> str:
    """The line of a check that passed, on one line of most terminals."""
    if ": passed (" not in line:
        return line
    return _SILENT.sub(r"held \1 s in silence", _DETAILS.sub(lambda found: found[1] or "", line))


def _sentence(text: str) -> str:
    text = text.strip()
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def _label(label: str) -> str:
    return f"{label + ':':<{_LABEL_WIDTH}}"


def _entry(label: str, text: str, width: int) -> list[str]:
    return wrap(text, _label(label), width, indent=" " * _LABEL_WIDTH)
