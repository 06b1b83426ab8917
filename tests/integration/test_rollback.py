"""The rollback of a deployment that fails while it configures the proxy, run by ansible-playbook."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.modules import release as release_module
from free_ports import free_port
from playbook_runs import PlaybookRun, run_playbook
from pm2_deployments import SERVE, python_servers
from proxy_manager_parts import PASSWORD, TESTS, running_peer
from proxy_manager_peer.server import Peer

ROOT = TESTS.parent
CLASH = (
    "proxy host rest.test: line 16 of the Advanced text has a location = /events of its own, which nginx would refuse "
    "as a duplicate; remove it there"
)


class Deployment:
    """A release that serves two files with Python, under pm2, behind Nginx Proxy Manager."""

    def __init__(self, root: Path, peer: Peer, backend: int) -> None:
        self.root = root
        (root / "app").mkdir()
        (root / "app/index.html").write_text('<script>new WebSocket("ws://api.test/ws")</script>')
        (root / "app/.env.staging").write_text("A=1\n")
        for state in ({"state": "prepared", "source_type": "in_place"}, {"state": "activated"}):
            made = module_runner.run(release_module, {"project_dir": str(root / "app"), **state})
            assert not made["failed"], made["msg"]
        page = free_port()
        self.variables: dict[str, Any] = {
            **python_servers(root / "app", page),
            "staging_public_url": f"http://page.test:{page}",
            "staging_public_api_url": "http://rest.test",
            "staging_proxy_provider": "nginx_proxy_manager",
            "staging_sse_paths": ["/events"],
            "proxy_backend_upstream": f"127.0.0.1:{backend}",
            "proxy_manager_forward": True,
            "proxy_manager_port": peer.nginx.port,
            "staging_proxy_manager_api_url": peer.url,
            "staging_proxy_manager_identity": "admin@example.com",
            "staging_proxy_manager_secret": PASSWORD,
        }
        book = root / "play.json"
        book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "become": True, "tasks": SERVE}]))
        served = self.play(book)
        assert served.exit_code == 0, served.output

    def play(self, book: Path, *options: str, **more: Any) -> PlaybookRun:
        inventory = self.root / "inventory.json"
        inventory.write_text(json.dumps({"staging": {"hosts": {"staging.test": {**self.variables, **more}}}}))
        environment = {"XDG_RUNTIME_DIR": str(self.root)}
        return run_playbook(book, *options, inventory=str(inventory), environment=environment)

    def deploy(self, **more: Any) -> tuple[int, str]:
        """(return code, output) of a deployment of the source as it is, the proxy and the verification."""
        run = self.play(ROOT / "playbooks/deploy_staging.yml", "--tags", "release,proxy,websocket_verify", **more)
        # The recap does not count what a task changed that failed, and the summary says it.
        assert run.summary_agrees or (run.exit_code and "Changed before the failure:" in run.words), run.output
        return run.exit_code, run.output


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    with running_peer("2.15.1", tmp_path / "npm") as peer:
        yield peer


@pytest.fixture
def deployment(tmp_path: Path, peer: Peer, backend: int) -> Iterator[Deployment]:
    made = Deployment(tmp_path, peer, backend)
    yield made
    subprocess.run(["pm2", "-s", "kill"], check=True)


@pytest.mark.slow
def test_hosts_that_were_changed_before_the_proxy_failed_are_restored(deployment: Deployment, peer: Peer) -> None:
    code, output = deployment.deploy()
    assert code == 0, output
    release = (deployment.root / "app").readlink().name
    first, second = (peer.hosts[number] for number in sorted(peer.hosts))
    assert (first["domain_names"], second["domain_names"]) == (["api.test"], ["rest.test"])
    verified = first["advanced_config"]
    assert "proxy_read_timeout 86400s" in verified
    second["advanced_config"] += "location = /events { return 204; }\n"

    code, output = deployment.deploy(proxy_websocket_idle_timeout=300)
    assert code == 2, output
    words = " ".join(output.split())
    assert CLASH in words, output
    assert f"Outcome: Release {release}, the last verified one, is active again and verified." in words, output
    assert "Changed before the failure: proxy: " in words, output
    assert first["advanced_config"] == verified
    assert peer.puts() == 2

    # A failure of the rollback does not hide why it was started.
    peer.faults.away_after_write, peer.faults.away_s = 1, 3600.0
    code, output = deployment.deploy(proxy_websocket_idle_timeout=300)
    assert code == 2, output
    words = " ".join(output.split())
    assert re.search(r"Why: proxy host api.test: the save was sent, .* Outcome: ", words), output
    assert re.search(r"Outcome: The rollback is incomplete: restore.*: the connection to http.* ended during", words)
