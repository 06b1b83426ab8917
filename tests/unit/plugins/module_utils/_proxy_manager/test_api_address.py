"""The address of the API."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.api_address import parse_api_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        pytest.param("http://manager:81", "http://manager:81/api", id="plain"),
        pytest.param("http://manager:81/api/", "http://manager:81/api", id="with-api"),
        pytest.param("https://proxy.example.com", "https://proxy.example.com:443/api", id="tls"),
        pytest.param(
            "https://proxy.example.com/manager/", "https://proxy.example.com:443/manager/api", id="below-a-path"
        ),
        pytest.param("http://[2001:db8::1]:81", "http://[2001:db8::1]:81/api", id="ipv6"),
    ],
)
def test_the_api_is_found_below_its_url(url: str, expected: str) -> None:
    assert parse_api_url(url).url == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        pytest.param("http://a:secret@manager", "O(api_url) contains a user name", id="password"),
        pytest.param(
            "manager:81",
            "O(api_url) is 'manager:81', but it does not start with a scheme and ://; expected one like",
            id="no-scheme",
        ),
        pytest.param(
            "http://manager:99999",
            "O(api_url) is 'http://manager:99999', but its port is not a number from 1 to 65535; expected",
            id="port",
        ),
        pytest.param("ws://manager:81", "O(api_url) is 'ws://manager:81'; expected one like", id="another-scheme"),
        pytest.param("http://manager/?a=b", "without anything behind the path", id="query"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str, message: str) -> None:
    with pytest.raises(ValueError, match="api_url") as caught:
        parse_api_url(url)
    assert message in str(caught.value)
    assert "secret@" not in str(caught.value)
