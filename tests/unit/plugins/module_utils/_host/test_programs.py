"""Programs of the host."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.programs import (
    STANDARD_PATH,
    find_program,
    search_path,
)


def test_a_program_is_found_by_name_or_path(tmp_path: Path) -> None:
    program = tmp_path / "tool"
    program.write_text("#!/bin/sh\n")
    search = ["/nonexistent", str(tmp_path)]
    assert find_program("tool", search) is None
    assert find_program(str(program), search) is None
    program.chmod(0o755)
    assert find_program("tool", search) == find_program(str(program), []) == str(program)
    (tmp_path / "directory").mkdir()
    assert find_program(str(tmp_path / "directory"), []) is None
    assert find_program("directory", search) is None


def test_the_directories_of_the_caller_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/opt/bin::/usr/bin")
    assert search_path() == ["/opt/bin", "/usr/bin", *[p for p in STANDARD_PATH.split(":") if p != "/usr/bin"]]
    assert find_program("sh") == "/usr/bin/sh"
