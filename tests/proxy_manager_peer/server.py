"""The API of the test server."""

from __future__ import annotations

import contextlib
import json
import ssl
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from proxy_manager_peer.behaviour import behaviour
from proxy_manager_peer.certbot import Certbot, CertbotError
from proxy_manager_peer.nginx import NoNginx, RealNginx, make_certificate
from proxy_manager_peer.rendering import UNREAD_LIST, host_conf, request_conf

FLAGS = (
    "ssl_forced",
    "caching_enabled",
    "block_exploits",
    "allow_websocket_upgrade",
    "http2_support",
    "enabled",
    "hsts_enabled",
    "hsts_subdomains",
    "trust_forwarded_proto",
)
TYPES: dict[str, type | tuple[type, ...]] = {
    **dict.fromkeys(FLAGS, bool),
    "domain_names": list,
    "forward_scheme": str,
    "forward_host": str,
    "forward_port": int,
    "certificate_id": (int, str),
    "access_list_id": (int, str),
    "advanced_config": str,
    "meta": dict,
    "locations": list,
}


@dataclass
class Account:
    """An account.

    ``may`` (proxy hosts), ``lists`` (access lists, and who sees certificates) and ``certificates`` (who requests them)
    are manage, view or hidden, ``sees`` is all or user.
    """

    identity: str
    secret: str
    may: str = "manage"
    sees: str = "all"
    two_factor: bool = False
    lists: str = "view"
    certificates: str = "manage"


@dataclass
class Faults:
    """Faults on demand."""

    #: Number of writing requests that are carried out and then cut without an answer.
    cut_after_write: int = 0
    #: Number of writing requests that are cut before they are carried out.
    cut_before_write: int = 0
    #: Number of writing requests after whose answer the API is away.
    away_after_write: int = 0
    #: Number of writing requests before which all tokens expire.
    expiries: int = 0
    #: Number of reloads that do not happen.
    lost_reloads: int = 0
    #: Number of saves during whose test another half-written file exists, in the test before or after the write.
    disturbed_before: int = 0
    disturbed_after: int = 0
    #: Seconds for which the API is away after a cut or an answer.
    away_s: float = 0.0


