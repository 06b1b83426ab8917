"""Which other program occupies a port, with real sockets."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.ports import port_holder


@pytest.fixture
def port() -> Iterator[int]:
    """A port of 127.0.0.1 on which this process listens."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("address", ["127.0.0.1", "*", "[::]"])
def test_the_program_and_its_process_id_are_reported(port: int, address: str) -> None:
    holder = port_holder(address, port, [])
    assert holder is not None
    assert holder.endswith(f" (process {os.getpid()})")
    assert "python" in holder


def test_another_address_is_free(port: int) -> None:
    assert port_holder("127.0.0.2", port, []) is None


def test_a_port_of_nginx_itself_is_free(port: int) -> None:
    assert port_holder("127.0.0.1", port, [1, os.getpid()]) is None


def test_a_port_without_a_listener_is_free() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert port_holder("127.0.0.1", bound.getsockname()[1], []) is None


def test_a_listener_on_any_address_occupies_each_address() -> None:
    with socket.socket() as listening:
        listening.bind(("0.0.0.0", 0))
        listening.listen()
        assert port_holder("127.0.0.1", listening.getsockname()[1], []) is not None
