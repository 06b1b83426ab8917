"""What a role derives from the public URLs, rendered as Ansible does."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import parse_url
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        pytest.param("http://app.example.com", "http://app.example.com", id="an origin already"),
        pytest.param("https://app.example.com/", "https://app.example.com", id="slash at the end"),
        pytest.param("https://app.example.com/staging/app", "https://app.example.com", id="path"),
        pytest.param("http://app.example.com:14100/x", "http://app.example.com:14100", id="port"),
        pytest.param("https://App.Example.com:443/", "https://app.example.com", id="capitals and the default port"),
        pytest.param("http://app.example.com:443", "http://app.example.com:443", id="the other scheme's port"),
        pytest.param("http://[2001:db8::80]:80/a", "http://[2001:db8::80]", id="IPv6 with the default port"),
        pytest.param("http://[2001:db8::80]/", "http://[2001:db8::80]", id="IPv6"),
    ],
)
def test_the_origin_of_a_page_is_what_its_browser_sends(url: str, origin: str) -> None:
    """In the list of those that the backend lets in, and with each handshake that looks whether it does."""
    for role, name, source, expected in (
        ("app_env", "app_env_cors_origins", "app_env_public_url", [origin]),
        ("backend", "backend_health_websocket_origin", "staging_public_url", origin),
        ("websocket_verify", "websocket_verify_origin", "websocket_verify_page_url", origin),
    ):
        expression = yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())[name]
        assert Templar(DataLoader(), {source: url}).template(trust_as_template(expression)) == expected, role
    assert parse_url(url).origin == origin


@pytest.mark.parametrize(
    ("group", "line"),
    [
        pytest.param("users", "su deploy users", id="a user who was there"),
        pytest.param(None, "su deploy deploy", id="a user who is made"),
    ],
)
def test_logs_are_rotated_as_the_deploy_user_with_its_own_group(group: str | None, line: str) -> None:
    variables = yaml.safe_load((ROOT / "roles/runtime/vars/main.yml").read_text())
    told = {"runtime_user": "deploy", "runtime_log_max_size": "50M", "runtime_log_keep": 14}
    found = {"home": "/home/deploy", "group": group}
    template = (ROOT / "roles/runtime/templates/logrotate.j2").read_text()
    texts = {name: trust_as_template(value) for name, value in variables.items() if isinstance(value, str)}
    templar = Templar(DataLoader(), {**texts, **told, "runtime_log_processes": ["app"], "__runtime_found": found})
    assert line in [each.strip() for each in templar.template(trust_as_template(template)).splitlines()]


@pytest.mark.parametrize("variable", sorted(name for name, kind in KINDS.items() if kind.may_be_empty))
def test_a_variable_without_a_value_is_one_that_is_not_set(variable: str) -> None:
    """As preflight, which lets it pass, takes it: ``staging_ca_path:`` with nothing behind it is null."""
    reads = 0
    for path in ROOT.glob("roles/*/defaults/main.yml"):
        defaults = yaml.safe_load(path.read_text())
        texts = {name: trust_as_template(value) for name, value in defaults.items() if isinstance(value, str)}
        for name in (name for name, text in texts.items() if variable in text):
            reads += 1
            unset = Templar(DataLoader(), texts).template(texts[name])
            for empty in (None, ""):
                assert Templar(DataLoader(), {**texts, variable: empty}).template(texts[name]) == unset, name
    assert reads


@pytest.mark.parametrize(("given", "tls"), [("false", True), ("true", False), (False, True), (True, False)])
def test_where_tls_ends_may_be_said_on_a_command_line(given: object, tls: bool) -> None:
    expression = yaml.safe_load((ROOT / "roles/websocket_verify/defaults/main.yml").read_text())
    templar = Templar(DataLoader(), {"staging_tls_before_proxy": given})
    assert templar.template(trust_as_template(expression["websocket_verify_proxy_tls"])) is tls
