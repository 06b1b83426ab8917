"""What is told about an env file without its values."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.document import ParseError
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.readers import READERS
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.summary import (
    ProcessComparison,
    compare_process,
    digest,
    summarize,
)


def test_keys_are_sorted_into_what_is_wrong_with_them() -> None:
    found = summarize("B=2\nE=\nP=changeme\nD=p$HOME\nA=1\n", "dotenv", READERS, "salt")
    assert (found.keys, found.empty, found.placeholders, found.differing) == (
        ("B", "E", "P", "D", "A"),
        ("E",),
        ("P",),
        ("D",),
    )
    assert found.digests == {key: digest("salt", value) for key, value in found.values.items()}
    assert "changeme" not in repr(found)


def test_a_value_that_the_reader_does_not_know_has_no_digest() -> None:
    assert list(summarize("A=1\nD=p$HOME\n", "bash", (), "").digests) == ["A"]
    assert list(summarize("A=1\nD=p$HOME\n", "dotenv", (), "").digests) == ["A", "D"]


def test_an_empty_text_has_no_keys() -> None:
    assert summarize("", "dotenv", READERS, "").keys == ()


def test_a_text_that_is_not_an_env_file_is_refused() -> None:
    with pytest.raises(ParseError):
        summarize("A='open\n", "dotenv", READERS, "")


@pytest.mark.parametrize(
    ("environment", "missing", "differing"),
    [
        pytest.param({"A": "1", "B": ""}, (), (), id="the same"),
        pytest.param({"A": "2", "OTHER": "x"}, ("B",), ("A",), id="outdated"),
        pytest.param({"B": "x"}, ("A",), ("B",), id="an empty value is a value"),
        pytest.param({}, ("A", "B"), (), id="nothing"),
    ],
)
def test_an_environment_is_compared(
    environment: dict[str, str], missing: tuple[str, ...], differing: tuple[str, ...]
) -> None:
    assert compare_process({"A": "1", "B": ""}, environment) == ProcessComparison(missing, differing)
