"""What further handshakes show about one that passed or was refused."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.further import conclude_further
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.header_form import HeaderForm
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.judgement import Reference
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import (
    Fault,
    FurtherHandshake,
    Observation,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.verdict_further import JUDGES
from websocket_observations import answer, seen

C, F, S, K = HeaderForm


def made(outcomes: str) -> list[FurtherHandshake]:
    """``C+ F-`` is one of Chromium that opened and one of Firefox that did not."""
    forms = {"C": C, "F": F, "S": S, "K": K}
    opened = {"+": (True, 101, ""), "-": (False, 404, "HTTP 404")}
    return [FurtherHandshake(forms[text[0]], *opened[text[1]]) for text in outcomes.split()]


@pytest.mark.parametrize(
    ("fault", "outcomes", "expected"),
    [
        pytest.param(None, "", None, id="none-made"),
        pytest.param(None, "C+ C+ F+ S+", None, id="all-opened"),
        pytest.param(None, "C+ C+ F- F- S+ S+", Fault.FORM_REFUSED, id="one-form"),
        pytest.param(None, "C+ C+ F- F- S- S- F- C+", Fault.FORM_REFUSED, id="two-forms"),
        pytest.param(None, "C+ C+ F- F- F+", Fault.SOME_REFUSED, id="a-form-by-chance"),
        pytest.param(None, "C- C+ F+ S+", Fault.SOME_REFUSED, id="some"),
        pytest.param(None, "C- F- S- K-", Fault.SOME_REFUSED, id="all-but-the-first"),
        pytest.param(Fault.HTTP_ANSWER, "C- C- C-", Fault.HTTP_ANSWER, id="refused-always"),
        pytest.param(Fault.HTTP_ANSWER, "C- C+ C-", Fault.SOME_REFUSED, id="refused-at-first"),
        pytest.param(Fault.CUT, "C- F+", Fault.CUT, id="another-fault-is-told"),
    ],
)
def test_forms_and_upstreams_are_told_apart(fault: Fault | None, outcomes: str, expected: Fault | None) -> None:
    observation = seen(fault=fault, further=made(outcomes))
    conclude_further(observation)
    assert observation.fault is expected


def at(*faults: Fault | None) -> list[Observation]:
    return [seen("public", fault=fault, opened=fault is None) for fault in faults]


@pytest.mark.parametrize(
    ("faults", "expected"),
    [
        pytest.param((None, None), None, id="all"),
        pytest.param((None, Fault.HTTP_ANSWER), Fault.ADDRESS_REFUSED, id="one-fails"),
        pytest.param((None, Fault.UNREACHABLE), None, id="no-route"),
        pytest.param((None, Fault.UNREACHABLE, Fault.REFUSED), Fault.ADDRESS_REFUSED, id="no-route-and-one-fails"),
        pytest.param((Fault.HTTP_ANSWER, Fault.REFUSED), None, id="all-fail"),
    ],
)
def test_addresses_that_differ_are_a_fault(faults: tuple[Fault | None, ...], expected: Fault | None) -> None:
    observation = seen("public", at_addresses=at(*faults))
    conclude_further(observation)
    assert observation.fault is expected


def test_how_many_of_how_many_is_said() -> None:
    observation = seen(further=made("C- C+ F+"))
    conclude_further(observation)
    assert JUDGES[Fault.SOME_REFUSED](observation, Reference()).explanation == (
        "the proxy (ws://h/ws) refuses some handshakes of the same kind: 3 of 4 handshakes were accepted, the others "
        "got HTTP 404; several servers answer there, and not all of them open the WebSocket"
    )
    refused = seen(fault=Fault.HTTP_ANSWER, answer=answer(502), further=made("C+ C+"))
    conclude_further(refused)
    assert "2 of 3 handshakes were accepted, the others got HTTP 502" in (
        JUDGES[Fault.SOME_REFUSED](refused, Reference()).explanation
    )
    assert refused.first_fault is Fault.HTTP_ANSWER


def test_the_form_that_is_refused_is_named_with_those_that_are_not() -> None:
    observation = seen(further=made("C+ F- F- S+"))
    conclude_further(observation)
    judgement = JUDGES[Fault.FORM_REFUSED](observation, Reference())
    assert judgement.explanation == (
        "the proxy (ws://h/ws) accepts the handshake as Chromium or Safari sends it, and refuses it as Firefox "
        "sends it (HTTP 404, 2 of 2 times)"
    )
    assert judgement.remedy is not None
    assert judgement.remedy.startswith("Firefox sends Connection: keep-alive, Upgrade")
