"""Paths of a managed block."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import (
    BlockError,
    BlockPath,
    parse_path,
    parse_paths,
)


@pytest.mark.parametrize(
    ("raw", "locations"),
    [
        pytest.param("/ws", (("=", "/ws"),), id="exact"),
        pytest.param({"path": "/ws", "prefix": True}, (("=", "/ws"), ("^~", "/ws/")), id="prefix"),
        pytest.param({"path": "/socket.io/", "prefix": "yes"}, (("^~", "/socket.io/"),), id="prefix-with-slash"),
        *(
            pytest.param({"path": "/ws/", "prefix": word}, (("^~", "/ws/"),), id=f"word-of-a-template-{word!r}")
            for word in ("yes", "true", "True", "on", "1", " true ")
        ),
        *(
            pytest.param({"path": "/ws", "prefix": word}, (("=", "/ws"),), id=f"word-of-a-template-{word!r}")
            for word in ("no", "false", "False", "off", "0", "")
        ),
        pytest.param("/", (("=", "/"),), id="root-exact"),
    ],
)
def test_a_path_is_exact_unless_it_is_a_prefix(raw: object, locations: tuple[tuple[str, str], ...]) -> None:
    assert parse_path(raw).locations == locations


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        pytest.param(
            ["ws"],
            "O(websocket_paths) has the entry 'ws'; expected a path like /ws of letters, digits and ._~@:+,=/-",
            id="no-slash",
        ),
        pytest.param(
            ["/ws { } location /x"],
            "O(websocket_paths) has the entry '/ws { } location /x'; "
            "expected a path like /ws of letters, digits and ._~@:+,=/-",
            id="injection",
        ),
        pytest.param(
            ["/ws\n"],
            "O(websocket_paths) has the entry '/ws\\n'; expected a path like /ws of letters, digits and ._~@:+,=/-",
            id="newline",
        ),
        pytest.param(
            [{"path": "/ws", "prefx": True}],
            "O(websocket_paths) has an entry with the key 'prefx'; expected path, prefix, upstream",
            id="unknown-key",
        ),
        pytest.param(
            [{"path": "/ws", "upstream": "127.0.0.1"}],
            "O(websocket_paths) has the upstream '127.0.0.1' for /ws; expected host and port like 192.0.2.10:80",
            id="upstream-without-port",
        ),
        pytest.param(
            ["/ws", "/ws"], "O(websocket_paths) and O(forward_paths) name '/ws' twice; name it once", id="twice"
        ),
        pytest.param(
            [{"path": "/", "prefix": True}],
            "O(websocket_paths) has the prefix /, which is the location of Nginx Proxy Manager itself; name the path, "
            "or switch Websockets Support on instead",
            id="root-prefix",
        ),
    ],
)
def test_a_path_that_no_location_can_be_made_of_is_refused(raw: list[object], message: str) -> None:
    with pytest.raises(BlockError) as caught:
        parse_paths(raw)
    assert str(caught.value) == message


def test_ordinary_paths_come_last_and_are_buffered_unless_told_otherwise() -> None:
    paths = parse_paths(["/ws"], ["/api/", {"path": "/events", "buffering": "no", "upstream": "[::1]:80"}])
    assert paths == (
        BlockPath("/ws"),
        BlockPath("/api/", upgrade=False, buffering=True),
        BlockPath("/events", upstream="[::1]:80", upgrade=False),
    )


def test_a_path_of_another_kind_may_not_have_the_same_location() -> None:
    with pytest.raises(BlockError, match="name '/ws/' twice"):
        parse_paths([{"path": "/ws", "prefix": True}], [{"path": "/ws/", "prefix": True}])