class Status(Exception):  # noqa: N818 - an answer, not always an error
    """Ends a request with a status.

    :param stack: Lines on an internal error, which answers on certificates have.
    """

    def __init__(self, status: int, message: str, stack: list[str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.stack = stack


@dataclass
class Peer:
    """One test server, on free ports unless given."""

    version: str
    root: Path
    nginx: RealNginx | NoNginx
    tls: bool = False
    #: Where the API listens; 0 for a free port.
    api_port: int = 0
    #: A file with a line for each request, for tests on another machine.
    request_log: Path | None = None
    save_delay_s: float = 0.05
    reload_delay_s: float = 0.12
    hosts: dict[int, dict[str, Any]] = field(default_factory=dict)
    access_lists: dict[int, dict[str, Any]] = field(default_factory=dict)
    certificates: dict[int, dict[str, Any]] = field(default_factory=dict)
    #: What gets certificates.
    certbot: Certbot = field(default_factory=Certbot)
    accounts: list[Account] = field(default_factory=lambda: [Account("admin@example.com", "correct horse")])
    faults: Faults = field(default_factory=Faults)
    #: (method, path) of all requests; OVERLAP for a save that began before another one had ended.
    requests: list[tuple[str, str]] = field(default_factory=list)
    tokens: dict[str, Account] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.behaviour = behaviour(self.version)
        self.nginx.behave(self.behaviour)
        self._next = 1
        self._away_until = 0.0
        self._saving = 0
        (self.root / "data" / "nginx" / "proxy_host").mkdir(parents=True)
        (self.root / "data" / "nginx" / "temp").mkdir()
        (self.root / "data" / "access").mkdir(parents=True)
        handler = type("Handler", (_Handler,), {"peer": self})
        self._server = ThreadingHTTPServer((self.nginx.address, self.api_port), handler)
        self._server.daemon_threads = True
        if self.tls:
            make_certificate(self.root)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.root / "cert.pem", self.root / "key.pem")
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.port = int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.nginx.address}:{self.port}"

    def __enter__(self) -> Peer:
        self.nginx.start()
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.nginx.stop()

    # Preparations of a test, without the API.

    def add_host(self, name: str, forward_port: int, **fields: Any) -> int:
        """Add a host, with its configuration in force (or refused) as after a save."""
        host_id = self._insert(
            {
                "domain_names": [name],
                "forward_scheme": "http",
                "forward_host": "127.0.0.1",
                "forward_port": forward_port,
            }
            | fields
        )
        self._configure(host_id, first_test=False)
        self.nginx.reload_and_wait()
        return host_id

    def add_access_list(self, name: str, password: str | None, **fields: Any) -> int:
        """Add an access list with the user ``ann``, or without users."""
        list_id = len(self.access_lists) + 1
        self.access_lists[list_id] = {
            "id": list_id,
            "name": name,
            "items": [{"username": "ann", "password": "", "hint": "s*****"}] if password else [],
            "clients": [],
            "satisfy_any": True,
            "pass_auth": False,
        } | fields
        text = f"ann:{{PLAIN}}{password}\n" if password else ""
        (self.root / "data" / "access" / str(list_id)).write_text(text)
        return list_id

    def come_back(self) -> None:
        """End a fault that keeps the API away."""
        self._away_until = 0.0

    def note(self, method: str, path: str) -> None:
        self.requests.append((method, path))
        if self.request_log is not None:
            with self.request_log.open("a") as log:
                log.write(f"{method} {path}\n")

    def puts(self) -> int:
        return sum(1 for method, _ in self.requests if method == "PUT")

    def logins(self) -> int:
        return self.requests.count(("POST", "/api/tokens"))

    def conf(self, host_id: int) -> Path:
        return self.root / "data" / "nginx" / "proxy_host" / f"{host_id}.conf"

    # Saves.

    def _insert(self, fields: dict[str, Any]) -> int:
        host_id, self._next = self._next, self._next + 1
        self.hosts[host_id] = {
            "id": host_id,
            "owner_user_id": 1,
            "access_list_id": 0,
            "certificate_id": 0,
            "advanced_config": "",
            "meta": {},
            "locations": None,
            **{flag: False for flag in FLAGS if self._knows(flag)},
            "enabled": True,
        } | fields
        self._clean(self.hosts[host_id])
        return host_id

    def _knows(self, field_name: str) -> bool:
        return field_name != "trust_forwarded_proto" or self.behaviour.trusts_forwarded_proto

    def _clean(self, host: dict[str, Any]) -> None:
        """Turn off what needs TLS, as each save does it."""
        if not host["certificate_id"]:
            host |= {"ssl_forced": False, "http2_support": False}
        if not host["ssl_forced"]:
            host["hsts_enabled"] = False
        if not host["hsts_enabled"]:
            host["hsts_subdomains"] = False

    def _configure(self, host_id: int, first_test: bool = True) -> None:
        """Delete, write and test a configuration without a lock, and delete it if nginx refuses it."""
        if first_test and self._tested("disturbed_before"):
            raise Status(500, "Internal Error")
        host, path = self.hosts[host_id], self.conf(host_id)
        path.unlink(missing_ok=True)
        self._write(host)
        words = self._tested("disturbed_after" if first_test else "")
        if words:
            path.unlink(missing_ok=True)
            host["meta"] = {**host["meta"], "nginx_online": False, "nginx_err": words}
        else:
            host["meta"] = {**host["meta"], "nginx_online": True, "nginx_err": None}

    def _write(self, host: dict[str, Any], complete: bool = True) -> None:
        """Write the configuration of a host.

        :param complete: Whether its access list and its certificate were read with it.
        """
        access_list = self.access_lists.get(int(host["access_list_id"]))
        if access_list is not None and not complete:
            access_list = UNREAD_LIST
        folder = self.root
        if (self.live(int(host["certificate_id"])) / "cert.pem").exists():
            folder = self.live(int(host["certificate_id"]))
        nginx = self.nginx
        addresses = (nginx.address, nginx.port, nginx.tls_port)
        certificate = folder if host["certificate_id"] and complete else None
        text = host_conf(host, access_list, self.behaviour, *addresses, certificate)
        nginx.write(self.conf(int(host["id"])), text)

    def live(self, certificate_id: int) -> Path:
        """The directory of a certificate that was requested."""
        return self.root / "letsencrypt" / f"npm-{certificate_id}"

    def _tested(self, disturbance: str) -> str:
        """The error of nginx; on demand with a half-written file of another save."""
        left = getattr(self.faults, disturbance, 0)
        if left <= 0:
            return self.nginx.test()
        setattr(self.faults, disturbance, left - 1)
        self.conf(98).write_text("server { half-wri")
        try:
            return self.nginx.test()
        finally:
            self.conf(98).unlink()

    def _reload_soon(self) -> None:
        """Reload after the answer, unless a fault prevents it."""
        if self.faults.lost_reloads > 0:
            self.faults.lost_reloads -= 1
            return

        def work() -> None:
            time.sleep(self.reload_delay_s)
            self.nginx.reload()

        threading.Thread(target=work, daemon=True).start()

    def _check_fields(self, body: Any) -> None:
        if not isinstance(body, dict):
            raise Status(400, "data must be object")
        for key, value in body.items():
            if key not in TYPES or not self._knows(key):
                raise Status(400, "data must NOT have additional properties")
            kind = TYPES[key]
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
                raise Status(400, f"data/{key} must be {kind}")

    def _check_names(self, body: dict[str, Any], host_id: int = 0) -> None:
        for other in self.hosts.values():
            for name in body.get("domain_names", ()):
                if name in other["domain_names"] and other["id"] != host_id:
                    raise Status(400, f"{name} is already in use")

    # Requests.

    def handle(self, method: str, target: str, token: str | None, body: Any) -> tuple[int, Any]:
        """Answer one request."""
        path = urlsplit(target).path.rstrip("/")
        if not path.startswith("/api"):
            raise Status(404, "Not Found")
        path = path[4:]
        if path == "" and method == "GET":
            numbers = dict(zip(("major", "minor", "revision"), self.behaviour.version))
            return 200, {"status": "OK", "version": numbers} | (
                {"setup": True} if self.behaviour.version >= (2, 13, 0) else {}
            )
        if path == "/tokens" and method == "POST":
            return 200, self._login(body)
        account = self._account(token)
        if path == "/users/me":
            permissions = {
                "proxy_hosts": account.may,
                "visibility": account.sees,
                "access_lists": account.lists,
                "certificates": account.certificates,
            }
            return 200, {"id": 1, "email": account.identity, "roles": [], "permissions": permissions}
        if path == "/nginx/certificates" and method == "POST":
            if account.certificates != "manage":
                raise self._forbidden()
            return 201, self._request_certificate(body, account)
        if path in ("/nginx/access-lists", "/nginx/certificates"):
            if account.lists == "hidden":
                raise self._forbidden()
            return 200, list((self.access_lists if path == "/nginx/access-lists" else self.certificates).values())
        parts = path.strip("/").split("/")
        if parts[:2] != ["nginx", "proxy-hosts"]:
            raise Status(404, "Not Found")
        if account.may == "hidden" or (method != "GET" and account.may != "manage"):
            raise self._forbidden()
        if len(parts) == 2:
            return self._collection(method, body, account)
        return self._member(method, int(parts[2]), parts[3:], body)

    def _request_certificate(self, body: Any, account: Account) -> dict[str, Any]:
        """Request a certificate as the program does.

        Hosts with one of its names are taken off nginx meanwhile. Afterwards they are written from rows without access
        list and certificate, and only after a failure nginx is reloaded. So they are as they were with the next save.
        """
        meta = self._checked_request(body)
        certificate_id = max(self.certificates, default=0) + 1
        names = sorted(body["domain_names"])
        row = {
            "id": certificate_id,
            "provider": "letsencrypt",
            "nice_name": ", ".join(body["domain_names"]),
            "domain_names": names,
            "expires_on": _moment(time.time()),
            "meta": meta,
        }
        self.certificates[certificate_id] = row
        hosts = [host for host in self.hosts.values() if set(names) & set(host["domain_names"])]
        for host in hosts:
            self.conf(int(host["id"])).unlink(missing_ok=True)
        email = str(meta.get("letsencrypt_email", "undefined")) if self.behaviour.email_in_request else account.identity
        own = self.root / "data" / "nginx" / "temp" / f"letsencrypt_{certificate_id}.conf"
        try:
            if not email:
                raise Status(400, "A valid email address must be set on your user account to use Let's Encrypt")
            try:
                nginx = self.nginx
                own.write_text(request_conf(names, self.root, nginx.address, nginx.port))
                nginx.reload_and_wait()
                expires = self.certbot.order(
                    names, email, self.root / "data" / "letsencrypt-acme-challenge", self.live(certificate_id)
                )
                own.unlink()
                nginx.reload_and_wait()
                for host in hosts:
                    self._write(host, complete=False)
            except CertbotError as exc:
                own.unlink()
                for host in hosts:
                    self._write(host, complete=False)
                nginx.reload_and_wait()
                stack = f"{self.behaviour.command_error}{exc}".splitlines()
                raise Status(
                    500, "Internal Error", [*stack, "    at ChildProcess.exithandler (node:child_process)"]
                ) from exc
        except Status:
            del self.certificates[certificate_id]
            raise
        row["expires_on"] = _moment(expires)
        return row

    def _checked_request(self, body: Any) -> dict[str, Any]:
        """The meta fields of a request for a certificate."""
        if not isinstance(body, dict) or "provider" not in body:
            raise Status(400, "data must have required property 'provider'")
        known = {"dns_challenge", "dns_provider", "dns_provider_credentials", "propagation_seconds"}
        known |= {"letsencrypt_email", "letsencrypt_agree"} if self.behaviour.email_in_request else set()
        meta = body.get("meta") or {}
        if set(body) - {"provider", "nice_name", "domain_names", "meta"} or set(meta) - known:
            raise Status(400, "data must NOT have additional properties")
        return dict(meta)

    def _login(self, body: Any) -> dict[str, Any]:
        if not isinstance(body, dict) or {"identity", "secret"} - set(body):
            raise Status(400, "data must have required property")
        if set(body) - {"identity", "secret", "scope", "expiry"} and self.behaviour.extra_login_keys == 400:
            raise Status(400, "data must NOT have additional properties")
        for account in self.accounts:
            if account.identity == body["identity"] and account.secret == body["secret"]:
                if account.two_factor and self.behaviour.has_two_factor:
                    return {"requires_2fa": True, "challenge_token": "c.c.c"}
                token = f"head.{len(self.tokens)}-{id(account):x}.signature"
                self.tokens[token] = account
                return {
                    "token": token,
                    "expires": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() + 86400)),
                }
        raise Status(self.behaviour.bad_login, "Invalid email or password")

    def _account(self, token: str | None) -> Account:
        if token is None:
            raise self._forbidden()
        if token.count(".") != 2:
            raise Status(self.behaviour.malformed_token, "jwt malformed")
        if token not in self.tokens:
            raise Status(self.behaviour.expired_token, "Token has expired")
        return self.tokens[token]

    def _forbidden(self) -> Status:
        status = self.behaviour.no_permission
        return Status(status, "Permission Denied" if status == 403 else "Not Found")

    def _shown(self, host: dict[str, Any]) -> dict[str, Any]:
        if self.behaviour.answers_booleans:
            return host
        return {key: int(value) if key in FLAGS else value for key, value in host.items()}

    def _collection(self, method: str, body: Any, account: Account) -> tuple[int, Any]:
        if method == "GET":
            return 200, [self._shown(host) for host in self.hosts.values()] if account.sees == "all" else []
        self._check_fields(body)
        missing = {"domain_names", "forward_scheme", "forward_host", "forward_port"} - set(body)
        if missing:
            raise Status(400, f"data must have required property '{min(missing)}'")
        self._check_names(body)
        host_id = self._insert(body)
        row = {**self._shown(self.hosts[host_id]), "meta": {}}
        self._configure(host_id)
        self._reload_soon()
        return 201, row

    def _member(self, method: str, host_id: int, more: list[str], body: Any) -> tuple[int, Any]:
        host = self.hosts.get(host_id)
        if host is None:
            if self.behaviour.unknown_host == 200 and method == "GET":
                return 200, {}
            raise Status(404, f"Not Found - {host_id}")
        if more in (["enable"], ["disable"]) and method == "POST":
            host["enabled"] = more == ["enable"]
            if host["enabled"]:
                self._configure(host_id)
            else:
                self.conf(host_id).unlink(missing_ok=True)
            self._reload_soon()
            return 200, True
        if method == "GET":
            return 200, self._shown(host)
        if method == "DELETE":
            del self.hosts[host_id]
            self.conf(host_id).unlink(missing_ok=True)
            self._reload_soon()
            return 200, True
        if method != "PUT":
            raise Status(404, "Not Found")
        self._check_fields(body)
        if not body and self.behaviour.empty_put == 400:
            raise Status(400, "data must NOT have fewer than 1 properties")
        if "locations" in body and body["locations"] is None:
            raise Status(400, "data/locations must be array")
        self._check_names(body, host_id)
        host.update(body)
        self._clean(host)
        self._saving += 1
        try:
            if self._saving > 1:
                self.note("OVERLAP", str(host_id))
            time.sleep(self.save_delay_s)
            self._configure(host_id)
            time.sleep(self.save_delay_s)
        finally:
            self._saving -= 1
        self._reload_soon()
        return 200, self._shown(host)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))


