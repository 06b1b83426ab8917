"""Why readers differ about a line, for lines about which they really differ."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.causes import cause_of_difference
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.change import change_keys


@pytest.mark.parametrize(
    ("line", "cause", "remedy"),
    [
        pytest.param("A=1\r\n", "its line ends with CRLF", "convert the file", id="crlf"),
        pytest.param("A=1\rB=2\r\n", "it holds a carriage return", "convert the line ends", id="cr"),
        pytest.param("A = 1\n", "there is a space beside the equals sign", "remove the spaces", id="blanks"),
        pytest.param("A-B=1\n", "A-B is no name of a variable for bash", "rename it", id="name"),
        pytest.param("A=$(date)\n", "its value holds a command substitution", "write the value itself", id="command"),
        pytest.param("A=`date`\n", "its value holds a command substitution", "write the value itself", id="backticks"),
        pytest.param("A=pa$word\n", "its value holds a $", "set the key in staging_env", id="dollar"),
        pytest.param('A="pa$word"\n', "its value holds a $", "set the key in staging_env", id="dollar-in-quotes"),
        pytest.param('A=["x", "y"]\n', "its value is a list or an object", "put the whole value in", id="list"),
        pytest.param('A={"x": 1}\n', "its value is a list or an object", "put the whole value in", id="object"),
        pytest.param("A=one two\n", "its value has spaces without quotes", "put the whole value in", id="words"),
        pytest.param("A=pa#ss\n", "its value holds a #", "put the whole value in single quotes", id="hash"),
        pytest.param("A=1; ls\n", "its value holds characters that bash takes", "put the whole value in", id="shell"),
        pytest.param("A=a\\b\n", "its value holds a backslash", "put the whole value in single quotes", id="backslash"),
        pytest.param("A=it's'\n", "its value holds a quote", "put the whole value in single quotes", id="quote"),
    ],
)
def test_the_cause_of_a_difference_is_named_with_a_remedy(line: str, cause: str, remedy: str) -> None:
    assert change_keys(line, {}).differing
    found = cause_of_difference(line)
    assert found.text.startswith(cause)
    assert found.remedy.startswith(remedy)
    assert "word" not in found.remedy
