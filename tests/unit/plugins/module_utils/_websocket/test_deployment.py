"""Which endpoints are checked from each vantage point."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import UrlError
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.deployment import Deployment

PLAIN = Deployment(
    url="ws://api.example.com/ws",
    api_url="http://api.example.com",
    page_url="http://app.example.com:14100/",
    path="/ws",
    event_paths=(),
    event_timeout_s=30.0,
    backend_port=14200,
    frontend_port=14100,
    proxy_address="127.0.0.1",
    proxy_port=0,
    proxy_tls=True,
    proxy_page=True,
    vantages=("direct", "proxy", "public"),
)
SECURE = replace(
    PLAIN, url="wss://api.example.com/ws", api_url="https://api.example.com", page_url="https://app.example.com/x/"
)


def at(deployment: Deployment, vantage: str) -> list[dict[str, Any]]:
    return [endpoint for endpoint in deployment.endpoints({}) if endpoint["vantage"] == vantage]


def test_each_vantage_point_reaches_the_websocket_in_its_own_way() -> None:
    assert PLAIN.endpoints({"origin": "http://app.example.com:14100"}) == [
        {
            "origin": "http://app.example.com:14100",
            "name": "backend",
            "url": "ws://127.0.0.1:14200/ws",
            "public_url": "ws://api.example.com/ws",
            "vantage": "direct",
        },
        {
            "origin": "http://app.example.com:14100",
            "name": "proxy",
            "url": "ws://api.example.com/ws",
            "connect_to": "127.0.0.1:80",
            "vantage": "proxy",
        },
        {
            "origin": "http://app.example.com:14100",
            "name": "public URL",
            "url": "ws://api.example.com/ws",
            "vantage": "public",
        },
    ]


@pytest.mark.parametrize(
    ("vantages", "checked"),
    [
        pytest.param(("public", "direct"), ["direct", "public"], id="from-the-backend-to-the-public-URL"),
        pytest.param(("proxy",), ["proxy"], id="one"),
        pytest.param((), [], id="none"),
    ],
)
def test_only_the_chosen_vantage_points_are_checked(vantages: tuple[str, ...], checked: list[str]) -> None:
    deployment = replace(PLAIN, vantages=vantages, event_paths=("/e",))
    found = [endpoint["vantage"] for endpoint in deployment.endpoints({})]
    assert found == [vantage for vantage in checked for _ in ("websocket", "stream")]


def test_the_path_on_the_backend_may_be_another_one() -> None:
    deployment = replace(PLAIN, url="ws://api.example.com/staging/ws", path="/ws")
    assert at(deployment, "direct")[0]["url"] == "ws://127.0.0.1:14200/ws"
    assert at(deployment, "proxy")[0]["url"] == "ws://api.example.com/staging/ws"


def test_event_streams_are_at_the_api_and_checked_from_the_same_vantage_points() -> None:
    deployment = replace(SECURE, api_url="https://events.example.com:8443/base", event_paths=("/api/events", "/all/"))
    stream = {"transport": "sse", "message_timeout": 30.0}
    assert [endpoint for endpoint in deployment.endpoints({}) if "transport" in endpoint] == [
        {
            "name": "backend /api/events",
            "url": "http://127.0.0.1:14200/api/events",
            "public_url": "https://events.example.com:8443/api/events",
            "vantage": "direct",
            **stream,
        },
        {
            "name": "proxy /api/events",
            "url": "https://events.example.com:8443/api/events",
            "connect_to": "127.0.0.1:8443",
            "vantage": "proxy",
            **stream,
        },
        {
            "name": "public URL /api/events",
            "url": "https://events.example.com:8443/api/events",
            "vantage": "public",
            **stream,
        },
    ]


@pytest.mark.parametrize(
    ("changes", "url", "connect_to"),
    [
        pytest.param({}, "wss://api.example.com/ws", "127.0.0.1:443", id="tls"),
        pytest.param(
            {"url": "wss://api.example.com:8443/ws"}, "wss://api.example.com:8443/ws", "127.0.0.1:8443", id="port"
        ),
        pytest.param({"proxy_port": 8080}, "wss://api.example.com/ws", "127.0.0.1:8080", id="forwarded-port"),
        pytest.param({"proxy_tls": False}, "ws://api.example.com/ws", "127.0.0.1:80", id="tls-ends-before"),
        pytest.param(
            {"proxy_tls": False, "proxy_port": 8080}, "ws://api.example.com/ws", "127.0.0.1:8080", id="before-with-port"
        ),
        pytest.param(
            {"proxy_tls": False, "url": "ws://api.example.com:81/ws"},
            "ws://api.example.com:81/ws",
            "127.0.0.1:81",
            id="none",
        ),
        pytest.param({"proxy_address": "2001:db8::1"}, "wss://api.example.com/ws", "[2001:db8::1]:443", id="ipv6"),
        pytest.param(
            {"proxy_address": "[2001:db8::1]"}, "wss://api.example.com/ws", "[2001:db8::1]:443", id="brackets"
        ),
    ],
)
def test_the_proxy_is_reached_at_its_address(changes: dict[str, Any], url: str, connect_to: str) -> None:
    endpoint = at(replace(SECURE, **changes), "proxy")[0]
    assert (endpoint["url"], endpoint["connect_to"]) == (url, connect_to)


def test_a_proxy_behind_tls_is_told_what_the_user_asked_for() -> None:
    assert at(replace(SECURE, proxy_tls=False), "proxy")[0]["public_url"] == "wss://api.example.com/ws"
    assert "public_url" not in at(SECURE, "proxy")[0]
    assert not any("public_url" in endpoint for endpoint in at(SECURE, "public"))


def test_authorities_go_to_endpoints_with_tls_alone() -> None:
    deployment = replace(SECURE, ca_certificates="PEM", event_paths=("/e",))
    assert [("ca_certificates" in endpoint) for endpoint in deployment.endpoints({})] == [False] * 2 + [True] * 4
    without = replace(deployment, proxy_tls=False)
    assert [("ca_certificates" in endpoint) for endpoint in without.endpoints({})] == [False] * 4 + [True] * 2
    assert not any("ca_certificates" in endpoint for endpoint in replace(PLAIN, ca_certificates="PEM").endpoints({}))


@pytest.mark.parametrize(
    ("changes", "page"),
    [
        pytest.param({}, ("https://app.example.com/x/", "127.0.0.1:443", "through the proxy"), id="proxy"),
        pytest.param(
            {"proxy_tls": False},
            ("http://app.example.com/x/", "127.0.0.1:80", "through the proxy"),
            id="tls-ends-before",
        ),
        pytest.param(
            {"proxy_page": False}, ("http://127.0.0.1:14100/x", "127.0.0.1", "from its own port"), id="own-port"
        ),
        pytest.param(
            {"vantages": ("direct", "public")},
            ("http://127.0.0.1:14100/x", "127.0.0.1", "from its own port"),
            id="no-proxy",
        ),
        pytest.param(
            {"vantages": (), "page_url": "https://app.example.com"},
            ("http://127.0.0.1:14100/", "127.0.0.1", "from its own port"),
            id="no-path",
        ),
    ],
)
def test_the_page_is_read_as_users_get_it(changes: dict[str, Any], page: tuple[str, str, str]) -> None:
    found = replace(SECURE, **changes).page()
    assert (found["url"], found["connect_to"], found["way"]) == page


def test_a_url_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(UrlError):
        replace(PLAIN, url="nonsense").endpoints({})


def test_a_backend_at_a_socket_is_reached_through_it() -> None:
    at_socket = replace(PLAIN, backend_socket="/srv/app.sock", event_paths=("/api/events",))
    assert at(at_socket, "direct") == [
        {
            "name": "backend",
            "url": "ws://localhost/ws",
            "public_url": "ws://api.example.com/ws",
            "connect_to": "unix:/srv/app.sock",
            "vantage": "direct",
        },
        {
            "name": "backend /api/events",
            "url": "http://localhost/api/events",
            "public_url": "http://api.example.com/api/events",
            "connect_to": "unix:/srv/app.sock",
            "transport": "sse",
            "message_timeout": 30.0,
            "vantage": "direct",
        },
    ]
    assert at(at_socket, "proxy")[0] == at(PLAIN, "proxy")[0]
