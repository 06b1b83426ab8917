"""Commands with a deadline."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.accounts import Account
from ansible_collections.codeframe.staging.plugins.module_utils._host.command import Ended, c_locale, run, running

ENVIRONMENT = {"PATH": "/usr/bin:/bin"}


def sh(script: str, cwd: Path, seconds: float = 10, **options: object) -> Ended:
    given: dict[str, object] = {"env": ENVIRONMENT, **options}
    return run(["/bin/sh", "-c", script], cwd=str(cwd), deadline=time.monotonic() + seconds, **given)  # type: ignore[arg-type]


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waited for yet counts as ended."""
    for _attempt in range(400):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.05)
    return False


def test_both_streams_are_returned_in_the_order_of_their_lines(tmp_path):
    assert sh("echo one; echo two >&2; echo three; exit 3", tmp_path) == Ended(3, "one\ntwo\nthree\n")


def test_the_streams_can_be_returned_separately(tmp_path):
    assert sh("echo one; echo two >&2; echo three", tmp_path, separate=True) == Ended(0, "one\nthree\n", "two\n")


def test_a_command_has_the_given_directory_and_environment_and_no_input(tmp_path):
    assert sh('pwd; echo "${HOME-unset}"; cat', tmp_path) == Ended(0, f"{tmp_path}\nunset\n")


def test_a_command_reads_the_given_input_to_its_end(tmp_path):
    assert sh("cat", tmp_path, stdin=b"a\nb").output == "a\nb"


def test_the_environment_is_this_process_s_in_the_c_locale_by_default(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")
    monkeypatch.setenv("OWN", "kept")
    assert sh('echo "$LC_ALL,${LANGUAGE-unset},$OWN"', tmp_path, env=None).output == "C,unset,kept\n"
    assert c_locale({"LC_ALL": "x", "A": "1"}) == {"LC_ALL": "C", "A": "1"}


def test_the_mask_for_new_files_is_the_command_s_alone(tmp_path):
    before = os.umask(0o022)
    try:
        sh("echo >made", tmp_path, umask=0o077)
        (tmp_path / "own").touch()
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("made", "own")] == [0o600, 0o644]


def test_other_bytes_than_utf_8_are_decoded_as_asked_for(tmp_path):
    assert sh(r"printf '\377'", tmp_path).output == "\N{REPLACEMENT CHARACTER}"
    assert os.fsencode(sh(r"printf '\377'", tmp_path, errors="surrogateescape").output) == b"\xff"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_command_runs_as_another_user(tmp_path):
    found = sh("id -u; id -g; id -G", tmp_path, account=Account(65534, 65534, (65534, 12)))
    assert found.output.split() == ["65534", "65534", "65534", "12"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
def test_a_command_of_another_user_dies_with_the_process_that_runs_it_too():
    # pytest's own directories are closed to other users.
    with tempfile.TemporaryDirectory() as directory:
        assert_dies_with_its_parent(Path(directory), account=Account(65534, 65534))


def test_a_command_that_passes_its_deadline_is_killed_with_all_it_started(tmp_path):
    started = time.monotonic()
    ended = sh("sleep 60 & echo $!; wait", tmp_path, seconds=2)
    assert (ended.code, ended.timed_out, time.monotonic() - started < 30) == (None, True, True)
    assert gone(int(ended.output))


def test_a_deadline_that_has_passed_already_kills_at_once(tmp_path):
    assert sh("sleep 60", tmp_path, seconds=-1).timed_out


def test_a_command_that_was_killed_by_a_signal_has_not_timed_out(tmp_path):
    ended = sh("kill -TERM $$", tmp_path)
    assert (ended.code, ended.timed_out, ended.succeeded) == (-15, False, False)


def test_processes_that_a_command_leaves_running_are_killed_and_not_waited_for(tmp_path):
    started = time.monotonic()
    ended = sh("sleep 60 & echo $!", tmp_path, seconds=30)
    assert (ended.code, time.monotonic() - started < 30) == (0, True)
    assert gone(int(ended.output))


def test_a_daemon_in_a_session_of_its_own_goes_on(tmp_path):
    ended = sh("setsid sh -c 'echo $$; exec sleep 60'& sleep 0.5", tmp_path)
    daemon = int(ended.output)
    assert Path(f"/proc/{daemon}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    os.kill(daemon, 9)


def test_a_program_runs_while_its_block_runs_and_is_killed_with_its_children(tmp_path):
    with running(
        ["/bin/sh", "-c", "sleep 60 & echo $! >child; echo up >&2; wait"], cwd=str(tmp_path), env=ENVIRONMENT
    ) as it:
        deadline = time.monotonic() + 30
        while "up" not in it.end_of_output and time.monotonic() < deadline:
            time.sleep(0.02)
        assert (it.code, it.end_of_output) == (None, "up\n")
        child = int((tmp_path / "child").read_text())
    assert (it.code, gone(child)) == (-9, True)


def test_the_end_of_a_program_is_noticed_within_its_block(tmp_path):
    with running(["/bin/sh", "-c", "exit 7"], cwd=str(tmp_path)) as it:
        deadline = time.monotonic() + 30
        while it.code is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert it.code == 7


def test_a_program_that_does_not_exist_is_an_error_of_its_own(tmp_path):
    with pytest.raises(FileNotFoundError), running([str(tmp_path / "none")]):
        pass
    with pytest.raises(FileNotFoundError):
        run([str(tmp_path / "none")], cwd=str(tmp_path), env=ENVIRONMENT, deadline=time.monotonic() + 1)


def test_a_command_dies_with_the_process_that_runs_it(tmp_path):
    assert_dies_with_its_parent(tmp_path)


def assert_dies_with_its_parent(directory: Path, **options: object) -> None:
    directory.chmod(0o777)
    (directory / "pid").touch()
    (directory / "pid").chmod(0o666)
    child = os.fork()
    if child == 0:
        sh(f"cd / && echo $$ >{directory}/pid; exec sleep 60", Path("/"), seconds=60, **options)
        os._exit(0)
    pid = ""
    deadline = time.monotonic() + 30
    while not pid and time.monotonic() < deadline:
        time.sleep(0.05)
        pid = (directory / "pid").read_text().strip()
    os.kill(child, 9)
    os.waitpid(child, 0)
    assert gone(int(pid))


def test_what_a_command_has_printed_is_shown_while_it_runs() -> None:
    seen: list[str] = []
    script = "for n in 1 2 3; do echo line $n; sleep 0.8; done"
    ended = run(["/bin/sh", "-c", script], deadline=time.monotonic() + 30, watch=seen.append)
    assert ended.output == "line 1\nline 2\nline 3\n"
    assert seen
    assert seen[0].endswith(("line 1\n", "line 2\n", "line 3\n"))
