"""Response headers that the locations of a block repeat."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.headers import (
    header_names,
    hsts_directive,
    repeated_headers,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.version import LATEST, Version

TLS = {"certificate_id": 7, "ssl_forced": 1, "hsts_enabled": 1}
VARIABLE = "add_header Strict-Transport-Security $hsts_header always;"
TEAM = "add_header X-Team blue;\n"


@pytest.mark.parametrize(
    ("host", "version", "expected"),
    [
        pytest.param(TLS, LATEST, VARIABLE, id="newest"),
        pytest.param(TLS, Version(2, 11, 3), VARIABLE, id="since-2.11"),
        pytest.param(
            TLS,
            Version(2, 9, 19),
            'add_header Strict-Transport-Security "max-age=63072000; preload" always;',
            id="before-2.11",
        ),
        pytest.param(
            {**TLS, "hsts_subdomains": 1},
            Version(2, 9, 19),
            'add_header Strict-Transport-Security "max-age=63072000;includeSubDomains; preload" always;',
            id="with-subdomains",
        ),
        pytest.param({**TLS, "certificate_id": 0}, LATEST, None, id="no-certificate"),
        pytest.param({**TLS, "ssl_forced": 0}, LATEST, None, id="not-forced"),
        pytest.param({**TLS, "hsts_enabled": False}, LATEST, None, id="switched-off"),
        pytest.param({}, LATEST, None, id="plain"),
    ],
)
def test_hsts_is_that_of_the_version(host: dict[str, Any], version: Version, expected: str | None) -> None:
    assert hsts_directive(host, version) == expected


REPEATED = ('add_header X-Team "blue";',)


@pytest.mark.parametrize(
    ("text", "custom", "hsts", "expected"),
    [
        pytest.param("", [], None, (), id="nothing"),
        pytest.param("", [], VARIABLE, (VARIABLE,), id="hsts"),
        pytest.param(TEAM, [], None, (), id="the-location-of-the-proxy-inherits-nothing"),
        pytest.param(TEAM, [], VARIABLE, (VARIABLE,), id="nor-beside-hsts"),
        pytest.param(TEAM + "location / { return 204; }", [], None, REPEATED, id="own-location"),
        pytest.param(TEAM + "location / { add_header A b; }", [], None, (), id="own-location-with-a-header"),
        pytest.param(TEAM + "location / { include x; }", [], None, (), id="own-location-that-includes"),
        pytest.param(TEAM + "location /w { return 204; }", [], None, REPEATED, id="own-prefix"),
        pytest.param(TEAM + "location /chat { return 204; }", [], None, (), id="own-prefix-elsewhere"),
        pytest.param(TEAM + "# x; location / {", [], None, REPEATED, id="no-location-at-all"),
        pytest.param(TEAM, [{"path": "/"}], None, REPEATED, id="custom-location"),
        pytest.param(TEAM, [{"path": "/"}], VARIABLE, (VARIABLE,), id="custom-location-with-hsts"),
        pytest.param(
            TEAM, [{"path": "/", "advanced_config": "add_header A b;"}], None, (), id="custom-location-with-a-header"
        ),
        pytest.param(TEAM + "if ($a {", [], None, (), id="not-complete"),
        pytest.param(
            'add_header A "b \\"c\\" d" always; location / { }',
            [],
            None,
            ('add_header A "b \\"c\\" d" "always";',),
            id="quotes",
        ),
    ],
)
def test_a_location_repeats_what_the_path_had(
    text: str, custom: list[dict[str, str]], hsts: str | None, expected: tuple[str, ...]
) -> None:
    assert repeated_headers(text, custom, hsts)("/ws") == expected


def test_the_names_are_those_of_the_server_level() -> None:
    assert header_names(f"{TEAM}{TEAM}add_header B c;location / {{ add_header D e; }}") == ("X-Team", "B")
