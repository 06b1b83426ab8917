# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The logs of a process: what was written since a change began."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterable, Mapping, Sequence

from .._host.files import open_regular
from .._host.redaction import last_lines, redacted, secrets_of
from .definition import ProcessDefinition
from .error import ClosedLogError
from .process import Pm2Process

_READ_AT_MOST = 65536
_LINES = 15


def refuse_closed_logs(definition: ProcessDefinition, home: str) -> None:
    """Find out before anything is stopped whether pm2 can write the logs of a process, as root may have made one.

    :raises ClosedLogError: If it cannot.
    """
    logs = os.path.join(home, "logs")
    for kind, wanted in (("out", definition.out_log), ("error", definition.err_log)):
        path = os.path.join(definition.cwd, wanted) if wanted else os.path.join(logs, f"{definition.name}-{kind}.log")
        if os.path.exists(path) and not os.access(path, os.W_OK):
            user = pwd.getpwuid(os.geteuid()).pw_name
            raise ClosedLogError(
                f"the process {definition.name} cannot be started: {user} cannot write its log {path}; run "
                f"chown {user} {path}"
            )


def log_sizes(processes: Iterable[Pm2Process]) -> dict[str, int]:
    """The size of each log now, in bytes, by its path."""
    sizes = {}
    for process in processes:
        for path in (process.out_log, process.err_log):
            if path:
                sizes[path] = os.path.getsize(path) if os.path.isfile(path) else 0
    return sizes


def log_tail(processes: Sequence[Pm2Process], sizes: Mapping[str, int], secrets: Iterable[str]) -> list[str]:
    """The last lines that a process wrote since the sizes were taken, secrets removed.

    :param processes: The instances of one name; the first one is looked at.
    """
    hidden = list(secrets)
    lines: list[str] = []
    for process in processes[:1]:
        for path in dict.fromkeys((process.out_log, process.err_log)):
            lines += last_lines(log_since(path, sizes.get(path, 0)), _LINES)
    return [redacted(line, hidden) for line in lines]


def log_end(process: Pm2Process, count: int) -> list[str]:
    """The last lines of each log of a process, the values of its environment removed."""
    hidden = secrets_of(process.env)
    paths = [path for path in dict.fromkeys((process.out_log, process.err_log)) if path] if count > 0 else []
    return [redacted(line, hidden) for path in paths for line in last_lines(log_since(path, 0), count)]


def log_since(path: str, offset: int) -> str:
    """What a log contains beyond an offset, at most its last 64 KiB; a log that was emptied is read from its start."""
    try:
        descriptor = open_regular(path, follow=True)
    except OSError:
        return ""
    with open(descriptor, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        start = offset if offset <= end else 0
        file.seek(max(start, end - _READ_AT_MOST))
        return file.read().decode("utf-8", "replace")
