"""The document of a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.document import CHECK_FIELDS, build_document
from report_samples import CHECK, FAILED, VERIFICATION


def document(**options: Any) -> dict[str, Any]:
    given = {"application": "app", "host": "web1", **options}
    return build_document(given, finished_at="2026-01-02T03:04:05Z", versions={"ansible-core": "2.19.4"})


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({}, "not_verified"),
        ({"failure": "Build the frontend: no such script"}, "failed"),
        ({"verification": VERIFICATION}, "passed"),
        ({"verification": {**VERIFICATION, "passed": False}}, "failed"),
        # Verified, and then the state could not be recorded.
        ({"verification": VERIFICATION, "failure": "Commit the verified state: disk full"}, "failed"),
    ],
)
def test_the_verdict_is_that_of_the_verification_unless_the_run_failed(options: dict[str, Any], verdict: str) -> None:
    assert document(**options)["verdict"] == verdict


def test_a_check_has_all_fields_also_those_that_it_did_not_return() -> None:
    [first, *_rest] = document(verification={**VERIFICATION, "results": [{"name": "a", "passed": True}]})["checks"]
    assert list(first) == list(CHECK_FIELDS)
    assert (first["name"], first["phases"]) == ("a", None)


def test_only_layers_and_parts_that_changed_are_listed() -> None:
    found = document(changes={"proxy": ["map missing"], "backend": []}, downtime_s={"backend": 1.25, "frontend": None})
    assert found["changes"] == {"proxy": ["map missing"]}
    assert found["downtime_s"] == {"backend": 1.25}


def test_the_texts_that_differ_are_a_unified_diff_by_layer() -> None:
    site = {"before_header": "disk", "after_header": "wanted", "before": "a\nsecret-1\n", "after": "a\nc\n"}
    found = document(diffs={"proxy": [site], "env_file": [], "build": [{"prepared": "x\ny"}]}, secrets=["secret-1"])
    assert found["diffs"] == {
        "proxy": ["--- disk", "+++ wanted", "@@ -1,2 +1,2 @@", " a", "-********", "+c"],
        "build": ["x", "y"],
    }
    [long] = document(diffs={"proxy": [{"before": "", "after": "line\n" * 500}]})["diffs"].values()
    assert (len(long), long[-1]) == (201, "and 303 more lines")


def test_what_a_host_says_neither_acts_on_a_terminal_nor_keeps_a_report_from_being_written() -> None:
    hostile = "\x1b]0;title\x07 \x9b2J \x85 \u202egnp.exe\u2066 \ud800 \uffff \ufffe"
    found = document(
        failure=hostile,
        outcome=hostile,
        changes={hostile: [hostile]},
        kept_for_data={hostile: [hostile]},
        downtime_s={"backend": "soon", "frontend": [1]},
    )
    assert {found["failure"], found["outcome"], *found["changes"], *found["kept_for_data"]} == {
        "]0;title 2J  gnp.exe   "
    }
    assert found["downtime_s"] == {}
    json.dumps(found, ensure_ascii=False).encode()


def test_a_secret_is_nowhere_in_the_document_and_no_control_character() -> None:
    check = {**CHECK, "evidence": ["sent token=s3cret-token", "\x1b[31mred\x1b[0m\x07"], "explanation": "s3cret-token"}
    found = document(
        verification={
            **VERIFICATION,
            "results": [check],
            "message": "s3cret-token and s3cret",
            "browser": {"available": True, "passed": False, "console": ["s3cret-token"]},
        },
        failure="s3cret-token",
        changes={"env file": ["s3cret-token"]},
        secrets=["s3cret", "s3cret-token", "abc"],
        outcome="abc is too short to be hidden",
    )
    assert "s3cret" not in repr(found)
    assert found["checks"][0]["evidence"] == ["sent token=********", "red"]
    assert found["outcome"].startswith("abc")


def test_directives_are_sorted_and_say_where_they_stand() -> None:
    effective = {
        "proxy_read_timeout": {"value": "86400s", "where": "/etc/nginx/sites-enabled/app:30", "context": "location"},
        "proxy_http_version": {"value": "1.1", "where": None, "context": None},
    }
    assert document(proxy_directives=effective)["proxy"]["directives"] == [
        {"name": "proxy_http_version", "value": "1.1", "where": None},
        {"name": "proxy_read_timeout", "value": "86400s", "where": "/etc/nginx/sites-enabled/app:30"},
    ]


def test_without_a_browser_check_there_is_none() -> None:
    assert document()["browser"] is None
    assert (
        document(verification={"browser": {"available": False, "explanation": "no browser"}})["browser"]["available"]
        is False
    )


@pytest.mark.parametrize("verification", [{}, VERIFICATION, FAILED, {**VERIFICATION, "browser": {"available": False}}])
def test_a_document_is_what_its_schema_says(verification: dict[str, Any]) -> None:
    schema = json.loads((Path(__file__).resolve().parents[5] / "docs/report.schema.json").read_text(encoding="utf-8"))
    made = document(verification=verification, changes={"proxy": ["x"]}, downtime_s={"backend": 1.5})
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(made)), schema)
