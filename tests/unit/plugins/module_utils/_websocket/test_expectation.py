"""JSON subsets and regular expressions."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.expectation import (
    ExpectationError,
    contains,
    parse_expectation,
)
from hypothesis import given, settings
from hypothesis import strategies as st

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "wanted", "held"),
    [
        pytest.param({"a": 1, "b": 2}, {"a": 1}, True, id="further-key"),
        pytest.param({"a": {"b": 1, "c": 2}}, {"a": {"c": 2}}, True, id="deep"),
        pytest.param({"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}, True, id="in-a-list"),
        pytest.param({"a": [1, 2]}, {"a": [1]}, False, id="longer-list"),
        pytest.param({"a": None}, {"b": None}, False, id="missing-key-is-not-null"),
        pytest.param({"a": 1}, {"a": True}, False, id="one-is-not-true"),
        pytest.param({"a": True}, {"a": 1}, False, id="true-is-not-one"),
        pytest.param({"a": 1.0}, {"a": 1}, True, id="same-number"),
        pytest.param({}, {}, True, id="empty"),
        pytest.param("text", {"a": 1}, False, id="no-object"),
    ],
)
def test_subsets(value: Any, wanted: Any, held: bool) -> None:
    assert contains(value, wanted) is held


@given(JSON)
@settings(max_examples=50)
def test_everything_contains_itself(value: Any) -> None:
    assert contains(value, value)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=3), JSON, max_size=4), st.text(max_size=4), JSON)
def test_a_further_key_never_hurts(value: dict[str, Any], key: str, more: Any) -> None:
    assert contains({key: more, **value}, value)


@pytest.mark.parametrize(
    ("raw", "message", "met"),
    [
        ("pong$", '{"type":"pong"}', False),
        ("^pong$", "pong", True),
        ({"type": "pong"}, '{"type": "pong", "id": 3}', True),
        ({"type": "pong"}, "no json", False),
        ({"type": "pong"}, b'{"type": "pong"}', True),
        ({"type": "pong"}, "[" * 100000, False),
        (None, "anything", True),
    ],
)
def test_messages(raw: Any, message: str | bytes, met: bool) -> None:
    assert parse_expectation(raw).met_by(message) is met


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(
            ["pong"],
            "expect is a list; expected a mapping (JSON subset) or a string (regular expression)",
            id="list",
        ),
        pytest.param(
            1, "expect is a int; expected a mapping (JSON subset) or a string (regular expression)", id="number"
        ),
        pytest.param(
            "(pong",
            "expect is '(pong', which is not a regular expression (missing ), unterminated subpattern at position 0)",
            id="open-group",
        ),
    ],
)
def test_what_is_no_expectation_is_refused(raw: Any, message: str) -> None:
    with pytest.raises(ExpectationError) as caught:
        parse_expectation(raw)
    assert str(caught.value) == message
