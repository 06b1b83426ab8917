"""A certificate of the private authority in a real nginx: issued, served, renewed, and what a client sees of it."""

from __future__ import annotations

import json
import socket
import ssl
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from nginx_tree import NGINX
from playbook_runs import PlaybookRun, run_playbook

pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx")]

GIVEN = {
    "staging_project_dir": "/home/deploy/projects/tls",
    "staging_app_name": "tls",
    "staging_public_url": "https://app.home.arpa",
    "staging_public_ws_url": "wss://api.home.arpa/ws",
    "staging_tls": "private_ca",
    "staging_tls_hsts": 3600,
}


class Host:
    """The nginx of this machine, with a site of the role."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.ca = folder, folder / "ca"
        tasks = [
            {"ansible.builtin.import_role": {"name": "codeframe.staging.proxy"}},
            {
                "ansible.builtin.copy": {"dest": f"{folder}/result", "content": "{{ proxy_result | to_json }}"},
                "check_mode": False,
            },
        ]
        play = {"hosts": "all", "gather_facts": False, "tasks": tasks}
        (folder / "play.yml").write_text(yaml.safe_dump([play]))

    def configure(self, *options: str, **variables: object) -> PlaybookRun:
        given = {**GIVEN, "staging_tls_ca_dir": str(self.ca), "ansible_python_interpreter": sys.executable, **variables}
        return run_playbook(self.folder / "play.yml", "--extra-vars", json.dumps(given), *options)

    @property
    def changes(self) -> list[str]:
        result = json.loads((self.folder / "result").read_text())
        return [*result["certificate"]["changes"], *result["changes"]]

    @property
    def told(self) -> list[str]:
        return list(json.loads((self.folder / "result").read_text())["certificate"]["told"])

    def connect(self, name: str) -> ssl.SSLSocket:
        """As a browser that trusts the authority: chain, name and dates are verified."""
        context = ssl.create_default_context(cafile=str(self.ca / "ca.pem"))
        return context.wrap_socket(socket.create_connection(("127.0.0.1", 443), timeout=30), server_hostname=name)


def head_of(sock: ssl.SSLSocket, name: str) -> str:
    sock.sendall(f"GET /nothing HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    return sock.recv(65536).partition(b"\r\n\r\n")[0].decode()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    yield made
    remove = {"codeframe.staging.nginx_site": {"name": "tls", "state": "absent"}}
    (tmp_path / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": [remove]}]))
    run_playbook(tmp_path / "play.yml")
    Path("/etc/ssl/codeframe-staging/tls.pem").unlink(missing_ok=True)


def test_a_certificate_is_predicted_issued_served_and_renewed_under_open_connections(host: Host) -> None:
    predicted = host.configure("--check")
    assert predicted.exit_code == 0, predicted.output
    would = host.changes
    assert would[0] == "there is none yet"
    assert not host.ca.exists()

    done = host.configure("--diff")
    assert done.exit_code == 0, done.output
    assert host.changes == would
    pem = Path("/etc/ssl/codeframe-staging/tls.pem").read_text()
    assert not [line for line in pem.splitlines()[-4:-1] if line in done.output], "the key is in the output"
    assert host.told[0] == "ends at nginx on this host, with the certificate in /etc/ssl/codeframe-staging/tls.pem"
    assert f"each device must trust {host.ca}/ca.pem of the controller, once" in host.told[1]

    with host.connect("app.home.arpa") as page, host.connect("api.home.arpa") as api:
        first = page.getpeercert(binary_form=True)
        assert "Strict-Transport-Security: max-age=3600" in head_of(page, "app.home.arpa")

        # A certificate of 397 days expires within 398 days.
        renewed = host.configure(staging_tls_renew_days=398)
        assert renewed.exit_code == 0, renewed.output
        assert host.changes[0].startswith("it expires in 39")
        assert host.changes[1:] == ["nginx runs with workers older than the files on disk"]
        assert head_of(api, "api.home.arpa").startswith("HTTP/1.1 "), "an open connection was closed by the renewal"
    with host.connect("app.home.arpa") as page:
        assert page.getpeercert(binary_form=True) != first

    again = host.configure()
    assert again.exit_code == 0, again.output
    assert host.changes == []