class _Handler(BaseHTTPRequestHandler):
    peer: ClassVar[Peer]
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        return

    def _serve(self) -> None:
        peer, method = self.peer, self.command
        length = int(self.headers.get("Content-Length") or 0)
        content = self.rfile.read(length)
        if time.monotonic() < peer._away_until:
            self.close_connection = True
            return
        peer.note(method, urlsplit(self.path).path)
        scheme, _, token = (self.headers.get("Authorization") or "").partition(" ")
        writing = method == "PUT"
        if writing and peer.faults.cut_before_write > 0:
            peer.faults.cut_before_write -= 1
            self._cut()
            return
        if writing and peer.faults.expiries > 0:
            peer.faults.expiries -= 1
            peer.tokens.clear()
        try:
            body = json.loads(content) if content else None
            status, answer = peer.handle(method, self.path, token if scheme == "Bearer" else None, body)
        except Status as exc:
            status, answer = exc.status, {"error": {"code": exc.status, "message": str(exc)}}
            if exc.stack is not None:
                answer["error"]["code"] = peer.behaviour.code_of_internal_error
                answer["debug"] = {"stack": exc.stack}
        if writing and peer.faults.cut_after_write > 0:
            peer.faults.cut_after_write -= 1
            self._cut()
            return
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if writing and status == 200 and peer.faults.away_after_write > 0:
            peer.faults.away_after_write -= 1
            peer._away_until = time.monotonic() + peer.faults.away_s
        # A client may not have waited.
        with contextlib.suppress(OSError):
            self.wfile.write(data)

    def _cut(self) -> None:
        self.peer._away_until = time.monotonic() + self.peer.faults.away_s
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815
