"""Geometry of the charts."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.plugin_utils._report.charts import curve, history, holds, waterfalls
from report_samples import CHECK, PUBLIC


def test_phases_follow_one_another_on_one_scale_without_the_hold() -> None:
    slow = {**CHECK, "name": "slow", "phases": {"tcp": 0.1, "upgrade": 0.3, "hold": 65.0}}
    fast = {**CHECK, "name": "fast", "phases": {"tcp": 0.1, "upgrade": 0.1}}
    [(_name, [tcp, upgrade], total), (_fast, bars, _total)] = waterfalls([slow, fast], 400.0)
    assert (tcp.x, tcp.width, upgrade.x, upgrade.width, total) == (0.0, 100.0, 100.0, 300.0, 0.4)
    assert [bar.width for bar in bars] == [100.0, 100.0]


def test_a_short_phase_can_be_seen_and_one_of_no_time_is_not_drawn() -> None:
    [(_name, bars, _total)] = waterfalls([{**CHECK, "phases": {"resolve": 0.0, "tcp": 0.00001, "upgrade": 1.0}}], 100.0)
    assert [bar.width for bar in bars] == [0.0, 1.0, 100.0]


def test_a_check_without_a_connection_has_no_line() -> None:
    assert waterfalls([{**CHECK, "phases": {}}, {**CHECK, "phases": None}], 100.0) == []


def test_a_hold_is_a_line_with_a_mark_for_each_arrival_and_its_longest_silence() -> None:
    [line] = holds([{**CHECK, "held_s": 50.0, "arrivals_s": [10.0, 40.0]}], 100.0)
    assert (line.arrivals, line.silence, line.seconds) == ([20.0, 80.0], (20.0, 60.0), 50.0)
    [silent] = holds([{**CHECK, "held_s": 50.0, "arrivals_s": None}], 100.0)
    assert (silent.arrivals, silent.silence) == ([], (0.0, 100.0))
    assert holds([{**CHECK, "held_s": None}, {**CHECK, "held_s": 0.0}], 100.0) == []


def test_a_curve_begins_at_zero_and_fills_its_field() -> None:
    assert curve([(0, 1.0), (5, 2.0), (10, 4.0)], 100.0, 40.0) == [(0.0, 30.0), (50.0, 20.0), (100.0, 0.0)]
    assert curve([(0, 0.0)], 100.0, 40.0) == [(0.0, 40.0)]
    assert curve([], 100.0, 40.0) == []


def test_the_history_has_a_dot_for_each_report_at_its_slowest_handshake() -> None:
    reports = [
        {"finished_at": "1", "verdict": "passed", "checks": [CHECK, {**PUBLIC, "phases": {"upgrade": 0.02}}]},
        {"finished_at": "2", "verdict": "failed", "checks": []},
    ]
    [first, second] = history(reports, 100.0, 50.0)
    assert (first.x, first.y, first.passed) == (0.0, 0.0, True)
    assert (second.x, second.y, second.passed) == (100.0, 50.0, False)
    assert first.label == "1: passed, slowest handshake 20 ms"
