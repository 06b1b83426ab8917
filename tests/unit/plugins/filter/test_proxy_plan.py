"""The filters of the role proxy: what templates are given."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.filter.proxy_plan import proxy_plan
from ansible_collections.codeframe.staging.plugins.filter.proxy_problems import proxy_problems

GOOD: dict[str, Any] = {
    "provider": "nginx",
    "site_name": "app",
    "page_url": "https://app.example.com",
    "ws_url": "wss://app.example.com/ws",
    "backend_upstream": "127.0.0.1:14200",
    "frontend_upstream": "127.0.0.1:14100",
    "static_root": "/var/lib/app",
    "tls_certificate": "/c.pem",
    "tls_key": "/k.pem",
    "manager_secret": "sesame",
}


def test_the_plan_has_all_that_a_template_reads() -> None:
    plan = proxy_plan(GOOD)
    [server] = plan["site"]["servers"]
    assert {key: value for key, value in server.items() if key != "locations"} == {
        "name": "app.example.com",
        "authority": "$host",
        "secure": True,
        "public_port": 443,
        "port": 443,
        "tls": True,
        "listen": ["443 ssl", "[::]:443 ssl"],
        "challenges": False,
    }
    websocket = {"kind": "websocket", "match": "= /ws", "upstream": "127.0.0.1:14200", "path": "/ws", "exact": True}
    assert server["locations"][0] == websocket
    assert [(each["path"], each["exact"]) for each in server["locations"][-1:]] == [("/", False)]
    assert [each["name"] for each in plan["site"]["redirects"]] == ["app.example.com"]
    assert plan["site"]["redirect_listen"] == ["80", "[::]:80"]
    assert (plan["site"]["slug"], plan["site"]["access"], plan["site"]["main"]) == ("app", [], "")
    assert plan["websocket"] == {"host": "app.example.com", "port": 443, "tls": True, "secure": True, "path": "/ws"}
    assert [each["name"] for each in plan["hosts"]] == ["app.example.com"]


def test_a_plan_can_be_made_again_of_what_it_returns() -> None:
    plan = proxy_plan({**GOOD, "api_url": ""})
    assert proxy_plan(plan["inputs"]) == plan
    assert proxy_problems(plan["inputs"]) == []


def test_no_login_is_part_of_a_plan() -> None:
    assert "sesame" not in str(proxy_plan(GOOD))


def test_a_page_is_forwarded_to_where_forward_addresses_are_managed() -> None:
    two = {**GOOD, "ws_url": "wss://api.example.com/ws"}
    assert [each["name"] for each in proxy_plan(two)["hosts"]] == ["api.example.com"]
    for word in (True, "yes"):
        names = [each["name"] for each in proxy_plan({**two, "manager_forward": word})["hosts"]]
        assert names == ["api.example.com", "app.example.com"]


def test_inputs_without_a_plan_are_named() -> None:
    with pytest.raises(AnsibleFilterError, match=r"^proxy_plan: proxy_page_url is "):
        proxy_plan({**GOOD, "page_url": "$x"})


def test_problems_are_those_of_the_provider() -> None:
    assert proxy_problems(GOOD) == []
    assert proxy_problems({**GOOD, "listen_port": 14100})[0].startswith("proxy_page_url is ")
    assert proxy_problems({**GOOD, "listen_port": 14100, "provider": "manual"}) == []
    [url, login] = proxy_problems({**GOOD, "provider": "nginx_proxy_manager"})
    assert (url.partition(" ")[0], login.partition(" ")[0]) == ("proxy_manager_api_url", "proxy_manager_identity")
    with_login = {**GOOD, "provider": "nginx_proxy_manager", "manager_api_url": "http://x", "manager_token": "t"}
    assert proxy_problems(with_login) == []
    assert proxy_problems({**GOOD, "tls_key": ""}, ["staging_tls_certificate"]) == [
        'staging_tls_certificate is "/c.pem" and proxy_tls_key is "", expected both or neither'
    ]


def test_values_are_judged_before_their_combinations() -> None:
    assert proxy_problems({**GOOD, "tls_key": "", "connect_timeout": 0}) == [
        "proxy_connect_timeout is 0, expected a number of seconds, at least 1"
    ]
