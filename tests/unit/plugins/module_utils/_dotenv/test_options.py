"""The options of dotenv_file, read and checked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.options import (
    OptionsError,
    listed,
    parse_options,
)
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.readers import READERS
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.secret import Recipe


def params(**given: Any) -> dict[str, Any]:
    empty: dict[str, Any] = {
        "path": "/app/.env",
        "values": {},
        "secret_values": {},
        "absent_keys": [],
        "generate": {},
        "required_keys": [],
        "allow_placeholders": [],
        "readers": list(READERS),
        "content": None,
    }
    return {**empty, **given}


def test_values_become_texts_and_the_content_ends_with_a_newline() -> None:
    request = parse_options(
        params(
            values={"N": 1, "F": 1.5, "T": True, "S": "x"},
            secret_values={"P": False},
            content="# c",
            generate={"G": None},
        )
    )
    assert request.given == {"N": "1", "F": "1.5", "T": "true", "S": "x", "P": "false"}
    assert (request.content, request.generate) == ("# c\n", {"G": Recipe()})
    assert "false" not in repr(request)


def test_no_reader_stands_for_all_and_one_twice_for_once() -> None:
    assert parse_options(params(readers=[])).readers == READERS
    assert parse_options(params(readers=["next", "bash", "next"])).readers == ("next", "bash")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"values": {"A": [1]}},
            "values.A for /app/.env is a list; expected a text, which is all an env file holds; write it as the "
            'application reads it, such as "{{ list | join(\',\') }}" or "{{ list | to_json }}"',
            id="list",
        ),
        pytest.param(
            {"secret_values": {"A": {}}},
            "secret_values.A for /app/.env is a dictionary; expected a text, which is all an env file holds; write "
            "it as "
            'the application reads it, such as "{{ dictionary | to_json }}"',
            id="dictionary",
        ),
        pytest.param(
            {"values": {"A": 1, "B": 1}, "secret_values": {"B": 2, "A": 2}},
            "A and B are both in values and in secret_values for /app/.env; remove from one of them",
            id="plain and secret",
        ),
        pytest.param(
            {"secret_values": {"A": 1}, "absent_keys": ["A"]},
            "A is both in secret_values and in absent_keys for /app/.env; remove from one of them",
            id="set and removed",
        ),
        pytest.param(
            {"generate": {"A": {"length": 1}}},
            "for /app/.env, generate.A.length is 1; expected a number from 16 to 4096",
            id="recipe",
        ),
    ],
)
def test_options_that_contradict_or_hold_no_text_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionsError) as caught:
        parse_options(params(**given))
    assert str(caught.value) == message


def test_a_given_and_a_generated_value_of_one_key_are_no_contradiction() -> None:
    assert parse_options(params(values={"A": ""}, generate={"A": {}})).given == {"A": ""}


@pytest.mark.parametrize(("names", "text"), [(["A"], "A"), (["A", "B"], "A and B"), (["A", "B", "C"], "A, B and C")])
def test_names_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert listed(names) == text
