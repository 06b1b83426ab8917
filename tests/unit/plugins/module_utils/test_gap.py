# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import time

from ansible_collections.codeframe.staging.plugins.module_utils._gap import GapWatch


def listen(port: int = 0) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), reuse_port=False, backlog=1000)


def test_a_port_that_stays_open_has_no_gap():
    with listen() as server, GapWatch(server.getsockname()[1]) as watch:
        time.sleep(0.2)
    assert watch.gap_s == 0


def test_the_time_in_which_a_port_is_closed_is_measured():
    server = listen()
    port = server.getsockname()[1]
    with GapWatch(port) as watch:
        time.sleep(0.1)
        closed = time.monotonic()
        server.close()
        time.sleep(0.5)
        server = listen(port)
        reopened = time.monotonic()
        time.sleep(0.2)
    server.close()
    assert watch.gap_s is not None
    assert 0.4 <= watch.gap_s <= reopened - closed + 0.1


def test_a_port_that_was_closed_before_has_no_gap_to_measure():
    server = listen()
    port = server.getsockname()[1]
    server.close()
    with GapWatch(port) as watch:
        time.sleep(0.1)
    assert watch.gap_s is None


def test_a_port_that_does_not_open_again_was_closed_until_the_end():
    server = listen()
    with GapWatch(server.getsockname()[1]) as watch:
        server.close()
        time.sleep(0.4)
    assert watch.gap_s is not None
    assert watch.gap_s >= 0.3
