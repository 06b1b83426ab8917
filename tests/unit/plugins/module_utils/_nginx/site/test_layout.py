"""Where the files of a site belong."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import include_matches
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.errors import SiteError
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.layout import (
    SiteLayout,
    default_layout,
    detect_layout,
    included_patterns,
    possible_layouts,
)

SITES = SiteLayout("sites", "/n/sites-available/s", "/n/sites-enabled/s")


@pytest.mark.parametrize(
    ("includes", "wanted", "expected"),
    [
        pytest.param(["/n/conf.d/*.conf", "/n/sites-enabled/*"], "auto", SITES, id="debian"),
        pytest.param(
            ["/n/sites-enabled/*.conf"],
            "auto",
            SiteLayout("sites", "/n/sites-available/s.conf", "/n/sites-enabled/s.conf"),
            id="only-with-a-suffix",
        ),
        pytest.param(["/n/conf.d/*.conf"], "auto", SiteLayout("conf_d", "/n/conf.d/s.conf"), id="upstream-package"),
        pytest.param(["/n/http.d/*.conf"], "auto", SiteLayout("conf_d", "/n/http.d/s.conf"), id="alpine"),
        pytest.param(
            ["/n/conf.d/*.conf", "/n/sites-enabled/*"], "conf_d", SiteLayout("conf_d", "/n/conf.d/s.conf"), id="chosen"
        ),
        pytest.param(
            ["/n/modules-enabled/*.conf"], "main", SiteLayout("main", "/n/modules-enabled/s.conf"), id="main-context"
        ),
    ],
)
def test_the_layout_follows_from_the_includes(includes: list[str], wanted: str, expected: SiteLayout) -> None:
    assert detect_layout(includes, "s", wanted) == expected


@pytest.mark.parametrize(
    ("includes", "wanted", "message"),
    [
        pytest.param(
            ["/n/mime.types"],
            "auto",
            "the http block includes no directory sites-enabled or conf.d that would load the site s "
            "(it includes /n/mime.types); add such an include to the main file or set another layout",
            id="none",
        ),
        pytest.param(
            [],
            "sites",
            "the http block includes no directory sites-enabled that would load the site s "
            "(it includes nothing); add such an include to the main file or set another layout",
            id="chosen-and-missing",
        ),
        pytest.param(
            ["/n/modules-enabled/50-*.conf"],
            "main",
            "the main file includes no directory modules-enabled that would load the site s "
            "(it includes /n/modules-enabled/50-*.conf); add such an include to the main file",
            id="main-context",
        ),
    ],
)
def test_a_main_file_without_a_place_for_the_site_is_reported(includes: list[str], wanted: str, message: str) -> None:
    with pytest.raises(SiteError) as caught:
        detect_layout(includes, "s", wanted)
    assert str(caught.value) == message


def test_nginx_loads_the_link_where_there_is_one_and_the_file_otherwise() -> None:
    assert (SITES.loaded, SITES.paths) == ("/n/sites-enabled/s", ("/n/sites-available/s", "/n/sites-enabled/s"))
    conf_d = SiteLayout("conf_d", "/n/conf.d/s.conf")
    assert (conf_d.loaded, conf_d.paths) == ("/n/conf.d/s.conf", ("/n/conf.d/s.conf",))


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("auto", SITES),
        ("sites", SITES),
        ("conf_d", SiteLayout("conf_d", "/n/conf.d/s.conf")),
        ("main", SiteLayout("main", "/n/modules-enabled/s.conf")),
    ],
)
def test_without_nginx_the_layout_is_that_of_debian(kind: str, expected: SiteLayout) -> None:
    assert default_layout(kind, "s", "/n") == expected


def test_every_layout_that_a_site_may_have_is_known() -> None:
    assert possible_layouts(["/n/http.d/*.conf", "/n/sites-enabled/*"], "/n", "s") == [
        SiteLayout("conf_d", "/n/http.d/s.conf"),
        SiteLayout("sites", "/n/sites-available/s", "/n/sites-enabled/s"),
        SiteLayout("sites", "/n/sites-available/s.conf", "/n/sites-enabled/s.conf"),
        SiteLayout("conf_d", "/n/conf.d/s.conf"),
    ]


def patterns(files: dict[str, str], context: str) -> list[str]:
    return included_patterns(
        "/n/nginx.conf",
        context,
        files.__getitem__,
        lambda pattern: sorted(path for path in files if include_matches(pattern, path)),
    )


def test_includes_are_those_of_the_context_and_of_files_included_there() -> None:
    files = {
        "/n/nginx.conf": "include modules-enabled/*.conf; http { include conf.d/*.conf; server { include inner; } }",
        "/n/modules-enabled/a.conf": "include /more/*;",
        "/n/conf.d/sites.conf": "include sites-enabled/*;",
    }
    assert patterns(files, "http") == ["/n/conf.d/*.conf", "/n/sites-enabled/*"]
    assert patterns(files, "main") == ["/n/modules-enabled/*.conf", "/more/*"]


def test_an_http_block_in_an_included_file_counts() -> None:
    files = {"/n/nginx.conf": "include http.conf;", "/n/http.conf": "http { include sites-enabled/*; }"}
    assert patterns(files, "http") == ["/n/sites-enabled/*"]


def test_a_file_that_includes_itself_does_not_loop() -> None:
    files = {"/n/nginx.conf": "http { include a; }", "/n/a": "include a;"}
    assert set(patterns(files, "http")) == {"/n/a"}
