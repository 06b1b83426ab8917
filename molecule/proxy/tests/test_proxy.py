"""The proxy from outside the host, in every topology, on Debian 12 and 13."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import testinfra
import testinfra.host
from deployment import Deployment

CACHE = Path(os.environ.get("MOLECULE_PROJECT_DIRECTORY", ".")) / ".cache"
UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
LIVE = "/etc/letsencrypt/live/codeframe.localhost"
ARCHIVE = "/etc/letsencrypt/archive/codeframe.localhost"


@dataclass(frozen=True)
class Topology:
    """Where page and API are found; without a page name, the page comes straight from its own port."""

    page: str | None
    api: str
    tls: bool


TOPOLOGIES = {
    "tls-two": Topology("codeframe.localhost", "api.codeframe.localhost", tls=True),
    "tls-one": Topology("one.localhost", "one.localhost", tls=True),
    "tls-own-port": Topology(None, "api.own.localhost", tls=True),
    "plain-two": Topology("app.two.localhost", "api.two.localhost", tls=False),
    "plain-one": Topology("one.localhost", "one.localhost", tls=False),
    "plain-own-port": Topology(None, "api.own.localhost", tls=False),
}


class Outside:
    """One host's ports on this machine."""

    def __init__(self, debian: int) -> None:
        last = {13: 5, 12: 6}[debian]
        self.name = f"codeframe-staging-proxy-{debian}"
        self.ssh, self.plain, self.tls, self.page = 14200 + last, 18080 + last, 18180 + last, 18280 + last
        self.redirect = 18380 + last

    def connect(self, port: int, name: str, protocols: list[str] | None = None) -> socket.socket:
        """A connection, with TLS where the port is that of TLS; the certificate must be good for the name."""
        sock = socket.create_connection(("127.0.0.1", port), timeout=15)
        if port != self.tls:
            return sock
        context = ssl.create_default_context(cafile=CACHE / "certificates/ca.pem")
        context.set_alpn_protocols(protocols or ["http/1.1"])
        return context.wrap_socket(sock, server_hostname=name)

    def ask(self, port: int, name: str, path: str, headers: str = "Connection: close\r\n") -> tuple[int, str]:
        """Status, and everything that came, the head included; of an upgrade, its head alone."""
        with self.connect(port, name) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}:{port}\r\n{headers}\r\n".encode())
            answer = b""
            sock.settimeout(3)
            # A connection that stays open after the answer ends by the timeout.
            with contextlib.suppress(TimeoutError):
                while part := sock.recv(65536):
                    answer += part
                    if b" 101 " in answer:
                        break
        return int(answer.split()[1]), answer.decode(errors="replace")

    def open_websocket(self, port: int, name: str) -> socket.socket:
        sock = self.connect(port, name)
        sock.sendall(f"GET /ws HTTP/1.1\r\nHost: {name}:{port}\r\n{UPGRADE}\r\n".encode())
        assert b" 101 " in sock.recv(65536)
        return sock


@pytest.fixture(params=[13, 12], ids=["debian-13", "debian-12"])
def outside(request: pytest.FixtureRequest) -> Outside:
    return Outside(request.param)


@pytest.fixture
def host(outside: Outside) -> testinfra.host.Host:
    return testinfra.get_host(
        f"ssh://admin@127.0.0.1:{outside.ssh}",
        ssh_identity_file=str(CACHE / "ssh/id_ed25519"),
        ssh_extra_args=f'-o UserKnownHostsFile="{CACHE / "ssh/known_hosts"}" -o StrictHostKeyChecking=yes',
    )


@pytest.fixture
def as_it_was(host: testinfra.host.Host) -> Iterator[None]:
    """Bring nginx's configuration and the certificate back, whatever the test makes of them."""
    with host.sudo():
        host.check_output(
            "rm -rf /root/before && mkdir /root/before && cp -a /etc/nginx /etc/letsencrypt /root/before/"
        )
    yield
    with host.sudo():
        host.check_output(
            "rm -rf /etc/nginx /etc/letsencrypt && cp -a /root/before/nginx /root/before/letsencrypt /etc/"
            # A reload is over when the new workers are there, which nginx tells nobody.
            " && nginx -t && systemctl reload nginx && sleep 1"
        )


