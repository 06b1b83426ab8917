# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of a manual deployment: what is in it, and that nothing of a host is a template in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.codeframe.staging.plugins.filter.adopted_inventory import adopted_inventory
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from playbook_runs import CHECKOUT

BACKEND = {
    "name": "codeframe-staging-backend",
    "kind": "backend",
    "ports": [14200],
    "dir": "",
    "command": [".venv/bin/python", "-m", "codeframe.ui.server", "--port", "14200"],
    "exec_mode": "fork",
}
FRONTEND = {**BACKEND, "name": "codeframe-staging-frontend", "kind": "frontend", "ports": [14100], "command": ["npm"]}
PROJECT: dict[str, Any] = {
    "directory": "/home/me/projects/codeframe",
    "user": "me",
    "source": {"checkout": True, "revision": "a" * 40, "uncommitted": ["uv.lock"]},
    "env": {
        "exists": True,
        "keys": ["ANTHROPIC_API_KEY", "BACKEND_PORT", "LOG_LEVEL", "NEXT_PUBLIC_WS_URL"],
        "urls": {
            "NEXT_PUBLIC_WS_URL": "ws://api.example.com/ws",
            "NEXT_PUBLIC_API_URL": "http://api.example.com",
            "CORS_ALLOWED_ORIGINS": "http://app.example.com:14100",
        },
        "ports": {"BACKEND_PORT": 14200},
    },
    "processes": [BACKEND, FRONTEND],
    "backend": {"dir": ".", "install": "uv"},
    "frontend": {"dir": "web-ui", "tool": "next", "output_dir": ".next"},
    "data": [".codeframe", "logs"],
}
API: dict[str, Any] = {
    "names": ["api.example.com"],
    "ports": [80],
    "tls": False,
    "certificate": "",
    "key": "",
    "where": "/etc/nginx/sites-enabled/api:3",
    "managed": False,
    "locations": [{"path": "/ws", "ports": [14200], "sockets": [], "websocket": True}],
}


def loaded(project: dict[str, Any], servers: list[dict[str, Any]], tmp_path: Path) -> tuple[dict[str, Any], list[str]]:
    """The variables as Ansible loads the file."""
    made = adopted_inventory(project, servers, "192.0.2.5", ".env.staging")
    path = tmp_path / "staging.yml"
    path.write_text(made["text"])
    return dict(DataLoader().load_from_file(str(path), trusted_as_template=True)), made["open_questions"]


def test_codeframe_is_described_as_its_own_inventory_describes_it(tmp_path: Path) -> None:
    variables, open_questions = loaded(PROJECT, [API], tmp_path)
    assert variables == {
        "staging_app_name": "codeframe-staging",
        "staging_user": "me",
        "staging_project_dir": "/home/me/projects/codeframe",
        "staging_take_over": True,
        "staging_source_type": "in_place",
        "staging_shared_paths": [".codeframe", "logs"],
        "staging_env_file": ".env.staging",
        "staging_env_required_keys": ["ANTHROPIC_API_KEY"],
        "staging_backend_dir": ".",
        "staging_backend_install": "uv",
        "staging_backend_port": 14200,
        "staging_backend_process_name": "codeframe-staging-backend",
        "staging_backend_command": [".venv/bin/python", "-m", "codeframe.ui.server", "--port", "{port}"],
        "staging_backend_health_url": "http://127.0.0.1:{port}/health",
        "staging_frontend_dir": "web-ui",
        "staging_frontend_output_dir": ".next",
        "staging_frontend_port": 14100,
        "staging_frontend_process_name": "codeframe-staging-frontend",
        "staging_public_ws_url": "ws://api.example.com/ws",
        "staging_public_url": "http://app.example.com:14100",
        "staging_public_api_url": "http://api.example.com",
        "staging_proxy_page": False,
        "staging_proxy_provider": "nginx",
    }
    assert open_questions == []
    errors = [each.sentence for each in check_inputs(variables) if each.level == "error"]
    assert errors == []


