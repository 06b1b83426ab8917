# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a manual deployment, from real files and parsed configurations."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._adoption.nginx_sites import forwarding_servers
from ansible_collections.codeframe.staging.plugins.module_utils._adoption.project_facts import (
    backend_facts,
    data_facts,
    env_facts,
    frontend_facts,
    process_facts,
    source_facts,
)
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process

ENV = """
ANTHROPIC_API_KEY=sk-secret
DATABASE_URL=postgres://u:p@db/x
PLAIN=something
BACKEND_PORT=14200
NEXT_PUBLIC_WS_URL=ws://api.example.com/ws
NEXT_PUBLIC_TOKEN_URL=https://api.example.com/?token=hidden
NEXT_PUBLIC_USER=https://user:pw@api.example.com
CORS_ALLOWED_ORIGINS=http://app.example.com:14100,http://other
"""


def test_of_the_env_file_only_ports_and_public_urls_are_values(tmp_path: Path) -> None:
    (tmp_path / ".env.staging").write_text(ENV)
    found = env_facts(str(tmp_path), ".env.staging")
    assert found["urls"] == {
        "NEXT_PUBLIC_WS_URL": "ws://api.example.com/ws",
        "CORS_ALLOWED_ORIGINS": "http://app.example.com:14100",
    }
    assert found["ports"] == {"BACKEND_PORT": 14200}
    assert "ANTHROPIC_API_KEY" in found["keys"]
    for secret in ("sk-secret", "u:p", "something", "hidden", "pw@"):
        assert secret not in str(found)


def test_an_env_file_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "other").write_text(ENV)
    (tmp_path / ".env.staging").symlink_to(tmp_path / "other")
    assert not env_facts(str(tmp_path), ".env.staging")["exists"]


def test_without_an_env_file_there_are_no_keys(tmp_path: Path) -> None:
    assert env_facts(str(tmp_path), ".env.staging") == {"exists": False, "keys": [], "urls": {}, "ports": {}}


def process(name: str, *command: str, pid: int = 1, cwd: str = "/srv/app", interpreter: str = "none") -> Pm2Process:
    return Pm2Process(name, 0, pid, "online", command[0], cwd, args=command[1:], interpreter=interpreter)


def test_commands_are_relative_and_one_with_a_secret_stays_on_the_host() -> None:
    found = process_facts(
        [
            process("b", "/srv/app/.venv/bin/python", "-m", "app", "--port", "14200"),
            process("f", "/srv/app/web-ui/node_modules/.bin/next", "start", cwd="/srv/app/web-ui", pid=2),
            process("s", "/srv/app/run.py", "--token", "s3cret", interpreter="/usr/bin/python3"),
            process("x", "/opt/other/server", cwd="/opt/other"),
        ],
        "/srv/app",
        {1: (14200,), 2: (14100,)},
    )
    assert [(each["name"], each["kind"], each["command"]) for each in found] == [
        ("b", "backend", [".venv/bin/python", "-m", "app", "--port", "14200"]),
        ("f", "frontend", ["web-ui/node_modules/.bin/next", "start"]),
        ("s", "backend", None),
    ]
    assert found[1]["dir"] == "web-ui"
    assert "s3cret" not in str(found)


@pytest.mark.parametrize(
    ("files", "working", "expected"),
    [
        pytest.param(["uv.lock", "pyproject.toml"], "", {"dir": ".", "install": "uv"}, id="uv"),
        pytest.param(
            ["backend/requirements.txt"], "", {"dir": "backend", "install": "requirements"}, id="subdirectory"
        ),
        pytest.param(["svc/requirements.txt", "uv.lock"], "svc", {"dir": "svc", "install": "requirements"}, id="cwd"),
        pytest.param(["poetry.lock", "pyproject.toml"], "", {"dir": ".", "install": "poetry"}, id="poetry"),
        pytest.param(["Pipfile.lock", "requirements.txt"], "", {"dir": ".", "install": "pipenv"}, id="pipenv"),
        pytest.param([], "", {"dir": ".", "install": ""}, id="nothing"),
        pytest.param([], "/elsewhere", {"dir": "/elsewhere", "install": ""}, id="outside"),
    ],
)
def test_what_installs_the_backend_is_found(tmp_path: Path, files: list[str], working: str, expected: object) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert backend_facts(str(tmp_path), working) == expected