# ---------------------------------------------------------------- every topology


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)
def test_page_api_and_websocket_answer_where_they_should(outside: Outside, topology: Topology) -> None:
    port = outside.tls if topology.tls else outside.plain
    page = (port, topology.page) if topology.page else (outside.page, "own.localhost")
    status, text = outside.ask(*page, "/")
    assert (status, "/_next/static/" in text) == (200, True)
    api = "/api/messages-not-there" if topology.page == topology.api else "/health"
    status, text = outside.ask(port, topology.api, api)
    assert (status, "application/json" in text) == (404 if topology.page == topology.api else 200, True)
    assert outside.ask(port, topology.api, "/ws", UPGRADE)[0] == 101


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES)
def test_nothing_but_a_websocket_at_its_path_is_upgraded(outside: Outside, topology: Topology) -> None:
    port = outside.tls if topology.tls else outside.plain
    assert outside.ask(port, topology.api, "/wsx", UPGRADE + "Connection: close\r\n")[0] != 101
    other = "Upgrade: h2c\r\nConnection: close, Upgrade\r\n"
    assert outside.ask(port, topology.api, "/ws", other)[0] == 404


# ---------------------------------------------------------------- TLS


def test_port_80_redirects_pages_tells_websocket_clients_and_leaves_the_acme_path_open(
    outside: Outside, host: testinfra.host.Host
) -> None:
    status, text = outside.ask(outside.redirect, "codeframe.localhost", "/x?y=1")
    assert (status, f"Location: https://codeframe.localhost:{outside.tls}/x?y=1" in text) == (308, True)
    status, text = outside.ask(outside.redirect, "api.codeframe.localhost", "/ws", UPGRADE + "X-A: b\r\n")
    assert (status, f"served at wss://api.codeframe.localhost:{outside.tls}/ws" in text) == (426, True)
    with host.sudo():
        host.check_output("mkdir -p /var/www/html/.well-known/acme-challenge")
        host.check_output("printf proof >/var/www/html/.well-known/acme-challenge/token")
    status, text = outside.ask(outside.redirect, "codeframe.localhost", "/.well-known/acme-challenge/token")
    assert (status, text.endswith("proof")) == (200, True)


def test_pages_speak_http_2_and_tls_1_2_is_the_oldest(outside: Outside) -> None:
    with outside.connect(outside.tls, "codeframe.localhost", ["h2", "http/1.1"]) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        assert (sock.selected_alpn_protocol(), sock.version()) == ("h2", "TLSv1.3")
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("ALL:@SECLEVEL=0")
    old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", outside.tls), timeout=15) as sock, pytest.raises(ssl.SSLError):
        old.wrap_socket(sock, server_hostname="codeframe.localhost")


def test_the_certificate_of_certbot_is_used_where_it_lies(host: testinfra.host.Host) -> None:
    with host.sudo():
        assert host.file(f"{LIVE}/privkey.pem").linked_to == f"{ARCHIVE}/privkey1.pem"
        key = host.file(f"{ARCHIVE}/privkey1.pem")
        assert (key.mode, key.user) == (0o600, "root")
        assert host.file("/etc/letsencrypt/live").mode == 0o700
        assert host.run("grep -rl 'PRIVATE KEY' /etc/nginx").stdout == ""


def test_a_verification_tells_how_long_the_certificate_is_good(outside: Outside, deployment: Deployment) -> None:
    outcome = deployment.run(f"--limit={outside.name}", playbook="verify_staging.yml")
    assert outcome.exit_code == 0, outcome.output
    # From the host through the proxy, and from the controller.
    assert outcome.words.count("TLSv1.3, certificate valid for 88 days") >= 2, outcome.output


