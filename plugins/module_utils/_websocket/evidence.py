# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was seen of one endpoint, one line for each fact (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .filters import marks_of
from .observation import Fault

if TYPE_CHECKING:
    from .observation import Observation

_EXCERPT = 160


def evidence(seen: Observation) -> tuple[str, ...]:
    """Every fact once, in the order in which it was seen, without secrets."""
    lines = [*_connection(seen), *_answer(seen), *_follow_up(seen)]
    lines += [f"message: {text or '(empty)'}" for text in seen.other_messages]
    # The status is told with the answer, a message with the messages.
    if seen.fault not in (None, Fault.HTTP_ANSWER, Fault.UNEXPECTED_REPLY) and seen.detail:
        lines.append(seen.detail)
    return tuple(seen.target.redact(line) for line in lines)


def _connection(seen: Observation) -> Iterator[str]:
    yield from seen.attempts
    if seen.address:
        yield f"connected to {seen.address} as {seen.target.authority}"
    if seen.tls:
        tls = seen.tls
        left = "" if tls.expires_in_days is None else f", expires in {tls.expires_in_days} days"
        checked = "" if tls.verified else ", not verified"
        for number, link in enumerate(tls.chain if not tls.verified else (), start=1):
            yield (
                f"certificate {number} of the chain: {link.subject or 'nobody'}, issued by {link.issuer or 'nobody'}, "
                f"valid from {link.not_before[:10]} to {link.not_after[:10]}"
            )
        yield f"{tls.version} with the certificate of {tls.subject or 'an unknown subject'}{left}{checked}"


def _answer(seen: Observation) -> Iterator[str]:
    answer = seen.answer
    if answer is None:
        return
    server = f", Server: {answer.server}" if answer.server else ""
    yield f"HTTP/{answer.version} {answer.status} {answer.reason}".rstrip() + server
    body = " ".join(answer.content.split())
    if answer.status != 101 and body:
        yield f"body: {body[:_EXCERPT]}"
    others = [mark for mark in marks_of(answer) if not mark.startswith("Server: ")]
    if others:
        yield ", ".join(others)


def _follow_up(seen: Observation) -> Iterator[str]:
    found = seen.follow_up
    for attempt in found.other_origins:
        sent = f"with Origin {attempt.origin}" if attempt.origin else "without an Origin"
        outcome = "no answer" if attempt.status is None else f"HTTP {attempt.status}"
        yield f"the same request {sent}: {outcome}"
    if found.plain_request is not None:
        same = ", the same page" if seen.answer and seen.answer.page == found.plain_request.page else ""
        yield f"the same request without an upgrade: HTTP {found.plain_request.status}{same}"
    if seen.further:
        opened = sum(one.opened for one in seen.further)
        limited = ", ended by a limit" if seen.is_limited else ""
        yield f"further handshakes: {opened} of {len(seen.further)} opened{limited}"
    for form in dict.fromkeys(one.form for one in seen.further if not one.opened):
        shown = [one.shown for one in seen.further if one.form is form and not one.opened]
        yield f"refused as {form.value} sends it, {len(shown)} time(s): {shown[0]}"
    for one in seen.at_addresses:
        yield f"at {one.address or one.target.connect_host}: {'opened' if one.opened else one.detail}"
    if found.works_without_compression is not None:
        yield f"without compression: {'works' if found.works_without_compression else 'fails too'}"
    if found.reopened is not None:
        yield f"a new connection after the cut: {'opened' if found.reopened else 'not opened'}"
    if found.unknown_path_status is not None:
        yield f"an upgrade on a path that cannot exist: HTTP {found.unknown_path_status}"
    if found.speaks_tls:
        yield "the port answers a TLS handshake"
    if found.expects_proxy_protocol:
        yield "the same request after a line of the PROXY protocol is answered"
    if found.speaks_plain_http:
        yield "the port answers plain HTTP"
