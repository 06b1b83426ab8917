"""The filters verification_plan and verification_result; what they derive is tested with their module_utils."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.filter.verification_plan import verification_plan
from ansible_collections.codeframe.staging.plugins.filter.verification_result import verification_result

INPUTS: dict[str, Any] = {
    "url": "wss://api.example.com/ws",
    "api_url": "https://api.example.com",
    "page_url": "https://app.example.com",
    "path": "/ws",
    "sse_paths": ["/api/events"],
    "event_timeout": "30",
    "backend_port": "14200",
    "backend_socket": "",
    "frontend_port": 14100,
    "proxy_address": "127.0.0.1",
    "proxy_port": 0,
    "proxy_tls": True,
    "proxy_page": True,
    "vantages": ["direct", "proxy", "public"],
    "origin": "https://app.example.com",
    "headers": {},
    "secret_headers": {"Cookie": "x"},
    "secret_query": {},
    "validate_certs": False,
    "ca_certificates": "",
    "browser_pages": [],
    "routes": [],
    "idle_timeout": {},
}


def test_the_plan_divides_the_endpoints_by_the_machine_that_checks_them() -> None:
    plan = verification_plan(INPUTS)
    names = {part: [endpoint["name"] for endpoint in plan[part]] for part in ("host", "controller", "load")}
    assert names == {
        "host": ["backend", "backend /api/events", "proxy", "proxy /api/events"],
        "controller": ["public URL", "public URL /api/events"],
        "load": ["proxy"],
    }
    common = {name: INPUTS[name] for name in ("origin", "headers", "secret_headers", "secret_query", "validate_certs")}
    assert all(common.items() <= endpoint.items() for endpoint in plan["host"] + plan["controller"])
    assert plan["page"]["way"] == "through the proxy"


def test_less_errors_of_the_console_count_on_pages_that_nobody_chose() -> None:
    origin = INPUTS["page_url"]
    routes = [
        {"route": "/", "page": f"{origin}/"},
        {"route": "/p/[id]", "page": f"{origin}/p/1"},
        {"route": "/never", "page": ""},
    ]
    assert verification_plan(INPUTS)["browser_errors"] == {origin: "without_data"}
    plan = verification_plan({**INPUTS, "routes": routes})
    assert plan["browser_errors"] == {f"{origin}/": "without_data", f"{origin}/p/1": "deployment"}
    assert list(plan["browser_errors"]) == plan["browser"]
    chosen = verification_plan({**INPUTS, "routes": routes, "browser_pages": ["/p/1"]})
    assert chosen["browser_errors"] == {f"{origin}/p/1": "all"}


def test_without_an_endpoint_on_the_host_no_load_is_planned() -> None:
    plan = verification_plan({**INPUTS, "vantages": ["public"]})
    assert (plan["host"], plan["load"]) == ([], [])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"url": "nonsense"}, "it does not start with a scheme", id="url"),
        pytest.param({"proxy_port": "many"}, "an input cannot be used", id="port"),
    ],
)
def test_an_input_that_cannot_be_used_is_named(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        verification_plan({**INPUTS, **changes})


@pytest.mark.parametrize("name", [name for name in INPUTS if name != "ca_certificates"])
def test_a_missing_input_is_named(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match=f"the input '{name}' is missing"):
        verification_plan({key: value for key, value in INPUTS.items() if key != name})


def test_the_result_has_the_fields_that_the_role_documents() -> None:
    check = {
        "results": [{"vantage": "direct", "passed": True}],
        "diagnosis": {"cause": "none"},
        "summary": ["Direct backend connection: passed"],
    }
    result = verification_result(
        [check, {"skipped": True}], {"changed": False}, way="through the proxy", url="ws://h/ws"
    )
    assert result == {
        "passed": True,
        "host_passed": True,
        "message": "",
        "lines": [
            "Direct backend connection: passed",
            "Scripts of the served page: passed (through the proxy they contain ws://h/ws)",
        ],
        "diagnosis": {},
        "page": {},
        "browser": {},
        "results": [{"vantage": "direct", "passed": True}],
    }
    assert not verification_result([check], {"msg": "no script"}, way="x", url="ws://h/ws")["passed"]


def test_the_diagnosis_is_that_of_the_first_check_that_failed() -> None:
    first, second = (
        {
            "results": [{"vantage": name, "passed": False}],
            "diagnosis": {"cause": name, "explanation": name, "remedy": "x"},
        }
        for name in ("proxy", "public")
    )
    good = {"results": [{"vantage": "direct", "passed": True}], "diagnosis": {"cause": "none"}}
    page = {"passed": False, "complaint": "no script", "found": {"a": []}, "forbidden": {}, "scripts": ["x"]}
    result = verification_result([good, first, second], page, way="x", url="ws://h/ws")
    assert result["diagnosis"] == first["diagnosis"]
    assert result["page"] == {name: page[name] for name in ("passed", "found", "forbidden", "complaint")}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, ["https://app.example.com"], id="first-page"),
        pytest.param(
            {"browser_pages": ["/a", "/b"], "page_url": "https://app.example.com/base"},
            ["https://app.example.com/a", "https://app.example.com/b"],
            id="pages",
        ),
        pytest.param(
            {"routes": [{"route": "/a/[b]", "page": f"http://127.0.0.1:3000/a/{each}"} for each in (1, 1, 2, 3, 4)]},
            [f"https://app.example.com/a/{each}" for each in (1, 2, 3)],
            id="routes",
        ),
        pytest.param({"routes": [{"route": "/a", "page": ""}]}, ["https://app.example.com"], id="route-without-answer"),
        pytest.param({"vantages": ["direct", "proxy"]}, [], id="public-url-not-checked"),
    ],
)
def test_a_browser_opens_the_pages_at_their_public_url(changes: dict[str, Any], expected: list[str]) -> None:
    assert verification_plan({**INPUTS, **changes})["browser"] == expected


def test_the_browser_of_the_result_is_the_one_that_failed() -> None:
    good = {"results": [{"vantage": "public", "passed": True}], "diagnosis": {"cause": "none"}}
    first = {"available": True, "passed": True, "websocket": {"opened_s": 0.24, "held_s": 5.0}, "console": ["log: x"]}
    second = {"available": True, "passed": False, "cause": "csp_blocked", "explanation": "no", "remedy": "Allow it."}
    given: dict[str, Any] = {"way": "x", "url": "ws://h/ws", "browser_chosen": True}
    result = verification_result(
        [good], {}, browser=[first, second], browser_urls=["http://h/a", "http://h/b"], **given
    )
    assert result["browser"] == second
    assert (result["passed"], result["host_passed"]) == (False, False)
    assert verification_result([good], {}, browser=[first], browser_urls=["http://h/a"], **given)["browser"] == first
    skipped = {"skipped": True, "changed": False}
    assert verification_result([good], {}, browser=[skipped], browser_urls=["http://h/a"], **given)["browser"] == {}


@pytest.mark.parametrize(
    ("where", "told"),
    [("/etc/nginx/sites-enabled/app:30", "/etc/nginx/sites-enabled/app:30"), (None, "the default of nginx")],
)
def test_the_configured_idle_timeout_is_that_of_the_proxy_and_its_websocket(where: str | None, told: str) -> None:
    plan = verification_plan({**INPUTS, "idle_timeout": {"seconds": 20.0, "where": where}})
    configured = {
        endpoint["name"]: (endpoint["configured_idle_timeout"], endpoint["configured_idle_timeout_from"])
        for endpoint in plan["host"] + plan["controller"]
        if "configured_idle_timeout" in endpoint
    }
    assert configured == {"proxy": (20.0, told)}
