"""The routes of the proxy; whole sentences are in the table of tests/bad_inputs.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import paths
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from bad_inputs import GOOD

ROOT = Path(__file__).resolve().parents[5]


@pytest.mark.parametrize(
    ("routes", "url"),
    [
        pytest.param(["/ws"], "ws://api.example.com/ws", id="the path itself"),
        pytest.param(["/live", "/ws/"], "ws://api.example.com/ws/v2", id="below"),
        pytest.param(["/ws/"], "ws://api.example.com/ws/", id="with its slash"),
    ],
)
def test_a_websocket_path_that_the_proxy_routes_is_fine(routes: list[str], url: str) -> None:
    found = check_inputs({**GOOD, "staging_public_ws_url": url, "staging_websocket_paths": routes})
    assert [item.name for item in found if item.name != "trailing-slash"] == []


def test_the_api_may_have_a_path_of_the_websockets() -> None:
    assert check_inputs({**GOOD, "staging_websocket_paths": ["/ws"], "staging_api_paths": ["/ws", "/api/"]}) == []
    found = check_inputs({**GOOD, "staging_api_paths": ["/api/", "/api/"]})
    assert [(item.name, item.variable) for item in found] == [("route-twice", "staging_api_paths[1]")]


@pytest.mark.parametrize(
    ("path", "plain"),
    [
        ("", True),
        ("/", True),
        ("/ws", True),
        ("/a/b/", True),
        ("/a.b/~c_d+e,f=g:h@i-j", True),
        ("/...", True),
        ("/a//b", False),
        ("/.", False),
        ("/a/../b", False),
        ("/a/..", False),
        ("/a b", False),
        ("/%20", False),
        ("/a;b", False),
        ("/a\n", False),
        ("ws", False),
    ],
)
def test_paths_that_the_configuration_of_the_proxy_can_contain(path: str, plain: bool) -> None:
    assert paths.is_plain_path(path) is plain


@pytest.mark.parametrize(
    ("route", "path", "takes"),
    [
        ("/ws", "/ws", True),
        ("/ws", "/ws/", False),
        ("/ws", "/wsx", False),
        ("/ws/", "/ws", False),
        ("/ws/", "/ws/v2", True),
        ("/", "/ws", True),
    ],
)
def test_a_route_with_a_slash_at_its_end_takes_what_is_below(route: str, path: str, takes: bool) -> None:
    assert paths.route_takes(route, path) is takes
