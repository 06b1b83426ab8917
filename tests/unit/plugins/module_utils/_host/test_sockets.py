"""Sockets: tables of the kernel, holders, and connections on loopback."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host import sockets

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
TAIL = "00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 100 0 0 10 0\n"


@pytest.mark.skipif(sys.byteorder != "little", reason="the tables below are of a little-endian machine")
@pytest.mark.parametrize(
    ("line", "local", "remote", "listening", "established"),
    [
        pytest.param("0: 0100007F:3774 00000000:0000 0A", ("127.0.0.1", 14196), ("*", 0), True, False, id="IPv4"),
        pytest.param("0: 00000000:0050 00000000:0000 0A", ("*", 80), ("*", 0), True, False, id="any-IPv4"),
        pytest.param(
            "0: 0F02000A:0050 0202000A:D431 01", ("10.0.2.15", 80), ("10.0.2.2", 54321), False, True, id="connected"
        ),
        pytest.param(f"0: {'0' * 32}:0050 {'0' * 32}:0000 0A", ("*", 80), ("*", 0), True, False, id="any-IPv6"),
        pytest.param(
            f"0: 00000000000000000000000001000000:0050 {'0' * 32}:0000 0A",
            ("::1", 80),
            ("*", 0),
            True,
            False,
            id="IPv6",
        ),
        pytest.param(
            f"0: 0000000000000000FFFF00000100007F:0050 {'0' * 32}:0000 06",
            ("127.0.0.1", 80),
            ("*", 0),
            False,
            False,
            id="IPv4-mapped-into-IPv6",
        ),
    ],
)
def test_a_line_of_the_kernel_is_read(
    line: str, local: tuple[str, int], remote: tuple[str, int], listening: bool, established: bool
) -> None:
    assert sockets.parse_table(f"{HEAD}   {line} {TAIL}") == [
        sockets.TcpSocket(31337, 1000, *local, *remote, listening, established)
    ]


def test_heads_and_incomplete_lines_are_left_out() -> None:
    assert sockets.parse_table("") == []
    assert sockets.parse_table(HEAD) == []
    assert sockets.parse_table(HEAD + "   0: 0100007F:3774 00000000:0000 0A\n") == []


@pytest.fixture(params=["127.0.0.1", "::1"])
def listening(request: pytest.FixtureRequest):
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    with socket.socket(family) as server:
        try:
            server.bind((request.param, 0))
        except OSError:
            pytest.skip("no IPv6 on this machine")
        server.listen()
        yield server


def test_a_listener_is_found_with_address_user_and_processes(listening: socket.socket) -> None:
    address, port = listening.getsockname()[:2]
    assert sockets.is_available()
    assert sockets.listeners([port]) == [sockets.Listener(address, port, os.getuid(), (os.getpid(),))]
    assert sockets.listeners([]) == []


def test_every_process_that_holds_a_socket_is_named(listening: socket.socket) -> None:
    listening.set_inheritable(True)
    worker = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); import time; time.sleep(60)"],
        close_fds=False,
        stdout=subprocess.PIPE,
    )
    try:
        assert worker.stdout is not None
        worker.stdout.readline()
        (found,) = sockets.listeners([listening.getsockname()[1]])
        assert found.pids == tuple(sorted((os.getpid(), worker.pid)))
    finally:
        worker.kill()
        worker.wait()
        worker.stdout.close()


def test_a_connection_is_no_listener_and_its_inode_is_the_process_s(listening: socket.socket) -> None:
    address, port = listening.getsockname()[:2]
    with sockets.connect(address, port, time.monotonic() + 10) as client:
        own = sockets.socket_inodes(os.getpid())
        assert own is not None
        (found,) = [each for each in sockets.tcp_sockets() if each.established and each.remote_port == port]
        assert (found.inode in own, found.local_port, found.listening) == (True, client.getsockname()[1], False)
        assert sockets.holders({found.inode}) == {found.inode: (os.getpid(),)}
    assert sockets.holders(set()) == {}


def test_the_sockets_of_a_process_that_is_gone_are_unknown() -> None:
    assert sockets.socket_inodes(4194305) is None


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("API.App.LocalHost.", True), ("localhost.example.com", False), ("127.0.0.1", False)],
)
def test_names_below_localhost_are_this_machine(host: str, loopback: bool) -> None:
    assert bool(sockets.loopback_addresses(host)) is loopback


def test_a_name_below_localhost_is_connected_to_by_its_second_address_too(listening: socket.socket) -> None:
    with sockets.connect("app.localhost", listening.getsockname()[1], time.monotonic() + 10) as client:
        assert client.getpeername()[0] == listening.getsockname()[0]
        assert 0 < (client.gettimeout() or 0) <= 10


def test_the_failure_of_the_last_address_is_raised() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionRefusedError):
            sockets.connect("127.0.0.1", unused.getsockname()[1], time.monotonic() + 10)


def test_a_deadline_that_has_passed_is_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        sockets.connect("127.0.0.1", 1, time.monotonic() - 1)


@pytest.mark.parametrize("host", ["", ".", "a..b", "x" * 64 + ".example.com"])
def test_a_text_that_is_no_host_name_does_not_resolve(host: str) -> None:
    with pytest.raises(OSError):  # noqa: PT011 - whichever the resolver of this machine says
        sockets.connect(host or "\0", 80, time.monotonic() + 2)


def test_connecting_ends_at_the_deadline() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        clients = [socket.socket() for _ in range(4)]
        try:
            for client in clients:
                client.setblocking(False)
                client.connect_ex(full.getsockname())
            started = time.monotonic()
            with pytest.raises((TimeoutError, socket.timeout)):
                sockets.connect("127.0.0.1", full.getsockname()[1], started + 0.5)
            assert time.monotonic() - started < 5
        finally:
            for client in clients:
                client.close()


@pytest.fixture
def socket_path(tmp_path: Path) -> Iterator[str]:
    path = str(tmp_path / "a b.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        yield path


def test_a_unix_socket_is_found_with_its_user_and_processes(socket_path: str) -> None:
    found = [sockets.Listener(socket_path, 0, os.getuid(), (os.getpid(),))]
    assert sockets.listeners_at(socket_path) == found
    assert sockets.socket_listeners(f"{socket_path}.other") == []


def test_a_unix_socket_without_its_file_is_not_found(socket_path: str) -> None:
    os.unlink(socket_path)
    assert sockets.listeners_at(socket_path) == []


def test_a_unix_socket_that_was_bound_by_a_relative_path_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("relative.sock")
        server.listen()
        assert [each.pids for each in sockets.listeners_at(str(tmp_path / "relative.sock"))] == [(os.getpid(),)]


def test_only_unix_sockets_that_listen_are_read() -> None:
    table = (
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000: 00000002 00000000 00010000 0001 01 11 /srv/a.sock\n"
        "0000: 00000003 00000000 00000000 0001 03 12 /srv/a.sock\n"
        "0000: 00000003 00000000 00000000 0001 03 13\n"
    )
    assert sockets.parse_unix_table(table) == [("/srv/a.sock", 11)]
    assert sockets.parse_unix_table("") == []


def test_a_connection_to_a_unix_socket(socket_path: str, tmp_path: Path) -> None:
    with sockets.connect(f"unix:{socket_path}", 0, time.monotonic() + 10) as client:
        assert client.getpeername() == socket_path
    for path, kind in ((tmp_path / "none", FileNotFoundError), (tmp_path / ("x" * 120), OSError)):
        with pytest.raises(kind):
            sockets.connect(f"unix:{path}", 0, time.monotonic() + 10)


@pytest.mark.parametrize(("place", "name"), [(14200, "port 14200"), ("/srv/a.sock", "the socket /srv/a.sock")])
def test_a_place_has_a_name_in_messages(place: sockets.Place, name: str) -> None:
    assert sockets.named(place) == name
