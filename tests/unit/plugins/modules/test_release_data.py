"""Files that the application writes: shared, explicitly left behind, or the deployment stops."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest
from release_site import SOURCE, Site, git, write

NEW = {**SOURCE, "backend/main.py": "print('two')\n"}
NEWER = {**SOURCE, "backend/main.py": "print('three')\n"}


@pytest.fixture
def site(tmp_path: Path, run_module: Any) -> Site:
    return Site(tmp_path, run_module)


def refused(result: dict[str, Any]) -> str:
    assert result["failed"], result
    return str(result["msg"])


def rows(database: Path) -> list[str]:
    with sqlite3.connect(database) as connection:
        return [row[0] for row in connection.execute("SELECT text FROM notes")]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check-mode"])
@pytest.mark.parametrize("state", ["prepared", "candidate"])
def test_data_that_is_not_shared_stops_before_a_release_is_made(site, state, check):
    site.deploy(SOURCE)
    write(site.project, {"app.db": "rows", "app.db-wal": "more", "uploads/1.jpg": "u", "uploads/2.jpg": "u"})
    active = site.info()["active"]
    result = site.from_archive(NEW, check) if state == "prepared" else site.call("candidate", check)
    assert refused(result) == (
        f"release {active} contains files that no source contains and no build has made, so the application has "
        "probably written them: app.db, app.db-wal, uploads/; the next release would not have them, so nothing was "
        "activated; keep them with `staging_shared_paths: [data, app.db, uploads]` in the inventory, and list in "
        "staging_leave_behind those that the next release must not have"
    )
    assert (site.info()["active"], site.info()["candidate"]) == (active, None)
    assert (site.project / "app.db").read_text() == "rows"


def test_data_that_is_written_during_the_build_stops_before_the_activation(site):
    site.deploy(SOURCE)
    active = site.info()["active"]
    assert site.from_archive(NEW)["changed"]
    write(site.project, {"uploads/1.jpg": "u"})
    message = f"release {active} contains files that no source contains and no build has made"
    assert refused(site.call("activated", check=True)).startswith(message)
    assert refused(site.call("activated")).startswith(message)
    assert site.info()["active"] == active


def test_without_a_change_data_that_is_not_shared_is_a_warning(site):
    site.deploy(SOURCE)
    active = site.info()["active"]
    write(site.project, {"uploads/1.jpg": "u"})
    result = site.from_archive(SOURCE)
    assert not result["changed"]
    assert result["unshared_data"] == ["uploads/"]
    assert result["warnings"] == [
        f"release {active} contains files that no source contains and no build has made: uploads/; the deployment of a "
        "change will stop; keep them with `staging_shared_paths: [data, uploads]` in the inventory, and list in "
        "staging_leave_behind those that the next release must not have"
    ]


def test_the_lines_of_the_message_keep_the_data(site):
    site.deploy(SOURCE)
    write(site.project, {"uploads/1.jpg": "u"})
    connection = sqlite3.connect(site.project / "app.db")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE notes (text)")
    connection.commit()
    connection.execute("INSERT INTO notes VALUES ('only in the write-ahead log')")
    connection.commit()
    shared = {"shared_paths": ["data", "app.db", "uploads"]}
    assert not site.from_archive(NEW, **shared)["failed"]
    # The process that runs from the previous release still writes.
    connection.execute("INSERT INTO notes VALUES ('while the candidate is built')")
    connection.commit()
    site.ok("activated")
    assert rows(site.project / "app.db") == ["only in the write-ahead log", "while the candidate is built"]
    connection.close()
    assert (site.project / "uploads/1.jpg").read_text() == "u"
    assert (site.releases / "shared/app.db").is_file()
    assert not list(site.releases.glob("0*/app.db-*"))
    assert site.ok("committed")["pruned"] == []


def test_a_shared_database_that_does_not_exist_yet_is_created_by_the_application(site):
    assert not site.from_archive(SOURCE, shared_paths=["app.db", "data"])["failed"]
    site.ok("activated")
    with sqlite3.connect(site.project / "app.db") as connection:
        connection.execute("CREATE TABLE notes (text)")
        connection.execute("INSERT INTO notes VALUES ('first')")
    assert rows(site.releases / "shared/app.db") == ["first"]
    assert not site.from_archive(NEW, shared_paths=["app.db", "data"])["failed"]
    site.ok("activated")
    assert rows(site.project / "app.db") == ["first"]


@pytest.mark.parametrize("state", ["prepared", "candidate"])
def test_what_is_to_be_left_behind_stays_in_its_release_alone(site, state):
    site.deploy({**SOURCE, "uploads/.gitkeep": ""}, leave_behind=["cache", "uploads"])
    write(site.project, {"cache/page": "c", "uploads/1.jpg": "u"})
    if state == "prepared":
        result = site.from_archive({**NEW, "uploads/.gitkeep": ""}, leave_behind=["cache", "uploads"])
        assert result["left_behind"] == ["cache/", "uploads/"]
    else:
        result = site.ok("candidate")
    path = Path(result["path"])
    assert not (path / "cache").exists()
    assert sorted(os.listdir(path / "uploads")) == [".gitkeep"]
    assert (site.project / "cache/page").exists()


def test_a_path_is_either_shared_or_left_behind(site):
    result = site.from_archive(SOURCE, leave_behind=["data"])
    assert refused(result) == (
        "'data' is in staging_shared_paths and in staging_leave_behind; remove it from one of them"
    )


def test_what_a_build_or_a_command_makes_before_the_activation_is_no_data(site):
    path = Path(site.from_archive(SOURCE)["path"])
    write(path, {"web-ui/public/sw.js": "generated", "backend/static/admin.css": "collected"})
    site.ok("activated")
    site.ok("committed")
    assert not site.from_archive(NEW)["failed"]
    site.ok("discarded")
    assert (Path(site.ok("candidate")["path"]) / "web-ui/public/sw.js").read_text() == "generated"


def test_a_file_of_the_build_that_the_application_writes_later_is_data(site):
    path = Path(site.from_archive(SOURCE)["path"])
    write(path, {"seeded.db": "seed"})
    site.ok("activated")
    write(site.project, {"seeded.db": "seed and rows"})
    assert "written them: seeded.db; " in refused(site.call("candidate"))


def test_a_source_file_that_a_process_holds_open_is_data(site):
    files = {**SOURCE, "state.json": "{}"}
    site.deploy(files)
    with (site.project / "state.json").open("a") as held:
        held.write(" ")
        held.flush()
        message = refused(site.from_archive({**NEW, "state.json": "{}"}))
    assert f"written them: state.json (open in python, pid {os.getpid()}); " in message.replace("python3", "python")
    # Text that no process holds open may have been edited by a person.
    assert not site.from_archive({**NEW, "state.json": "{}"})["failed"]


def test_a_database_of_the_source_that_was_written_is_data(site):
    files = {**SOURCE, "seed.db": "SQLite format 3\0"}
    site.deploy(files)
    write(site.project, {"seed.db": "SQLite format 3\0rows"})
    assert "written them: seed.db; " in refused(site.from_archive({**NEW, "seed.db": "SQLite format 3\0"}))


@pytest.mark.parametrize("told", [False, True])
def test_a_release_with_data_is_pruned_only_if_its_paths_are_to_be_left_behind(site, told):
    site.deploy(SOURCE)
    first = site.info()["active"]
    site.from_archive(NEW)
    site.ok("activated")
    # By the process that was still running from the previous release.
    write(site.releases / first, {"uploads/1.jpg": "u"})
    site.ok("committed")
    behind = {"leave_behind": ["uploads"]} if told else {}
    for number in range(3):
        site.deploy({**SOURCE, "backend/main.py": f"{number}\n"}, **behind)
    site.from_archive({**SOURCE, "backend/main.py": "last\n"}, **behind)
    site.ok("activated")
    predicted = site.ok("committed", check=True, keep_releases=1)
    result = site.ok("committed", keep_releases=1)
    assert predicted["pruned"] == result["pruned"]
    assert (site.releases / first / "uploads/1.jpg").exists() is not told
    if told:
        assert result["kept_for_data"] == {}
    else:
        assert result["kept_for_data"] == predicted["kept_for_data"] == {first: ["uploads/"]}
        assert result["warnings"] == [
            f"release {first} is old and not deleted, because the application has written files in it: uploads/; move "
            "what you need, and list in staging_leave_behind what may be deleted"
        ]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check-mode"])
@pytest.mark.parametrize("checkout", [False, True], ids=["plain", "git"])
@pytest.mark.parametrize("source", ["archive", "in_place"])
def test_a_directory_with_data_is_not_taken_over(site, source, checkout, check):
    write(site.project, {**SOURCE, ".codeframe/state.db": "rows", "README.md": "text"})
    if checkout:
        write(site.project, {".gitignore": SOURCE[".gitignore"] + ".codeframe/\n"})
        git(site.project, "init", "-q")
        git(site.project, "add", "-A")
        git(site.project, "commit", "-q", "-m", "one")
    in_place = {"source_type": "in_place", "shared_paths": ["data"], "env_files": [".env.staging"]}
    result = site.from_archive(NEW, check) if source == "archive" else site.call("prepared", check, **in_place)
    assert refused(result) == (
        f"the directory {site.project} contains files that no source contains and no build has made, so the "
        "application has probably written them: .codeframe/; the next release would not have them, so nothing was "
        "activated; keep them with `staging_shared_paths: [data, .codeframe]` in the inventory, and list in "
        "staging_leave_behind those that the next release must not have"
    )
    assert not site.project.is_symlink()
    assert not [path for path in site.releases.glob("*") if path.name[0].isdigit()]
    shared = {"shared_paths": ["data", ".codeframe"]}
    if not check:
        site_call = (
            site.from_archive(NEW, **shared) if source == "archive" else site.call("prepared", **{**in_place, **shared})
        )
        assert not site_call["failed"], site_call["msg"]
        assert (site.project / ".codeframe").is_symlink()
        assert (site.project / ".codeframe/state.db").read_text() == "rows"


@pytest.mark.parametrize("checkout", [False, True], ids=["plain", "git"])
def test_what_the_application_writes_in_place_is_no_change_of_the_source(site, checkout):
    write(site.project, SOURCE)
    if checkout:
        git(site.project, "init", "-q")
        git(site.project, "add", "-A")
        git(site.project, "commit", "-q", "-m", "one")
    args = {"source_type": "in_place", "env_files": [".env.staging"]}
    site.ok("prepared", **args)
    site.ok("activated")
    write(site.project, {"backend/app.db": "rows", "uploads/photo": "p"})
    result = site.ok("prepared", **args)
    assert (result["changed"], result["candidate"]) == (False, None)
    assert result["unshared_data"] == ["backend/app.db", "uploads/"]
    # A new source file is a change, and then the data stops it.
    write(site.project, {"backend/new.py": "n"})
    assert "written them: backend/app.db, uploads/; " in refused(site.call("prepared", **args))
    result = site.ok("prepared", **args, leave_behind=["uploads"], shared_paths=["backend/app.db"])
    path = Path(result["path"])
    assert ((path / "backend/new.py").exists(), (path / "uploads").exists()) == (True, False)
    assert (path / "backend/app.db").resolve() == site.releases / "shared/backend/app.db"
    site.ok("activated")
    write(site.project, {"uploads/another": "p"})
    assert not site.ok("prepared", **args)["changed"]


def test_a_database_in_place_that_changes_while_it_is_served_is_never_copied(site):
    """What CodeFRAME's state.db went through: copied into a release while its process wrote to the previous copy."""
    write(site.project, SOURCE)
    args = {"source_type": "in_place", "env_files": [".env.staging"]}
    site.ok("prepared", **args)
    site.ok("activated")
    connection = sqlite3.connect(site.project / "backend/state.db")
    connection.execute("CREATE TABLE notes (text)")
    connection.commit()
    assert "backend/state.db" in refused(site.call("candidate"))
    shared = {**args, "shared_paths": ["backend/state.db"]}
    for number in range(3):
        connection.execute("INSERT INTO notes VALUES (?)", (str(number),))
        connection.commit()
        site.ok("prepared", **shared)
        site.ok("candidate")
        site.ok("activated")
        site.ok("committed", keep_releases=1)
    site.ok("rolled_back", rollback_to="previous")
    assert rows(site.project / "backend/state.db") == ["0", "1", "2"]
    connection.close()


