# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each of the four readers makes of the text of an env file.

Pure restatements of the grammars of bash's ``source``, npm ``dotenv``, ``@next/env`` (``dotenv`` 16.3.1 followed by an
expansion of ``$``) and ``python-dotenv``. The property test ``tests/integration/test_dotenv_readers.py`` compares them
with the real programs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from .bash_reader import read_bash
from .grammar import UnreadableError, Values
from .node_readers import read_dotenv, read_next
from .python_reader import read_python

__all__ = ["READ", "READERS", "UnreadableError", "Values", "read_dotenv"]

READ: Mapping[str, Callable[[str], Values]] = {
    "bash": read_bash,
    "dotenv": read_dotenv,
    "next": read_next,
    "python-dotenv": read_python,
}

READERS = tuple(READ)
