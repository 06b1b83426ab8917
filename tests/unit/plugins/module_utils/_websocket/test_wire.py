# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The bytes of a connection as they arrive."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.wire import Wire


@contextlib.contextmanager
def serving(tmp_path: Path, records: list[bytes]) -> Iterator[int]:
    """A TLS server that sends each text as a record of its own, and all of them at once."""
    context = peers.make_authority(tmp_path).server_context("app.example.com")
    listener = socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        plain, _address = listener.accept()
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(incoming, outgoing, server_side=True)
        with plain:
            plain.settimeout(30)
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    plain.sendall(outgoing.read())
                    incoming.write(plain.recv(65536))
            plain.sendall(outgoing.read())
            for record in records:
                tls.write(record)
            plain.sendall(outgoing.read())
            plain.recv(1)

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()
        thread.join(30)


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([b"first"], id="one"),
        pytest.param([b"first", b"second", b"third"], id="several"),
        pytest.param([b"a" * 16000, b"b" * 16000, b"c" * 100], id="more-than-the-buffer"),
    ],
)
def test_records_of_tls_that_arrive_together_are_read_in_full(tmp_path: Path, records: list[bytes]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    wanted = b"".join(records)

    async def read(port: int) -> bytes:
        loop = asyncio.get_running_loop()
        _transport, wire = await loop.create_connection(Wire, "127.0.0.1", port, ssl=context)
        # So that all of them are there when they are read.
        time.sleep(0.2)
        found = b""
        while len(found) < len(wanted):
            found += await wire.read(loop.time() + 10) or b""
        wire.abort()
        return found

    with serving(tmp_path, records) as port:
        assert asyncio.run(read(port)) == wanted
