"""The variables of the role from which the options of the modules are set."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.role_variables import (
    backup_elsewhere,
    missing_login,
    option_names,
)
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host

ROLE = Path(__file__).resolve().parents[5] / "roles/proxy"


NO_URL = "is not set, expected the address of Nginx Proxy Manager such as http://proxy.example.com:81"


@pytest.mark.parametrize(
    ("login", "expected"),
    [
        pytest.param(("http://x", "a", "b", ""), (), id="account"),
        pytest.param(("http://x", "", "", "t"), (), id="token"),
        pytest.param(("", "", "", "t"), (f"proxy_manager_api_url {NO_URL}",), id="no-address"),
        *(
            pytest.param(
                ("http://x", identity, secret, ""),
                (
                    "proxy_manager_identity and proxy_manager_secret are not both set, expected the login of an "
                    "account of Nginx Proxy Manager, or proxy_manager_token",
                ),
                id=f"half-{identity}{secret}",
            )
            for identity, secret in (("a", ""), ("", "b"), ("", ""))
        ),
    ],
)
def test_a_login_is_complete_or_named(login: tuple[str, str, str, str], expected: tuple[str, ...]) -> None:
    assert missing_login(*login) == expected


def test_a_missing_login_is_named_by_the_variables_to_set() -> None:
    url, login = missing_login("", "", "", "", ["staging_public_url"])
    assert url == f"staging_proxy_manager_api_url {NO_URL}"
    assert login.startswith("staging_proxy_manager_identity and staging_proxy_manager_secret are not both set")
    assert login.endswith("or staging_proxy_manager_token")


def test_an_option_is_called_by_the_variable_to_set() -> None:
    assert option_names([])["api_url"] == "proxy_manager_api_url"
    names = option_names(["staging_public_url"])
    assert (names["api_url"], names["ca_path"]) == ("staging_proxy_manager_api_url", "staging_proxy_manager_ca_path")


def test_every_variable_and_every_option_exists() -> None:
    specs = yaml.safe_load((ROLE / "meta/argument_specs.yml").read_text())["argument_specs"]["main"]["options"]
    assert set(option_names([]).values()) <= set(specs)
    shared = {name for name in option_names(["x"]).values() if name.startswith("staging_")}
    defaults = "".join(path.read_text() for path in ROLE.parent.glob("*/defaults/main.yml"))
    assert [name for name in shared if name not in defaults] == []
    assert len(shared) == 26


def test_the_role_names_the_options_that_it_sets() -> None:
    task = (ROLE / "tasks/nginx_proxy_manager_hosts.yml").read_text()
    options = yaml.safe_load(nginx_proxy_manager_host.DOCUMENTATION)["options"]
    # What has no variable of its own: the name of each host, and what the role decides itself.
    unnamed = {"domain_name", "state", "previous", "forward_scheme", "switches", "wire_timeout", "api_url"}
    unnamed |= {"separate_names"}
    assert {name for name in options if f"    {name}: " in task} - set(option_names([])) <= unnamed


@pytest.mark.parametrize(
    ("backup_dir", "api_from", "expected"),
    [
        pytest.param("", "host", (), id="no-export"),
        pytest.param("/var/backups/proxy", "controller", (), id="on-the-controller"),
        pytest.param(
            "/var/backups/proxy",
            "host",
            (
                "proxy_manager_backup_dir is a directory on the controller, and proxy_manager_api_from is host; unset "
                "one of them",
            ),
            id="from-the-host",
        ),
    ],
)
def test_an_export_is_on_the_controller(backup_dir: str, api_from: str, expected: tuple[str, ...]) -> None:
    assert backup_elsewhere(backup_dir, api_from) == expected
