# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks that the provider ``manual`` prints; tests/integration has them in the real programs."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.filter.proxy_problems import proxy_problems
from manual_proxies import block, printed
from rendering import render
from role_files import ROOT

VARS = yaml.safe_load((ROOT / "roles/proxy/vars/main.yml").read_text(encoding="utf-8"))
KINDS = ("nginx", "apache", "haproxy", "caddy", "traefik")
PLAIN: dict[str, Any] = {
    "site_name": "my-app",
    "page_url": "http://app.example.com",
    "api_url": "http://app.example.com",
    "ws_url": "ws://ws.example.com:8080/ws",
    "backend_upstream": "192.0.2.5:14200",
    "frontend_upstream": "192.0.2.5:14100",
    "sse_paths": ["/api/events"],
    "websocket_idle_timeout": 7200,
    "static_root": "/x",
}
TLS = {
    **PLAIN,
    "page_url": "https://app.example.com",
    "api_url": "https://app.example.com",
    "ws_url": "wss://ws.example.com/ws",
    "tls_certificate": "/c.pem",
    "tls_key": "/c.key",
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inputs", [PLAIN, TLS], ids=["plain", "tls"])
def test_a_block_has_each_name_path_and_upstream(kind: str, inputs: dict[str, Any]) -> None:
    text = block(kind, inputs)
    assert text.startswith("# BEGIN codeframe.staging my-app\n")
    assert text.rstrip().endswith("# END codeframe.staging my-app")
    for part in ("app.example.com", "ws.example.com", "/ws", "/api/events", "192.0.2.5:14200", "192.0.2.5:14100"):
        assert part in text
    assert "{{" not in text
    assert "__" not in text


@pytest.mark.parametrize(("kind", "lines"), [
    ("nginx", ["proxy_read_timeout 7200s;", "proxy_set_header Upgrade $my_app_upgrade;"]),
    ("apache", ['ProxyPass "/ws" "http://192.0.2.5:14200/ws" connectiontimeout=60 timeout=7200 upgrade=websocket']),
    ("haproxy", ["timeout tunnel 7200s", "acl my_app_8080_1 req.hdr(host),field(1,:),lower -m str ws.example.com"]),
    ("caddy", ["handle /ws {", "flush_interval -1", "http://ws.example.com:8080 {"]),
])  # fmt: skip
def test_a_websocket_may_be_silent_for_as_long_as_the_variable_says(kind: str, lines: list[str]) -> None:
    found = [line.strip() for line in block(kind, PLAIN).splitlines()]
    assert set(lines) <= set(found)


def test_the_block_for_traefik_is_yaml_and_prefers_the_longest_path() -> None:
    routers = yaml.safe_load(block("traefik", TLS))["http"]["routers"]
    order = sorted(routers.values(), key=lambda each: -each["priority"])
    assert [each["rule"] for each in order] == [
        "Host(`app.example.com`) && Path(`/api/events`)",
        "Host(`ws.example.com`) && Path(`/ws`)",
        "Host(`app.example.com`) && PathPrefix(`/api/`)",
        "Host(`app.example.com`)",
    ]
    assert {each["entryPoints"][0] for each in order} == {"websecure"}
    assert "was not tested with Traefik" in printed("traefik", TLS)


@pytest.mark.parametrize("kind", ["apache", "haproxy"])
def test_port_80_redirects_to_tls(kind: str) -> None:
    text = block(kind, TLS)
    assert "308" in text
    assert "https://ws.example.com" in text
    assert "308" not in block(kind, PLAIN)


@pytest.mark.parametrize(("kind", "said"), [("apache", True), ("nginx", True), ("haproxy", True), ("caddy", False)])
def test_where_tls_ends_is_said(kind: str, said: bool) -> None:
    before = {**TLS, "tls_certificate": "", "tls_key": ""}
    assert ("TLS ends before this proxy. If it ends here" in printed(kind, before)) is said
    assert "TLS ends before this proxy. If it ends here" not in printed(kind, TLS)


def test_a_limit_that_only_nginx_gets_is_refused_for_the_others() -> None:
    limited = {**PLAIN, "provider": "manual", "websocket_allow": ["192.0.2.0/24"]}
    assert proxy_problems({**limited, "manual_for": "nginx"}) == []
    for kind, name in (("caddy", "the proxy"), ("proxy_manager", "Nginx Proxy Manager")):
        (problem,) = proxy_problems({**limited, "manual_for": kind})
        assert problem.endswith(f"expected an access list in {name} itself")


def test_a_page_at_its_own_port_is_a_conflict_in_every_kind_of_block() -> None:
    own = {**PLAIN, "page_url": "http://app.example.com:14100", "frontend_upstream": "127.0.0.1:14100"}
    assert proxy_problems({**own, "provider": "manual", "manual_for": "proxy_manager"}) == []
    (problem,) = proxy_problems({**own, "provider": "manual", "manual_for": "haproxy"})
    assert "at the port where the page itself listens" in problem


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, "127.0.0.1:14200", id="same-host"),
        pytest.param({"proxy_manager_address": "192.0.2.20"}, "one.example.com:14200", id="elsewhere"),
        pytest.param(
            {"proxy_manager_address": "192.0.2.20", "ansible_host": "192.0.2.5"}, "192.0.2.5:14200", id="by-address"
        ),
        pytest.param(
            {"proxy_manager_address": "192.0.2.20", "__proxy_given": ["staging_proxy_backend_upstream"]},
            "127.0.0.1:14200",
            id="chosen-by-the-user",
        ),
        pytest.param(
            {"proxy_manager_address": "192.0.2.20", "proxy_manual_for": "proxy_manager"}, "127.0.0.1:14200", id="npm"
        ),
    ],
)
def test_a_proxy_elsewhere_reaches_this_host_by_its_address(given: dict[str, Any], expected: str) -> None:
    names = ("__proxy_is_elsewhere", "__proxy_elsewhere", "__proxy_given_upstreams", "__proxy_backend_seen")
    variables = {
        "proxy_provider": "manual",
        "proxy_manual_for": "caddy",
        "proxy_manager_address": "",
        "__proxy_given": [],
        "inventory_hostname": "one.example.com",
        "proxy_backend_upstream": "127.0.0.1:14200",
        **given,
    }
    for name in names:
        value = VARS[name]
        variables[name] = (
            [render(each, variables) for each in value] if isinstance(value, list) else render(value, variables)
        )
    assert render(VARS["__proxy_inputs"]["backend_upstream"], variables) == expected
