"""How the versions of Nginx Proxy Manager differ: the table that the test server stands for.

Each row was seen on the real program of that version.
"""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any

import pytest
from proxy_manager_peer.behaviour import VERSIONS, behaviour
from proxy_manager_peer.nginx import NoNginx
from proxy_manager_peer.rendering import access_text, host_conf, hsts_text, proxy_conf
from proxy_manager_peer.server import Account, Peer

ANN = {"username": "ann"}
USERS: dict[str, Any] = {"id": 3, "items": [ANN], "clients": [], "satisfy_any": False, "pass_auth": True}
LAN = [{"directive": "allow", "address": "192.0.2.0/24"}]
HOST = {
    "forward_scheme": "http",
    "forward_host": "192.0.2.1",
    "forward_port": 80,
    "domain_names": ["api.test"],
    "certificate_id": 1,
    "ssl_forced": True,
    "hsts_enabled": True,
    "hsts_subdomains": False,
    "http2_support": False,
    "trust_forwarded_proto": True,
    "caching_enabled": False,
    "block_exploits": False,
    "allow_websocket_upgrade": False,
    "advanced_config": "",
    "locations": None,
}
LITERAL = 'add_header Strict-Transport-Security "max-age=63072000; preload" always;\n'
VARIABLE = "add_header Strict-Transport-Security $hsts_header always;\n"
#: What a version answers or renders, by point, in the order of VERSIONS.
TABLE: dict[str, tuple[Any, ...]] = {
    "users alone end in deny all": (True, True, True, True, False),
    "an empty list ends in deny all": (True, True, True, True, False),
    "a list of addresses ends in deny": (True, True, True, True, True),
    "HSTS in location /": (LITERAL, VARIABLE, VARIABLE, VARIABLE, VARIABLE),
    "HSTS in a custom location": (True, True, True, True, True),
    "expired token": (401, 401, 401, 400, 400),
    "no token": (403, 403, 403, 404, 404),
    "no permission for access lists": (403, 403, 403, 404, 404),
    "no permission to save": (403, 403, 403, 404, 404),
    "unknown host": (404, 200, 404, 404, 404),
    "PUT trust_forwarded_proto": (400, 400, 400, 400, 200),
    "GET has trust_forwarded_proto": (False, False, False, False, True),
    "X-Forwarded-Proto is passed on": (False, False, False, False, True),
    "a comment alone drops location /": (False, False, False, False, False),
    "a comment with ; drops location /": (True, True, True, True, True),
    "a custom location drops location /": (True, True, True, True, True),
    "certificate off turns TLS off": (True, True, True, True, True),
}
ROWS = [
    pytest.param(version, point, values[number], id=f"{version}-{point}")
    for point, values in TABLE.items()
    for number, version in enumerate(VERSIONS)
]


def request(peer: Peer, method: str, path: str, token: str | None, body: Any = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", peer.port, timeout=60)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request(method, f"/api{path}", json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    content = json.loads(answer.read())
    connection.close()
    return answer.status, content


def rendered(version: str, **fields: Any) -> str:
    return host_conf({**HOST, **fields}, None, behaviour(version), "127.0.0.1", 80, 443, Path("/x"))


def answer(version: str, point: str, root: Path) -> Any:
    """What the test server does of a point."""
    has = behaviour(version)
    texts: dict[str, Any] = {
        "users alone end in deny all": lambda: "deny all;" in access_text(USERS, has),
        "an empty list ends in deny all": lambda: "deny all;" in access_text({**USERS, "items": []}, has),
        "a list of addresses ends in deny": lambda: "deny all;" in access_text({**USERS, "clients": LAN}, has),
        "HSTS in location /": lambda: hsts_text(HOST, has),
        "HSTS in a custom location": lambda: (
            hsts_text(HOST, has)
            in rendered(
                version,
                locations=[{"path": "/x", "forward_scheme": "http", "forward_host": "192.0.2.1", "forward_port": 1}],
            ).partition("location /x {")[2]
        ),
        "X-Forwarded-Proto is passed on": lambda: "X-Forwarded-Proto $x_forwarded_proto;" in proxy_conf(has),
        "a comment alone drops location /": lambda: (
            "location / {\n" not in rendered(version, advanced_config="# location / { was here }\n")
        ),
        "a comment with ; drops location /": lambda: (
            "location / {\n" not in rendered(version, advanced_config="# was here; location / { }\n")
        ),
        "a custom location drops location /": lambda: (
            rendered(
                version,
                locations=[{"path": "/", "forward_scheme": "http", "forward_host": "192.0.2.1", "forward_port": 1}],
            ).count("location / {")
            == 1
        ),
    }
    if point in texts:
        return texts[point]()
    with Peer(version, root, NoNginx(root), save_delay_s=0, reload_delay_s=0) as peer:
        peer.add_host("api.test", 80, certificate_id=1, ssl_forced=True, hsts_enabled=True)
        peer.tokens["good.good.good"] = peer.accounts[0]
        peer.tokens["view.view.view"] = Account("view@example.com", "looking", may="view", lists="hidden")
        host = "/nginx/proxy-hosts/1"
        if point == "GET has trust_forwarded_proto":
            return "trust_forwarded_proto" in request(peer, "GET", host, "good.good.good")[1]
        if point == "certificate off turns TLS off":
            request(peer, "PUT", host, "good.good.good", {"certificate_id": 0})
            saved = peer.hosts[1]
            return not (saved["ssl_forced"] or saved["hsts_enabled"] or saved["http2_support"])
        ask: dict[str, tuple[Any, ...]] = {
            "expired token": ("GET", host, "ex.pir.ed"),
            "no token": ("GET", host, None),
            "no permission for access lists": ("GET", "/nginx/access-lists", "view.view.view"),
            "no permission to save": ("PUT", host, "view.view.view", {"forward_port": 81}),
            "unknown host": ("GET", "/nginx/proxy-hosts/99", "good.good.good"),
            "PUT trust_forwarded_proto": ("PUT", host, "good.good.good", {"trust_forwarded_proto": True}),
        }
        return request(peer, *ask[point])[0]


@pytest.mark.parametrize(("version", "point", "expected"), ROWS)
def test_each_version_answers_as_the_real_one(version: str, point: str, expected: object, tmp_path: Path) -> None:
    assert answer(version, point, tmp_path) == expected
