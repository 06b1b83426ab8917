"""nginx's choice of the server.

Where an order of precedence is tested, both orders of the file are: otherwise "the last one wins" passes too.
"""

from __future__ import annotations

from itertools import permutations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import Tree, load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import HttpRequest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.server_choice import (
    choose_server,
    servers_at,
)

ASK = HttpRequest("api.example.com", 80, False, "/ws")


def tree_of(*servers: str) -> Tree:
    """Servers on one line each: the first on line 1."""
    text = "http {" + "\n".join(f"server {{ {each} }}" for each in servers) + "}"
    return load_tree("/n/nginx.conf", lambda _path: text, lambda _pattern: [])


def chosen(servers: list[str], host: str) -> tuple[int, str]:
    """Index of the server that answers, and what made it match."""
    found = choose_server(servers_at(tree_of(*servers).servers(), ASK), host)
    return found.server.line - 1, found.matched_by


@pytest.mark.parametrize(
    ("names", "host", "winner", "matched_by"),
    [
        pytest.param(["b", "a", "c"], "b", "b", "name", id="exact"),
        pytest.param(["api.example.com", "*.example.com"], "api.example.com", "api.example.com", "name", id="exact"),
        pytest.param(["a.b", "a.*", "~a"], "a.b", "a.b", "name", id="exact-before-all"),
        pytest.param(["*.example.com", "*.com"], "x.example.com", "*.example.com", "wildcard", id="longest-leading"),
        pytest.param(
            ["*.com", "*.x.example.com", "*.example.com"],
            "y.x.example.com",
            "*.x.example.com",
            "wildcard",
            id="longest-of-three",
        ),
        pytest.param(["api.x.*", "api.*"], "api.x.com", "api.x.*", "wildcard", id="longest-trailing"),
        pytest.param(["api.*", "*.com"], "api.example.com", "*.com", "wildcard", id="leading-before-longer-trailing"),
        pytest.param(["~^api", "api.*"], "api.example.com", "api.*", "wildcard", id="wildcard-before-regex"),
        pytest.param(["~zz", "~^(?<n>a)pi"], "api.example.com", "~^(?<n>a)pi", "regex", id="regex-that-matches"),
        pytest.param([".example.com", "x"], "example.com", ".example.com", "name", id="dot-is-the-name-itself"),
        pytest.param([".example.com", "x"], "y.example.com", ".example.com", "wildcard", id="dot-is-a-wildcard-too"),
        pytest.param(["B.example.com", "a"], "b.EXAMPLE.com.", "B.example.com", "name", id="case-and-trailing-dot"),
        pytest.param(["~API", "b"], "api.example.com", "~API", "regex", id="case-of-a-regex"),
        pytest.param(["~b", "~a"], "a", "~a", "regex", id="the-whole-regex-counts"),
        pytest.param(["x ~^a y", "~b"], "a", "x ~^a y", "regex", id="regex-among-other-names"),
    ],
)
def test_the_name_decides_whatever_the_order_of_the_servers(
    names: list[str], host: str, winner: str, matched_by: str
) -> None:
    for order in permutations(names):
        index, found_by = chosen([f"server_name {name};" for name in order], host)
        assert (order[index], found_by) == (winner, matched_by), order


@pytest.mark.parametrize(
    ("names", "host", "expected"),
    [
        pytest.param(["a", "b"], "c", (0, "default"), id="first-server-is-the-default"),
        pytest.param(["a", "a"], "a", (0, "name"), id="first-of-two-names"),
        pytest.param(["*.a", "*.a"], "x.a", (0, "wildcard"), id="first-of-two-wildcards"),
        pytest.param(["x.*", "x.*"], "x.a", (0, "wildcard"), id="first-of-two-trailing-wildcards"),
        pytest.param(["~^a", "~a$"], "a", (0, "regex"), id="first-of-two-regexes"),
        pytest.param(["~a$", "~^a"], "a", (0, "regex"), id="first-of-two-regexes-swapped"),
        pytest.param(["a.b", ".a.b", "~b$"], "x.a.b", (2, "regex"), id="a-dot-whose-name-is-taken-is-nothing"),
        pytest.param([".a.b", "a.b *.a.b"], "x.a.b", (0, "wildcard"), id="a-dot-takes-both"),
        pytest.param(["*.a.b", ".a.b", "a.*"], "a.b", (2, "wildcard"), id="a-dot-whose-wildcard-is-taken-is-nothing"),
        pytest.param(["*.a"], "a", (0, "default"), id="a-wildcard-is-not-the-name-itself"),
        pytest.param(["a.*"], "ab.c", (0, "default"), id="a-trailing-wildcard-ends-at-a-dot"),
        pytest.param(["*.b.c"], "xb.c", (0, "default"), id="a-leading-wildcard-ends-at-a-dot"),
    ],
)
def test_of_servers_with_equal_claims_the_first_wins(names: list[str], host: str, expected: tuple[int, str]) -> None:
    assert chosen([f"server_name {name};" for name in names], host) == expected


