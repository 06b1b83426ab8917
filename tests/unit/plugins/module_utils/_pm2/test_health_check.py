"""What a healthy process must answer."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.health_check import health_check_from

OPTIONS: dict[str, Any] = dict.fromkeys(
    ("url", "port", "socket", "websocket_url", "websocket_origin", "websocket_headers", "websocket_query", "public_url")
) | {"timeout": 60}


def options(**given: Any) -> dict[str, Any]:
    return {f"health_{name}": value for name, value in {**OPTIONS, **given}.items()} | {"stable_s": 3.0}


@pytest.mark.parametrize(
    ("given", "port"),
    [
        pytest.param({}, None, id="nothing"),
        pytest.param({"url": "http://127.0.0.1:14200/health"}, 14200, id="URL"),
        pytest.param({"url": "http://localhost"}, 80, id="default port"),
        pytest.param({"url": "https://[::1]/"}, 443, id="TLS"),
        pytest.param({"url": "http://192.0.2.1:14200/"}, None, id="another host"),
        pytest.param({"url": "http://127.0.0.1:1/", "port": 2}, 2, id="port"),
        pytest.param({"websocket_url": "ws://127.0.0.1:14200/ws"}, 14200, id="WebSocket"),
        pytest.param({"websocket_url": "wss://localhost/ws"}, 443, id="WebSocket with TLS"),
        pytest.param({"websocket_url": "ws://192.0.2.1:14200/ws"}, None, id="WebSocket on another host"),
        pytest.param({"url": "http://127.0.0.1:1/", "websocket_url": "ws://127.0.0.1:2/ws"}, 1, id="the URL first"),
    ],
)
def test_the_port_is_that_of_a_url_on_this_host(given: dict[str, Any], port: int | None) -> None:
    assert health_check_from(options(**given)).place == port


def test_all_options_are_read() -> None:
    check = health_check_from(
        options(
            url="http://127.0.0.1:1/health?a=b",
            websocket_url="ws://127.0.0.1:1/ws",
            websocket_origin="http://page",
            websocket_headers={"X-A": "planted-1"},
            websocket_query={"token": "planted-2"},
            timeout=5,
        )
    )
    assert (str(check.url), check.timeout_s, check.stable_s) == ("http://127.0.0.1:1/health?a=b", 5, 3.0)
    assert check.websocket is not None
    assert (check.websocket.url, check.websocket.origin) == ("ws://127.0.0.1:1/ws", "http://page")
    assert (check.websocket.headers, check.websocket.resource) == ((("X-A", "planted-1"),), "/ws?token=planted-2")
    assert "planted" not in repr(check)


def test_the_headers_are_those_of_a_correct_proxy() -> None:
    check = health_check_from(
        options(
            url="http://127.0.0.1:1/health",
            websocket_url="ws://127.0.0.1:1/ws",
            public_url="wss://api.example.com:8443/ws",
        )
    )
    forwarded = {
        "X-Real-IP": "127.0.0.1",
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "api.example.com:8443",
        "X-Forwarded-Port": "8443",
    }
    assert check.headers == {"Host": "api.example.com:8443", **forwarded}
    assert check.websocket is not None
    assert check.websocket.authority == "api.example.com:8443"
    assert dict(check.websocket.forwarded) == forwarded


def test_another_text_than_a_public_url_is_refused() -> None:
    with pytest.raises(Pm2Error) as error:
        health_check_from(options(public_url="api.example.com"))
    assert str(error.value).startswith("health_public_url is 'api.example.com'")


@pytest.mark.parametrize("url", ["localhost:1", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:http/"])
def test_another_text_than_a_url_is_refused(url: str) -> None:
    with pytest.raises(Pm2Error) as error:
        health_check_from(options(url=url))
    assert str(error.value).startswith(f"health_url is '{url}'")
    assert str(error.value).endswith("; expected a URL such as http://127.0.0.1:14200/health")


@pytest.mark.parametrize("url", ["http://127.0.0.1/ws", "127.0.0.1/ws", "ws://127.0.0.1:0/ws"])
def test_another_text_than_a_websocket_url_is_refused(url: str) -> None:
    with pytest.raises(Pm2Error, match=r"; expected a health_websocket_url such as ws://127\.0\.0\.1:14200/ws"):
        health_check_from(options(websocket_url=url))


def test_a_socket_is_asked_whatever_the_urls_name() -> None:
    check = health_check_from(
        options(url="http://127.0.0.1:1/health", websocket_url="ws://localhost/ws", socket="/srv/app.sock")
    )
    assert (check.place, check.port, check.connect_to) == ("/srv/app.sock", None, ("unix:/srv/app.sock", 0))
    assert check.websocket is not None
    assert (check.websocket.connect_host, check.websocket.authority) == ("unix:/srv/app.sock", "localhost")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param(
            {"socket": "app.sock"},
            "health_socket is 'app.sock'; expected the absolute path of a UNIX socket, of at most 107 bytes",
            id="relative",
        ),
        pytest.param(
            {"socket": "/" + "x" * 107},
            f"health_socket is '/{'x' * 107}'; expected the absolute path of a UNIX socket, of at most 107 bytes",
            id="too long",
        ),
        pytest.param(
            {"socket": "/srv/app.sock", "port": 1},
            "health_socket and health_port are both given; give the one that the process listens on",
            id="both",
        ),
    ],
)
def test_a_socket_that_no_process_can_listen_on_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(Pm2Error) as error:
        health_check_from(options(**given))
    assert str(error.value) == said


def test_the_longest_path_of_a_socket_is_accepted() -> None:
    assert health_check_from(options(socket="/" + "x" * 106)).place == "/" + "x" * 106
