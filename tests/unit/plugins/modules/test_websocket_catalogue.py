"""Each cause has two peers that provoke it, and one that looks alike and is not called so."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Any

import pytest
import websocket_peers as peers
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.call import parse_call
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.diagnosis import Diagnosis, diagnose
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.run import observe
from ansible_collections.codeframe.staging.plugins.modules import websocket_check
from websocket_catalogue import ROWS, Row

#: Peers at once; more would be late on a busy machine.
AT_ONCE = 8


def parameters(row: Row, stack: ExitStack, authority: peers.Authority) -> dict[str, Any]:
    given = {"endpoints": row.open(stack, authority), **row.options}
    validated = ArgumentSpecValidator(websocket_check.ARGUMENT_SPEC).validate(given)
    assert not validated.error_messages, (row.name, validated.error_messages)
    parameters: dict[str, Any] = validated.validated_parameters
    return parameters


async def judge(row: Row, authority: peers.Authority) -> Diagnosis:
    with ExitStack() as stack:
        call = parse_call(parameters(row, stack, authority))
        return diagnose(await observe(call), call.settings.expected_idle_timeout_s, call.earlier)


@pytest.fixture(scope="module")
def diagnoses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Diagnosis]:
    """Of all rows, several at a time, since most of them wait."""
    authority = peers.make_authority(tmp_path_factory.mktemp("certificates"))

    async def judge_all() -> dict[str, Diagnosis]:
        free = asyncio.Semaphore(AT_ONCE)

        async def judge_one(row: Row) -> tuple[str, Diagnosis]:
            async with free:
                return row.name, await judge(row, authority)

        return dict(await asyncio.gather(*map(judge_one, ROWS)))

    return asyncio.run(judge_all())


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS])
def test_the_cause_is_the_right_one(row: Row, diagnoses: dict[str, Diagnosis]) -> None:
    verdict = diagnoses[row.name].verdicts[-1]
    assert verdict.cause.value == row.cause, verdict
    assert verdict.explanation
    assert verdict.remedy


#: Causes that need more than a peer: a browser, a name with several addresses, a limit of this process.
ELSEWHERE = {
    "none": "test_websocket_check.py: what passes",
    "not_checked": "test_websocket_check.py: options that cannot be used",
    "local_limit_reached": "test_websocket_check.py: no more files can be opened",
    "some_addresses_fail": "tests/integration/test_websocket_clients.py",
}


def test_every_cause_has_two_peers_and_one_that_looks_alike() -> None:
    causes = [cause.value for cause in Cause]
    browser = causes[causes.index("page_failed") :]  # tests/browser
    few = {
        cause: (len(provoked), len(alike))
        for cause in causes
        if cause not in ELSEWHERE and cause not in browser
        for provoked in [[row for row in ROWS if row.cause == cause]]
        for alike in [[row for row in ROWS if row.instead_of == cause]]
        if len(provoked) < 2 or not alike
    }
    assert few == {}


def test_rows_have_names_of_their_own_and_name_known_causes() -> None:
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    known = {cause.value for cause in Cause}
    assert {row.cause for row in ROWS} | {row.instead_of for row in ROWS if row.instead_of} <= known
    assert all(row.cause != row.instead_of for row in ROWS)
