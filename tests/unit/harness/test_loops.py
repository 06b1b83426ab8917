"""Loops of requests tell for how long they failed."""

from __future__ import annotations

import threading
import time

from loops import Loop


def test_a_loop_counts_failures_and_the_time_until_the_next_success() -> None:
    failing, recovered = threading.Event(), threading.Event()

    def probe() -> None:
        if failing.is_set():
            raise ValueError("answers 502")
        recovered.set()

    loop = Loop(probe, pause_s=0.01)
    with loop.running():
        assert recovered.wait(20)
        failing.set()
        time.sleep(0.3)
        recovered.clear()
        failing.clear()
        assert recovered.wait(20)
        # The loop notes the success after the request has returned.
        time.sleep(0.1)
    assert loop.longest_s >= 0.2
    assert {message for _time, message in loop.failures} == {"ValueError: answers 502"}
    assert 0 < len(loop.failures) < loop.done


def test_a_loop_that_fails_until_its_end_was_down_until_then() -> None:
    def probe() -> None:
        raise OSError("refused")

    loop = Loop(probe, pause_s=0.01)
    with loop.running():
        time.sleep(0.2)
    assert loop.longest_s >= 0.1
    assert len(loop.failures) == loop.done


def test_a_loop_without_failures_had_no_downtime() -> None:
    seen = threading.Event()
    loop = Loop(seen.set, pause_s=0.01)
    with loop.running():
        assert seen.wait(20)
    assert (loop.failures, loop.longest_s) == ([], 0.0)


def test_an_outage_of_a_held_request_ends_when_it_goes_on() -> None:
    attempts: list[int] = []

    def probe() -> None:
        attempts.append(1)
        if len(attempts) < 3:
            raise OSError("refused")
        loop.works()
        loop._stop.wait(20)

    loop = Loop(probe, pause_s=0.01, held=True)
    with loop.running():
        while len(attempts) < 3:
            time.sleep(0.01)
        time.sleep(0.5)
    assert loop.longest_s < 0.4
    assert str(loop).startswith("2 of 3 failed")
