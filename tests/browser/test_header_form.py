"""The handshake of the Chromium that is installed has the form that websocket_check uses for it."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.header_form import (
    Handshake,
    HeaderForm,
    header_fields,
)
from ansible_collections.codeframe.staging.plugins.modules import browser_check
from module_runner import run
from websocket_peers import Peer, Request, peer

PAGE = "<!doctype html><title>x</title><script>new WebSocket(`ws://${location.host}/ws`, ['v1'])</script>"


def test_the_header_fields_are_those_of_chromium() -> None:
    handshakes: list[Request] = []

    def page_and_websocket(connection: Peer) -> None:
        request = connection.request()
        if not request.wants_upgrade:
            connection.answer(200, PAGE, Content_Type="text/html")
            return
        handshakes.append(request)
        connection.upgrade(request, Sec_WebSocket_Protocol="v1")
        connection.serve()

    with peer(page_and_websocket) as port:
        result = run(browser_check, {"url": f"http://127.0.0.1:{port}/", "hold": 0.5, "timeout": 20, "fail": False})
    assert handshakes, result
    sent = handshakes[0].headers
    handshake = Handshake(sent["host"], sent["sec-websocket-key"], sent["origin"], sent["user-agent"], ("v1",))
    ours = {name.lower(): value for name, value in header_fields(HeaderForm.CHROMIUM, handshake)}
    # The languages are those of the machine.
    assert dict(sent) | {"accept-language": ours["accept-language"]} == ours
    assert list(sent) == list(ours)
