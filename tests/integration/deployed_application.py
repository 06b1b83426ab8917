"""Applications that the playbooks deploy on this machine: its user, its name, and what is done with each."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from free_ports import free_port
from playbook_runs import PlaybookRun, run_playbook

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def machine_of(user: str, *names: str) -> Iterator[None]:
    """The names of the pages, as DNS gives them, and no process of an application afterwards."""
    hosts = Path("/etc/hosts")
    before = hosts.read_text()
    hosts.write_text(f"{before}127.0.0.1 {' '.join(names)}\n")
    yield
    hosts.write_text(before)
    subprocess.run(["systemctl", "disable", "--now", f"pm2-{user}.service"], check=False, capture_output=True)
    subprocess.run(["pkill", "-KILL", "-u", user], check=False)
    subprocess.run(["userdel", "--remove", user], check=False, capture_output=True)


class Steps:
    """Seconds of each step that passed, by its name."""

    def __init__(self, passed: dict[str, int]) -> None:
        self._passed, self._began_s = passed, time.monotonic()

    def passed(self, name: str) -> None:
        """A step has passed; the next one begins."""
        now_s = time.monotonic()
        self._passed[name], self._began_s = round(now_s - self._began_s), now_s


class DeployedApplication:
    """An application on this machine, by its inventory.

    :param folder: Where the inventory is written and its source is.
    :param host: Name of the page.
    :param variables: In addition to those of all applications.
    """

    def __init__(self, name: str, folder: Path, user: str, host: str, variables: dict[str, Any]) -> None:
        self.folder, self.port = folder, free_port()
        self._name, self._user, self._host = name, user, host
        self.variables: dict[str, Any] = {
            "staging_project_dir": f"/home/{user}/{name}",
            "staging_user": user,
            "staging_packages": [],
            "staging_source_type": "archive",
            "staging_source_dir": str(folder / "source"),
            "staging_public_url": f"http://{host}:{self.port}",
            "staging_allow_loopback": True,
            "staging_vantages": ["direct", "proxy"],
            "staging_browser": "never",
            "staging_report": False,
            "staging_backend_port": free_port(),
            "staging_backend_stable": 1,
            "staging_frontend_dir": "web",
            **variables,
        }

    def play(self, book: str) -> PlaybookRun:
        """Run one of the playbooks."""
        inventory = self.folder / "inventory.json"
        inventory.write_text(json.dumps({"staging": {"hosts": {"staging.test": self.variables}}}))
        return run_playbook(
            ROOT / f"playbooks/{book}.yml",
            inventory=str(inventory),
            environment={"ANSIBLE_PIPELINING": "1"},
            timeout_s=1800,
        )

    def changes(self) -> int:
        """Deploy, and count the tasks that changed something."""
        done = self.play("deploy_staging")
        assert done.exit_code == 0, done.output
        changed = re.search(r"changed=(\d+)", done.output)
        assert changed is not None, done.output
        return int(changed[1])

    def text(self, path: str, host: str = "") -> str:
        """What is served, at the name of the page or at another one."""
        with urllib.request.urlopen(f"http://{host or self._host}:{self.port}{path}", timeout=30) as answer:
            return str(answer.read().decode())

    def remove(self) -> None:
        """Make room for the next application."""
        subprocess.run(["runuser", "-u", self._user, "--", "pm2", "-s", "delete", "all"], check=False, cwd="/")
        for place in Path(f"/home/{self._user}").glob(f"{self._name}*"):
            place.unlink() if place.is_symlink() else shutil.rmtree(place)
        if "staging_backend_socket" in self.variables:
            shutil.rmtree(Path(self.variables["staging_backend_socket"]).parent, ignore_errors=True)
        for place in Path("/etc/nginx").glob(f"sites-*/{self._name}*"):
            place.unlink()
