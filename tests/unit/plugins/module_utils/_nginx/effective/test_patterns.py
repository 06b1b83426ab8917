"""Regular expressions of nginx."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.patterns import python_regex


@pytest.mark.parametrize(
    ("pattern", "ignore_case", "text", "expected"),
    [
        pytest.param("^/w", False, "/ws", True, id="plain"),
        pytest.param("^/W", False, "/ws", False, id="case-counts"),
        pytest.param("^/W", True, "/ws", True, id="case-is-ignored"),
        pytest.param("^/(?<rest>.*)$", False, "/ws", True, id="named-group-of-pcre"),
        pytest.param("(?<=/)ws", False, "/ws", True, id="look-behind"),
        pytest.param("(?<!/)ws", False, "/ws", False, id="negative-look-behind"),
        pytest.param("[[:upper:]]s", False, "/Ws", True, id="class-of-pcre"),
        pytest.param("[[:upper:]]s", False, "/ws", False, id="class-that-does-not-match"),
        pytest.param(r"^/\w$", False, "/\u00e4", False, id="ascii-only"),
    ],
)
def test_a_pattern_matches_as_in_nginx(pattern: str, ignore_case: bool, text: str, expected: bool) -> None:
    compiled = python_regex(pattern, ignore_case)
    assert compiled is not None
    assert (compiled.search(text) is not None) is expected


@pytest.mark.parametrize("pattern", ["[[:punct:]]", "\\Qws", "("])
def test_a_pattern_that_python_cannot_express_is_none(pattern: str) -> None:
    assert python_regex(pattern, ignore_case=False) is None
