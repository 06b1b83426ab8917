"""One request without an upgrade, against a peer on loopback."""

from __future__ import annotations

import asyncio
import threading

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.http_answer import MAX_BODY
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.http_exchange import ask
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.observation import Fault
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import parse_target
from free_ports import free_port
from websocket_peers import Peer, peer


def endpoint(port: int, **more: object) -> dict[str, object]:
    return {"name": "e", "url": f"ws://127.0.0.1:{port}/ws", **more}


def test_the_same_request_without_an_upgrade_has_the_answer_with_the_beginning_of_its_body() -> None:
    requests: list[str] = []

    def answering(connection: Peer) -> None:
        request = connection.request()
        requests.append(f"{request.line} {request.headers.get('connection')} {request.headers.get('origin')}")
        connection.answer(404, "x" * (MAX_BODY + 100))

    with peer(answering) as port:
        seen = asyncio.run(ask(parse_target(endpoint(port, origin="http://page")), None, 5))
    assert seen.answer is not None
    assert (seen.status, seen.answer.body, seen.fault) == (404, b"x" * MAX_BODY, None)
    assert requests == ["GET /ws HTTP/1.1 close http://page"]


def test_an_answer_that_ends_too_early_or_never_is_taken_as_far_as_it_came() -> None:
    def announcing_more(connection: Peer) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\nsome of it")
        connection.wait()

    with peer(announcing_more) as port:
        seen = asyncio.run(ask(parse_target(endpoint(port)), None, 0.5))
    assert seen.answer is not None
    assert (seen.answer.body, seen.fault) == (b"some of it", None)


def test_the_end_of_a_chunked_body_is_not_waited_for() -> None:
    def chunked(connection: Peer) -> None:
        connection.request()
        connection.send(b"HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
        connection.wait()

    with peer(chunked) as port:
        answer = asyncio.run(asyncio.wait_for(ask(parse_target(endpoint(port)), None, 60), 0.9)).answer
    assert answer is not None
    assert answer.body == b"4\r\nbody\r\n0\r\n\r\n"


def test_without_a_connection_the_fault_says_why() -> None:
    seen = asyncio.run(ask(parse_target(endpoint(free_port())), None, 5))
    assert (seen.answer, seen.fault) == (None, Fault.REFUSED)


def test_requests_in_several_threads_do_not_mix() -> None:
    def echoing(connection: Peer) -> None:
        request = connection.request()
        connection.answer(404, request.line * 300)

    results: dict[int, set[bytes]] = {}

    def ask_often(number: int, port: int) -> None:
        target = parse_target(endpoint(port, url=f"ws://127.0.0.1:{port}/{number}"))
        answers = [asyncio.run(ask(target, None, 20)).answer for _ in range(40)]
        results[number] = {answer.body[:20] for answer in answers if answer is not None}

    with peer(echoing) as port:
        threads = [threading.Thread(target=ask_often, args=(number, port)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert results == {number: {f"GET /{number} HTTP/1.1GET /"[:20].encode()} for number in range(4)}
