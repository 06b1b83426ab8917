# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Functions that read files which a user of the host can replace do not block on a FIFO."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend import requirements
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv import store
from ansible_collections.codeframe.staging.plugins.module_utils._host.json_text import read_json_object
from ansible_collections.codeframe.staging.plugins.module_utils._pm2 import environment, interpreter
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.contents_facts import env_file_problem
from ansible_collections.codeframe.staging.plugins.module_utils._release import installed
from ansible_collections.codeframe.staging.plugins.module_utils._release.copying import copy_file
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError

_METADATA = "lib/python3.13/site-packages/p-1.dist-info"
_READERS: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    "requirements": ("requirements.txt", lambda path: requirements.requirement_files(str(path), "requirements.txt")),
    "project": ("pyproject.toml", lambda path: requirements.project_files(str(path), "project")),
    "lock file": ("uv.lock", lambda path: requirements.project_files(str(path), "uv")),
    "env file": (".env", lambda path: store.look(str(path / ".env"), tolerant=True, follow=True)),
    "env file of a directory to be taken over": (".env", lambda path: env_file_problem(str(path / ".env"), "root")),
    "env file of pm2": (".env", lambda path: environment.read_env_file(str(path / ".env"), check=False)),
    "script": ("start", lambda path: interpreter.default_interpreter(str(path / "start"))),
    "list of a package": (f"{_METADATA}/RECORD", lambda path: installed.why_damaged(str(path), {})),
    "record of a virtual environment": (installed.COMPLETE, lambda path: installed.read_record(str(path))),
    "file to copy": ("file", lambda path: copy_file(str(path / "file"), str(path / "copy"))),
    "package.json": ("package.json", lambda path: read_json_object(str(path / "package.json"))),
}


@pytest.mark.parametrize("reader", _READERS)
def test_a_fifo_blocks_no_reader(reader: str, tmp_path: Path) -> None:
    name, read = _READERS[reader]
    place = tmp_path / name
    place.parent.mkdir(parents=True, exist_ok=True)
    if name == "uv.lock":
        (tmp_path / "pyproject.toml").write_text("[project]\n")
    os.mkfifo(place)

    def run() -> None:
        with contextlib.suppress(OSError, Pm2Error, ReleaseError, store.StoreError):
            read(tmp_path)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(timeout=10)
    assert not thread.is_alive()
