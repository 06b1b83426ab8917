# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines of a run: one for each step, with what changed below it. Pure: values in, text out."""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.codeframe.staging.plugins.plugin_utils._plain import plain

#: More hosts than this are counted by outcome instead of having a column each.
MAX_COLUMNS = 4
_TITLE_WIDTH = 48
_COLUMN_WIDTH = 14


class Outcome(enum.IntEnum):
    """What a step did on one host; the highest value of its tasks counts."""

    SKIPPED = 0
    OK = 1
    CHANGED = 2
    FAILED = 3
    UNREACHABLE = 4


@dataclass
class Step:
    """One step of a play while it runs.

    :param started_s: By the clock of ``time.monotonic()``.
    :param notes: For each host, why it changed or where it failed, in the order of the tasks.
    :param warnings: In the order in which they came, without repetitions.
    """

    title: str
    started_s: float
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def add(self, host: str, outcome: Outcome, notes: Sequence[str] = ()) -> None:
        """Count the result of one task on one host."""
        self.outcomes[host] = max(outcome, self.outcomes.get(host, Outcome.SKIPPED))
        known = self.notes.setdefault(host, [])
        known.extend(note for note in notes if note not in known)

    @property
    def outcome(self) -> Outcome:
        """The highest outcome of all hosts."""
        return max(self.outcomes.values(), default=Outcome.SKIPPED)

    @property
    def has_news(self) -> bool:
        """Whether it changed something, failed or warned."""
        return self.outcome > Outcome.OK or bool(self.warnings)


@dataclass
class CallbackState:
    """What the callback does in this run.

    :param shows_summaries: Whether it prints the summaries in the results of tasks.
    """

    shows_summaries: bool = False


#: A task is a fork of the process with the callback, so that its action finds this here.
CALLBACK = CallbackState()


@dataclass(frozen=True)
class FinishedStep:
    """A step of this run that has ended, as a report lists it."""

    title: str
    seconds: float
    outcomes: Mapping[str, Outcome]


#: What the callback has shown; found by actions in the same way.
FINISHED: list[FinishedStep] = []


def steps_on(host: str, finished: Sequence[FinishedStep]) -> list[dict[str, object]]:
    """The steps that did something on a host, each with ``name``, ``seconds`` and ``outcome``."""
    return [
        {"name": each.title, "seconds": each.seconds, "outcome": outcome.name.lower()}
        for each in finished
        if (outcome := each.outcomes.get(host, Outcome.SKIPPED)) is not Outcome.SKIPPED
    ]


@dataclass(frozen=True)
class Line:
    """A line of output; ``outcome`` chooses its colour, ``None`` for the terminal's own."""

    text: str
    outcome: Outcome | None = None


def word(outcome: Outcome, check_mode: bool) -> str:
    """The word for an outcome; in check mode nothing has changed yet."""
    if outcome is Outcome.CHANGED and check_mode:
        return "would change"
    return {Outcome.FAILED: "FAILED", Outcome.UNREACHABLE: "UNREACHABLE"}.get(outcome, outcome.name.lower())


def step_lines(step: Step, hosts: Sequence[str], ended_s: float, *, check_mode: bool, width: int) -> list[Line]:
    """Render a step that has ended.

    :param hosts: The hosts of the play, in the order of their columns.
    :param width: Columns of the terminal; longer notes are wrapped.
    :returns: No line for a step in which every task was skipped.
    """
    if step.outcome is Outcome.SKIPPED and not step.warnings:
        return []
    words = _words(step.outcomes, hosts, check_mode)
    head = f"{step.title[:_TITLE_WIDTH]:<{_TITLE_WIDTH}} {words} {ended_s - step.started_s:7.1f} s"
    lines = [Line(head.rstrip(), step.outcome)]
    for note, noted in _hosts_by_note(step.notes).items():
        before = f"{', '.join(noted)}: " if len(hosts) > 1 and len(noted) < len(hosts) else ""
        outcome = max(step.outcomes[host] for host in noted)
        lines += [Line(text, outcome) for text in wrap(before + note, "    - ", width)]
    lines += [Line(text) for warning in step.warnings for text in wrap(warning, "    warning: ", width)]
    return lines


