"""What a finding says, and at which level."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._preflight.finding import (
    PreflightFinding,
    summary,
    with_levels,
    wrong_levels,
)


def finding(name: str = "port", level: str = "error", found: str = "") -> PreflightFinding:
    return PreflightFinding(name, "staging_hold", "10", found, "more", "write 65", level)


def test_a_sentence_has_value_expectation_and_remedy() -> None:
    assert finding().sentence == "staging_hold is 10; expected more; write 65"
    assert finding(found="it is less").sentence == "staging_hold is 10, but it is less; expected more; write 65"


def test_a_finding_as_a_dictionary() -> None:
    assert finding(found="it is less").as_dict() == {
        "finding": "port",
        "variable": "staging_hold",
        "value": "10",
        "found": "it is less",
        "expected": "more",
        "remedy": "write 65",
        "level": "error",
        "message": "staging_hold is 10, but it is less; expected more; write 65",
    }


def test_a_summary_marks_warnings() -> None:
    assert summary([]) == ""
    assert summary([finding(), finding(level="warning")]) == (
        "staging_hold is 10; expected more; write 65.\n(warning) staging_hold is 10; expected more; write 65."
    )


def test_levels_are_set_by_name_and_errors_come_first() -> None:
    found = [finding("memory", "warning"), finding(), finding("hold-short", "warning"), finding()]
    assert [(item.name, item.level) for item in with_levels(found, {"hold-short": "fail"})] == [
        ("port", "error"),
        ("hold-short", "error"),
        ("memory", "warning"),
    ]
    assert [item.level for item in with_levels([finding("user-root")], {"user-root": "warn"})] == ["warning"]


def test_a_level_that_cannot_be_set_is_refused() -> None:
    assert wrong_levels({"mixed-content": "warn", "hold-short": "loud", "memory": "fail"}) == [
        "mixed-content is not a finding whose level can be set",
        "hold-short is loud, expected warn or fail",
    ]
