"""The releases of a project, on real directories and real git repositories."""

from __future__ import annotations

import json
import os
import pwd
import random
import subprocess
import traceback
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release import links
from release_site import SOURCE, Site, git, write


def snapshot(root: Path) -> dict[str, Any]:
    """Everything below a directory: type and mode, content or target, and inode change time."""
    found: dict[str, Any] = {}
    for path in [root, *sorted(root.rglob("*"))]:
        status = path.lstat()
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(root))] = (status.st_mode, content, status.st_ctime_ns)
    return found


@pytest.fixture
def site(tmp_path: Path, run_module: Any) -> Site:
    return Site(tmp_path, run_module)


def test_a_first_release_is_prepared_aside_and_active_only_after_its_activation(site):
    commit = site.commit(SOURCE)
    prepared = site.from_git()
    assert prepared["changed"]
    assert prepared["revision"] == commit
    assert prepared["path"] == str(site.releases / f"0001-{commit[:8]}")
    assert not site.project.exists()
    assert (site.releases.stat().st_mode & 0o777, (site.releases / "manifest.json").stat().st_mode & 0o777) == (
        0o750,
        0o600,
    )
    activated = site.ok("activated")
    assert activated["changed"]
    assert (activated["active"], activated["candidate"]) == (f"0001-{commit[:8]}", None)
    assert (site.project / "backend/main.py").read_text() == "print('one')\n"
    assert os.readlink(site.project) == f"app.releases/0001-{commit[:8]}"


@pytest.mark.parametrize("source", ["git", "archive"])
def test_a_second_run_with_the_same_source_changes_nothing(site, source):
    if source == "git":
        site.commit(SOURCE)
    run = site.from_git if source == "git" else lambda **args: site.from_archive(SOURCE, **args)
    run()
    site.ok("activated", records={"backend_revision": "1"})
    site.ok("committed", records={"frontend_revision": "2"})
    before = snapshot(site.home)
    for check in (True, False):
        again = run(check=check)
        assert not again["changed"], again["reasons"]
        assert again["path"] == str(site.releases / again["active"])
        assert again["candidate"] is None
        assert again["reasons"] == []
    assert not site.ok("activated", records={"backend_revision": "1"})["changed"]
    assert not site.ok("committed", records={"frontend_revision": "2"})["changed"]
    assert snapshot(site.home) == before


def test_check_mode_predicts_a_first_release_and_writes_nothing(site, tmp_path):
    commit = site.commit(SOURCE)
    site.project = site.home / "not" / "there" / "app"
    before = snapshot(tmp_path)
    for state in ("prepared", "candidate", "activated", "committed", "discarded"):
        result = site.from_git(check=True) if state == "prepared" else site.ok(state, check=True)
        assert not result["failed"], result
        if state in ("prepared", "candidate"):
            assert result["changed"], state
    predicted = site.from_git(check=True)
    assert predicted["path"] == f"{site.project}.releases/0001-{commit[:8]}"
    assert predicted["base_path"] is None
    assert "candidate: 0001-" in predicted["diff"][0]["after"]
    assert snapshot(tmp_path) == before


def test_check_mode_needs_no_archive(site):
    result = site.ok("prepared", check=True, source_type="archive", archive="/nowhere/a.tar.gz", revision="ab" * 32)
    assert result["changed"]
    assert (result["revision"], result["source_digest"]) == ("ab" * 32, "ab" * 32)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        pytest.param("edit", "backend/main.py was edited", id="edited"),
        pytest.param("remove", "backend/main.py is missing", id="missing"),
        pytest.param("mode", "backend/main.py was edited", id="made-executable"),
    ],
)
def test_damage_in_the_active_release_is_named_and_repaired_by_a_new_one(site, damage, named):
    site.deploy(SOURCE)
    main = site.project / "backend/main.py"
    if damage == "edit":
        main.write_text("print('edited')\n")
    elif damage == "remove":
        main.unlink()
    else:
        main.chmod(0o755)
    assert site.info()["damage"] == [named]
    predicted = site.from_archive(SOURCE, check=True)
    found = site.from_archive(SOURCE)
    assert predicted["changed"]
    assert found["changed"]
    assert found["damage"] == [named]
    assert named in found["reasons"][0]
    assert predicted["candidate"] == found["candidate"]
    assert (Path(found["path"]) / "backend/main.py").read_text() == "print('one')\n"
    site.ok("activated")
    assert not site.from_archive(SOURCE)["changed"]


@pytest.mark.parametrize(("path", "moves"), [("backend/main.py", True), ("web-ui/package.json", False)])
def test_a_repair_changes_the_digest_of_the_damaged_part(site, path, moves):
    """A process may have been restarted with the damaged file; its digest is that of the source it was meant to run."""
    site.deploy(SOURCE)
    before = site.info(digest_exclude=["web-ui"])
    (site.project / path).write_text("edited")
    repaired = site.from_archive(SOURCE, digest_exclude=["web-ui"])
    assert (repaired["partial_source_digest"] != before["partial_source_digest"]) is moves
    assert repaired["source_digest"] == before["source_digest"]
    site.ok("activated")
    copy = site.ok("candidate", digest_exclude=["web-ui"])
    assert copy["partial_source_digest"] == repaired["partial_source_digest"]
    site.ok("activated")
    again = site.from_archive(SOURCE, digest_exclude=["web-ui"])
    assert (again["changed"], again["partial_source_digest"]) == (False, repaired["partial_source_digest"])


