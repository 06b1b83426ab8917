"""The address of the API."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.api_address import parse_api_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://npm:81", "http://npm:81/api", id="plain"),
        pytest.param("http://npm:81/api/", "http://npm:81/api", id="with-api"),
        pytest.param("https://npm.example.com", "https://npm.example.com:443/api", id="tls"),
        pytest.param("https://proxy.example.com/npm/", "https://proxy.example.com:443/npm/api", id="below-a-path"),
        pytest.param("http://[2001:db8::1]:81", "http://[2001:db8::1]:81/api", id="ipv6"),
    ],
)
def test_the_api_is_found_below_its_url(url: str, expected: str) -> None:
    assert parse_api_url(url).url == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://a:secret@npm", "O(api_url) contains a user name", id="password"),
        pytest.param(
            "npm:81",
            "O(api_url) is 'npm:81', but it does not start with a scheme and ://; expected one like",
            id="no-scheme",
        ),
        pytest.param(
            "http://npm:99999",
            "O(api_url) is 'http://npm:99999', but its port is not a number from 1 to 65535; expected",
            id="port",
        ),
        pytest.param("ws://npm:81", "O(api_url) is 'ws://npm:81'; expected one like", id="another-scheme"),
        pytest.param("http://npm/?a=b", "without anything behind the path", id="query"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, message: str) -> None:
    with pytest.raises(ValueError, match="api_url") as caught:
        parse_api_url(url)
    assert message in str(caught.value)
    assert "secret@" not in str(caught.value)
