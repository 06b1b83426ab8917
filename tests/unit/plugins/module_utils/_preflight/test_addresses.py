"""Whether the public names resolve to the host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.addresses import judge_addresses
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

PAGE = "staging_public_url"


@pytest.mark.parametrize(
    ("answers", "local", "on_host"),
    [
        pytest.param({}, ["10.0.0.1"], [PAGE], id="not asked for"),
        pytest.param({"app.example.com": ["10.0.0.9", "10.0.0.1"]}, ["10.0.0.1"], [PAGE], id="one is the host's"),
        pytest.param({"app.example.com": ["10.0.0.9"]}, [], [PAGE], id="the host's are not known"),
        pytest.param({"app.example.com": ["10.0.0.9"]}, ["10.0.0.1"], [], id="served elsewhere"),
    ],
)
def test_a_name_that_may_have_these_addresses(
    good: DeploymentInputs, answers: dict[str, Any], local: list[str], on_host: list[str]
) -> None:
    hosts = {PAGE: "app.example.com"}
    assert judge_addresses(good, hosts, answers, local, vantage="the controller", on_host=on_host) == []


@pytest.mark.parametrize("addresses", [None, []])
def test_a_name_without_an_address_is_a_warning(good: DeploymentInputs, addresses: Any) -> None:
    hosts = {PAGE: "app.example.com"}
    answers = {"app.example.com": addresses}
    (found,) = judge_addresses(good, hosts, answers, [], vantage="the controller", on_host=[])
    assert (found.name, found.level) == ("host-unresolved", "warning")
    assert found.sentence == (
        'staging_public_url is "http://app.example.com", but the controller finds no address of app.example.com; '
        "expected a name with an address; check the name, its DNS record and the resolver"
    )


def test_a_name_with_other_addresses_is_a_warning(good: DeploymentInputs) -> None:
    hosts, answers = {PAGE: "app.example.com"}, {"app.example.com": ["192.0.2.9", "192.0.2.10"]}
    (found,) = judge_addresses(good, hosts, answers, ["10.0.0.1"], vantage="the staging host", on_host=[PAGE])
    assert (found.name, found.level) == ("host-resolves-elsewhere", "warning")
    assert found.sentence == (
        'staging_public_url is "http://app.example.com", but for the staging host, app.example.com has the address '
        "192.0.2.10, 192.0.2.9; expected an address of the staging host; make sure that the machine there forwards to "
        "this host"
    )
