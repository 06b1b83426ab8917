"""The ``listen`` and ``server_name`` directives."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import Directive, parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.listen import (
    Listen,
    listens_of,
    names_of,
    parse_listen,
)


def server(text: str) -> Directive:
    return parse(f"server {{ {text} }}", "f")[0]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param(["80"], Listen("*", 80), id="port"),
        pytest.param(["[::]:80", "default_server"], Listen("[::]", 80, default=True), id="ipv6"),
        pytest.param(["[FE80::1]"], Listen("[fe80::1]", 80), id="ipv6-without-a-port"),
        pytest.param(["127.0.0.1"], Listen("127.0.0.1", 80), id="address"),
        pytest.param(["*:8080", "default"], Listen("*", 8080, default=True), id="old-form-of-the-default"),
        pytest.param(["0.0.0.0:443", "ssl", "http2"], Listen("*", 443, tls=True, http2=True), id="any-address"),
        pytest.param(["443", "quic"], Listen("*", 443, tls=True), id="quic"),
        pytest.param(["[::]:80", "ipv6only=off"], Listen("[::]", 80, both_families=True), id="both-families"),
        pytest.param(["80", "proxy_protocol"], Listen("*", 80, proxy_protocol=True), id="proxy-protocol"),
        pytest.param(["localhost:80"], Listen("localhost", 80), id="host-name"),
        pytest.param([""], Listen("*", 80), id="empty"),
        pytest.param(["unix:/run/x.sock"], None, id="unix"),
        pytest.param(["a:b:c"], None, id="malformed"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_the_arguments_of_listen_are_read(args: list[str], expected: Listen | None) -> None:
    assert parse_listen(args) == (() if expected is None else (expected,))


def test_a_range_of_ports_is_one_socket_each() -> None:
    assert [each.port for each in parse_listen(["127.0.0.1:8080-8082"])] == [8080, 8081, 8082]
    assert parse_listen(["81-82"]) == (Listen("*", 81), Listen("*", 82))


def test_a_server_without_listen_is_on_port_80() -> None:
    assert listens_of(server("")) == (Listen("*", 80),)


def test_a_server_on_a_unix_socket_alone_has_no_port() -> None:
    assert listens_of(server("listen unix:/run/x.sock;")) == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ("",), id="none"),
        pytest.param("server_name A.example.com b; server_name c;", ("a.example.com", "b", "c"), id="several"),
        pytest.param("server_name .example.com;", ("example.com", "*.example.com"), id="leading-dot"),
        pytest.param("server_name ~^API;", ("~^API",), id="a-regex-keeps-its-case"),
    ],
)
def test_the_names_of_a_server_are_read(text: str, expected: tuple[str, ...]) -> None:
    assert names_of(server(text)) == expected
