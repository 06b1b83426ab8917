"""The observation that stands for many connections."""

from __future__ import annotations

import resource

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.load import allow_files, summarise
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import Fault, Load
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.round_trips import round_trips
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.settings import SettingsError
from websocket_observations import answer, seen

REFUSED = {"fault": Fault.HTTP_ANSWER, "answer": answer(503)}


def test_the_most_common_failure_stands_for_all() -> None:
    opened = {"opened": True, "phases": {"upgrade": 0.1}}
    rare = seen(fault=Fault.CUT, **opened)
    common = [seen(**REFUSED), seen(**REFUSED)]
    chosen = summarise([seen(**opened), rare, *common], 1.5)
    assert chosen is common[0]
    assert chosen.load == Load(
        asked=4,
        accepted=2,
        held=1,
        failures={"unavailable_or_limited": 2, "cut_without_close": 1},
        refused_by_status={"503": 2},
        handshakes=round_trips([0.1, 0.1]),
        opened_s=1.5,
    )


def test_without_a_failure_the_first_stands_for_all() -> None:
    observations = [seen(opened=True), seen(opened=True)]
    chosen = summarise(observations, 0.5)
    assert chosen is observations[0]
    assert chosen.load == Load(2, 2, 2, {}, {}, round_trips([]), 0.5)


@pytest.mark.parametrize(
    ("limits", "connections", "raised"),
    [
        pytest.param((256, 4096), 192, None, id="enough"),
        pytest.param((256, 4096), 193, (257, 4096), id="raised"),
        pytest.param((256, 4096), 4032, (4096, 4096), id="to-the-hard-limit"),
        pytest.param((256, resource.RLIM_INFINITY), 5000, (5064, resource.RLIM_INFINITY), id="no-hard-limit"),
        pytest.param((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 5000, None, id="no-limit"),
    ],
)
def test_the_soft_limit_of_open_files_is_raised_as_far_as_needed(
    limits: tuple[int, int], connections: int, raised: tuple[int, int] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _, new: calls.append(new))
    allow_files(connections)
    assert calls == ([] if raised is None else [raised])


def test_more_connections_than_open_files_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    with pytest.raises(
        SettingsError, match=r"^connections is 4033, which needs 4097 open files, and this process may have 4096; "
    ):
        allow_files(4033)
