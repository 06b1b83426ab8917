"""A function called in a process that has the rights of another user alone."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.accounts import Account, find_account
from ansible_collections.codeframe.staging.plugins.module_utils._host.as_user import AsUserError, call_as

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def other() -> Account:
    account = find_account("sync") or find_account("nobody")
    assert account is not None
    return account


def call(function: Callable[[], Any], seconds: float = 20) -> Any:
    return call_as(other(), function, deadline=time.monotonic() + seconds)


def test_without_another_account_the_function_runs_in_this_process() -> None:
    own = Account(os.geteuid(), os.getegid())
    for account in (None, own):
        assert call_as(account, os.getpid, deadline=0) == os.getpid()


@as_root
def test_all_ids_are_those_of_the_user_and_root_is_out_of_reach() -> None:
    def identity() -> Any:
        try:
            os.setuid(0)
        except PermissionError:
            return [*os.getresuid(), *os.getresgid(), *os.getgroups()]
        return "root again"

    uid, gid = other().uid, other().gid
    assert call(identity)[:6] == [uid] * 3 + [gid] * 3
    assert 0 not in call(identity)
    assert os.geteuid() == 0


@as_root
def test_a_program_that_it_starts_is_the_users_and_inherits_no_open_file(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    with open(secret) as held:
        os.set_inheritable(held.fileno(), True)

        def look() -> Any:
            command = ["/bin/sh", "-c", "id -ru; cd /proc/self/fd && for f in *; do readlink $f; done; echo $HOME"]
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()

        found = call(look)
    assert found[0] == str(other().uid)
    assert str(secret) not in found
    assert os.devnull in found


@as_root
def test_what_another_user_must_not_read_is_closed_to_it(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    assert call(lambda: os.access(closed, os.R_OK)) is False


@as_root
@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda: os._exit(3), "without an answer"),
        (lambda: 1 / 0, "ZeroDivisionError"),
        (object, "failed|without an answer"),
        (lambda: time.sleep(60), "in time"),
    ],
)
def test_a_function_that_does_not_answer_is_an_error_and_no_process_is_left(
    function: Callable[[], Any], why: str
) -> None:
    with pytest.raises(AsUserError, match=why):
        call(function, seconds=1.5)
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


@as_root
def test_a_long_answer_arrives_whole() -> None:
    assert call(lambda: "x" * 3_000_000) == "x" * 3_000_000


@as_root
def test_what_is_done_meanwhile_is_done_here_while_the_other_process_runs(tmp_path: Path) -> None:
    here = tmp_path / "here"
    tmp_path.chmod(0o711)
    for parent in tmp_path.parents:
        if parent.stat().st_uid == 0 and parent.name.startswith("pytest-"):
            parent.chmod(0o711)

    def waits() -> int:
        """Ends only when the file exists, which this process makes after the start of the other."""
        while not here.exists():
            time.sleep(0.01)
        return os.getpid()

    found = call_as(other(), waits, deadline=time.monotonic() + 20, meanwhile=here.touch)
    assert found != os.getpid()


def test_in_one_process_it_is_done_before() -> None:
    done: list[str] = []
    call_as(None, lambda: done.append("call"), deadline=0, meanwhile=lambda: done.append("meanwhile"))
    assert done == ["meanwhile", "call"]
