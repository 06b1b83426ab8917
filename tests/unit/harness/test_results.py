from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import reliability
from deployment import CHECKOUT
from matrix import read_drifts
from results import read_results, recorded

ROOT = Path(__file__).resolve().parents[3]


def test_a_row_is_recorded_beside_the_others_whether_it_passes_or_not(tmp_path: Path) -> None:
    with recorded("drift", "second", directory=tmp_path, digest="b") as found:
        found["ended"] = "repaired"
    with pytest.raises(ValueError, match="no"), recorded("drift", "first", directory=tmp_path, digest="a"):
        raise ValueError("no")
    assert read_results("drift", tmp_path) == {
        "first": {"digest": "a", "passed": False},
        "second": {"digest": "b", "ended": "repaired", "passed": True},
    }
    lines = (tmp_path / "drift.json").read_text().splitlines()
    assert [line[:8] for line in lines] == ["{", '"first":', '"second"', "}"]


def test_a_result_of_an_earlier_form_of_a_row_is_none(tmp_path: Path) -> None:
    with recorded("faults", "row", directory=tmp_path, digest="before"):
        pass
    assert read_results("faults", tmp_path, {"row": "now"}) == {}
    assert set(read_results("faults", tmp_path, {"row": "before"})) == {"row"}


def test_the_digest_of_a_row_is_that_of_what_it_does() -> None:
    first, second = read_drifts()[:2]
    assert first.digest != second.digest
    assert first.digest == read_drifts()[0].digest


def test_the_page_of_the_reliability_is_made_of_the_results(tmp_path: Path) -> None:
    reliability.main(tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text() == reliability.PAGE.read_text(), "make reliability"


def test_the_page_of_the_performance_is_made_of_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    spec = importlib.util.spec_from_file_location("performance", ROOT / "benchmarks/performance.py")
    assert spec is not None
    assert spec.loader is not None
    performance: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "performance", performance)
    spec.loader.exec_module(performance)
    results = json.loads(performance.RESULTS.read_text())
    assert performance.render(results) == performance.PAGE.read_text()
    figure = performance.Figure("deploy", (3.0, 1.0, 2.0), "(a) empty", 2.0, 0.5)
    kept = [performance.Figure("(a) empty", (0.5,)).kept(), figure.kept()]
    line = "| deploy | 3 | 1.0 / 2.0 / 3.0 | 4.0 x (a) | 2 x (a) + 0.5 s, **missed** |"
    assert line in performance.render({"reruns": kept})


def test_a_result_does_not_name_the_directory_of_the_checkout(tmp_path: Path) -> None:
    with recorded("faults", "one", directory=tmp_path) as found:
        found["words"] = f"Origin: {CHECKOUT}/playbooks/deploy_staging.yml:1"
    assert read_results("faults", tmp_path)["one"]["words"] == "Origin: playbooks/deploy_staging.yml:1"
