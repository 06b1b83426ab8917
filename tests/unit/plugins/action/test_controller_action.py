# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that work in the process of the task, in runs of Ansible on the controller."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.action import websocket_check
from bad_inputs import GOOD
from free_ports import free_port
from playbook_runs import run_playbook


def result_of(tmp_path: Path, module: str, *arguments: str, **options: Any) -> tuple[dict[str, Any], str]:
    """What a task returns whose archive could not be written, and the output of the run."""
    python = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    task = {module: options, "register": "done", "ignore_errors": True, "vars": python}
    shown = {"ansible.builtin.debug": {"msg": "result={{ done | to_json }}"}}
    book = tmp_path / "play.json"
    book.write_text(
        json.dumps([{"hosts": "localhost", "gather_facts": False, "connection": "local", "tasks": [task, shown]}])
    )
    done = run_playbook(book, *arguments, environment={"ANSIBLE_REMOTE_TEMP": "/proc/nowhere", "ANSIBLE_NOCOWS": "1"})
    found = re.search(r'"msg": "result=(.*)"$', done.output, re.MULTILINE)
    assert found, done.output
    return json.loads(json.loads(f'"{found[1]}"')), done.output


def test_a_source_is_packed_without_a_module(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "a.py").write_text("1\n")
    options = {"src": str(source), "dest_dir": str(tmp_path / "out")}
    predicted, _output = result_of(tmp_path, "codeframe.staging.source_archive", "--check", **options)
    assert (predicted["changed"], predicted["files"], (tmp_path / "out").exists()) == (True, 1, False)
    packed, _output = result_of(tmp_path, "codeframe.staging.source_archive", **options)
    assert Path(packed["path"]).is_file()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(
            {"src": "/nowhere", "dest_dir": "/tmp/x"}, "src is '/nowhere', which is not a directory", id="source"
        ),
        pytest.param({"src": "/nowhere"}, "missing required arguments: dest_dir", id="option"),
    ],
)
def test_a_refusal_says_why(tmp_path: Path, options: dict[str, str], message: str) -> None:
    result, _output = result_of(tmp_path, "codeframe.staging.source_archive", **options)
    assert result["failed"]
    assert message in result["msg"]


def test_inputs_are_validated_without_a_module_and_no_secret_is_shown(tmp_path: Path) -> None:
    inputs = {**GOOD, "staging_backend_port": 0, "staging_proxy_manager_secret": "sesame"}
    result, output = result_of(tmp_path, "codeframe.staging.preflight_info", "-vvv", stage="inputs", inputs=inputs)
    assert result["failed"]
    assert "staging_backend_port is 0" in result["msg"]
    assert "sesame" not in output


def test_websockets_are_checked_without_a_module_and_no_secret_is_shown(tmp_path: Path) -> None:
    url = f"ws://127.0.0.1:{free_port()}/ws"
    endpoint = {"name": "backend", "url": url, "secret_headers": {"Cookie": "sesame"}}
    result, output = result_of(tmp_path, "codeframe.staging.websocket_check", "-vvv", endpoints=[endpoint])
    assert (result["failed"], result["diagnosis"]["cause"]) == (True, "backend_down")
    assert "sesame" not in output
    refused, _output = result_of(tmp_path, "codeframe.staging.websocket_check", endpoints=[{"name": "backend"}])
    assert (refused["failed"], refused["msg"]) == (True, "missing required arguments: url found in endpoints")


def test_what_a_server_answers_is_nothing_but_a_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made in this process or by a module: it sets no variables, and does not act on the terminal."""
    answer = {"msg": "no \x1b[31mWebSocket", "ansible_facts": {"ansible_user": "root"}, "results": []}
    monkeypatch.setattr(websocket_check, "check", lambda _params: answer)
    action = websocket_check.ActionModule.__new__(websocket_check.ActionModule)
    action._task = SimpleNamespace(async_val=0)
    action._templar = SimpleNamespace(template=lambda _text: sys.executable)
    action._connection = SimpleNamespace(transport="local", become=None)
    assert action._module({"endpoints": []}, {}) == {"msg": "no WebSocket", "results": []}
