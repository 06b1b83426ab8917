"""The inputs together: each that does not fit gives the whole sentence that the user reads."""

from __future__ import annotations

import re
from typing import Any

import preflight_rules
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import finding as preflight_finding
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from bad_inputs import CERTBOT, ERRORS, GOOD, TLS, WARNINGS

CASES = [pytest.param({**GOOD, **changes}, id=name) for name, changes, _message in (*ERRORS, *WARNINGS)]


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


@pytest.mark.parametrize("given", CASES)
def test_a_finding_names_a_variable_and_shows_its_value(given: dict[str, Any]) -> None:
    for item in check_inputs(given):
        preflight_rules.assert_names_a_variable_and_shows_its_value(item, given)


@pytest.mark.parametrize("given", CASES)
def test_a_finding_has_a_name_for_programs(given: dict[str, Any]) -> None:
    assert [item.name for item in check_inputs(given) if not re.fullmatch(r"[a-z]+(-[a-z]+)*", str(item.name))] == []


@pytest.mark.parametrize("given", CASES)
def test_a_finding_tells_what_was_found_from_what_was_expected(given: dict[str, Any]) -> None:
    for item in check_inputs(given):
        preflight_rules.assert_tells_found_from_expected(item)


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
                "staging_backend_health_url": "http://127.0.0.1:{port}/health",
                "staging_frontend_health_url": "http://localhost:14100/",
                "staging_git_url": "git@example.com:me/app.git",
                "unknown_to_us": object(),
                "vault_password": "the user's own",
            },
            id="everything set",
        ),
        pytest.param({"staging_public_env": {"VITE_WS_URL": "ws://app.example.com/ws"}}, id="Vite"),
    ],
)
def test_inputs_that_fit_have_no_finding(changes: dict[str, Any]) -> None:
    assert _sentences({**GOOD, **changes}) == []


@pytest.mark.parametrize("host", ["app.lan", "app.home.arpa"])
def test_a_public_authority_cannot_reach_a_name_of_one_network(host: str) -> None:
    inputs = {**GOOD, **CERTBOT, "staging_public_url": f"https://{host}", "staging_public_ws_url": f"wss://{host}/ws"}
    errors = [sentence for level, sentence in _sentences(inputs) if level == "error"]
    assert errors == [
        f'staging_public_url is "https://{host}", but certbot gets no certificate for {host}, which no public '
        "authority can reach; expected a name in the public DNS; set staging_tls to private_ca"
    ]
    # An authority of that network can.
    own = {**inputs, "staging_acme_directory": "https://ca.lan/acme/directory"}
    assert [sentence for level, sentence in _sentences(own) if level == "error"] == []


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
    given = {**GOOD, "staging_env": {"A": "planted-five"}, "staging_env_secrets": secrets}
    found = check_inputs({**given, "staging_pubilc_url": "planted-six", "staging_page_secret_headers": "planted-seven"})
    assert len(found) == 7
    assert "planted" not in preflight_finding.summary(found)


@pytest.mark.parametrize("junk", [None, 1, True, [], {}, "", "\n", [{}], {"a": []}, "\x00", "é", b"x", 1.5])
def test_no_kind_of_value_breaks_the_checks(junk: Any) -> None:
    names = {name for _id, changes, _message in (*ERRORS, *WARNINGS) for name in changes}
    for name in sorted(names):
        preflight_finding.summary(check_inputs({**GOOD, name: junk}))
    preflight_finding.summary(check_inputs(dict.fromkeys(names, junk)))
