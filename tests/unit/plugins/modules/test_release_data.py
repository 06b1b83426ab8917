"""Files that the application writes: shared, explicitly left behind, or the deployment stops."""

from __future__ import annotations

import json
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
    name = Path("/proc/self/comm").read_text(encoding="utf-8").strip()
    assert f"written them: state.json (open in {name}, pid {os.getpid()}); " in message
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
        f"release {first} cannot be activated again: {named}; {second} stays active; roll back to another release "
        "(-e rollback_release=<id>), or deploy again, which builds a new one"
    )
    assert refused(site.call("rolled_back", check, rollback_to="previous")) == message
    assert site.info()["active"] == second


def environment(site: Site, name: str = "abc") -> Path:
    """Make a virtual environment that is complete, with one package of two files."""
    place = site.releases / "venvs" / name
    packages = place / "lib/python3.13/site-packages"
    rows = "p/__init__.py,,1\np/data.py,,1\np-1.dist-info/RECORD,,\n"
    write(place, {"bin/python": "", ".complete.json": '{"distributions": ["p-1"]}'})
    write(packages, {"p/__init__.py": "x", "p/data.py": "x", "p-1.dist-info/RECORD": rows})
    return packages


def deploy_linked(site: Site, files: dict[str, str]) -> str:
    """Deploy a release whose virtual environment other releases use as well, and return its id."""
    path = Path(site.from_archive(files)["path"])
    if not (path / "backend/.venv").is_symlink():
        (path / "backend/.venv").symlink_to("../../venvs/abc")
    site.ok("activated")
    return str(site.ok("committed")["active"])


LOST = [
    pytest.param("p/data.py", "backend/.venv: installed files are missing: p/data.py", id="file"),
    pytest.param("p-1.dist-info", "backend/.venv: packages are missing: p-1", id="package"),
    pytest.param("../../../../abc", "backend/.venv: it is missing", id="all"),
]


def remove(place: Path) -> None:
    shutil.rmtree(place.resolve()) if place.is_dir() else place.unlink()


@pytest.mark.parametrize(("lost", "named"), LOST)
def test_a_release_whose_virtual_environment_lost_packages_is_not_activated_again(site, lost, named):
    packages = environment(site)
    first, second = deploy_linked(site, SOURCE), deploy_linked(site, NEW)
    remove(packages / lost)
    message = refused(site.call("rolled_back", rollback_to="previous"))
    assert message.startswith(f"release {first} cannot be activated again: {named}; {second} stays active")


def test_an_edited_package_does_not_keep_a_release_from_being_activated_again(site):
    packages = environment(site)
    first = deploy_linked(site, SOURCE)
    deploy_linked(site, NEW)
    write(packages, {"p/data.py": "edited"})
    assert site.ok("rolled_back", rollback_to="previous")["active"] == first


@pytest.mark.parametrize(("lost", "named"), LOST)
def test_a_candidate_that_lost_packages_while_the_rest_was_built_is_not_activated(site, lost, named):
    packages = environment(site)
    first = deploy_linked(site, SOURCE)
    candidate = site.from_archive(NEW)["candidate"]
    remove(packages / lost)
    assert refused(site.call("activated")) == (
        f"the candidate {candidate} was damaged after it was built ({named}), so it is not activated; find out what "
        "deletes files of the releases, and deploy again, which builds what is missing"
    )
    assert site.info()["active"] == first


@pytest.mark.parametrize("check", [False, True], ids=["real", "check-mode"])
def test_instead_of_a_damaged_release_the_newest_older_verified_one_is_activated(site, check):
    built = [deploy_built(site, {**SOURCE, "backend/main.py": f"{number}\n"}) for number in range(3)]
    site.from_archive(NEW)
    failing = site.ok("activated")["active"]
    (site.releases / built[2] / "web-ui/.next/BUILD_ID").unlink()
    # The state of the one before it is not saved.
    result = site.ok("rolled_back", check, verified=[built[0], built[2]])
    assert (result["active"], result["active_before"]) == (built[0], failing)
    lacking = ["web-ui/.next: build incomplete: no BUILD_ID"]
    assert result["unfit"] == {built[2]: lacking}
    assert result["warnings"][0] == (
        f"release {built[2]} cannot be activated again: {lacking[0]}; the older verified release {built[0]} is "
        "activated instead"
    )
    assert site.info()["active"] == (failing if check else built[0])