def folded(steps: Sequence[Step]) -> Step:
    """Consecutive steps without news as one.

    :param steps: One or more, in their order.
    """
    first, last = steps[0], steps[-1]
    if len(steps) == 1:
        return first
    before = f" and {len(steps) - 1} {'steps' if len(steps) > 2 else 'step'} before"
    hosts = {host for step in steps for host in step.outcomes}
    return Step(
        f"{last.title[: _TITLE_WIDTH - len(before)]}{before}",
        first.started_s,
        {host: max(step.outcomes.get(host, Outcome.SKIPPED) for step in steps) for host in hosts},
    )


def heading(name: str, hosts: Sequence[str], *, check_mode: bool) -> str:
    """The first line of a play: its name and, above the columns, its hosts."""
    name = f"{name} (check mode)" if check_mode else name
    if not 1 < len(hosts) <= MAX_COLUMNS:
        return f"{name}: {', '.join(hosts) if len(hosts) <= MAX_COLUMNS else f'{len(hosts)} hosts'}"
    columns = " ".join(f"{host[:_COLUMN_WIDTH]:<{_COLUMN_WIDTH}}" for host in hosts)
    return f"{name}\n{'':<{_TITLE_WIDTH}} {columns}".rstrip()


def failure_lines(failures: Mapping[str, str], shown: str, width: int) -> list[Line]:
    """Render the failures of a run, one paragraph for each message of which a sentence was not shown yet.

    :param failures: The last failure of each host that did not recover.
    :param shown: What the run has printed so far as text, such as its summary.
    """
    already = " ".join(shown.split())
    hosts_of: dict[str, list[str]] = {}
    for host, message in failures.items():
        sentences = " ".join(message.split()).rstrip(".").split(". ")
        if not all(sentence in already for sentence in sentences):
            hosts_of.setdefault(message, []).append(host)
    return [
        Line(text, Outcome.FAILED)
        for message, hosts in hosts_of.items()
        for text in ("", *wrap(message, f"FAILED on {', '.join(hosts)}: ", width, indent="  "))
    ]


def host_lines(
    hosts: Sequence[str], verdicts: Mapping[str, str], failures: Mapping[str, str], begun: Collection[str]
) -> list[Line]:
    """Render what became of each host of a run.

    :param hosts: All hosts of the run, in the order of the inventory.
    :param verdicts: What the summary of each host says first.
    :param failures: The last failure of each host that did not recover.
    :param begun: Hosts on which a task ran.
    """
    outcomes = {
        host: Outcome.FAILED if host in failures else Outcome.OK if host in begun else Outcome.SKIPPED for host in hosts
    }
    counts = [
        (text, sum(1 for each in outcomes.values() if each is outcome))
        for text, outcome in (("succeeded", Outcome.OK), ("failed", Outcome.FAILED), ("not begun", Outcome.SKIPPED))
    ]
    column = max(len(host) for host in hosts)
    words = {Outcome.OK: "succeeded", Outcome.FAILED: "FAILED", Outcome.SKIPPED: "not begun"}
    return [
        Line(f"Hosts: {', '.join(f'{count} {text}' for text, count in counts if count)}"),
        *(
            Line(f"  {host:<{column}}  {verdicts.get(host) or words[outcome]}", outcome)
            for host, outcome in outcomes.items()
        ),
        Line(""),
    ]


def _hosts_by_note(notes: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The hosts of each note, in the order in which the notes came."""
    hosts: dict[str, list[str]] = {}
    for host, told in notes.items():
        for note in told:
            hosts.setdefault(note, []).append(host)
    return hosts


def _words(outcomes: Mapping[str, Outcome], hosts: Sequence[str], check_mode: bool) -> str:
    if len(hosts) > MAX_COLUMNS:
        counted = [
            (sum(1 for each in outcomes.values() if each is outcome), word(outcome, check_mode)) for outcome in Outcome
        ]
        return ", ".join(f"{text} {count}" for count, text in counted if count)
    cells = [word(outcomes.get(host, Outcome.SKIPPED), check_mode) for host in hosts]
    return " ".join(f"{cell:<{_COLUMN_WIDTH}}" for cell in cells)


def wrap(text: str, first: str, width: int, indent: str | None = None) -> list[str]:
    """Wrap each line of a text; the lines of a block that is indented on purpose stay as they are."""
    rest = indent if indent is not None else " " * len(first)
    wrapped: list[str] = []
    for line in plain(text).splitlines() or [""]:
        wrapped += textwrap.wrap(
            line,
            max(40, width),
            initial_indent=rest if wrapped else first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        ) or [""]
    return wrapped
