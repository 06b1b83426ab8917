"""Static files of earlier builds in the build that is served, on real directories."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend import retained
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.output import client_scripts
from ansible_collections.codeframe.staging.plugins.modules import static_files_retained


class Releases:
    def __init__(self, root: Path, run_module: Any) -> None:
        self.root = root
        self.run_module = run_module

    def build(self, release: str, *names: str) -> Path:
        output = self.root / release / ".next"
        for name in names:
            (output / "static" / name).parent.mkdir(parents=True, exist_ok=True)
            (output / "static" / name).write_text(f"{release} {name}")
        (output / "build-manifest.json").write_text("{}")
        return output

    def run(self, release: str, check: bool = False) -> dict[str, Any]:
        previous = [str(path / ".next/static") for path in sorted(self.root.iterdir())]
        options = {"src": str(self.root / release / ".next/static"), "previous": previous}
        result: dict[str, Any] = self.run_module(static_files_retained, options, check=check)
        assert not result["failed"], result
        return result

    def files(self, release: str) -> dict[str, str]:
        static = self.root / release / ".next/static"
        return {str(path.relative_to(static)): path.read_text() for path in static.rglob("*") if path.is_file()}


@pytest.fixture
def releases(tmp_path: Path, run_module: Any) -> Releases:
    (tmp_path / "releases").mkdir()
    return Releases(tmp_path / "releases", run_module)


def test_files_of_earlier_builds_are_added_and_those_of_the_build_are_kept(releases: Releases) -> None:
    releases.build("1", "a/_buildManifest.js", "chunks/main-1.js", "chunks/framework.js")
    releases.build("2", "b/_buildManifest.js", "chunks/main-2.js", "chunks/framework.js")
    predicted = releases.run("2", check=True)
    assert "chunks/main-1.js" not in releases.files("2")
    result = releases.run("2")
    assert result["added"] == predicted["added"] == ["a/_buildManifest.js", "chunks/main-1.js"]
    assert result["reasons"] == ["files of earlier builds added: 2"]
    assert releases.files("2") == {
        "a/_buildManifest.js": "1 a/_buildManifest.js",
        "chunks/main-1.js": "1 chunks/main-1.js",
        "b/_buildManifest.js": "2 b/_buildManifest.js",
        "chunks/main-2.js": "2 chunks/main-2.js",
        "chunks/framework.js": "2 chunks/framework.js",
    }
    first, second = (releases.root / name / ".next/static/chunks/main-1.js" for name in "12")
    assert first.samefile(second)
    again = releases.run("2")
    assert (again["changed"], again["added"], again["reasons"]) == (False, [], [])


def test_after_a_rollback_the_files_of_the_newer_build_are_added(releases: Releases) -> None:
    releases.build("1", "one.js")
    releases.build("2", "two.js")
    releases.run("2")
    assert releases.run("1")["added"] == ["two.js"]
    assert sorted(releases.files("1")) == ["one.js", "two.js"]


def test_files_of_a_deleted_release_go_with_the_next_addition(releases: Releases) -> None:
    releases.build("1", "one.js")
    releases.build("2", "two.js")
    releases.run("2")
    shutil.rmtree(releases.root / "1")
    assert not releases.run("2")["changed"]
    assert "one.js" in releases.files("2")
    releases.build("3", "three.js")
    result = releases.run("2")
    assert (result["added"], result["removed"]) == (["three.js"], ["one.js"])
    assert sorted(releases.files("2")) == ["three.js", "two.js"]
    # What was only added to one build is not passed on by it.
    assert releases.run("3")["added"] == ["two.js"]


def test_scripts_of_earlier_builds_are_no_scripts_of_the_build(releases: Releases) -> None:
    releases.build("1", "chunks/old.js")
    output = releases.build("2", "chunks/new.js")
    releases.run("2")
    assert client_scripts(str(output)) == {"static/chunks/new.js": "2 chunks/new.js"}


def test_scripts_of_earlier_builds_of_another_bundler_are_no_scripts_of_the_build(tmp_path: Path) -> None:
    assets = tmp_path / "dist/assets"
    assets.mkdir(parents=True)
    for name in ("new.js", "old.js"):
        (assets / name).write_text(name)
    Path(retained.retained_record(str(assets))).write_text('["old.js"]')
    assert client_scripts(str(tmp_path / "dist")) == {"assets/new.js": "new.js"}


def test_without_a_build_there_is_no_change(releases: Releases) -> None:
    releases.build("1", "one.js")
    result = releases.run("2")
    assert (result["changed"], result["added"]) == (False, [])


def test_a_killed_run_leaves_no_file_that_counts_as_one_of_the_build_and_is_finished_by_the_next(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    releases.build("1", "one.js", "other.js")
    output = releases.build("2", "two.js")

    share = retained._share
    count = 0

    def killed(source: str, target: str) -> None:
        nonlocal count
        count += 1
        if count == 2:
            raise KeyboardInterrupt
        share(source, target)

    with monkeypatch.context() as patched:
        patched.setattr(retained, "_share", killed)
        with pytest.raises(KeyboardInterrupt):
            releases.run("2")
    assert list(client_scripts(str(output))) == ["static/two.js"]
    assert releases.run("2")["added"] == ["other.js"]
    assert not releases.run("2")["changed"]


def test_files_that_cannot_be_linked_are_copied(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    releases.build("1", "one.js")
    releases.build("2", "two.js")

    def refused(*_args: Any, **_options: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(retained.os, "link", refused)
    releases.run("2")
    assert releases.files("2")["one.js"] == "1 one.js"
