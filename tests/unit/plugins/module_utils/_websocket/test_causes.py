"""The catalogue of causes is complete, and ``docs/diagnosis.md`` says the same.

``UPDATE_DOCS=1 python -m pytest THIS_FILE`` writes the page anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import CATALOGUE, Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import Fault, Observation
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.verdict import Reference, judge

PAGE = Path(__file__).resolve().parents[5] / "docs" / "diagnosis.md"

INTRODUCTION = """# What `websocket_check` can find

Every result has one cause from this table, with an explanation in one sentence, a remedy and the evidence.
The page is generated from the code; a test compares them.

## How the cause is found

- Every endpoint goes through name resolution, TCP, TLS, upgrade, first message, hold and close. The first phase
  that fails gives the fact from which its cause follows.
- The same fact means different things by what the other endpoints did. So check the backend itself
  (`vantage: direct`), the proxy by its address with the public host name (`vantage: proxy`, `connect_to`) and the
  public address (`vantage: public`) side by side. What was checked from another machine comes in with
  `earlier_results`.
- The diagnosis of the whole call is the first cause on the way from the backend to the public: what is nearer to
  the application explains what is farther.
- After a failure, short further requests settle what the first one left open: the handshake with another origin or
  none, the same request without an upgrade, an upgrade on a path that cannot exist, TLS to a plain port and the
  reverse, the certificate that was refused. Their answers are in the evidence.
- What cannot be known is not claimed: where two causes look alike, the explanation says so.

Host names `localhost` and those below it, such as `app.localhost`, lead to the loopback addresses without asking
DNS (RFC 6761). Proxies named by `http_proxy` or `https_proxy` are not used.

## What a hold proves

A proxy's idle timeout is reset by a byte in either direction, so only the longest silence in both directions at
once says anything about it.

| Hold | Result | What is proven |
|---|---|---|
| `quiet`, the server is silent too | `longest_silence_s` = the hold | an idle timeout of at least that long |
| `quiet`, the server pings every 20 s | `longest_silence_s` = 20 | an idle timeout of at least 20 s, no more |
| `ping` or `message` | round trips, losses | no idle timeout: our own frames broke the silence |
| cut | seconds of silence before it | that timeout, compared with 60 s (nginx), 90 s (Nginx Proxy Manager), \
100 s (Cloudflare) and `expected_idle_timeout` |

At the end of a hold one more ping must be answered (or the close frame, by servers that ignore pings); otherwise
the last silence was not survived, and the cause is `dead_after_silence`.

## Limits

- `connections` is at most 10000, at most 100 handshakes are under way at once; each connection needs an open file.
- A message may have `max_message_size` bytes (1 MiB), the headers of an answer 64 KiB, an event's line
  `max_message_size`. Every wait has a deadline.
- Extensions such as compression are not asked for; a browser does, so a server that breaks them is not found.

## Causes

| Cause | What one sees | Why | Remedy |
|---|---|---|---|
"""


def page() -> str:
    rows = [f"| `{cause.value}` | {e.sees} | {e.why} | {e.remedy} |" for cause, e in CATALOGUE.items()]
    return INTRODUCTION + "\n".join(rows) + "\n"


def test_every_cause_is_in_the_catalogue_in_the_same_order() -> None:
    assert list(CATALOGUE) == list(Cause)


@pytest.mark.parametrize("cause", list(Cause), ids=lambda cause: cause.value)
def test_an_entry_is_complete_and_fits_a_table(cause: Cause) -> None:
    for text in (CATALOGUE[cause].sees, CATALOGUE[cause].why, CATALOGUE[cause].remedy):
        assert text.endswith(".")
        assert text[0].isupper() or text[0].isdigit()
        assert not set("|\n") & set(text)


def test_the_page_says_what_the_code_says() -> None:
    if os.environ.get("UPDATE_DOCS") == "1":
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "docs/diagnosis.md is not what the code says; UPDATE_DOCS=1 writes it anew"


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HTTP_ANSWER], ids=lambda f: f.value)
@pytest.mark.parametrize("vantage", ["direct", "proxy", "public"])
@pytest.mark.parametrize("transport", ["websocket", "sse"])
def test_every_fault_has_a_judgement(fault: Fault, vantage: str, transport: str) -> None:
    scheme = "http" if transport == "sse" else "ws"
    raw = {"name": "e", "url": f"{scheme}://h/x", "vantage": vantage, "transport": transport}
    for reference in (Reference(), Reference(direct_passed=True), Reference(direct_passed=False)):
        seen = Observation(parse_target(raw))
        seen.fail(fault, "detail")
        verdict = judge(seen, reference)
        assert verdict.cause is not Cause.NONE
        assert verdict.explanation
        assert verdict.remedy
        assert "`" not in verdict.remedy
