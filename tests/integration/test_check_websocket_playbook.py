"""The playbook check_websocket, for a WebSocket that this collection has not deployed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator

import pytest
from playbook_runs import CHECKOUT, PlaybookRun, run_playbook
from websocket_servers import FASTAPI, serving

PLAYBOOK = CHECKOUT / "playbooks" / "check_websocket.yml"


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with serving(tmp_path_factory.mktemp("backend"), FASTAPI) as port:
        yield port


def look(**given: object) -> PlaybookRun:
    """Run it as a user does, without an inventory of hosts."""
    variables = {"ansible_playbook_python": sys.executable, "ansible_become": False, **given}
    return run_playbook(PLAYBOOK, "--extra-vars", json.dumps(variables), inventory="localhost,")


def test_a_websocket_that_works(backend: int) -> None:
    run = look(url=f"ws://127.0.0.1:{backend}/ws", send={"type": "ping"}, expect={"type": "pong"}, hold=1)
    assert run.exit_code == 0, run.output
    assert "Public connection: passed (handshake" in run.output
    assert "12 further handshakes" in run.output


def test_a_path_without_a_websocket(backend: int) -> None:
    run = look(url=f"ws://127.0.0.1:{backend}/other", hold=0)
    assert run.exit_code != 0
    assert "Cause: authentication_required: " in run.output
    assert "check the path /other" in run.output
    assert "Seen: public URL: HTTP/1.1 403 Forbidden" in run.output


def test_another_text_than_a_url() -> None:
    run = look(url="api.example.com")
    assert run.exit_code != 0
    assert "give the URL of the WebSocket: -e url=wss://api.example.com/ws" in run.output


def test_a_host_is_looked_from_in_the_same_run(backend: int) -> None:
    url = f"ws://127.0.0.1:{backend}/other"
    run = look(url=url, host="staging.test", ansible_connection="local", direct_port=backend, hold=0)
    assert run.exit_code != 0
    assert "Direct backend connection: failed (authentication_required)" in run.output
    # The cause is that of the vantage point nearest to the application.
    assert f"Cause: authentication_required: the backend (ws://127.0.0.1:{backend}/other)" in run.output
