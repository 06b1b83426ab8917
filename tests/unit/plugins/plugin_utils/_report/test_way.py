"""The way from the browser to the backend."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.document import build_document
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.way import parts_of
from report_samples import CHECK, VERIFICATION


def states(results: list[dict[str, Any]], browser: dict[str, Any] | None = None) -> list[str]:
    verification = {**VERIFICATION, "results": results, "page": {}, "browser": browser or {}}
    given = {"application": "a", "host": "h", "verification": verification}
    return [part.state for part in parts_of(build_document(given, finished_at="", versions={}))]


def check(vantage: str, passed: bool, transport: str = "websocket") -> dict[str, Any]:
    return {**CHECK, "vantage": vantage, "passed": passed, "transport": transport}


BROWSER = {"available": True, "passed": True}
GOOD, BAD, UNKNOWN = "passed", "failed", "not checked"


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        pytest.param([("direct", True), ("proxy", True), ("public", True)], [UNKNOWN, GOOD, GOOD, GOOD], id="all"),
        pytest.param(
            [("direct", True), ("proxy", False), ("public", False)], [UNKNOWN, UNKNOWN, BAD, GOOD], id="proxy"
        ),
        pytest.param([("direct", False), ("proxy", False)], [UNKNOWN, UNKNOWN, UNKNOWN, BAD], id="backend"),
        pytest.param([("direct", True), ("proxy", True), ("public", False)], [UNKNOWN, BAD, GOOD, GOOD], id="network"),
        # Who passes from outside has passed all that is inside.
        pytest.param([("public", True)], [UNKNOWN, GOOD, GOOD, GOOD], id="public-alone"),
        pytest.param([], [UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN], id="nothing"),
    ],
)
def test_a_vantage_point_clears_or_accuses(seen: list[tuple[str, bool]], expected: list[str]) -> None:
    browser, _scripts, *rest = states([check(*each) for each in seen])
    assert [browser, *rest] == expected


def test_a_browser_that_passed_clears_everything() -> None:
    assert states([], browser=BROWSER) == [GOOD, UNKNOWN, GOOD, GOOD, GOOD]
    assert states([check("public", True)], browser={**BROWSER, "passed": False})[0] == BAD
    assert states([], browser={"available": False})[0] == UNKNOWN


def test_an_event_stream_is_no_part_of_the_way_of_the_websocket() -> None:
    assert states([check("direct", True), check("direct", False, "sse")])[-1] == GOOD


def test_two_endpoints_of_a_vantage_point_must_both_pass() -> None:
    assert states([check("direct", True), check("direct", False)])[-1] == BAD
