# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module is doing, in a file that the controller reads while the task runs.

The file holds one line of JSON, the latest state. It exists while the module runs, belongs to the user of the task, and
is readable by that user alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Callable

#: A module option of this name holds the path; the action plugin sets it.
OPTION = "progress_file"
#: Tells the phase and, if there is one, its latest detail.
Say = Callable[[str, str], None]
#: Characters of a line that are kept.
LINE_LIMIT = 160
_INTERVAL_S = 0.5
# ECMA-48: control sequences, operating system commands (title, links), and other two-character escapes.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-_]?")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def plain_line(text: str, secrets: Sequence[str] = ()) -> str:
    """The last line of a text, without terminal escapes, control characters and secrets, cut to :data:`LINE_LIMIT`.

    What stands before a carriage return has been overwritten on a terminal, and is left out.
    """
    lines = [part for part in re.split(r"[\r\n]+", _ESCAPES.sub("", text)) if part.strip()]
    line = " ".join(_CONTROLS.sub(" ", lines[-1]).split()) if lines else ""
    for secret in sorted((secret for secret in secrets if secret), key=len, reverse=True):
        line = line.replace(secret, "***")
    return line[:LINE_LIMIT]


def unwatched(phase: str, line: str = "") -> None:
    """Stands for :meth:`Progress.say` where no controller reads the state."""


class Progress:
    """Writes the latest state; a context manager that removes the file at its end.

    :param path: Where to write; ``None`` or empty for a module that nobody watches.
    :param secrets: Texts that must not appear.

    A file that cannot be written is given up in silence: progress never harms the task.
    """

    def __init__(self, path: str | None, secrets: Sequence[str] = ()) -> None:
        self._path = path or ""
        self._secrets = tuple(secrets)
        self._descriptor = -1
        self._phase = ""
        self._said_s = 0.0

    def __enter__(self) -> Progress:
        if self._path:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with contextlib.suppress(OSError):
                self._descriptor = os.open(self._path, flags, 0o600)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._descriptor >= 0:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
            os.close(self._descriptor)
            self._descriptor = -1

    def say(self, phase: str, line: str = "") -> None:
        """Tell what is being done.

        :param phase: A few words, such as ``build``.
        :param line: Detail, such as the last line of a command's output. Within one phase, only one in half a second
            is written.
        """
        now = time.monotonic()
        if self._descriptor < 0 or (phase == self._phase and now - self._said_s < _INTERVAL_S):
            return
        self._phase, self._said_s = phase, now
        state = {"phase": plain_line(phase, self._secrets), "line": plain_line(line, self._secrets)}
        data = json.dumps(state).encode("ascii") + b"\n"
        with contextlib.suppress(OSError):
            os.pwrite(self._descriptor, data, 0)
            os.ftruncate(self._descriptor, len(data))
