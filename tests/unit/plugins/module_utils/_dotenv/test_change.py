"""Keys set and removed in a text of which everything else stays."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.change import change_keys
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.document import ParseError, parse
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.encoding import ValueRefusedError, encode
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.readers import READ
from hypothesis import given, settings
from hypothesis import strategies as st

FILE = """\
# Written manually; keep.

export NODE_OPTIONS=--max-old-space-size=4096
URL=ws://old.example.com/ws   # where the page connects to
GREETING="two
lines"
  EMPTY=
FOREIGN='as it is'
"""


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
def test_a_file_of_which_bash_misreads_the_rest_is_refused_with_its_line(text: str, line: int) -> None:
    with pytest.raises(ParseError) as caught:
        change_keys(text, {"NEW": "1"})
    assert caught.value.line == line


def test_such_a_file_is_accepted_if_bash_is_not_a_reader() -> None:
    assert change_keys("B=it's\n", {"NEW": "1"}, (), ("dotenv", "python-dotenv")).text == "B=it's\nNEW=1\n"


def test_only_the_lines_of_the_given_keys_change() -> None:
    change = change_keys(FILE, {"URL": "wss://new.example.com/ws", "EMPTY": "", "ADDED": "a b"}, ["GREETING"])
    assert change.text == (
        "# Written manually; keep.\n\nexport NODE_OPTIONS=--max-old-space-size=4096\n"
        "URL=wss://new.example.com/ws   # where the page connects to\n  EMPTY=\nFOREIGN='as it is'\nADDED='a b'\n"
    )
    assert (change.added, change.changed, change.removed) == (("ADDED",), ("URL",), ("GREETING",))


def test_a_value_that_all_read_correctly_keeps_its_spelling() -> None:
    assert change_keys('A="x"\n', {"A": "x"}).text == 'A="x"\n'


def test_a_value_that_one_reader_misreads_is_rewritten() -> None:
    change = change_keys("A=x#y\n", {"A": "x#y"})
    assert (change.text, change.changed) == ("A='x#y'\n", ("A",))


def test_the_last_of_several_assignments_counts_and_only_it_stays() -> None:
    assert change_keys("A=1\nB=2\nA=3\n", {"A": "3"}).text == "A=1\nB=2\nA=3\n"
    assert change_keys("A=1\nB=2\nA=3\n", {"A": "4"}).text == "B=2\nA=4\n"


def test_a_line_to_change_that_bash_cannot_read_is_repaired() -> None:
    change = change_keys("A=1\nTOKEN=<your-token>\nB=2\n", {"TOKEN": "real", "A": "1"})
    assert (change.text, change.changed) == ("A=1\nTOKEN=real\nB=2\n", ("TOKEN",))


def test_a_missing_newline_at_the_end_is_added_before_a_new_key() -> None:
    assert change_keys("A=1", {"B": "2"}).text == "A=1\nB=2\n"


def test_windows_line_ends_of_changed_lines_are_removed_since_bash_reads_them_as_part_of_the_value() -> None:
    assert change_keys("A=1\r\nB=2\r\n", {"A": "1"}).text == "A=1\nB=2\r\n"


def test_a_comment_that_would_hide_the_value_is_put_above_it() -> None:
    text = change_keys("A=1 # it's mine\n", {"A": "x y"}).text
    assert {READ[reader](text)["A"] for reader in READ} == {"x y"}
    assert "# it's mine" in text


def test_other_keys_that_the_readers_do_not_read_alike_are_named_and_left() -> None:
    change = change_keys("F=a b\nG=p$HOME\nH=fine\n", {"A": "1"})
    assert (change.differing, change.text) == (("F", "G"), "F=a b\nG=p$HOME\nH=fine\nA=1\n")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=20), st.text(alphabet="abz $#'\"`\\{}=\n\r~!;&|<>()", max_size=12))
def test_a_value_is_read_back_or_refused_and_neighbours_stay(first: str, second: str) -> None:
    wanted: dict[str, str] = {}
    for key, value in (("ONE", first), ("TWO", second)):
        try:
            encode(key, value)
        except ValueRefusedError:
            continue
        wanted[key] = value
    text = change_keys(FILE, wanted).text
    for reader, read in READ.items():
        values = read(text)
        assert {key: values[key] for key in wanted} == wanted, reader
        assert values["FOREIGN"] == "as it is"
    assert change_keys(text, wanted).text == text
    assert change_keys(text, {}, wanted).text == FILE


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="AB= '\"#\n\\$`{}()&|;<>ex port~\r", max_size=40))
def test_any_text_is_parsed_unchanged_or_refused(text: str) -> None:
    try:
        assert parse(text).text == text
        change = change_keys(text, {"OURS": "a value"})
    except (ParseError, ValueRefusedError):
        return
    for read in READ.values():
        assert read(change.text)["OURS"] == "a value"
