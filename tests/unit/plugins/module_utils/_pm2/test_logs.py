"""The logs of a process."""

from __future__ import annotations

import os
from pathlib import Path

from ansible_collections.codeframe.staging.plugins.module_utils._pm2.logs import log_since, log_sizes, log_tail
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process


def process(out: Path, err: Path) -> Pm2Process:
    return Pm2Process("web", 0, 1, "online", "/x.js", "/", out_log=str(out), err_log=str(err))


def test_only_what_was_written_since_is_read(tmp_path: Path) -> None:
    out, err = tmp_path / "out", tmp_path / "err"
    out.write_text("before\n")
    sizes = log_sizes([process(out, err)])
    assert sizes == {str(out): 7, str(err): 0}
    with out.open("a") as file:
        file.write("after planted\n")
    err.write_text("error\n")
    assert log_tail([process(out, err), process(err, err)], sizes, ["planted"]) == ["after ********", "error"]
    assert log_tail([], sizes, []) == []


def test_one_log_for_both_streams_is_read_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("line\n")
    assert log_tail([process(log, log)], {}, []) == ["line"]


def test_a_log_that_was_emptied_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("new\n")
    assert log_since(str(log), 1000) == "new\n"


def test_the_end_of_a_long_log_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("x" * 100_000 + "end")
    assert log_since(str(log), 0) == "x" * (65536 - 3) + "end"


def test_what_is_no_file_has_no_lines(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    assert log_since(str(tmp_path / "fifo"), 0) == ""
    assert log_since(str(tmp_path / "none"), 0) == log_since("", 0) == log_since(str(tmp_path), 0) == ""
    assert log_sizes([process(tmp_path / "fifo", tmp_path)]) == {str(tmp_path / "fifo"): 0, str(tmp_path): 0}
