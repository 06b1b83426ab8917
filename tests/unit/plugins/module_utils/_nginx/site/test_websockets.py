"""What other files do to the WebSockets of a site."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.websockets import Disturbance, disturbances

SITE = (
    "server { listen 80; listen [::]:80; server_name api.example.com; location = /ws { proxy_pass http://127.0.0.1:1; "
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade; MORE } }"
)


def found(other: str, more: str = "", site: str = SITE) -> list[Disturbance]:
    files = {"/n/nginx.conf": "http { include other; include site; }", "/n/other": other}
    files["/n/site"] = site.replace("MORE", more)
    return disturbances(load_tree("/n/nginx.conf", files.__getitem__, lambda _pattern: []), "/n/site", "1.26.3")


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param(
            "deny all;",
            "location = /ws in /n/site:1 denies all in /n/other:1, and clients get status 403",
            id="denied-to-all",
        ),
        pytest.param(
            "server { listen 80 default_server proxy_protocol; }",
            "connections to port 80 must begin with a PROXY protocol header, also those to /n/site:1, because of "
            "listen ... proxy_protocol in /n/other:1; nginx answers no others",
            id="proxy-protocol",
        ),
        pytest.param(
            "server { listen 80 ssl; }",
            "/n/other:1 speaks TLS on port 80, and a plain request gets status 400 there",
            id="tls",
        ),
        pytest.param(
            "proxy_method POST;",
            "location = /ws in /n/site:1 sends POST to the upstream in /n/other:1, and a handshake is a GET",
            id="method",
        ),
    ],
)
def test_a_directive_that_closes_the_websockets_is_found(other: str, message: str) -> None:
    assert found(other) == [Disturbance(message, fatal=True)]


def test_what_may_close_them_is_not_fatal() -> None:
    messages = ["location = /ws in /n/site:1 allows and denies by the address of the client in /n/other:1"]
    assert found("allow 10.0.0.0/8; deny all;") == [Disturbance(each, fatal=False) for each in messages]


@pytest.mark.parametrize(
    ("other", "more", "site"),
    [
        pytest.param("", "", SITE, id="nothing"),
        pytest.param("server { listen 80 default_server; return 404; }", "", SITE, id="another-site"),
        pytest.param("deny all;", "allow all;", SITE, id="rules-of-the-site-itself"),
        pytest.param("", "deny all;", SITE, id="denied-by-the-site-itself"),
        pytest.param("deny all;", "", SITE.replace("Upgrade $http_upgrade", "A b"), id="no-websocket"),
        pytest.param("deny all;", "", SITE.replace("= /ws", "~ ws"), id="a-location-with-a-regex"),
        pytest.param("deny all;", "", SITE.replace("api.example.com", "~^api"), id="a-name-with-a-regex"),
    ],
)
def test_nothing_else_is(other: str, more: str, site: str) -> None:
    assert found(other, more, site) == []
