"""The managed block as it is rendered, and with other access rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.access import AccessRules
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import END, split_text
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block import (
    Timeouts,
    render,
    with_rules,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import BlockError, BlockPath

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


def block_text(*paths: BlockPath) -> str:
    return render(paths or (BlockPath("/ws"),), Timeouts()).text


def test_the_block_has_the_rules_of_the_access_list() -> None:
    rules = AccessRules(3, has_users=True, clients=(("allow", "192.0.2.0/24"),), satisfy_any=True)
    block = render((BlockPath("/ws"),), Timeouts(), rules)
    assert block.text == EXPECTED.replace("REVISION", block.revision)


USERS = AccessRules(3, has_users=True, satisfy_any=True)
ADDRESSES = AccessRules(4, has_users=False, clients=(("allow", "192.0.2.0/24"), ("deny", "all")), pass_auth=True)


@pytest.mark.parametrize("saved", [None, USERS, ADDRESSES], ids=["no-rules", "users", "addresses"])
@pytest.mark.parametrize("now", [None, USERS, ADDRESSES], ids=["no-rules-now", "users-now", "addresses-now"])
def test_a_saved_block_gets_the_rules_that_are_in_force_now(saved: AccessRules | None, now: AccessRules | None) -> None:
    paths = (BlockPath("/ws", prefix=True), BlockPath("/api/", prefix=True, upgrade=False))
    text = render(paths, Timeouts(read_s=300), saved).text
    assert with_rules(text, now) == render(paths, Timeouts(read_s=300), now).text


def hsts(_location: str) -> tuple[str, ...]:
    return ("add_header Strict-Transport-Security $hsts_header always;",)


def test_a_saved_block_gets_the_headers_that_are_in_force_now() -> None:
    paths = (BlockPath("/ws", prefix=True), BlockPath("/api/", prefix=True, upgrade=False))
    plain, secure = render(paths, Timeouts(), USERS), render(paths, Timeouts(), USERS, headers=hsts)
    assert secure.text.count("add_header Strict-Transport-Security") == 3
    assert with_rules(plain.text, USERS, hsts) == secure.text
    assert with_rules(secure.text, USERS) == plain.text


def test_a_saved_block_with_the_same_rules_stays_byte_for_byte() -> None:
    edited = render((BlockPath("/ws"),), Timeouts(), USERS).text.replace("86400s", "3s").replace("\n", "\r\n")
    assert with_rules(edited, USERS) == edited
    mark = render((), Timeouts(), created=True).text
    assert with_rules(mark, USERS) == mark


def test_a_saved_block_of_another_form_is_not_restored_without_rules() -> None:
    edited = block_text().replace("    include conf.d/include/proxy.conf;\n", "    proxy_pass http://192.0.2.1;\n")
    with pytest.raises(BlockError, match="a location of another form, to which access rules cannot be added"):
        with_rules(edited, USERS)


def test_the_documented_block_is_the_real_one() -> None:
    guide = Path(__file__).parents[5] / "docs" / "nginx-proxy-manager.md"
    shown = guide.read_text(encoding="utf-8").partition("```nginx\n")[2].partition("```")[0]
    assert shown == block_text()


def test_a_host_that_was_created_without_a_path_has_the_mark_alone() -> None:
    mark = render((), Timeouts(), created=True)
    assert mark.text.splitlines()[2:] == ["# This host was created by codeframe.staging.", END]
    assert split_text(f"{mark.text}a;").created_by_us


def test_the_text_never_makes_the_proxy_drop_its_own_location() -> None:
    text = block_text(BlockPath("/"), BlockPath("/ws", prefix=True))
    assert "location / {" not in text.replace("= / {", "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"timeouts": Timeouts(read_s=1)}, {}, id="timeouts"),
        pytest.param({"paths": (BlockPath("/ws", prefix=True),)}, {}, id="paths"),
        pytest.param({"access": AccessRules(1, has_users=True)}, {}, id="access-list"),
        pytest.param({"created": True}, {}, id="created"),
        pytest.param({"paths": (BlockPath("/ws", upstream="192.0.2.1:80"),)}, {}, id="upstream"),
    ],
)
def test_another_block_has_another_revision(one: dict[str, object], other: dict[str, object]) -> None:
    base: dict[str, object] = {"paths": (BlockPath("/ws"),), "timeouts": Timeouts()}
    assert render(**(base | one)).revision != render(**(base | other)).revision  # type: ignore[arg-type]
