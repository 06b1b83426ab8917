"""Make docs/reliability.md of the results in molecule/results; rows that did not run as they are now are not in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from deployment import CHECKOUT
from matrix import (
    LEFT_ALONE,
    REFUSED,
    REPAIRED,
    Drift,
    Facts,
    Fault,
    fault_problems,
    problems,
    read_drifts,
    read_faults,
    sample_pairs,
)
from results import read_results

PAGE = CHECKOUT / "docs/reliability.md"
Result = Mapping[str, Any]
Results = Mapping[str, Result]

_ENDS = {REPAIRED: "repaired", REFUSED: "refused", LEFT_ALONE: "left alone"}
_TABLES = """\
# Reliability

What a run makes of a host that was changed manually, and of a deployment in which something goes wrong.
`make reliability` makes the tables of what each row found when it last ran in `make test-drift` or `make test-faults`;
a row that did not run as it is now is not in them.

After every row, the following holds, or the row fails:

- One release is active. It exists, is listed and was verified, and the processes run from it, or from one in which
  their part is the same.
- nginx accepts its configuration, and no worker is older than the files on the disk.
- No candidate, temporary file, lock, asynchronous result or sent archive is left, and no release has a file of root.
- The data of the application are unchanged.
- A secret is only where it was after the first deployment, and only its owner can read it.
"""
_DRIFT = """
## Manual changes

Each is made on a deployed host. Then `drift_staging.yml` names the layers, and only those; `--check` predicts the roles
that the run changes; the run ends as the table says and is verified. Nothing is left over: the look after the next
change names only that one, and after every fifth change a further run changes nothing. A refusal comes before any
change, and its message says what to do. Changes in different layers are made and repaired together, each with its own
layer and role. `--check` may also name the roles of layers that it cannot compare, for example while programs are
missing, and those of processes that pm2 starts itself as soon as its unit runs.
"""
_PAIRS = """
## Pairs of manual changes

Each group of changes with each other group, and every change that is repaired at least once: `--check` predicts the
roles that the one run changes, and it is verified; after every fifth pair, a further run changes nothing.
"""
_FAULTS = """
## Faults during a deployment

