"""Record which applications passed and write the table of docs/applications.md: ``application_table.py LOG``."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from application_shapes import SHAPES as PAGES
from application_shapes import Shape
from backend_shapes import SHAPES as BACKENDS
from backend_shapes import BackendShape

SHAPES: tuple[Shape | BackendShape, ...] = (*PAGES, *BACKENDS)
_ROOT = Path(__file__).resolve().parents[1]
PAGE = _ROOT / "docs" / "applications.md"
#: By application, the digest of what was tried and the steps that it passed.
RESULTS = _ROOT / "tests" / "application_results.json"
#: Begins the line of an application in the output of the tests.
MARK = "application: "
BEGIN, END = "<!-- made by make test-applications -->\n", "<!-- end -->\n"
STEPS = ("deployed", "re-run unchanged", "changed URL baked", "rollback")


@dataclass(frozen=True)
class Tried:
    """What was seen of an application.

    :param digest: Of the application as it was tried.
    :param steps: Those that it passed, with the seconds that they took.
    """

    digest: str
    steps: Mapping[str, int]

    def line(self, name: str) -> str:
        """The line in the output of the tests."""
        return MARK + json.dumps({name: {"digest": self.digest, "steps": dict(self.steps)}})


Results = Mapping[str, Tried]


def results_of(text: str) -> dict[str, Tried]:
    """Read recorded results."""
    return {name: Tried(value["digest"], value["steps"]) for name, value in json.loads(text).items()}


def results_in(output: str) -> dict[str, Tried]:
    """Return the results in the output of the tests."""
    lines = (line[len(MARK) :] for line in output.splitlines() if line.startswith(MARK))
    return {name: tried for line in lines for name, tried in results_of(line).items()}


def recorded(results: Results) -> str:
    """Return the text of a file of results, in the order of the applications."""
    known = {shape.name: results[shape.name] for shape in SHAPES if shape.name in results}
    return (
        json.dumps({name: {"digest": each.digest, "steps": dict(each.steps)} for name, each in known.items()}, indent=1)
        + "\n"
    )


def table(results: Results) -> str:
    """Return the table; an application that was changed since it was tried counts as not tried."""
    lines = [f"| Application | Versions | {' | '.join(STEPS)} |", "|---" * (2 + len(STEPS)) + "|"]
    for shape in SHAPES:
        tried = results.get(shape.name)
        if tried is None or tried.digest != shape.digest:
            cells = ["not run"] * len(STEPS)
        else:
            cells = ["yes" if step in tried.steps else "no" for step in STEPS]
        lines.append(f"| {' | '.join([shape.title, shape.versions, *cells])} |")
    return "\n".join(lines) + "\n"


def with_table(page: str, results: Results) -> str:
    """Return the text of the page with the table."""
    before, _, rest = page.partition(BEGIN)
    return before + BEGIN + table(results) + END + rest.partition(END)[2]


def main() -> None:
    """Add the results of a run to the recorded ones, and write the table."""
    output = Path(sys.argv[1]).read_text(encoding="utf-8")
    results = {**results_of(RESULTS.read_text(encoding="utf-8")), **results_in(output)}
    RESULTS.write_text(recorded(results), encoding="utf-8")
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")


if __name__ == "__main__":
    main()
