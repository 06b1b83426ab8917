"""Which directives are in force."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import Directive, load_tree, parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.inheritance import (
    Context,
    Effective,
    EffectiveValue,
    contexts_of,
    effective,
    nearest,
)


def contexts(*texts: str) -> list[Context]:
    """Contexts, inner before outer, named by their numbers."""
    return [Context(str(number), parse(text, "/f")) for number, text in enumerate(texts)]


def in_force(*texts: str, version: str = "") -> Effective:
    made = contexts(*texts)
    return effective(made, made[:1], version)


def test_the_contexts_of_a_request_are_inner_before_outer() -> None:
    text = "http {\nserver {\nlocation /a {\nlocation /a/b {\nif ($x) {\n} } } } }"
    tree = load_tree("/n", lambda _path: text, lambda _pattern: [])
    server = tree.servers()[0]
    outer = server.children("location")[0]
    inner = outer.children("location")[0]
    entered = inner.children("if")[0]
    names = ["location /a/b in /n:4", "location /a in /n:3", "server in /n:2", "http"]
    assert [each.name for each in contexts_of(tree, server, [outer, inner], None)] == names
    assert [each.name for each in contexts_of(tree, server, [outer, inner], entered)] == ["if in /n:5", *names]


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(("a 1;", "a 2;"), ("0", ["1"]), id="inner"),
        pytest.param(("", "a 2;", "a 3;"), ("1", ["2"]), id="outer"),
        pytest.param(("b;", "b;", "a 1; a 2;"), ("2", ["1", "2"]), id="all-of-one-context"),
        pytest.param(("b;",), (None, []), id="none"),
    ],
)
def test_the_innermost_context_with_a_directive_counts(
    texts: tuple[str, ...], expected: tuple[str | None, list[str]]
) -> None:
    context, own = nearest(contexts(*texts), "a")
    assert (context.name if context else None, [each.args[0] for each in own]) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        pytest.param(
            ("proxy_set_header A 1;", "proxy_set_header B 2;", "proxy_set_header C 3;"),
            {"a": (EffectiveValue("1", "/f:1", "0"),)},
            id="one-header-hides-all-of-outer-contexts",
        ),
        pytest.param(
            ("", "proxy_set_header B 2; proxy_set_header C 3;", "proxy_set_header D 4;"),
            {"b": (EffectiveValue("2", "/f:1", "1"),), "c": (EffectiveValue("3", "/f:1", "1"),)},
            id="inherited-from-the-next-context-that-has-one",
        ),
        pytest.param(("", "", "proxy_set_header D 4;"), {"d": (EffectiveValue("4", "/f:1", "2"),)}, id="from-http"),
        pytest.param(
            ("proxy_set_header A 1;\nproxy_set_header a 2;",),
            {"a": (EffectiveValue("1", "/f:1", "0"), EffectiveValue("2", "/f:2", "0"))},
            id="both-of-two",
        ),
        pytest.param(("proxy_pass x;",), {}, id="none"),
    ],
)
def test_headers_are_inherited_as_a_whole_or_not_at_all(
    texts: tuple[str, ...], expected: dict[str, tuple[EffectiveValue, ...]]
) -> None:
    assert in_force(*texts).headers == expected


def test_other_directives_are_inherited_one_by_one() -> None:
    values = in_force("proxy_read_timeout 1s;", "proxy_read_timeout 2s; proxy_send_timeout 3s;").values
    assert values["proxy_read_timeout"] == EffectiveValue("1s", "/f:1", "0")
    assert values["proxy_send_timeout"] == EffectiveValue("3s", "/f:1", "1")
    assert values["proxy_connect_timeout"] == EffectiveValue("60s", None, "default")


@pytest.mark.parametrize(
    ("version", "expected"), [("", "1.0"), ("1.22.1", "1.0"), ("1.29.6", "1.0"), ("1.29.7", "1.1"), ("1.31.0", "1.1")]
)
def test_the_default_of_the_http_version_depends_on_that_of_nginx(version: str, expected: str) -> None:
    assert in_force("", version=version).values["proxy_http_version"].value == expected


def test_proxy_pass_is_not_inherited() -> None:
    assert "proxy_pass" not in in_force("", "proxy_pass http://u;").values
    assert in_force("proxy_pass http://u;").values["proxy_pass"].value == "http://u"


def test_lists_are_those_of_the_innermost_context_that_has_any() -> None:
    lists = in_force("proxy_hide_header a;", "proxy_hide_header b; limit_conn z 2;").lists
    assert [each.value for each in lists["proxy_hide_header"]] == ["a"]
    assert lists["limit_conn"] == (EffectiveValue("z 2", "/f:1", "1"),)
    assert lists["limit_req"] == ()


def test_a_place_is_shown_only_where_there_is_one() -> None:
    assert (EffectiveValue("1", "/f:1", "x").in_place, EffectiveValue("1", "/f:1", "x").places) == (
        " in /f:1",
        ("/f:1",),
    )
    assert (EffectiveValue("1", None, "x").in_place, EffectiveValue("1", None, "x").places) == ("", ())


def test_an_empty_context_has_no_directive() -> None:
    empty: tuple[Directive, ...] = ()
    assert Context("x", empty).all_of("a") == ()
