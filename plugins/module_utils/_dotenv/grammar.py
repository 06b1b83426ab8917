# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the readers of env files have in common: the values that they return, and texts that they cannot read."""

from __future__ import annotations

from typing import Optional

#: The value of a key, or ``None`` where it depends on the reader's environment, its version, or a command.
Values = dict[str, Optional[str]]


class UnreadableError(ValueError):
    """A reader would take the rest of this text for something else.

    :param line: Counted from 1.
    :param why: What is wrong with it, without any value.
    """

    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why
