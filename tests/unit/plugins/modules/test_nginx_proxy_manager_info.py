"""The module against the API of the test server, without nginx.

What it concludes from a real nginx is in tests/integration/test_nginx_proxy_manager_faults.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_info
from module_runner import RunModule
from proxy_manager_options import option_specs
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.nginx import NoNginx
from proxy_manager_peer.server import Peer

NAME = "api.test"
pytestmark = pytest.mark.usefixtures("private_directory")


@pytest.fixture(params=VERSIONS)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    with Peer(request.param, tmp_path, NoNginx(tmp_path), save_delay_s=0, reload_delay_s=0) as peer:
        peer.add_host(NAME, 14200)
        yield peer


def arguments(peer: Peer, **more: Any) -> dict[str, Any]:
    login = {"identity": "admin@example.com", "secret": "correct horse", "token_cache": False}
    return {"api_url": peer.url, **login, "domain_name": NAME} | more


def test_the_list_is_alike_for_all_versions(peer: Peer, run_module: RunModule) -> None:
    args = arguments(peer, proxy_address="127.0.0.1", proxy_port=9)
    (host,) = run_module(nginx_proxy_manager_info, args)["hosts"]
    assert (host["enabled"], host["online"], host["block"]) == (True, True, None)
    assert "advanced_config" not in host


def test_the_block_is_rendered_without_a_login(run_module: RunModule) -> None:
    result = run_module(nginx_proxy_manager_info, {"websocket_paths": ["/ws"]})
    assert result["verdict"] == "not_asked"
    assert "location = /ws {" in result["block"]


def test_a_timeout_that_nginx_refuses_is_named(run_module: RunModule) -> None:
    result = run_module(nginx_proxy_manager_info, {"websocket_paths": ["/ws"], "read_timeout": 0})
    assert (result["failed"], result["msg"]) == (True, "read_timeout is 0; expected 1 to 31536000 seconds")


def test_a_message_names_the_variables_of_the_role(run_module: RunModule) -> None:
    args = {"domain_name": NAME, "proxy_address": "127.0.0.1", "proxy_port": 9, "websocket_paths": ["/ws"]}
    result = run_module(nginx_proxy_manager_info, args | {"option_names": {"proxy_address": "staging_proxy_address"}})
    assert result["verdict"] == "no_answer"
    assert "check staging_proxy_address, proxy_port and that it runs" in result["msg"]


def test_the_documented_options_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    documented, declared = option_specs(nginx_proxy_manager_info, monkeypatch)
    assert documented == declared
