# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as HTML: one file, without scripts and without anything from elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from .charts import PHASES, curve, history, holds, waterfalls
from .way import parts_of

_TEMPLATES = Path(__file__).with_name("templates")
#: A report stays below 1 MB: a larger picture is linked instead.
_LARGEST_PICTURE = 600_000
WATERFALL_WIDTH, CURVE_WIDTH, CURVE_HEIGHT = 560.0, 640.0, 120.0


def render_report(document: Mapping[str, Any], screenshot: bytes = b"") -> str:
    """The page of one report.

    :param screenshot: A PNG.
    """
    picture = ""
    if screenshot:
        small = len(screenshot) <= _LARGEST_PICTURE
        picture = (
            f"data:image/png;base64,{base64.b64encode(screenshot).decode()}"
            if small
            else document["browser"]["screenshot"]
        )
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            document=document,
            parts=parts_of(document),
            phases=PHASES,
            waterfalls=waterfalls(document["checks"], WATERFALL_WIDTH),
            curves=[_curve_of(check) for check in document["checks"] if check["samples"]],
            holds=holds(document["checks"], CURVE_WIDTH),
            picture=picture,
            width=CURVE_WIDTH,
            height=CURVE_HEIGHT,
        )
    )


def render_index(groups: Mapping[tuple[str, str], Sequence[tuple[str, Mapping[str, Any]]]]) -> str:
    """The page over all reports.

    :param groups: As :meth:`ReportStore.all_documents` returns them.
    """
    shown = [
        {
            "application": application,
            "host": host,
            "dots": history([document for _path, document in reports], CURVE_WIDTH, CURVE_HEIGHT),
            "reports": [{"path": path, "document": document} for path, document in reversed(reports)],
        }
        for (application, host), reports in sorted(groups.items())
    ]
    return _environment().get_template("index.html.j2").render(groups=shown, width=CURVE_WIDTH, height=CURVE_HEIGHT)


def _curve_of(check: Mapping[str, Any]) -> dict[str, Any]:
    samples = [(float(at), float(seconds)) for at, seconds in check["samples"]]
    return {
        "name": check["name"],
        "points": curve(samples, CURVE_WIDTH, CURVE_HEIGHT),
        "slowest_s": max(seconds for _at, seconds in samples),
        "until_s": samples[-1][0],
    }


def _milliseconds(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "under 1 ms"


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["ms"] = _milliseconds
    return environment
