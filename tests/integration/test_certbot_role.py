"""Certificates of a real ACME authority (pebble) by the real certbot, with the nginx of this machine."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import acme_server
import pytest
import yaml
from acme_server import REFUSED, AcmeServer
from http_peers import Application, read_head
from nginx_tree import NGINX
from playbook_runs import PlaybookRun, run_playbook

# certbot and pebble are installed first.
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not NGINX, reason="needs nginx")]

PAGE, API = "app.acme.localhost", "api.acme.localhost"
PLAIN = {"staging_public_url": f"http://{PAGE}", "staging_public_ws_url": f"ws://{API}/ws"}
SECURE = {
    "staging_public_url": f"https://{PAGE}",
    "staging_public_ws_url": f"wss://{API}/ws",
    "staging_tls": "certbot",
}
SITE = Path("/etc/nginx/sites-available/acme")
LIVE = Path("/etc/letsencrypt/live")
HOOK = Path("/etc/letsencrypt/renewal-hooks/deploy/codeframe-staging-acme")


class Host:
    """The nginx of this machine, with a site of the role."""

    def __init__(self, folder: Path, acme: AcmeServer) -> None:
        self.folder, self.acme = folder, acme
        self.behind: dict[str, str] = {}

    def configure(self, *options: str, tasks_from: str = "main", **variables: object) -> PlaybookRun:
        (self.folder / "result").unlink(missing_ok=True)
        role = {"name": "codeframe.staging.proxy", "tasks_from": tasks_from}
        tasks = [
            {"ansible.builtin.import_role": role},
            {
                "ansible.builtin.copy": {"dest": f"{self.folder}/result", "content": "{{ proxy_result | to_json }}"},
                "check_mode": False,
                # The assertions are about the tasks of the role.
                "changed_when": False,
            },
        ]
        (self.folder / "play.yml").write_text(yaml.safe_dump([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
        given = {
            "staging_project_dir": "/home/deploy/projects/acme",
            "staging_app_name": "acme",
            "staging_acme_directory": self.acme.directory,
            "staging_acme_ca_path": str(self.acme.ca),
            "staging_acme_root": str(self.folder / "challenges"),
            "ansible_python_interpreter": sys.executable,
            **self.behind,
            **variables,
        }
        return run_playbook(self.folder / "play.yml", "--extra-vars", json.dumps(given), *options)

    @property
    def result(self) -> dict[str, object]:
        found: dict[str, object] = json.loads((self.folder / "result").read_text())
        return found

    @property
    def changes(self) -> list[str]:
        certificate = self.result.get("certificate") or {}
        assert isinstance(certificate, dict)
        changes = self.result["changes"]
        assert isinstance(changes, list)
        return [*certificate.get("changes", []), *changes]

    def connect(self, name: str) -> ssl.SSLSocket:
        """As a browser that trusts the authority: chain, name and dates are verified."""
        context = ssl.create_default_context(cadata=self.acme.root())
        return context.wrap_socket(socket.create_connection(("127.0.0.1", 443), timeout=30), server_hostname=name)

    def served(self, name: str = PAGE) -> bytes:
        with self.connect(name) as connection:
            return connection.getpeercert(binary_form=True) or b""

    @contextlib.contextmanager
    def requested(self) -> Iterator[list[int | str]]:
        """Request the page at port 80 all the time; the list has the status or the failure of each request."""
        answers: list[int | str] = []
        ended = threading.Event()

        def request() -> None:
            while not ended.is_set():
                answers.append(status(PAGE))
                time.sleep(0.02)

        thread = threading.Thread(target=request)
        thread.start()
        try:
            yield answers
        finally:
            ended.set()
            thread.join()


def status(name: str) -> int | str:
    connection = http.client.HTTPConnection("127.0.0.1", 80, timeout=10)
    try:
        connection.request("GET", "/", headers={"Host": name})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    finally:
        connection.close()


@pytest.fixture(scope="module", autouse=True)
def elsewhere() -> Iterator[None]:
    """Another server at an address of this machine, and an address that answers nothing.

    Addresses that lead nowhere are answered in networks that intercept what leaves them.
    """
    file = Path("/etc/nginx/conf.d/elsewhere.conf")
    silent = "server { listen 127.0.0.97:80; return 444; }\n"
    file.write_text(f"server {{ listen 127.0.0.98:80; return 404; }}\n{silent}")
    subprocess.run(["systemctl", "reload-or-restart", "nginx"], check=True)
    yield
    file.unlink()
    subprocess.run(["systemctl", "reload-or-restart", "nginx"], check=True)


def certbot(*arguments: str) -> None:
    authorities = Path("/etc/ssl/codeframe-staging/acme-authorities.pem")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "REQUESTS_CA_BUNDLE": str(authorities)}
    done = subprocess.run(["certbot", "-n", *arguments], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AcmeServer]:
    acme_server.install()
    with acme_server.running(tmp_path_factory.mktemp("acme")) as server:
        yield server


@pytest.fixture
def host(tmp_path: Path, acme: AcmeServer) -> Iterator[Host]:
    # nginx's workers are another user.
    tmp_path.parent.parent.chmod(0o755)
    tmp_path.parent.chmod(0o755)
    tmp_path.chmod(0o755)
    made = Host(tmp_path, acme)
    yield made
    removed = made.configure(tasks_from="remove", **SECURE)
    assert removed.exit_code == 0, removed.output
    shutil.rmtree("/etc/letsencrypt", ignore_errors=True)


def test_a_plain_site_gets_a_certificate_while_it_serves(host: Host) -> None:
    application = Application()
    host.behind = {"proxy_backend_upstream": f"127.0.0.1:{application.port}"}
    assert host.configure(**PLAIN).exit_code == 0
    plain = SITE.read_text()
    predicted = host.configure("--check", **SECURE)
    assert predicted.exit_code == 0, predicted.output
    would = host.changes
    assert would[0] == "there is none yet"
    assert SITE.read_text() == plain
    assert not (LIVE / "codeframe-staging-acme").exists()

    with host.requested() as answers:
        done = host.configure(**SECURE)
    assert done.exit_code == 0, done.output
    assert host.changes == would
    # No process listens behind nginx: 502 before, the redirect afterwards.
    assert set(answers) == {502, 308}, answers
    assert answers == sorted(answers, reverse=True), "the order was not made before the site was changed"
    first = host.served(PAGE)
    assert host.served(API) == first
    told = host.result["certificate"]
    assert isinstance(told, dict)
    path = "/etc/letsencrypt/live/codeframe-staging-acme/fullchain.pem"
    assert told["told"] == [f"ends at nginx on this host, with the certificate in {path}, which certbot renews"]

    again = host.configure(**SECURE)
    assert again.exit_code == 0, again.output
    assert host.changes == []
    assert "changed=0" in again.output

    # The renewal as the timer makes it: another certificate, and no WebSocket is closed.
    with host.connect(API) as held:
        held.sendall(
            f"GET /ws HTTP/1.1\r\nHost: {API}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        assert read_head(held).startswith("HTTP/1.1 101 ")
        service = subprocess.run(["systemctl", "start", "certbot.service"], check=False)
        assert service.returncode == 0
        assert host.served() == first, "it was renewed long before it expires"
        certbot("renew", "--cert-name", "codeframe-staging-acme", "--force-renewal", "--no-random-sleep-on-renew")
        deadline = time.monotonic() + 30
        while host.served() == first:
            assert time.monotonic() < deadline, "nginx still presents the previous certificate"
            time.sleep(0.2)
        held.sendall(b"still there")
        assert held.recv(100) == b"still there", "an open WebSocket was closed by the renewal"
    unchanged = host.configure(**SECURE)
    assert unchanged.exit_code == 0, unchanged.output
    assert host.changes == []

    # What was changed manually is repaired.
    HOOK.unlink()
    subprocess.run(["systemctl", "disable", "--now", "certbot.timer"], check=True, capture_output=True)
    repaired = host.configure(**SECURE)
    assert repaired.exit_code == 0, repaired.output
    assert host.changes == [
        "nginx is not reloaded after a renewal of codeframe-staging-acme",
        "certbot.timer is not enabled and active",
    ]
    assert HOOK.exists()
    assert host.configure(**PLAIN).exit_code == 0
    assert status(PAGE) == 502


@pytest.mark.parametrize(
    ("name", "address", "message"),
    [
        pytest.param(
            PAGE,
            "127.0.0.97",
            f"the authority cannot connect to port 80 of {PAGE} (",
            id="port-80-closed",
        ),
        pytest.param(
            PAGE,
            "127.0.0.98",
            f"{PAGE} leads to another server, whose answer to the challenge is not that of this host (",
            id="leads-elsewhere",
        ),
        pytest.param(REFUSED, "127.0.0.1", "the authority does not issue certificates for such a name (", id="refused"),
    ],
)
def test_an_order_that_fails_leaves_the_host_as_it_was(host: Host, name: str, address: str, message: str) -> None:
    assert host.configure(**PLAIN).exit_code == 0
    plain = SITE.read_text()
    wanted = {**SECURE, "staging_public_url": f"https://{name}"}
    host.acme.lead(name, address)
    try:
        with host.requested() as answers:
            failed = host.configure(**wanted)
    finally:
        host.acme.lead(name)
    assert failed.exit_code == 2, failed.output
    assert f"no certificate for {API}, {name} by certbot: {message}" in failed.words, failed.output
    assert set(answers) == {502}
    assert SITE.read_text() == plain
    assert not HOOK.exists()


LEGACY = Path("/etc/nginx/sites-enabled/legacy")
LEGACY_TEXT = f"""server {{
    listen 80;
    server_name {PAGE};
    location / {{ return 200 "legacy"; }}
}}
"""


@pytest.fixture
def legacy() -> Iterator[None]:
    """An unmanaged site for the page."""
    LEGACY.write_text(LEGACY_TEXT)
    subprocess.run(["systemctl", "reload-or-restart", "nginx"], check=True)
    yield
    LEGACY.unlink(missing_ok=True)
    subprocess.run(["systemctl", "reload-or-restart", "nginx"], check=True)


@pytest.mark.usefixtures("legacy")
def test_an_unmanaged_site_answers_the_challenges_and_is_taken_over(host: Host) -> None:
    taken = {**SECURE, "staging_take_over": True}
    with host.requested() as answers:
        refused = host.configure(**SECURE)
        assert refused.exit_code == 2, refused.output
        assert f"/etc/nginx/sites-enabled/legacy:1 already answers for {PAGE} on port 80" in refused.words, (
            refused.output
        )
        assert (
            "With staging_take_over (proxy_take_over), that site answers the challenges and is taken over afterwards"
            in refused.words
        )
        failed = host.configure(**{**taken, "staging_public_ws_url": f"wss://{REFUSED}/ws"})
        assert "the authority does not issue certificates for such a name (" in failed.words, failed.output
    assert set(answers) == {200}, answers
    assert LEGACY.read_text() == LEGACY_TEXT
    assert not SITE.exists()

    predicted = host.configure("--check", **taken)
    assert predicted.exit_code == 0, predicted.output
    would = host.changes
    with host.requested() as answers:
        done = host.configure(**taken)
    assert done.exit_code == 0, done.output
    assert host.changes == would
    assert set(answers) == {200, 308}, answers
    assert answers == sorted(answers), "the site was taken over before the order"
    assert "authenticator = nginx" in Path("/etc/letsencrypt/renewal/codeframe-staging-acme.conf").read_text()
    first = host.served()
    again = host.configure(**taken)
    assert again.exit_code == 0, again.output
    assert host.changes == []

    site = SITE.read_text()
    certbot("renew", "--cert-name", "codeframe-staging-acme", "--force-renewal", "--no-random-sleep-on-renew")
    deadline = time.monotonic() + 30
    while host.served() == first:
        assert time.monotonic() < deadline, "nginx still presents the previous certificate"
        time.sleep(0.2)
    assert SITE.read_text() == site
    unchanged = host.configure(**taken)
    assert unchanged.exit_code == 0, unchanged.output
    assert host.changes == []

    assert host.configure(tasks_from="remove", **taken).exit_code == 0
    assert LEGACY.read_text() == LEGACY_TEXT
    assert status(PAGE) == 200


def test_a_certificate_that_certbot_has_is_taken_over_with_its_renewal(host: Host) -> None:
    subprocess.run(
        ["apt-get", "install", "-qqy", "--no-install-recommends", "certbot"], check=True, stdout=subprocess.DEVNULL
    )
    bundle = Path("/etc/ssl/codeframe-staging/acme-authorities.pem")
    bundle.parent.mkdir(exist_ok=True)
    bundle.write_text(host.acme.ca.read_text())
    # As users do it on a host without a web server: certbot listens at port 80 itself, and stops nginx for that.
    order = ["certonly", "--standalone", "--agree-tos", "--register-unsafely-without-email"]
    order += ["--pre-hook", "systemctl stop nginx", "--post-hook", "systemctl start nginx"]
    certbot(*order, "--server", host.acme.directory, "-d", PAGE, "-d", API)
    mine = (LIVE / PAGE / "fullchain.pem").read_bytes()

    done = host.configure(**SECURE)
    assert done.exit_code == 0, done.output
    assert host.changes[:3] == [
        "it is renewed by a server of certbot's own at port 80, where nginx listens",
        f"nginx is not reloaded after a renewal of {PAGE}",
        "certbot trusts other authorities than wanted",
    ]
    # The same certificate, and no further one.
    assert (
        ssl.PEM_cert_to_DER_cert(
            mine.decode().partition("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        )
        == host.served()
    )
    assert sorted(each.name for each in LIVE.iterdir() if each.is_dir()) == [PAGE]
    assert "authenticator = webroot" in Path(f"/etc/letsencrypt/renewal/{PAGE}.conf").read_text()
    assert host.configure(**SECURE).exit_code == 0
    assert host.changes == []
    with host.requested() as answers:
        certbot("renew", "--cert-name", PAGE, "--force-renewal", "--no-random-sleep-on-renew")
    assert set(answers) == {308}, "nginx was stopped for the renewal"
    assert (LIVE / PAGE / "fullchain.pem").read_bytes() != mine

    # The removal of the site leaves what was there before it.
    assert host.configure(tasks_from="remove", **SECURE).exit_code == 0
    assert (LIVE / PAGE / "fullchain.pem").exists()
    assert not HOOK.exists()


BROKEN = Path("/etc/nginx/conf.d/broken.conf")


@pytest.fixture
def broken_nginx() -> Iterator[Path]:
    """A file with which nginx refuses its configuration, once it is written."""
    yield BROKEN
    BROKEN.unlink(missing_ok=True)
    subprocess.run(["systemctl", "reload-or-restart", "nginx"], check=True)


def test_a_removal_deletes_what_was_ordered_for_the_site(host: Host, broken_nginx: Path) -> None:
    assert host.configure(**SECURE).exit_code == 0
    first = host.served()

    # A renewal while nginx refuses its configuration: nginx serves on, and the next run that can has it reloaded.
    broken_nginx.write_text("nonsense;\n")
    certbot("renew", "--cert-name", "codeframe-staging-acme", "--force-renewal", "--no-random-sleep-on-renew")
    assert host.served() == first
    failed = host.configure(**SECURE)
    assert failed.exit_code == 2, failed.output
    assert "/etc/nginx/conf.d/broken.conf" in failed.words
    assert host.served() == first
    broken_nginx.unlink()
    repaired = host.configure(**SECURE)
    assert repaired.exit_code == 0, repaired.output
    assert host.changes == ["nginx runs with workers older than the files on disk"]
    assert host.served() != first

    removed = host.configure(tasks_from="remove", **SECURE)
    assert removed.exit_code == 0, removed.output
    for path in (
        SITE,
        HOOK,
        LIVE / "codeframe-staging-acme",
        Path("/etc/letsencrypt/renewal/codeframe-staging-acme.conf"),
        Path("/etc/ssl/codeframe-staging/acme-authorities.pem"),
        Path("/etc/systemd/system/certbot.service.d/codeframe-staging.conf"),
    ):
        assert not path.exists(), path
    again = host.configure(tasks_from="remove", **SECURE)
    assert "changed=0" in again.output