def test_if_all_verified_releases_are_damaged_each_is_named_and_nothing_is_changed(site):
    built = [deploy_built(site, {**SOURCE, "backend/main.py": f"{number}\n"}) for number in range(2)]
    site.from_archive(NEW)
    failing = site.ok("activated")["active"]
    (site.releases / built[1] / "web-ui/.next/BUILD_ID").unlink()
    shutil.rmtree(site.releases / built[0] / "web-ui/node_modules")
    assert refused(site.call("rolled_back", verified=[*built, failing, "0099-gone"])) == (
        f"release {built[1]} cannot be activated again: web-ui/.next: build incomplete: no BUILD_ID; "
        f"release {built[0]} cannot be activated again: web-ui/node_modules: it is missing; {failing} stays active; "
        "roll back to another release (-e rollback_release=<id>), or deploy again, which builds a new one"
    )
    assert site.info()["active"] == failing


def test_a_release_from_before_a_path_was_shared_gets_the_link_when_it_is_activated_again(site):
    site.deploy({**SOURCE, "seed/a.json": "1"})
    first = site.info()["active"]
    for files in (NEW, NEWER):
        site.deploy({**files, "seed/a.json": "1"}, shared_paths=["data", "seed", "uploads"])
    write(site.project, {"seed/a.json": "changed", "uploads/1.jpg": "u"})
    site.ok("rolled_back", rollback_to=first)
    assert (site.project / "seed/a.json").read_text() == "changed"
    assert (site.project / "uploads/1.jpg").read_text() == "u"


def test_a_release_with_data_of_its_own_at_a_shared_path_is_not_activated_again(site):
    first, second = deploy_built(site, SOURCE), deploy_built(site, NEW)
    write(site.project, {"data/1.txt": "1"})
    (site.releases / first / "data").unlink()
    write(site.releases / first, {"data/1.txt": "older"})
    assert refused(site.call("rolled_back", rollback_to="previous")) == (
        f"release {first} cannot be activated again: data is no link to the shared data, and the shared data lacks "
        f"what it holds; {second} stays active; roll back to another release (-e rollback_release=<id>), or deploy "
        "again, which builds a new one"
    )


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


# --- what is at a shared path, but not in the shared data -----------------------------------------------


@pytest.mark.parametrize("check", [False, True], ids=["real", "check-mode"])
@pytest.mark.parametrize("state", ["prepared", "candidate", "activated"])
@pytest.mark.parametrize(
    ("there", "named"),
    [
        pytest.param({"data/new.txt": "n", "data/old.txt": "o"}, "data/new.txt", id="another-file"),
        pytest.param({"data/old.txt": "changed"}, "data/old.txt", id="another-content"),
        pytest.param({"data": "text"}, "data", id="a-file-instead-of-a-directory"),
    ],
)
def test_a_shared_path_that_is_no_link_any_more_stops_before_its_data_is_lost(site, state, check, there, named):
    site.deploy(SOURCE)
    write(site.releases / "shared/data", {"old.txt": "o"})
    active = site.info()["active"]
    if state == "activated":
        assert site.from_archive(NEW)["changed"]
    (site.project / "data").unlink()
    write(site.project, there)
    result = site.from_archive(NEW, check) if state == "prepared" else site.call(state, check)
    assert refused(result) == (
        f"in release {active}, data should be a link to the shared data in {site.releases}/shared and is none, and "
        f"holds what is not in the shared data: {named}; the next release would use the shared data, so nothing was "
        f"activated; copy what is right to the same path in {site.releases}/shared, and delete data from release "
        f"{active}; an application that saves a file by renaming another one to its name replaces the link, so share "
        "the directory of such a file"
    )
    assert site.info()["active"] == active
    assert (site.releases / "shared/data/old.txt").read_text() == "o"


