"""The address that the scripts of a page are fetched from."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.bundle_fetch import address_of


@pytest.mark.parametrize(
    ("connect_to", "expected"),
    [
        pytest.param("192.0.2.1", ("192.0.2.1", 80), id="an address"),
        pytest.param("192.0.2.1:8080", ("192.0.2.1", 8080), id="an address with a port"),
        pytest.param("proxy.example.com:8080", ("proxy.example.com", 8080), id="a name with a port"),
        pytest.param("[2001:db8::80]", ("2001:db8::80", 80), id="IPv6 in brackets"),
        pytest.param("[2001:db8::80]:8080", ("2001:db8::80", 8080), id="IPv6 with a port"),
        pytest.param("2001:db8::80", ("2001:db8::80", 80), id="IPv6 without brackets"),
    ],
)
def test_the_address_to_connect_to(connect_to: str, expected: tuple[str, int]) -> None:
    assert address_of(connect_to, 80) == expected
