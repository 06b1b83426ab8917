"""Which addresses names have, and which this machine has."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.addresses_facts import (
    local_addresses,
    resolve,
)


def test_the_loopback_addresses_of_this_machine_are_left_out() -> None:
    assert not {address for address in local_addresses() if address.startswith("127.") or address == "::1"}


def test_addresses_and_names_below_localhost_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def answer(host: str, *_args: Any, **_more: Any) -> list[Any]:
        asked.append(host)
        if host == "none.example.com":
            raise socket.gaierror(-2, "Name or service not known")
        return [(0, 0, 0, "", (address, 0)) for address in ("fe80::1%eth0", "192.0.2.9", "192.0.2.9")]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    names = ["codeframe.localhost", "127.0.0.1", "::1", "app.example.com", "none.example.com"]
    assert resolve(names) == {"app.example.com": ["192.0.2.9", "fe80::1"], "none.example.com": None}
    assert sorted(asked) == ["app.example.com", "none.example.com"]
