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
def test_a_text_that_is_not_an_env_file_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ParseError) as caught:
        parse(text)
    assert str(caught.value) == message
