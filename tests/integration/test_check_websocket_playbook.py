"""The playbook check_websocket, for a WebSocket that this collection has not deployed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from free_ports import free_port
from playbook_runs import CHECKOUT, PlaybookRun, run_playbook
from websocket_servers import FASTAPI, UP, nginx, serving

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


SITES = """
  upstream application {{ server 127.0.0.1:{backend}; }}
  server {{
    listen 127.0.0.1:{port}; server_name good.localhost;
    location /ws {{ proxy_pass http://application; {up} }}
  }}
  server {{
    listen 127.0.0.1:{port}; server_name dropped.localhost;
    location /ws {{ proxy_pass http://application; proxy_http_version 1.1; }}
  }}
  server {{
    listen 127.0.0.1:{port}; server_name short.localhost;
    location /ws {{ proxy_pass http://127.0.0.1:{backend}; {short} }}
  }}
  server {{
    listen 127.0.0.1:{port}; server_name refused.localhost;
    location /ws {{ auth_request /ask; proxy_pass http://application; {up} }}
    location = /ask {{ internal; return 403; }}
  }}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, backend: int) -> Iterator[tuple[int, Path]]:
    """The port of a real nginx, and its configuration."""
    directory, port = tmp_path_factory.mktemp("nginx"), free_port()
    text = SITES.format(backend=backend, port=port, up=UP, short=UP.replace("1h", "30s"))
    with nginx(directory, text, port):
        yield port, directory / "nginx.conf"


def look_at(site: tuple[int, Path], name: str, **more: object) -> PlaybookRun:
    port, configuration = site
    given = {"host": "staging.test", "ansible_connection": "local", "nginx_config": str(configuration), "hold": 1}
    return look(url=f"ws://{name}.localhost:{port}/ws", **{**given, **more})


def test_a_host_with_nginx_is_looked_at_from_all_places(site: tuple[int, Path]) -> None:
    """The port of the application is that of the named upstream."""
    run = look_at(site, "good")
    assert run.exit_code == 0, run.output
    for place in ("Direct backend connection", "Connection through the proxy", "Public connection"):
        assert f"{place}: passed" in run.output
    assert "Cause: none" in run.output


def test_what_is_wrong_in_nginx_is_named_with_file_and_line(site: tuple[int, Path]) -> None:
    run = look_at(site, "dropped")
    assert run.exit_code != 0
    assert "Direct backend connection: passed" in run.output
    assert "Cause: upgrade_not_forwarded: " in run.output
    assert "Configuration: location /ws in " in run.output
    assert f"{site[1]}:" in run.output
    assert "without proxy_set_header Upgrade" in run.output


def test_an_idle_timeout_of_nginx_that_is_too_short_is_named_with_file_and_line(site: tuple[int, Path]) -> None:
    run = look_at(site, "short", idle_timeout=60)
    assert run.exit_code != 0
    assert "Cause: idle_timeout_too_short: " in run.output
    assert f"{site[1]}:" in run.output


def test_a_refusal_of_auth_request_is_named_with_file_and_line(site: tuple[int, Path]) -> None:
    run = look_at(site, "refused")
    assert run.exit_code != 0
    assert "Cause: denied_by_proxy: " in run.output
    assert "asks auth_request /ask in " in run.output


def test_nginx_behind_a_machine_at_which_tls_ends(site: tuple[int, Path]) -> None:
    """The name leads nowhere from here, and nginx listens on a plain port alone."""
    run = look(
        url="wss://good.localhost:1/ws",
        host="staging.test",
        ansible_connection="local",
        nginx_config=str(site[1]),
        hold=0,
        nginx_port=site[0],
    )
    assert run.exit_code != 0
    assert "Direct backend connection: passed" in run.output
    assert "Connection through the proxy: passed" in run.output
    assert "Public connection: failed" in run.output
