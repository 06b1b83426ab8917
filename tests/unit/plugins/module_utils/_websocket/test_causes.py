"""The catalogue of causes is complete, and ``docs/diagnosis.md`` agrees with it.

``UPDATE_DOCS=1 python -m pytest THIS_FILE`` rewrites the page.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import CATALOGUE, Cause

PAGE = Path(__file__).resolve().parents[5] / "docs" / "diagnosis.md"

INTRODUCTION = """# Causes that `websocket_check` can find

Every result has one cause from the table below, an explanation in one sentence, a remedy and the evidence. This page
is generated from the code, and a test compares the two.

## How the cause is found

- Each endpoint is checked in phases: name resolution, TCP, TLS, upgrade, first message, hold, close. The first phase
  that fails gives the fact from which the cause follows.
- The same fact means different things depending on what the other endpoints did. So check three endpoints together:
  the backend itself (`vantage: direct`), the proxy by its address with the public host name (`vantage: proxy`,
  `connect_to`), and the public address (`vantage: public`). Pass the results from another machine with
  `earlier_results`.
- The diagnosis of the whole call is the first cause on the way from the backend to the public address, since a failure
  nearer to the application explains those farther from it.
- After a failure, follow-up probes distinguish causes that look alike: the handshake with another origin or none, the
  same request without an upgrade, an upgrade on a path that cannot exist, a handshake without TLS where TLS fails and
  the reverse, a request after a line of the PROXY protocol where the connection is closed, the certificates that were
  refused. The evidence contains their answers. A direct endpoint that passes is asked once without an upgrade.
- The check claims nothing that it does not know: where two causes look alike, the explanation says so. That a proxy
  loses the upgrade is concluded from the page that the backend gives to a request without one, from its own words, or
  from 426 and 505, and not from 400 or 404 alone.
- Where the proxy passes at its own address, a failure at the public address is one of what is in front of it, and the
  remedy says so.
- No remedy weakens security: TLS that fails is repaired, not left out.

`localhost` and names below it, such as `app.localhost`, always mean the loopback addresses (RFC 6761). Proxies from
`http_proxy` and `https_proxy` are not used.

## What a hold proves

A byte in either direction resets a proxy's idle timeout. So only the longest silence in both directions at once proves
anything about it.

| Hold | Result | What is proven |
|---|---|---|
| `quiet`, the server is silent too | `longest_silence_s` is the hold | an idle timeout of at least that long |
| `quiet`, the server pings every 20 s | `longest_silence_s` is 20 | an idle timeout of at least 20 s, no more |
| `ping` or `message` | round trips, losses | no idle timeout, since the check itself broke the silence |
| the connection is cut | seconds of silence before the cut | that idle timeout; it is compared with 60 s (nginx), \
90 s (Nginx Proxy Manager), 100 s (Cloudflare) and `expected_idle_timeout` |

At the end of a hold the server must answer one more ping (or the close frame, for servers that ignore pings).
Otherwise the connection did not survive the last silence, and the cause is `dead_after_silence`.

## Limits

- `connections` is at most 10000, with at most 100 handshakes at a time; each connection needs an open file.
- A message may have `max_message_size` bytes (1 MiB), the headers of an answer 64 KiB, a line of an event stream
  `max_message_size`. Every wait has a deadline.
- The handshake is that of Chromium and offers compression; messages must work with what the server agrees to. With
  `connections` above 1, no compression is offered.
- While the connection is held, further handshakes are made one after another and closed at once, in the forms of
  Chromium, Firefox and Safari and with 3 kB of cookies: 4 directly, 12 through a proxy (so that every upstream of up to
  three is met by each form), 10 more where a form is refused, 5 where the first is refused, 6 after `connections`. A
  limit (429, 503) ends them and is no fault. `further_handshakes: false` leaves them out.
- At the vantage point `public`, each address of the name is checked, at most 8. An address without a route from here is
  said, and does not fail.

## Causes

| Cause | Symptom | Reason | Remedy |
|---|---|---|---|
"""


def page() -> str:
    rows = [f"| `{cause.value}` | {e.symptom} | {e.reason} | {e.remedy} |" for cause, e in CATALOGUE.items()]
    return INTRODUCTION + "\n".join(rows) + "\n"


def test_every_cause_is_in_the_catalogue_in_the_same_order() -> None:
    assert list(CATALOGUE) == list(Cause)


@pytest.mark.parametrize("cause", list(Cause), ids=lambda cause: cause.value)
def test_an_entry_is_complete_and_fits_a_table(cause: Cause) -> None:
    for text in (CATALOGUE[cause].symptom, CATALOGUE[cause].reason, CATALOGUE[cause].remedy):
        assert text.endswith(".")
        assert text[0].isupper() or text[0].isdigit()
        assert not set("|\n") & set(text)


def test_the_page_agrees_with_the_code() -> None:
    if os.environ.get("UPDATE_DOCS") == "1":
        PAGE.write_text(page())
    assert PAGE.read_text() == page(), "docs/diagnosis.md differs from the code; UPDATE_DOCS=1 rewrites it"
