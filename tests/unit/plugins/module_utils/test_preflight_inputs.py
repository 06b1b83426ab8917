"""Inputs that cannot fit together: each with the whole sentence that the user reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils import _preflight
from ansible_collections.codeframe.staging.plugins.module_utils._preflight_inputs import (
    DEFAULT_OVERLAP_PORT,
    check_inputs,
)
from bad_inputs import ERRORS, GOOD, TLS

WARNINGS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "internal name",
        {"staging_public_url": "http://app.home.example.net"},
        (
            'staging_public_url is "http://app.home.example.net", but app.home.example.net is known inside '
            "one network only; make sure that every user is inside it, or write a public name"
        ),
    ),
    (
        "name of one label",
        {"staging_public_url": "http://staging"},
        (
            'staging_public_url is "http://staging", but staging is known inside one network only; make '
            "sure that every user is inside it, or write a public name"
        ),
    ),
    (
        "private address",
        {"staging_public_url": "http://10.0.0.5"},
        (
            'staging_public_url is "http://10.0.0.5", but 10.0.0.5 is known inside one network only; make '
            "sure that every user is inside it, or write a public name"
        ),
    ),
    (
        "slash at the end of a page URL",
        {"staging_public_url": "http://app.example.com/"},
        (
            'staging_public_url is "http://app.example.com/", but no slash is expected at its end, since '
            "what is appended to it starts with one; write http://app.example.com"
        ),
    ),
    (
        "slash at the end of a WebSocket path",
        {"staging_public_ws_url": "ws://api.example.com/ws/"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws/", but no slash is expected at its end, '
            "since what is appended to it starts with one; write ws://api.example.com/ws"
        ),
    ),
    (
        "CORS for everybody",
        {"staging_cors_origins": ["*"]},
        (
            'staging_cors_origins is "*", but the origin of the page is expected, since * lets every page '
            "of the web in; write http://app.example.com"
        ),
    ),
    (
        "WebSockets on every path",
        {"staging_websocket_paths": ["/"]},
        (
            'staging_websocket_paths is "/", but the path of the WebSocket alone is expected, since / takes '
            "every request of the host; list the path itself, such as /ws"
        ),
    ),
    (
        "certificate that nothing uses",
        {"staging_tls_certificate": "/etc/ssl/a.pem", "staging_tls_key": "/etc/ssl/a.key"},
        (
            'staging_tls_certificate is "/etc/ssl/a.pem", but a public URL with https:// or wss:// is '
            "expected beside it; write the URLs with https:// and wss://, or remove the certificate"
        ),
    ),
    (
        "hold within the idle cut",
        {"staging_hold": 10},
        (
            "staging_hold is 10, but more than 60 s are needed to see the proxy's default idle cut; hold "
            "for 65 s; a shorter one proves less"
        ),
    ),
    (
        "hold within NPM's idle cut",
        {"staging_hold": 65, "staging_proxy_provider": "nginx_proxy_manager"},
        (
            "staging_hold is 65, but more than 90 s are needed to see the proxy's default idle cut; hold "
            "for 95 s; a shorter one proves less"
        ),
    ),
    (
        "WebSocket URL at the backend's port, proxy elsewhere",
        {"staging_proxy_provider": "manual", "staging_public_ws_url": "ws://api.example.com:14200/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:14200/ws", but port 14200 is the backend\'s own '
            "(staging_backend_port), so that users would go around the proxy; write the host and port of "
            "the proxy"
        ),
    ),
    (
        "git without encryption",
        {"staging_git_url": "http://example.com/x.git"},
        (
            'staging_git_url is "http://example.com/x.git", but a protocol that proves the server is '
            "expected, since the source is run; write https:// or ssh://"
        ),
    ),
    (
        "project directory that is temporary",
        {"staging_project_dir": "/tmp/app"},
        (
            'staging_project_dir is "/tmp/app", but a directory that outlives a restart and a clean-up is '
            "expected; use one below the deploy user's home or /srv"
        ),
    ),
    (
        "variable that is not baked in",
        {"staging_public_env": {"API_URL": "x"}},
        (
            'staging_public_env.API_URL is "x", but Next.js puts only variables into the page that start '
            "with NEXT_PUBLIC_; rename it, or move it to staging_frontend_build_env"
        ),
    ),
    (
        "NODE_ENV in the build",
        {"staging_frontend_build_env": {"NODE_ENV": "development"}},
        (
            'staging_frontend_build_env.NODE_ENV is "development", but next build makes a page for '
            "production only; leave the key out"
        ),
    ),
)


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
                "staging_websocket_paths": ["/ws", {"path": "/live", "match": "exact"}],
                "staging_sse_paths": ["/api/events"],
                "staging_cors_origins": ["http://app.example.com", "http://app.example.com:3000"],
                "staging_env": {"A": "x y", "N": 1, "B": True, "T": "two\nlines"},
                "staging_env_secrets": {"AUTH_SECRET": "hunter2"},
                "staging_frontend_build_env": {"BACKEND_PORT": "14200"},
                "staging_hold": 65,
                "staging_git_url": "git@example.com:me/app.git",
                "unknown_to_us": object(),
            },
            id="everything set",
        ),
    ],
)
def test_inputs_that_fit_have_no_finding(changes: dict[str, Any]) -> None:
    assert _sentences({**GOOD, **changes}) == []


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


def test_the_default_of_the_second_port_is_that_of_the_role() -> None:
    defaults = (Path(__file__).resolve().parents[4] / "roles/backend/defaults/main.yml").read_text()
    assert f"staging_backend_overlap_port | default({DEFAULT_OVERLAP_PORT})" in defaults
