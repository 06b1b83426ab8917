"""Versions of Nginx Proxy Manager."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.version import (
    Version,
    parse_version,
    refusals,
)


@pytest.mark.parametrize(
    ("answer", "version"),
    [
        ({"status": "OK", "version": {"major": 2, "minor": 15, "revision": 1}}, Version(2, 15, 1)),
        ({"version": "v2.9.19"}, Version(2, 9, 19)),
        ({"version": {"major": 2}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_version_is_read_or_unknown(answer: object, version: Version | None) -> None:
    assert parse_version(answer) == version


def test_a_version_that_is_not_known_yet_behaves_like_the_newest() -> None:
    assert refusals(Version(3, 0, 0)) == refusals(Version(2, 15, 1))
