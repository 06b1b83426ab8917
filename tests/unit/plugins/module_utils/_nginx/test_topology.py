"""Servers and locations that follow from the public URLs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site_inputs import SiteInputs, read_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.topology import (
    SiteLocation,
    SiteTopology,
    address_of,
    addresses,
    conflicts,
    match,
    plan_site,
)

GOOD: dict[str, Any] = {
    "site_name": "app",
    "page_url": "http://app.example.com",
    "ws_url": "ws://api.example.com/ws",
    "backend_upstream": "127.0.0.1:14200",
    "frontend_upstream": "127.0.0.1:14100",
    "static_root": "/var/lib/app",
}
ONE = {"ws_url": "ws://app.example.com/ws"}
TLS = {
    "page_url": "https://app.example.com",
    "ws_url": "wss://api.example.com/ws",
    "tls_certificate": "/c.pem",
    "tls_key": "/k.pem",
}
TLS_ONE = {**TLS, "ws_url": "wss://app.example.com/ws"}


def inputs(**changes: Any) -> SiteInputs:
    return read_inputs({**GOOD, **changes})


def site(**changes: Any) -> SiteTopology:
    return plan_site(inputs(**changes))


def places(found: SiteTopology) -> list[tuple[str, int, bool, tuple[str, ...]]]:
    return [(each.address.name, each.address.port, each.address.tls, each.kinds) for each in found.servers]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {},
            [("api.example.com", 80, False, ("api", "ws")), ("app.example.com", 80, False, ("page",))],
            id="two-names",
        ),
        pytest.param(ONE, [("app.example.com", 80, False, ("api", "ws", "page"))], id="one-name"),
        pytest.param(
            {**ONE, "page_url": "http://APP.example.com"},
            [("app.example.com", 80, False, ("api", "ws", "page"))],
            id="one-name-in-capitals",
        ),
        pytest.param(
            {"page_url": "http://api.example.com:8080"},
            [("api.example.com", 80, False, ("api", "ws")), ("api.example.com", 8080, False, ("page",))],
            id="one-name-two-ports",
        ),
        pytest.param({"page": False}, [("api.example.com", 80, False, ("api", "ws"))], id="page-on-its-own-port"),
        pytest.param(
            {"api_url": "http://other.example.com"},
            [
                ("api.example.com", 80, False, ("ws",)),
                ("app.example.com", 80, False, ("page",)),
                ("other.example.com", 80, False, ("api",)),
            ],
            id="three-names",
        ),
        pytest.param(
            TLS,
            [("api.example.com", 443, True, ("api", "ws")), ("app.example.com", 443, True, ("page",))],
            id="tls",
        ),
        pytest.param(
            {**TLS, "tls_certificate": "", "tls_key": ""},
            [("api.example.com", 80, False, ("api", "ws")), ("app.example.com", 80, False, ("page",))],
            id="tls-ends-before",
        ),
        pytest.param(
            {**TLS, "tls_certificate": "", "tls_key": "", "listen_port": 8080},
            [("api.example.com", 8080, False, ("api", "ws")), ("app.example.com", 8080, False, ("page",))],
            id="tls-ends-before-at-a-port",
        ),
        pytest.param(
            {**TLS, "page_url": "http://app.example.com:8080"},
            [("api.example.com", 443, True, ("api", "ws")), ("app.example.com", 8080, False, ("page",))],
            id="plain-page",
        ),
        pytest.param(
            {"ws_url": "ws://[2001:DB8::1]/ws", "page_url": "http://[2001:db8::1]"},
            [("[2001:db8::1]", 80, False, ("api", "ws", "page"))],
            id="ipv6",
        ),
    ],
)
def test_urls_of_one_address_share_a_server(changes: dict[str, Any], expected: object) -> None:
    assert places(site(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "authority", "secure", "public_port"),
    [
        pytest.param({}, "$host", False, 80, id="usual-port"),
        pytest.param({"ws_url": "ws://api.example.com:8080/ws"}, "$host:8080", False, 8080, id="port"),
        pytest.param({"ws_url": "ws://api.example.com:443/ws"}, "$host:443", False, 443, id="port-of-the-other-scheme"),
        pytest.param(TLS, "$host", True, 443, id="tls"),
        pytest.param({"ws_url": "wss://api.example.com/ws", "listen_port": 81}, "$host", True, 443, id="tls-before"),
    ],
)
def test_the_application_is_told_the_public_address(
    changes: dict[str, Any], authority: str, secure: bool, public_port: int
) -> None:
    found = addresses(inputs(**changes))[1]
    assert (found.kind, found.authority, found.secure, found.public_port) == ("ws", authority, secure, public_port)


def locations(found: SiteTopology, number: int = 0) -> list[tuple[str, str, str]]:
    return [(each.kind, each.match, each.upstream) for each in found.servers[number].locations]


BACKEND, FRONTEND = "127.0.0.1:14200", "127.0.0.1:14100"
STATIC = [("static", "^~ /_next/static/", ""), ("ordinary", "@app_page", FRONTEND)]


@pytest.mark.parametrize(
    ("changes", "number", "expected"),
    [
        pytest.param({}, 0, [("websocket", "= /ws", BACKEND), ("ordinary", "/", BACKEND)], id="api"),
        pytest.param({}, 1, [*STATIC, ("ordinary", "/", FRONTEND)], id="page"),
        pytest.param({"static_publish": False}, 1, [("ordinary", "/", FRONTEND)], id="page-without-static-files"),
        pytest.param(
            ONE,
            0,
            [
                ("websocket", "= /ws", BACKEND),
                ("ordinary", "^~ /api/", BACKEND),
                *STATIC,
                ("ordinary", "/", FRONTEND),
            ],
            id="all-in-one",
        ),
        pytest.param(
            {**ONE, "sse_paths": ["/ws", "/e", "/e", "/api/"], "api_paths": ["/ws", "/e", "/b", "/a", "/api/"]},
            0,
            [
                ("websocket", "= /ws", BACKEND),
                ("events", "= /e", BACKEND),
                ("events", "^~ /api/", BACKEND),
                ("ordinary", "= /b", BACKEND),
                ("ordinary", "= /a", BACKEND),
                *STATIC,
                ("ordinary", "/", FRONTEND),
            ],
            id="each-path-once-in-the-order-given",
        ),
        pytest.param(
            {
                "websocket_paths": ["/ws", "/live/", "/other"],
                "websocket_upstreams": {"/other": "127.0.0.1:1"},
                "sse_paths": ["/e"],
            },
            0,
            [
                ("websocket", "= /ws", BACKEND),
                ("websocket", "^~ /live/", BACKEND),
                ("websocket", "= /other", "127.0.0.1:1"),
                ("events", "= /e", BACKEND),
                ("ordinary", "/", BACKEND),
            ],
            id="upstream-of-its-own",
        ),
        pytest.param(
            {"api_url": "http://other.example.com", "sse_paths": ["/e"]},
            0,
            [("websocket", "= /ws", BACKEND), ("not_found", "/", "")],
            id="nothing-but-the-websocket",
        ),
        pytest.param(
            {"api_url": "http://other.example.com", "sse_paths": ["/e"]},
            2,
            [("events", "= /e", BACKEND), ("ordinary", "/", BACKEND)],
            id="api-alone",
        ),
        pytest.param({"ws_url": "ws://api.example.com"}, 0, [("websocket", "/", BACKEND)], id="websocket-everywhere"),
        pytest.param(
            {"sse_paths": ["/"]}, 0, [("websocket", "= /ws", BACKEND), ("events", "/", BACKEND)], id="events-everywhere"
        ),
        pytest.param(
            {**ONE, "api_paths": ["/"], "static_publish": False},
            0,
            [("websocket", "= /ws", BACKEND), ("ordinary", "/", BACKEND)],
            id="api-everywhere",
        ),
        pytest.param(
            {"api_url": "http://app.example.com"},
            1,
            [("ordinary", "^~ /api/", BACKEND), *STATIC, ("ordinary", "/", FRONTEND)],
            id="api-beside-the-page",
        ),
    ],
)
def test_each_path_has_one_location(changes: dict[str, Any], number: int, expected: object) -> None:
    assert locations(site(**changes), number) == expected


@pytest.mark.parametrize(("path", "expected"), [("/", "/"), ("/ws", "= /ws"), ("/ws/", "^~ /ws/")])
def test_a_path_matches_itself_or_all_below(path: str, expected: str) -> None:
    assert match(path) == expected


def test_servers_with_tls_listen_for_it() -> None:
    assert site(**TLS).servers[0].listen == ("443 ssl", "[::]:443 ssl")
    assert site().servers[0].listen == ("80", "[::]:80")


def test_a_kernel_without_ipv6_is_listened_on_by_ipv4() -> None:
    found = site(ipv6=False, **TLS)
    assert [each.listen for each in found.servers] == [("443 ssl",), ("443 ssl",)]
    assert found.redirect_listen == ("80",)
    assert site().redirect_listen == ("80", "[::]:80")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="plain"),
        pytest.param(TLS, ["api.example.com", "app.example.com"], id="two-names"),
        pytest.param(TLS_ONE, ["app.example.com"], id="one-name"),
        pytest.param({**TLS, "tls_redirect": False}, [], id="switched-off"),
        pytest.param({**TLS, "page_url": "http://app.example.com"}, ["api.example.com"], id="plain-page-elsewhere"),
        pytest.param({**TLS_ONE, "page_url": "http://app.example.com"}, [], id="port-80-is-taken"),
        pytest.param({**TLS, "tls_certificate": "", "tls_key": ""}, [], id="tls-ends-before"),
        pytest.param(
            {**TLS_ONE, "page_url": "https://app.example.com:8443"}, ["app.example.com"], id="two-ports-one-redirect"
        ),
    ],
)
def test_port_80_redirects_to_tls_where_it_is_free(changes: dict[str, Any], expected: list[str]) -> None:
    assert [each.address.host for each in site(**changes).redirects] == expected


def test_a_redirect_leads_to_the_first_port_with_tls() -> None:
    [found] = site(**{**TLS_ONE, "page_url": "https://app.example.com:8443"}).redirects
    assert found.address.port == 443


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [False, False], id="plain-site-without-certificate"),
        pytest.param({**TLS, "page_url": "http://app.example.com"}, [False, True], id="plain-page-beside-tls"),
        pytest.param(
            {**TLS, "page_url": "http://app.example.com", "acme_root": ""}, [False, False], id="without-a-directory"
        ),
        pytest.param({**TLS, "page_url": "http://app.example.com:81"}, [False, False], id="another-port"),
        pytest.param({**TLS, "listen_port": 80}, [False, False], id="tls-at-port-80"),
    ],
)
def test_challenges_are_answered_where_certificates_are_renewed(changes: dict[str, Any], expected: list[bool]) -> None:
    assert [each.challenges for each in site(**changes).servers] == expected


@pytest.mark.parametrize(
    ("deny", "allow", "expected"),
    [
        pytest.param([], [], (), id="everybody"),
        pytest.param(["192.0.2.1"], [], ("deny 192.0.2.1;",), id="all-but-one"),
        pytest.param([], ["192.0.2.1"], ("allow 192.0.2.1;", "deny all;"), id="one-alone"),
        pytest.param(["all"], [], ("deny all;",), id="nobody"),
        pytest.param(
            ["192.0.2.9", "all"],
            ["192.0.2.0/24"],
            ("deny 192.0.2.9;", "allow 192.0.2.0/24;", "deny all;"),
            id="a-network-without-one-address",
        ),
    ],
)
def test_the_first_rule_that_fits_decides(deny: list[str], allow: list[str], expected: tuple[str, ...]) -> None:
    assert site(websocket_deny=deny, websocket_allow=allow).access == expected


def test_names_in_the_http_block_hold_the_name_of_the_site() -> None:
    found = site(site_name="a-b-c")
    assert found.slug == "a_b_c"
    assert SiteLocation("ordinary", "@a_b_c_page", FRONTEND) in found.servers[1].locations


def test_names_in_the_http_block_fit_and_differ_from_those_of_other_sites() -> None:
    names = ["a-b", "a_b", "a.b", "A-b", "a-B", *("x" * length for length in (35, 36, 56, 100)), "x" * 99 + "y"]
    slugs = [site(site_name=name).slug for name in names]
    assert slugs[0] == "a_b"
    assert slugs[5] == "x" * 35
    assert len({slug.lower() for slug in slugs}) == len(names)
    assert all(len(f"{slug}_connection") <= 46 for slug in slugs)


def test_old_workers_are_closed_in_time() -> None:
    assert site().main == ""
    assert site(nginx_shutdown_timeout=90).main == "worker_shutdown_timeout 90s;"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param(
            {"page_url": "http://app.example.com:14100"},
            "proxy_page_url is http://app.example.com:14100, at the port where the page itself listens "
            "(127.0.0.1:14100), expected another port, or proxy_page: false if the page is served without the proxy",
            id="port-of-the-page",
        ),
        pytest.param(
            {"listen_port": 14100},
            "proxy_page_url is http://app.example.com, at the port where the page itself listens (127.0.0.1:14100), "
            "expected another port, or proxy_page: false if the page is served without the proxy",
            id="port-to-listen-on",
        ),
        pytest.param(
            {"frontend_upstream": "localhost:80"},
            "proxy_page_url is http://app.example.com, at the port where the page itself listens (localhost:80), "
            "expected another port, or proxy_page: false if the page is served without the proxy",
            id="usual-port",
        ),
        pytest.param(
            {**TLS_ONE, "ws_url": "ws://app.example.com:443/ws"},
            "proxy_page_url, proxy_api_url and proxy_ws_url want both TLS and plain connections at "
            "app.example.com:443, expected one of them for each port of a host name",
            id="tls-and-plain",
        ),
    ],
)
def test_urls_that_nginx_cannot_serve_are_named(changes: dict[str, Any], message: str) -> None:
    assert conflicts(inputs(**changes)) == (message,)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="two-names"),
        pytest.param({"page": False, "listen_port": 14100}, id="page-without-the-proxy"),
        pytest.param({"page_url": "http://app.example.com:14100", "frontend_upstream": "a:14100"}, id="other-machine"),
        pytest.param({"page_url": "https://app.example.com:14100"}, id="tls-before-listens-at-80"),
        pytest.param({**TLS, "page_url": "http://app.example.com:443"}, id="two-protocols-on-two-names"),
    ],
)
def test_urls_that_nginx_can_serve_are_no_conflict(changes: dict[str, Any]) -> None:
    assert conflicts(inputs(**changes)) == ()


def test_a_conflict_names_the_variables_that_the_user_has_set() -> None:
    [message] = conflicts(inputs(listen_port=14100), ["staging_public_url"])
    assert message.startswith("staging_public_url is ")
    assert "or staging_proxy_page: false" in message
    [message] = conflicts(inputs(**{**TLS_ONE, "ws_url": "ws://app.example.com:443/ws"}), ["staging_public_ws_url"])
    assert message.startswith("proxy_page_url, proxy_api_url and staging_public_ws_url want")


def test_the_websocket_has_an_address_to_be_asked_at() -> None:
    read = inputs(**TLS)
    found = address_of(read, "ws", read.public_websocket)
    assert (found.host, found.port, found.tls, found.secure) == ("api.example.com", 443, True, True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"static_url_path": "/"}, [("page", "/", "")], id="at-the-root"),
        pytest.param(
            {"static_url_path": "/app/", "page_url": "http://app.example.com/app"},
            [("page", "^~ /app/", ""), ("slash", "= /app", "/app/"), ("not_found", "/", "")],
            id="below-a-path",
        ),
    ],
)
def test_a_page_without_a_process(changes: dict[str, Any], expected: list[tuple[str, str, str]]) -> None:
    found = site(page_static=True, **changes)
    page = next(each for each in found.servers if "page" in each.kinds)
    assert [(each.kind, each.match, each.upstream) for each in page.locations] == expected


def test_a_page_without_a_process_beside_its_api() -> None:
    (server,) = site(**ONE, page_static=True, static_url_path="/", sse_paths=["/events"]).servers
    assert [(each.kind, each.match) for each in server.locations] == [
        ("websocket", "= /ws"),
        ("events", "= /events"),
        ("ordinary", "^~ /api/"),
        ("page", "/"),
    ]


def test_a_page_without_a_process_may_be_at_the_port_of_the_page() -> None:
    at_port = {"page_url": "http://app.example.com:14100"}
    assert conflicts(inputs(**at_port)) != ()
    assert conflicts(inputs(**at_port, page_static=True, static_url_path="/")) == ()
