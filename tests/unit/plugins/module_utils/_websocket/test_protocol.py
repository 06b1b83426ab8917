# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Protocols above WebSocket: what a client adds, expects and answers."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.protocol import (
    GRAPHQL,
    PLAIN,
    SOCKETIO,
    protocol_of,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.settings import SettingsError, parse_settings


@pytest.mark.parametrize(
    ("protocol", "message", "answer"),
    [
        pytest.param(SOCKETIO, "2", "3", id="engine-ping"),
        pytest.param(SOCKETIO, "2probe", "3probe", id="engine-ping-with-data"),
        pytest.param(SOCKETIO, '42["event"]', None, id="event"),
        pytest.param(SOCKETIO, "", None, id="empty"),
        pytest.param(SOCKETIO, b"2", None, id="binary"),
        pytest.param(GRAPHQL, '{"type": "ping"}', '{"type":"pong"}', id="graphql-ping"),
        pytest.param(GRAPHQL, '{"type": "next"}', None, id="graphql-data"),
        pytest.param(GRAPHQL, '["ping"]', None, id="graphql-list"),
        pytest.param(GRAPHQL, "ping", None, id="no-json"),
        pytest.param(PLAIN, "2", None, id="plain"),
        pytest.param(PLAIN, '{"type": "ping"}', None, id="plain-json"),
    ],
)
def test_a_ping_of_the_server_is_answered_as_its_protocol_says(protocol, message, answer):
    assert protocol_of(protocol).answer_to(message) == answer


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("ws://a:1/socket.io/", "ws://a:1/socket.io/?EIO=4&transport=websocket"),
        ("wss://a", "wss://a/socket.io/?EIO=4&transport=websocket"),
        ("wss://a/", "wss://a/socket.io/?EIO=4&transport=websocket"),
        ("ws://a/live/?room=1", "ws://a/live/?room=1&EIO=4&transport=websocket"),
        ("ws://a/socket.io/?transport=websocket&EIO=3", "ws://a/socket.io/?transport=websocket&EIO=3"),
    ],
)
def test_the_query_of_engine_io_is_added_to_the_url(url, asked):
    assert protocol_of(SOCKETIO).endpoint({"url": url})["url"] == asked


def test_only_a_websocket_asks_for_the_subprotocol():
    assert protocol_of(GRAPHQL).endpoint({"url": "ws://a"})["subprotocols"] == [GRAPHQL]
    assert protocol_of(GRAPHQL).endpoint({"url": "ws://a", "subprotocols": ["x"]})["subprotocols"] == ["x"]
    assert protocol_of(GRAPHQL).endpoint({"url": "http://a", "transport": "sse"}) == {
        "url": "http://a",
        "transport": "sse",
    }
    assert protocol_of(PLAIN).endpoint({"url": "ws://a"}) == {"url": "ws://a"}


@pytest.mark.parametrize(
    ("message", "accepted"), [("40", True), ('40{"sid":"x"}', True), ('44{"message":"no"}', False), ("0{}", False)]
)
def test_the_namespace_is_connected_when_the_server_says_so(message, accepted):
    expect = protocol_of(SOCKETIO).expect
    assert expect is not None
    assert expect.met_by(message) is accepted


@pytest.mark.parametrize("given", [{"send": "x"}, {"expect": "x"}])
def test_messages_of_the_user_do_not_go_with_a_protocol(given):
    with pytest.raises(SettingsError, match="send and expect cannot be given"):
        parse_settings({"protocol": SOCKETIO, **given})


def test_an_unknown_protocol_is_refused():
    with pytest.raises(
        SettingsError, match="protocol is 'mqtt'; expected one of plain, socketio, graphql-transport-ws"
    ):
        parse_settings({"protocol": "mqtt"})