@pytest.mark.usefixtures("as_it_was")
def test_a_renewed_certificate_is_taken_in_by_the_next_run(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment
) -> None:
    renewed = (CACHE / "certificates/renewed.pem").read_text()
    with host.sudo():
        # As certbot does it, where no hook of its own reloads nginx.
        host.check_output("printf %%s %s > %s", renewed, f"{ARCHIVE}/fullchain2.pem")
        host.check_output("ln -sfn ../../archive/codeframe.localhost/fullchain2.pem %s", f"{LIVE}/fullchain.pem")
    outcome = deployment.run(f"--limit={outside.name}", "--tags=proxy,websocket_verify")
    assert (outcome.exit_code, outcome.changed_roles - {"release"}) == (0, {"proxy"}), outcome.output
    assert outcome.words.count("certificate valid for 178 days") >= 2, outcome.output


def test_a_value_that_would_break_out_is_refused_before_anything_is_touched(
    outside: Outside, deployment: Deployment
) -> None:
    bad = '{"proxy_client_max_body_size": "1m; } server {"}'
    outcome = deployment.run(f"--limit={outside.name}", variables=[bad])
    assert (outcome.exit_code != 0, outcome.changed) == (True, 0), outcome.output
    assert 'proxy_client_max_body_size holds "1m; } server {", expected a size such as 10m' in outcome.words.replace(
        '\\"', '"'
    ), outcome.output
    roles = set(re.findall(r"^TASK \[codeframe\.staging\.(\w+) :", outcome.output, re.MULTILINE))
    assert roles == {"preflight", "proxy"}, outcome.output


@pytest.mark.usefixtures("as_it_was")
def test_an_expired_certificate_fails_the_verification_and_stops_a_deployment(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment
) -> None:
    expired = (CACHE / "certificates/expired.pem").read_text()
    with host.sudo():
        host.check_output("printf %%s %s > %s && systemctl reload nginx", expired, f"{ARCHIVE}/fullchain1.pem")
    verified = deployment.run(f"--limit={outside.name}", playbook="verify_staging.yml")
    assert "websocket_verify" in verified.failed_roles, verified.output
    assert "tls_expired" in verified.words, verified.output
    deployed = deployment.run(f"--limit={outside.name}", "--tags=proxy")
    assert "proxy" in deployed.failed_roles, deployed.output
    assert f"the certificate {LIVE}/fullchain.pem expired on" in deployed.words, deployed.output


@pytest.mark.usefixtures("as_it_was")
def test_a_key_that_others_may_read_stops_a_deployment(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment
) -> None:
    with host.sudo():
        # In certbot's own directories, which root alone may enter, the mode of the file opens it to nobody.
        host.check_output("chmod 0644 %s", f"{ARCHIVE}/privkey1.pem")
        private = deployment.run(f"--limit={outside.name}", "--tags=proxy")
        assert (private.exit_code, private.changed_roles) == (0, {"proxy"}), private.output
        host.check_output("chmod 0755 /etc/letsencrypt /etc/letsencrypt/archive %s", ARCHIVE)
    outcome = deployment.run(f"--limit={outside.name}", "--tags=proxy")
    assert "proxy" in outcome.failed_roles, outcome.output
    assert f"{LIVE}/privkey.pem is open to every user of this host (mode 0644)" in outcome.words, outcome.output


# ---------------------------------------------------------------- rollback


RESTORATION = """
- hosts: staging
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.include_role:
        name: codeframe.staging.proxy
        tasks_from: look
    - ansible.builtin.include_role:
        name: codeframe.staging.proxy
      vars:
        proxy_nginx_shutdown_timeout: 7
        proxy_request_timeout: 61
    - ansible.builtin.set_fact:
        first: "{{ proxy_result }}"
    - ansible.builtin.command: grep -r worker_shutdown_timeout /etc/nginx/modules-enabled
      changed_when: false
    - ansible.builtin.include_role:
        name: codeframe.staging.proxy
      vars:
        proxy_request_timeout: 62
    - ansible.builtin.include_role:
        name: codeframe.staging.proxy
        tasks_from: restore
      vars:
        proxy_state: "{{ first.state }}"
        proxy_backend_upstream: 127.0.0.1:14299
    - ansible.builtin.command: nginx -T
      register: restored
      changed_when: false
    - ansible.builtin.assert:
        that:
          - "'proxy_read_timeout 61s;' in restored.stdout"
          - "'worker_shutdown_timeout 7s;' in restored.stdout"
          - "'proxy_pass http://127.0.0.1:14299;' in restored.stdout"
    - ansible.builtin.include_role:
        name: codeframe.staging.proxy
        tasks_from: restore
      vars:
        proxy_state: "{{ first.previous }}"
"""