def test_a_file_that_a_rename_has_put_in_the_place_of_its_link_is_not_lost(site):
    """The shared file has the content from before."""
    site.deploy(SOURCE, shared_paths=["state.json"])
    home = site.releases / "shared/state.json"
    home.rmdir()
    home.write_text("before")
    write(site.project, {"state.json.new": "after"})
    (site.project / "state.json.new").replace(site.project / "state.json")
    assert "holds what is not in the shared data: state.json; " in refused(
        site.from_archive(NEW, shared_paths=["state.json"])
    )
    # As the message says.
    shutil.copy(site.project / "state.json", home)
    (site.project / "state.json").unlink()
    site.deploy(NEW, shared_paths=["state.json"])
    assert (site.project / "state.json").read_text() == "after"


def test_a_directory_with_nothing_else_than_the_shared_data_becomes_a_link_again(site):
    site.deploy(SOURCE)
    write(site.releases / "shared/data", {"old.txt": "o"})
    (site.project / "data").unlink()
    write(site.project, {"data/old.txt": "o"})
    site.deploy(SOURCE)
    assert (site.project / "data").is_symlink()
    assert (site.project / "data/old.txt").read_text() == "o"


def test_a_directory_beside_an_empty_shared_one_becomes_the_shared_data(site):
    site.deploy(SOURCE)
    (site.project / "data").unlink()
    write(site.project, {"data/1.txt": "1"})
    site.deploy(NEW)
    assert (site.project / "data").is_symlink()
    assert (site.releases / "shared/data/1.txt").read_text() == "1"


def test_data_on_another_disk_stays_there(site, tmp_path):
    """The directory that is taken over has a link to it at the shared path."""
    write(tmp_path / "disk", {"uploads/1.jpg": "u"})
    write(site.project, SOURCE)
    (site.project / "data").symlink_to(tmp_path / "disk/uploads")
    for files in (SOURCE, NEW, NEWER):
        site.deploy(files, shared_paths=["data"])
        assert (site.project / "data/1.jpg").read_text() == "u"
    write(site.project, {"data/2.jpg": "u"})
    assert (tmp_path / "disk/uploads/2.jpg").exists()


def test_a_link_to_another_path_of_the_project_is_refused_instead_of_replaced(site):
    write(site.project, {**SOURCE, "storage/data/1.jpg": "u"})
    (site.project / "data").symlink_to("storage/data")
    message = refused(site.from_archive(SOURCE, shared_paths=["data", "storage"]))
    assert message.startswith(f"in the directory {site.project}, data should be a link to the shared data")


def test_an_old_release_with_files_that_the_shared_data_lacks_is_not_deleted(site):
    for number in range(6):
        site.deploy({**SOURCE, "backend/main.py": f"{number}\n"})
        if number == 0:
            first = site.info()["active"]
            write(site.releases / "shared/data", {"old.txt": "o"})
        if number == 1:
            (site.releases / first / "data").unlink()
            write(site.releases / first, {"data/only-here.txt": "x"})
    result = site.call("committed", keep_releases=1)
    assert result["kept_for_data"] == {first: ["data"]}
    assert (site.releases / first / "data/only-here.txt").exists()


def test_source_at_a_path_that_is_shared_since_does_not_keep_its_release(site):
    seed = {**SOURCE, "seed/a.json": "1"}
    site.deploy(seed)
    first = site.info()["active"]
    for number in range(5):
        site.deploy({**seed, "backend/main.py": f"{number}\n"}, shared_paths=["data", "seed"])
        write(site.releases / "shared", {"seed/a.json": f"changed {number}"})
    assert not (site.releases / first).exists()


def test_data_whose_name_is_not_utf_8_is_named(site):
    """Ansible takes no result with such a name, and would tell of its encoding alone."""
    write(site.project, SOURCE)
    (site.project / os.fsdecode(b"caf\xe9.db")).write_text("rows")
    result = site.call("prepared", source_type="in_place", env_files=[".env.staging"])
    assert "caf\\xe9.db" in refused(result)
    json.dumps(result, ensure_ascii=False).encode()
