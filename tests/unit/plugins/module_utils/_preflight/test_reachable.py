"""Whether what a deployment fetches and connects to can be reached."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.reachable import (
    judge_names_to_connect_to,
    judge_readable,
    judge_repository,
    names_to_connect_to,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from bad_inputs import GOOD

MANAGER = {
    "staging_proxy_provider": "nginx_proxy_manager",
    "staging_proxy_manager_api_url": "http://npm.example.com:81",
}
ADDRESS = {"staging_proxy_address": "proxy.example.com"}
AT_HOST = {"staging_proxy_manager_api_from": "host"}
ON_API = {"staging_proxy_manager_api_url": "npm.example.com"}


@pytest.mark.parametrize(
    ("changes", "host", "controller"),
    [
        pytest.param({}, {}, {}, id="nginx on the host"),
        pytest.param(ADDRESS, {"staging_proxy_address": "proxy.example.com"}, {}, id="address of the proxy"),
        pytest.param(
            {"staging_proxy_address": "[2001:db8::1]"}, {"staging_proxy_address": "2001:db8::1"}, {}, id="IPv6"
        ),
        pytest.param(MANAGER, ON_API, ON_API, id="API called from the controller"),
        pytest.param({**MANAGER, **AT_HOST}, ON_API, {}, id="API called from the host"),
        pytest.param(
            {**MANAGER, **ADDRESS}, {"staging_proxy_address": "proxy.example.com"}, ON_API, id="API and proxy differ"
        ),
        pytest.param({**MANAGER, "staging_proxy_manager_api_url": "://"}, {}, {}, id="no URL"),
    ],
)
def test_what_each_machine_connects_to(
    changes: dict[str, Any], host: dict[str, str], controller: dict[str, str]
) -> None:
    inputs = DeploymentInputs({**GOOD, **changes})
    assert names_to_connect_to(inputs, on_host=True) == host
    assert names_to_connect_to(inputs, on_host=False) == controller


def test_a_name_without_an_address_stops_the_deployment() -> None:
    inputs = DeploymentInputs({**GOOD, **ADDRESS})
    names = {"staging_proxy_address": "proxy.example.com"}
    assert judge_names_to_connect_to(inputs, names, {"proxy.example.com": ["192.0.2.1"]}, vantage="the host") == []
    assert judge_names_to_connect_to(inputs, names, {}, vantage="the host") == []
    (found,) = judge_names_to_connect_to(inputs, names, {"proxy.example.com": None}, vantage="the staging host")
    assert (found.name, found.level) == ("connection-unresolved", "error")
    assert found.sentence == (
        'staging_proxy_address is "proxy.example.com", but the staging host finds no address of proxy.example.com; '
        "expected a name with an address, because the deployment connects to it; correct the name, write an address, "
        "or add the name to the resolver of the staging host"
    )


def test_a_repository_that_git_cannot_read(good: DeploymentInputs) -> None:
    found = judge_repository(good, "Permission denied; is the key there?", version_unknown=False)
    assert (found.name, found.level) == ("git-unreadable", "error")
    assert found.sentence == (
        'staging_git_url is "https://example.com/app.git", but git cannot read it (Permission denied, is the key '
        "there?); expected a repository that deploy can read from the host; correct the URL, or give that user access"
    )


def test_a_version_that_was_not_pushed(good: DeploymentInputs) -> None:
    found = judge_repository(good, "", version_unknown=True)
    assert (found.name, found.level) == ("git-version-unknown", "error")
    assert found.sentence == (
        'staging_git_version is "main", but "https://example.com/app.git" does not have it; expected a branch, a tag '
        "or a commit of the repository; push it, or choose another one"
    )


def test_files_that_the_controller_cannot_read() -> None:
    inputs = DeploymentInputs({**GOOD, "staging_source_dir": "/src"})
    assert judge_readable(inputs, []) == []
    (found,) = judge_readable(inputs, ["a", "b", "c\n", "d"])
    assert (found.name, found.level) == ("source-unreadable", "error")
    assert found.sentence == (
        "staging_source_dir is \"/src\", but a, b, 'c\\n' and 1 more cannot be read; expected files that this user of "
        "the controller can read; make them readable, or add them to staging_source_exclude"
    )
