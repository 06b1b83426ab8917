"""The lock by which tasks write one after the other."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager import write_lock


def test_the_lock_is_waited_for_and_then_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with write_lock.write_lock("http://manager:81/api", 1, str(tmp_path)):
        with (
            pytest.raises(write_lock.LockTimeoutError),
            write_lock.write_lock("http://manager:81/api", 0.1, str(tmp_path)),
        ):
            pass
        with write_lock.write_lock("http://other:81/api", 0.1, str(tmp_path)):
            pass
    slept: list[float] = []
    monkeypatch.setattr(write_lock.time, "sleep", slept.append)
    with write_lock.write_lock("http://manager:81/api", 0.1, str(tmp_path)):
        assert slept == [], "it is free again"


def test_the_lock_is_for_every_user_whatever_the_umask_and_opening_it_never_waits(tmp_path: Path) -> None:
    previous = os.umask(0o077)
    try:
        with write_lock.write_lock("http://manager:81/api", 1, str(tmp_path)):
            (path,) = tmp_path.iterdir()
            assert path.stat().st_mode & 0o777 == 0o644
    finally:
        os.umask(previous)
    os.mkfifo(path)
    # Without O_NONBLOCK, opening it would wait for a writer for ever.
    with write_lock.write_lock("http://manager:81/api", 1, str(tmp_path)):
        pass


def test_many_that_want_the_lock_get_it_one_at_a_time_and_leave_nothing(tmp_path: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        for _ in range(10):
            with write_lock.write_lock("http://manager:81/api", 120, str(tmp_path)):
                inside.append(number)
                most.append(len(inside))
                inside.remove(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(most), max(most)) == (60, 1)
    assert list(tmp_path.iterdir()) == []
