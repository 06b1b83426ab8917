"""Values written for all four readers."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.encoding import (
    ValueRefusedError,
    check_key,
    encode,
)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("14200", "14200", id="number"),
        pytest.param("wss://api.example.com/ws?a=b", "'wss://api.example.com/ws?a=b'", id="URL with a query"),
        pytest.param("has space", "'has space'", id="space"),
        pytest.param("a#b", "'a#b'", id="hash"),
        pytest.param("it's", '"it\'s"', id="apostrophe"),
        pytest.param('{"a": 1}', "'{\"a\": 1}'", id="JSON"),
        pytest.param("~/x", "'~/x'", id="tilde"),
        pytest.param("price$", "'price$'", id="dollar at the end"),
        pytest.param("a\\b", "'a\\b'", id="backslash"),
        pytest.param("two\nlines", "'two\nlines'", id="newline"),
        pytest.param("Grüße 🦀", "'Grüße 🦀'", id="UTF-8"),
        pytest.param(" x ", "' x '", id="spaces at the ends"),
        pytest.param("`id`", "'`id`'", id="backticks"),
    ],
)
def test_a_value_is_written_in_the_plainest_form_that_all_read_alike(value: str, form: str) -> None:
    assert encode("KEY", value) == form


@pytest.mark.parametrize(
    ("value", "why", "differing"),
    [
        pytest.param("p$HOME-x", 'contains a "$" before a name', ("next",), id="dollar"),
        pytest.param("pa$$word", 'contains a "$" before a name', ("next",), id="two dollars"),
        pytest.param("x${A}", 'contains a "$" before a name', ("next", "python-dotenv"), id="braces"),
        pytest.param("end\\", "contains a backslash", ("python-dotenv",), id="backslash at the end"),
        pytest.param("a\rb", "contains a carriage return", ("bash",), id="carriage return"),
        pytest.param(
            "a'\"", "contains an apostrophe beside other characters that need quoting", ("bash",), id="both quotes"
        ),
        pytest.param(
            "a\0b",
            "contains a NUL byte, which no environment can hold",
            (),
            id="NUL",
        ),
        pytest.param(
            "x" * 131072,
            "is longer than the 131072 bytes of a variable on Linux",
            (),
            id="too long",
        ),
        pytest.param("\ud800", "is not valid Unicode text", (), id="lone surrogate"),
    ],
)
def test_a_value_without_a_common_form_is_refused_with_the_readers(value: str, why: str, differing: object) -> None:
    with pytest.raises(ValueRefusedError) as caught:
        encode("KEY", value)
    assert (caught.value.key, caught.value.why, caught.value.differing) == ("KEY", why, differing)


@pytest.mark.parametrize(
    ("value", "readers", "form"),
    [
        pytest.param("pa$$word", ("bash", "dotenv", "python-dotenv"), "'pa$$word'", id="without next"),
        pytest.param("p$HOME", ("next",), '"p\\$HOME"', id="next alone"),
        pytest.param("'\"", ("bash",), '"\'\\""', id="bash alone"),
        pytest.param("a\rb", ("bash",), "'a\rb'", id="carriage return for bash"),
        pytest.param("a\rb", ("dotenv", "next"), '"a\\rb"', id="carriage return for dotenv"),
        pytest.param("'\"\\", ("python-dotenv",), '"\'\\"\\\\"', id="python-dotenv alone"),
    ],
)
def test_fewer_readers_allow_more_values(value: str, readers: tuple[str, ...], form: str) -> None:
    assert encode("KEY", value, readers) == form


@pytest.mark.parametrize("key", ["", "1A", "A-B", "A.B", "A B", "Ä", "A=", "UID", "RANDOM", "_", "__proto__"])
def test_a_name_that_a_reader_does_not_set_is_refused(key: str) -> None:
    with pytest.raises(ValueRefusedError):
        check_key(key)
