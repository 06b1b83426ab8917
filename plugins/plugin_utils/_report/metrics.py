# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report as metrics in the text format of Prometheus (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

_PREFIX = "codeframe_staging_"


class _Metrics:
    def __init__(self, labels: Mapping[str, str]) -> None:
        self._labels = labels
        self._lines: dict[str, list[str]] = {}

    def add(self, name: str, text: str, value: float, **labels: str) -> None:
        shown = ",".join(f'{key}="{_escaped(each)}"' for key, each in {**self._labels, **labels}.items())
        name = _PREFIX + name
        self._lines.setdefault(name, [f"# HELP {name} {text}", f"# TYPE {name} gauge"]).append(
            f"{name}{{{shown}}} {value:.10g}"
        )

    def text(self) -> str:
        return "\n".join(line for lines in self._lines.values() for line in lines) + "\n"


def metrics_of(document: Mapping[str, Any]) -> str:
    """The text, which ends with a newline. A value that is not known has no line."""
    metrics = _Metrics({"application": document["application"], "host": document["host"]})
    finished = datetime.fromisoformat(document["finished_at"].replace("Z", "+00:00")).timestamp()
    metrics.add("finished_timestamp_seconds", "When the run ended.", finished)
    if document["verdict"] != "not_verified":
        metrics.add("passed", "Whether the verification passed.", float(document["verdict"] == "passed"))
    for check in document["checks"]:
        labels = {"vantage": str(check["vantage"]), "check": str(check["name"]), "transport": str(check["transport"])}
        metrics.add(
            "check_passed", "Whether the check from this vantage point passed.", float(check["passed"]), **labels
        )
        for phase, seconds in (check["phases"] or {}).items():
            if seconds is not None:
                metrics.add("phase_seconds", "Seconds of a phase of the check.", float(seconds), phase=phase, **labels)
        trips = check["round_trips"] or {}
        for quantile, key in (("0.5", "median"), ("0.95", "p95"), ("1", "max")):
            if trips.get(key) is not None:
                metrics.add(
                    "round_trip_seconds", "Round trips during the hold.", float(trips[key]), quantile=quantile, **labels
                )
        for name, text in (
            ("held", "Seconds for which the connection was held."),
            ("longest_silence", "Longest time without a byte."),
        ):
            if check[f"{name}_s"] is not None:
                metrics.add(f"{name}_seconds", text, float(check[f"{name}_s"]), **labels)
        days = (check["tls"] or {}).get("expires_in_days")
        if days is not None:
            metrics.add("certificate_expires_days", "Days until the certificate expires.", float(days), **labels)
    return metrics.text()


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
