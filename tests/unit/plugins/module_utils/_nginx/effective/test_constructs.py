"""The verdict for each configuration of a table is what a real nginx made of it."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.evaluation import (
    Evaluation,
    evaluate,
)
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.findings import works
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import (
    HttpRequest,
    arguments_of,
    normal_path,
)
from nginx_constructs import CONSTRUCTS, HEADERS, Construct

#: Sockets to which nginx may not connect.
CLOSED = ("/root/closed.sock",)
FILES = {
    "/root/closed.sock": False,
    "/root/open.sock": False,
    "/root": True,
    "/root/files": True,
    "/root/files/there.txt": False,
    "/root/users": False,
}


class Host:
    """The host of the table."""

    def is_directory(self, path: str) -> bool:
        if path not in FILES:
            raise FileNotFoundError(path)
        return FILES[path]

    def may_connect(self, path: str) -> bool | None:
        return path not in CLOSED

    def addresses_of(self, name: str) -> tuple[str, ...] | None:
        return ("127.0.0.1",) if name == "localhost" else None

    def has_address(self, address: str) -> bool:
        return address.startswith("127.")


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda each: each.name)
def test_the_verdict_is_what_nginx_does(construct: Construct) -> None:
    files = {"/n/nginx.conf": f"http {{\n{construct.text(8080, 9000, '/root')}\n}}", "/root/inc/a.conf": HEADERS}
    request = HttpRequest(
        *("api.test", 8080, False, normal_path(construct.path), "127.0.0.1"),
        arguments=arguments_of(construct.path),
        written=construct.path.partition("?")[0],
        client_address="127.0.0.1",
        upstream_path="/ws",
        upstream_tls=False,
        origin="http://api.test",
    )
    tree = load_tree("/n/nginx.conf", files.__getitem__, lambda _pattern: ["/root/inc/a.conf"])
    evaluation = evaluate(tree, request, "1.22.1", Host())
    expected = None if construct.undecided else construct.opens
    assert works(evaluation.findings) is expected, evaluation.findings


def test_the_table_decides_most() -> None:
    assert sum(each.undecided for each in CONSTRUCTS) < len(CONSTRUCTS) / 10
    assert len({each.name for each in CONSTRUCTS}) == len(CONSTRUCTS)


@pytest.mark.parametrize(
    ("target", "servers"),
    [
        pytest.param("unix:/root/open.sock", "", id="open"),
        pytest.param("unix:/root/open.sock:", "", id="open-with-a-colon"),
        pytest.param("sockets", "upstream sockets { server unix:/root/open.sock; }", id="upstream"),
    ],
)
def test_a_socket_that_nginx_may_use_works(target: str, servers: str) -> None:
    assert works(of_socket(target, servers).findings) is True


@pytest.mark.parametrize(
    ("target", "why"),
    [
        pytest.param(
            "unix:/root/closed.sock",
            "the user of nginx may not connect to that socket (by its mode, or a directory's above it)",
            id="closed",
        ),
        pytest.param("unix:/root/none.sock", "that socket does not exist", id="missing"),
    ],
)
def test_a_socket_that_nginx_cannot_use_is_named_with_the_reason(target: str, why: str) -> None:
    evaluation = of_socket(target)
    assert works(evaluation.findings) is False
    assert f"but {why}: clients get status 502" in evaluation.findings[0].message


def of_socket(target: str, servers: str = "") -> Evaluation:
    location = f"location /ws {{ proxy_pass http://{target}; {HEADERS} }}"
    server = f"server {{ listen 8080; server_name api.test; {location} }}"
    headers = 'map $http_upgrade $connection_upgrade { default upgrade; "" close; }'
    text = f"http {{ {headers} {servers} {server} }}"
    tree = load_tree("/n/nginx.conf", lambda _path: text, lambda _pattern: [])
    request = HttpRequest("api.test", 8080, False, "/ws", "127.0.0.1", upstream_path="/ws", upstream_tls=False)
    return evaluate(tree, request, "1.22.1", Host())
