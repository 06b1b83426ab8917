"""How variables are read, and how a message shows them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.module_utils._host.url import parse_url
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import (
    DEFAULTS,
    DeploymentInputs,
    Where,
    path_of,
)

ROOT = Path(__file__).resolve().parents[5]


@pytest.mark.parametrize(
    ("given", "where", "named", "shown"),
    [
        pytest.param({}, "staging_hold", "staging_hold", "not set", id="not set"),
        pytest.param({}, "staging_user", "staging_user", '"deploy" by default', id="default"),
        pytest.param({"staging_user": None}, "staging_user", "staging_user", "null", id="null"),
        pytest.param({"staging_user": ""}, "staging_user", "staging_user", "empty", id="empty"),
        pytest.param({"staging_user": "é"}, "staging_user", "staging_user", '"é"', id="text"),
        pytest.param({"a": "x\ny"}, "a", "a", '"x\\ny"', id="lines"),
        pytest.param({"a": [1, "b"]}, ("a", 1), "a[1]", '"b"', id="entry of a list"),
        pytest.param({"a": {"K": True}}, ("a", "K"), "a.K", "true", id="entry of a dictionary"),
        pytest.param({"a": {5: "x"}}, ("a", "5"), "a.5", '"x"', id="key that is a number"),
        pytest.param({"a": {"K": None}}, ("a", "K"), "a.K", "null", id="null entry"),
        pytest.param({"a": {"b": 1, "a": 2}}, "a", "a", '{"a": 2, "b": 1}', id="dictionary"),
        pytest.param({"a": "https://me:pw@h/x"}, "a", "a", '"https://***@h/x"', id="password of a URL"),
        pytest.param({"a_secret": {"K": "s"}}, ("a_secret", "K"), "a_secret.K", "a text (not shown)", id="secret"),
        pytest.param({"a_token": 5}, "a_token", "a_token", "a number (not shown)", id="secret number"),
        pytest.param({"a_secret": ["s"]}, "a_secret", "a_secret", "a list (not shown)", id="secret list"),
        pytest.param({"a_secret": True}, "a_secret", "a_secret", "a truth value (not shown)", id="secret truth"),
        pytest.param({"passwords": {}}, "passwords", "passwords", "a dictionary (not shown)", id="secret dictionary"),
        pytest.param({"a_secret": {"K": ""}}, ("a_secret", "K"), "a_secret.K", "empty", id="empty secret"),
        pytest.param({"a": object}, "a", "a", "\"<class 'object'>\"", id="anything"),
    ],
)
def test_a_message_shows_the_value_of_the_variable_that_it_names(
    given: dict[str, Any], where: Where, named: str, shown: str
) -> None:
    assert (path_of(where), DeploymentInputs(given).shown(where)) == (named, shown)


def test_a_value_that_may_be_a_secret_is_hidden() -> None:
    assert DeploymentInputs({"a": "s"}).shown("a", hide=True) == "a text (not shown)"


def test_a_long_value_is_shortened() -> None:
    assert DeploymentInputs({"a": "x" * 1000}).shown("a") == '"' + "x" * 158 + "…"
    assert DeploymentInputs({"a": "x" * 158}).shown("a") == '"' + "x" * 158 + '"'


@pytest.mark.parametrize("variable", DEFAULTS)
def test_a_default_is_that_of_the_roles(variable: str) -> None:
    read = [
        yaml.safe_load(default)
        for path in ROOT.glob("roles/*/defaults/main.yml")
        for default in re.findall(rf"\b{variable} \| default\(([^()]*)\)", path.read_text(encoding="utf-8"))
    ]
    assert read
    assert all(default == DEFAULTS[variable] for default in read)


@pytest.mark.parametrize(
    ("given", "url", "port"),
    [
        pytest.param({}, "http://a", 80, id="http"),
        pytest.param({}, "wss://a", 443, id="TLS"),
        pytest.param({}, "ws://a:8080", 8080, id="port of the URL"),
        pytest.param({"staging_proxy_port": "8081"}, "wss://a", 8081, id="port of nginx"),
        pytest.param({"staging_proxy_port": 0}, "http://a:81", 81, id="zero"),
        pytest.param({"staging_tls_before_proxy": True}, "https://a:8443", 80, id="TLS ends before"),
        pytest.param({"staging_tls_before_proxy": "yes"}, "http://a:8080", 8080, id="a plain URL"),
        pytest.param({"staging_tls_before_proxy": "False"}, "https://a", 443, id="false on a command line"),
    ],
)
def test_the_port_at_which_nginx_listens(given: dict[str, Any], url: str, port: int) -> None:
    assert DeploymentInputs(given).port_at_proxy(parse_url(url)) == port


def test_the_ports_of_the_processes() -> None:
    assert DeploymentInputs({}).own_ports() == {"staging_backend_port": 14200, "staging_frontend_port": 14100}
    given = {"staging_backend_switch": "blue_green", "staging_backend_port": "8000", "staging_frontend_port": "x"}
    assert DeploymentInputs(given).own_ports() == {
        "staging_backend_port": 8000,
        "staging_frontend_port": None,
        "staging_backend_green_port": 14201,
    }


@pytest.mark.parametrize(
    ("provider", "read"),
    [(None, "nginx"), ("", "nginx"), ("manual", "manual"), ("apache", "nginx"), ([], "nginx")],
)
def test_an_unknown_provider_counts_as_nginx(provider: Any, read: str) -> None:
    assert DeploymentInputs({"staging_proxy_provider": provider}).provider == read


def test_public_urls_that_cannot_be_parsed_are_left_out() -> None:
    given = {"staging_public_url": "x", "staging_public_api_url": 5, "staging_public_ws_url": "ws://a/ws"}
    assert DeploymentInputs(given).public_urls() == {"staging_public_ws_url": parse_url("ws://a/ws")}


def test_a_finding_on_an_entry_is_one_on_its_variable() -> None:
    inputs = DeploymentInputs({"staging_env": {"A": 1}, "staging_shared_paths": ["x"]})
    inputs.add("env-value", ("staging_env", "A"), "x", "y")
    inputs.add("path-relative", ("staging_shared_paths", 0), "x", "y")
    assert inputs.has_finding("staging_env")
    assert inputs.has_finding("staging_shared_paths")
    assert not inputs.has_finding("staging_env_secrets")
