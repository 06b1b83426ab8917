"""What is made of the options that the modules share."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.options import ProxyOptions
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import ProxyEndpoint

NAME = "api.test"


@pytest.mark.parametrize(
    ("params", "certificate", "expected"),
    [
        pytest.param({}, False, ProxyEndpoint("2001:db8::1", 80, NAME), id="plain"),
        pytest.param({}, True, ProxyEndpoint("2001:db8::1", 443, NAME, tls=True), id="certificate"),
        pytest.param({"proxy_tls": False}, True, ProxyEndpoint("2001:db8::1", 80, NAME), id="tls-ends-before"),
        pytest.param({"proxy_port": 8443}, True, ProxyEndpoint("2001:db8::1", 8443, NAME, tls=True), id="port"),
        pytest.param(
            {"proxy_port": 8080, "proxy_tls_port": 8443},
            True,
            ProxyEndpoint("2001:db8::1", 8443, NAME, tls=True),
            id="port-with-tls",
        ),
        pytest.param(
            {"proxy_port": 8080, "proxy_tls_port": 8443},
            False,
            ProxyEndpoint("2001:db8::1", 8080, NAME),
            id="port-without-tls",
        ),
    ],
)
def test_the_proxy_is_asked_where_the_options_say(
    params: dict[str, Any], certificate: bool, expected: ProxyEndpoint
) -> None:
    given = {"proxy_address": "[2001:db8::1]", "proxy_port": None, "proxy_tls_port": None, "proxy_tls": None} | params
    assert ProxyOptions.of(given).endpoint(NAME, certificate) == expected


@pytest.mark.parametrize(
    ("api_url", "address"),
    [(None, ""), ("http://proxy.example.com:81", "proxy.example.com"), ("http://[::1]:81", "::1")],
)
def test_without_an_address_the_proxy_is_where_the_api_is(api_url: str | None, address: str) -> None:
    given = {"proxy_address": None, "proxy_port": None, "proxy_tls_port": None, "proxy_tls": None, "api_url": api_url}
    assert ProxyOptions.of(given).address == address
