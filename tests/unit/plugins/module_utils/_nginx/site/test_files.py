"""The files of a site on a real file system."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.files import SiteFiles
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.layout import SiteLayout
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.marker import with_marker
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.plan import File, Link, WantedSite

TEXT = with_marker("s", "server {}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "sites-enabled").mkdir()
    (tmp_path / "modules-enabled").mkdir()
    return tmp_path


def files_in(root: Path, text: str | None = TEXT, main_text: str | None = None) -> SiteFiles:
    layout = SiteLayout("sites", str(root / "sites-available/s"), str(root / "sites-enabled/s"))
    main = SiteLayout("main", str(root / "modules-enabled/s.conf"))
    return SiteFiles(WantedSite(layout, text, main, main_text), str(root))


def names(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_symlink() or path.is_file())


def apply(files: SiteFiles) -> None:
    files.apply(files.state(), files.after)


def test_a_new_site_is_a_readable_file_and_a_link(root: Path) -> None:
    files = files_in(root, main_text="pid x;\n")
    apply(files)
    assert files.state() == files.after
    assert names(root) == ["modules-enabled/s.conf", "sites-available/s", "sites-enabled/s"]
    assert (root / "sites-available/s").stat().st_mode & 0o777 == 0o644


def test_a_file_is_replaced_by_a_rename(root: Path) -> None:
    apply(files_in(root))
    with (root / "sites-available/s").open() as held:
        apply(files_in(root, text=with_marker("s", "server { listen 1; }")))
        assert held.read() == TEXT


def test_removed_files_are_hidden_until_they_are_cleaned_up(root: Path) -> None:
    apply(files_in(root, main_text="pid x;\n"))
    files = files_in(root, text=None)
    apply(files)
    assert names(root) == [
        ".modules-enabled.s.conf.codeframe-removed",
        ".sites-available.s.codeframe-removed",
        ".sites-enabled.s.codeframe-removed",
    ]
    times = [each.stat().st_ctime for each in root.iterdir() if each.is_dir()]
    files.clean_up()
    assert [each.stat().st_ctime for each in root.iterdir() if each.is_dir()] == times
    assert names(root) == []


def test_a_removal_that_was_not_cleaned_up_is_the_newest_change(root: Path) -> None:
    apply(files_in(root, main_text="pid x;\n"))
    files = files_in(root)
    before = files.newest_change([])
    # Times of files advance in steps of the kernel's clock.
    time.sleep(0.02)
    apply(files)
    removed = root / ".modules-enabled.s.conf.codeframe-removed"
    assert before is not None
    assert files.newest_change([]) == max(before, removed.stat().st_ctime)
    assert removed.stat().st_ctime > (root / "sites-enabled/s").lstat().st_ctime
    files.clean_up()
    assert files.newest_change([]) == (root / "sites-enabled/s").lstat().st_ctime


def test_a_file_on_another_file_system_is_removed_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(files_in(root))
    rename = os.rename

    def crossing(source: str, target: str, **_options: int) -> None:
        if os.path.dirname(source) != os.path.dirname(target):
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        rename(source, target)

    monkeypatch.setattr(os, "rename", crossing)
    apply(files_in(root, text=None))
    assert names(root) == []


def test_a_removal_that_fails_is_not_ignored(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apply(files_in(root))

    def failing(_source: str, _target: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(PermissionError):
        apply(files_in(root, text=None))
    assert names(root) == ["sites-available/s", "sites-enabled/s"]


def test_an_interrupted_change_is_restored(root: Path) -> None:
    apply(files_in(root, main_text="pid x;\n"))
    files = files_in(root, text=None)
    before = files.state()
    (root / "sites-enabled/s").unlink()
    (root / "modules-enabled/s.conf").write_text("half")
    files.restore(before)
    assert files.state() == before
    assert names(root) == ["modules-enabled/s.conf", "sites-available/s", "sites-enabled/s"]


def test_the_mode_of_the_previous_file_is_restored(root: Path) -> None:
    apply(files_in(root))
    (root / "sites-available/s").chmod(0o600)
    files = files_in(root)
    before = files.state()
    apply(files)
    files.restore(before)
    assert (root / "sites-available/s").stat().st_mode & 0o777 == 0o600


def test_leftovers_of_other_sites_stay(root: Path) -> None:
    other = root / "sites-enabled/.s.t.0123456789ab.codeframe-tmp"
    own = root / "sites-enabled/.s.0123456789ab.codeframe-tmp"
    for path in (other, own):
        path.write_text("")
    files_in(root).clean_up()
    assert names(root) == ["sites-enabled/.s.t.0123456789ab.codeframe-tmp"]


def test_leftovers_of_a_run_with_another_layout_are_deleted(root: Path) -> None:
    removed, unfinished = root / ".conf.d.s.conf.codeframe-removed", root / "conf.d/.s.conf.0123456789ab.codeframe-tmp"
    unfinished.parent.mkdir()
    for path in (removed, unfinished):
        path.write_text("")
    files = files_in(root)
    files.clean_up()
    assert removed.exists()
    assert unfinished.exists()
    SiteFiles(files.wanted, str(root), possible=[str(root / "conf.d/s.conf")]).clean_up()
    assert names(root) == []


@pytest.mark.parametrize("name", ["sites-available/s", "sites-enabled/s", "modules-enabled/s.conf"])
def test_a_file_without_the_marker_is_unmanaged(root: Path, name: str) -> None:
    path = root / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("server {}\n")
    assert files_in(root).unmanaged() == str(path)


def test_a_directory_of_the_name_is_unmanaged(root: Path) -> None:
    (root / "sites-enabled/s").mkdir()
    assert files_in(root).unmanaged() == str(root / "sites-enabled/s")


def test_managed_files_and_dangling_links_are_not_unmanaged(root: Path) -> None:
    (root / "sites-enabled/s").symlink_to("../sites-available/s")
    assert files_in(root).unmanaged() is None
    apply(files_in(root))
    assert files_in(root).unmanaged() is None


def test_a_relative_link_to_the_file_is_the_link_that_is_wanted(root: Path) -> None:
    apply(files_in(root))
    (root / "sites-enabled/s").unlink()
    (root / "sites-enabled/s").symlink_to("../sites-available/s")
    files = files_in(root)
    assert (
        files.state()
        == files.after
        == {
            str(root / "sites-available/s"): File(TEXT),
            str(root / "sites-enabled/s"): Link(str(root / "sites-available/s")),
            str(root / "modules-enabled/s.conf"): None,
        }
    )


def test_a_site_that_was_removed_manually_shows_by_the_time_of_its_directory(root: Path) -> None:
    apply(files_in(root))
    (root / "sites-enabled/s").unlink()
    (root / "sites-available/s").unlink()
    assert files_in(root, text=None).newest_change([]) == (root / "sites-enabled").stat().st_ctime
    assert files_in(root).newest_change([]) is None
