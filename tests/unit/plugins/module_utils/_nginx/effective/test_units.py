"""Times and versions of nginx."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.units import seconds, version_numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60", 60),
        ("86400s", 86400),
        ("1h 30m", 5400),
        ("75ms", 0.075),
        ("1d", 86400),
        ("2w", 1209600),
        ("1M", 2592000),
        ("1y", 31536000),
        ("x", None),
        ("1x", None),
        ("", None),
    ],
)
def test_times_are_read_in_seconds(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("1.26.3", (1, 26, 3)), ("1.29.7.1", (1, 29, 7)), ("", ())])
def test_versions_are_read_as_numbers(text: str, expected: tuple[int, ...]) -> None:
    assert version_numbers(text) == expected