def test_secrets_are_placeholders_of_a_vault() -> None:
    text = adopted_inventory(PROJECT, [API], "h", ".env.staging")["text"]
    assert '#   ANTHROPIC_API_KEY: "{{ vault_anthropic_api_key }}"\n' in text
    uncommented = text.replace("# staging_env_secrets", "staging_env_secrets").replace("#   ANTHROPIC", "  ANTHROPIC")
    assert yaml.compose(uncommented) is not None


def test_without_a_proxy_on_the_host_it_is_manual(tmp_path: Path) -> None:
    variables, _ = loaded(PROJECT, [], tmp_path)
    assert (variables["staging_proxy_provider"], variables["staging_proxy_address"]) == ("manual", "api.example.com")


MANAGER_HOST: dict[str, Any] = {
    "id": 3,
    "domain_names": ["api.example.com"],
    "forward_host": "192.0.2.5",
    "forward_port": 14200,
    "certificate_id": 0,
    "allow_websocket_upgrade": True,
    "enabled": True,
    "block": None,
    "findings": [],
}
LOGIN = {"api_url": "http://192.0.2.9:81", "identity": "me@example.com"}


def adopted_with(*hosts: dict[str, Any], servers: tuple[dict[str, Any], ...] = ()) -> tuple[dict[str, Any], list[str]]:
    made = adopted_inventory(PROJECT, servers, "192.0.2.5", ".env.staging", hosts, LOGIN)
    return yaml.safe_load(made["text"]), made["open_questions"]


def test_a_proxy_host_of_nginx_proxy_manager_is_described_with_its_login_and_without_the_password() -> None:
    variables, open_questions = adopted_with(MANAGER_HOST, servers=(API,))
    assert {name: value for name, value in variables.items() if "proxy" in name} == {
        "staging_proxy_page": False,
        "staging_proxy_provider": "nginx_proxy_manager",
        "staging_proxy_manager_api_url": "http://192.0.2.9:81",
        "staging_proxy_manager_identity": "me@example.com",
        "staging_proxy_manager_secret": "{{ vault_proxy_manager_secret }}",
    }
    assert open_questions == []
    errors = [each.message for each in check_inputs(variables) if each.level == "error"]
    assert errors == []


def test_names_and_tls_come_from_the_proxy_hosts_where_the_env_file_has_no_urls() -> None:
    page = {**MANAGER_HOST, "id": 4, "domain_names": ["app.example.com"], "forward_port": 14100, "certificate_id": 2}
    project = {**PROJECT, "env": {**PROJECT["env"], "urls": {}}}
    made = adopted_inventory(project, [], "h", ".env.staging", [MANAGER_HOST, page], LOGIN)
    variables = yaml.safe_load(made["text"])
    assert variables["staging_public_ws_url"] == "ws://api.example.com/ws"
    assert variables["staging_public_url"] == "https://app.example.com"
    assert "Proxy hosts 4, 3, which forward to 192.0.2.5:14100, 192.0.2.5:14200: check" in made["text"]


def test_a_pasted_snippet_is_replaced_and_another_clash_is_an_open_question() -> None:
    snippet = {"kind": "snippet_without_effect", "text": "a snippet was pasted"}
    clash = {"kind": "location_clash", "text": "a location /ws\nis there\x1b"}
    variables, open_questions = adopted_with({**MANAGER_HOST, "findings": [snippet, clash]})
    assert variables["staging_proxy_manager_replace_snippet"] is True
    assert open_questions == ["Nginx Proxy Manager: a location /ws?is there?"]


@pytest.mark.parametrize(
    "difference", [{"enabled": False}, {"block": "4f6c"}, {"forward_port": 3000}], ids=lambda each: next(iter(each))
)
def test_a_proxy_host_that_is_off_managed_or_of_another_application_is_left_out(difference: dict[str, Any]) -> None:
    assert adopted_with({**MANAGER_HOST, **difference})[0]["staging_proxy_provider"] == "manual"


