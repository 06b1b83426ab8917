# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time in which a process that was started loads its program, and in which nothing answers."""

from __future__ import annotations

import os
import re

from .._host import proc
from .._host.files import read_text
from .downtime import DowntimeWatch

# After that, pm2 is asked: the process may wait for something that pm2 can name.
_UNDISTURBED_S = 5.0


def await_listening(watch: DowntimeWatch, home: str, name: str) -> None:
    """Wait until a process that was started listens, ends, or takes long, without asking pm2.

    Each call of pm2 is a start of Node.js, which competes with the process: it needs about as much of the CPU as a
    backend in Python needs to load its program.

    :param watch: Of the place where the process will listen.
    :param home: The directory of the daemon.
    :param name: The name of the process.
    """
    pids = _pids(home, name)
    watch.await_open(_UNDISTURBED_S, lambda: bool(pids) and all(proc.is_alive(pid) for pid in pids))


def _pids(home: str, name: str) -> list[int]:
    """The numbers of the processes of a name, from the files that pm2 writes at each start and deletes at each end.

    Empty if the files are elsewhere (``pid_file`` in the ecosystem file).
    """
    directory = os.path.join(home, "pids")
    # As pm2 makes the name of a file.
    pattern = re.compile(re.escape(re.sub(r"[^a-zA-Z0-9\\.-]", "-", name)) + r"-\d+\.pid")
    try:
        files = [file for file in os.listdir(directory) if pattern.fullmatch(file)]
    except OSError:
        return []
    texts = [(read_text(os.path.join(directory, file), limit=64) or "").strip() for file in files]
    return [int(text) for text in texts if text.isdecimal()]
