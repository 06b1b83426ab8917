"""The templates of the role proxy render a plan and nothing else."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import jinja2
import pytest
from ansible_collections.codeframe.staging.plugins.filter.proxy_plan import proxy_plan
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import site_inputs
from jinja2 import meta, nodes

TEMPLATES = Path(__file__).resolve().parents[3] / "roles/proxy/templates"


def parsed(name: str) -> nodes.Template:
    return jinja2.Environment().parse((TEMPLATES / name).read_text())  # noqa: S701 - no HTML


@pytest.mark.parametrize(
    ("name", "variables"),
    [("site.conf.j2", {"__proxy_plan", "__proxy_http2_by_listen"}), ("macros.j2", {"inputs", "site"})],
)
def test_a_site_is_rendered_from_its_plan_alone(name: str, variables: set[str]) -> None:
    assert meta.find_undeclared_variables(parsed(name)) == variables


def test_every_input_in_a_site_is_validated() -> None:
    rendered = {
        node.attr
        for name in ("site.conf.j2", "macros.j2")
        for node in parsed(name).find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "inputs"
    }
    assert {"tls_certificate", "connect_timeout"} < rendered
    assert rendered <= {field.name for field in fields(site_inputs.SiteInputs)} <= set(site_inputs._RULES)


SECURE = {
    "site_name": "app",
    "page_url": "https://app.example.com",
    "ws_url": "wss://api.example.com/ws",
    "backend_upstream": "127.0.0.1:14200",
    "frontend_upstream": "127.0.0.1:14100",
    "static_root": "/srv/static",
    "tls_certificate": "/etc/ssl/app.pem",
    "tls_key": "/etc/ssl/app.pem",
}


def site(by_listen: bool = False, **inputs: object) -> str:
    """A rendered site.

    :param by_listen: HTTP/2 is an option of ``listen``.
    """
    templates = jinja2.Environment(  # noqa: S701 - no HTML
        loader=jinja2.FileSystemLoader(TEMPLATES), trim_blocks=True, keep_trailing_newline=True
    )
    plan = proxy_plan({**SECURE, **inputs})
    return templates.get_template("site.conf.j2").render(__proxy_plan=plan, __proxy_http2_by_listen=by_listen)


@pytest.mark.parametrize(
    ("by_listen", "expected", "other"),
    [
        pytest.param(True, ["listen 443 ssl http2;", "listen [::]:443 ssl http2;"], "http2 on;", id="option"),
        pytest.param(False, ["listen 443 ssl;", "listen [::]:443 ssl;", "http2 on;"], "ssl http2", id="directive"),
    ],
)
def test_http_2_has_the_notation_of_the_version(by_listen: bool, expected: list[str], other: str) -> None:
    text = site(by_listen)
    assert [line for line in expected if text.count(line) != 2] == []
    assert other not in text
    assert "http2" not in site(by_listen, tls_certificate="", tls_key="")


def at_port_80(**inputs: object) -> dict[str, str]:
    """The servers of a rendered site at port 80, by their names."""
    text = site(**inputs)  # type: ignore[arg-type]
    servers = re.findall(r"^server \{\n.*?^\}$", text, re.MULTILINE | re.DOTALL)
    return {
        re.search(r"server_name (\S+);", each)[1]: each  # type: ignore[index]
        for each in servers
        if "listen 80;" in each
    }


def test_port_80_takes_websockets_only_where_it_is_wanted() -> None:
    assert [name for name, server in at_port_80().items() if "proxy_pass" in server] == []
    servers = at_port_80(tls_plain_websocket=True)
    assert [name for name, server in servers.items() if "proxy_pass" in server] == ["api.example.com"]
    api = servers["api.example.com"]
    assert "location = /ws {" in api
    assert "X-Forwarded-Proto http;" in api
    assert "https;" not in api
    # Everything else is redirected as before.
    assert "return 308 https://$host$request_uri;" in api


def test_a_websocket_at_the_root_leaves_the_redirect_in_place() -> None:
    [api] = [
        server
        for name, server in at_port_80(
            tls_plain_websocket=True, ws_url="wss://api.example.com", websocket_paths=["/"]
        ).items()
        if name == "api.example.com"
    ]
    assert "location = / {" in api
    assert api.count("    location / {") == 1