def test_names_and_certificate_come_from_nginx_where_the_env_file_has_no_urls(tmp_path: Path) -> None:
    project = {**PROJECT, "env": {**PROJECT["env"], "urls": {}}}
    secure = {**API, "ports": [80, 443], "tls": True, "certificate": "/c.pem", "key": "/c.key"}
    page = {
        **API,
        "names": ["app.example.com"],
        "ports": [8080],
        "locations": [{"path": "/", "ports": [14100], "sockets": [], "websocket": False}],
    }
    variables, _ = loaded(project, [secure, page], tmp_path)
    assert variables["staging_public_ws_url"] == "wss://api.example.com/ws"
    assert variables["staging_public_url"] == "http://app.example.com:8080"
    assert (variables["staging_tls_certificate"], variables["staging_tls_key"]) == ("/c.pem", "/c.key")
    assert "staging_proxy_page" not in variables


@pytest.mark.parametrize(
    ("command", "adopted"),
    [
        pytest.param(
            ["uvicorn", "a:b", "--uds", "/srv/app.sock"], ["uvicorn", "a:b", "--uds", "{socket}"], id="uvicorn"
        ),
        pytest.param(["uvicorn", "--uds=/srv/app.sock", "a:b"], ["uvicorn", "--uds={socket}", "a:b"], id="one-word"),
        pytest.param(
            ["gunicorn", "--bind", "unix:/srv/app.sock", "a:b"],
            ["gunicorn", "--bind", "unix:{socket}", "a:b"],
            id="gunicorn",
        ),
        pytest.param(["daphne", "-u", "/srv/app.sock", "a:b"], ["daphne", "-u", "{socket}", "a:b"], id="daphne"),
    ],
)
def test_a_backend_at_a_socket_is_found_by_its_command(command: list[str], adopted: list[str], tmp_path: Path) -> None:
    backend = {**BACKEND, "ports": [], "command": command}
    at_socket = {**API, "locations": [{"path": "/live", "ports": [], "sockets": ["/srv/app.sock"], "websocket": True}]}
    project = {**PROJECT, "processes": [backend, FRONTEND], "env": {**PROJECT["env"], "urls": {}, "ports": {}}}
    variables, open_questions = loaded(project, [at_socket], tmp_path)
    assert variables["staging_backend_socket"] == "/srv/app.sock"
    assert "staging_backend_port" not in variables
    assert variables["staging_backend_command"] == adopted
    assert variables["staging_public_ws_url"] == "ws://api.example.com/live"
    assert open_questions == []
    assert [each.sentence for each in check_inputs(variables) if each.level == "error"] == []


def test_a_socket_in_the_project_gets_a_place_beside_it(tmp_path: Path) -> None:
    inside = f"{PROJECT['directory']}/run/app.sock"
    backend = {**BACKEND, "ports": [], "command": ["uvicorn", "a:b", "--uds", inside]}
    server = {**API, "locations": [{"path": "/ws", "ports": [], "sockets": [inside], "websocket": True}]}
    variables, _ = loaded({**PROJECT, "processes": [backend, FRONTEND]}, [server], tmp_path)
    assert variables["staging_backend_socket"] == "/home/me/projects/codeframe.run/backend.sock"
    assert variables["staging_backend_command"] == ["uvicorn", "a:b", "--uds", "{socket}"]
    assert [each.sentence for each in check_inputs(variables) if each.level == "error"] == []


@pytest.mark.parametrize("word", ["app.sock", "/srv/{{ x }}.sock", "/srv/../x.sock", "/srv/a b", ""])
def test_a_text_that_is_no_plain_path_is_no_socket(word: str, tmp_path: Path) -> None:
    backend = {**BACKEND, "ports": [], "command": ["uvicorn", "a:b", "--uds", word]}
    variables, _ = loaded({**PROJECT, "processes": [backend, FRONTEND]}, [API], tmp_path)
    assert "staging_backend_socket" not in variables
    assert variables["staging_backend_port"] == 14200


