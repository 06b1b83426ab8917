"""Progress of a task on the screen of a run."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.plugin_utils import _progress
from ansible_collections.codeframe.staging.plugins.plugin_utils._progress import Watch, render

ROOT = Path(__file__).resolve().parents[4]
PACKAGE = "ansible_collections.codeframe.staging.plugins"
ACTION = f"from {PACKAGE}.plugin_utils._progress import ProgressAction as ActionModule\n"
MODULE = f"""#!/usr/bin/python
import time
from ansible.module_utils.basic import AnsibleModule
from {PACKAGE}.module_utils._host.progress import OPTION, Progress

module = AnsibleModule({{OPTION: {{"type": "str"}}, "seconds": {{"type": "float"}}}})
with Progress(module.params[OPTION], ["pa55word"]) as progress:
    for part in range(int(module.params["seconds"] * 5)):
        progress.say("build", "\\x1b[32mcompiling\\x1b[0m pa55word %d" % part)
        time.sleep(0.2)
module.exit_json(changed=False)
"""


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ('{"phase": "build", "line": "Compiling"}', "    app: Build, 12 s - build: Compiling"),
        ('{"phase": "build", "line": ""}', "    app: Build, 12 s - build"),
        ("", "    app: Build, 12 s"),
        ("{", "    app: Build, 12 s"),
        ("[1]", "    app: Build, 12 s"),
        ('{"phase": "\\u001b[2J", "line": "a\\u0007b"}', "    app: Build, 12 s - a b"),
    ],
)
def test_a_line_says_how_long_and_what_whatever_the_host_sends(state: str, line: str) -> None:
    assert render("app: Build", 12.3, state, 120) == line


@pytest.mark.parametrize("failure", ["raises", "hangs"])
def test_a_channel_that_fails_costs_the_task_nothing(monkeypatch: pytest.MonkeyPatch, failure: str) -> None:
    monkeypatch.setattr(_progress, "_PLAIN_INTERVAL_S", 0.05)
    shown: list[str] = []
    hanging = threading.Event()

    def read() -> str:
        if failure == "raises":
            raise OSError("connection lost")
        hanging.wait(30)
        return ""

    watch = Watch("app: Build", read, shown.append, columns=None)
    watch.start()
    time.sleep(0.3)
    began = time.monotonic()
    watch.stop()
    assert time.monotonic() - began < 5
    hanging.set()
    assert bool(shown) is (failure == "raises")
    assert all(re.fullmatch(r"    app: Build, \d+ s", line) for line in shown)


@pytest.fixture(name="command")
def fixture_command(tmp_path: Path) -> Callable[..., tuple[list[str], dict[str, str]]]:
    for name, text in (("library/slow.py", MODULE), ("action_plugins/slow.py", ACTION)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(text)
    (tmp_path / "play.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks:\n"
        "    - name: build | Build the frontend\n      slow: {seconds: '{{ seconds }}'}\n"
    )

    def command(*arguments: str) -> tuple[list[str], dict[str, str]]:
        interpreter = f"ansible_python_interpreter={sys.executable}"
        words = [sys.executable, "-m", "ansible", "playbook", "-i", "app,", "-c", "local", "-e", interpreter]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment |= {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_LOCAL_TEMP": str(tmp_path)}
        return [*words, *arguments, str(tmp_path / "play.yml")], environment

    return command


def files_left() -> set[Path]:
    return set(Path("/tmp").glob(".codeframe-progress-*"))


def test_a_pipe_gets_a_plain_line_at_times(command: Callable[..., tuple[list[str], dict[str, str]]]) -> None:
    before = files_left()
    words, environment = command("-e", "seconds=9.5")
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    lines = [line for line in ended.stdout.splitlines() if line.startswith("    app: ")]
    assert len(lines) == 1
    assert re.fullmatch(r"    app: Build the frontend, \d+ s - build: compiling \*\*\* \d+", lines[0])
    assert "\x1b" not in ended.stdout
    assert files_left() - before == set()


def test_it_is_switched_off_by_a_variable(command: Callable[..., tuple[list[str], dict[str, str]]]) -> None:
    words, environment = command("-e", "seconds=9.5", "-e", "staging_progress=false")
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
    assert "app: Build" not in ended.stdout


def test_a_terminal_gets_one_line_that_is_written_over(
    command: Callable[..., tuple[list[str], dict[str, str]]],
) -> None:
    words, environment = command("-e", "seconds=4")
    main, side = pty.openpty()
    with subprocess.Popen(words, env={**environment, "TERM": "xterm"}, stdin=side, stdout=side, stderr=side) as process:
        os.close(side)
        output = b""
        while True:
            try:
                part = os.read(main, 65536)
            except OSError:  # The other side is closed.
                break
            output += part
        assert process.wait() == 0
    os.close(main)
    text = output.decode()
    assert text.count("\r\x1b[2K    app: Build the frontend, ") >= 2
    assert "\r\x1b[2K" in text[text.rindex("Build the frontend, ") :]


def test_a_hold_of_the_verification_shows_its_seconds(tmp_path: Path) -> None:
    """The module itself, as the role runs it: on the controller, and in the background of the host."""
    with peers.peer(peers.healthy) as port:
        check = f"{{endpoints: [{{name: e, url: 'ws://127.0.0.1:{port}/ws'}}], hold: 9.5}}"
        (tmp_path / "play.yml").write_text(
            "- hosts: all\n  gather_facts: false\n  tasks:\n"
            f"    - name: Start the check\n      codeframe.staging.websocket_check: {check}\n"
            "      async: 60\n      poll: 0\n      register: started\n"
            f"    - name: Check\n      codeframe.staging.websocket_check: {check}\n"
            "    - name: Wait\n      ansible.builtin.async_status: {jid: '{{ started.ansible_job_id }}'}\n"
            "      register: ended\n      until: ended is finished\n      retries: 30\n      delay: 1\n"
            "      failed_when: ended.diagnosis.cause != 'none'\n"
        )
        words = [sys.executable, "-m", "ansible", "playbook", "-i", "app,", "-c", "local", str(tmp_path / "play.yml")]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_ASYNC_DIR": str(tmp_path / "jobs"),
        }
        words += ["-e", f"ansible_python_interpreter={sys.executable}"]
        ended = subprocess.run(words, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    shown = [line for line in ended.stdout.splitlines() if line.startswith("    app: ")]
    assert len(shown) == 1
    assert re.fullmatch(r"    app: Check, \d+ s - hold: \d of 9\.5 s, 1 of 1 connections open", shown[0])
