"""The page of the findings names every finding with its level, and no other; each is provoked by a test."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ansible_collections.codeframe.staging.plugins.module_utils._preflight import finding as _preflight
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from bad_inputs import ERRORS, GOOD, WARNINGS

ROOT = Path(__file__).resolve().parents[5]
SOURCES = (
    "plugins/module_utils/_preflight/inputs.py",
    "plugins/module_utils/_preflight/kinds.py",
    "plugins/module_utils/_preflight/host.py",
    "plugins/modules/preflight_info.py",
)
#: Where findings are compared by their names that no table of inputs can provoke.
TESTS = (
    "tests/unit/plugins/module_utils/_preflight/test_inputs.py",
    "tests/unit/plugins/modules/test_preflight_info.py",
    "tests/integration/test_preflight_host.py",
)


def _documented() -> dict[str, str]:
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]*\| ([a-z, ]+) \|", (ROOT / "docs/variables.md").read_text("utf-8"), re.M)
    assert len(rows) == len({name for name, _level in rows}), "a finding stands there twice"
    return dict(rows)


def test_every_finding_of_the_code_is_documented_and_no_other() -> None:
    code = "".join((ROOT / name).read_text("utf-8") for name in SOURCES)
    called = set(re.findall(r"\b(?:add|finding)\(\s*\"([a-z-]+)\"", code))
    passed = set(re.findall(r"_check_names\(inputs, \w+, \"([a-z-]+)\"", code))
    assert called | passed == set(_documented())


def test_the_levels_are_those_of_the_code() -> None:
    assert _documented() == {
        name: f"{_preflight.OPINIONS[name]}, opinion" if name in _preflight.OPINIONS else "error"
        for name in _documented()
    }


def test_opinions_are_on_findings_that_exist() -> None:
    assert set(_preflight.OPINIONS) <= set(_documented())


def test_every_finding_is_provoked_by_a_test() -> None:
    provoked = {item.name for _id, changes, _said in (*ERRORS, *WARNINGS) for item in check_inputs({**GOOD, **changes})}
    asserted = set()
    for path in TESTS:
        for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
            if isinstance(node, ast.Assert) or (
                isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.param"
            ):
                asserted |= {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
    assert set(_documented()) - provoked - asserted == set()
