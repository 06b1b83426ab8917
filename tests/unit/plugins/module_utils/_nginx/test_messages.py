"""nginx's own messages."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.messages import cause, complaints, place

TEST_OUTPUT = (
    "nginx: [warn] conflicting server name\n"
    'nginx: [emerg] unknown directive "x" in /n/a:3\n'
    "nginx: configuration file /n/nginx.conf test failed\n"
)
LOG = "2026/01/02 03:04:05 [emerg] 12#12: bind() to 0.0.0.0:80 failed (98: Address already in use)\n"


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(TEST_OUTPUT, ['unknown directive "x" in /n/a:3'], id="test"),
        pytest.param(LOG, ["bind() to 0.0.0.0:80 failed (98: Address already in use)"], id="log"),
        pytest.param("nginx: invalid option: x\n", ["invalid option: x"], id="without-a-level"),
        pytest.param("nginx: the configuration file /n syntax is ok\n", [], id="accepted"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_complaints_are_told_from_other_lines(output: str, expected: list[str]) -> None:
    assert complaints(output) == expected


def test_only_the_levels_asked_for_are_complaints() -> None:
    assert complaints("nginx: [warn] careful\n", ("warn",)) == ["careful"]
    assert complaints("x [error] 1#1: later\n", ("emerg",)) == []


def test_the_cause_is_the_whole_output_if_there_is_no_complaint() -> None:
    assert cause(TEST_OUTPUT) == 'unknown directive "x" in /n/a:3'
    assert cause(" killed \n") == "killed"


def test_the_place_of_a_complaint_is_at_its_end() -> None:
    assert place('unknown directive "x" in /n/a b:3') == ("/n/a b", 3)
    assert place("bind() failed") is None
