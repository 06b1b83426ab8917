"""Which files of a directory are data of the application."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release import baseline, data
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError
from ansible_collections.codeframe.staging.plugins.module_utils._release.manifest import Layout

SOURCE = ("app/main.py", "web/logo.png", "README.md")


def write(root: Path, *names: str, content: str = "x") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def find(directory: Path, layout: Layout, known: data.Known) -> data.Data:
    return data.find(str(directory), layout, known, str(directory.parent / "shared"))


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("app.db", "app.db", id="in-a-directory-with-source"),
        pytest.param("uploads/a/1.jpg", "uploads/", id="in-a-directory-of-its-own"),
        pytest.param("app/uploads/1.jpg", "app/uploads/", id="below-source"),
        pytest.param("app/notes.py", "app/notes.py", id="code"),
        pytest.param("web/node_modules/p/x.db", None, id="installed-packages"),
        pytest.param("web/.next/cache/x", None, id="build"),
        pytest.param("app/__pycache__/main.cpython-311.pyc", None, id="byte-code"),
        pytest.param("web/next-env.d.ts", None, id="generated-by-Next.js"),
        pytest.param("web/out/index.html", None, id="carried-over"),
        pytest.param("web/.out.staging-build.json", None, id="record-of-a-carried-build"),
        pytest.param("shared/x.db", None, id="shared"),
        pytest.param("one.db-wal", None, id="beside-a-shared-database"),
        pytest.param(".env.staging", None, id="env-file"),
        pytest.param(".env.staging.example", None, id="example-of-the-env-file"),
        pytest.param("excluded/x", "excluded/", id="excluded-from-the-source"),
        pytest.param("run[1]/x", None, id="shared-with-brackets"),
        pytest.param("run1/x", "run1/", id="what-brackets-would-match-as-a-pattern"),
        pytest.param("week-2.db", "week-2.db", id="what-an-asterisk-would-match-as-a-pattern"),
        pytest.param("week-*.db-wal", None, id="beside-a-shared-database-with-an-asterisk"),
        pytest.param("logX/x", "logX/", id="what-a-question-mark-would-match-as-a-pattern"),
    ],
)
def test_a_file_that_is_neither_source_nor_made_by_tools_is_data(tmp_path, name, found):
    write(tmp_path, *SOURCE, name)
    layout = Layout(
        shared_paths=["shared", "one.db", "run[1]", "week-*.db", "log?"],
        exclude=["excluded"],
        env_files=[".env.staging"],
        carry=["web/out"],
    )
    assert find(tmp_path, layout, data.Known(SOURCE)).unshared == ((found,) if found else ())


def test_a_directory_whose_source_only_makes_it_exist_is_named_as_a_whole(tmp_path):
    write(tmp_path, *SOURCE, "uploads/.gitkeep", "uploads/a/1.jpg", "uploads/2.jpg")
    found = find(tmp_path, Layout(), data.Known((*SOURCE, "uploads/.gitkeep")))
    assert found.unshared == ("uploads/",)


@pytest.mark.parametrize(
    ("name", "is_data"),
    [
        pytest.param("app/notes.py", False, id="code"),
        pytest.param("tools/new/helper.ts", False, id="code-in-a-new-directory"),
        pytest.param("web/hero.png", False, id="image-beside-source"),
        pytest.param("app/settings.json", False, id="text-beside-source"),
        pytest.param("Dockerfile", False, id="no-ending"),
        pytest.param("uploads/photo.png", True, id="image-in-a-directory-of-its-own"),
        pytest.param("state/queue.json", True, id="text-in-a-directory-of-its-own"),
        pytest.param("app/app.db", True, id="database"),
        pytest.param("app/access.log", True, id="log"),
        pytest.param("app/model.bin", True, id="unknown-kind"),
    ],
)
def test_where_edits_are_source_a_new_file_is_judged_by_its_kind_and_place(tmp_path, name, is_data):
    write(tmp_path, *SOURCE, name)
    found = find(tmp_path, Layout(), data.Known(SOURCE, edits_are_source=True))
    assert bool(found.unshared) is is_data


def test_without_any_list_of_the_source_only_what_looks_like_data_is_data(tmp_path):
    write(tmp_path, *SOURCE, "uploads/photo.png", "app/app.sqlite3")
    write(tmp_path, "app/hidden", content="SQLite format 3\0")
    found = find(tmp_path, Layout(), data.Known(edits_are_source=True, complete=False))
    assert found.unshared == ("app/app.sqlite3", "app/hidden")


def test_a_file_that_is_as_it_was_at_the_activation_is_no_data(tmp_path):
    write(tmp_path, *SOURCE, "made.txt", "written.txt")
    made = {name: baseline.signature(str(tmp_path / name)) for name in ("made.txt", "written.txt")}
    write(tmp_path, "written.txt", content="longer")
    assert find(tmp_path, Layout(), data.Known(SOURCE, made=made)).unshared == ("written.txt",)


@pytest.mark.parametrize(("mode", "is_data"), [("r", False), ("a", True), ("r+", True)])
def test_a_file_is_open_in_a_process_only_if_it_may_write_it(tmp_path, mode, is_data):
    write(tmp_path, *SOURCE)
    with (tmp_path / "app/main.py").open(mode):
        found = find(tmp_path, Layout(), data.Known(SOURCE))
    assert found.unshared == (("app/main.py",) if is_data else ())
    assert set(found.open_in) == set(found.unshared)


def test_an_edited_source_file_is_data_only_if_it_is_not_text(tmp_path):
    write(tmp_path, *SOURCE)
    write(tmp_path, "web/logo.png", content="\0")
    assert find(tmp_path, Layout(), data.Known(SOURCE, edited=SOURCE)).unshared == ("web/logo.png",)


def test_what_may_be_left_behind_is_listed_apart(tmp_path):
    write(tmp_path, *SOURCE, "cache/a", "uploads/b")
    found = find(tmp_path, Layout(leave_behind=["cache"]), data.Known(SOURCE))
    assert (found.unshared, found.left_behind) == (("uploads/",), ("cache/",))


def test_a_long_list_is_cut_in_the_message_and_complete_in_the_line_to_add():
    names = tuple(f"{number:02d}.db" for number in range(12))
    with pytest.raises(ReleaseError) as refused:
        data.refuse(data.Data(names), "release 1", Layout(), "/shared")
    assert "07.db, 08.db, 09.db and 2 more; " in str(refused.value)
    assert "09.db, 10.db, 11.db]` in the inventory" in str(refused.value)


def test_no_data_is_no_refusal():
    data.refuse(data.Data(left_behind=("cache/",)), "release 1", Layout(), "/shared")
