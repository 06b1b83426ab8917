# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep ``git status`` of a release clean: what the collection puts into a checkout is in its own ``info/exclude``.

A shared path is a link in a release, and an ignore rule that ends in a slash matches no link.
"""

from __future__ import annotations

import os
import re

from .._host.files import read_file, write_atomic
from . import git
from .manifest import Layout

_BEGIN = "# BEGIN codeframe.staging: links to shared data, env files, virtual environments"
_END = "# END codeframe.staging"
_BLOCK = re.compile(rf"^{re.escape(_BEGIN)}\n.*?^{re.escape(_END)}\n", re.MULTILINE | re.DOTALL)


def exclude_own_files(directory: str, layout: Layout) -> None:
    """Add what the collection puts into a checkout to its ``info/exclude``; nothing where there is no checkout."""
    program = git.Git()
    if not os.path.lexists(os.path.join(directory, ".git")) or not program.available():
        return
    answer = program.run(["rev-parse", "--git-path", "info/exclude"], directory)
    if answer.status:
        return
    path = os.path.normpath(os.path.join(directory, answer.out.rstrip("\n")))
    try:
        found = read_file(path).text("surrogateescape")
    except FileNotFoundError:
        found = ""
    except OSError:
        # A link, for example, which its owner made.
        return
    wanted = with_block(found, layout)
    if wanted != found:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write_atomic(path, wanted, mode=0o644)


def with_block(text: str, layout: Layout) -> str:
    """Return the text of an ``info/exclude`` with the lines for this layout; other lines stay.

    So do those of an earlier layout, because the links for it are still there.
    """
    patterns = [f"/{_literal(path)}" for path in (*layout.shared_paths, *layout.env_files)]
    found = _BLOCK.search(text)
    earlier = found.group().splitlines()[1:-1] if found else []
    block = "\n".join([_BEGIN, *dict.fromkeys([*earlier, *patterns, ".venv"]), _END]) + "\n"
    if found:
        return text[: found.start()] + block + text[found.end() :]
    return f"{text}{'' if not text or text.endswith(chr(10)) else chr(10)}{block}"


def _literal(path: str) -> str:
    """A path as a pattern of git that matches nothing else (gitignore(5))."""
    escaped = re.sub(r"([\\*?\[])", r"\\\1", path)
    return f"{escaped[:-1]}\\ " if escaped.endswith(" ") else escaped
