# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The terminal that Ansible writes to, as an action sees it."""

from __future__ import annotations

import os

#: Columns of lines that go to a file or a pipe.
WIDTH_WITHOUT_TERMINAL = 120


def terminal_columns() -> int | None:
    """Columns of Ansible's terminal; ``None`` where it writes elsewhere.

    A worker's own output is detached, so that its parent's is looked at.
    """
    try:
        descriptor = os.open(f"/proc/{os.getppid()}/fd/1", os.O_WRONLY | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return os.get_terminal_size(descriptor).columns or WIDTH_WITHOUT_TERMINAL
    except OSError:
        return None
    finally:
        os.close(descriptor)
