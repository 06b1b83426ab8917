# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What status_staging prints."""

from __future__ import annotations

from typing import Any

import yaml
from rendering import render
from role_files import ROOT

TEMPLATE = (ROOT / "playbooks/templates/status.j2").read_text(encoding="utf-8")
(PLAY,) = yaml.safe_load((ROOT / "playbooks/status_staging.yml").read_text(encoding="utf-8"))
SETTINGS = {
    "settings_app_name": "app",
    "settings_project_dir": "/srv/app",
    "settings_public_url": "https://app.example.com",
    "settings_public_ws_url": "wss://api.example.com/ws",
    "settings_proxy_provider": "nginx",
    "inventory_hostname": "one",
    "ansible_inventory_sources": ["inventories/my own"],
    "groups": {"staging": ["one"]},
    "websocket_verify_result": {"passed": True, "message": "", "lines": [], "results": []},
}
NOTHING: dict[str, Any] = {
    "found": "nothing",
    "active": "",
    "candidate": "",
    "revision": "",
    "verified": False,
    "verified_at": "",
    "damage": [],
    "releases": [],
    "manual": "",
    "processes": [],
}
RELEASE = {
    "id": "0001-a",
    "revision": "a" * 40,
    "missing": [],
    "taken_over": False,
    "verified": True,
    "verified_at": "2030-01-01T02:03:04Z",
}
ACTIVE = {**NOTHING, "found": "release", "active": "0002-b", "revision": "b" * 40, "verified": True}
TLS = {"expires_in_days": 12, "not_after": "2030-03-04T05:06:07+00:00"}


def shown(status: dict[str, Any], **more: Any) -> list[str]:
    variables = {**SETTINGS, "__run_inventories": PLAY["vars"]["__run_inventories"]}
    variables = {**variables, **more, "status_result": {**NOTHING, **status}}
    variables["__run_inventories"] = render(PLAY["vars"]["__run_inventories"], variables)
    variables["__run_rollback"] = render(PLAY["vars"]["__run_rollback"], variables)
    return str(render(TEMPLATE, variables)).splitlines()


def test_of_a_bare_host_it_says_that_nothing_is_deployed() -> None:
    lines = shown({})
    assert "Release:     none; nothing is deployed" in lines
    assert "Processes:   none in pm2" in lines
    assert not any(line.startswith(("Roll back", "Certificate", "Proxy")) for line in lines)


def test_of_a_manual_deployment_it_names_the_next_step() -> None:
    text = "\n".join(shown({"found": "directory"}))
    assert "/srv/app was deployed manually: adopt_staging" in text
    assert "staging_take_over: true" in text


def test_each_complete_release_has_the_command_that_activates_it() -> None:
    manual = {**RELEASE, "id": "0000-m", "revision": "", "taken_over": True, "verified": False, "verified_at": ""}
    lines = shown(
        {**ACTIVE, "releases": [RELEASE, manual, {**RELEASE, "id": "0003-c", "missing": [".venv: it is missing"]}]}
    )
    command = "    ansible-playbook codeframe.staging.rollback_staging -i 'inventories/my own' -e rollback_release="
    at = lines.index("Roll back to:")
    assert lines[at + 1 : at + 5] == [
        "  0001-a, source revision aaaaaaaaaaaa, verified 2030-01-01 02:03:04 UTC",
        command + "0001-a",
        "  0000-m, source revision unknown, the directory before the first deployment",
        command + "manual",
    ]
    assert "Incomplete:  0003-c: .venv: it is missing" in lines


def test_of_several_hosts_the_command_is_limited_to_one() -> None:
    lines = shown({**ACTIVE, "releases": [RELEASE]}, groups={"staging": ["one", "two"]})
    assert lines[-1].endswith(" --limit one -e rollback_release=0001-a")


def test_a_single_release_can_be_rolled_back_to_nothing() -> None:
    assert shown(ACTIVE)[-1] == "Roll back to: nothing, because this host has no other complete release"


def test_the_state_of_the_application_is_shown() -> None:
    process = {"name": "app-backend", "status": "online", "ports": [14200], "uptime_s": 7300, "restarts": 1}
    lines = shown(
        {
            **ACTIVE,
            "verified_at": "2030-01-02T03:04:05Z",
            "candidate": "0004-d",
            "damage": ["a.py was edited"],
            "processes": [
                {**process, "managed": True},
                {"name": "x", "status": "errored", "ports": [], "uptime_s": None, "restarts": 0, "managed": False},
            ],
        },
        websocket_verify_result={
            "passed": False,
            "message": "it is refused",
            "lines": ["line"],
            "results": [{"tls": TLS}],
        },
        proxy_result={"directives": {"proxy_pass": {"value": "http://127.0.0.1:14200", "where": "/etc/nginx/x:3"}}},
    )
    assert lines[3:9] == [
        "Release:     0002-b, source revision bbbbbbbbbbbb",
        "Verified:    2030-01-02 03:04:05 UTC",
        "Candidate:   0004-d, which a run prepares or has left; the next deployment discards it",
        "Edited:      1 source files of the active release since its activation: a.py was edited",
        "Works now:   NO: it is refused",
        "  line",
    ]
    assert "  app-backend: online, port 14200, running for 2 h, restarted 1 times by pm2" in lines
    assert "  x: errored, restarted 0 times by pm2, started manually" in lines
    assert "  proxy_pass http://127.0.0.1:14200 (/etc/nginx/x:3)" in lines
    assert "Certificate: expires in 12 days, on 2030-03-04" in lines


def test_without_tls_there_is_no_certificate_and_an_expired_one_is_said() -> None:
    assert "Certificate: none, because the WebSocket has no TLS" in shown(ACTIVE, settings_public_ws_url="ws://a/ws")
    expired = {"passed": True, "results": [{"tls": None}, {"tls": {**TLS, "expires_in_days": -3}}]}
    assert "Certificate: expired 3 days ago, on 2030-03-04" in shown(ACTIVE, websocket_verify_result=expired)


def test_a_release_that_was_never_verified_is_said() -> None:
    assert any(line.startswith("Verified:    never") for line in shown({**ACTIVE, "verified": False}))
