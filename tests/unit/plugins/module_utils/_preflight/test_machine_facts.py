"""What this machine knows of its memory and its programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.machine_facts import (
    available_memory,
    ephemeral_ports,
    output_of,
    room_in_group,
    version_of,
)


def program(path: Path, text: str) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_limit_of_a_control_group_counts_without_cached_files(tmp_path: Path) -> None:
    assert room_in_group(str(tmp_path)) is None
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900\n")
    assert room_in_group(str(tmp_path)) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert room_in_group(str(tmp_path)) == 100
    (tmp_path / "memory.stat").write_text("anon 200\ninactive_file 700\nactive_file 0\n")
    assert room_in_group(str(tmp_path)) == 800


def test_this_machine_has_memory_and_ports() -> None:
    assert (available_memory() or 0) > 1024**2
    low, high = ephemeral_ports()
    assert 1 <= low < high <= 65535


def test_the_version_of_a_program_is_read_from_either_stream(tmp_path: Path) -> None:
    assert version_of(program(tmp_path / "out", "echo v18.20.4")) == (18, 20, 4)
    assert version_of(program(tmp_path / "err", "echo Python 3.13.5 >&2")) == (3, 13, 5)
    assert version_of(program(tmp_path / "failing", "echo v1.2.3; exit 1")) is None
    assert version_of(str(tmp_path / "none")) is None


def test_a_program_speaks_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = program(tmp_path / "tool", 'echo "$1 $LC_ALL $LANGUAGE"; exit 3')
    monkeypatch.setenv("LANGUAGE", "de")
    ended = output_of(path, "-t")
    assert ended is not None
    assert (ended.code, ended.output) == (3, "-t C \n")
    assert output_of(str(tmp_path / "none"), "-t") is None
