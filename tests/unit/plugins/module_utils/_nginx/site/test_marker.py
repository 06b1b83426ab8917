"""The marker of managed files."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.marker import (
    is_managed,
    with_marker,
    without_marker,
)


def test_the_marker_is_added_and_removed() -> None:
    text = with_marker("s", "\nserver {}\n\n")
    assert text == "# Managed by codeframe.staging, site s; manual changes are replaced.\nserver {}\n"
    assert without_marker(text) == "server {}\n"


def test_a_text_without_the_marker_is_returned_whole() -> None:
    assert without_marker("server {}\n# end\n") == "server {}\n# end\n"


def test_only_a_marker_in_the_first_line_counts() -> None:
    text = with_marker("s", "server {}")
    assert is_managed(text)
    assert not is_managed("server {}\n" + text)


def test_the_marker_of_another_site_does_not_count_for_a_name() -> None:
    text = with_marker("s", "server {}")
    assert is_managed(text, "s")
    assert not is_managed(text, "t")
