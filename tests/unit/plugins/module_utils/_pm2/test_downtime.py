# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading
import time

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.downtime import DowntimeWatch
from free_ports import free_port


def listen(port: int = 0) -> socket.socket:
    return socket.create_server(("127.0.0.1", port), reuse_port=False, backlog=1000)


class Attempts(list):
    """When each attempt of a watch to connect began and ended, and whether it succeeded."""

    def wait_for(self, number: int, *, open_: bool) -> None:
        """Wait for so many more attempts with this outcome, as long as a busy machine needs for them."""
        before, deadline = len(self), time.monotonic() + 30
        while sum(done is open_ for _begun, _ended, done in self[before:]) < number:
            assert time.monotonic() < deadline
            time.sleep(0.01)


@pytest.fixture
def attempts(monkeypatch):
    made, connects = Attempts(), DowntimeWatch._connects

    def noting(watch):
        begun = time.monotonic()
        done = connects(watch)
        made.append((begun, time.monotonic(), done))
        return done

    monkeypatch.setattr(DowntimeWatch, "_connects", noting)
    return made


def test_a_port_that_stays_open_has_no_downtime():
    with listen() as server, DowntimeWatch(server.getsockname()[1]) as watch:
        time.sleep(0.2)
    assert watch.downtime_s == 0


def test_the_time_in_which_a_port_is_closed_is_measured(attempts):
    port = free_port()
    server = listen(port)
    with DowntimeWatch(port) as watch:
        attempts.wait_for(2, open_=True)
        server.close()
        time.sleep(0.5)
        attempts.wait_for(2, open_=False)
        server = listen(port)
        attempts.wait_for(2, open_=True)
    server.close()
    refused = [number for number, (_begun, _ended, done) in enumerate(attempts) if not done]
    assert watch.downtime_s is not None
    # From the first refusal to the last, and no longer than from the success before to the one after.
    assert attempts[refused[-1]][1] - attempts[refused[0]][0] - 0.01 <= watch.downtime_s
    assert watch.downtime_s <= attempts[refused[-1] + 1][0] - attempts[refused[0] - 1][1] + 0.01


def test_a_port_that_was_closed_before_has_no_downtime():
    server = listen()
    port = server.getsockname()[1]
    server.close()
    with DowntimeWatch(port) as watch:
        time.sleep(0.1)
    assert watch.downtime_s is None


def test_a_port_that_does_not_open_again_was_closed_until_the_end(attempts):
    server = listen()
    with DowntimeWatch(server.getsockname()[1]) as watch:
        server.close()
        time.sleep(0.4)
        attempts.wait_for(2, open_=False)
    refused = [begun for begun, _ended, done in attempts if not done]
    assert watch.downtime_s is not None
    assert watch.downtime_s >= refused[-1] - refused[0] - 0.01


def test_it_waits_until_a_port_is_open(attempts):
    port = free_port()
    opened = []
    watch = DowntimeWatch(port)
    timer = threading.Timer(0.3, lambda: opened.append(listen(port)))
    timer.start()
    watch.await_open(30, lambda: True)
    timer.join()
    assert attempts[-1][2]
    opened[0].close()


@pytest.mark.parametrize(
    ("within_s", "goes_on"), [pytest.param(0.2, True, id="time"), pytest.param(30, False, id="end")]
)
def test_it_does_not_wait_for_a_port_that_stays_closed(within_s, goes_on):
    began = time.monotonic()
    DowntimeWatch(free_port()).await_open(within_s, lambda: goes_on)
    assert time.monotonic() - began < 20


def test_the_time_in_which_a_socket_is_closed_is_measured(attempts, tmp_path):
    path = str(tmp_path / "backend.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1000)
        with DowntimeWatch(path) as watch:
            attempts.wait_for(2, open_=True)
            server.close()
            attempts.wait_for(2, open_=False)
    assert watch.downtime_s is not None
    assert watch.downtime_s > 0
