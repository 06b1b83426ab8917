"""What each reader returns; the real programs are compared in the integration test of the same subject."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.readers import READ, READERS, UnreadableError


def test_values_that_refer_to_themselves_are_refused_since_next_drops_the_file() -> None:
    with pytest.raises(UnreadableError) as caught:
        READ["next"]("X=1\nA='$B'\nB='$A'\n")
    assert (caught.value.line, caught.value.why) == (2, "the value of A refers to itself")


@pytest.mark.parametrize(
    ("text", "bash", "dotenv", "next_", "python"),
    [
        pytest.param("A=p$HOME-x", None, "p$HOME-x", None, "p$HOME-x", id="dollar"),
        pytest.param("A=val#nocomment", "val#nocomment", "val", "val", "val#nocomment", id="hash"),
        pytest.param("A=val # comment", "val", "val", "val", "val", id="comment"),
        pytest.param("A='sq $HOME'", "sq $HOME", "sq $HOME", None, "sq $HOME", id="single quotes"),
        pytest.param('A="a\\nb"', "a\\nb", "a\nb", "a\nb", "a\nb", id="escape in double quotes"),
        pytest.param("A=has space", None, "has space", "has space", "has space", id="space"),
        pytest.param("export A=1", "1", "1", "1", "1", id="export"),
        pytest.param("A=", "", "", "", "", id="empty"),
        pytest.param("A=1\nA=2", "2", "2", "2", "2", id="twice"),
        pytest.param("A=`b`", None, "b", "b", "`b`", id="backticks"),
        pytest.param("A+=1", None, ..., ..., ..., id="appended"),
        pytest.param('A="$HOME"', None, "$HOME", None, "$HOME", id="dollar in double quotes"),
        pytest.param('A="`b`"', None, "`b`", "`b`", "`b`", id="backticks in double quotes"),
        pytest.param("A= 1", None, "1", "1", "1", id="space before the value"),
        pytest.param("A= #x", "", "", "", None, id="comment in place of a value"),
        pytest.param('A="a\\\\" # "b"', "a\\", "a\\\\", "a\\\\", None, id="backslash before the closing quote"),
    ],
)
def test_the_readers_disagree(text: str, bash: object, dotenv: object, next_: object, python: object) -> None:
    expected = dict(zip(READERS, (bash, dotenv, next_, python)))
    assert {reader: READ[reader](text).get("A", ...) for reader in READERS} == expected


def test_the_prototype_of_an_object_is_no_key_for_node() -> None:
    keys = {reader: list(READ[reader]("__proto__=1\n__PROTO__=2\nA=3\n")) for reader in READERS}
    assert keys == {
        "bash": ["__proto__", "__PROTO__", "A"],
        "dotenv": ["__PROTO__", "A"],
        "next": ["__PROTO__", "A"],
        "python-dotenv": ["__proto__", "__PROTO__", "A"],
    }


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        pytest.param("A=1\nB=`(`\nC=2\n", 2, "an unescaped ` is taken for shell code", id="backticks"),
        pytest.param("A=1\nB='2\n'`(`\n\n", 2, "an unescaped ` is taken for shell code", id="backticks-further-down"),
        pytest.param("A=1\nB=$(()\nC=2\n", 2, "an unescaped $( is taken for shell code", id="command"),
        pytest.param("A=1\nB=$'2\n\n", 2, "the quote ' is never closed", id="open-ansi-quote"),
        pytest.param("A=1\nB='2\n\n", 2, "the quote ' is never closed", id="open-quote"),
        pytest.param('A=1\nB="2\n\n', 2, 'the quote " is never closed', id="open-double-quote"),
    ],
)
def test_shell_code_is_refused_by_the_first_line_of_its_word(text: str, line: int, why: str) -> None:
    with pytest.raises(UnreadableError) as caught:
        READ["bash"](text)
    assert (caught.value.line, caught.value.why) == (line, why)
