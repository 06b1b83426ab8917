# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stops an installation or a build, in one sentence for the user."""

from __future__ import annotations

from collections.abc import Sequence


class BuildError(Exception):
    """A frontend that cannot be installed or built."""


class CommandError(BuildError):
    """A command that failed, with everything that it printed."""

    def __init__(self, message: str, output: str, command: Sequence[str]) -> None:
        super().__init__(message)
        self.output = output
        self.command = tuple(command)