def test_files_that_a_build_rewrites_or_generates_are_no_damage(site):
    first = site.from_archive(SOURCE, digest_exclude=["web-ui"])
    candidate = Path(first["path"])
    write(
        candidate,
        {"web-ui/tsconfig.json": '{"by": "next"}\n', "web-ui/.next/BUILD_ID": "1", "web-ui/next-env.d.ts": ""},
    )
    site.ok("activated")
    again = site.from_archive(SOURCE, digest_exclude=["web-ui"])
    assert not again["changed"], again["reasons"]
    assert again["source_digest"] == first["source_digest"]
    assert again["partial_source_digest"] == first["partial_source_digest"]


def test_the_digest_without_the_frontend_changes_with_the_backend_alone(site):
    site.deploy(SOURCE)
    before = site.info(digest_exclude=["web-ui"])
    frontend = site.from_archive({**SOURCE, "web-ui/page.js": "x"}, digest_exclude=["web-ui"])
    assert frontend["source_digest"] != before["source_digest"]
    assert frontend["partial_source_digest"] == before["partial_source_digest"]
    backend = site.from_archive({**SOURCE, "backend/main.py": "2"}, digest_exclude=["web-ui"])
    assert backend["partial_source_digest"] != before["partial_source_digest"]


def test_a_release_of_new_source_gets_env_files_packages_and_builds_of_the_active_one(site):
    site.deploy(SOURCE)
    active = site.project.resolve()
    write(
        active,
        {
            ".env.staging": "KEY=1\n",
            "web-ui/node_modules/p/index.js": "p",
            "web-ui/.next/BUILD_ID": "b",
            "web-ui/.next/cache/c": "c",
            "data/app.db": "rows",
            "uploads/picture": "u",
            "extra/file": "e",
            "web-ui/dist/index.html": "d",
            "web-ui/.dist.staging-build.json": "r",
        },
    )
    venv = site.releases / "venvs" / "abc"
    venv.mkdir()
    (active / ".venv").symlink_to("../venvs/abc")
    result = site.from_archive(
        {**SOURCE, "backend/main.py": "2\n"}, carry=["extra", "web-ui/dist"], leave_behind=["uploads"]
    )
    path = Path(result["path"])
    assert (path / ".env.staging").read_text() == "KEY=1\n"
    assert (path / ".env.staging").stat().st_mode & 0o777 == 0o600
    assert (path / "web-ui/node_modules/p/index.js").samefile(active / "web-ui/node_modules/p/index.js")
    assert not (path / "web-ui/.next/BUILD_ID").samefile(active / "web-ui/.next/BUILD_ID")
    assert (path / "web-ui/.next/cache/c").read_text() == "c"
    assert (path / ".venv").resolve() == venv
    assert (path / "extra/file").read_text() == "e"
    # A build whose directory is served as it is has its record beside it.
    assert (path / "web-ui/dist/index.html").read_text() == "d"
    assert (path / "web-ui/.dist.staging-build.json").read_text() == "r"
    assert (path / "data/app.db").read_text() == "rows"
    assert (path / "backend/main.py").read_text() == "2\n"
    assert not (path / "uploads").exists()
    assert result["left_behind"] == ["uploads/"]
    assert result["warnings"] == []


def test_installed_packages_are_not_carried_over_when_the_lock_file_changed(site):
    site.deploy(SOURCE)
    write(site.project, {"web-ui/node_modules/p/index.js": "p", "web-ui/.next/cache/c": "c"})
    path = Path(site.from_archive({**SOURCE, "web-ui/package-lock.json": '{"v": 2}\n'})["path"])
    assert not (path / "web-ui/node_modules").exists()
    assert (path / "web-ui/.next/cache/c").exists()


def test_a_candidate_is_a_full_copy_that_shares_no_source_file(site):
    write(
        Path(site.from_archive(SOURCE)["path"]),
        {".env.staging": "KEY=1\n", "web-ui/node_modules/p.js": "p", "web-ui/.next/BUILD_ID": "b", "made.txt": "h"},
    )
    site.ok("activated")
    site.ok("committed")
    active = site.project.resolve()
    predicted = site.ok("candidate", check=True)
    result = site.ok("candidate")
    assert predicted["changed"]
    assert predicted["path"] == result["path"]
    assert predicted["base_path"] == str(active)
    assert (
        predicted["source_digest"]
        == result["source_digest"]
        == site.manifest()["releases"][result["active"]]["source_digest"]
    )
    path = Path(result["path"])
    assert (path / "web-ui/node_modules/p.js").samefile(active / "web-ui/node_modules/p.js")
    for name in (".env.staging", "web-ui/.next/BUILD_ID", "made.txt", "backend/main.py"):
        assert (path / name).read_bytes() == (active / name).read_bytes()
        assert not (path / name).samefile(active / name)
    assert (path / ".env.staging").stat().st_mode & 0o777 == 0o600
    assert (path / "data").resolve() == (site.releases / "shared/data")
    again = site.ok("candidate")
    assert not again["changed"]
    assert again["path"] == result["path"]


def test_a_copy_of_a_damaged_release_is_refused(site):
    site.deploy(SOURCE)
    write(site.project, {"backend/main.py": "edited\n"})
    result = site.call("candidate")
    assert result["failed"]
    assert result["msg"] == (
        f"in the active release {os.path.basename(os.readlink(site.project))} backend/main.py was edited, so it is "
        "not copied; prepare the source first (state prepared), which makes a new release of it"
    )


def test_a_candidate_of_a_killed_run_is_discarded(site):
    site.deploy(SOURCE)
    left = site.ok("candidate")["candidate"]
    predicted = site.from_archive(SOURCE, check=True)
    assert predicted["changed"]
    result = site.from_archive(SOURCE)
    assert result["reasons"] == [f"the candidate {left} was left by an interrupted run"]
    assert result["candidate"] is None
    assert not (site.releases / left).exists()
    assert not site.from_archive(SOURCE)["changed"]


