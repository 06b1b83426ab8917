"""Versions of Nginx Proxy Manager."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.version import (
    Version,
    always_denies,
    has_hsts_variable,
    parse_version,
    refuses_token,
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


NEW, OLD = Version(2, 13, 5), Version(2, 12, 6)
EXPIRED = "Token has expired"


@pytest.mark.parametrize(
    ("version", "status", "words", "accepted", "refused"),
    [
        pytest.param(NEW, 400, EXPIRED, False, True, id="expired"),
        pytest.param(NEW, 400, "jwt malformed", True, True, id="malformed-while-it-runs"),
        pytest.param(NEW, 400, EXPIRED, True, True, id="expired-during-the-run"),
        pytest.param(OLD, 401, EXPIRED, True, True, id="expired-before-2.13"),
        pytest.param(NEW, 400, "data must NOT have additional properties", False, False, id="malformed-request"),
        pytest.param(NEW, 404, "Not Found", False, True, id="no-token"),
        pytest.param(NEW, 404, "Not Found", True, False, id="no-such-object"),
        pytest.param(OLD, 404, "Not Found", False, False, id="no-such-object-before-2.13"),
        pytest.param(OLD, 403, "Permission Denied", False, True, id="no-token-before-2.13"),
        pytest.param(OLD, 403, "Permission Denied", True, False, id="no-permission-before-2.13"),
        pytest.param(NEW, 500, "jwt malformed", False, True, id="malformed-token"),
        pytest.param(NEW, 500, "Internal Error", True, False, id="broken-nginx"),
        pytest.param(Version(3, 0, 0), 400, EXPIRED, True, True, id="as-the-newest"),
    ],
)
def test_an_answer_tells_whether_the_token_is_the_cause(
    version: Version, status: int, words: str, accepted: bool, refused: bool
) -> None:
    assert refuses_token(version, status, words, accepted) is refused


@pytest.mark.parametrize(
    ("version", "denies", "variable"),
    [
        (Version(2, 9, 19), True, False),
        (Version(2, 10, 4), True, False),
        (Version(2, 11, 0), True, True),
        (Version(2, 14, 0), True, True),
        (Version(2, 15, 0), False, True),
        (Version(3, 0, 0), False, True),
    ],
)
def test_versions_render_differently(version: Version, denies: bool, variable: bool) -> None:
    assert (always_denies(version), has_hsts_variable(version)) == (denies, variable)
