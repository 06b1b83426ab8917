"""The Advanced text: the block in it and the user's text around it."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import (
    BEGIN,
    END,
    LoadedState,
    digest,
    insert_pieces,
    remove_spans,
    split_text,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block import Block, Timeouts, render
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import BlockError, BlockPath
from hypothesis import given
from hypothesis import strategies as st


def rendered(*paths: BlockPath) -> Block:
    return render(paths or (BlockPath("/ws"),), Timeouts())


def block_text(*paths: BlockPath) -> str:
    return rendered(*paths).text


@given(st.text(alphabet=st.characters(blacklist_categories=("Cs",))))
def test_removing_the_block_leaves_exactly_the_text_that_was_there(text: str) -> None:
    if BEGIN in text or END in text:
        return
    without = split_text(text)
    assert without.block is None
    inside = split_text(without.with_block(block_text()))
    assert inside.block == block_text()
    assert inside.unmanaged == text
    assert inside.with_block(None) == text


@given(st.text(alphabet="a\r\n# ;"), st.text(alphabet="a\r\n# ;"))
def test_a_block_is_replaced_in_its_place(before: str, after: str) -> None:
    start = f"{before}\n" if before else ""
    found = split_text(start + block_text() + after)
    assert (found.before, found.block, found.after) == (start, block_text(), after)
    other = block_text(BlockPath("/other"))
    assert found.with_block(other) == start + other + after
    assert split_text(found.with_block(other)).paths == ("/other",)


@pytest.mark.parametrize(
    ("text", "begins", "ends"),
    [
        pytest.param(f"{BEGIN}\nx;\n", 1, 0, id="no-end"),
        pytest.param(f"{END}\n", 0, 1, id="no-begin"),
        pytest.param(f"{END}\n{BEGIN}\n", 1, 1, id="wrong-order"),
        pytest.param(f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n", 2, 2, id="two"),
    ],
)
def test_broken_markers_are_never_guessed_at(text: str, begins: int, ends: int) -> None:
    with pytest.raises(BlockError) as caught:
        split_text(text)
    assert str(caught.value) == (
        f"the Advanced text has {begins} lines {BEGIN!r} and {ends} lines {END!r}; "
        "expected one of each in this order; remove the broken block manually"
    )


def test_windows_line_ends_do_not_hide_the_markers() -> None:
    text = block_text().replace("\n", "\r\n")
    assert split_text(f"a;\r\n{text}b;").unmanaged == "a;\r\nb;"


@given(st.text(alphabet="ab \n"), st.lists(st.tuples(st.integers(0, 30), st.integers(1, 6)), max_size=4))
def test_what_is_removed_can_be_inserted_again(text: str, cuts: list[tuple[int, int]]) -> None:
    spans = [(start, min(start + size, len(text))) for start, size in cuts if start < len(text)]
    rest, pieces = remove_spans(text, spans)
    assert insert_pieces(rest, pieces) == text


def test_nginx_shows_the_revision_of_the_text_on_its_paths() -> None:
    block = rendered(BlockPath("/ws", prefix=True), BlockPath("/live/", prefix=True))
    assert split_text(f"a;\n{block.text}").loaded == LoadedState(block.revision, ("/ws", "/ws/", "/live/"))
    assert split_text("a;").loaded == LoadedState(None, ())


def test_a_span_takes_its_whole_line_along_if_it_is_alone_there() -> None:
    text = "a;\n  b;  \nc; d;\n"
    kept, pieces = remove_spans(
        text, [(text.index("b;"), text.index("b;") + 2), (text.index("d;"), text.index("d;") + 2)]
    )
    assert kept == "a;\nc; \n"
    assert [each.text for each in pieces] == ["  b;  \n", "d;"]


def test_texts_are_compared_without_being_shown() -> None:
    assert digest("a") == digest("a") != digest("b")
    assert len(digest("\udc80")) == 16
