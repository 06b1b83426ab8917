# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Python interpreters: what one is, and whether it can create virtual environments."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .._host.command import run
from .._host.json_text import json_value

_FACTS = (
    "import importlib.util, json, platform, sys; "
    "print(json.dumps({'version': platform.python_version(), 'implementation': sys.implementation.name, "
    "'machine': platform.machine(), "
    "'venv': all(importlib.util.find_spec(n) for n in ('venv', 'ensurepip'))}))"
)


@dataclass(frozen=True)
class Interpreter:
    """An interpreter.

    :param venv: Whether its modules venv and ensurepip are installed.
    """

    version: str
    implementation: str
    machine: str
    venv: bool = True

    @property
    def identity(self) -> str:
        """What an environment depends on: compiled packages do not work with another one."""
        return f"{self.implementation} {self.version} {self.machine}"


def ask(executable: str) -> Interpreter | None:
    """Run an interpreter and return what it is; None if it does not run."""
    try:
        ended = run([executable, "-I", "-c", _FACTS], deadline=time.monotonic() + 60, separate=True)
        return Interpreter(**json_value(ended.output.strip().splitlines()[-1])) if ended.succeeded else None
    except (OSError, ValueError, TypeError, IndexError):
        return None
