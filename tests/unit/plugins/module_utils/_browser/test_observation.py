"""What is told from the events of a browser."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._browser.observation import same_endpoint


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param("ws://a.b/ws?x=1", "ws://A.b:80/ws", True, id="query, default port and capital letters"),
        pytest.param("ws://a.b", "ws://a.b/", True, id="no path"),
        pytest.param("ws://a.b/ws", "wss://a.b/ws", False, id="scheme"),
        pytest.param("ws://a.b/ws", "ws://a.b:81/ws", False, id="port"),
        pytest.param("ws://a.b/ws", "ws://a.b/ws/", False, id="path"),
        pytest.param("ws://u:p@a.b/ws", "ws://u:p@a.b/ws", True, id="not read as a URL, but equal"),
        pytest.param("ws://u:p@a.b/ws", "ws://a.b/ws", False, id="not read as a URL"),
    ],
)
def test_two_urls_lead_to_the_same_endpoint(one: str, other: str, same: bool) -> None:
    assert same_endpoint(one, other) is same
