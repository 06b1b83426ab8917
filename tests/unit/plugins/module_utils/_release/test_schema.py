"""Checks of JSON documents: the value, or the field that is wrong."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.schema import (
    SchemaError,
    any_object,
    boolean,
    count,
    list_of,
    map_of,
    matching,
    object_of,
    optional,
    port,
    scalar,
    text,
)

# A check is made in the test that uses it, not on import, so that a change of its maker shows.
MAKERS = {
    "text": lambda: text,
    "boolean": lambda: boolean,
    "count": lambda: count,
    "port": lambda: port,
    "scalar": lambda: scalar,
    "any_object": lambda: any_object,
    "matching": lambda: matching(re.compile(r"[a-z]+\Z"), "lowercase letters"),
    "optional": lambda: optional(count),
    "list_of": lambda: list_of(count),
    "map_of": lambda: map_of(count),
    "map_of-matching": lambda: map_of(count, matching(re.compile(r"[a-z]+\Z"), "lowercase letters")),
    "object_of": lambda: object_of({"b": count, "a": list_of(object_of({"c": text}))}, required=("b",)),
}


@pytest.mark.parametrize(
    ("maker", "value"),
    [
        ("text", ""),
        ("text", "a b"),
        ("boolean", False),
        ("count", 0),
        ("port", 1),
        ("port", "65535"),
        ("scalar", None),
        ("scalar", 1.5),
        ("any_object", {"a": [None]}),
        ("matching", "abc"),
        ("optional", None),
        ("optional", 3),
        ("list_of", []),
        ("list_of", [1, 2]),
        ("map_of", {}),
        ("map_of", {"a": 1}),
        ("object_of", {"b": 1}),
        ("object_of", {"a": [{"c": "x"}, {}], "b": 1}),
    ],
)
def test_a_value_that_fits_is_returned(maker: str, value: Any) -> None:
    assert MAKERS[maker]()(value, "it") == value


@pytest.mark.parametrize(
    ("maker", "value", "message"),
    [
        ("text", None, "it is null, expected text"),
        ("text", "a\nb", "it holds control characters"),
        ("boolean", 0, "it is a number, expected true or false"),
        ("count", True, "it is true or false, expected a number"),
        ("count", -1, "it is -1, expected a number from 0"),
        ("port", None, "it is null, expected a port"),
        ("port", True, "it is true or false, expected a port"),
        ("port", 0, "it is '0', expected a port from 1 to 65535"),
        ("port", "65536", "it is '65536', expected a port from 1 to 65535"),
        ("scalar", [], "it is a list, expected text, a number, true, false or null"),
        ("any_object", [], "it is a list, expected an object"),
        ("matching", "A", "it is 'A', expected lowercase letters"),
        ("optional", "", "it is text, expected a number"),
        ("list_of", {}, "it is an object, expected a list"),
        ("list_of", "ab", "it is text, expected a list"),
        ("list_of", [1, "a"], "it[1] is text, expected a number"),
        ("map_of", [], "it is a list, expected an object"),
        ("map_of", {"a": "b"}, "it.a is text, expected a number"),
        ("map_of", {1: 1}, "a key of it is a number, expected text"),
        ("map_of-matching", {"A": 1}, "a key of it is 'A', expected lowercase letters"),
        ("object_of", 1.5, "it is a number, expected an object"),
        ("object_of", {"b": 1, "d": 1}, "it.d is unknown, expected one of a, b"),
        ("object_of", {"a": []}, "it.b is missing"),
        ("object_of", {"b": "x"}, "it.b is text, expected a number"),
        ("object_of", {"b": 1, "a": [{}, {"c": 1}]}, "it.a[1].c is a number, expected text"),
    ],
)
def test_the_field_that_is_wrong_is_named(maker: str, value: Any, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        MAKERS[maker]()(value, "it")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"b": 1, "d": 1}, "d is unknown, expected one of a, b"),
        ({}, "b is missing"),
        ({"b": "x"}, "b is text, expected a number"),
    ],
)
def test_fields_of_the_document_itself_have_no_prefix(value: Any, message: str) -> None:
    with pytest.raises(SchemaError) as caught:
        MAKERS["object_of"]()(value, "")
    assert str(caught.value) == message
