"""The parser of nginx configurations, compared with crossplane."""

from __future__ import annotations

import contextlib
from pathlib import Path

import nginx_crossplane
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import (
    ConfigError,
    Directive,
    Tree,
    include_matches,
    load_tree,
    parse,
)
from hypothesis import given
from hypothesis import strategies as st


def plain(directives: tuple[Directive, ...]) -> list[tuple[object, ...]]:
    return [(each.name, each.args, each.line, None if each.block is None else plain(each.block)) for each in directives]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("# only a comment", [], id="comment"),
        pytest.param("a;", [("a", (), 1, None)], id="no-argument"),
        pytest.param("a b\n  c;\nd;", [("a", ("b", "c"), 1, None), ("d", (), 3, None)], id="over-lines"),
        pytest.param("a {}", [("a", (), 1, [])], id="empty-block"),
        pytest.param("a { b { c 1; } }", [("a", (), 1, [("b", (), 1, [("c", ("1",), 1, None)])])], id="nested"),
        pytest.param("a 'x y' \"z;{\";", [("a", ("x y", "z;{"), 1, None)], id="quotes"),
        pytest.param("a ''; ", [("a", ("",), 1, None)], id="empty-quotes"),
        pytest.param('a "x\\"y";', [("a", ('x"y',), 1, None)], id="escaped-quote"),
        pytest.param("a ~^/x\\.y$;", [("a", ("~^/x\\.y$",), 1, None)], id="regex-keeps-its-backslash"),
        pytest.param("a ${b}c;", [("a", ("${b}c",), 1, None)], id="braces-of-a-variable"),
        pytest.param("a b#c; # d", [("a", ("b#c",), 1, None)], id="hash-inside-a-word"),
        pytest.param(
            "x_by_lua_block { if a then { } end }\nb;", [("x_by_lua_block", (), 1, []), ("b", (), 2, None)], id="lua"
        ),
    ],
)
def test_a_text_is_read_as_nginx_reads_it(text: str, expected: list[object]) -> None:
    assert plain(parse(text, "f")) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a", '"a" does not end with ";" in f:1', id="no-semicolon"),
        pytest.param("a {\nb;", "a block that is not closed in f:1", id="open-block"),
        pytest.param("a;\n}", "a closing brace without a block in f:2", id="extra-brace"),
        pytest.param("a { b }", '"b" does not end with ";" in f:1', id="no-semicolon-in-block"),
        pytest.param(";", 'an unexpected ";" in f:1', id="semicolon-alone"),
        pytest.param("\na 'b", "a quote that is not closed in f:2", id="open-quote"),
        pytest.param("x_by_lua_block { {", "a block that is not closed in f:1", id="open-lua"),
    ],
)
def test_a_syntax_error_is_reported_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, "f")
    assert str(caught.value) == message


words = st.text("abz019./_-*=^:$", min_size=1, max_size=6).filter(lambda word: not word.endswith("$"))
quoted = st.text("ab ;{}#'\n", max_size=6).map(lambda text: f'"{text}"')
simple = st.tuples(words, st.lists(words | quoted, max_size=3)).map(lambda each: " ".join([each[0], *each[1]]) + ";")
blocks = st.recursive(
    st.lists(simple, max_size=3).map("\n".join),
    lambda inner: st.tuples(words, inner).map(lambda each: f"{each[0]} {{\n{each[1]}\n}}"),
    max_leaves=6,
)


@given(blocks)
def test_crossplane_reads_the_same(text: str) -> None:
    # The generated texts have no include and no `if`, which crossplane treats differently.
    assert plain(parse(text, "f")) == plain(nginx_crossplane.parse(text, "f"))


def tree_of(files: dict[str, str]) -> Tree:
    return load_tree(
        "/n/nginx.conf",
        lambda path: files[path] if path in files else (_ for _ in ()).throw(FileNotFoundError(path)),
        lambda pattern: sorted(path for path in files if Path(path).match(pattern)),
    )


def test_included_directives_are_in_the_order_of_the_includes_with_their_own_places() -> None:
    tree = tree_of(
        {
            "/n/nginx.conf": "http {\n include s/*; include one;\n}",
            "/n/s/b": "server { listen 2; }",
            "/n/s/a": "\nserver { listen 1; }",
            "/n/one": "gzip on;",
        }
    )
    assert [each.where for each in tree.servers()] == ["/n/s/a:2", "/n/s/b:1"]
    assert [each.where for each in tree.http() if each.name == "gzip"] == ["/n/one:1"]
    assert tree.files == ("/n/nginx.conf", "/n/s/a", "/n/s/b", "/n/one")


def test_unreadable_files_are_listed_and_left_out() -> None:
    tree = tree_of({"/n/nginx.conf": "http { include gone; include broken; gzip on; }", "/n/broken": "a {"})
    assert tree.unreadable == ("/n/gone", "a block that is not closed in /n/broken:1")
    assert [each.name for each in tree.http()] == ["gzip"]


def test_a_file_that_includes_itself_does_not_loop() -> None:
    tree = tree_of({"/n/nginx.conf": "include a;", "/n/a": "b; include a;"})
    assert tree.unreadable == ("/n/a:1",)


def test_includes_inside_of_blocks_are_left_alone_on_request() -> None:
    files = {"/n/nginx.conf": "include main; http { include inner; }", "/n/main": "pid x;", "/n/inner": "gzip on;"}
    tree = load_tree("/n/nginx.conf", files.__getitem__, lambda _pattern: [], inside_blocks=False)
    assert tree.main_value("pid") == "x"
    assert [each.name for each in tree.http()] == ["include"]
    assert tree.files == ("/n/nginx.conf", "/n/main")


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        pytest.param("/n/a", "/n/a", True, id="path"),
        pytest.param("/n/a", "/n/b", False, id="another-path"),
        pytest.param("/n/*.conf", "/n/a.conf", True, id="pattern"),
        pytest.param("/n/*", "/n/s/a", False, id="a-pattern-matches-no-slash"),
        pytest.param("/n/*", "/n/.a", False, id="a-pattern-matches-no-hidden-file"),
        pytest.param("/n/*/a", "/n/s/a", True, id="pattern-of-a-directory"),
    ],
)
def test_an_include_loads_what_its_path_or_pattern_matches(pattern: str, path: str, expected: bool) -> None:
    assert include_matches(pattern, path) is expected


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse(text, "f")
