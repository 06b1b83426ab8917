"""What runs a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.interpreter import default_interpreter


@pytest.mark.parametrize(
    ("name", "text", "executable", "interpreter"),
    [
        ("server.js", "", False, "node"),
        ("server.mjs", "", True, "node"),
        ("next", "#!/usr/bin/env node\nx", True, "node"),
        ("node-tool", "#!/bin/sh\nnode x", True, "none"),
        ("run", "", True, "none"),
        ("run.py", "", False, "python3"),
        ("run.py", "", True, "none"),
        ("run.sh", "", False, "bash"),
        ("run", "", False, "none"),
    ],
)
def test_what_runs_a_script(tmp_path: Path, name: str, text: str, executable: bool, interpreter: str) -> None:
    script = tmp_path / name
    script.write_text(text)
    script.chmod(0o755 if executable else 0o644)
    assert default_interpreter(str(script)) == interpreter
    assert default_interpreter(str(tmp_path / "missing")) == "none"
