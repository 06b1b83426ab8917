# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an environment on disk can be used."""

from __future__ import annotations

import json

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.environment import examine
from ansible_collections.codeframe.staging.plugins.module_utils._backend.interpreter import Interpreter

PYTHON = Interpreter("3.13.5", "cpython", "x86_64")


def test_an_environment_with_another_python_is_damaged(tmp_path):
    (tmp_path / ".complete.json").write_text(json.dumps({"distributions": []}))
    older = Interpreter("3.12.1", "cpython", "x86_64")
    assert examine(str(tmp_path), PYTHON, older).damage == (
        "its interpreter is cpython 3.12.1 x86_64, expected cpython 3.13.5 x86_64",
    )
    assert examine(str(tmp_path), PYTHON, PYTHON).usable
    (tmp_path / ".complete.json").write_text("{")
    assert examine(str(tmp_path), PYTHON, PYTHON).damage == ("the record of its completion is missing",)


@pytest.mark.parametrize("content", [b"\xff,,\n", b'"' + b"a" * 200_000 + b'",,\n'])
def test_a_list_of_installed_files_that_cannot_be_read_is_damage(tmp_path, content):
    (tmp_path / ".complete.json").write_text(json.dumps({"distributions": ["p-1"]}))
    metadata = tmp_path / "lib/python3.13/site-packages/p-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "RECORD").write_bytes(content)
    (damage,) = examine(str(tmp_path), PYTHON, PYTHON).damage
    assert damage.startswith("installed files are missing or were changed: ")
