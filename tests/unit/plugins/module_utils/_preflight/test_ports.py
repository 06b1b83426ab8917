"""The ports; whole sentences are in the table of tests/bad_inputs.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import (
    BACKEND_PORT,
    DEFAULTS,
    FRONTEND_PORT,
    GREEN_PORT,
)
from bad_inputs import GOOD


@pytest.mark.parametrize("variable", [BACKEND_PORT, FRONTEND_PORT, GREEN_PORT])
def test_a_default_port_is_judged_like_one_that_is_set(variable: str) -> None:
    port = DEFAULTS[variable]
    given = {**GOOD, "staging_backend_switch": "blue_green", "staging_public_url": f"http://a.b.org:{port}"}
    given.pop(variable, None)
    assert [item.name for item in check_inputs(given)] != []
    assert check_inputs({**given, "staging_public_url": "http://a.b.org"}) == []


@pytest.mark.parametrize(("port", "names"), [(1023, ["port-privileged"]), (1024, []), (65535, []), (65536, ["port"])])
def test_the_limits_of_a_port(port: int, names: list[str]) -> None:
    assert [item.name for item in check_inputs({**GOOD, "staging_backend_port": port})] == names


@pytest.mark.parametrize("port", [0, "0", 1, 65535, ""])
def test_a_port_of_nginx_that_is_fine(port: Any) -> None:
    found = check_inputs({**GOOD, "staging_proxy_port": port})
    assert [item.name for item in found] == (["empty"] if port == "" else [])
