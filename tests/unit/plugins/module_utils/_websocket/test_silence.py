"""How long no byte has passed."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.silence import Silence


def test_bytes_in_either_direction_end_a_silence() -> None:
    silence = Silence(10.0)
    for moment in (12.0, 11.5, 15.0, 16.0):
        silence.touch(moment)
    assert (silence.longest_s, silence.current_s(18.5)) == (3.0, 2.5)


def test_a_silence_that_has_not_begun_is_none() -> None:
    silence = Silence(10.0)
    assert (silence.longest_s, silence.current_s(10.0), silence.current_s(9.0)) == (0.0, 0.0, 0.0)
