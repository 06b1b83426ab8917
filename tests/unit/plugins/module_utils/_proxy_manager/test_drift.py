"""Differences between the database and the running nginx."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.answer import ProxyAnswer
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block import Timeouts, render
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.drift import Drift, find_drift
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import BlockPath
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.plan import WantedHost, plan_host

NAME = "api.example.com"
WS = (BlockPath("/ws"),)
BLOCK = render(WS, Timeouts())


def host(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "domain_names": [NAME], "advanced_config": "", "meta": {"nginx_online": True}} | fields


def drift(host: dict[str, Any], seen: ProxyAnswer | None, confirmed: bool) -> Drift | None:
    plan = plan_host(host, WantedHost(NAME, WS))
    return find_drift(host, plan, {"/ws": seen} if seen else {}, lambda _state: confirmed)


@pytest.mark.parametrize(
    ("fields", "seen", "confirmed", "expected"),
    [
        pytest.param({}, ProxyAnswer(404), True, None, id="none"),
        pytest.param({"enabled": False, "meta": {"nginx_online": False}}, None, False, None, id="disabled"),
        pytest.param(
            {"meta": {"nginx_online": False, "nginx_err": "[emerg] x"}},
            None,
            True,
            Drift("the host is offline: nginx refused what the database has (x)"),
            id="offline",
        ),
        pytest.param(
            {},
            ProxyAnswer(101, True, "abc"),
            True,
            Drift("the running nginx has a managed block, the database has not"),
            id="block-in-nginx-alone",
        ),
        pytest.param(
            {"advanced_config": BLOCK.text},
            ProxyAnswer(404),
            False,
            Drift("the database has the managed block, the running nginx has not"),
            id="block-in-the-database-alone",
        ),
        pytest.param(
            {"advanced_config": BLOCK.text},
            ProxyAnswer(101, True, "old"),
            False,
            Drift("the database has the managed block, the running nginx has another"),
            id="another-block",
        ),
        pytest.param(
            {},
            ProxyAnswer(404),
            False,
            Drift("the proxy answers for this host name as for one that it does not know", repairable=False),
            id="answers-like-the-default-site",
        ),
    ],
)
def test_a_difference_is_named(
    fields: dict[str, Any], seen: ProxyAnswer | None, confirmed: bool, expected: Drift | None
) -> None:
    assert drift(host(**fields), seen, confirmed) == expected
