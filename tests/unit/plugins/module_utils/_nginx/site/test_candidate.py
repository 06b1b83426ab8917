"""A configuration with changes that are not in place."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import include_matches, load_tree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.messages import complaints
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.candidate import (
    Changes,
    Shadow,
    overlay,
    shadow,
)
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.errors import SiteError

SITE = "/n/sites-enabled/s"


def expand(files: dict[str, str], pattern: str) -> list[str]:
    return sorted(path for path in files if include_matches(pattern, path))


def made(files: dict[str, str], changes: Changes) -> Shadow:
    return shadow("/n/nginx.conf", "/shadow", changes, files.__getitem__, lambda pattern: expand(files, pattern))


def test_only_files_that_lead_to_the_site_are_copied_and_the_candidate_is_in_its_order() -> None:
    files = {"/n/nginx.conf": "http {\n include mime.types;\n include sites-enabled/*;\n}", "/n/mime.types": "types {}"}
    files |= {f"/n/sites-enabled/{name}": "" for name in ("z", "a", "t", "B")}
    assert made(files, {SITE: "new"}).files == {
        "nginx.conf": 'http {\n include mime.types;\n include "/n/sites-enabled/B"; include "/n/sites-enabled/a"; '
        'include "/shadow/.candidate.0.s"; include "/n/sites-enabled/t"; include "/n/sites-enabled/z";\n}',
        ".candidate.0.s": "new",
    }


def test_a_site_that_would_be_gone_is_left_out() -> None:
    files = {"/n/nginx.conf": "http { include sites-enabled/*; }", SITE: "old"}
    assert made(files, {SITE: None}).files == {"nginx.conf": "http {  }"}


def test_several_changes_are_made_at_once() -> None:
    files = {"/n/nginx.conf": "include m/*;\nhttp { include conf.d/*; include sites-enabled/*; }", "/n/conf.d/s": "old"}
    copy = made(files, {"/n/conf.d/s": None, SITE: "new", "/n/m/s": "main"})
    assert copy.files == {
        "nginx.conf": 'include "/shadow/.candidate.0.s";\nhttp {  include "/shadow/.candidate.1.s"; }',
        ".candidate.0.s": "main",
        ".candidate.1.s": "new",
    }
    assert copy.originals == {
        ".candidate.0.s": "/n/m/s",
        ".candidate.1.s": SITE,
        "nginx.conf": "/n/nginx.conf",
    }


def test_files_that_lead_to_the_site_are_copied_too() -> None:
    files = {"/n/nginx.conf": "http { include conf.d/*; }", "/n/conf.d/x": "include sites-enabled/*;"}
    assert made(files, {SITE: "new"}).files == {
        "nginx.conf": 'http { include "/shadow/.include.1.x"; }',
        ".include.1.x": 'include "/shadow/.candidate.0.s";',
        ".candidate.0.s": "new",
    }


def test_a_relative_include_with_dots_starts_at_the_real_directory() -> None:
    files = {"/n/nginx.conf": "http { include ../n/x; include sites-enabled/*; }", "/n/x": ""}
    assert made(files, {SITE: "new"}).files["nginx.conf"] == (
        'http { include "/n/x"; include "/shadow/.candidate.0.s"; }'
    )


def test_a_file_that_includes_itself_does_not_loop() -> None:
    files = {"/n/nginx.conf": "http { include a; include sites-enabled/*; }", "/n/a": "include a;"}
    assert made(files, {SITE: "new"}).files["nginx.conf"] == 'http { include a; include "/shadow/.candidate.0.s"; }'


def test_a_site_that_nothing_includes_cannot_be_tested() -> None:
    with pytest.raises(SiteError, match=r"nothing in /n/nginx\.conf includes /n/sites-enabled/s"):
        made({"/n/nginx.conf": "http {}"}, {SITE: "new"})


def test_a_path_that_nothing_includes_may_be_gone() -> None:
    assert made({"/n/nginx.conf": "http {}"}, {SITE: None}).files == {"nginx.conf": "http {}"}


def test_messages_about_the_copy_name_the_real_files() -> None:
    copy = made({"/n/nginx.conf": "http { include sites-enabled/*; }"}, {SITE: "x"})
    said = "nginx: [emerg] bad in /shadow/.candidate.0.s:3\nnginx: configuration file /shadow/nginx.conf test failed\n"
    assert copy.with_real_paths(said) == (
        "nginx: [emerg] bad in /n/sites-enabled/s:3\nnginx: configuration file /n/nginx.conf test failed\n"
    )
    assert complaints(copy.with_real_paths(said)) == ["bad in /n/sites-enabled/s:3"]


def test_an_overlay_is_read_like_the_changed_configuration() -> None:
    files = {"/n/nginx.conf": "http { include s/*; }", "/n/s/a": "gzip on;", "/n/s/b": "gzip off;"}
    changes = {"/n/s/a": None, "/n/s/b": "charset x;", "/n/s/aa": "etag on;"}
    read, expand_over = overlay(changes, files.__getitem__, lambda pattern: expand(files, pattern))
    tree = load_tree("/n/nginx.conf", read, expand_over)
    assert [each.name for each in tree.http()] == ["etag", "charset"]
    with pytest.raises(FileNotFoundError):
        read("/n/s/a")
