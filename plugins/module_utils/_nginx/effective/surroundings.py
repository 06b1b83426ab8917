# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the evaluation asks of the host: its files and its names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Surroundings(Protocol):
    """The host that a configuration belongs to; ``None`` for what is not known."""

    def is_directory(self, path: str) -> bool | None:
        """Whether a path is a directory, ``False`` for a file.

        :raises FileNotFoundError: If nothing is there.
        """

    def may_connect(self, path: str) -> bool | None:
        """Whether nginx may connect to a UNIX socket that exists."""

    def addresses_of(self, name: str) -> tuple[str, ...] | None:
        """The addresses of a host name, those of IPv6 in brackets."""

    def has_address(self, address: str) -> bool | None:
        """Whether a connection can be made from this address."""


@dataclass(frozen=True)
class Elsewhere:
    """The host of a dump: nothing is known of it, but what every host has."""

    def is_directory(self, path: str) -> bool | None:  # noqa: ARG002 - a protocol's method
        return None

    def may_connect(self, path: str) -> bool | None:  # noqa: ARG002 - a protocol's method
        return None

    def addresses_of(self, name: str) -> tuple[str, ...] | None:
        return ("127.0.0.1", "[::1]") if name == "localhost" else None

    def has_address(self, address: str) -> bool | None:
        return True if address.startswith("127.") or address == "::1" else None


class NotFollowedError(Exception):
    """A construct that cannot be followed, with its place as FILE:LINE."""

    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where}: {why}")
        self.where = where
        self.why = why


class Decisions:
    """Answers to questions that the configuration alone does not decide.

    A run asks in order. :meth:`next` prepares another run that answers differently, until all combinations were tried.
    """

    #: Questions of one evaluation; 2 to this power is the number of runs.
    MOST = 6

    def __init__(self) -> None:
        self._answers: list[bool] = []
        self._asked = 0
        self.first: NotFollowedError | None = None

    def answer(self, where: str, why: str) -> bool:
        """The answer of this run, first ``False``.

        :raises NotFollowedError: If there are too many questions.
        """
        question = NotFollowedError(where, why)
        self.first = self.first or question
        if self._asked == len(self._answers):
            if self._asked == self.MOST:
                raise question
            self._answers.append(False)
        self._asked += 1
        return self._answers[self._asked - 1]

    def next(self) -> bool:
        """Whether there is another combination."""
        self._asked = 0
        while self._answers and self._answers[-1]:
            self._answers.pop()
        if not self._answers:
            return False
        self._answers[-1] = True
        return True
