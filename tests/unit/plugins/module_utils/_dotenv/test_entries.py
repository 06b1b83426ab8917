"""The text of an env file: parsed, changed key by key, and written for four readers."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv import entries as _dotenv
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.readers import READ, UnreadableError
from hypothesis import given, settings
from hypothesis import strategies as st

FILE = """\
# Made by hand; keep.

export NODE_OPTIONS=--max-old-space-size=4096
URL=ws://old.example.com/ws   # where the page connects to
GREETING="two
lines"
  EMPTY=
FOREIGN='as it is'
"""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("\n\n", id="blank lines"),
        pytest.param("# only a comment", id="no newline at the end"),
        pytest.param(FILE, id="everything"),
        pytest.param(FILE.replace("\n", "\r\n"), id="windows line ends"),
        pytest.param("A='x'B\nC=1\n", id="text behind a closing quote"),
    ],
)
def test_a_parsed_file_is_given_back_byte_for_byte(text: str) -> None:
    assert _dotenv.parse(text).text == text


def test_the_keys_come_in_the_order_of_the_file() -> None:
    assert _dotenv.parse(FILE).keys == ("NODE_OPTIONS", "URL", "GREETING", "EMPTY", "FOREIGN")


def test_the_values_are_those_of_npm_dotenv() -> None:
    assert _dotenv.parse(FILE).values() == {
        "NODE_OPTIONS": "--max-old-space-size=4096",
        "URL": "ws://old.example.com/ws",
        "GREETING": "two\nlines",
        "EMPTY": "",
        "FOREIGN": "as it is",
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("A=1\nnonsense\n", "line 2: neither KEY=value, nor a comment, nor blank", id="no assignment"),
        pytest.param("A: 1\n", "line 1: neither KEY=value, nor a comment, nor blank", id="yaml"),
        pytest.param("A=1\n\nB='open\nC=2\n", "line 3: the quote ' is never closed", id="open quote"),
        pytest.param('A="\\"\n', 'line 1: the quote " is never closed', id="escaped quote"),
        pytest.param("set -a\n", "line 1: neither KEY=value, nor a comment, nor blank", id="a command"),
        pytest.param(
            "\ufeffA=1\n",
            "line 1: the file starts with a byte order mark, which becomes part of the first key for bash",
            id="byte order mark",
        ),
    ],
)
def test_what_is_no_env_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(_dotenv.ParseError) as caught:
        _dotenv.parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("A=1\nB=it's\nC=2\n", 2, id="apostrophe that bash never sees closed"),
        pytest.param("A=1\nB=$(cat <<EOF\n", 2, id="here-document"),
        pytest.param("A=x; exit\n", 1, id="exit"),
        pytest.param("A=x |\nB=2\n", 1, id="open pipe"),
        pytest.param("A=${:-x}\n", 1, id="bad substitution"),
        pytest.param("A=(1 2)\n", 1, id="array"),
    ],
)
def test_a_file_in_which_bash_loses_its_way_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(_dotenv.ParseError) as caught:
        _dotenv.arrange(text, {"NEW": "1"})
    assert caught.value.line == line


def test_such_a_file_is_accepted_where_bash_is_no_reader() -> None:
    assert _dotenv.arrange("B=it's\n", {"NEW": "1"}, (), ("dotenv", "python-dotenv")).text == "B=it's\nNEW=1\n"


@pytest.mark.parametrize(
    ("value", "form"),
    [
        pytest.param("", "", id="empty"),
        pytest.param("14200", "14200", id="number"),
        pytest.param("wss://api.example.com/ws?a=b", "'wss://api.example.com/ws?a=b'", id="URL with a query"),
        pytest.param("has space", "'has space'", id="space"),
        pytest.param("a#b", "'a#b'", id="hash"),
        pytest.param("it's", '"it\'s"', id="apostrophe"),
        pytest.param('{"a": 1}', "'{\"a\": 1}'", id="JSON"),
        pytest.param("~/x", "'~/x'", id="tilde"),
        pytest.param("price$", "'price$'", id="dollar at the end"),
        pytest.param("a\\b", "'a\\b'", id="backslash"),
        pytest.param("two\nlines", "'two\nlines'", id="newline"),
        pytest.param("Grüße 🦀", "'Grüße 🦀'", id="UTF-8"),
        pytest.param(" x ", "' x '", id="spaces at the ends"),
        pytest.param("`id`", "'`id`'", id="backticks"),
    ],
)
def test_a_value_is_written_in_the_plainest_form_that_all_read_alike(value: str, form: str) -> None:
    assert _dotenv.encode("KEY", value) == form


@pytest.mark.parametrize(
    ("value", "why", "differing"),
    [
        pytest.param("p$HOME-x", 'contains a "$" before a name', ("next",), id="dollar"),
        pytest.param("pa$$word", 'contains a "$" before a name', ("next",), id="two dollars"),
        pytest.param("x${A}", 'contains a "$" before a name', ("next", "python-dotenv"), id="braces"),
        pytest.param("end\\", "contains a backslash", ("python-dotenv",), id="backslash at the end"),
        pytest.param("a\rb", "contains a carriage return", ("bash",), id="carriage return"),
        pytest.param(
            "a'\"", "contains an apostrophe beside other characters that need quoting", ("bash",), id="both quotes"
        ),
        pytest.param(
            "a\0b",
            "contains a NUL byte, which no environment can hold",
            ("bash", "dotenv", "next", "python-dotenv"),
            id="NUL",
        ),
        pytest.param(
            "x" * 131072,
            "is longer than the 131072 bytes of a variable on Linux",
            ("bash", "dotenv", "next", "python-dotenv"),
            id="too long",
        ),
        pytest.param(
            "\ud800", "is no valid Unicode text", ("bash", "dotenv", "next", "python-dotenv"), id="lone surrogate"
        ),
    ],
)
def test_a_value_without_a_common_form_is_refused_with_the_readers(value: str, why: str, differing: object) -> None:
    with pytest.raises(_dotenv.RefusedError) as caught:
        _dotenv.encode("KEY", value)
    assert (caught.value.key, caught.value.why, caught.value.differing) == ("KEY", why, differing)


@pytest.mark.parametrize(
    ("value", "readers", "form"),
    [
        pytest.param("pa$$word", ("bash", "dotenv", "python-dotenv"), "'pa$$word'", id="without next"),
        pytest.param("p$HOME", ("next",), '"p\\$HOME"', id="next alone"),
        pytest.param("'\"", ("bash",), '"\'\\""', id="bash alone"),
        pytest.param("a\rb", ("bash",), "'a\rb'", id="carriage return for bash"),
        pytest.param("a\rb", ("dotenv", "next"), '"a\\rb"', id="carriage return for dotenv"),
        pytest.param("'\"\\", ("python-dotenv",), '"\'\\"\\\\"', id="python-dotenv alone"),
    ],
)
def test_fewer_readers_take_more_values(value: str, readers: tuple[str, ...], form: str) -> None:
    assert _dotenv.encode("KEY", value, readers) == form


@pytest.mark.parametrize("key", ["", "1A", "A-B", "A.B", "A B", "Ä", "A=", "UID", "RANDOM", "_", "__proto__"])
def test_a_name_that_a_reader_does_not_set_is_refused(key: str) -> None:
    with pytest.raises(_dotenv.RefusedError):
        _dotenv.check_key(key)


def test_only_the_lines_of_the_given_keys_change() -> None:
    change = _dotenv.arrange(FILE, {"URL": "wss://new.example.com/ws", "EMPTY": "", "ADDED": "a b"}, ["GREETING"])
    assert change.text == (
        "# Made by hand; keep.\n\nexport NODE_OPTIONS=--max-old-space-size=4096\n"
        "URL=wss://new.example.com/ws   # where the page connects to\n  EMPTY=\nFOREIGN='as it is'\nADDED='a b'\n"
    )
    assert (change.added, change.changed, change.removed) == (("ADDED",), ("URL",), ("GREETING",))


def test_a_value_that_is_read_rightly_keeps_its_spelling() -> None:
    assert _dotenv.arrange('A="x"\n', {"A": "x"}).text == 'A="x"\n'


def test_a_value_that_one_reader_reads_wrongly_is_written_anew() -> None:
    change = _dotenv.arrange("A=x#y\n", {"A": "x#y"})
    assert (change.text, change.changed) == ("A='x#y'\n", ("A",))


def test_the_last_of_several_assignments_counts_and_only_it_stays() -> None:
    assert _dotenv.arrange("A=1\nB=2\nA=3\n", {"A": "3"}).text == "A=1\nB=2\nA=3\n"
    assert _dotenv.arrange("A=1\nB=2\nA=3\n", {"A": "4"}).text == "B=2\nA=4\n"


def test_a_line_of_ours_that_bash_stumbles_over_is_repaired() -> None:
    change = _dotenv.arrange("A=1\nTOKEN=<your-token>\nB=2\n", {"TOKEN": "real", "A": "1"})
    assert (change.text, change.changed) == ("A=1\nTOKEN=real\nB=2\n", ("TOKEN",))


def test_a_missing_newline_at_the_end_is_added_before_a_new_key() -> None:
    assert _dotenv.arrange("A=1", {"B": "2"}).text == "A=1\nB=2\n"


def test_windows_line_ends_of_our_lines_go_since_bash_takes_them_for_the_value() -> None:
    assert _dotenv.arrange("A=1\r\nB=2\r\n", {"A": "1"}).text == "A=1\nB=2\r\n"


def test_a_comment_that_would_hide_the_value_is_put_above_it() -> None:
    text = _dotenv.arrange("A=1 # it's ours\n", {"A": "x y"}).text
    assert {READ[reader](text)["A"] for reader in READ} == {"x y"}
    assert "# it's ours" in text


def test_foreign_keys_that_are_read_differently_are_named_and_left() -> None:
    change = _dotenv.arrange("F=a b\nG=p$HOME\nH=fine\n", {"A": "1"})
    assert (change.differing, change.text) == (("F", "G"), "F=a b\nG=p$HOME\nH=fine\nA=1\n")


def test_a_file_that_is_ours_as_a_whole_loses_other_keys() -> None:
    change = _dotenv.arrange("# c\nA=1\nOLD=2\nKEPT=3\n", {"A": "1"}, keep=["KEPT"])
    assert (change.text, change.removed) == ("# c\nA=1\nKEPT=3\n", ("OLD",))


@pytest.mark.parametrize(
    "value",
    [
        *("your-api-key-here", "your_secret", "YOUR-TOKEN-HERE", "changeme", "CHANGE_ME", "change-this", "replace-me"),
        *("<token>", "xxxx", "***", "...", "…", "TODO", "FIXME", "placeholder", "insert-your-key-here", "changeme!"),
    ],
)
def test_marks_for_missing_values_are_known(value: str) -> None:
    assert _dotenv.is_placeholder(value)


@pytest.mark.parametrize(
    "value", ["", "yours", "http://x/put-it-here", "here", "exchange-me-not", "xx", "todos", '["a"]', "sk-live-1234"]
)
def test_real_values_are_no_marks(value: str) -> None:
    assert not _dotenv.is_placeholder(value)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20), st.text(alphabet="abz $#'\"`\\{}=\n\r~!;&|<>()", max_size=12))
def test_a_value_is_read_back_or_refused_and_neighbours_stay(first: str, second: str) -> None:
    wanted: dict[str, str] = {}
    for key, value in (("ONE", first), ("TWO", second)):
        try:
            _dotenv.encode(key, value)
        except _dotenv.RefusedError:
            continue
        wanted[key] = value
    text = _dotenv.arrange(FILE, wanted).text
    for reader, read in READ.items():
        values = read(text)
        assert {key: values[key] for key in wanted} == wanted, reader
        assert values["FOREIGN"] == "as it is"
    assert _dotenv.arrange(text, wanted).text == text
    assert _dotenv.arrange(text, {}, wanted).text == FILE


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="AB= '\"#\n\\$`{}()&|;<>ex port~\r", max_size=40))
def test_any_text_is_parsed_unchanged_or_refused(text: str) -> None:
    try:
        assert _dotenv.parse(text).text == text
        change = _dotenv.arrange(text, {"OURS": "a value"})
    except (_dotenv.ParseError, _dotenv.RefusedError):
        return
    for read in READ.values():
        assert read(change.text)["OURS"] == "a value"


def test_values_that_refer_to_themselves_are_refused_since_next_drops_the_file() -> None:
    with pytest.raises(UnreadableError) as caught:
        READ["next"]("X=1\nA='$B'\nB='$A'\n")
    assert (caught.value.line, caught.value.why) == (2, "the value of A refers to itself")