def test_discarded_deletes_the_candidate_once(site):
    site.deploy(SOURCE)
    left = site.ok("candidate")
    assert site.ok("discarded", check=True)["changed"]
    result = site.ok("discarded")
    assert result["changed"]
    assert result["path"] == str(site.project.resolve())
    assert not Path(left["path"]).exists()
    assert not site.ok("discarded")["changed"]


def test_a_rollback_activates_the_last_verified_release(site):
    site.deploy(SOURCE)
    good = site.info()["active"]
    site.from_archive({**SOURCE, "backend/main.py": "2\n"})
    second = site.ok("activated")["active"]
    predicted = site.ok("rolled_back", check=True)
    result = site.ok("rolled_back")
    assert predicted["changed"]
    assert (result["active"], result["active_before"], predicted["active"]) == (good, second, good)
    assert (site.project / "backend/main.py").read_text() == "print('one')\n"
    assert not site.ok("rolled_back")["changed"]


def test_a_rollback_to_last_takes_the_last_verified_release_that_is_not_active(site):
    first = site.deploy(SOURCE)["active"]
    site.from_archive({**SOURCE, "backend/main.py": "2\n"})
    unverified = site.ok("activated")["active"]
    assert site.ok("rolled_back", rollback_to="last")["active"] == first
    second = site.deploy({**SOURCE, "backend/main.py": "3\n"})["active"]
    assert site.ok("rolled_back", rollback_to="last")["active"] == first
    assert len({first, unverified, second}) == 3


def test_a_rollback_to_the_previous_release_activates_it_with_its_records(site):
    site.from_archive(SOURCE)
    site.ok("activated", records={"backend_revision": "b1"})
    first = site.ok("committed", records={"frontend_revision": "f1"})
    site.from_archive({**SOURCE, "backend/main.py": "2\n"})
    site.ok("activated", records={"backend_revision": "b2"})
    second = site.ok("committed")
    assert (second["committed"], second["previous"]) == (second["active"], first["active"])
    assert second["records"] == {"backend_revision": "b2"}
    back = site.ok("rolled_back", rollback_to="previous")
    assert back["active"] == first["active"]
    assert back["records"] == {"backend_revision": "b1", "frontend_revision": "f1"}
    back = site.ok("committed")
    assert (back["committed"], back["previous"]) == (first["active"], second["active"])
    assert site.ok("rolled_back", rollback_to=second["active"])["active"] == second["active"]


def test_a_record_replaces_the_stored_one(site):
    site.from_archive(SOURCE)
    site.ok("activated", records={"backend_revision": "b1", "frontend_revision": "f1"})
    assert site.ok("committed", records={"backend_revision": "b2"})["records"] == {
        "backend_revision": "b2",
        "frontend_revision": "f1",
    }


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("records", "message"),
    [
        pytest.param(
            {"backend_revision": "1\n2"},
            "the records of the release are refused: records.backend_revision holds control characters",
            id="control-characters",
        ),
        pytest.param(
            {"backend_process": {}},
            "Unsupported parameters for (release) module: records.backend_process.",
            id="unknown-record",
        ),
    ],
)
def test_records_that_fail_the_schema_are_refused_and_nothing_is_written(site, records, message, check):
    site.deploy(SOURCE)
    before = snapshot(site.home)
    result = site.call("committed", check, records=records)
    assert result["failed"]
    assert result["msg"].startswith(message)
    assert snapshot(site.home) == before


def test_a_manifest_that_was_tampered_with_is_refused_by_name_and_nothing_is_changed(site):
    site.deploy(SOURCE)
    manifest = site.manifest()
    manifest["layout"]["shared_paths"] = ["../../etc"]
    (site.releases / "manifest.json").write_text(json.dumps(manifest))
    before = snapshot(site.home)
    for state in ("activated", "rolled_back", "committed", "discarded"):
        result = site.call(state)
        assert result["failed"], state
        assert result["msg"].startswith(
            f"{site.releases}/manifest.json is refused: layout.shared_paths[0] holds '../../etc'; expected a path"
        )
    assert snapshot(site.home) == before


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(
            {"rollback_to": "0009-nothere"},
            "there is no release '0009-nothere' to roll back to; there are {id} (active: {id}); name one of "
            "them: -e rollback_release=<id>",
            id="unknown",
        ),
        pytest.param(
            {"rollback_to": "previous"},
            "only one release is verified so far, so there is no previous one; name the release: "
            "-e rollback_release=<id>",
            id="no-previous",
        ),
    ],
)
def test_a_rollback_to_an_unknown_release_is_refused(site, args, message):
    site.deploy(SOURCE)
    result = site.call("rolled_back", **args)
    assert result["failed"]
    assert result["msg"] == message.format(id=site.info()["active"])


