"""The reader of nginx configurations, beside crossplane as the second opinion."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import config as nginx_config
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import ConfigError, Directive
from ansible_collections.codeframe.staging.plugins.modules import nginx_effective_info
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
    assert plain(nginx_config.parse(text, "f")) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("a", '"a" is not ended by ";" in f:1', id="no-semicolon"),
        pytest.param("a {\nb;", "a block without its closing brace in f:1", id="open-block"),
        pytest.param("a;\n}", "a closing brace without its block in f:2", id="extra-brace"),
        pytest.param("a { b }", '"b" is not ended by ";" in f:1', id="no-semicolon-in-block"),
        pytest.param(";", 'an unexpected ";" in f:1', id="lonely-semicolon"),
        pytest.param("\na 'b", "a quote without its end in f:2", id="open-quote"),
        pytest.param("x_by_lua_block { {", "a block without its closing brace in f:1", id="open-lua"),
    ],
)
def test_what_is_no_configuration_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        nginx_config.parse(text, "f")
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
    # crossplane knows no include here, and no `if`, whose brackets it takes away.
    assert plain(nginx_config.parse(text, "f")) == plain(nginx_effective_info.parse_by_crossplane(text, "f"))


def tree_of(files: dict[str, str]) -> nginx_config.Tree:
    return nginx_config.load_tree(
        "/n/nginx.conf",
        lambda path: files[path] if path in files else (_ for _ in ()).throw(FileNotFoundError(path)),
        lambda pattern: sorted(path for path in files if Path(path).match(pattern)),
    )


def test_includes_stand_where_they_are_included_with_their_own_places() -> None:
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


def test_files_that_cannot_be_read_are_named_and_left_out() -> None:
    tree = tree_of({"/n/nginx.conf": "http { include gone; include broken; gzip on; }", "/n/broken": "a {"})
    assert tree.unreadable == ("/n/gone", "a block without its closing brace in /n/broken:1")
    assert [each.name for each in tree.http()] == ["gzip"]


def test_a_file_that_includes_itself_ends() -> None:
    tree = tree_of({"/n/nginx.conf": "include a;", "/n/a": "b; include a;"})
    assert tree.unreadable == ("/n/a:1",)


def test_a_dump_falls_apart_into_its_files() -> None:
    dump = "# configuration file /n/nginx.conf:\na;\n\n# configuration file /n/b:\n\nb;\n\n"
    assert nginx_config.split_dump(dump) == {"/n/nginx.conf": "a;\n", "/n/b": "\nb;\n"}


def test_a_text_that_is_no_dump_is_refused() -> None:
    with pytest.raises(ValueError, match="no '# configuration file PATH:' line in the dump of nginx -T"):
        nginx_config.split_dump("a;")


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        nginx_config.parse(text, "f")
