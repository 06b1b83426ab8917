"""A build as an archive."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.errors import BuildError
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.shipment import pack, unpack


@pytest.fixture
def output(tmp_path: Path) -> Path:
    made = tmp_path / "web" / ".next"
    for name in ("static/a.js", "cache/warm", ".staging-build.json", "standalone/node_modules/b/index.js", ".hidden"):
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        (made / name).write_text(name)
    (made / "standalone/node_modules/a").symlink_to("b")
    (made / "standalone/public").symlink_to("../../public")
    (made / "standalone/static").symlink_to("../static")
    return made


def files(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file() or path.is_symlink()}


def test_what_is_unpacked_is_what_was_built(output: Path, tmp_path: Path) -> None:
    pack(str(output), str(tmp_path / "to" / "build.tar.gz"), "cache")
    unpack(str(tmp_path / "to" / "build.tar.gz"), str(tmp_path / "host"))
    assert files(tmp_path / "host") == {
        "static/a.js",
        ".hidden",
        "standalone/node_modules/a",
        "standalone/node_modules/b/index.js",
        "standalone/static",
        # Not the link that leads out of the build, the record of the other machine, and its cache.
    } | {"standalone/node_modules/a/index.js", "standalone/static/a.js"} & files(tmp_path / "host")
    assert (tmp_path / "host/standalone/node_modules/a/index.js").read_text() == "standalone/node_modules/b/index.js"


def test_a_cache_of_another_bundler_is_a_part_of_the_build(output: Path, tmp_path: Path) -> None:
    pack(str(output), str(tmp_path / "build.tar.gz"))
    unpack(str(tmp_path / "build.tar.gz"), str(tmp_path / "host"))
    assert (tmp_path / "host/cache/warm").exists()


def test_an_archive_that_is_none_is_reported(tmp_path: Path) -> None:
    (tmp_path / "build.tar.gz").write_text("none")
    with pytest.raises(BuildError, match="cannot be unpacked"):
        unpack(str(tmp_path / "build.tar.gz"), str(tmp_path / "host"))
