# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: steps
type: stdout
short_description: Print one line for each step of a play
version_added: 0.1.0
description:
  - Prints one line for each step, with its result and its duration. A step is a role that the playbook imports or
    includes, under the name that the playbook gives it.
  - What changed stands below its step, with the reasons that the modules of this collection return.
  - Steps in which every task was skipped are not shown. Consecutive steps that changed nothing and took less than ten
    seconds share a line. A play of a single such step has no heading. Warnings are shown once.
  - A run on several hosts ends with the verdict of each, also of those that were not begun.
  - The message of a failure is shown once, at the end, unless the playbook has printed it itself.
  - Text that a play prints with M(ansible.builtin.debug) is shown as it is, and so is the summary of
    M(codeframe.staging.deployment_report).
  - With C(-v) and more, the output is that of the P(ansible.builtin.default#callback) callback.
  - A task that is running is named after every O(heartbeat) seconds without output, unless it shows its own progress.
    On a terminal, this is one line that the next output replaces.
  - Colours are used where Ansible uses them, that is on a terminal. Without one, the cursor is never moved.
options:
  heartbeat:
    description:
      - Seconds without output after which the running task is named, and again after as many; 0 for never.
    type: float
    default: 8
    ini:
      - section: callback_steps
        key: heartbeat
    env:
      - name: CODEFRAME_STAGING_HEARTBEAT
  quiet:
    description:
      - Print nothing for a run that succeeds, and only the summaries of the hosts that failed for one that does not.
      - For cron. Without effect with C(-v).
    type: bool
    default: false
    ini:
      - section: callback_steps
        key: quiet
    env:
      - name: CODEFRAME_STAGING_QUIET
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - Set as C(stdout_callback) in the configuration, or by E(ANSIBLE_STDOUT_CALLBACK).
author:
  - The codeframe.staging contributors (@codeframe)
"""

import os
import re
import shutil
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible import constants as C  # noqa: N812 - as Ansible itself calls it
from ansible import context
from ansible.playbook.task_include import TaskInclude
from ansible.plugins.callback.default import CallbackModule as DefaultCallback
from ansible.plugins.loader import action_loader
from ansible_collections.codeframe.staging.plugins.plugin_utils._plain import plain
from ansible_collections.codeframe.staging.plugins.plugin_utils._progress import OWN_PROGRESS_AFTER_S, ProgressAction
from ansible_collections.codeframe.staging.plugins.plugin_utils._steps import (
    CALLBACK,
    FINISHED,
    FinishedStep,
    Line,
    Outcome,
    Step,
    failure_lines,
    folded,
    heading,
    host_lines,
    step_lines,
)
from ansible_collections.codeframe.staging.plugins.plugin_utils._terminal import WIDTH_WITHOUT_TERMINAL

_COLOURS = {
    Outcome.OK: C.COLOR_OK,
    Outcome.SKIPPED: C.COLOR_SKIP,
    Outcome.CHANGED: C.COLOR_CHANGED,
    Outcome.FAILED: C.COLOR_ERROR,
    Outcome.UNREACHABLE: C.COLOR_UNREACHABLE,
}
#: A step that took longer has a line of its own, also if it changed nothing.
_OWN_LINE_FROM_S = 10.0
_CLEAR = "\r\x1b[2K"
_FAIL = frozenset(("fail", "ansible.builtin.fail", "ansible.legacy.fail"))
_REPORT = "codeframe.staging.deployment_report"
# Ansible creates the directory of a user who has none yet, with the mode that it should have.
_NO_NEWS = re.compile(r"Module remote_tmp \S+ did not exist and was created with a mode of 0700")
_DEBUG = frozenset(("debug", "ansible.builtin.debug", "ansible.legacy.debug"))


def step_name(task: Any) -> str:
    """The name of the step that a task belongs to: the nearest import or include in a playbook.

    A task of a playbook itself is a step.
    """
    parent = task
    while parent is not None:
        if isinstance(parent, TaskInclude) and getattr(parent, "_role", None) is None and parent is not task:
            return str(parent.get_name()).strip()
        parent = getattr(parent, "_parent", None)
    return str(task.get_name()).strip()


def reasons_of(result: Mapping[str, Any], name: str) -> list[str]:
    """Why a task changed something: the reasons its module returns, those of its items, or its name."""
    items = result.get("results")
    found = [item for item in items if isinstance(item, Mapping) and item.get("changed")] if items else [result]
    reasons = [str(reason) for item in found for reason in _listed(item.get("reasons"))]
    # The file of a role that a task is in stands before its name: "site | Install the site".
    return reasons or [name.rpartition(" : ")[2].rpartition(" | ")[2]]


def message_of(result: Mapping[str, Any]) -> str:
    """The message of a failed task; of a loop, those of its failed items."""
    items = result.get("results")
    if isinstance(items, Sequence) and not isinstance(items, str):
        failed = [
            str(item["msg"]) for item in items if isinstance(item, Mapping) and item.get("failed") and "msg" in item
        ]
        if failed:
            return "; ".join(dict.fromkeys(failed))
    return str(result.get("msg") or "failed")


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else []


@dataclass(frozen=True)
class _Running:
    """The task that runs.

    :param own_progress: Whether it shows its progress itself, after some seconds.
    """

    name: str
    started_s: float
    own_progress: bool


class Heartbeat(threading.Thread):
    """Calls ``show`` with the name of the running task while nothing else has been printed for some time.

    :param silence_s: Seconds without output, over all tasks: many short ones are silent too.
    """

    def __init__(self, silence_s: float, show: Callable[[str], None]) -> None:
        super().__init__(daemon=True, name="heartbeat")
        self._silence_s, self._show = silence_s, show
        self._running: _Running | None = None
        self._last_s = time.monotonic()
        self._printing = threading.Lock()
        # Ansible forks for each task: the child must not inherit a lock of the output that this thread holds.
        os.register_at_fork(
            before=self._printing.acquire, after_in_parent=self._printing.release, after_in_child=self._printing.release
        )

    def begin(self, name: str, *, own_progress: bool) -> None:
        """Name the task that is running."""
        before, now = self._running, time.monotonic()
        if before is not None and before.own_progress and now - before.started_s >= OWN_PROGRESS_AFTER_S:
            self._last_s = now
        self._running = _Running(name, now, own_progress)

    def end(self) -> None:
        """No task is running any more."""
        self._running = None

    def printed(self) -> None:
        """Something else was printed."""
        self._last_s = time.monotonic()

    def run(self) -> None:
        while True:
            time.sleep(0.5)
            running, now = self._running, time.monotonic()
            if running is None or now - self._last_s < self._silence_s:
                continue
            if running.own_progress and now - running.started_s >= OWN_PROGRESS_AFTER_S - 1:
                continue
            self._last_s = now
            with self._printing:
                self._show(f"    {running.name}, {now - running.started_s:.0f} s")


class CallbackModule(DefaultCallback):  # type: ignore[misc]
    """Print steps; with ``-v``, what the default callback prints."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "codeframe.staging.steps"

    def __init__(self) -> None:
        super().__init__()
        self._verbose = self._display.verbosity > 0
        self._hosts: list[str] = []
        self._all_hosts: list[str] = []
        # The heading of the play that is not printed yet.
        self._heading = ""
        self._step: Step | None = None
        # Steps that are not printed yet, and when they ended.
        self._quiet_steps: list[tuple[Step, float]] = []
        # The step that has printed a text; the rest of it is not worth a line.
        self._told = ""
        self._failures: dict[str, str] = {}
        # The first line of each host's summary.
        self._verdicts: dict[str, str] = {}
        CALLBACK.shows_summaries = not self._verbose
        self._seen_warnings: set[str] = set()
        self._printed: list[str] = []
        self._quiet = False
        self._texts: dict[str, list[str]] = {}
        self._started_s = time.monotonic()
        self._heartbeat: Heartbeat | None = None
        # Whether the terminal ends with the line that names the running task.
        self._running_shown = False

    # --- where a step begins and ends

    def v2_playbook_on_play_start(self, play: Any) -> None:
        if self._verbose:
            super().v2_playbook_on_play_start(play)
            return
        self._end_step()
        if not self._heading:
            self._print_quiet_steps()
        self._play = play
        self._quiet = bool(self.get_option("quiet"))
        if self._heartbeat is None and self.get_option("heartbeat") and not self._quiet:
            self._heartbeat = Heartbeat(float(self.get_option("heartbeat")), self._show_running)
            self._heartbeat.start()
        inventory = play.get_variable_manager()._inventory
        self._hosts = [host.name for host in inventory.get_hosts(play.hosts)]
        # Of a play in batches, all of them.
        everywhere = [host.name for host in inventory.get_hosts(play.hosts, ignore_restrictions=True)]
        self._all_hosts += [name for name in everywhere if name not in self._all_hosts]
        self._heading = heading(play.get_name().strip(), self._hosts, check_mode=self._check_mode)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        if self._verbose:
            super().v2_playbook_on_task_start(task, is_conditional)
            return
        self._last_task_banner = task._uuid
        if self._heartbeat is not None:
            own = action_loader.get(task.action, class_only=True)
            shows_progress = isinstance(own, type) and issubclass(own, ProgressAction) and not task.check_mode
            name = str(task.get_name()).rpartition(" : ")[2].rpartition(" | ")[2]
            self._heartbeat.begin(name, own_progress=shows_progress)
        name = step_name(task)
        if self._step is None or self._step.title != name:
            if self._step is not None:
                self._print_heading()
            self._end_step()
            self._step = Step(name, time.monotonic())

    def v2_playbook_on_handler_task_start(self, task: Any) -> None:
        if self._verbose:
            super().v2_playbook_on_handler_task_start(task)
        else:
            self.v2_playbook_on_task_start(task, False)

    def _end_step(self) -> None:
        step, self._step = self._step, None
        if step is None:
            return
        ended_s = time.monotonic()
        FINISHED.append(FinishedStep(step.title, ended_s - step.started_s, dict(step.outcomes)))
        if step.title == self._told and not step.has_news:
            return
        if step.has_news or ended_s - step.started_s >= _OWN_LINE_FROM_S:
            self._print_quiet_steps()
            self._print_step(step, ended_s)
        elif step.outcome is not Outcome.SKIPPED:
            self._quiet_steps.append((step, ended_s))

    def _print_quiet_steps(self) -> None:
        """Print the steps without news that have ended one after the other, in one line."""
        quiet, self._quiet_steps = self._quiet_steps, []
        if quiet:
            self._print_step(folded([step for step, _ended_s in quiet]), quiet[-1][1])

    def _print_step(self, step: Step, ended_s: float) -> None:
        self._print(step_lines(step, self._hosts, ended_s, check_mode=self._check_mode, width=self._width))

    # --- what a task did

    def v2_runner_on_ok(self, result: Any) -> None:
        if self._verbose:
            super().v2_runner_on_ok(result)
            return
        self._note_warnings(result)
        if isinstance(result.task, TaskInclude):
            return
        if result.task.action == _REPORT and result.result.get("summary"):
            self._print_text(result, result.result["summary"])
            self._verdicts[result.host.get_name()] = str(result.result["summary"][0]).partition(":")[2].strip()
            return
        name, changed = str(result.task.get_name()), bool(result.result.get("changed"))
        if result.task.action in _DEBUG and not changed:
            self._print_text(result, result.result.get("msg"))
        elif changed:
            self._count(result, Outcome.CHANGED, self._change_notes(result, name))
        else:
            self._count(result, Outcome.OK)

    def _change_notes(self, result: Any, name: str) -> list[str]:
        # A task that only predicts what another would do says it in its message.
        if result.task.action in _DEBUG and "msg" in result.result:
            return [str(result.result["msg"])]
        return reasons_of(result.result, name)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        if self._verbose:
            super().v2_runner_on_failed(result, ignore_errors)
            return
        self._note_warnings(result)
        if ignore_errors:
            self._count(result, Outcome.OK)
            return
        self._failures[result.host.get_name()] = message_of(result.result)
        name = str(result.task.get_name()).rpartition(" : ")[2]
        in_role = result.task._role is not None
        # A playbook that fails on purpose has said why; its message comes at the end if it has not.
        if in_role or result.task.action not in _FAIL:
            self._count(result, Outcome.FAILED, [name] if in_role else [])

    def v2_runner_on_unreachable(self, result: Any) -> None:
        if self._verbose:
            super().v2_runner_on_unreachable(result)
            return
        if not result.task.ignore_unreachable:
            self._failures[result.host.get_name()] = message_of(result.result)
        self._count(result, Outcome.UNREACHABLE)

    def v2_runner_on_skipped(self, result: Any) -> None:
        if self._verbose:
            super().v2_runner_on_skipped(result)
        else:
            self._count(result, Outcome.SKIPPED)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        if self._verbose:
            super().v2_runner_item_on_ok(result)
        else:
            self._note_warnings(result)

    def v2_runner_item_on_failed(self, result: Any) -> None:
        if self._verbose:
            super().v2_runner_item_on_failed(result)
        else:
            self._note_warnings(result)

    def v2_runner_item_on_skipped(self, result: Any) -> None:
        if self._verbose:
            super().v2_runner_item_on_skipped(result)

    def v2_playbook_on_include(self, included_file: Any) -> None:
        if self._verbose:
            super().v2_playbook_on_include(included_file)

    def _count(self, result: Any, outcome: Outcome, notes: Sequence[str] = ()) -> None:
        if self._step is None:
            self._step = Step(step_name(result.task), time.monotonic())
        self._step.add(result.host.get_name(), outcome, notes)

    def _note_warnings(self, result: Any) -> None:
        for warning in _listed(result.result.get("warnings")):
            text = str(warning)
            if (
                text not in self._seen_warnings
                and not _NO_NEWS.match(text)
                and self._step is not None
                and C.config.get_config_value("ACTION_WARNINGS")
            ):
                self._seen_warnings.add(text)
                self._step.warnings.append(text)

    # --- what is printed as it is

    def _print_text(self, result: Any, message: object) -> None:
        if message is None:
            return
        title = self._step.title if self._step is not None else ""
        # What the step has done before its text is not worth a line either.
        self._told = title
        self._end_step()
        self._print_quiet_steps()
        lines = [plain(str(line)) for line in _listed(message)] or plain(str(message)).splitlines()
        self._printed += lines
        self._note_output()
        if self._quiet:
            self._texts.setdefault(result.host.get_name(), []).extend(lines)
            return
        self._print_heading()
        host = f"{result.host.get_name()}:" if len(self._all_hosts) > 1 else ""
        for line in ("", *([host] if host else []), *lines):
            self._display.display(line)

    def v2_on_file_diff(self, result: Any) -> None:
        # The banner that the default callback would print was marked as printed when the task began.
        if not self._verbose and result.result.get("changed"):
            self._last_task_banner = result.task._uuid
        super().v2_on_file_diff(result)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        if self._verbose:
            super().v2_playbook_on_no_hosts_remaining()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._verbose:
            super().v2_playbook_on_stats(stats)
            return
        if self._heartbeat is not None:
            self._heartbeat.end()
        self._note_output()
        self._end_step()
        self._print_quiet_steps()
        summaries = {host: stats.summarize(host) for host in sorted(stats.processed)}
        unrecovered = {
            host: self._failures.get(host, "failed")
            for host, counts in summaries.items()
            if counts["failures"] or counts["unreachable"]
        }
        if self._quiet and not unrecovered:
            return
        self._quiet = False
        for host in unrecovered:
            texts = self._texts.get(host, ())
            for line in (*([f"{host}:"] if texts and len(self._all_hosts) > 1 else []), *texts):
                self._display.display(line)
        untold = {host: message for host, message in unrecovered.items() if host not in self._verdicts}
        self._print(failure_lines(untold, "\n".join(self._printed), self._width))
        self._display.display("")
        if self._verdicts and len(self._all_hosts) > 1:
            self._print(host_lines(self._all_hosts, self._verdicts, unrecovered, set(summaries)))
        elapsed = f"{time.monotonic() - self._started_s:.1f} s"
        for host, counts in summaries.items():
            numbers = " ".join(
                f"{label}={counts[key]}"
                for label, key in (
                    ("ok", "ok"),
                    ("changed", "changed"),
                    ("unreachable", "unreachable"),
                    ("failed", "failures"),
                    ("skipped", "skipped"),
                    ("rescued", "rescued"),
                    ("ignored", "ignored"),
                )
            )
            bad, changed = host in unrecovered, bool(counts["changed"])
            outcome = Outcome.FAILED if bad else Outcome.CHANGED if changed else Outcome.OK
            self._print([Line(f"{host} : {numbers}  in {elapsed}", outcome)])

    def _print(self, lines: Sequence[Line]) -> None:
        if self._quiet:
            return
        if lines:
            self._print_heading()
            self._note_output()
        for line in lines:
            self._display.display(line.text, color=_COLOURS.get(line.outcome) if line.outcome is not None else None)

    def _print_heading(self) -> None:
        text, self._heading = self._heading, ""
        if text and not self._quiet:
            self._note_output()
            self._display.display(text)

    def _show_running(self, text: str) -> None:
        self._print_heading()
        if sys.stdout.isatty():
            self._display.display(f"{_CLEAR}{text[: self._width - 1]}", newline=False, screen_only=True)
            self._running_shown = True
        else:
            self._display.display(text)

    def _note_output(self) -> None:
        if self._running_shown:
            self._running_shown = False
            self._display.display(_CLEAR, newline=False, screen_only=True)
        if self._heartbeat is not None:
            self._heartbeat.printed()

    @property
    def _check_mode(self) -> bool:
        return bool(context.CLIARGS.get("check"))

    @property
    def _width(self) -> int:
        return shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH_WITHOUT_TERMINAL
