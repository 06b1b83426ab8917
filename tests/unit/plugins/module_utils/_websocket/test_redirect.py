"""What a redirect says about a WebSocket."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.redirect import read_redirect
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target


@pytest.mark.parametrize(
    ("asked", "location", "login", "url"),
    [
        pytest.param("ws://h/ws", "https://h/ws", False, "wss://h/ws", id="to-tls"),
        pytest.param("ws://h/ws?a=1", "https://h/ws/?a=1", False, "wss://h/ws/?a=1", id="slash-and-query"),
        pytest.param("wss://h/ws", "/ws/", False, "wss://h/ws/", id="relative"),
        pytest.param("wss://h/ws", "https://www.h:8443/ws", False, "wss://www.h:8443/ws", id="another-name"),
        pytest.param("wss://h/ws", "https://www.h/", False, None, id="another-page"),
        pytest.param(
            "wss://h/ws?next=1", "https://www.h/ws?next=1", False, "wss://www.h/ws?next=1", id="own-parameter"
        ),
        pytest.param("wss://h/ws", "https://h/?rd=https://h/ws", True, None, id="oauth2-proxy"),
        pytest.param("wss://h/ws", "https://h/accounts/login/?next=/ws", True, None, id="django"),
        pytest.param("wss://h/ws", "https://sso.h/realms/x", True, None, id="a-host-of-its-own"),
        pytest.param("wss://h/ws", "/login", True, None, id="path"),
        pytest.param("wss://h/ws", "https://h/ws?redirect_uri=https://h/ws", True, None, id="same-path"),
        pytest.param("wss://login.h/ws", "https://login.h/author", False, None, id="names-that-only-look-so"),
        pytest.param("wss://h/ws", "https://[/", False, None, id="not-a-url"),
        pytest.param("wss://h/ws", "mailto:a@b", False, None, id="another-scheme"),
    ],
)
def test_a_redirect_is_a_url_to_use_only_for_the_same_path(
    asked: str, location: str, login: bool, url: str | None
) -> None:
    redirect = read_redirect(location, parse_target({"name": "e", "url": asked}))
    assert (redirect.login, redirect.url) == (login, url)


@pytest.mark.parametrize(
    ("asked", "location", "to_itself"),
    [
        pytest.param("wss://h/ws?t=1", "https://h/ws?t=1", True, id="the-page-s-scheme"),
        pytest.param("wss://h/ws", "wss://H:443/ws", True, id="its-own-scheme"),
        pytest.param("ws://h:8080/ws", "/ws", True, id="relative"),
        pytest.param("wss://h/ws", "https://h/ws/", False, id="slash"),
        pytest.param("wss://h/ws", "https://h:8443/ws", False, id="port"),
        pytest.param("ws://h/ws", "https://h/ws", False, id="tls"),
        pytest.param("wss://h/ws", "https://h/ws?a=1", False, id="query"),
    ],
)
def test_a_redirect_to_the_url_that_was_asked_for(asked: str, location: str, to_itself: bool) -> None:
    assert read_redirect(location, parse_target({"name": "e", "url": asked})).to_itself is to_itself


def test_the_change_of_tls_is_seen() -> None:
    plain, secure = (parse_target({"name": "e", "url": url}) for url in ("ws://h/ws", "wss://h/ws"))
    up, down = read_redirect("https://h/ws", plain), read_redirect("http://h/ws", secure)
    assert (up.to_tls, up.to_plain, down.to_tls, down.to_plain) == (True, False, False, True)
