"""Ports of upstreams and files that a configuration names."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.references import files_named, upstream_ports


def test_upstream_ports_are_those_named_as_numbers() -> None:
    text = "upstream u { server 10.0.0.1:7; server x; } server { location / { proxy_pass http://127.0.0.1:8/x; } "
    text += "location /a { proxy_pass https://h; } location /b { proxy_pass http://$v:9; } }"
    assert upstream_ports(parse(text, "f")) == {7, 80, 8, 443}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("proxy_pass http://h;", {80}, id="default-of-http"),
        pytest.param("proxy_pass https://h/x;", {443}, id="default-of-https"),
        pytest.param("proxy_pass http://h:81;", {81}, id="port"),
        pytest.param("proxy_pass $target;", set(), id="variable"),
        pytest.param("proxy_pass http://unix:/srv/app.sock;", set(), id="socket"),
        pytest.param("proxy_pass http://unix:/srv/app.sock:/ws;", set(), id="socket-with-a-path"),
        pytest.param("upstream u { server unix:/srv/app.sock; server h:81; }", {81}, id="socket-of-an-upstream"),
        pytest.param("upstream u { server h; }", {80}, id="default-of-an-upstream"),
        pytest.param("upstream u { server; }", {80}, id="an-upstream-without-an-address"),
        pytest.param("http { server { listen 1; } }", set(), id="a-server-is-no-upstream"),
    ],
)
def test_the_port_of_an_upstream_has_the_default_of_its_protocol(text: str, expected: set[int]) -> None:
    assert upstream_ports(parse(text, "f")) == expected


def test_named_files_are_plain_paths_each_once() -> None:
    text = "ssl_certificate a.pem; server { ssl_certificate a.pem; ssl_certificate $x.pem; ssl_certificate data:$y; }"
    assert files_named(parse(text, "f"), "ssl_certificate") == ["a.pem"]
