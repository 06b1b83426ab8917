"""The text of an env file, split into statements."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.document import ParseError, parse

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
def test_a_parsed_file_has_the_same_text(text: str) -> None:
    assert parse(text).text == text


def test_the_keys_are_in_the_order_of_the_file() -> None:
    assert parse(FILE).keys == ("NODE_OPTIONS", "URL", "GREETING", "EMPTY", "FOREIGN")


def test_the_values_are_those_of_npm_dotenv() -> None:
    assert parse(FILE).values() == {
        "NODE_OPTIONS": "--max-old-space-size=4096",
        "URL": "ws://old.example.com/ws",
        "GREETING": "two\nlines",
        "EMPTY": "",
        "FOREIGN": "as it is",
    }


NONSENSE = "neither KEY=value, nor a comment, nor blank"
CLOSE = "close it, or put a value that holds one in quotes of the other kind"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "A=1\nhello world\n",
            f"line 2: {NONSENSE}, but a text without an equals sign; write KEY=value, or # before a comment",
            id="no assignment",
        ),
        pytest.param("A: 1\n", f"line 1: {NONSENSE}, but YAML; write KEY=value", id="yaml"),
        pytest.param('{"A": 1}\n', f"line 1: {NONSENSE}, but JSON; write one KEY=value in each line", id="json"),
        pytest.param("A=1\n\nB='open\nC=2\n", f"line 3: the quote ' is never closed; {CLOSE}", id="open quote"),
        pytest.param('A="\\"\n', f'line 1: the quote " is never closed; {CLOSE}', id="escaped quote"),
        pytest.param("set -a\n", f"line 1: {NONSENSE}, but a command; write KEY=value", id="a command"),
        pytest.param(
            "export\n",
            f"line 1: {NONSENSE}, but export without KEY=value; write export KEY=value, or remove the line",
            id="export alone",
        ),
        pytest.param(
            "MY KEY=1\n",
            f"line 1: {NONSENSE}, but a name with a space in it; remove the space, or write # before a comment",
            id="a name with a space",
        ),
        pytest.param(
            "<<<<<<< HEAD\n",
            f"line 1: {NONSENSE}, but a mark of a merge conflict; resolve the conflict",
            id="merge conflict",
        ),
        pytest.param("=1\n", f"line 1: {NONSENSE}, but a value without a name; write KEY=value", id="no name"),
        pytest.param(
            "\ufeffA=1\n",
            "line 1: the file starts with a byte order mark, which becomes part of the first key for bash; save it as "
            "UTF-8 without one (sed -i '1s/^\\xEF\\xBB\\xBF//')",
            id="byte order mark",
        ),
        pytest.param(
            "A=1\nB=x\0y\n",
            "line 2: there is a NUL byte, which no variable can hold; remove it, or save the file as UTF-8 if it is "
            "UTF-16",
            id="NUL",
        ),
    ],
)
def test_a_text_that_is_not_an_env_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert str(caught.value) == message
