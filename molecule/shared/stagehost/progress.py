"""Report progress and durations."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def step(what: str) -> Iterator[None]:
    """Announce a step before it starts, and its duration in seconds when it has succeeded."""
    print(f"-- {what} ...", flush=True)
    started = time.monotonic()
    yield
    print(f"   done in {time.monotonic() - started:.1f} s", flush=True)


def note(text: str) -> None:
    print(f"-- {text}", flush=True)


def complain(text: str) -> None:
    print(f"stagehost: {text}", file=sys.stderr, flush=True)
