"""Write the table of docs/applications.md from the output of the tests: ``python tests/application_table.py LOG``."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path

from application_shapes import SHAPES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "applications.md"
#: Begins the line of an application that passed every step.
MARK = "application passed: "
BEGIN, END = "<!-- made by make test-applications -->\n", "<!-- end -->\n"
_STEPS = ("deployed", "re-run unchanged", "changed URL baked", "rollback")


def passed_in(output: str) -> set[str]:
    """Return the titles of the applications that passed in a run."""
    return {line[len(MARK) :] for line in output.splitlines() if line.startswith(MARK)}


def table(passed: Collection[str]) -> str:
    """Return the table of the applications that passed."""
    lines = [f"| Application | {' | '.join(_STEPS)} |", "|---" * (1 + len(_STEPS)) + "|"]
    lines += [f"| {shape.title} |{' yes |' * len(_STEPS)}" for shape in SHAPES if shape.title in passed]
    return "\n".join(lines) + "\n"


def shown(page: str) -> set[str]:
    """Return the titles in the table of a page."""
    rows = page.partition(BEGIN)[2].partition(END)[0].splitlines()[2:]
    return {row.split("|")[1].strip() for row in rows}


def main() -> None:
    """Write the table."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    output = Path(sys.argv[1]).read_text(encoding="utf-8")
    PAGE.write_text(before + BEGIN + table(passed_in(output)) + END + after, encoding="utf-8")


if __name__ == "__main__":
    main()
