# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the role backend makes of a UNIX socket in place of a port."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

BACKEND = Path(__file__).parents[3] / "roles/backend"
OMIT = "omitted"
SOCKET = "/srv/app.run/backend.sock"


def rendered(expression: str, **given: Any) -> Any:
    """An expression with the defaults and the variables of the role."""
    variables: dict[str, Any] = {
        "settings_project_dir": "/srv/app",
        "settings_backend_dir": ".",
        "settings_backend_port": 14200,
        "settings_backend_socket": "",
        "settings_backend_process_name": "app-backend",
        "settings_backend_switch": "restart",
        "settings_ecosystem_file": "",
        "settings_ecosystem_env": "",
        "settings_env_file": ".env.staging",
        "settings_proxy_provider": "nginx",
        "settings_public_ws_url": "ws://api.example.com/ws",
        "settings_public_url": "http://app.example.com",
        "settings_vantages": ["direct", "proxy"],
        "settings_websocket_protocol": "plain",
        "settings_websocket_secret_headers": {},
        "settings_websocket_secret_query": {},
        "settings_take_over": False,
        **{
            name: trust_as_template(value) if isinstance(value, str) else value
            for file in ("defaults", "vars")
            for name, value in trusted(yaml.safe_load((BACKEND / file / "main.yml").read_text())).items()
        },
        "backend_health_websocket_url": "ws://127.0.0.1:{port}/ws",
        "backend_health_websocket_origin": "http://app.example.com",
        "omit": OMIT,
        **given,
    }
    return Templar(DataLoader(), variables).template(trust_as_template("{{ " + expression + " }}"))


def trusted(value: Any) -> Any:
    """All texts of the role's files, as Ansible loads them."""
    if isinstance(value, dict):
        return {key: trusted(each) for key, each in value.items()}
    if isinstance(value, list):
        return [trusted(each) for each in value]
    return trust_as_template(value) if isinstance(value, str) else value


def options(**given: Any) -> dict[str, Any]:
    command = [".venv/bin/python", "-m", "uvicorn", "a:b", "--uds", "{socket}", "--port", "{port}"]
    return rendered("__backend_process_options", backend_command=command, backend_env={"AT": "unix:{socket}"}, **given)


def test_the_process_is_told_the_socket_and_asked_through_it() -> None:
    found = options(backend_socket=SOCKET)
    assert found["args"] == ["-m", "uvicorn", "a:b", "--uds", SOCKET, "--port", "14200"]
    assert found["env"] == {"AT": f"unix:{SOCKET}"}
    assert found["health_socket"] == SOCKET
    assert found["health_port"] == OMIT
    assert (found["health_url"], found["health_websocket_url"]) == ("http://localhost/health", "ws://localhost/ws")


def test_without_a_socket_the_port_counts() -> None:
    found = options()
    assert (found["health_port"], found["health_socket"]) == (14200, OMIT)
    assert (found["health_url"], found["health_websocket_url"]) == (
        "http://127.0.0.1:14200/health",
        "ws://127.0.0.1:14200/ws",
    )


def test_the_saved_definition_decides_about_the_socket() -> None:
    """A rollback from a socket to a port, and the reverse."""
    assert options(backend_socket=SOCKET, backend_state={"socket": "", "port": 14300})["health_port"] == 14300
    assert options(backend_state={"socket": SOCKET})["health_socket"] == SOCKET


@pytest.mark.parametrize(("socket", "refused"), [(SOCKET, True), ("", False)])
def test_two_instances_are_refused_at_one_socket(socket: str, refused: bool) -> None:
    found = rendered(
        "__backend_blue_green_refusals | selectattr('found') | map(attribute='msg') | list",
        backend_socket=socket,
        backend_command=["x", "{port}"],
        backend_health_url="http://127.0.0.1:{port}/",
    )
    said = (
        f"staging_backend_socket (backend_socket) is {SOCKET}, which only one process can listen on; expected ports for"
    )
    assert any(each.startswith(said) for each in found) is refused