def test_a_site_that_the_collection_manages_is_not_a_manual_one(tmp_path: Path) -> None:
    assert loaded(PROJECT, [{**API, "managed": True}], tmp_path)[0]["staging_proxy_provider"] == "manual"


def test_what_is_not_found_is_named(tmp_path: Path) -> None:
    bare = {
        **PROJECT,
        "processes": [],
        "env": {"exists": False, "keys": [], "urls": {}, "ports": {}},
        "backend": {"dir": ".", "install": ""},
        "frontend": {"dir": "", "tool": "", "output_dir": ""},
        "data": [],
    }
    variables, open_questions = loaded(bare, [], tmp_path)
    assert [each.partition(":")[0] for each in open_questions] == [
        "staging_backend_install",
        "staging_backend_command",
        "staging_frontend_dir",
        "staging_public_ws_url",
    ]
    assert variables["staging_app_name"] == "codeframe"


EVIL = "{{ lookup('ansible.builtin.pipe', 'id') }}"


def test_nothing_that_comes_from_the_host_is_a_template(tmp_path: Path) -> None:
    keys = [f"SECRET\nstaging_user: root {EVIL}", "{% raw %}"]
    urls = {"NEXT_PUBLIC_WS_URL": f"ws://a/{EVIL}"}
    hostile = {
        **PROJECT,
        "directory": f"/home/me/{EVIL}",
        "user": EVIL,
        "source": {
            "checkout": True,
            "revision": f"x\nstaging_user: root\n{EVIL}",
            "uncommitted": [f"a\n- b: {EVIL}\x1b[2J"],
        },
        "env": {**PROJECT["env"], "keys": keys, "urls": urls},
        "processes": [{**BACKEND, "name": EVIL, "command": [EVIL, "{% if x %}", "{# y #}", "a\nb: c"]}],
        "data": [EVIL, "a: b", "!unsafe x"],
    }
    variables, _ = loaded(hostile, [{**API, "where": f"x\nevil: {EVIL}"}], tmp_path)
    assert set(variables) <= {name for name in variables if name.startswith("staging_")}
    assert variables["staging_user"] == EVIL
    assert variables["staging_shared_paths"] == [EVIL, "a: b", "!unsafe x"]
    templar = Templar(DataLoader(), variables=dict(variables))
    for name, value in variables.items():
        assert templar.template(value) == value, name
    assert "\x1b" not in adopted_inventory(hostile, [], "h", ".env.staging")["text"]


def test_who_deploys_and_where_is_not_what_the_deploy_user_answers(tmp_path: Path) -> None:
    """A command of his, as a user who may become root, would be an inventory that makes him root."""
    texts = yaml.safe_load((CHECKOUT / "roles/adoption/vars/main.yml").read_text())
    described = texts["__adoption_made"].partition("| codeframe.staging.adopted_inventory")[0] + "}}"
    variables = {
        "__adoption_given": {key: trust_as_template(each) for key, each in texts["__adoption_given"].items()},
        "__adoption_project": {"project": {**PROJECT, "user": "admin", "directory": "/root"}},
        "adoption_user": "me",
        "adoption_project_dir": "/home/me/projects/codeframe/",
    }
    project = Templar(DataLoader(), variables=variables).template(trust_as_template(described))
    found, _ = loaded(project, [API], tmp_path)
    assert (found["staging_user"], found["staging_project_dir"]) == ("me", "/home/me/projects/codeframe")


def test_facts_of_another_form_are_refused() -> None:
    with pytest.raises(AnsibleFilterError, match="the host has not returned what was expected"):
        adopted_inventory({"directory": 1}, [], "h", ".env.staging")