A page with all its scripts is loaded, the API is asked, and a WebSocket is held open, from before the fault until the
next run has repaired everything and is verified. Up to four runs that are killed, or whose releases do not work, follow
one another, and one run repairs what all of them have left. After every fourth repair, a further run changes nothing.
A restart of the backend closes its WebSockets, and the page opens them again; with `staging_backend_switch:
blue_green`, no handshake is refused meanwhile. Seconds are from the first failure to the last one, with what worked
between them: a release that does not work and the next run restart the backend once each, or more often.
"""


def page(drifts: Results, pairs: Results, faults: Results, crashes: Results) -> str:
    """Return the text of the page."""
    parts = [_TABLES]
    if drifts:
        parts += [_DRIFT, *_drift_tables(drifts)]
    if pairs:
        parts += [_PAIRS, _pair_table(pairs)]
    if faults:
        parts += [_FAULTS, *_fault_tables(faults)]
    return "".join([*parts, _crash_points(crashes)])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return (
        "\n" + "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"
    )


def _total(results: Results, rows: int) -> str:
    passed = sum(bool(result["passed"]) for result in results.values())
    left = f"; {rows - len(results)} did not run" if rows > len(results) else ""
    return f"\n{passed} of {len(results)} rows ended as expected{left}.\n"


def _outcome(result: Result, text: str) -> str:
    return text if result["passed"] else f"**not as expected**: {text}"


def _groups(rows: Sequence[Any], results: Results) -> Iterable[tuple[str, list[Any]]]:
    """The groups of a table in its order, with the rows that ran."""
    for group in dict.fromkeys(row.group for row in rows):
        ran = [row for row in rows if row.group == group and row.id in results]
        if ran:
            yield group, ran


def _layers(drifted: Iterable[str], unknown: Iterable[str]) -> str:
    return ", ".join([*drifted, *(f"{name} (not comparable)" for name in unknown)]) or "none"


def _judged(results: Results, rows: Mapping[str, Drift]) -> Results:
    """Compare what was seen with the table as it is now."""
    judged = {}
    for name, result in results.items():
        together = [rows[each] for each in result["together"] if each in rows]
        facts = Facts.of(result.get("facts", {}))
        passed = len(together) == len(result["together"]) and problems(together, facts) == []
        # Of what several rows have changed together, each has its own part.
        own = rows[name] if passed and len(together) > 1 else None
        judged[name] = {
            "passed": passed,
            "ended": facts.ended if own is None else own.end,
            "layers": _layers(facts.drifted, facts.unknown) if own is None else _layers(own.layers, own.unknown),
            "changed": sorted(facts.changed if own is None else own.changed_roles),
        }
    return judged


def _drift_tables(found: Results) -> Iterable[str]:
    rows = read_drifts()
    names = {row.id: row for row in rows}
    results = _judged({name: result for name, result in found.items() if name in names}, names)
    yield _total(results, len(rows))

    def cells(row: Drift) -> list[str]:
        result = results[row.id]
        end = _outcome(result, _ENDS.get(result["ended"], "failed"))
        return [row.drift, end, result["layers"], ", ".join(result["changed"]) or "nothing"]

    for group, ran in _groups(rows, results):
        yield f"\n### {group[0].upper()}{group[1:]}\n"
        yield _table(["Change", "End", "Layers that the look names", "Roles that change"], map(cells, ran))


def _pair_table(results: Results) -> str:
    rows = {row.id: row for row in read_drifts()}
    ran = [result for result in results.values() if {result["first"], result["second"]} <= rows.keys()]
    lines = [
        [
            rows[result["first"]].drift,
            rows[result["second"]].drift,
            _layers(result["looked"]["drifted"], result["looked"]["unknown"]) if "looked" in result else "none",
            _outcome(result, ", ".join(result.get("changed", [])) or "nothing"),
        ]
        for result in ran
    ]
    head = ["First", "Then", "Layers that the look names", "Roles that change"]
    return _total(results, len(sample_pairs(read_drifts()))) + _table(head, lines)


def _users(load: Result, kind: str) -> str:
    counts = load[kind]
    failed = f"{counts['failed']} of {counts['passed'] + counts['failed']}"
    return f"{failed}, for {counts['outage_s']} s" if counts["failed"] else failed


def _fault_tables(found: Results) -> Iterable[str]:
    rows = read_faults()
    # Compared with the table as it is now.
    results = {
        row.id: {**found[row.id], "passed": fault_problems(row, found[row.id]) == []} for row in rows if row.id in found
    }
    yield _total(results, len(rows))

    def cells(row: Fault) -> list[str]:
        result = results[row.id]
        load = result.get("load")
        why = f" ({row.outage})" if row.outage else ""
        pages = _users(load, "pages") + why if load else "not counted"
        api = _users(load, "api") if load else "not counted"
        opened = str(load["websocket"]["opened"]) if load else "not counted"
        following = result.get("next_run", "did not run")
        changed = following if isinstance(following, str) else ", ".join(following) or "nothing"
        return [row.fault, _outcome(result, str(result.get("ended", "failed"))), pages, api, opened, changed]

    head = [
        "Fault",
        "The run",
        "Failed page loads",
        "Failed requests to the API",
        "WebSockets opened",
        "Next run changes",
    ]
    for group, ran in _groups(rows, results):
        yield f"\n### {group[0].upper()}{group[1:]}\n"
        yield _table(head, map(cells, ran))


def _crash_points(results: Results) -> str:
    if not results:
        return ""
    tasks = next(iter(results.values()))["of"]
    loads = [result["load"]["pages"] for result in results.values() if "load" in result]
    failed, loaded = (sum(load[kind] for load in loads) for kind in ("failed", "passed"))
    passed = sum(bool(result["passed"]) for result in results.values())
    return (
        f"\n### Killed at a task\n\nA deployment of another URL was killed at {len(results)} of its {tasks} tasks, up "
        f"to four times in a row; after {passed} of them, a run finished it and was verified, and {failed} of "
        f"{failed + loaded} page loads failed. `make test-faults-all` kills it at every task.\n"
    )


def main(path: Path = PAGE) -> None:
    drifts = {row.id: row.digest for row in read_drifts()}
    pairs = {pair.id: pair.digest for pair in sample_pairs(read_drifts())}
    faults = {row.id: row.digest for row in read_faults()}
    found = [
        read_results("drift", digests=drifts),
        read_results("pairs", digests=pairs),
        read_results("faults", digests=faults),
        read_results("crash"),
    ]
    path.write_text(page(*found), encoding="utf-8")
    print(f"{path.name}: " + ", ".join(f"{len(each)} rows" for each in found))


if __name__ == "__main__":
    main()
