"""Host names that are too long for nginx."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.name_length import LongName, long_names

FITS, LONG = "a" * 46, "a" * 47
OTHER = "server { listen 80; }"


def found(http: str, *wanted: tuple[str, int]) -> list[LongName]:
    tree = load_tree("/n", lambda _path: f"http {{ {http} }}", lambda _pattern: [])
    return long_names(tree, wanted)


@pytest.mark.parametrize(
    ("http", "wanted", "names"),
    [
        pytest.param(OTHER, [(FITS, 80)], [], id="fits"),
        pytest.param(OTHER, [(LONG, 80)], [LONG], id="one-more"),
        pytest.param("", [(LONG, 80)], [], id="no-other-server-at-the-port"),
        pytest.param("server { listen 81; }", [(LONG, 80)], [], id="another-server-at-another-port"),
        pytest.param("", [(LONG, 80), ("b", 80)], [LONG], id="another-server-of-the-site"),
        pytest.param("", [(LONG, 80), (LONG, 443)], [], id="the-same-name-at-two-ports"),
        pytest.param(f"server_names_hash_bucket_size 128; {OTHER}", [("a" * 110, 80)], [], id="larger-buckets"),
        pytest.param(f"server_names_hash_bucket_size 128; {OTHER}", [("a" * 111, 80)], ["a" * 111], id="and-one-more"),
        pytest.param(f"server_names_hash_bucket_size 65; {OTHER}", [("a" * 110, 80)], [], id="rounded-up"),
        pytest.param(
            f"server_names_hash_bucket_size 32; {OTHER}", [(FITS, 80)], [], id="smaller-buckets-are-rounded-up"
        ),
    ],
)
def test_names_that_do_not_fit_are_found(http: str, wanted: list[tuple[str, int]], names: list[str]) -> None:
    assert [each.name for each in found(http, *wanted)] == names


def test_the_remedy_is_a_size_that_the_name_needs() -> None:
    (default,) = found(OTHER, (LONG, 80))
    assert default.found == (
        f"{LONG} has 47 characters, and nginx takes at most 46 with server_names_hash_bucket_size 64, the default"
    )
    assert default.remedy == "set server_names_hash_bucket_size 128 in the http block of nginx.conf"
    (set_there,) = found(f"server_names_hash_bucket_size 64; {OTHER}", (LONG, 80))
    assert set_there.found.endswith("server_names_hash_bucket_size 64 in /n:1")
    assert set_there.remedy == "set server_names_hash_bucket_size 128 in /n:1"
