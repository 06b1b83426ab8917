# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""certificate_info on certificates on the disk and on a TLS server."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.modules import certificate_info
from module_runner import RunModule


@contextlib.contextmanager
def serving(certificate: str, key: str, oldest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_2) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if oldest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = oldest
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        while True:
            try:
                plain, _address = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), context.wrap_socket(plain, server_side=True) as wrapped:
                wrapped.recv(1)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


@pytest.fixture
def pairs(tmp_path: Path) -> list[tuple[str, str]]:
    authority = peers.make_authority(tmp_path)
    return [tuple(map(str, authority.issue("app.example.com", last_day=days))) for days in (30, 60)]  # type: ignore[misc]


def look(run_module: RunModule, pair: tuple[str, str], *ports: int) -> dict[str, Any]:
    served = [{"name": "app.example.com", "port": port} for port in ports]
    return run_module(certificate_info, {"path": pair[0], "key": pair[1], "served": served})


def test_a_certificate_is_described(run_module: RunModule, pairs: list[tuple[str, str]]) -> None:
    result = look(run_module, pairs[0])
    assert (result["names"], result["problem"], result["changed"]) == (["app.example.com"], "", False)
    assert result["pem"].startswith("-----BEGIN CERTIFICATE-----")
    assert result["issuer"]
    assert result["days_left"] > 0


def test_what_cannot_be_used_is_said(run_module: RunModule, pairs: list[tuple[str, str]]) -> None:
    assert look(run_module, ("/nowhere.pem", "/nowhere.key"))["problem"] == "there is no file /nowhere.pem"
    mixed = look(run_module, (pairs[0][0], pairs[1][1]))
    assert mixed["problem"] == f"it cannot be used with {pairs[1][1]} (key values mismatch)"


def test_a_server_that_presents_the_certificate_of_the_disk_is_right(
    run_module: RunModule, pairs: list[tuple[str, str]]
) -> None:
    with serving(*pairs[0]) as port:
        result = look(run_module, pairs[0], port)
    assert result["problems"] == result["obsolete"] == []
    assert result["served"] == [
        {"name": "app.example.com", "port": port, "same": True, "versions": ["TLSv1.2", "TLSv1.3"], "problem": ""}
    ]


def test_a_server_that_was_not_reloaded_after_a_renewal_is_noticed(
    run_module: RunModule, pairs: list[tuple[str, str]]
) -> None:
    with serving(*pairs[0]) as port:
        result = look(run_module, pairs[1], port)
    assert result["problems"] == [
        f"app.example.com at port {port} presents another certificate than the one in {pairs[1][0]}"
    ]


def test_obsolete_versions_of_tls_are_named(run_module: RunModule, pairs: list[tuple[str, str]]) -> None:
    with serving(*pairs[0], ssl.TLSVersion.TLSv1) as port:
        result = look(run_module, pairs[0], port)
    assert result["served"][0]["versions"] == ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    assert result["obsolete"] == [
        f"port {port} accepts TLSv1, TLSv1.1 for app.example.com; ssl_protocols of the default server of that port, "
        "which may be in another site, decides it"
    ]


def test_a_port_without_tls_and_one_that_nobody_listens_on_are_problems(
    run_module: RunModule, pairs: list[tuple[str, str]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    result = look(run_module, pairs[0], port)
    assert result["problems"] == [f"no TLS connection to app.example.com at port {port}: connection refused"]
    assert result["served"][0]["versions"] == []
