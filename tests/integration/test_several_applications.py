"""Two applications of `inventories/several` on one machine: neither deployment touches the other."""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from backend_shapes import FIRST, SECOND
from backend_shapes import SHAPES as BACKENDS
from backend_sources import INDEX
from deployed_application import machine_of
from free_ports import free_port
from playbook_runs import CHECKOUT, PlaybookRun, run_playbook
from small_application import PAGE

INVENTORY = CHECKOUT / "inventories/several"
NAMES = ("shop", "chat")
SECRET = "hush-Zq81-of-the-shop"
_SHAPES = {shape.name: shape.files for shape in BACKENDS}


def page_at(directory: str) -> dict[str, str]:
    return {name.replace("web/", f"{directory}/", 1): text for name, text in PAGE.items()}


def files_of(name: str) -> dict[str, str]:
    """The source of an application as the inventory describes it, with a page that is built at once."""
    if name == "shop":
        api = _SHAPES["poetry"]
        return {
            **page_at("web-ui"),
            "backend/pyproject.toml": api["server/pyproject.toml"].replace('"api"', '"shop"').replace("{index}", INDEX),
            "backend/shop/__init__.py": "",
            "backend/shop/main.py": api["server/api/__init__.py"],
        }
    chat = _SHAPES["socketio"]
    package = {**json.loads(chat["server/package.json"]), "scripts": {"build": "mkdir -p dist && cp main.js dist"}}
    return {
        **page_at("page"),
        "server/package.json": json.dumps(package),
        "server/main.js": chat["server/server.js"],
    }


def lock(name: str, source: Path, tools: Callable[[str], str]) -> None:
    shop = name == "shop"
    command = (
        [tools("poetry"), "lock", "--no-interaction"]
        if shop
        else ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"]
    )
    done = subprocess.run(
        command,
        cwd=source / ("backend" if shop else "server"),
        env={**os.environ, **clean_env()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


class Machine:
    """The machine of both, as an inventory beside the one of the collection."""

    def __init__(self, folder: Path, tools: Callable[[str], str]) -> None:
        self._folder, self._port = folder, free_port()
        self.hosts = {f"{name}.one": self._of_this_machine(name) for name in NAMES}
        for name in NAMES:
            for path, text in files_of(name).items():
                target = folder / name / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text)
            lock(name, folder / name, tools)

    def _of_this_machine(self, name: str) -> dict[str, Any]:
        path = "/ws" if name == "shop" else "/socket.io/"
        address = f"{name}.several.test:{self._port}"
        return {
            "ansible_connection": "local",
            "ansible_user": "root",
            "staging_packages": [],
            "staging_source_type": "archive",
            "staging_source_dir": str(self._folder / name),
            # Without the certificate of the inventory.
            "staging_tls_certificate": "",
            "staging_tls_key": "",
            "staging_public_url": f"http://{address}",
            "staging_public_ws_url": f"ws://{address}{path}",
            "staging_allow_loopback": True,
            "staging_vantages": ["direct", "proxy"],
            "staging_hold": 2,
            "staging_browser": "never",
            "staging_report": False,
            "staging_backend_stable": 1,
            **(
                {
                    "staging_frontend_output_dir": "dist",
                    "staging_frontend_serve": "static",
                    # It sends back what it gets.
                    "staging_websocket_expect": {"type": "ping"},
                }
                if name == "shop"
                else {}
            ),
        }

    def play(self, book: str, name: str) -> PlaybookRun:
        own = self._folder / "machine.json"
        own.write_text(json.dumps({"staging": {"hosts": self.hosts}}))
        run = run_playbook(
            CHECKOUT / f"playbooks/{book}.yml",
            *("--inventory", str(own), "--limit", name),
            inventory=str(INVENTORY),
            environment={"ANSIBLE_PIPELINING": "1", "SHOP_DATABASE_PASSWORD": SECRET},
            timeout_s=1800,
        )
        assert run.exit_code == 0, run.output
        assert SECRET not in run.output
        return run

    def changes(self, name: str) -> int:
        found = re.search(r"changed=(\d+)", self.play("deploy_staging", name).output)
        assert found is not None
        return int(found[1])

    def text(self, name: str, path: str) -> str:
        with urllib.request.urlopen(f"http://{name}.several.test:{self._port}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def release(self, name: str, text: str) -> None:
        """Give the source of an application another version."""
        for path, content in files_of(name).items():
            if FIRST in content:
                (self._folder / name / path).write_text(content.replace(FIRST, text))


def processes_of(name: str) -> Mapping[str, int]:
    """The pids of the processes of a user, by the names that pm2 has."""
    listed = subprocess.run(
        ["runuser", "-u", name, "--", "pm2", "-s", "jlist"], check=True, capture_output=True, text=True, cwd="/"
    )
    return {process["name"]: process["pid"] for process in json.loads(listed.stdout)}


@pytest.fixture
def machine(tmp_path: Path, tools: Callable[[str], str]) -> Iterator[Machine]:
    with machine_of("shop", "shop.several.test"), machine_of("chat", "chat.several.test"):
        yield Machine(tmp_path, tools)
        for name in NAMES:
            shutil.rmtree(f"/srv/{name}", ignore_errors=True)
            for place in Path("/etc/nginx").glob(f"sites-*/{name}*"):
                place.unlink()


@pytest.mark.slow
def test_two_applications_of_one_inventory_share_a_machine(machine: Machine) -> None:
    for name in NAMES:
        assert machine.changes(name) > 0
    shop = processes_of("shop")
    assert (set(shop), set(processes_of("chat"))) == ({"shop-backend"}, {"chat-backend"})
    for name in NAMES:
        assert machine.text(name, "/api/version") == FIRST
        assert f'"{machine.hosts[f"{name}.one"]["staging_public_ws_url"]}"' in machine.text(name, "/assets/app.js")
        assert pwd.getpwnam(name).pw_uid == Path(f"/srv/{name}/app").lstat().st_uid
    # The second deployment has changed nothing of the first one.
    assert machine.changes("shop") == 0
    machine.release("chat", SECOND)
    assert machine.changes("chat") > 0
    assert (machine.text("shop", "/api/version"), machine.text("chat", "/api/version")) == (FIRST, SECOND)
    machine.play("rollback_staging", "chat")
    assert machine.text("chat", "/api/version") == FIRST
    assert processes_of("shop") == shop
