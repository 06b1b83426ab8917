"""What a role derives from the public URLs, rendered as Ansible does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import parse_url
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]

ORIGINS = [
    pytest.param("http://app.example.com", "http://app.example.com", id="an origin already"),
    pytest.param("https://app.example.com/", "https://app.example.com", id="slash at the end"),
    pytest.param("https://app.example.com/staging/app", "https://app.example.com", id="path"),
    pytest.param("http://app.example.com:14100/x", "http://app.example.com:14100", id="port"),
    pytest.param("https://App.Example.com:443/", "https://app.example.com", id="capitals and the default port"),
    pytest.param("http://app.example.com:443", "http://app.example.com:443", id="the other scheme's port"),
    pytest.param("http://[2001:db8::80]:80/a", "http://[2001:db8::80]", id="IPv6 with the default port"),
    pytest.param("http://[2001:db8::80]/", "http://[2001:db8::80]", id="IPv6"),
]


@pytest.fixture(scope="module")
def origins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What each role derives for each URL, by one run of Ansible with a host for each URL."""
    names = {
        "app_env": "app_env_cors_origins[0]",
        "backend": "backend_health_websocket_origin",
        "websocket_verify": "websocket_verify_origin",
    }
    urls = [str(case.values[0]) for case in ORIGINS]
    play = {
        "hosts": "all",
        "gather_facts": False,
        "vars_files": [str(ROOT / f"roles/{role}/defaults/main.yml") for role in ("settings", *names)],
        "tasks": [{"ansible.builtin.debug": {"msg": {role: "{{ " + name + " }}" for role, name in names.items()}}}],
    }
    directory = tmp_path_factory.mktemp("origins")
    hosts = {f"host{number}": {"staging_public_url": url} for number, url in enumerate(urls)}
    (directory / "hosts.json").write_text(json.dumps({"all": {"hosts": hosts}}))
    (directory / "play.json").write_text(json.dumps([play]))
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "playbook", f"--inventory={directory}/hosts.json", f"{directory}/play.json"],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
            "ANSIBLE_NOCOLOR": "1",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    shown = re.findall(r"^ok: \[host(\d+)\] => (\{.*?^\})", done.stdout, re.MULTILINE | re.DOTALL)
    return {urls[int(number)]: json.loads(answer)["msg"] for number, answer in shown}


@pytest.mark.parametrize(("url", "origin"), ORIGINS)
def test_the_origin_of_a_page_is_what_its_browser_sends(
    url: str, origin: str, origins: dict[str, dict[str, str]]
) -> None:
    """In the list of those that the backend accepts, and in each handshake that checks whether it does."""
    assert origins[url] == dict.fromkeys(("app_env", "backend", "websocket_verify"), origin)
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


@pytest.mark.parametrize(
    ("name", "logs"),
    [
        ("my_app-backend", "my-app-backend"),
        ("my app", "my-app"),
        ("a.b-c", "a.b-c"),
        (
            "x {\n postrotate\n touch /root/attack\n endscript\n}\n#",
            "x----postrotate--touch--root-attack--endscript----",
        ),
    ],
)
def test_logs_are_rotated_under_the_names_that_pm2_gives_them(name: str, logs: str) -> None:
    given = {"runtime_log_processes": [name], "__runtime_home": "/home/deploy"}
    template = (ROOT / "roles/runtime/templates/logrotate.j2").read_text()
    before_settings = trust_as_template(template.partition("{\n    su")[0])
    assert Templar(DataLoader(), given).template(before_settings).split("\n")[2:] == [
        f"/home/deploy/.pm2/logs/{logs}-out*.log",
        f"/home/deploy/.pm2/logs/{logs}-error*.log",
        "",
    ]


@pytest.mark.parametrize("variable", sorted(name for name, kind in KINDS.items() if kind.empty == "unset"))
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


@pytest.mark.parametrize(
    ("given", "sent", "expected"),
    [
        pytest.param({}, {"type": "ping"}, {"type": "pong"}, id="not set"),
        pytest.param({"staging_websocket_send": "hello"}, "hello", "", id="another message, any reply"),
        pytest.param({"staging_websocket_send": {"op": "hi"}}, {"op": "hi"}, "", id="a mapping, any reply"),
        pytest.param({"staging_websocket_send": '{"a":"\\\\"}'}, '{"a":"\\\\"}', "", id="JSON with a backslash"),
        pytest.param({"staging_websocket_send": ""}, "", "", id="none at all"),
        pytest.param({"staging_websocket_send": None}, "", "", id="null for none"),
        pytest.param({"staging_websocket_expect": "ready"}, {"type": "ping"}, "ready", id="another reply"),
        pytest.param({"staging_websocket_expect": ""}, {"type": "ping"}, "", id="any reply"),
        pytest.param({"staging_websocket_expect": None}, {"type": "ping"}, "", id="null for any reply"),
        pytest.param(
            {"staging_websocket_send": "", "staging_websocket_expect": {"type": "hello"}},
            "",
            {"type": "hello"},
            id="a message that the application sends by itself",
        ),
        pytest.param({"websocket_verify_protocol": "socketio"}, "", "", id="protocol"),
    ],
)
def test_the_messages_of_the_verification(given: dict[str, object], sent: object, expected: object) -> None:
    """Ansible escapes a backslash in a text of a template, and leaves it in the result."""
    defaults = yaml.safe_load((ROOT / "roles/websocket_verify/defaults/main.yml").read_text())
    texts = {name: trust_as_template(defaults[name]) for name in ("websocket_verify_send", "websocket_verify_expect")}
    templar = Templar(DataLoader(), {"websocket_verify_protocol": "plain", **texts, **given})
    assert [templar.template(text) for text in texts.values()] == [sent, expected]


def test_a_default_without_a_variable_is_the_one_of_the_interface() -> None:
    """As Ansible renders it."""
    compared = 0
    for path in ROOT.glob("roles/*/meta/argument_specs.yml"):
        options = yaml.safe_load(path.read_text())["argument_specs"]["main"]["options"]
        defaults = yaml.safe_load((path.parent.parent / "defaults/main.yml").read_text())
        for name, text in defaults.items():
            only = isinstance(text, str) and re.fullmatch(r"\{\{ staging_\w+ \| default\(.*\}\}", text)
            if only and "default" in options[name]:
                assert Templar(DataLoader(), {}).template(trust_as_template(text)) == options[name]["default"], name
                compared += 1
    assert compared > 60
