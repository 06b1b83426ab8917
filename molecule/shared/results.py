"""Results of the rows of a table, one file for each, from which docs/reliability.md is made."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deployment import CHECKOUT

DIRECTORY = CHECKOUT / ".cache/reliability"


@contextlib.contextmanager
def recorded(table: str, name: str, **facts: Any) -> Iterator[dict[str, Any]]:
    """Give a place for what a row finds, and write it whether the row passes or not.

    :param table: ``drift``, ``pairs`` or ``faults``.
    """
    found: dict[str, Any] = {"id": name, **facts}
    began = time.monotonic()
    try:
        yield found
        found["passed"] = True
    except BaseException:
        found["passed"] = False
        raise
    finally:
        found["seconds"] = round(time.monotonic() - began)
        file = DIRECTORY / table / f"{name}.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def read_results(table: str, directory: Path = DIRECTORY) -> dict[str, dict[str, Any]]:
    """Return what the rows of a table found, by their names."""
    files = sorted((directory / table).glob("*.json"))
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in files}
