# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The saved state: what it holds, what replaces what, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError
from ansible_collections.codeframe.staging.plugins.module_utils._release.saved_state import (
    SavedState,
    VerifiedState,
    checked,
    from_text,
    to_text,
)

PROJECT = "/home/deploy/projects/app"
NOW = "2030-01-02T03:04:05Z"
NGINX = {"provider": "nginx", "site_name": "app", "content": "server {\n}\n", "main_content": ""}
MANAGER = {"provider": "nginx_proxy_manager", "hosts": {"api.example.com": {"block": None, "fields": {}}}}
BACKEND = {
    "name": "app-backend",
    "dir": ".",
    "command": ["python", "-m", "app"],
    "ecosystem_file": "",
    "env": {"A": "1", "B": None, "C": 2, "D": True},
    "env_file": ".env.staging",
    "port": 14200,
    "switch": "restart",
    "green_port": "14201",
    "health_url": "http://127.0.0.1:{port}/health",
    "health_websocket_url": "",
    "health_websocket_origin": "",
}
FRONTEND = {"name": "app-frontend", "port": 14100, "exec_mode": "cluster", "static_publish": True}
RECORDS = {
    "verification": {
        "url": "wss://api.example.com/ws",
        "page_url": "https://app.example.com",
        "sse_paths": ["/api/events"],
        "proxy_port": 8443,
        "proxy_tls": True,
        "send": {"type": "ping"},
        "expect": "pong|\nready",
    },
    "backend_process": BACKEND,
    "frontend_process": FRONTEND,
}


def full() -> SavedState:
    return SavedState(
        PROJECT,
        proxy_before=NGINX,
        before_take_over={"sites": [{"path": "/etc/nginx/sites-available/app"}]},
        verified={"0002-b": VerifiedState(MANAGER, RECORDS), "0001-a": VerifiedState()},
    )


def changed(*path: Any, to: Any) -> str:
    """The text of a saved state in which one field has another value."""
    document = json.loads(to_text(full()))
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return json.dumps(document)


def test_a_saved_state_survives_writing_and_reading():
    for state in (full(), SavedState(PROJECT)):
        assert from_text(to_text(state), "s", PROJECT) == state
        assert checked(state) == state


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("{", "it is no JSON document (Expecting property name", id="damaged"),
        pytest.param("[]", "the document is a list, expected an object;", id="no-object"),
        pytest.param('{"version": 1}', "project is missing;", id="incomplete"),
        pytest.param(changed("version", to=2), "it is not of version 1;", id="version"),
        pytest.param(changed("project", to="/srv/x"), f"project is '/srv/x', expected '{PROJECT}';", id="project"),
        pytest.param(changed("sudo", to=True), "sudo is unknown, expected one of ", id="unknown-field"),
        pytest.param(
            changed("verified", "../x", to={}), "a key of verified is '../x', expected the id of a release;", id="key"
        ),
        pytest.param(
            changed("verified", "0002-b", "verified_at", to="today"),
            "verified.0002-b.verified_at is 'today', expected a time in UTC;",
            id="time",
        ),
        pytest.param(
            changed("proxy_before", "provider", to="../../tmp/x"),
            "proxy_before.provider is '../../tmp/x', expected a provider of the role proxy;",
            id="provider",
        ),
        pytest.param(
            changed("proxy_before", to={"site": {}}), "proxy_before.provider is missing;", id="without-a-provider"
        ),
        pytest.param(
            changed("verified", "0002-b", "proxy_state", "hosts", to=["x"]),
            "verified.0002-b.proxy_state.hosts is a list, expected an object;",
            id="hosts",
        ),
        pytest.param(
            changed("verified", "0002-b", "records", "backend_process", to="{}"),
            "verified.0002-b.records.backend_process is text, expected an object;",
            id="json-text-in-json",
        ),
        pytest.param(
            changed("verified", "0002-b", "records", "backend_process", "port", to=70000),
            "verified.0002-b.records.backend_process.port is '70000', expected a port from 1 to 65535;",
            id="port",
        ),
        pytest.param(
            changed("verified", "0002-b", "records", "backend_process", "command", to="rm -rf /"),
            "verified.0002-b.records.backend_process.command is text, expected a list;",
            id="command",
        ),
        pytest.param(
            changed("verified", "0002-b", "records", "backend_process", "env", "A", to={"x": 1}),
            "verified.0002-b.records.backend_process.env.A is an object, expected text, a number, true, false or null;",
            id="nested-variable",
        ),
        pytest.param(
            changed("verified", "0002-b", "records", "frontend_process", "static_publish", to="yes"),
            "verified.0002-b.records.frontend_process.static_publish is text, expected true or false;",
            id="no-boolean",
        ),
    ],
)
def test_a_state_that_fails_the_schema_is_refused_with_the_name_of_the_field(text, why):
    with pytest.raises(ReleaseError) as problem:
        from_text(text, "s", PROJECT)
    assert str(problem.value).startswith(f"s is refused: {why}")
    assert str(problem.value).endswith(
        "; nothing was changed; find out who wrote it, move it away, and deploy again: until then there is no saved "
        "state for a rollback"
    )


def test_what_would_be_refused_is_not_saved():
    with pytest.raises(ReleaseError) as problem:
        checked(SavedState(PROJECT, proxy_before={"provider": "apache"}))
    assert str(problem.value) == (
        "the state to save is refused: proxy_before.provider is 'apache', expected a provider of the role proxy"
    )


def test_the_first_state_before_a_change_stays_until_it_is_deleted():
    state = SavedState(PROJECT)
    for given, saved in ((NGINX, NGINX), (MANAGER, NGINX), ({}, {}), (MANAGER, MANAGER)):
        state.save_proxy(given)
        assert state.proxy_before == saved
        state.save_before_take_over(given)
        assert state.before_take_over == saved


def test_a_verified_state_deletes_the_one_before_the_change_and_those_of_deleted_releases():
    state = full()
    state.verified["0003-c"] = VerifiedState(NGINX)
    state.verify("0004-d", NGINX, {"verification": {"page_url": "http://a"}}, keep=["0002-b", "0004-d"], now=NOW)
    assert state.verified == {
        "0002-b": VerifiedState(MANAGER, RECORDS),
        "0004-d": VerifiedState(NGINX, {"verification": {"page_url": "http://a"}}),
    }
    assert [each.verified_at for each in state.verified.values()] == ["", NOW]
    assert (state.proxy_before, state.before_take_over) == ({}, full().before_take_over)


def test_what_a_run_does_not_touch_stays_as_it_was_verified():
    state = full()
    state.verify("0002-b", None, {"verification": {"page_url": "http://a"}}, keep=["0002-b"], now=NOW)
    assert state.verified == {"0002-b": VerifiedState(MANAGER, {**RECORDS, "verification": {"page_url": "http://a"}})}
    state.verify("0002-b", NGINX, {}, keep=[], now="2030-01-02T03:04:06Z")
    assert state.verified["0002-b"].proxy_state == NGINX
