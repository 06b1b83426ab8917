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
    ],
)
def test_the_readers_disagree(text: str, bash: object, dotenv: object, next_: object, python: object) -> None:
    expected = dict(zip(READERS, (bash, dotenv, next_, python)))
    assert {reader: READ[reader](text).get("A", ...) for reader in READERS} == expected
