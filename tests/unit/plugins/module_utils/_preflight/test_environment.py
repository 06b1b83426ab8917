"""The environment; whole sentences are in the table of tests/bad_inputs.py."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.readers import READERS
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.environment import readers_of
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from bad_inputs import GOOD


def test_a_value_that_looks_like_a_placeholder_may_be_allowed() -> None:
    given = {**GOOD, "staging_env_secrets": {"GREETING": "changeme", "KEY": "changeme"}}
    found = check_inputs({**given, "staging_env_allow_placeholders": ["GREETING"]})
    assert [(item.name, item.variable) for item in found] == [("placeholder", "staging_env_secrets.KEY")]


def test_a_value_that_one_reader_alters_is_fine_where_that_one_does_not_read_the_file() -> None:
    given = {**GOOD, "staging_env_secrets": {"PASSWORD": "p$word"}}
    assert [item.name for item in check_inputs(given)] == ["env-unwritable"]
    assert check_inputs({**given, "staging_env_readers": ["bash", "dotenv", "python-dotenv"]}) == []


def test_readers_that_are_not_known_are_no_readers() -> None:
    assert list(readers_of(DeploymentInputs({"staging_env_readers": ["next", "ruby"]}))) == ["next"]
    assert (
        readers_of(DeploymentInputs({"staging_env_readers": ["ruby"]})) == readers_of(DeploymentInputs({})) == READERS
    )


def test_a_required_key_that_is_generated_may_be_empty() -> None:
    given = {**GOOD, "staging_env": {"KEY": ""}, "staging_env_required_keys": ["KEY"]}
    assert [item.name for item in check_inputs(given)] == ["env-empty"]
    assert check_inputs({**given, "staging_env_generate": {"KEY": None}}) == []


def test_the_length_alone_is_a_recipe_of_a_generated_secret() -> None:
    for length, names in (
        (15, ["env-generate"]),
        (16, []),
        ("4096", []),
        (4097, ["env-generate"]),
        (-1, ["env-generate"]),
    ):
        found = check_inputs({**GOOD, "staging_env_generate": {"KEY": length}})
        assert [item.name for item in found] == names, length