def test_a_reader_always_finds_a_release_while_the_active_one_changes(site):
    site.deploy(SOURCE)
    site.deploy({**SOURCE, "backend/main.py": "2\n"})
    ids = [entry["id"] for entry in site.info()["releases"]]
    reader = subprocess.Popen(
        [
            "sh",
            "-c",
            "echo begun; n=0; while [ ! -e stop ]; do read -r line < app/backend/main.py || exit 1; n=$((n+1)); done; "
            "echo $n",
        ],
        cwd=site.home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert reader.stdout is not None
    assert reader.stdout.readline() == "begun\n"
    for number in range(20):
        assert site.ok("rolled_back", rollback_to=ids[number % 2])["active"] == ids[number % 2]
    (site.home / "stop").touch()
    out, problems = reader.communicate(timeout=60)
    assert (reader.returncode, problems) == (0, "")
    assert int(out) > 20


def test_a_rollback_before_any_verification_is_refused(site):
    site.from_archive(SOURCE)
    site.ok("activated")
    result = site.call("rolled_back")
    assert result["msg"] == (
        "no release is verified yet, so there is none to roll back to; name the release: -e rollback_release=<id>"
    )


def test_pruning_keeps_verified_releases_and_those_in_which_a_process_runs(site):
    for number in range(1, 4):
        site.deploy({**SOURCE, "backend/main.py": f"{number}\n"}, keep_releases=3)
    ids = [entry["id"] for entry in site.info()["releases"]]
    process = subprocess.Popen(["sleep", "60"], cwd=site.releases / ids[1])
    try:
        site.from_archive({**SOURCE, "backend/main.py": "4\n"})
        site.ok("activated")
        result = site.ok("committed", keep_releases=1)
        # The third was committed before this one and is the previous one now; a process runs in the second.
        assert result["pruned"] == [ids[0]]
        assert not (site.releases / ids[0]).exists()
        assert not (site.releases / "baselines" / ids[0]).exists()
    finally:
        process.kill()
        process.wait()
    assert site.ok("committed", keep_releases=1)["pruned"] == [ids[1]]
    assert not site.ok("committed", keep_releases=1)["changed"]


def test_pruning_deletes_virtualenvs_that_no_release_links_to(site):
    site.deploy(SOURCE)
    for name in ("used", "unused", ".uv-0.9"):
        write(site.releases / "venvs" / name, {"bin/python": ""})
    (site.project / "backend/.venv").symlink_to("../../venvs/used")
    site.from_archive({**SOURCE, "backend/main.py": "2\n"})
    site.ok("activated")
    site.ok("committed")
    assert sorted(path.name for path in (site.releases / "venvs").iterdir()) == [".uv-0.9", "used"]


def hand_deployed(site: Site, checkout: bool) -> None:
    if checkout:
        site.commit(SOURCE)
        git(site.home, "clone", "-q", str(site.repository), "app")
    else:
        write(site.project, SOURCE)
    write(
        site.project,
        {
            ".env.staging": "KEY=hand\n",
            "data/app.db": "rows",
            "web-ui/node_modules/p.js": "p",
            "web-ui/.next/BUILD_ID": "b",
        },
    )


@pytest.mark.parametrize("plain", [False, True], ids=["exchange", "two-renames"])
def test_a_directory_deployed_manually_becomes_the_first_release(site, plain, monkeypatch):
    if plain:
        monkeypatch.setattr(links, "exchange", lambda _first, _second: False)
    hand_deployed(site, checkout=False)
    inode = site.project.stat().st_ino
    process = subprocess.Popen(["sleep", "60"], cwd=site.project)
    try:
        predicted = site.from_archive({**SOURCE, "backend/main.py": "new\n"}, check=True)
        assert not site.project.is_symlink()
        assert predicted["base_path"] == str(site.project)
        result = site.from_archive({**SOURCE, "backend/main.py": "new\n"})
        assert predicted["taken_over"] == result["taken_over"] == result["active"]
        assert predicted["candidate"] == result["candidate"]
        first, candidate = site.releases / result["active"], Path(result["path"])
        assert site.project.resolve() == first
        assert (first.stat().st_ino, Path(f"/proc/{process.pid}/cwd").resolve()) == (inode, first)
    finally:
        process.kill()
        process.wait()
    for path in (first, candidate):
        assert (path / "data").is_symlink()
        assert (path / "data/app.db").read_text() == "rows"
        assert (path / ".env.staging").read_text() == "KEY=hand\n"
        assert (path / "web-ui/node_modules/p.js").exists()
        assert (path / "web-ui/.next/BUILD_ID").exists()
    assert (first / "backend/main.py").read_text() == "print('one')\n"
    assert (candidate / "backend/main.py").read_text() == "new\n"
    for number in range(5):
        site.deploy({**SOURCE, "backend/main.py": f"{number}\n"}, keep_releases=1)
    assert first.exists()


def test_a_checkout_at_the_wanted_commit_is_taken_over_without_a_new_release(site):
    hand_deployed(site, checkout=True)
    result = site.from_git()
    assert result["changed"]
    assert result["candidate"] is None
    assert result["revision"] == git(site.repository, "rev-parse", "HEAD")
    assert not site.from_git()["changed"]


def test_uncommitted_work_is_refused_unless_on_uncommitted_is_keep(site):
    hand_deployed(site, checkout=True)
    write(site.project, {"backend/main.py": "edited\n", "new.py": ""})
    before = snapshot(site.home)
    for check in (True, False):
        refused = site.from_git(check=check)
        assert refused["msg"] == (
            f"{site.project} is a git checkout with work that is in no commit (backend/main.py is not committed, "
            "new.py is not committed); commit or remove it, or set on_uncommitted to keep, which keeps the "
            "directory as the first release"
        )
    assert snapshot(site.home) == before
    result = site.from_git(on_uncommitted="keep")
    assert (site.releases / result["active"] / "backend/main.py").read_text() == "edited\n"
    assert (Path(result["path"]) / "backend/main.py").read_text() == "print('one')\n"


@pytest.mark.parametrize("checkout", [False, True])
def test_source_in_place_is_taken_over_and_its_edits_make_a_new_release(site, checkout):
    hand_deployed(site, checkout)
    args = {"source_type": "in_place", "env_files": [".env.staging"], "shared_paths": ["data"]}
    first = site.ok("prepared", **args)
    assert (first["changed"], first["candidate"]) == (True, None)
    assert not site.ok("prepared", **args)["changed"]
    write(site.project, {"backend/main.py": "edited\n", "backend/new.py": "new\n"})
    assert site.ok("prepared", check=True, **args)["changed"]
    second = site.ok("prepared", **args)
    assert second["damage"] == ["backend/main.py was edited", "backend/new.py was added"]
    assert (Path(second["path"]) / "backend/new.py").exists()
    assert second["revision"] != first["revision"]
    site.ok("activated")
    assert not site.ok("prepared", **args)["changed"]


def test_a_release_made_from_git_is_a_checkout_of_the_url(site):
    commit = site.commit(SOURCE)
    path = Path(site.from_git(version=commit[:10])["path"])
    assert git(path, "rev-parse", "HEAD") == commit
    assert git(path, "config", "remote.origin.url") == str(site.repository)
    assert git(path, "status", "--porcelain") == ""


@pytest.mark.parametrize("version", ["v9", "deadbeef", "d" * 40], ids=["name", "short-commit", "full-commit"])
def test_an_unknown_version_is_one_sentence(site, version):
    site.commit(SOURCE)
    result = site.from_git(version=version)
    assert result["msg"] == (
        f"version {version!r} is not known to {site.repository}; expected a branch, a tag or a commit of it "
        "(was it pushed?)"
    )


def test_a_commit_on_no_branch_is_found_by_its_reference(site):
    site.commit(SOURCE)
    proposed = site.commit({"backend/main.py": "proposed\n"})
    git(site.repository, "update-ref", "refs/pull/1/head", proposed)
    git(site.repository, "reset", "-q", "--hard", "HEAD~1")
    result = site.from_git(version="refs/pull/1/head")
    assert not result["failed"], result["msg"]
    assert (result["revision"], git(Path(result["path"]), "rev-parse", "HEAD")) == (proposed, proposed)


def test_a_branch_that_was_rewritten_is_followed(site):
    site.commit(SOURCE)
    site.from_git()
    site.ok("activated")
    git(site.repository, "commit", "-q", "--amend", "-m", "rewritten")
    result = site.from_git()
    assert result["revision"] == git(site.repository, "rev-parse", "HEAD")


def test_a_lock_file_of_a_killed_git_is_removed(site):
    site.commit(SOURCE)
    site.from_git()
    (site.releases / "source.git/packed-refs.lock").touch()
    (site.releases / "source.git/refs/heads/main.lock").touch()
    commit = site.commit({"backend/main.py": "2\n"})
    assert site.from_git()["revision"] == commit


def test_an_annotated_tag_means_its_commit(site):
    commit = site.commit(SOURCE)
    git(site.repository, "tag", "-a", "-m", "tag", "v1")
    assert site.from_git(version="v1", check=True)["revision"] == commit
    assert site.from_git(version="v1")["revision"] == commit


def test_a_password_in_the_address_is_not_shown(site):
    result = site.from_git(git_url="https://user:s3cr3tpw@127.0.0.1:1/app.git", version="main", git_timeout=20)
    assert result["failed"]
    assert "s3cr3tpw" not in json.dumps(result)
    assert result["msg"].startswith("the git repository https://127.0.0.1:1/app.git cannot be read: ")


@pytest.mark.parametrize(
    ("prepare", "args", "message"),
    [
        pytest.param("file", {}, "project_dir {p} is a file; expected a directory, a link to a release, or nothing"),
        pytest.param(
            "link",
            {},
            "project_dir {p} is a symbolic link to /usr, which is not one of its releases in {p}.releases; name the "
            "directory itself, or remove the link",
        ),
        pytest.param(
            "none",
            {"project_dir": "some/where"},
            "project_dir is 'some/where'; expected an absolute path without '..' below a directory",
        ),
        pytest.param("none", {"keep_releases": 0}, "keep_releases is 0, expected a number from 1"),
        pytest.param(
            "none",
            {"shared_paths": ["../x"]},
            "shared_paths holds '../x'; expected a path inside the project, relative to it",
        ),
        pytest.param(
            "none",
            {"shared_paths": ["a", "a/b"]},
            "shared_paths holds 'a' and 'a/b', which is in it; name one of them",
        ),
        pytest.param(
            "none",
            {"archive": "/nowhere.tgz"},
            "the archive /nowhere.tgz does not exist, and a new release is to be made of it; upload it first",
        ),
        pytest.param("parent-file", {}, "project_dir {p}/x/app cannot be created, because {p} is not a directory"),
    ],
)
def test_bad_input_is_one_sentence_and_changes_nothing(site, prepare, args, message):
    if prepare == "file":
        site.project.write_text("x")
    elif prepare == "link":
        site.project.symlink_to("/usr")
    elif prepare == "parent-file":
        site.project.write_text("x")
        args = {"project_dir": str(site.project / "x" / "app")}
    before = snapshot(site.home)
    result = site.from_archive(SOURCE, **args)
    assert result["failed"]
    assert result["msg"] == message.format(p=site.project)
    assert {k: v for k, v in snapshot(site.home).items() if k != "app.releases"}.keys() - before.keys() <= {
        f"app.releases/{name}" for name in ("shared", "venvs", "baselines")
    }


def test_data_of_a_new_shared_path_is_moved_without_a_new_release(site):
    site.deploy(SOURCE, shared_paths=[])
    write(site.project, {"data/app.db": "rows"})
    predicted = site.from_archive(SOURCE, check=True)
    assert predicted["changed"]
    assert not (site.project / "data").is_symlink()
    result = site.from_archive(SOURCE)
    assert result["reasons"] == [
        "the active release contains data to share: data",
        "options changed: shared_paths",
    ]
    assert result["candidate"] is None
    assert (site.project / "data").resolve() == site.releases / "shared/data"
    assert (site.project / "data/app.db").read_text() == "rows"
    assert not site.from_archive(SOURCE)["changed"]


def test_files_of_the_source_at_a_shared_path_become_the_first_shared_data(site):
    files = {**SOURCE, "data/seed": "1"}
    site.deploy(files)
    (site.project / "data/seed").write_text("used")
    assert not site.from_archive(files)["changed"]
    site.from_archive({**files, "data/seed": "2", "backend/main.py": "2"})
    site.ok("activated")
    assert (site.project / "data/seed").read_text() == "used"


def test_a_lost_link_to_shared_data_makes_a_new_release(site):
    site.deploy(SOURCE)
    (site.project / "data").unlink()
    result = site.from_archive(SOURCE)
    assert result["reasons"] == ["not linked to the shared data: data"]
    assert (Path(result["path"]) / "data").is_symlink()


def test_a_discarded_candidate_is_deleted_when_no_process_runs_in_it(site):
    site.deploy(SOURCE)
    candidate = site.ok("candidate")
    process = subprocess.Popen(["sleep", "60"], cwd=candidate["path"])
    try:
        site.ok("discarded")
        trash = site.releases / f".trash-{candidate['candidate']}"
        assert (trash / "backend/main.py").exists()
    finally:
        process.kill()
        process.wait()
    assert not site.from_archive(SOURCE)["changed"]
    assert not trash.exists()


def test_directories_that_tools_write_into_are_not_hard_linked(site):
    site.deploy(SOURCE)
    write(site.project, {"web-ui/node_modules/.prisma/client.js": "1", "web-ui/node_modules/p.js": "p"})
    active = site.project.resolve()
    for new in (lambda: site.ok("candidate"), lambda: site.from_archive({**SOURCE, "backend/main.py": "2"})):
        path = Path(new()["path"])
        (path / "web-ui/node_modules/.prisma/client.js").write_text("2")
        assert (active / "web-ui/node_modules/.prisma/client.js").read_text() == "1"
        assert (path / "web-ui/node_modules/p.js").samefile(active / "web-ui/node_modules/p.js")


def test_a_lost_manifest_is_rebuilt_and_nothing_is_deleted(site):
    site.deploy(SOURCE)
    site.deploy({**SOURCE, "backend/main.py": "2"})
    before = [entry["id"] for entry in site.info()["releases"]]
    (site.releases / "manifest.json").unlink()
    assert site.info()["active"] == before[1]
    third = site.deploy({**SOURCE, "backend/main.py": "3"}, keep_releases=1)
    assert third["pruned"] == []
    assert [entry["id"] for entry in third["releases"]][:2] == before
    assert third["active"].startswith("0003-")


def test_a_damaged_manifest_stops_the_run(site):
    site.deploy(SOURCE)
    (site.releases / "manifest.json").write_text("{")
    for state in ("prepared", "activated", "rolled_back", "committed"):
        result = site.from_archive(SOURCE) if state == "prepared" else site.call(state)
        assert result["failed"]
        assert result["msg"].startswith(f"{site.releases}/manifest.json is refused: it is no JSON document (")


def test_a_rollback_to_a_damaged_release_names_the_damage(site):
    site.deploy(SOURCE)
    site.from_archive({**SOURCE, "backend/main.py": "2"})
    first = site.info()["active"]
    site.ok("activated")
    (site.releases / first / "backend/main.py").write_text("edited")
    result = site.ok("rolled_back")
    assert result["damage"] == ["backend/main.py was edited"]
    assert result["warnings"] == [
        f"release {first} is active again, but not as it was: backend/main.py was edited; the next deployment "
        "makes a new one"
    ]


def test_a_failed_preparation_leaves_no_candidate(site):
    site.deploy(SOURCE)
    before = snapshot(site.project.resolve())
    broken = site.uploads / "broken.tar.gz"
    broken.write_bytes(site.archive({**SOURCE, "backend/main.py": "2"}, "whole")[0].read_bytes()[:200])
    result = site.from_archive(SOURCE, archive=str(broken), revision="cd" * 32)
    assert result["msg"].startswith(f"the archive {broken} is damaged or no tar archive (")
    assert site.info()["candidate"] is None
    assert snapshot(site.project.resolve()) == before
    assert [path.name for path in site.releases.glob("0*")] == [site.info()["active"]]
    assert not site.from_archive(SOURCE)["changed"]


def test_an_env_file_of_the_source_is_private_and_replaced_by_that_of_the_active_release(site):
    files = {**SOURCE, ".env.staging": "KEY=example\n"}
    path = Path(site.from_archive(files)["path"])
    assert (path / ".env.staging").stat().st_mode & 0o777 == 0o600
    (path / ".env.staging").write_text("KEY=used\n")
    site.ok("activated")
    assert not site.from_archive(files)["changed"]
    second = Path(site.from_archive({**files, "backend/main.py": "2"})["path"])
    assert (second / ".env.staging").read_text() == "KEY=used\n"


def test_env_files_are_copied_at_activation(site):
    path = Path(site.from_archive(SOURCE)["path"])
    write(path, {".env.staging": "KEY=1\n"})
    result = site.ok("activated")
    copy = Path(result["env_snapshots"][".env.staging"])
    assert (copy.read_text(), copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (
        "KEY=1\n",
        0o600,
        0o700,
    )
    write(site.project, {".env.staging": "KEY=by-hand\n"})
    assert not site.from_archive(SOURCE)["changed"]
    assert Path(site.info()["env_snapshots"][".env.staging"]).read_text() == "KEY=1\n"


def test_a_directory_that_cannot_be_written_is_named_with_its_owner(site, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o755)
    closed.chmod(0o555)
    site.project = closed / "app"
    path, digest = site.archive(SOURCE)
    args = {"source_type": "archive", "archive": str(path), "revision": digest}
    messages = as_ordinary_user(
        tmp_path, lambda: [site.call("prepared", check, **args)["msg"] for check in (True, False)]
    )
    who, owner = ("nobody", "root") if os.geteuid() == 0 else (pwd.getpwuid(os.geteuid()).pw_name,) * 2
    expected = (
        f"the directory {closed} cannot be written by {who}, and the link {site.project} is below it; "
        f"it belongs to {owner} with mode 0555"
    )
    assert messages == [expected, expected]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a directory of another user")
def test_a_directory_of_another_user_is_not_taken_over(site, tmp_path):
    write(site.project, SOURCE)
    for directory in (site.home, site.uploads):
        os.chown(directory, 65534, 65534)
    path, digest = site.archive(SOURCE)
    path.chmod(0o644)
    args = {"source_type": "archive", "archive": str(path), "revision": digest}
    message = as_ordinary_user(tmp_path, lambda: site.call("prepared", **args)["msg"])
    assert message == (
        f"the directory {site.project} was deployed manually and cannot be taken over by nobody, because it "
        "belongs to root with mode 0755; give it to nobody (chown -R), or deploy as its owner"
    )
    assert [entry.name for entry in site.home.iterdir()] == ["app"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of another user")
def test_installed_packages_of_another_user_are_copied(site, tmp_path):
    site.deploy(SOURCE)
    write(site.project, {"web-ui/node_modules/p.js": "p"})
    foreign = site.project.resolve() / "web-ui/node_modules/p.js"
    for directory, _names, files in os.walk(site.home):
        for name in (directory, *(os.path.join(directory, file) for file in files)):
            os.chown(name, 65534, 65534)
    os.chown(site.project, 65534, 65534, follow_symlinks=False)
    os.chown(foreign, 0, 0)
    path = Path(as_ordinary_user(tmp_path, lambda: site.call("candidate"))["path"])
    assert (path / "web-ui/node_modules/p.js").read_text() == "p"


def test_a_releases_directory_with_a_wider_mode_is_restricted(site):
    site.releases.mkdir(mode=0o755)
    (site.releases / "baselines").mkdir(mode=0o755)
    site.deploy(SOURCE)
    assert site.releases.stat().st_mode & 0o777 == 0o750
    assert (site.releases / "baselines").stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("seed", range(2))
def test_check_mode_predicts_each_step_of_a_random_history(site, seed):
    """Each step is predicted first; the prediction writes nothing and equals the result."""
    choose = random.Random(seed)
    site.deploy(SOURCE)
    # What is only known, or only deleted, when it is done.
    not_predicted = {
        "env_snapshots",
        "source_digest",
        "partial_source_digest",
        "base_path",
        "source_list",
        "invocation",
        "diff",
        "left_behind",
    }
    kinds = [
        "prepared",
        "prepared",
        "edit",
        "candidate",
        "activated",
        "activated",
        "discarded",
        "committed",
        "committed",
        "rolled_back",
    ]
    for step in range(20):
        kind = choose.choice(kinds)
        args: dict[str, Any] = {}
        if kind == "edit":
            write(site.project, {"backend/main.py": f"edited {step}"})
            continue
        if kind == "prepared":
            files = {**SOURCE, "backend/main.py": f"print({choose.randrange(3)})"}
            path, digest = site.archive(files, f"source-{step}")
            args = {"source_type": "archive", "archive": str(path), "revision": digest, "shared_paths": ["data"]}
        elif kind == "committed":
            args = {"keep_releases": choose.randrange(1, 3)}
        elif kind == "activated":
            args = {"records": {"backend_revision": str(choose.randrange(2))}}
        elif kind == "rolled_back":
            args = {
                "rollback_to": choose.choice(
                    ["committed", "previous", "last", "0001-none", *(e["id"] for e in site.info()["releases"])]
                )
            }
        before = snapshot(site.home)
        predicted = site.call(kind, check=True, **args)
        assert snapshot(site.home) == before
        done = site.call(kind, **args)
        expected = {key: value for key, value in predicted.items() if key not in not_predicted | ATTRIBUTES}
        found = {key: value for key, value in done.items() if key not in not_predicted | ATTRIBUTES}
        assert found == expected, f"step {step}: {kind}"
        assert "parameters" not in done.get("msg", "")
        if not done["failed"]:
            assert done["changed"] is bool(done["diff"] or done["reasons"])
            if kind != "prepared" or not done["candidate"]:
                assert not site.call(kind, **({} if kind == "activated" else args))["changed"]


ATTRIBUTES = {"uid", "gid", "owner", "group", "mode", "state", "size"}
"""What AnsibleModule adds about `path` where that exists."""


def as_ordinary_user(tmp_path: Path, act: Any) -> Any:
    """Run in a child process that is not root, because root may write everywhere."""
    for directory in (tmp_path, *list(tmp_path.parents)[:2]):
        directory.chmod(0o755)
    result = tmp_path / "result.json"
    result.write_text("")
    result.chmod(0o666)
    child = os.fork()
    if child == 0:
        try:
            if os.geteuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            result.write_text(json.dumps({"value": act()}))
        except BaseException:
            result.write_text(json.dumps({"error": traceback.format_exc()}))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    answer = json.loads(result.read_text())
    assert "error" not in answer, answer["error"]
    return answer["value"]


def test_a_changed_exclude_is_reported_once(site):
    site.deploy(SOURCE)
    assert site.from_archive(SOURCE, check=True, exclude=["*.log"])["reasons"] == ["options changed: exclude"]
    assert site.from_archive(SOURCE, exclude=["*.log"])["changed"]
    assert not site.from_archive(SOURCE, exclude=["*.log"])["changed"]


@pytest.mark.parametrize("shared", ["logs", "a dir/#x"])
def test_git_status_of_a_directory_that_was_taken_over_stays_clean(site, shared):
    """An ignore rule that ends in a slash matches no link, and the virtual environment becomes one too."""
    site.commit({**SOURCE, ".gitignore": f"/{shared}/\n.venv/\n"})
    git(site.home, "clone", "-q", str(site.repository), str(site.project))
    write(site.project, {f"{shared}/x.log": "x", ".venv/bin/python": "", ".env.staging": "A=1\n"})
    args = {"shared_paths": [shared], "env_files": [".env.staging"]}
    site.commit({"backend/main.py": "print('two')\n"})
    result = site.from_git(**args)
    assert not result["failed"], result["msg"]
    write(site.releases / "venvs/x", {"bin/python": ""})
    for release_id in (result["active"], result["candidate"]):
        directory = site.releases / release_id
        if not (directory / ".venv").is_symlink():
            (directory / ".venv/bin/python").unlink()
            (directory / ".venv/bin").rmdir()
            (directory / ".venv").rmdir()
            (directory / ".venv").symlink_to("../venvs/x")
        assert (directory / shared).is_symlink()
        assert git(directory, "status", "--porcelain") == ""
    # The link stays when its path is no longer shared.
    site.ok("activated")
    assert not site.from_git(**{**args, "shared_paths": []})["failed"]
    assert git(site.project, "status", "--porcelain") == ""


def test_lines_of_others_in_info_exclude_stay(site):
    commit = site.commit(SOURCE)
    git(site.home, "clone", "-q", str(site.repository), str(site.project))
    exclude = site.project / ".git/info/exclude"
    exclude.write_bytes(b"mine \xe9")
    result = site.from_git(version=commit)
    text = (site.releases / result["active"] / ".git/info/exclude").read_bytes()
    assert text.startswith(b"mine \xe9\n# BEGIN codeframe.staging")
    assert b"\n/data\n/.env.staging\n.venv\n# END codeframe.staging\n" in text
    site.from_git(version=commit)
    assert (site.project / ".git/info/exclude").read_bytes() == text


def test_an_info_exclude_that_is_a_link_is_left_alone(site, tmp_path):
    site.commit(SOURCE)
    git(site.home, "clone", "-q", str(site.repository), str(site.project))
    (tmp_path / "elsewhere").write_text("mine\n")
    (site.project / ".git/info/exclude").unlink()
    (site.project / ".git/info/exclude").symlink_to(tmp_path / "elsewhere")
    assert not site.from_git()["failed"]
    assert (tmp_path / "elsewhere").read_text() == "mine\n"


def test_a_new_commit_in_place_is_a_new_source_and_no_edit(site):
    site.commit(SOURCE)
    git(site.home, "clone", "-q", str(site.repository), str(site.project))
    write(site.project, {"data/app.db": "rows"})
    args = {"source_type": "in_place", "env_files": [".env.staging"], "shared_paths": ["data"]}
    first = site.ok("prepared", **args)
    new = site.commit({"backend/main.py": "print('two')\n"})
    git(site.project, "pull", "-q")
    result = site.ok("prepared", **args)
    assert (result["damage"], result["revision"]) == ([], new)
    assert result["reasons"] == [f"the source changed from {first['revision'][:12]} to {new[:12]}"]
    site.ok("activated")
    write(site.project, {"backend/main.py": "edited\n"})
    assert site.ok("prepared", **args)["damage"] == ["backend/main.py was edited"]


def test_a_new_commit_beside_what_a_manual_deployment_has_left_is_no_edit(site):
    site.commit({**SOURCE, "backend/old.py": "old\n"})
    git(site.home, "clone", "-q", str(site.repository), str(site.project))
    write(site.project, {"package.json": "{}\n", "data/app.db": "rows"})
    args = {"source_type": "in_place", "env_files": [".env.staging"], "shared_paths": ["data"]}
    site.ok("prepared", **args)
    site.ok("activated")
    git(site.repository, "rm", "-q", "backend/old.py")
    new = site.commit({"backend/main.py": "print('two')\n"})
    git(site.project, "pull", "-q")
    result = site.ok("prepared", **args)
    pulled = f"the source changed: backend/main.py, backend/old.py as in the commit {new[:12]}"
    assert (result["damage"], result["reasons"]) == ([], [pulled])
    assert (Path(result["path"]) / "backend/main.py").read_text() == "print('two')\n"
    write(site.project, {"web-ui/package.json": "edited\n"})
    result = site.ok("prepared", **args)
    edited = f"in the active release {result['active']} web-ui/package.json was edited"
    assert result["damage"] == ["web-ui/package.json was edited"]
    assert result["reasons"][-2:] == [pulled, edited]
    site.ok("activated")
    assert not site.ok("prepared", **args)["changed"]


def test_a_commit_that_was_checked_out_in_the_active_release_is_named(site):
    old = site.commit(SOURCE)
    site.from_git()
    site.ok("activated")
    new = site.commit({"backend/main.py": "print('two')\n"})
    git(site.project, "fetch", "-q", "origin")
    git(site.project, "checkout", "-q", new)
    result = site.from_git(version=old)
    assert result["reasons"] == [
        f"in the active release {result['active']} the commit {new[:12]} is checked out instead of {old[:12]}"
    ]
    assert (Path(result["path"]) / "backend/main.py").read_text() == SOURCE["backend/main.py"]


def test_the_work_that_a_take_over_keeps_is_listed(site):
    site.commit(SOURCE)
    git(site.home, "clone", "-q", str(site.repository), str(site.project))
    write(site.project, {"backend/main.py": "edited\n", "package.json": "{}\n"})
    result = site.from_git(on_uncommitted="keep")
    assert result["warnings"] == [
        "the directory that was taken over contains work that is in no commit (backend/main.py, package.json); it is "
        f"kept in release {result['active']}, and the deployed source does not contain it"
    ]
    assert (site.releases / result["active"] / "package.json").exists()
