"""preflight_info: what the module returns; the checks themselves are tested in module_utils/_preflight."""

from __future__ import annotations

import json
import os
import pwd
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import addresses_facts
from ansible_collections.codeframe.staging.plugins.modules import preflight_info
from bad_inputs import GOOD
from free_ports import free_port
from module_runner import RunModule

FINDING = {"finding", "variable", "value", "found", "expected", "remedy", "level", "message"}


def on_inputs(**changes: Any) -> dict[str, Any]:
    return {"stage": "inputs", "inputs": {**GOOD, **changes}}


def test_inputs_that_fit_pass(run_module: RunModule) -> None:
    result = run_module(preflight_info, on_inputs())
    assert (result["failed"], result["changed"], result["findings"], result["message"]) == (False, False, [], "")
    assert (result["errors"], result["warnings_count"], result["warnings"]) == (0, 0, [])


@pytest.mark.parametrize("check", [False, True])
def test_everything_that_does_not_fit_fails_at_once(run_module: RunModule, check: bool) -> None:
    changes = {"staging_public_ws_url": "http://api.example.com/ws", "staging_backend_port": 0, "staging_hold": 10}
    result = run_module(preflight_info, on_inputs(**changes), check=check)
    errors = [
        'staging_public_ws_url is "http://api.example.com/ws"; expected a URL that starts with ws:// or wss://; '
        "write ws://api.example.com/ws.",
        "staging_backend_port is 0; expected a port from 1 to 65535; choose a free port above 1023.",
    ]
    warning = (
        "staging_hold is 10, but the proxy closes idle connections after 60 s by default, which a shorter hold does "
        "not detect; expected more than 60 seconds; write 65, or accept that the verification proves less"
    )
    assert result["failed"] is True
    assert result["msg"].splitlines() == errors
    assert result["message"].splitlines() == [*errors, f"(warning) {warning}."]
    assert (result["errors"], result["warnings_count"], result["warnings"]) == (2, 1, [warning])
    assert [set(item) for item in result["findings"]] == [FINDING] * 3


def test_a_warning_alone_does_not_fail_unless_the_user_says_so(run_module: RunModule) -> None:
    args = on_inputs(staging_hold=10)
    assert run_module(preflight_info, args)["failed"] is False
    assert run_module(preflight_info, {**args, "levels": {"hold-short": "fail"}})["failed"] is True


def test_a_level_that_cannot_be_set_is_refused(run_module: RunModule) -> None:
    result = run_module(preflight_info, {**on_inputs(), "levels": {"scheme": "warn"}})
    assert result["failed"] is True
    assert result["msg"].startswith(
        "in staging_preflight_levels, scheme is not a finding whose level can be set; levels can be set for "
        "build-script-missing, certificate-expires-soon, "
    )


SECRETS: dict[str, Any] = {
    "staging_env_secrets": {"A": "planted$one", "B": "planted-two", "NEXT_PUBLIC_X": "planted-three"},
    "staging_git_url": "https://me:planted-four@example.com/x.git",
    "staging_proxy_manager_secret": "planted-five",
    "staging_websocket_secret_headers": {"Authorization": ["planted-six"]},
}


def test_no_secret_is_in_the_result(run_module: RunModule) -> None:
    result = run_module(preflight_info, on_inputs(**SECRETS))
    assert result["failed"] is True
    assert "planted" not in json.dumps(result)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the module writes to the system's log."""
    written: list[str] = []
    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.syslog, "openlog", lambda *_args: None)
    monkeypatch.setattr(basic.syslog, "syslog", lambda _level, message: written.append(str(message)))
    return written


def test_no_secret_is_in_the_log(run_module: RunModule, log: list[str]) -> None:
    run_module(preflight_info, on_inputs(**SECRETS))
    assert log == []


def test_the_log_of_an_ordinary_module_would_have_the_secrets(
    run_module: RunModule, log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight_info, "UnloggedModule", basic.AnsibleModule)
    run_module(preflight_info, on_inputs(**SECRETS))
    assert "planted-two" in "".join(log)


def test_the_addresses_of_the_public_names_are_returned(run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses_facts, "resolve", lambda hosts: dict.fromkeys(hosts))
    result = run_module(preflight_info, {**on_inputs(), "resolve": True})
    assert result["addresses"] == {"app.example.com": None, "api.example.com": None}
    assert [item["finding"] for item in result["findings"]] == ["host-unresolved", "host-unresolved"]
    assert run_module(preflight_info, on_inputs())["addresses"] == {}


def test_the_host_is_checked_with_the_options_of_the_task(
    run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses_facts, "resolve", lambda _hosts: {"app.example.com": ["192.0.2.1"]})
    monkeypatch.setattr(addresses_facts, "local_addresses", lambda: {"192.0.2.1"})
    (tmp_path / "web-ui").mkdir()
    (tmp_path / "web-ui/package.json").write_text('{"scripts": {"build": "next build"}}')
    (tmp_path / "web-ui/yarn.lock").write_text("")
    (tmp_path / "requirements.txt").write_text("")
    ports = {"staging_backend_port": free_port(), "staging_frontend_port": free_port()}
    inputs = {**GOOD, **ports, "staging_project_dir": str(tmp_path / "app"), "staging_proxy_provider": "manual"}
    user = pwd.getpwuid(os.geteuid()).pw_name
    args = {
        "stage": "host",
        "inputs": {**inputs, "staging_proxy_page": False, "staging_user": user, "staging_source_type": "archive"},
        "source_path": str(tmp_path),
        "node": str(tmp_path / "none"),
        "python": str(tmp_path / "none"),
        "controller_addresses": {"app.example.com": ["192.0.2.9"]},
        "min_free_bytes": 1 << 60,
        "min_memory_bytes": 1 << 60,
    }

    def names(*, check: bool) -> set[str]:
        return {item["finding"] for item in run_module(preflight_info, args, check=check)["findings"]}

    found = {"disk-space", "memory", "host-resolves-elsewhere"}
    assert names(check=False) - {"port-ephemeral"} == found | {"node-missing"}
    assert names(check=True) - {"port-ephemeral"} == found
