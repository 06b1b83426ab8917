"""The files of this repository as they are now, committed or not."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def working_tree(*options: str) -> bytes:
    """Return them as a tar archive, made with further options of tar."""
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    present = b"\0".join(name for name in names.split(b"\0") if name and (ROOT / name.decode()).exists())
    return subprocess.run(
        ["tar", "--create", *options, "--null", "--no-recursion", "--files-from=-"],
        cwd=ROOT,
        input=present,
        capture_output=True,
        check=True,
    ).stdout