@pytest.mark.parametrize("kind", ["size", "time"])
def test_a_write_is_seen_by_size_or_time(site, kind):
    path = Path(site.from_archive(SOURCE)["path"])
    write(path, {"seeded.txt": "seed"})
    site.ok("activated")
    file = site.project / "seeded.txt"
    before = file.stat()
    file.write_text("seed+" if kind == "size" else "deed")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns if kind == "size" else time.time_ns()))
    assert "seeded.txt" in refused(site.call("candidate"))


def test_a_release_without_a_list_of_its_files_counts_as_one_with_data(site):
    path = Path(site.from_archive(SOURCE)["path"])
    write(path, {"made.txt": "m"})
    site.ok("activated")
    (site.releases / "baselines" / site.info()["active"] / "made.json").unlink()
    assert "made.txt" in refused(site.call("candidate"))


PARTS = ("web-ui/.next/BUILD_ID", "web-ui/.next/build-manifest.json", "web-ui/.next/routes-manifest.json")


def deploy_built(site: Site, files: dict[str, str]) -> str:
    """Deploy a release with an env file, a virtual environment and a build, and return its id."""
    files = {**files, "web-ui/package.json": '{"dependencies": {"next": "16"}}'}
    path = Path(site.from_archive(files)["path"])
    write(path, {**dict.fromkeys(PARTS, "{}"), "web-ui/node_modules/next/x.js": "x", ".env.staging": "KEY=1\n"})
    write(path, {".venv/bin/python": ""})
    site.ok("activated")
    return str(site.ok("committed")["active"])


