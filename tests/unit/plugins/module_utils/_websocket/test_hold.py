"""What was sent during a hold and what of it was answered, and when the hold of many connections ends."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.hold import Beats, HoldGate


def test_a_pong_answers_its_ping_and_all_earlier_ones() -> None:
    beats = Beats()
    payloads = [beats.next(float(second)) for second in (1, 2, 3)]
    assert payloads == [b"1", b"2", b"3"]
    beats.ping_answered(b"2", 2.5)
    assert (beats.sent, beats.times_s, list(beats.waiting)) == (3, [0.5], [(b"3", 3.0)])


def test_a_pong_that_nobody_asked_for_answers_nothing() -> None:
    beats = Beats()
    beats.next(1.0)
    beats.ping_answered(b"other", 1.5)
    assert (beats.times_s, len(beats.waiting)) == ([], 1)
    beats.ping_answered(b"1", 1.5)
    beats.ping_answered(b"1", 9.0)
    assert (beats.times_s, len(beats.waiting)) == ([0.5], 0)


def test_messages_are_answered_in_their_order() -> None:
    beats = Beats()
    beats.next(1.0)
    beats.next(2.0)
    beats.message_answered(2.25)
    assert (beats.times_s, [payload for payload, _ in beats.waiting]) == ([1.25], [b"2"])
    beats.message_answered(3.0)
    beats.message_answered(4.0)
    assert (beats.times_s, len(beats.waiting)) == ([1.25, 1.0], 0)
    assert beats.answered == [(1.0, 1.25), (2.0, 1.0)]


def test_the_end_of_many_connections_is_known_once_the_last_was_tried() -> None:
    gate = HoldGate()
    assert gate.end_or_later(100.0) > 100.0
    gate.set_end(130.0)
    assert gate.end_or_later(100.0) == gate.end_or_later(200.0) == 130.0
