"""Results of the rows of the tables in docs/reliability.md, each as it last ran: one file for each table."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deployment import CHECKOUT

#: Of the quick cases among the gating checks, nothing is kept in the checkout.
DIRECTORY = CHECKOUT / (".cache/results" if os.environ.get("SCENARIO_CASES") == "quick" else "molecule/results")


@contextlib.contextmanager
def recorded(
    table: str, name: str, *, directory: Path = DIRECTORY, digest: str = "", **facts: Any
) -> Iterator[dict[str, Any]]:
    """Give a place for what a row finds, and write it whether the row passes or not.

    :param table: ``drift``, ``pairs``, ``faults`` or ``crash``.
    :param digest: Of what the row does, so that a result of an earlier form of the row is known as such.
    """
    found: dict[str, Any] = {"digest": digest, **facts}
    try:
        yield found
        found["passed"] = True
    except BaseException:
        found["passed"] = False
        raise
    finally:
        results = {**read_results(table, directory), name: found}
        # A line for each row: what two checkouts have found can be merged.
        lines = (f"{json.dumps(each)}: {json.dumps(results[each], sort_keys=True)}" for each in sorted(results))
        directory.mkdir(parents=True, exist_ok=True)
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        # Messages of Ansible name files by their whole paths.
        (directory / f"{table}.json").write_text(text.replace(f"{CHECKOUT}/", ""), encoding="utf-8")


def read_results(
    table: str, directory: Path = DIRECTORY, digests: Mapping[str, str] | None = None
) -> dict[str, dict[str, Any]]:
    """Return what the rows of a table found, by their names.

    :param digests: Of the rows as they are now; results of other rows are left out.
    """
    file = directory / f"{table}.json"
    results: dict[str, dict[str, Any]] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if digests is None:
        return results
    return {name: found for name, found in results.items() if found["digest"] == digests.get(name)}