@pytest.mark.parametrize("marked", [0, 1, 2])
def test_the_marked_default_server_answers_unknown_names(marked: int) -> None:
    listens = ["80 default_server" if number == marked else "80" for number in range(3)]
    servers = [f"listen {listen}; server_name {number};" for number, listen in enumerate(listens)]
    assert chosen(servers, "x") == (marked, "default")


def test_the_default_server_answers_no_name_that_another_server_has() -> None:
    assert chosen(["listen 80 default_server;", "server_name a;"], "a") == (1, "name")


@pytest.mark.parametrize(
    ("listens", "address", "expected"),
    [
        pytest.param(["80", "10.0.0.1:80"], "10.0.0.1", [1], id="exact-before-any"),
        pytest.param(["10.0.0.1:80", "80"], "10.0.0.1", [0], id="exact-before-any-swapped"),
        pytest.param(["80", "10.0.0.1:80"], "10.0.0.2", [0], id="another-address"),
        pytest.param(["80", "10.0.0.1:80"], None, [0], id="any-where-no-address-is-given"),
        pytest.param(["10.0.0.1:80", "80"], None, [1], id="any-where-no-address-is-given-swapped"),
        pytest.param(["[::]:80", "80"], None, [1], id="any-address-of-ipv4-first"),
        pytest.param(["10.0.0.1:80", "[::]:80"], None, [1], id="any-address-of-ipv6-before-an-exact-one"),
        pytest.param(["10.0.0.1:80", "10.0.0.2:80"], None, [0], id="the-first-where-there-is-no-other"),
        pytest.param(["80", "[::]:80"], "2001:db8::1", [1], id="ipv6"),
        pytest.param(["80", "[::]:80", "[2001:db8::1]:80"], "2001:db8::1", [2], id="exact-ipv6"),
        pytest.param(["[::]:80"], None, [0], id="ipv6-alone"),
        pytest.param(["80", "81", "80"], None, [0, 2], id="the-port-decides"),
        pytest.param(["81"], None, [], id="nobody-on-the-port"),
        pytest.param(["80"], "2001:db8::1", [], id="nobody-on-ipv6"),
        pytest.param(["[::]:80"], "10.0.0.1", [], id="ipv6-takes-no-ipv4"),
        pytest.param(["[::]:80 ipv6only=off"], "10.0.0.1", [0], id="ipv6-that-takes-ipv4"),
        pytest.param(["[::]:80 ipv6only=off", "10.0.0.1:80"], "10.0.0.1", [1], id="exact-before-ipv6-that-takes-ipv4"),
        pytest.param(["localhost:80", "80"], "127.0.0.1", [0], id="a-host-name-stands-for-its-addresses"),
        pytest.param(["80", "[::]:80", "localhost:80"], "::1", [2], id="a-host-name-stands-for-its-addresses-of-ipv6"),
        pytest.param(["10.0.0.5:80", "localhost:80"], None, [0], id="a-host-name-without-an-address-asked-for"),
    ],
)
def test_servers_on_the_exact_address_exclude_those_on_any_address(
    listens: list[str], address: str | None, expected: list[int]
) -> None:
    tree = tree_of(*(f"listen {each};" for each in listens))
    request = HttpRequest("api.example.com", 80, False, "/ws", address=address)
    assert [each.server.line - 1 for each in servers_at(tree.servers(), request)] == expected
