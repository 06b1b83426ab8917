"""URLs in client scripts."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.bundle import (
    complaint,
    imported,
    listed_urls,
    normalised,
    read_page,
    search,
)

WS = "wss://api.example.com/ws"

MODULES = ("http://h/assets/m.js", "http://h/r.mjs")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('let u="wss://api.example.com/ws";', id="plain"),
        pytest.param(r'{"u":"wss:\/\/api.example.com\/ws"}', id="slashes-escaped"),
        pytest.param(r'"wss:\u002F\u002fapi.example.com\x2Fws"', id="unicode-escapes"),
        pytest.param("`wss://api.example.com/ws?token=${t}`", id="in-a-template"),
        pytest.param('"wss://api.example.com/ws/"', id="with-a-slash-behind"),
    ],
)
def test_an_expected_url_is_found_however_it_is_written(text: str) -> None:
    findings = search({"a.js": text}, [WS], [])
    assert findings.found == {WS: ("a.js",)}
    assert findings.passed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('"wss://api.example.com/wsx"', id="longer-path"),
        pytest.param('"wss://api.example.com/ws-old"', id="with-a-hyphen"),
        pytest.param('"ws://api.example.com/ws"', id="another-scheme"),
        pytest.param("", id="empty"),
    ],
)
def test_what_only_resembles_an_expected_url_does_not_count(text: str) -> None:
    assert search({"a.js": text}, [WS], []).missing == (WS,)


def test_a_host_is_not_found_in_a_longer_host_nor_without_its_port() -> None:
    scripts = {"a.js": '"http://a.example.com" "http://b:8080/x"'}
    assert search(scripts, ["http://a.example"], []).missing == ("http://a.example",)
    assert search(scripts, ["http://b"], []).missing == ("http://b",)
    assert search({"a.js": 'see http://a.example."'}, ["http://a.example"], []).missing == ()


def test_a_forbidden_url_is_named_with_its_scripts() -> None:
    findings = search(
        {"b.js": "ws://localhost:14200/ws", "a.js": "ws://localhost:14200/ws"}, [], ["ws://localhost:14200"]
    )
    assert findings.forbidden == {"ws://localhost:14200": ("a.js", "b.js")}
    assert not findings.passed


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("ws://localhost:14200/ws", True),
        ("ws://localhost/ws", True),
        ("ws://localhost", True),
        ("ws://localhost.example.com/ws", False),
        ("ws://localhosts", False),
        ("ws://api.localhost:14200/ws", False),
    ],
)
def test_a_forbidden_url_is_a_beginning(text: str, counts: bool) -> None:
    assert bool(search({"a.js": f"'{text}'"}, [], ["ws://localhost"]).forbidden) is counts
    assert search({"a.js": f"'{text}'"}, [text], ["ws://localhost"]).forbidden == {}


def test_a_forbidden_url_inside_an_expected_one_does_not_count() -> None:
    scripts = {"a.js": 'x="http://h/api/v2"'}
    assert search(scripts, ["http://h/api/v2"], ["http://h/api"]).forbidden == {}
    scripts["b.js"] = 'y="http://h/api"'
    assert search(scripts, ["http://h/api/v2"], ["http://h/api"]).forbidden == {"http://h/api": ("b.js",)}
    assert search(scripts, ["http://h/api/v2"], ["http://h/api/v2"]).forbidden == {}


def test_complaints_are_whole_sentences() -> None:
    assert complaint(search({}, [WS], []), ".next") == ".next has no client scripts"
    assert complaint(search({}, [WS], []), ".next", "why") == ".next has no client scripts; why"
    assert complaint(search({}, [], ["ws://old"]), ".next") == ""
    assert complaint(search({"a.js": WS}, [WS], []), ".next") == ""
    assert (
        complaint(search({"a.js": "ws://old"}, [WS], ["ws://old"]), ".next", "why")
        == "wss://api.example.com/ws is in none of the 1 client scripts of .next, which contain ws://old (a.js); why"
    )
    assert (
        complaint(search({"a.js": "ws://old/ws", "b.js": "http://old"}, [WS], ["ws://old", "http://old"]), ".next")
        == "wss://api.example.com/ws is in none of the 2 client scripts of .next, which contain ws://old/ws (a.js); "
        "client scripts of .next contain http://old (b.js)"
    )
    assert complaint(search({"a.js": "ws://old/ws", "b.js": WS}, [WS], ["ws://old"]), ".next") == (
        "client scripts of .next contain ws://old (a.js)"
    )


def test_a_complaint_says_which_other_websocket_urls_are_there() -> None:
    scripts = {"a.js": r"'wss:\/\/old.example.com\/ws'", "b.js": 'x="ws:"+y;"ws://[::1]:9/ws?a=1"', "c.js": f"'{WS}2'"}
    assert complaint(search(scripts, [WS], []), ".next") == (
        "wss://api.example.com/ws is in none of the 3 client scripts of .next, "
        "which contain ws://[::1]:9/ws (b.js), wss://api.example.com/ws2 (c.js), wss://old.example.com/ws (a.js)"
    )
    assert search({**scripts, "d.js": WS}, [WS], []).others == {}


def test_escapes_are_undone() -> None:
    assert normalised(r"ws:\/\/a\u002Db\x3a1&#x2F;x") == "ws://a-b:1/x"


def test_the_scripts_of_a_next_page() -> None:
    html = (
        '<link rel="preload" as="script" href="/_next/static/chunks/webpack-1.js">'
        '<script src="/_next/static/chunks/main-1.js?dpl=1" async></script>'
        '<script>self.__next_f.push([1,"3:I[4,[\\"9\\",\\"static/chunks/app/page-1.js\\"],\\"\\"]"])</script>'
        '<script>self.__next_f.push([1,"[\\"/_next/static/chunks/x(y).js\\"]"])</script>'
        '<link rel="stylesheet" href="/a.css"><script src="https://cdn.example.com/x.js"></script>'
    )
    page = read_page(html, "http://h:1/")
    assert page.sources == (
        "http://h:1/_next/static/chunks/webpack-1.js",
        "http://h:1/_next/static/chunks/main-1.js?dpl=1",
        "https://cdn.example.com/x.js",
        "http://h:1/_next/static/chunks/app/page-1.js",
        "http://h:1/_next/static/chunks/x(y).js",
    )
    assert len(page.inline) == 2


def test_the_scripts_of_a_vite_page_and_what_they_import() -> None:
    page = read_page('<base href="/app/"><script type="module" src="assets/index-1.js"></script>', "http://h/app/")
    assert page.sources == ("http://h/app/assets/index-1.js",)
    script = 'const d=["assets/page-2.js","assets/p.css"];import("./page-2.js");import"../vendor-3.js"'
    assert imported(script, "http://h/app/assets/index-1.js") == (
        "http://h/app/assets/page-2.js",
        "http://h/app/vendor-3.js",
    )


def test_scripts_are_found_on_a_host_whose_name_only_resolves() -> None:
    assert imported('"assets/page-2.js"', "http://web_ui:3000/assets/index-1.js") == (
        "http://web_ui:3000/assets/page-2.js",
    )


def test_all_urls_of_websocket_and_api_are_listed_with_their_scripts() -> None:
    scripts = {
        "a.js": 'new WebSocket("wss:\\/\\/api.example.com\\/ws");fetch("https://api.example.com/v1")',
        "b.js": 'x="ws://localhost:14200/ws";n="http://www.w3.org/2000/svg";m="See https://react.dev/errors/1. https://api.example.com/v1"',
    }
    assert list(listed_urls(scripts).items()) == [
        ("ws://localhost:14200/ws", ("b.js",)),
        ("wss://api.example.com/ws", ("a.js",)),
        ("https://api.example.com/v1", ("a.js", "b.js")),
    ]
    assert listed_urls({}) == {}


@pytest.mark.parametrize(
    ("script", "imports"),
    [
        ("<script>import('./a.js')</script>", ("http://h/app/a.js",)),
        ('<script type="module">import "/assets/m.js"; import * as r from "../r.mjs"</script>', MODULES),
        ('<script type="module">import{a as b}from`./a.js?v=1`</script>', ("http://h/app/a.js?v=1",)),
        # These are data, or other sites' names for a module.
        ('<script type="application/json">"import(\'./a.js\')"</script>', ()),
        ('<script>import("react"); load("./a.js")</script>', ()),
    ],
)
def test_the_imports_of_scripts_in_a_page(script: str, imports: tuple[str, ...]) -> None:
    assert read_page(script, "http://h/app/").imports == imports


def test_an_import_is_relative_to_the_base_of_the_page() -> None:
    page = read_page("<base href='/x/'><script>import('./a.js')</script>", "http://h/app/")
    assert page.imports == ("http://h/x/a.js",)
