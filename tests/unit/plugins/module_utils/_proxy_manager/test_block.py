"""The managed block: made, put in, found again, taken out."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block import (
    BEGIN,
    END,
    AccessRules,
    BlockError,
    Timeouts,
    WebSocketPath,
    access_rules,
    cut_out,
    parse_path,
    parse_paths,
    put_back,
    render,
    take_apart,
    with_access,
)
from hypothesis import given
from hypothesis import strategies as st

EXPECTED = """\
# BEGIN codeframe.staging websocket
# Managed: changes between these two lines are overwritten.
set $codeframe_upgrade "";
set $codeframe_connection "";
if ($http_upgrade ~* "^websocket$") {
    set $codeframe_upgrade websocket;
    set $codeframe_connection upgrade;
}
location = /ws {
    proxy_http_version 1.1;
    proxy_set_header Upgrade $codeframe_upgrade;
    proxy_set_header Connection $codeframe_connection;
    proxy_connect_timeout 60s;
    proxy_send_timeout 86400s;
    proxy_read_timeout 86400s;
    proxy_buffering off;
    auth_basic "Authorization required";
    auth_basic_user_file /data/access/3;
    proxy_set_header Authorization "";
    allow 192.0.2.0/24;
    deny all;
    satisfy any;
    add_header X-WebSocket-Block REVISION always;
    include conf.d/include/proxy.conf;
}
# END codeframe.staging websocket
"""


def block_text(*paths: WebSocketPath) -> str:
    return render(paths or (WebSocketPath("/ws"),), Timeouts()).text


def test_the_block_carries_the_rules_of_the_access_list() -> None:
    rules = AccessRules(3, has_users=True, clients=(("allow", "192.0.2.0/24"),), satisfy_any=True)
    block = render((WebSocketPath("/ws"),), Timeouts(), rules)
    assert block.text == EXPECTED.replace("REVISION", block.revision)


USERS = AccessRules(3, has_users=True, satisfy_any=True)
ADDRESSES = AccessRules(4, has_users=False, clients=(("allow", "192.0.2.0/24"), ("deny", "all")), pass_auth=True)


@pytest.mark.parametrize("kept", [None, USERS, ADDRESSES], ids=["open", "users", "addresses"])
@pytest.mark.parametrize("now", [None, USERS, ADDRESSES], ids=["open-now", "users-now", "addresses-now"])
def test_a_kept_block_takes_the_rules_that_are_in_force_now(kept: AccessRules | None, now: AccessRules | None) -> None:
    paths = (WebSocketPath("/ws", prefix=True), WebSocketPath("/api/", prefix=True, upgrade=False))
    text = render(paths, Timeouts(read_s=300), kept).text
    assert with_access(text, now) == render(paths, Timeouts(read_s=300), now).text


def test_a_kept_block_that_needs_no_other_rules_stays_byte_for_byte() -> None:
    edited = render((WebSocketPath("/ws"),), Timeouts(), USERS).text.replace("86400s", "3s").replace("\n", "\r\n")
    assert with_access(edited, USERS) == edited
    mark = render((), Timeouts(), created=True).text
    assert with_access(mark, USERS) == mark


def test_a_kept_block_of_another_form_is_not_brought_back_open() -> None:
    edited = block_text().replace("    include conf.d/include/proxy.conf;\n", "    proxy_pass http://192.0.2.1;\n")
    with pytest.raises(BlockError, match="a location of another form, which access rules cannot be put in"):
        with_access(edited, USERS)


def test_the_documented_block_is_the_real_one() -> None:
    guide = Path(__file__).parents[5] / "docs" / "nginx-proxy-manager.md"
    shown = guide.read_text(encoding="utf-8").partition("```nginx\n")[2].partition("```")[0]
    assert shown == block_text()


def test_a_host_that_was_created_without_a_path_has_the_mark_alone() -> None:
    mark = render((), Timeouts(), created=True)
    assert mark.text.splitlines()[2:] == ["# This host was created by codeframe.staging.", END]
    assert take_apart(f"{mark.text}a;").created_by_us


def test_the_text_never_makes_the_proxy_drop_its_own_location() -> None:
    text = block_text(WebSocketPath("/"), WebSocketPath("/ws", prefix=True))
    assert "location / {" not in text.replace("= / {", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"timeouts": Timeouts(read_s=1)}, {}, id="timeouts"),
        pytest.param({"paths": (WebSocketPath("/ws", prefix=True),)}, {}, id="paths"),
        pytest.param({"access": AccessRules(1, has_users=True)}, {}, id="access-list"),
        pytest.param({"created": True}, {}, id="created"),
        pytest.param({"paths": (WebSocketPath("/ws", upstream="192.0.2.1:80"),)}, {}, id="upstream"),
    ],
)
def test_another_block_has_another_revision(one: dict[str, object], other: dict[str, object]) -> None:
    base: dict[str, object] = {"paths": (WebSocketPath("/ws"),), "timeouts": Timeouts()}
    assert render(**(base | one)).revision != render(**(base | other)).revision  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("raw", "locations"),
    [
        pytest.param("/ws", (("=", "/ws"),), id="exact"),
        pytest.param({"path": "/ws", "prefix": True}, (("=", "/ws"), ("^~", "/ws/")), id="prefix"),
        pytest.param({"path": "/socket.io/", "prefix": "yes"}, (("^~", "/socket.io/"),), id="prefix-with-slash"),
        pytest.param({"path": "/ws", "prefix": "false"}, (("=", "/ws"),), id="word-of-a-template"),
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
            "websocket_paths has the entry 'ws'; expected a path like /ws of letters, digits and ._~@:+,=/-",
            id="no-slash",
        ),
        pytest.param(
            ["/ws { } location /x"],
            "websocket_paths has the entry '/ws { } location /x'; "
            "expected a path like /ws of letters, digits and ._~@:+,=/-",
            id="injection",
        ),
        pytest.param(
            ["/ws\n"],
            "websocket_paths has the entry '/ws\\n'; expected a path like /ws of letters, digits and ._~@:+,=/-",
            id="newline",
        ),
        pytest.param(
            [{"path": "/ws", "prefx": True}],
            "websocket_paths has an entry with the key 'prefx'; expected path, prefix, upstream",
            id="unknown-key",
        ),
        pytest.param(
            [{"path": "/ws", "upstream": "127.0.0.1"}],
            "websocket_paths has the upstream '127.0.0.1' for /ws; expected host and port like 192.0.2.10:80",
            id="upstream-without-port",
        ),
        pytest.param(["/ws", "/ws"], "websocket_paths and forward_paths name '/ws' twice; name it once", id="twice"),
        pytest.param(
            [{"path": "/", "prefix": True}],
            "websocket_paths has the prefix /, which is Nginx Proxy Manager's own location; "
            "name the path, or set allow_websocket_upgrade instead",
            id="root-prefix",
        ),
    ],
)
def test_a_path_that_no_location_can_be_made_for_is_refused(raw: list[object], message: str) -> None:
    with pytest.raises(BlockError) as caught:
        parse_paths(raw)
    assert str(caught.value) == message


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",))))
def test_taking_the_block_out_leaves_exactly_what_was_there(text: str) -> None:
    if BEGIN in text or END in text:
        return
    without = take_apart(text)
    assert without.block is None
    inside = take_apart(without.with_block(block_text()))
    assert inside.block == block_text()
    assert inside.foreign == text
    assert inside.with_block(None) == text


@given(st.text(alphabet="a\r\n# ;"), st.text(alphabet="a\r\n# ;"))
def test_a_block_is_replaced_where_it_stands(before: str, after: str) -> None:
    start = f"{before}\n" if before else ""
    found = take_apart(start + block_text() + after)
    assert (found.before, found.block, found.after) == (start, block_text(), after)
    other = block_text(WebSocketPath("/other"))
    assert found.with_block(other) == start + other + after
    assert take_apart(found.with_block(other)).paths == ("/other",)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        pytest.param(f"{BEGIN}\nx;\n", 1, 0, id="no-end"),
        pytest.param(f"{END}\n", 0, 1, id="no-begin"),
        pytest.param(f"{END}\n{BEGIN}\n", 1, 1, id="wrong-order"),
        pytest.param(f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n", 2, 2, id="two"),
    ],
)
def test_broken_markers_are_never_guessed_at(text: str, begins: int, ends: int) -> None:
    with pytest.raises(BlockError) as caught:
        take_apart(text)
    assert str(caught.value) == (
        f"the Advanced text has {begins} lines {BEGIN!r} and {ends} lines {END!r}; "
        "expected one of each in this order; remove the broken block by hand"
    )


def test_line_ends_of_windows_do_not_hide_the_markers() -> None:
    text = block_text().replace("\n", "\r\n")
    assert take_apart(f"a;\r\n{text}b;").foreign == "a;\r\nb;"


@given(st.text(alphabet="ab \n"), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6)), max_size=4))
def test_what_is_cut_out_can_be_put_back(text: str, cuts: list[tuple[int, int]]) -> None:
    spans = [(start, min(start + size, len(text))) for start, size in cuts if start < len(text)]
    rest, pieces = cut_out(text, spans)
    assert put_back(rest, pieces) == text


def test_a_rule_that_is_no_address_is_not_written_down() -> None:
    with pytest.raises(BlockError, match="expected allow or deny and an address or network"):
        access_rules({"id": 1, "items": [], "clients": [{"directive": "allow", "address": "all; deny all"}]})
