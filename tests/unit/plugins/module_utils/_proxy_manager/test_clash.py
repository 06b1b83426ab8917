"""What in a user's configuration clashes with the managed block."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import (
    BEGIN,
    END,
    split_text,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.clash import find_clashes
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import BlockPath

HEADERS = "proxy_set_header Upgrade $http_upgrade;\n"
WS = (BlockPath("/ws"),)
WS_AND_BELOW = (BlockPath("/ws", prefix=True),)


@pytest.mark.parametrize(
    ("text", "paths", "switch", "expected"),
    [
        pytest.param("", WS, True, [], id="empty"),
        pytest.param("# proxy_http_version 1.1;\n", WS, True, [], id="only-a-comment"),
        pytest.param("proxy_http_version 1.1;", WS, True, [("snippet_with_switch", True)], id="snippet-switch-on"),
        pytest.param(HEADERS, WS, False, [("snippet_without_effect", False)], id="snippet-switch-off"),
        pytest.param(HEADERS, WS, True, [("snippet_without_effect", False)], id="headers-alone-are-no-duplicate"),
        pytest.param("location /x { " + HEADERS + "}", WS, True, [], id="headers-in-another-location"),
        pytest.param(
            "proxy_read_timeout 1s; proxy_read_timeout 2s;", WS, False, [("duplicate_directive", True)], id="twice"
        ),
        pytest.param("location = /ws { }", WS, False, [("other_location", True)], id="same-exact-location"),
        pytest.param("location /ws { }", WS, False, [("other_location", True)], id="prefix-location"),
        pytest.param("location ^~ /ws { " + HEADERS + "}", WS, False, [("pasted_location", True)], id="pasted"),
        pytest.param("location ~ ^/ws$ { " + HEADERS + "}", WS, False, [("pasted_location", True)], id="regex"),
        pytest.param("location ~ ^/(ws|api) { deny all; }", WS, False, [("other_location", True)], id="other-regex"),
        pytest.param("location ~* ^/WS { deny all; }", WS, False, [("other_location", True)], id="regex-of-any-case"),
        pytest.param("location ~ ^/ { }", WS, False, [], id="regex-of-every-path"),
        pytest.param("location /w { }", WS, False, [("location_above", False)], id="prefix-above"),
        pytest.param("location = /w { }", WS, False, [], id="exact-above"),
        pytest.param("location ~ \\.php$ { }", WS, False, [], id="regex-of-something-else"),
        pytest.param("location ~ (?<x>[ { }", WS, False, [("unknown_pattern", False)], id="regex-only-for-nginx"),
        pytest.param("location ~ ^/(?<x>w)s { }", WS, False, [("other_location", True)], id="named-group"),
        pytest.param("location =/ws { }", WS, False, [("other_location", True)], id="modifier-without-a-blank"),
        pytest.param("location ~^/ws { }", WS, False, [("other_location", True)], id="regex-without-a-blank"),
        pytest.param("location ^~/ws { }", WS, False, [("other_location", True)], id="prefix-without-a-blank"),
        pytest.param("location ~ ^/ws/chat { }", WS, False, [], id="regex-below-an-exact-path"),
        pytest.param("location ~ ^/(api|ws)/ { }", WS, False, [], id="regex-of-what-is-below"),
        pytest.param("location ~ ^/(api|ws)/ { }", WS_AND_BELOW, False, [("other_location", True)], id="regex-below"),
        pytest.param("location ~ ^/[[:lower:]]+$ { }", WS, False, [("other_location", True)], id="character-class"),
        pytest.param("location ~ ^/ws\\z { }", WS, False, [("other_location", True)], id="end-as-pcre-writes-it"),
        pytest.param(
            "location /a { location ~ ^/ws { } }", WS, False, [("other_location", True)], id="regex-in-another-location"
        ),
        pytest.param("location ~ \\.(js|css)$ { }", WS_AND_BELOW, False, [], id="regex-of-files"),
        pytest.param(
            "location ~ ^/ws/chat { }", WS_AND_BELOW, False, [("other_location", True)], id="regex-below-a-prefix"
        ),
        pytest.param(
            "location /w { location /ws { } }",
            WS,
            False,
            [("location_above", False), ("other_location", True)],
            id="inside-another",
        ),
        pytest.param("location @ws { }", WS, False, [], id="named"),
        pytest.param("location /ws/ { }", WS, False, [], id="below-an-exact-path"),
        pytest.param("location /ws/ { }", WS_AND_BELOW, False, [("other_location", True)], id="below-a-prefix"),
        pytest.param("location /wsx { }", WS_AND_BELOW, False, [], id="longer-name"),
        pytest.param("location / { }", WS, False, [("own_default_location", False)], id="own-default"),
        pytest.param("# location / { }", WS, False, [], id="default-in-comment"),
        pytest.param(
            "# x; location / { }", WS, False, [("default_location_mentioned", False)], id="default-after-a-semicolon"
        ),
        pytest.param(
            "set $a 1; location / { }", WS, False, [("own_default_location", False)], id="own-after-a-semicolon"
        ),
        pytest.param("location\n/\n{ }", WS, False, [("own_default_location", False)], id="own-over-lines"),
        pytest.param("\tlocation / { }", WS, False, [("own_default_location", False)], id="own-with-a-tab"),
        pytest.param("if ($a {", WS, False, [("unreadable", False)], id="not-complete"),
        pytest.param("proxy_http_version 1.1 { }", WS, False, [], id="directive-with-a-block-by-mistake"),
        pytest.param("location /ws { }", (), False, [], id="nothing-wanted"),
    ],
)
def test_each_clash_has_its_kind(
    text: str, paths: tuple[BlockPath, ...], switch: bool, expected: list[tuple[str, bool]]
) -> None:
    assert [(each.kind, each.fatal) for each in find_clashes(text, (), paths, switch)] == expected


DUPLICATE = "which nginx would refuse as a duplicate"
TAKEN = "whose requests the managed block would take"


@pytest.mark.parametrize(
    ("path", "paths", "effect"),
    [
        pytest.param("/ws", WS, TAKEN, id="prefix"),
        pytest.param("= /ws", WS, DUPLICATE, id="exact"),
        pytest.param("=/ws", WS, DUPLICATE, id="exact-without-a-blank"),
        pytest.param("^~ /ws", WS, TAKEN, id="prefix-without-regex"),
        pytest.param("^~ /ws/", WS_AND_BELOW, DUPLICATE, id="prefix-twice"),
        pytest.param("~ ^/ws", WS, TAKEN, id="regex"),
        pytest.param("~* ^/WS$", WS, TAKEN, id="regex-of-any-case"),
        pytest.param('~ "^/ws$"', WS, TAKEN, id="quoted"),
    ],
)
def test_a_custom_location_is_read_as_nginx_does(path: str, paths: tuple[BlockPath, ...], effect: str) -> None:
    (found,) = find_clashes("", [{"path": path}], paths, switch_on=False)
    assert (found.kind, found.fatal, found.spans) == ("custom_location", True, ())
    assert found.text == f"the host has a custom location {path}, {effect}"


@pytest.mark.parametrize("path", ["~ ^/chat", "= /wsx", "/chat", "~ ^/", "/"])
def test_a_custom_location_of_another_path_is_none(path: str) -> None:
    assert find_clashes("", [{"path": path}], WS, switch_on=False) == ()


def test_a_custom_location_that_nginx_cannot_read_is_no_reason_to_stop() -> None:
    (found,) = find_clashes("", [{"path": "/ws { } location /x"}], WS, switch_on=False)
    assert (found.kind, found.fatal) == ("unreadable", False)


def test_lines_are_those_that_the_user_sees() -> None:
    text = split_text(f"# first\n{BEGIN}\n#\n{END}\n# mine\nlocation = /ws {{ }}\n")
    (found,) = find_clashes(text.unmanaged, (), WS, switch_on=False, line_of=text.line_of)
    assert found.text.startswith("line 6 of the Advanced text has a location = /ws of its own")
    broken = split_text(f"{BEGIN}\n#\n{END}\na 1;\nif ($a {{")
    (found,) = find_clashes(broken.unmanaged, (), WS, switch_on=False, line_of=broken.line_of)
    assert found.text == (
        "the Advanced text is not a complete nginx configuration (a block that is not closed in line 5); nginx decides "
        "on it"
    )


def test_a_location_above_a_path_is_reported_and_does_not_prevent_the_change() -> None:
    (found,) = find_clashes("", [{"path": "/api"}], (BlockPath("/api/ws"),), switch_on=False)
    assert (found.kind, found.fatal) == ("location_above", False)
    assert found.text == (
        "the host has a custom location /api, and the managed block takes /api/ws out of it, so that its rules and its "
        "forward address do not apply there"
    )


def test_only_what_was_pasted_for_the_websocket_can_be_removed() -> None:
    text = "location = /ws { return 410; }\nlocation /ws { " + HEADERS + "}"
    assert [bool(each.spans) for each in find_clashes(text, (), WS, switch_on=False)] == [False, True]


def test_lines_of_a_text_with_other_line_ends_are_those_of_the_page() -> None:
    text = "a b;\r\n\r\nproxy_read_timeout 1s;\r\nproxy_read_timeout 2s;\r\n"
    (clash,) = find_clashes(text, [], (), switch_on=False)
    assert "(lines 3 and 4 of the Advanced text)" in clash.text
