"""Generated secrets and placeholders."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.secret import (
    ALPHABETS,
    Recipe,
    is_placeholder,
    parse_recipe,
)


@pytest.mark.parametrize(
    "value",
    [
        *("your-api-key-here", "your_secret", "YOUR-TOKEN-HERE", "changeme", "CHANGE_ME", "change-this", "replace-me"),
        *("<token>", "xxxx", "***", "...", "…", "TODO", "FIXME", "placeholder", "insert-your-key-here", "changeme!"),
    ],
)
def test_placeholders_are_recognised(value: str) -> None:
    assert is_placeholder(value)


@pytest.mark.parametrize(
    "value", ["", "yours", "http://x/put-it-here", "here", "exchange-me-not", "xx", "todos", '["a"]', "sk-live-1234"]
)
def test_real_values_are_not_placeholders(value: str) -> None:
    assert not is_placeholder(value)


@pytest.mark.parametrize(
    ("given", "recipe"),
    [
        pytest.param(None, Recipe(48, "alphanumeric"), id="nothing"),
        pytest.param({}, Recipe(48, "alphanumeric"), id="empty"),
        pytest.param({"length": "64", "alphabet": "hex"}, Recipe(64, "hex"), id="both, the number as a text"),
        pytest.param({"length": 16}, Recipe(16, "alphanumeric"), id="shortest"),
        pytest.param({"length": 4096}, Recipe(4096, "alphanumeric"), id="longest"),
    ],
)
def test_a_recipe_has_defaults(given: Any, recipe: Recipe) -> None:
    assert parse_recipe(given) == recipe


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"length": 15}, ".length is 15; expected a number from 16 to 4096", id="short"),
        pytest.param({"length": 4097}, ".length is 4097; expected a number from 16 to 4096", id="long"),
        pytest.param({"length": "many"}, ".length is 'many'; expected a number from 16 to 4096", id="no number"),
        pytest.param({"length": -20}, ".length is -20; expected a number from 16 to 4096", id="negative"),
        pytest.param(
            {"alphabet": "emoji"}, ".alphabet is 'emoji'; expected one of alphanumeric, hex, base64url", id="alphabet"
        ),
        pytest.param("64", " is '64'; expected a dictionary with length and alphabet", id="a text"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_refused(given: Any, message: str) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_recipe(given)
    assert str(caught.value) == message


@pytest.mark.parametrize("alphabet", sorted(ALPHABETS))
def test_a_secret_has_its_length_and_alphabet_and_is_never_the_same(alphabet: str) -> None:
    secrets = {Recipe(40, alphabet).make() for _ in range(20)}
    assert len(secrets) == 20
    assert {len(secret) for secret in secrets} == {40}
    assert set("".join(secrets)) <= set(ALPHABETS[alphabet])