def test_a_restoration_renders_the_saved_state_and_leaves_no_trace_of_what_came_between(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment, tmp_path: Path
) -> None:
    with host.sudo():
        before = host.check_output("nginx -T")
    (tmp_path / "restoration.yml").write_text(RESTORATION)
    outcome = deployment.run(f"--limit={outside.name}", playbook=str(tmp_path / "restoration.yml"))
    assert outcome.exit_code == 0, outcome.output
    # Twice changed, twice restored; each changes the site and the main context at once.
    assert outcome.changed == 4, outcome.output
    with host.sudo():
        assert host.check_output("nginx -T") == before
        assert host.run("ls /etc/nginx/modules-enabled/sample.conf").rc != 0


DAMAGED = """
- hosts: staging
  gather_facts: false
  become: true
  tasks:
    - ansible.builtin.include_role:
        name: codeframe.staging.proxy
        tasks_from: restore
      vars:
        proxy_state:
          provider: nginx
          site:
            site_name: sample
            page_url: http://app.example.com
            ws_url: ws://api.example.com/ws
            backend_upstream: 127.0.0.1:14200
            frontend_upstream: 127.0.0.1:14100
            static_root: /srv/x
            client_max_body_size: "1m; } server { access_log /etc/cron.d/x"
"""


def test_a_saved_state_that_would_leave_a_directive_is_refused(
    outside: Outside, deployment: Deployment, tmp_path: Path
) -> None:
    (tmp_path / "damaged.yml").write_text(DAMAGED)
    outcome = deployment.run(f"--limit={outside.name}", playbook=str(tmp_path / "damaged.yml"))
    assert (outcome.exit_code, outcome.changed) == (2, 0), outcome.output
    assert "The saved state of the proxy cannot be restored: proxy_client_max_body_size is" in outcome.words


# ---------------------------------------------------------------- silence


def test_a_silent_websocket_is_cut_when_the_variable_says_and_else_lives_as_long_as_it_is_held() -> None:
    with contextlib.ExitStack() as held:
        hosts = [Outside(13), Outside(12)]
        short = [held.enter_context(each.open_websocket(each.plain, "short.localhost")) for each in hosts]
        long = [held.enter_context(each.open_websocket(each.plain, "long.localhost")) for each in hosts]
        begun = time.monotonic()
        for sock in short:
            assert sock.recv(1) == b""
            assert 4.5 < time.monotonic() - begun < 6.5
        # Longer than nginx's default of 60 s; a byte would start the time anew, so none is sent before.
        time.sleep(max(0.0, 65 - (time.monotonic() - begun)))
        for sock in long:
            sock.sendall(b"x")
            assert sock.recv(1) == b"x"


# ---------------------------------------------------------------- manual changes


@pytest.mark.usefixtures("as_it_was")
def test_the_inheritance_trap_is_explained_with_both_places_and_repaired(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment
) -> None:
    path = "/etc/nginx/sites-enabled/sample"
    with host.sudo():
        # The directives of the WebSocket a level further out, as many tutorials have them.
        text = host.check_output("cat %s", path).splitlines()
        upgrade = next(number for number, line in enumerate(text) if "proxy_set_header Upgrade" in line)
        name = max(number for number, line in enumerate(text[:upgrade]) if "server_name" in line)
        moved = text[upgrade : upgrade + 2]
        text = [*text[: name + 1], *moved, *text[name + 1 : upgrade], *text[upgrade + 2 :]]
        host.check_output("printf %%s %s > /etc/nginx/sites-available/sample", "\n".join(text) + "\n")
        host.check_output("nginx -t && systemctl reload nginx")
    verified = deployment.run(f"--limit={outside.name}", playbook="verify_staging.yml")
    assert verified.exit_code != 0, verified.output
    trap = next(number for number, line in enumerate(text) if number > name + 2 and "proxy_set_header" in line)
    said = f"sets proxy_set_header Host in {path}:{trap + 1} and so drops Upgrade set in {path}:{name + 2}"
    assert said in verified.words, verified.output
    repaired = deployment.run(f"--limit={outside.name}", "--tags=proxy,websocket_verify")
    # Another test may have left another state as the last verified one, so that this one is recorded (role release).
    assert (repaired.exit_code, repaired.changed_roles - {"release"}) == (0, {"proxy"}), repaired.output


