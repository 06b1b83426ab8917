# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what further handshakes have shown: a form that is refused, or some handshakes of many (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from .causes import Cause
from .header_form import HeaderForm
from .judgement import Judge, Judgement, Reference, place_and_url
from .observation import Fault

if TYPE_CHECKING:
    from .observation import Observation

_FORM_REMEDIES: Mapping[HeaderForm, str] = {
    HeaderForm.FIREFOX: "Firefox sends Connection: keep-alive, Upgrade; do not compare that header ($http_connection) "
    "with one value, but use map $http_upgrade $connection_upgrade { default ''; websocket upgrade; } and "
    "proxy_set_header Connection $connection_upgrade",
    HeaderForm.COOKIES: "raise the limit of headers (nginx: large_client_header_buffers in the server block), or store "
    "less in cookies",
}
_ANY_FORM = (
    "compare the order and the values of the headers with the rules of what answers: it must decide by Upgrade alone"
)


def _judge_form(seen: Observation, _: Reference) -> Judgement:
    refused = [one for one in seen.further if not one.opened]
    forms = list(dict.fromkeys(one.form for one in refused))
    accepted = list(dict.fromkeys(one.form for one in seen.further if one.opened))
    return Judgement(
        Cause.HANDSHAKE_FORM_REFUSED,
        f"{place_and_url(seen)} accepts the handshake as {_listed(accepted)} sends it, and refuses it as "
        f"{_listed(forms)} sends it ({refused[0].shown}, {len(refused)} of {len(refused)} times)",
        _FORM_REMEDIES.get(forms[0], _ANY_FORM),
    )


def _listed(forms: list[HeaderForm]) -> str:
    return " or ".join(form.value for form in forms)


def _judge_some(seen: Observation, _: Reference) -> Judgement:
    shown = next((one.shown for one in seen.further if not one.opened), "")
    if not shown and seen.answer is not None:
        shown = f"HTTP {seen.answer.status}"
    return Judgement(
        Cause.SOME_HANDSHAKES_REFUSED,
        f"{place_and_url(seen)} refuses some handshakes of the same kind: {seen.detail}, the others got {shown}; "
        "several servers answer there, and not all of them open the WebSocket",
        "ask each server of the upstream directly (nginx: upstream block; HAProxy: backend section): one runs another "
        "version or application, or has no WebSocket support; take it out until it has"
        if seen.target.through_proxy
        else "look for several processes on the backend's port, of which one is another application or version",
    )


JUDGES: Mapping[Fault, Judge] = {Fault.FORM_REFUSED: _judge_form, Fault.SOME_REFUSED: _judge_some}
