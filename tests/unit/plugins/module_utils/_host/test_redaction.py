"""What of a program's output may be shown."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.redaction import (
    last_lines,
    redacted,
    secrets_of,
)


def test_secrets_are_removed_in_every_form() -> None:
    secrets = secrets_of(
        {"A": 'pa"ss wörd', "PORT": "14100", "FLAG": "true", "NEXT_PUBLIC_X": "wss://public/ws", "KEY": "line1\nline2"}
    )
    text = 'x pa"ss wörd y {"k": "pa\\"ss w\\u00f6rd"} pa%22ss%20w%C3%B6rd line2 14100 true wss://public/ws'
    clean = redacted(text, secrets)
    assert clean == 'x ******** y {"k": "********"} ******** ******** 14100 true wss://public/ws'


@pytest.mark.parametrize(
    ("value", "hidden"),
    [
        ("abc", False),
        ("abcd", True),
        ("12345678", False),
        ("123456789", True),
        ("Production", False),
        ("http://localhost:14200/", False),
        ("http://localhost:14200/path", True),
        ("", False),
    ],
)
def test_what_tells_nothing_is_no_secret(value: str, hidden: bool) -> None:
    assert bool(secrets_of({"KEY": value})) is hidden


def test_ordinary_variables_and_those_that_are_named_are_no_secrets() -> None:
    assert secrets_of({"PATH": "/usr/bin", "HOME": "/home/deploy", "X": "planted"}) == ["planted"]
    assert secrets_of({"PATH": "/usr/bin", "X": "planted"}, public=("X",)) == ["/usr/bin", "%2Fusr%2Fbin"][::-1]


def test_a_secret_that_contains_another_is_removed_as_a_whole() -> None:
    secrets = secrets_of({"A": "word", "B": "password"})
    assert secrets == ["password", "word"]
    assert redacted("password word", secrets) == "******** ********"


def test_the_last_lines_have_no_colours_and_no_blanks() -> None:
    assert last_lines("a\n\x1b[31mb\x1b[0m\n\n  \nc\n", 2) == ["b", "c"]
    assert last_lines("x" * 501, 1) == ["x" * 500]
    assert last_lines("", 5) == []
