"""nginx's choice of the location.

Where an order of precedence is tested, all orders of the file are: otherwise "the last one wins" passes too.
"""

from __future__ import annotations

from itertools import permutations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import Directive, parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.location_choice import (
    choose_location,
    title,
)


def server(*locations: str) -> Directive:
    return parse(f"server {{ {' '.join(locations)} }}", "/f")[0]


def chosen(block: Directive, path: str) -> list[str]:
    return [" ".join(each.args) for each in choose_location(block, path).chain]


@pytest.mark.parametrize(
    ("locations", "path", "expected"),
    [
        pytest.param(["/", "/ws"], "/ws", "/ws", id="longest-prefix"),
        pytest.param(["/", "/w", "/ws", "/wsx"], "/ws/a", "/ws", id="longest-prefix-that-matches"),
        pytest.param(["/", "/ws"], "/wsx", "/ws", id="a-prefix-matches-longer-words"),
        pytest.param(["/", "/ws/"], "/wsx", "/", id="a-prefix-with-a-slash-does-not"),
        pytest.param(["/", "^~ /ws"], "/ws", "^~ /ws", id="longest-prefix-with-its-modifier"),
        pytest.param(["^~ /", "/ws"], "/ws", "/ws", id="a-longer-prefix-beats-the-modifier"),
        pytest.param(["= /ws", "/", "~ w"], "/ws", "= /ws", id="exact-before-regex"),
        pytest.param(["= /ws", "/ws"], "/ws", "= /ws", id="exact-before-prefix"),
        pytest.param(["= /ws", "^~ /ws"], "/ws", "= /ws", id="exact-before-modified-prefix"),
        pytest.param(["= /ws", "/"], "/wsx", "/", id="exact-does-not-match-longer-words"),
        pytest.param(["=/ws", "/"], "/ws", "=/ws", id="exact-without-a-space"),
        pytest.param(["/ws", "~ ^/w", "/"], "/ws", "~ ^/w", id="regex-before-prefix"),
        pytest.param(["/ws", "~ ^/x", "/"], "/ws", "/ws", id="prefix-where-no-regex-matches"),
        pytest.param(["^~ /ws", "~ ^/w", "/"], "/ws", "^~ /ws", id="modified-prefix-before-regex"),
        pytest.param(["^~ /", "/ws", "~ ^/w"], "/ws", "~ ^/w", id="the-modifier-of-a-shorter-prefix-does-not-count"),
        pytest.param(["^~/ws", "~^/w"], "/ws", "^~/ws", id="modifiers-without-a-space"),
        pytest.param(["~*^/W", "/"], "/ws", "~*^/W", id="regex-that-ignores-case"),
        pytest.param(["~ ^/W", "/"], "/ws", "/", id="regex-that-does-not"),
        pytest.param(["@named", "/"], "/ws", "/", id="named"),
    ],
)
def test_the_location_is_chosen_whatever_the_order_of_the_file(locations: list[str], path: str, expected: str) -> None:
    for order in permutations(locations):
        assert chosen(server(*(f"location {each} {{}}" for each in order)), path) == [expected], order


@pytest.mark.parametrize("order", [["~* /WS", "~ ^/w"], ["~ ^/w", "~* /WS"]])
def test_of_several_regexes_the_first_wins(order: list[str]) -> None:
    assert chosen(server("location / {}", *(f"location {each} {{}}" for each in order)), "/ws") == [order[0]]


@pytest.mark.parametrize(
    ("locations", "path", "expected"),
    [
        pytest.param("location /a { location /a/ws {} location /a/w {} }", "/a/ws", ["/a", "/a/ws"], id="nested"),
        pytest.param(
            "location /a { location /a/w {} location /a/ws {} }", "/a/ws", ["/a", "/a/ws"], id="nested-swapped"
        ),
        pytest.param("location /a { location = /a/ws {} } location ~ a {}", "/a/ws", ["/a", "= /a/ws"], id="exact"),
        pytest.param(
            "location ~ a {} location /a { location ~ ws {} }", "/a/ws", ["/a", "~ ws"], id="nested-regex-first"
        ),
        pytest.param(
            "location ^~ /a { location /a/ws {} } location ~ a {}", "/a/ws", ["^~ /a", "/a/ws"], id="outer-modifier"
        ),
        pytest.param(
            "location /a { location ^~ /a/ws {} } location ~ a {}", "/a/ws", ["~ a"], id="inner-modifier-counts-inside"
        ),
        pytest.param(
            "location /a { location ^~ /a/ws {} location ~ ws {} }",
            "/a/ws",
            ["/a", "^~ /a/ws"],
            id="inner-modifier-before-inner-regex",
        ),
        pytest.param(
            "location ~ a { location /a/ws {} location ~ w {} }", "/a/ws", ["~ a", "~ w"], id="regexes-in-a-regex"
        ),
        pytest.param("", "/ws", [], id="none"),
        pytest.param("location /api {}", "/ws", [], id="none-that-matches"),
    ],
)
def test_nested_locations_are_looked_into(locations: str, path: str, expected: list[str]) -> None:
    assert chosen(server(locations), path) == expected


@pytest.mark.parametrize(
    ("locations", "expected"),
    [
        pytest.param("location /ws/ { proxy_pass x; }", True, id="prefix"),
        pytest.param("location = /ws/ { fastcgi_pass x; }", True, id="exact"),
        pytest.param("location / {} location /ws/ { proxy_pass x; }", True, id="before-a-shorter-prefix"),
        pytest.param("location ~ w {} location /ws/ { proxy_pass x; }", True, id="before-a-regex"),
        pytest.param(
            "location /w { location /ws/ { proxy_pass x; } } location ~ w {}", True, id="nested-before-regexes"
        ),
        pytest.param("location /ws/ { root /x; }", False, id="files"),
        pytest.param("location /wsx/ { proxy_pass x; }", False, id="another-path"),
        pytest.param("location /ws/ { proxy_pass x; } location /ws {}", False, id="the-path-has-a-location"),
        pytest.param("location /ws/ { proxy_pass x; } location = /ws {}", False, id="the-path-has-an-exact-one"),
    ],
)
def test_a_path_without_its_slash_is_redirected_where_nginx_does_it(locations: str, expected: bool) -> None:
    assert choose_location(server(locations), "/ws").redirects is expected


def test_the_title_of_a_location_has_its_modifier_and_place() -> None:
    location = server("location = /ws {}").children("location")[0]
    assert title(location) == "location = /ws in /f:1"
    assert choose_location(server("location = /ws {}"), "/ws").innermost == location
    assert choose_location(server(""), "/ws").innermost is None
