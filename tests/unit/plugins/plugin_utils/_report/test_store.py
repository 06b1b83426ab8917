"""The directory of the reports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.store import (
    ReportStore,
    directory_name,
    write_metrics,
)

NOW = 1_767_323_045.0  # 2026-01-02T03:04:05Z


def files_of(application: str = "app", host: str = "web1", **fields: Any) -> dict[str, bytes | str]:
    document = {"version": 1, "application": application, "host": host, "verdict": "passed", **fields}
    return {"report.json": json.dumps(document), "report.html": "<p>"}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("codeframe", "codeframe"),
        ("web1.example.com", "web1.example.com"),
        ("../../etc", "etc"),
        ("a/b c\n", "a-b-c-"),
        (".hidden", "hidden"),
        ("..", "unnamed"),
        ("", "unnamed"),
    ],
)
def test_a_name_is_one_directory(text: str, name: str) -> None:
    assert directory_name(text) == name


def test_reports_of_one_second_keep_their_order(tmp_path: Path) -> None:
    store = ReportStore(str(tmp_path), "app", "web1")
    made = [store.add(files_of(number=number), NOW).name for number in range(12)]
    assert made[:3] == ["20260102T030405Z", "20260102T030405Z-2", "20260102T030405Z-3"]
    latest = store.latest()
    assert latest is not None
    assert latest["number"] == 11


def test_only_the_oldest_reports_of_this_host_are_deleted(tmp_path: Path) -> None:
    other = ReportStore(str(tmp_path), "app", "web2").add(files_of(host="web2"), NOW - 100)
    store = ReportStore(str(tmp_path), "app", "web1")
    made = [store.add(files_of(), NOW + number) for number in range(4)]
    notes = tmp_path / "app/web1/notes"
    notes.mkdir()
    linked = tmp_path / "app/web1/20200101T000000Z"
    linked.symlink_to(tmp_path / "app/web2")
    store.prune(2)
    assert [path.exists() for path in made] == [False, False, True, True]
    assert other.exists()
    assert notes.exists()
    assert linked.is_symlink()
    store.prune(0)
    assert made[3].exists()


def test_all_reports_are_found_by_application_and_host(tmp_path: Path) -> None:
    first = ReportStore(str(tmp_path), "a b", "web1").add(files_of("a b", "web1"), NOW)
    ReportStore(str(tmp_path), "a b", "web1").add(files_of("a b", "web1"), NOW + 1)
    ReportStore(str(tmp_path), "app", "web2").add(files_of("app", "web2"), NOW)
    damaged = ReportStore(str(tmp_path), "app", "web2").add({"report.json": "{"}, NOW + 2)
    newer = ReportStore(str(tmp_path), "app", "web2").add(files_of("app", "web2", version=2), NOW + 3)
    found = ReportStore(str(tmp_path), "app", "web2").all_documents()
    assert {key: len(reports) for key, reports in found.items()} == {("a b", "web1"): 2, ("app", "web2"): 1}
    assert found["a b", "web1"][0][0] == str(first.relative_to(tmp_path))
    assert damaged.exists()
    assert newer.exists()


def test_without_a_report_there_is_no_latest(tmp_path: Path) -> None:
    assert ReportStore(str(tmp_path / "none"), "app", "web1").latest() is None


def test_the_metrics_replace_the_previous_ones(tmp_path: Path) -> None:
    write_metrics(str(tmp_path), "a b", "web1", "x 1\n")
    write_metrics(str(tmp_path), "a b", "web1", "x 2\n")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"codeframe_staging_a-b_web1.prom": "x 2\n"}
    with pytest.raises(FileNotFoundError):
        write_metrics(str(tmp_path / "none"), "a", "b", "")
