"""From ws to wss on a deployed host, with certificates of a real ACME authority and of a private one."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment
from outside import ADDRESS, Site
from websockets.sync.client import ClientConnection, connect

Host = testinfra.host.Host
PAGE, API = "codeframe.localhost", "api.codeframe.localhost"
LINEAGE = "codeframe-staging-sample"
#: Of this scenario (molecule/inventory/tls.yml).
MORE = ("stagehost_port", "stagehost_tls_port", "staging_ca_path")


@pytest.fixture(scope="session")
def ports(deployment: Deployment) -> dict[str, Any]:
    shown = {"msg": {name: "{{ " + name + " }}" for name in MORE}}
    output = deployment._command(
        ["ansible", f"--inventory={deployment.inventory}", "staging", "-m", "debug", "-a", json.dumps(shown), "-o"],
        {},
        120,
    ).stdout
    found: dict[str, Any] = json.loads(output[output.index("{") :])["msg"]
    return found


@pytest.fixture(scope="session")
def plain(ports: dict[str, Any]) -> list[str]:
    """Variables of the same deployment without TLS."""
    port = ports["stagehost_port"]
    return [
        json.dumps(
            {
                "staging_public_url": f"http://{PAGE}:{port}",
                "staging_public_ws_url": f"ws://{API}:{port}/ws",
                "staging_proxy_port": 80,
                "staging_tls": "none",
            }
        )
    ]


@contextlib.contextmanager
def websocket(ports: dict[str, Any], ca: str) -> Iterator[ClientConnection]:
    """As a browser that trusts the authority."""
    port = int(ports["stagehost_tls_port"])
    raw = socket.create_connection((ADDRESS, port), timeout=30)
    context = ssl.create_default_context(cafile=ca)
    with connect(f"wss://{API}:{port}/ws", sock=raw, ssl=context, close_timeout=2, proxy=None) as client:
        yield client


def answers(client: ClientConnection) -> bool:
    client.send(json.dumps({"type": "ping"}))
    return bool(json.loads(client.recv(timeout=30)) == {"type": "pong"})


def served(ports: dict[str, Any], ca: str) -> bytes:
    raw = socket.create_connection((ADDRESS, int(ports["stagehost_tls_port"])), timeout=30)
    with ssl.create_default_context(cafile=ca).wrap_socket(raw, server_hostname=PAGE) as connection:
        return connection.getpeercert(binary_form=True) or b""


@contextlib.contextmanager
def requested(port: int) -> Iterator[list[int]]:
    """Request the page all the time; the list has the status of each request, 0 for one that failed."""
    seen: list[int] = []
    ended = threading.Event()

    def request() -> None:
        while not ended.is_set():
            connection = http.client.HTTPConnection(ADDRESS, port, timeout=30)
            try:
                connection.request("GET", "/", headers={"Host": f"{PAGE}:{port}"})
                answer = connection.getresponse()
                answer.read()
                seen.append(answer.status)
            except (OSError, http.client.HTTPException):
                seen.append(0)
            finally:
                connection.close()
            time.sleep(0.05)

    thread = threading.Thread(target=request)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()
    counts = {status: seen.count(status) for status in sorted(set(seen))}
    print(f"{len(seen)} requests: {counts}")


def lead(host: Host, name: str, address: str) -> None:
    """Let a name lead to another address in the DNS of the authority."""
    for what, values in (("clear-a", {"host": name}), ("add-a", {"host": name, "addresses": [address]})):
        host.check_output("curl -fsS -d %s http://127.0.0.1:8055/%s", json.dumps(values), what)


def test_the_fresh_host_is_verified_by_wss(host: Host, ports: dict[str, Any], deployment: Deployment) -> None:
    with websocket(ports, ports["staging_ca_path"]) as client:
        assert answers(client)
    assert host.service("certbot.timer").is_enabled
    again = deployment.run()
    assert again.exit_code == 0, again.output
    assert again.changed == 0, again.changed_tasks
    assert f"with the certificate in /etc/letsencrypt/live/{LINEAGE}/fullchain.pem, which certbot renews" in again.words


def test_a_renewal_is_served_and_closes_no_websocket(host: Host, ports: dict[str, Any]) -> None:
    before = served(ports, ports["staging_ca_path"])
    with websocket(ports, ports["staging_ca_path"]) as client:
        assert answers(client)
        with host.sudo():
            # As the timer does it, but long before the certificate expires.
            environment = host.check_output("systemctl show --property=Environment --value certbot.service")
            host.check_output(f"env {environment} certbot -q renew --no-random-sleep-on-renew --force-renewal")
        deadline = time.monotonic() + 30
        while served(ports, ports["staging_ca_path"]) == before:
            assert time.monotonic() < deadline, "nginx presents the previous certificate"
            time.sleep(0.3)
        assert answers(client)


def test_from_wss_to_ws_and_back_again(
    deployment: Deployment, host: Host, ports: dict[str, Any], plain: list[str]
) -> None:
    port = int(ports["stagehost_port"])
    site = Site(f"http://{PAGE}:{port}", f"ws://{API}:{port}/ws")
    back = deployment.run(variables=plain)
    assert back.exit_code == 0, back.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}

    # An order that fails: the name leads to an address that answers nothing. One outside of the host may be answered by
    # a network that intercepts what leaves it.
    silent = "/etc/nginx/conf.d/silent.conf"
    with host.sudo():
        host.check_output("certbot delete -n --cert-name %s", LINEAGE)
        host.check_output(f"echo 'server {{ listen 127.0.0.97:80; return 444; }}' >{silent} && systemctl reload nginx")
    lead(host, PAGE, "127.0.0.97")
    try:
        with requested(port) as seen:
            failed = deployment.run()
    finally:
        lead(host, PAGE, "127.0.0.1")
        with host.sudo():
            host.check_output(f"rm {silent} && systemctl reload nginx")
    assert failed.exit_code == 2, failed.output
    assert f"the authority cannot connect to port 80 of {PAGE}" in failed.words
    assert "let the DNS record point to this host, and open port 80 to it" in failed.words
    assert set(seen) == {200}, "the plain site was disturbed"
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    unchanged = deployment.run(variables=plain)
    assert (unchanged.exit_code, unchanged.changed) == (0, 0), unchanged.output

    with requested(port) as seen:
        moved = deployment.run()
    assert moved.exit_code == 0, moved.output
    # The page before, the redirect afterwards; a reload of the page's process is the only place for a failure.
    assert set(seen) <= {200, 308, 502, 0}
    failures = sum(status in (0, 502) for status in seen)
    assert failures <= len(seen) // 50, f"{failures} of {len(seen)} requests failed"
    assert seen[-1] == 308
    with websocket(ports, ports["staging_ca_path"]) as client:
        assert answers(client)


def test_a_verification_that_fails_rolls_back_to_ws(
    deployment: Deployment, ports: dict[str, Any], plain: list[str]
) -> None:
    port = int(ports["stagehost_port"])
    site = Site(f"http://{PAGE}:{port}", f"ws://{API}:{port}/ws")
    assert deployment.run(variables=plain).exit_code == 0
    # The host itself does not trust the authority that issues, so that its own vantage points fail too.
    failed = deployment.run(variables=[json.dumps({"staging_ca_path": ""})])
    assert failed.exit_code == 2, failed.output
    assert f"is active again and verified at {site.ws_url}." in failed.words, failed.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}


@pytest.mark.skipif(not (shutil.which("chromium") and shutil.which("certutil")), reason="needs chromium and certutil")
def test_a_browser_trusts_the_private_authority(
    deployment: Deployment, ports: dict[str, Any], tmp_path: Any, host: Host
) -> None:
    private = {
        "staging_tls": "private_ca",
        "staging_tls_ca_dir": str(tmp_path / "ca"),
        "staging_ca_path": "",
        "staging_browser": "required",
    }
    done = deployment.run(variables=[json.dumps(private)])
    assert done.exit_code == 0, done.output
    assert f"each device must trust {tmp_path}/ca/ca.pem of the controller" in done.words
    with websocket(ports, str(tmp_path / "ca/ca.pem")) as client:
        assert answers(client)
    removed = deployment.run(
        playbook="remove_staging.yml", variables=[json.dumps({**private, "remove_application": "sample"})]
    )
    assert removed.exit_code == 0, removed.output
    for path in (f"/etc/letsencrypt/live/{LINEAGE}", "/etc/ssl/codeframe-staging/sample.pem"):
        with host.sudo():
            assert not host.file(path).exists, path
    with host.sudo():
        assert host.run("ls /etc/letsencrypt/renewal-hooks/deploy/codeframe-staging-sample").rc != 0
