"""The fenced blocks of a page of the documentation, so that tests can execute what a reader types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, and its text without the fences."""

    language: str
    text: str


def blocks(page: str, section: str = "") -> list[Block]:
    """The blocks of a page of Markdown in their order.

    :param section: The heading of level 2 whose blocks are wanted; all of the page without it.
    :raises ValueError: If the page has no such section.
    """
    if section:
        start = re.search(rf"^## {re.escape(section)}$", page, re.MULTILINE)
        if start is None:
            raise ValueError(f"the page has no section {section!r}")
        page = re.split(r"^## ", page[start.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    return [Block(*found) for found in _BLOCK.findall(page)]
