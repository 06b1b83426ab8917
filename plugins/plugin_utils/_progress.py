# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show what a long task is doing on its host, while it runs."""

from __future__ import annotations

import contextlib
import copy
import secrets
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.codeframe.staging.plugins.module_utils._host.json_text import json_value
from ansible_collections.codeframe.staging.plugins.module_utils._host.progress import OPTION, plain_line
from ansible_collections.codeframe.staging.plugins.plugin_utils._deploy_user import without_facts
from ansible_collections.codeframe.staging.plugins.plugin_utils._terminal import (
    WIDTH_WITHOUT_TERMINAL,
    terminal_columns,
)

#: Variable that switches it off.
VARIABLE = "staging_progress"
_TERMINAL_INTERVAL_S = 1.0
# No stretch of ten seconds is silent; a read of the file and the way to the screen take a part of it.
_PLAIN_INTERVAL_S = 8.0
#: Seconds after which a task that takes long has shown its first line.
OWN_PROGRESS_AFTER_S = _PLAIN_INTERVAL_S
_CLEAR = "\r\x1b[2K"
_MAX_STATE = 4096


def render(title: str, elapsed_s: float, state: str, columns: int) -> str:
    """A line of progress of at most ``columns`` characters.

    :param state: What was read from the host, one line of JSON; anything else counts as nothing, since the host is
        not trusted to send no control characters.
    """
    try:
        told = json_value(state)
        phase, line = plain_line(str(told["phase"])), plain_line(str(told["line"]))
    except (ValueError, TypeError, KeyError):
        phase, line = "", ""
    words = ": ".join(word for word in (phase, line) if word)
    return f"    {title}, {elapsed_s:.0f} s{f' - {words}' if words else ''}"[:columns]


class Watch(threading.Thread):
    """Reads a file with ``read`` and shows it with ``show`` until it is stopped.

    :param read: Returns the file's content, or raises; may take as long as it wants.
    :param columns: Of the terminal, on which one line is written over and over; ``None`` for one line after the other.
    """

    def __init__(self, title: str, read: Callable[[], str], show: Callable[..., None], *, columns: int | None) -> None:
        super().__init__(daemon=True, name="progress")
        self._title, self._read, self._show, self._terminal = title, read, show, columns is not None
        # The last column stays free: some terminals begin a new line there.
        self._columns = WIDTH_WITHOUT_TERMINAL if columns is None else max(1, columns - 1)
        self._interval_s = _PLAIN_INTERVAL_S if columns is None else _TERMINAL_INTERVAL_S
        self._ended = threading.Event()
        self._shown = False

    def run(self) -> None:
        began = time.monotonic()
        while not self._ended.wait(self._interval_s):
            state = ""
            # The task does not depend on what is shown of it.
            with contextlib.suppress(Exception):
                state = self._read()
            if self._ended.is_set():
                return
            line = render(self._title, time.monotonic() - began, state, self._columns)
            if self._terminal:
                self._show(f"{_CLEAR}{line}", newline=False, screen_only=True)
            else:
                self._show(line)
            self._shown = True

    def stop(self) -> None:
        """End it, and remove its line from a terminal; a read that hangs is left behind."""
        self._ended.set()
        self.join(timeout=0.2)
        if self._terminal and self._shown:
            self._show(_CLEAR, newline=False, screen_only=True)


class ProgressAction(ActionBase):  # type: ignore[misc]
    """Run the module of the same name and show its progress."""

    _requires_connection = True
    _supports_async = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the module's result."""
        super().run(tmp, task_vars)
        variables = task_vars or {}
        arguments = dict(self._task.args)
        wanted = str(self._templar.template(variables.get(VARIABLE, True))).lower() not in ("false", "no", "0", "off")
        if not wanted or self._task.check_mode or self._task.async_val:
            return self._module(arguments, task_vars)
        path = f"/tmp/.codeframe-progress-{secrets.token_hex(16)}"  # noqa: S108 - the module creates it with O_EXCL
        with self._watched(path, variables):
            return self._module({**arguments, OPTION: path}, task_vars)

    def _module(self, arguments: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        result: dict[str, Any] = self._execute_module(
            module_name=self._task.resolved_action or self._task.action,
            module_args=arguments,
            task_vars=task_vars,
            wrap_async=bool(self._task.async_val),
        )
        # The option is no one's but ours.
        result.get("invocation", {}).get("module_args", {}).pop(OPTION, None)
        return without_facts(result)

    @contextlib.contextmanager
    def _watched(self, path: str, variables: dict[str, Any]) -> Iterator[None]:
        channel = self._second_channel()
        name = str(self._task.get_name()).rpartition(" : ")[2].rpartition(" | ")[2]
        title = f"{variables.get('inventory_hostname', '')}: {name}"

        def read() -> str:
            command = f"head -c {_MAX_STATE} {shlex.quote(path)} 2>/dev/null"
            return str(channel._low_level_execute_command(command)["stdout"])

        watch = Watch(title, read, Display().display, columns=terminal_columns())
        watch.start()
        try:
            yield
        finally:
            watch.stop()

    def _second_channel(self) -> ProgressAction:
        """This action with a connection and a become plugin of its own.

        Both keep state of the command that runs, such as the mark that tells that sudo has let it in; a command of
        the thread would overwrite that of the task.
        """
        channel = copy.copy(self)
        channel._connection = copy.copy(self._connection)
        if channel._connection.become is not None:
            channel._connection.become = copy.copy(channel._connection.become)
        return channel