@pytest.mark.parametrize(
    "command",
    [
        pytest.param("rm /etc/nginx/sites-enabled/sample && systemctl reload nginx", id="link-deleted"),
        pytest.param("sed -i 's/86400s/5s/' /etc/nginx/sites-available/sample", id="edited-and-not-reloaded"),
        pytest.param("touch /etc/nginx/sites-available/sample", id="written-and-not-reloaded"),
    ],
)
def test_a_manual_change_is_repaired_by_the_next_run(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment, command: str
) -> None:
    with host.sudo():
        host.check_output(command)
    repaired = deployment.run(f"--limit={outside.name}", "--tags=proxy")
    assert (repaired.exit_code, repaired.changed_roles) == (0, {"proxy"}), repaired.output
    assert outside.ask(outside.tls, "api.codeframe.localhost", "/ws", UPGRADE)[0] == 101
    again = deployment.run(f"--limit={outside.name}", "--tags=proxy")
    assert (again.exit_code, again.changed) == (0, 0), again.output


@pytest.mark.usefixtures("as_it_was")
def test_an_extra_site_that_takes_the_host_name_is_named_and_stays(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment
) -> None:
    extra = (
        f"server {{ listen {outside.tls} ssl; server_name api.codeframe.localhost; "
        f"ssl_certificate {LIVE}/fullchain.pem; ssl_certificate_key {LIVE}/privkey.pem; return 404; }}\n"
    )
    with host.sudo():
        host.check_output("printf %%s %s > /etc/nginx/sites-enabled/extra && systemctl reload nginx", extra)
    outcome = deployment.run(f"--limit={outside.name}", "--tags=proxy")
    assert outcome.exit_code != 0, outcome.output
    said = f"/etc/nginx/sites-enabled/extra:1 answers for api.codeframe.localhost on port {outside.tls} before the site"
    assert said in outcome.words, outcome.output
    with host.sudo():
        assert host.file("/etc/nginx/sites-enabled/extra").exists


def test_a_run_warns_how_many_websockets_its_reload_leaves_on_old_workers(
    outside: Outside, host: testinfra.host.Host, deployment: Deployment
) -> None:
    warning = "open WebSockets stay with workers of the previous configuration after the reload"
    with contextlib.ExitStack() as held:
        for _number in range(3):
            held.enter_context(outside.open_websocket(outside.tls, "api.codeframe.localhost"))
        with host.sudo():
            host.check_output("touch /etc/nginx/sites-available/sample")
        # Check mode says it while nothing has happened.
        predicted = deployment.run(f"--limit={outside.name}", "--tags=proxy", "--check")
        outcome = deployment.run(f"--limit={outside.name}", "--tags=proxy")
    for each in (predicted, outcome):
        assert f"3 {warning}" in each.words, each.output


# ---------------------------------------------------------------- the service


def test_nginx_runs_and_starts_with_the_host(host: testinfra.host.Host) -> None:
    nginx = host.service("nginx")
    assert (nginx.is_running, nginx.is_enabled) == (True, True)


def test_what_was_there_stays_beside_our_sites(host: testinfra.host.Host) -> None:
    with host.sudo():
        assert host.run("nginx -t").rc == 0
        assert host.file("/etc/nginx/sites-enabled/default").exists
        assert host.file("/etc/nginx/sites-enabled/sample").is_symlink
