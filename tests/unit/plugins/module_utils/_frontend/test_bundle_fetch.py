"""Where the scripts of a page are fetched from."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.bundle_fetch import addresses


@pytest.mark.parametrize(
    ("host", "connect_to", "expected"),
    [
        pytest.param("app.example.com", None, [("app.example.com", 80)], id="the host itself"),
        pytest.param("App.Localhost.", None, [("127.0.0.1", 80), ("::1", 80)], id="a name below localhost"),
        pytest.param("app.example.com", "192.0.2.1", [("192.0.2.1", 80)], id="an address"),
        pytest.param("app.example.com", "192.0.2.1:8080", [("192.0.2.1", 8080)], id="an address with a port"),
        pytest.param("app.example.com", "npm.example.com:8080", [("npm.example.com", 8080)], id="a name with a port"),
        pytest.param("app.example.com", "[2001:db8::80]", [("2001:db8::80", 80)], id="IPv6 in brackets"),
        pytest.param("app.example.com", "[2001:db8::80]:8080", [("2001:db8::80", 8080)], id="IPv6 with a port"),
        pytest.param("app.example.com", "2001:db8::80", [("2001:db8::80", 80)], id="IPv6 as it is"),
    ],
)
def test_where_a_page_is_fetched_from(host: str, connect_to: str | None, expected: list[tuple[str, int]]) -> None:
    assert addresses(host, 80, connect_to) == expected
