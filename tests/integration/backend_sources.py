"""The source of a backend with its lock files, as a repository would have it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from backend_shapes import BackendShape

INDEX = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple/")


def write_backend(shape: BackendShape, source: Path, tools: Callable[[str], str]) -> None:
    """Write the files and lock the packages."""
    for name, text in shape.files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text.replace("{index}", INDEX))
    for place, command in shape.locks.items():
        words = [tools(word[1:-1]) if word.startswith("{") else word for word in command]
        env = {**os.environ, **clean_env(), "PIPENV_IGNORE_VIRTUALENVS": "1", "PIPENV_PYTHON": "/usr/bin/python3"}
        done = subprocess.run(
            words, cwd=source / place, env=env, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert done.returncode == 0, done.stdout
