"""dotenv_info on real files and real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.summary import digest
from ansible_collections.codeframe.staging.plugins.module_utils._host import proc
from ansible_collections.codeframe.staging.plugins.modules import dotenv_info
from module_runner import RunModule

SECRET = "Tr0ub4dor-and-3"


def test_keys_and_digests_and_no_values(run_module: RunModule, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(f"# c\nB=2\nA='{SECRET}'\nEMPTY=\nKEY=changeme\nODD=p$HOME\n")
    path.chmod(0o600)
    result = run_module(dotenv_info, {"path": str(path), "salt": "s"})
    assert SECRET not in json.dumps(result)
    assert (result["exists"], result["all_keys"], result["mode"]) == (True, ["B", "A", "EMPTY", "KEY", "ODD"], "0600")
    assert (result["empty_keys"], result["placeholder_keys"], result["keys_differing"]) == (["EMPTY"], ["KEY"], ["ODD"])
    assert result["digests"]["A"] == digest("s", SECRET)


def test_the_digest_depends_on_values_and_salt_not_on_order_and_spelling(run_module: RunModule, tmp_path: Path) -> None:
    def digest_of(text: str, salt: str = "s") -> Any:
        (tmp_path / ".env").write_text(text)
        return run_module(dotenv_info, {"path": str(tmp_path / ".env"), "salt": salt})["digest"]

    assert digest_of("A=1\nB=2\n") == digest_of("# c\nB='2'\nA=1\n")
    assert digest_of("A=1\n") != digest_of("A=2\n")
    assert digest_of("A=1\n") != digest_of("A=1\n", "t")


def test_a_missing_file_is_not_a_failure(run_module: RunModule, tmp_path: Path) -> None:
    result = run_module(dotenv_info, {"path": str(tmp_path / "no" / ".env")}, check=True)
    assert (result["failed"], result["exists"], result["all_keys"], result["digest"]) == (False, False, [], "")


def test_a_file_that_cannot_be_parsed_is_refused_with_its_line(run_module: RunModule, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nB='open\n")
    result = run_module(dotenv_info, {"path": str(tmp_path / ".env")})
    assert result["msg"] == (
        f"{tmp_path}/.env:2: the quote ' is never closed; close it, or put a value that holds one in quotes of the "
        "other "
        "kind"
    )


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
def test_the_keys_with_outdated_values_of_a_process_are_named(run_module: RunModule, tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(f"SAME=1\nCHANGED='{SECRET}'\nNEW=3\n")
    process = subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={"SAME": "1", "CHANGED": "old"}
    )
    try:
        for _attempt in range(1000):
            if proc.environment(process.pid):
                break
            time.sleep(0.02)
        result = run_module(dotenv_info, {"path": str(path), "pid": process.pid})
    finally:
        process.communicate(b"\n", timeout=30)
    assert result["process"] == {"pid": process.pid, "exists": True, "missing": ["NEW"], "differing": ["CHANGED"]}
    assert SECRET not in json.dumps(result)


def test_a_process_that_has_ended_is_reported(run_module: RunModule, tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    (tmp_path / ".env").write_text("A=1\n")
    result = run_module(dotenv_info, {"path": str(tmp_path / ".env"), "pid": gone.pid})
    assert result["process"] == {"pid": gone.pid, "exists": False, "missing": [], "differing": []}