@pytest.mark.parametrize(
    ("packages", "install"), [({"express": "4"}, "npm"), ({"next": "15"}, ""), ({"react-scripts": "5"}, ""), ({}, "")]
)
def test_a_backend_for_node_is_told_from_a_page(tmp_path: Path, packages: dict[str, str], install: str) -> None:
    (tmp_path / "server").mkdir()
    (tmp_path / "server/package.json").write_text(json.dumps({"dependencies": packages}))
    assert backend_facts(str(tmp_path), "server")["install"] == ""
    (tmp_path / "server/package-lock.json").touch()
    assert backend_facts(str(tmp_path), "server") == {"dir": "server", "install": install}


def test_the_frontend_is_found_by_its_packages(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"dependencies": {"dotenv": "1"}}')
    assert frontend_facts(str(tmp_path))["dir"] == ""
    (tmp_path / "web-ui").mkdir()
    (tmp_path / "web-ui/package.json").write_text('{"dependencies": {"next": "14"}}')
    assert frontend_facts(str(tmp_path)) == {"dir": "web-ui", "tool": "next", "output_dir": ".next"}


def test_a_checkout_and_its_data_are_read(tmp_path: Path) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    for name in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{name}_NAME": "a", f"GIT_{name}_EMAIL": "a@b"}
    (tmp_path / "app.py").write_text("1\n")
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True, env=environment)
    (tmp_path / "app.py").write_text("2\n")
    (tmp_path / "state.db").write_bytes(b"SQLite format 3\0")
    found = source_facts(str(tmp_path))
    assert (found["checkout"], sorted(found["uncommitted"])) == (True, ["app.py", "state.db"])
    assert data_facts(str(tmp_path), ".env.staging") == ["state.db"]


SITE = """
upstream page { server 127.0.0.1:14100; }
server {
  listen 80; server_name app.example.com;
  location / { proxy_pass http://page; }
}
server {
  listen 443 ssl; server_name api.example.com www.example.com;
  ssl_certificate /c.pem; ssl_certificate_key /c.key;
  proxy_set_header Upgrade $http_upgrade;
  location /ws { proxy_pass http://localhost:14200; }
  location /api/ { proxy_pass http://localhost:14200/; proxy_set_header Host $host; }
}
server { listen 81; location / { proxy_pass http://192.0.2.9; } }
server { listen 82; root /x; }
"""


def test_servers_that_forward_to_this_host_are_found_with_their_websocket() -> None:
    tree = load_tree("/etc/nginx/nginx.conf", lambda _path: f"http {{ {SITE} }}", lambda _pattern: [])
    page, api = forwarding_servers(tree, {})
    assert (page["names"], page["ports"], page["tls"]) == (["app.example.com"], [80], False)
    assert page["locations"] == [{"path": "/", "ports": [14100], "sockets": [], "websocket": False}]
    assert (api["certificate"], api["key"], api["tls"]) == ("/c.pem", "/c.key", True)
    # The header of the server is inherited only where the location sets none of its own.
    assert [(each["path"], each["websocket"]) for each in api["locations"]] == [("/ws", True), ("/api/", False)]
    assert api["where"].startswith("/etc/nginx/nginx.conf:")


@pytest.mark.parametrize(
    ("upstream", "target"),
    [
        pytest.param("", "http://unix:/srv/app.sock", id="socket"),
        pytest.param("", "http://unix:/srv/app.sock:/ws", id="socket-with-a-path"),
        pytest.param("upstream api { server unix:/srv/app.sock fail_timeout=0; }", "http://api", id="upstream"),
    ],
)
def test_a_server_that_forwards_to_a_socket_is_found(upstream: str, target: str) -> None:
    text = f"http {{ {upstream} server {{ server_name a.example.com; location /ws {{ proxy_pass {target}; }} }} }}"
    [found] = forwarding_servers(
        load_tree("/etc/nginx/nginx.conf", lambda _path: text, lambda _pattern: []),
        {},
    )
    assert found["locations"] == [{"path": "/ws", "ports": [], "sockets": ["/srv/app.sock"], "websocket": False}]
