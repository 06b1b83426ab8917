"""The page of the findings names every finding with its level, and no other; each is provoked by a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import finding
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from bad_inputs import ERRORS, GOOD, WARNINGS

ROOT = Path(__file__).resolve().parents[5]


def _documented() -> dict[str, str]:
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]*\| ([a-z, ]+) \|", (ROOT / "docs/preflight.md").read_text("utf-8"), re.M)
    assert len(rows) == len({name for name, _level in rows}), "a finding is listed twice"
    return dict(rows)


@pytest.mark.source
def test_every_finding_of_the_code_is_documented_and_no_other() -> None:
    code = "".join(path.read_text("utf-8") for path in ROOT.glob("plugins/module_utils/_preflight/*.py"))
    called = set(re.findall(r"\b(?:add|finding)\(\s*\"([a-z-]+)\"", code))
    passed = set(re.findall(r"_check_names\(inputs, \w+, \"([a-z-]+)\"", code))
    assert called | passed == set(_documented())


def test_the_levels_are_those_of_the_code() -> None:
    assert _documented() == {
        name: f"{finding.OPINIONS[name]}, opinion" if name in finding.OPINIONS else "error" for name in _documented()
    }


def test_opinions_are_on_findings_that_exist() -> None:
    assert set(finding.OPINIONS) <= set(_documented())


def test_every_finding_is_provoked_by_a_test() -> None:
    provoked = {item.name for _id, changes, _said in (*ERRORS, *WARNINGS) for item in check_inputs({**GOOD, **changes})}
    asserted = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Assert) or (
                isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.param"
            ):
                asserted |= {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
    assert set(_documented()) - provoked - asserted == set()
