"""Inputs that cannot fit together: each with the whole sentence that the user reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import finding as _preflight
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import inputs as _preflight_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import (
    DEFAULT_OWN_PORTS,
    check_inputs,
)
from bad_inputs import ERRORS, GOOD, TLS, WARNINGS


def _sentences(inputs: dict[str, Any]) -> list[tuple[str, str]]:
    return [(item.level, item.sentence) for item in check_inputs(inputs)]


@pytest.mark.parametrize(("changes", "message"), [pytest.param(*case[1:], id=case[0]) for case in ERRORS])
def test_a_bad_input_is_an_error_with_one_sentence(changes: dict[str, Any], message: str) -> None:
    assert _sentences({**GOOD, **changes}) == [("error", message)]


@pytest.mark.parametrize(("changes", "message"), [pytest.param(*case[1:], id=case[0]) for case in WARNINGS])
def test_a_doubtful_input_is_a_warning_with_one_sentence(changes: dict[str, Any], message: str) -> None:
    assert _sentences({**GOOD, **changes}) == [("warning", message)]


def test_there_are_at_least_sixty_bad_inputs() -> None:
    assert len(ERRORS) >= 60


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="page and API on two names"),
        pytest.param(TLS, id="TLS"),
        pytest.param({**TLS, "staging_tls_names": ["*.example.com"]}, id="wildcard certificate"),
        pytest.param({"staging_public_ws_url": "ws://app.example.com/ws"}, id="one name"),
        pytest.param(
            {
                "staging_public_url": "http://codeframe.localhost:8080",
                "staging_public_ws_url": "ws://api.codeframe.localhost:8080/ws",
                "staging_allow_loopback": True,
            },
            id="demo on one machine",
        ),
        pytest.param(
            {"staging_public_url": "http://app.example.com:14100", "staging_proxy_page": False}, id="page without proxy"
        ),
        pytest.param(
            {
                "staging_public_url": "https://app.example.com",
                "staging_public_ws_url": "wss://api.example.com/ws",
                "staging_proxy_provider": "nginx_proxy_manager",
            },
            id="TLS ends at another machine",
        ),
        pytest.param(
            {
                "staging_public_url": "https://app.example.com",
                "staging_public_ws_url": "wss://api.example.com/ws",
                "staging_tls_before_proxy": True,
                "staging_proxy_port": 8080,
            },
            id="TLS ends before nginx",
        ),
        pytest.param(
            {
                "staging_public_url": "https://app.example.com",
                "staging_public_ws_url": "wss://api.example.com/ws",
                "staging_tls_before_proxy": "True",
            },
            id="TLS ends before nginx, said on a command line",
        ),
        pytest.param(
            {
                "staging_websocket_paths": ["/ws", "/live/"],
                "staging_sse_paths": ["/api/events"],
                "staging_cors_origins": ["http://app.example.com", "http://app.example.com:3000"],
                "staging_env": {"A": "x y", "N": 1, "B": True, "T": "two\nlines"},
                "staging_env_secrets": {"AUTH_SECRET": "hunter2"},
                "staging_frontend_build_env": {"BACKEND_PORT": "14200"},
                "staging_hold": 65,
                "staging_git_url": "git@example.com:me/app.git",
                "unknown_to_us": object(),
                "staging_vault_password": "the user's own",
            },
            id="everything set",
        ),
        pytest.param({"staging_public_env": {"VITE_WS_URL": "ws://app.example.com/ws"}}, id="Vite"),
    ],
)
def test_inputs_that_fit_have_no_finding(changes: dict[str, Any]) -> None:
    assert _sentences({**GOOD, **changes}) == []


@pytest.mark.parametrize(
    ("routes", "url"),
    [
        pytest.param(["/ws"], "ws://api.example.com/ws", id="the path itself"),
        pytest.param(["/live", "/ws/"], "ws://api.example.com/ws/v2", id="below"),
        pytest.param(["/ws/"], "ws://api.example.com/ws/", id="with its slash"),
    ],
)
def test_a_websocket_path_that_the_proxy_routes_is_fine(routes: list[str], url: str) -> None:
    found = check_inputs({**GOOD, "staging_public_ws_url": url, "staging_websocket_paths": routes})
    assert [item.name for item in found if item.name != "trailing-slash"] == []


def test_the_characters_of_a_path_are_those_of_the_role_proxy() -> None:
    variables = (Path(__file__).resolve().parents[5] / "roles/proxy/vars/main.yml").read_text()
    end = r"\Z"
    assert f"__proxy_parts: '{_preflight_inputs._PATH.pattern.removesuffix(end)}'" in variables


def test_the_real_application_has_but_warnings_for_its_internal_names() -> None:
    inputs = {
        "staging_public_url": "http://codeframe.home.frankbria.net:14100",
        "staging_public_ws_url": "ws://api.codeframe.home.frankbria.net/ws",
        "staging_public_api_url": "http://api.codeframe.home.frankbria.net",
        "staging_cors_origins": ["http://codeframe.home.frankbria.net:14100"],
        "staging_project_dir": "/home/frankbria/projects/codeframe",
        "staging_source_type": "in_place",
        "staging_shared_paths": ["staging", "logs"],
        "staging_backend_dir": ".",
        "staging_backend_command": ["venv/bin/python", "server.py"],
        "staging_backend_port": 14200,
        "staging_frontend_port": 14100,
        "staging_proxy_page": False,
        "staging_proxy_provider": "manual",
        "staging_frontend_build_env": {"BACKEND_PORT": "14200"},
    }
    assert {(item.name, item.level) for item in check_inputs(inputs)} == {("name-internal", "warning")}


def test_a_value_that_looks_like_a_mark_may_be_allowed() -> None:
    given = {**GOOD, "staging_env_secrets": {"GREETING": "changeme", "KEY": "changeme"}}
    found = check_inputs({**given, "staging_env_allow_placeholders": ["GREETING"]})
    assert [(item.name, item.variable) for item in found] == [("placeholder", "staging_env_secrets.KEY")]


def test_a_value_that_one_reader_alters_is_fine_where_that_one_does_not_read_the_file() -> None:
    given = {**GOOD, "staging_env_secrets": {"PASSWORD": "p$word"}}
    assert [item.name for item in check_inputs(given)] == ["env-unwritable"]
    assert check_inputs({**given, "staging_env_readers": ["bash", "dotenv", "python-dotenv"]}) == []


def test_all_findings_come_at_once() -> None:
    found = check_inputs({"staging_public_url": "x", "staging_backend_port": 0, "staging_hold": "y"})
    assert [item.variable for item in found] == [
        "staging_public_url",
        "staging_public_ws_url",
        "staging_backend_port",
        "staging_project_dir",
        "staging_backend_command",
        "staging_git_url",
        "staging_hold",
    ]


def test_no_secret_is_in_a_finding() -> None:
    secrets = {"A": "planted$one", "B": "planted\rtwo", "UID": "planted-three", "NEXT_PUBLIC_X": "planted-four"}
    found = check_inputs({**GOOD, "staging_env": {"A": "1"}, "staging_env_secrets": secrets})
    assert len(found) == 5
    assert "planted" not in _preflight.summary(found)


def test_a_level_may_be_set_where_opinions_differ() -> None:
    found = _preflight.with_levels(check_inputs({**GOOD, "staging_hold": 10}), {"hold-short": "fail"})
    assert [item.level for item in found] == ["error"]
    found = _preflight.with_levels(check_inputs({**GOOD, "staging_user": "root"}), {"user-root": "warn"})
    assert [item.level for item in found] == ["warning"]


def test_an_api_on_another_host_than_the_websocket_is_doubtful_where_the_page_is_not_listed() -> None:
    given = {
        **GOOD,
        "staging_public_api_url": "http://rest.example.com",
        "staging_cors_origins": ["http://b.example.com"],
    }
    found = _preflight.with_levels(check_inputs(given), {})
    assert [(item.name, item.level) for item in found] == [
        ("cors-page-missing", "error"),
        ("hosts-of-api-and-websocket-differ", "warning"),
    ]
    assert found[1].sentence == (
        'staging_public_ws_url is "ws://api.example.com/ws", but the host of staging_public_api_url is '
        "rest.example.com, and staging_cors_origins does not list the page; use one host for both, or make sure that "
        "the backend accepts the page's origin on both"
    )
    assert check_inputs({**given, "staging_cors_origins": ["http://app.example.com"]}) == []


def test_errors_come_first() -> None:
    found = _preflight.with_levels(check_inputs({**GOOD, "staging_git_url": "http://x/y", "staging_hold": "z"}), {})
    assert [item.level for item in found] == ["error", "warning"]


def test_a_level_of_a_finding_that_is_no_matter_of_opinion_is_refused() -> None:
    assert _preflight.wrong_levels({"mixed-content": "warn", "hold-short": "loud", "memory": "fail"}) == [
        "mixed-content (not a finding on which opinions may differ)",
        "hold-short: loud (warn or fail is expected)",
    ]


def test_a_long_value_is_shortened() -> None:
    assert len(_preflight.shown("x" * 1000)) == 160


@pytest.mark.parametrize("junk", [None, 1, True, [], {}, "", "\n", [{}], {"a": []}, "\x00", "é", b"x", 1.5])
def test_no_kind_of_value_breaks_the_checks(junk: Any) -> None:
    names = {name for _id, changes, _message in (*ERRORS, *WARNINGS) for name in changes}
    for name in sorted(names):
        _preflight.summary(check_inputs({**GOOD, name: junk}))
    _preflight.summary(check_inputs(dict.fromkeys(names, junk)))


@pytest.mark.parametrize("variable", DEFAULT_OWN_PORTS)
def test_the_default_of_a_port_is_that_of_the_role_and_is_judged_like_one_that_is_set(variable: str) -> None:
    roles = Path(__file__).resolve().parents[5] / "roles"
    defaults = "".join((roles / role / "defaults/main.yml").read_text() for role in ("settings", "backend"))
    port = DEFAULT_OWN_PORTS[variable]
    assert f"{variable} | default({port})" in defaults
    given = {**GOOD, "staging_backend_switch": "blue_green", "staging_public_url": f"http://a.b.org:{port}"}
    given.pop(variable, None)
    assert [item.name for item in check_inputs(given)] != []
    assert check_inputs({**given, "staging_public_url": "http://a.b.org"}) == []
