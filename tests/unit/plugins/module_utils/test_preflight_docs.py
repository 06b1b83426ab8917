"""The page of the findings names every finding with its level, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from ansible_collections.codeframe.staging.plugins.module_utils import _preflight

ROOT = Path(__file__).resolve().parents[4]
SOURCES = (
    "plugins/module_utils/_preflight_inputs.py",
    "plugins/module_utils/_preflight_host.py",
    "plugins/modules/preflight_info.py",
)


def _documented() -> dict[str, str]:
    rows = re.findall(r"^\| `([a-z-]+)` \|[^|]*\| ([a-z, ]+) \|", (ROOT / "docs/variables.md").read_text("utf-8"), re.M)
    assert len(rows) == len({name for name, _level in rows}), "a finding stands there twice"
    return dict(rows)


def test_every_finding_of_the_code_is_documented_and_no_other() -> None:
    code = "".join((ROOT / name).read_text("utf-8") for name in SOURCES)
    called = set(re.findall(r"\b(?:add|finding)\(\s*\"([a-z-]+)\"", code))
    passed = set(re.findall(r"_check_names\(inputs, names, \"([a-z-]+)\"", code))
    assert called | passed == set(_documented())


def test_the_levels_are_those_of_the_code() -> None:
    assert _documented() == {
        name: f"{_preflight.OPINIONS[name]}, opinion" if name in _preflight.OPINIONS else "error"
        for name in _documented()
    }


def test_opinions_are_on_findings_that_exist() -> None:
    assert set(_preflight.OPINIONS) <= set(_documented())