def test_a_release_that_is_complete_is_activated_again(site):
    first = deploy_built(site, SOURCE)
    deploy_built(site, NEW)
    assert site.ok("rolled_back", rollback_to="previous")["active"] == first


@pytest.mark.parametrize("check", [False, True], ids=["real", "check-mode"])
@pytest.mark.parametrize(
    ("lost", "named"),
    [
        pytest.param("web-ui/.next/BUILD_ID", "web-ui/.next: build incomplete: no BUILD_ID", id="build"),
        pytest.param("web-ui/node_modules", "web-ui/node_modules: it is missing", id="packages"),
        pytest.param(".venv", ".venv: it is missing", id="virtualenv"),
        pytest.param(".env.staging", ".env.staging is missing", id="env-file"),
    ],
)
def test_a_release_that_lost_what_its_processes_need_is_not_activated_again(site, lost, named, check):
    first, second = deploy_built(site, SOURCE), deploy_built(site, NEW)
    place = site.releases / first / lost
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    message = (
        f"release {first} cannot be activated again: {named}; {second} stays active; roll back to another release, or "
        "deploy again, which builds a new one"
    )
    assert refused(site.call("rolled_back", check, rollback_to="previous")) == message
    assert site.info()["active"] == second


def test_a_rollback_names_the_data_that_the_earlier_release_does_not_have(site):
    first, second = deploy_built(site, SOURCE), deploy_built(site, NEW)
    write(site.project, {"uploads/1.jpg": "u"})
    result = site.ok("rolled_back", rollback_to="previous")
    assert result["unshared_data"] == ["uploads/"]
    assert result["warnings"] == [
        f"release {second} contains files that the application has written, and release {first} does not have them: "
        "uploads/; they are kept; keep them with `staging_shared_paths: [data, uploads]` in the inventory, and list in "
        "staging_leave_behind those that the next release must not have"
    ]
