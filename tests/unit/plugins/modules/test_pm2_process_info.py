# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pm2_process_info without a daemon; tests/integration has a real one."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.modules import pm2_process_info
from module_runner import RunModule


@pytest.mark.parametrize("check", [False, True], ids=["run", "check"])
def test_without_a_daemon_nothing_runs_and_none_is_started(
    run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, check: bool
) -> None:
    monkeypatch.setenv("PM2_HOME", str(tmp_path / "home"))
    result = run_module(pm2_process_info, {}, check=check)
    assert (result["failed"], result["changed"]) == (False, False)
    assert (result["processes"], result["daemon_version"]) == ([], "")
    assert list(tmp_path.iterdir()) == []


def test_what_was_replaced_is_told_by_the_files_in_which_it_was_saved(
    run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PM2_HOME", str(tmp_path / "home"))
    manual = tmp_path / "manual"
    assert run_module(pm2_process_info, {"manual_dir": str(manual)})["replaced"] == []
    manual.mkdir()
    for name in ("app-frontend.json", "app-backend.json", ".app-backend.json", "notes.txt"):
        (manual / name).write_text("damaged")
    assert run_module(pm2_process_info, {"manual_dir": str(manual)})["replaced"] == ["app-backend", "app-frontend"]
    assert run_module(pm2_process_info, {})["replaced"] == []
