"""How the deployment is verified; whole sentences are in the table of tests/bad_inputs.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.verification import (
    check_connections,
    check_hold,
)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        pytest.param({}, [], id="not set"),
        pytest.param({"staging_hold": 60}, ["hold-short"], id="nginx"),
        pytest.param({"staging_hold": 61}, [], id="longer"),
        pytest.param({"staging_hold": "61"}, [], id="text"),
        pytest.param({"staging_hold": 90, "staging_proxy_provider": "manual"}, ["hold-short"], id="manual"),
        pytest.param({"staging_hold": 91, "staging_proxy_provider": "nginx_proxy_manager"}, [], id="longer for manual"),
        pytest.param({"staging_hold": 0}, ["hold-short"], id="none"),
        pytest.param({"staging_hold": 86400}, [], id="a day"),
        pytest.param({"staging_hold": 86401}, ["hold"], id="more than a day"),
        pytest.param({"staging_hold": True}, ["hold"], id="truth value"),
        pytest.param({"staging_hold": "nan"}, ["hold"], id="not a number"),
    ],
)
def test_a_hold_outlasts_the_idle_timeout_of_the_proxy(given: dict[str, Any], names: list[str]) -> None:
    inputs = DeploymentInputs(given)
    check_hold(inputs)
    assert [item.name for item in inputs.findings] == names


@pytest.mark.parametrize(
    ("value", "names"),
    [
        pytest.param(None, [], id="not set"),
        pytest.param(1, [], id="one"),
        pytest.param("10000", [], id="the most, as text"),
        pytest.param(0, ["connections"], id="none"),
        pytest.param(10001, ["connections"], id="too many"),
        pytest.param(True, [], id="no number, which its kind tells"),
        pytest.param("many", [], id="a word, which its kind tells"),
    ],
)
def test_connections_are_as_many_as_a_check_can_open(value: object, names: list[str]) -> None:
    inputs = DeploymentInputs({} if value is None else {"staging_verify_connections": value})
    check_connections(inputs)
    assert [item.name for item in inputs.findings] == names
