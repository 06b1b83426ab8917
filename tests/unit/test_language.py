"""Texts are plain technical English: the terms of Ansible, nginx and pm2 instead of the project's former idioms."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: An idiom, and the term to use.
TERMS = {
    r"\bways? back\b": "rollback",
    r"\b(brings?|brought|gives?|gave) (the |it |that )?(\w+ ){0,2}back\b": "roll back, restore",
    r"\bswitch(es|ed|ing)? (it |the \w+ )?in\b": "activate",
    r"\bwhat serves\b": "the active release",
    r"\bserves again\b": "is active again",
    r"\bformer(ly)?\b": "previous",
    r"\bgood (state|release)\b": "last verified state",
    r"\bpassed verification\b": "verified",
    r"\b(takes?|taking) turns\b": "blue-green",
    r"\blet (the next|another) \w+ in\b": "release the lock",
    r"\binputs? moved\b": "inputs changed",
    r"\bbefore it counts\b": "before activation",
    r"\bsomebody\b": "another user",
    r"\b(stands?|stood) (in|at|there|beside)\b": "is in, is at",
    r"\bby hand\b": "manually",
    r"\bseal(s|ed)\b": "checksummed",
    r"\bcrowd\b": "load",
    r"\b(nothing|something) is to be done\b": "no change; required",
}
_IDIOM = re.compile("|".join(f"(?:{idiom})" for idiom in TERMS), re.IGNORECASE)
#: Other people's text, the list above, and generated files.
NOT_OURS = (
    "LICENSE",
    "tests/unit/test_language.py",
    "collections/",
    "examples/sample_app/web-ui/package-lock.json",
    "examples/codeframe_like/web-ui/package-lock.json",
    "examples/codeframe_like/uv.lock",
)


def texts() -> list[Path]:
    """The files that git tracks, or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / name for name in listed.stdout.split("\0") if name and not name.startswith(NOT_OURS)]
    return [path for path in paths if path.is_file()]


def idioms(text: str) -> list[str]:
    """``<line>: <idiom>`` for each idiom; names with underscores count as words."""
    return [
        f"{number}: {found.group()}"
        for number, line in enumerate(text.splitlines(), 1)
        for found in _IDIOM.finditer(line.replace("_", " "))
    ]


def test_texts_use_the_terms_of_the_field() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{idiom}" for path in texts() for idiom in idioms(path.read_text(encoding="utf-8"))
    ]
    assert found == [], f"use the terms of {Path(__file__).name}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Roll back to the last verified release.\n", []),
        ("first\nThe Way Back to the former release\n", ["2: Way Back", "2: former"]),
        ("def test_the_way_back_works() -> None:\n", ["1: way back"]),
        ("It brings the old release back.", ["1: brings the old release back"]),
    ],
    ids=["plain", "idioms", "name", "split"],
)
def test_an_idiom_is_found(text: str, expected: list[str]) -> None:
    assert idioms(text) == expected


def test_files_are_read() -> None:
    assert {"CHANGELOG.md", "Makefile", "conftest.py"} <= {path.name for path in texts()}
