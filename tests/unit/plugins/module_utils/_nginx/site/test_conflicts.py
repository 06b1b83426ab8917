"""Conflicts between a site and other files."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.conflicts import (
    Claim,
    NameConflict,
    Server,
    claims_of_others,
    hidden_addresses,
    name_conflicts,
    other_services,
    servers_of,
)


def servers(*texts: str) -> list[Server]:
    files = {f"/n/{index}": text for index, text in enumerate(texts)}
    tree = load_tree(
        "/n/nginx.conf", {**files, "/n/nginx.conf": "http { include *; }"}.__getitem__, lambda _pattern: list(files)
    )
    return servers_of(tree)


def test_a_name_that_two_files_claim_is_a_conflict_and_the_first_wins() -> None:
    seen = servers("server { server_name a b; }", "server { server_name B; }")
    assert name_conflicts(seen, "/n/0") == [NameConflict("b", 80, "/n/1:1", site_first=True)]
    assert name_conflicts(seen, "/n/1") == [NameConflict("b", 80, "/n/0:1", site_first=False)]


def test_a_name_with_a_leading_dot_is_the_name_and_all_below_it() -> None:
    seen = servers("server { server_name .a.b; }", "server { server_name a.b; }", "server { server_name *.a.b; }")
    assert [(each.name, each.other) for each in name_conflicts(seen, "/n/0")] == [
        ("a.b", "/n/1:1"),
        ("*.a.b", "/n/2:1"),
    ]


def test_a_name_that_is_claimed_on_two_ports_is_one_conflict_on_the_lower_port() -> None:
    text = "server { listen 443; listen 80; server_name a; }"
    assert [each.port for each in name_conflicts(servers(text, text), "/n/0")] == [80]


def test_the_same_name_on_another_port_is_no_conflict() -> None:
    assert not name_conflicts(servers("server { server_name a; }", "server { listen 81; server_name a; }"), "/n/0")


def test_the_same_name_on_another_address_is_no_conflict() -> None:
    seen = servers("server { listen 10.0.0.1:80; server_name a; }", "server { listen 10.0.0.2:80; server_name a; }")
    assert not name_conflicts(seen, "/n/0")


def test_two_servers_of_the_site_are_no_conflict() -> None:
    assert not name_conflicts(servers("server { server_name a; } server { server_name a; }"), "/n/0")


def test_servers_without_names_are_no_conflict() -> None:
    assert not name_conflicts(servers("server {}", "server {}"), "/n/0")


def test_a_server_on_the_exact_address_hides_the_site() -> None:
    seen = servers("server { server_name a; }", "server { listen 10.0.0.1:80; } server { listen 10.0.0.1:81; }")
    assert hidden_addresses(seen, "/n/0") == [("10.0.0.1:80", "/n/1:1")]


def test_an_ipv6_address_hides_only_a_site_that_listens_on_ipv6() -> None:
    other = "server { listen [2001:db8::1]:80; }"
    assert hidden_addresses(servers("server { listen 80; }", other), "/n/0") == []
    assert hidden_addresses(servers("server { listen [::]:80; }", other), "/n/0") == [("[2001:db8::1]:80", "/n/1:1")]


def test_a_site_on_the_same_exact_address_is_not_hidden() -> None:
    seen = servers("server { listen 80; listen 10.0.0.1:80; }", "server { listen 10.0.0.1:80; server_name x; }")
    assert hidden_addresses(seen, "/n/0") == []


WANTED = {("a", 80), ("b", 80)}


def test_a_claim_of_another_file_is_found_on_any_address() -> None:
    seen = servers("server { listen 10.0.0.1:80; server_name b a; }", "server { server_name a; }")
    assert claims_of_others(seen, WANTED, ["/n/1"]) == [Claim("a", 80, "/n/0:1", "/n/0")]
    assert claims_of_others(seen, WANTED, ["/n/0", "/n/1"]) == []


def test_another_port_or_a_pattern_is_no_claim() -> None:
    assert (
        claims_of_others(servers("server { listen 81; server_name a; } server { server_name ~a; }"), WANTED, []) == []
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("server { server_name a b; }", [], id="nothing"),
        pytest.param("server { server_name a _; }", [], id="the placeholder beside a name"),
        pytest.param("server { server_name a c; }", ["c on port 80"], id="another name"),
        pytest.param("server { server_name a; } server { listen 443; server_name a; }", ["a on port 443"], id="a port"),
        pytest.param("server { server_name a; } server {}", ["other names on port 80"], id="no name"),
        pytest.param(
            "server { server_name a; } server { server_name _; }", ["other names on port 80"], id="a placeholder"
        ),
        pytest.param("server { server_name *.a; }", ["*.a on port 80"], id="a pattern"),
    ],
)
def test_what_a_file_answers_for_beyond_the_wanted_names(text: str, expected: list[str]) -> None:
    seen = servers(text, "server { server_name elsewhere; }")
    assert other_services(seen, "/n/0", WANTED) == expected
