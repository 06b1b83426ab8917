"""The layers of the deploy user, compared on real releases."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.codeframe.staging.plugins.module_utils._backend.arguments import NODE_BUILD, VIRTUALENV
from ansible_collections.codeframe.staging.plugins.module_utils._deployment import account_look
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.account_look import (
    _Look,
    attempt,
    look_as_account,
)
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.layer import Layer
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.look import look as whole_look
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.options import AccountOptions, RootOptions
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.arguments import FILE
from ansible_collections.codeframe.staging.plugins.module_utils._frontend import commands
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import (
    ClosedLogError,
    Pm2Error,
    UnmanagedProcessError,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.run import SHARED_REASONS
from ansible_collections.codeframe.staging.plugins.module_utils._release.arguments import RELEASE
from ansible_collections.codeframe.staging.plugins.modules import backend_node_build, backend_virtualenv
from release_site import SOURCE, Site

OTHER = {**SOURCE, "backend/main.py": "print('two')\n"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, module_runner.run)


def checked(spec: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Options with their defaults, as the module passes them on."""
    result = ArgumentSpecValidator(spec).validate(options)
    assert not result.error_messages
    complete: dict[str, Any] = result.validated_parameters
    return complete


def account(site: Site, files: dict[str, str]) -> AccountOptions:
    path, digest = site.archive(files, "wanted")
    source = {"source_type": "archive", "archive": str(path), "revision": digest}
    paths = {"env_files": [".env.staging"], "shared_paths": ["data"]}
    return AccountOptions(
        release=checked(RELEASE, {"project_dir": str(site.project), "state": "prepared", **source, **paths})
    )


def look(site: Site, files: dict[str, str]) -> dict[str, Any]:
    return look_as_account(account(site, files))


def release_of(found: dict[str, Any]) -> list[str]:
    (layer,) = found["layers"]
    assert layer["name"] == "release"
    return [*layer["reasons"], *layer["unknown"]]


def test_nothing_differs_from_what_was_deployed(site: Site) -> None:
    site.deploy(SOURCE)
    found = look(site, SOURCE)
    assert (release_of(found), found["activates"]) == ([], False)


def test_a_commit_is_needed_until_it_is_made_and_again_when_less_is_kept(site: Site) -> None:
    assert not site.from_archive(SOURCE)["failed"]
    site.ok("activated")
    assert look(site, SOURCE)["commits"]
    site.ok("committed")
    assert not look(site, SOURCE)["commits"]
    for number in (1, 2, 3):
        assert not site.from_archive({**SOURCE, "backend/main.py": f"print({number})\n"})["failed"]
        site.ok("activated")
        site.ok("committed", keep_releases=9)
    whole = account(site, {**SOURCE, "backend/main.py": "print(3)\n"})

    def commits(keep: int) -> bool:
        return bool(look_as_account(replace(whole, release={**whole.release, "keep_releases": keep}))["commits"])

    assert [commits(9), commits(1)] == [False, True]


def test_an_env_file_that_cannot_be_read_is_named_with_its_line(site: Site) -> None:
    site.deploy(SOURCE)
    file = os.path.realpath(site.project / ".env.staging")
    Path(file).write_text("A=1\nB: 2\n")
    wanted = checked(FILE, {"path": ".env.staging", "values": {"A": "1"}})
    found = look_as_account(replace(account(site, SOURCE), env_file=wanted))
    (told,) = [layer["unknown"] for layer in found["layers"] if layer["name"] == "env_file"]
    assert list(told) == [f"{file}:2: neither KEY=value, nor a comment, nor blank, but YAML; write KEY=value"]


@pytest.mark.parametrize("kind", ["link", "directory", "text"])
def test_a_deployment_is_refused_for_an_env_file_that_only_a_person_can_put_right(
    site: Site, tmp_path: Path, kind: str
) -> None:
    """And nothing else is said to differ, because it changes nothing."""
    site.deploy(SOURCE)
    file = Path(os.path.realpath(site.project)) / ".env.staging"
    file.unlink(missing_ok=True)
    if kind == "link":
        (tmp_path / "elsewhere.env").write_text("A=1\n")
        file.symlink_to(tmp_path / "elsewhere.env")
    elif kind == "directory":
        file.mkdir()
    else:
        file.write_text("B: 2\n")
    wanted = checked(FILE, {"path": ".env.staging", "values": {"A": "1"}})
    found = look_as_account(replace(account(site, SOURCE), env_file=wanted))
    assert {layer["name"]: (layer["reasons"], layer["refused"]) for layer in found["layers"]} == {
        "release": ((), False),
        "env_file": ((), True),
    }
    assert not found["activates"]


def test_a_source_that_changes_may_put_its_env_file_right(site: Site) -> None:
    """Such as an example in it that could not be read."""
    site.deploy(SOURCE)
    (Path(os.path.realpath(site.project)) / ".env.staging").write_text("B: 2\n")
    wanted = checked(FILE, {"path": ".env.staging", "values": {"A": "1"}})
    found = look_as_account(replace(account(site, OTHER), env_file=wanted))
    assert [(layer["name"], layer["refused"]) for layer in found["layers"] if layer["unknown"]] == [("env_file", False)]


def test_another_source_activates_another_release(site: Site) -> None:
    site.deploy(SOURCE)
    found = look(site, OTHER)
    assert release_of(found)[0].startswith("the source changed")
    assert found["activates"]


def test_releases_without_an_active_one_are_not_said_to_be_missing(site: Site) -> None:
    site.deploy(SOURCE)
    site.project.unlink()
    (only,) = release_of(look(site, SOURCE))
    assert only.startswith("no release is active; there are 0001-")


def test_what_an_interrupted_run_has_left_is_deleted_and_activates_nothing(site: Site) -> None:
    site.deploy(SOURCE)
    assert site.from_archive(OTHER)["candidate"]
    found = look(site, SOURCE)
    assert [reason.startswith("the candidate ") for reason in release_of(found)] == [True]
    assert not found["activates"]


@pytest.mark.parametrize("directory", ["", "shared", "baselines"])
def test_directories_that_others_can_enter_are_named_and_closed_by_a_run(site: Site, directory: str) -> None:
    """As the deploy user has opened them, or a restored backup."""
    site.deploy(SOURCE)
    path = site.releases / directory
    closed = path.stat().st_mode
    path.chmod(0o755)
    found = look(site, SOURCE)
    assert release_of(found) == [f"other users can enter {path}"]
    assert not found["activates"]
    prepared = site.from_archive(SOURCE)
    assert (prepared["changed"], prepared["reasons"]) == (True, [f"other users can enter {path}"])
    assert path.stat().st_mode == closed
    assert release_of(look(site, SOURCE)) == []


def test_a_directory_that_the_group_cannot_enter_stays(site: Site) -> None:
    site.deploy(SOURCE)
    os.chmod(site.releases, 0o700)
    assert release_of(look(site, SOURCE)) == []


def test_the_packages_of_a_backend_for_node_are_a_layer_of_their_own(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    install = "mkdir -p node_modules/ws && echo 1 > node_modules/ws/index.js && "
    install += 'echo \'{"packages": {"node_modules/ws": {}}}\' > node_modules/.package-lock.json'
    for name, text in (("node", "echo v20.1.0"), ("npm", install)):
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setattr(commands, "STANDARD_PATH", f"{programs}:{commands.STANDARD_PATH}")
    source = {**SOURCE, "server/package.json": '{"dependencies": {"ws": "8"}}'}
    source["server/package-lock.json"] = '{"packages": {"": {}, "node_modules/ws": {}}}'
    site.deploy(source)
    options = replace(account(site, source), backend_build=checked(NODE_BUILD, {"path": "server"}))

    def told() -> tuple[list[str], bool, str]:
        look = _Look(options)
        found = look.run()
        (layer,) = [layer for layer in found["layers"] if layer["name"] == "backend_build"]
        return list(layer["reasons"]), found["activates"], look._revisions()["backend_revision"]

    assert told()[:2] == (["there is no node_modules"], True)
    made = module_runner.run(backend_node_build, {"path": f"{site.project}/server"})
    assert not made["failed"], made
    reasons, activates, installed = told()
    assert (reasons, activates) == ([], False)
    assert told()[2] == installed
    os.remove(site.project / "server/node_modules/ws/index.js")
    reasons, activates, damaged = told()
    assert (reasons, activates) == (["node_modules is damaged: ws/index.js is missing"], True)
    assert damaged != installed


def test_a_backend_whose_environment_is_damaged_gets_another_revision(site: Site) -> None:
    """Its process runs from the damaged one until it is started again."""
    site.deploy(SOURCE)
    options = {
        "path": "backend",
        "venvs_dir": f"{site.releases}/venvs",
        "python": "/usr/bin/python3",
        "install": "requirements",
    }

    def deployed() -> dict[str, Any]:
        args = {**options, "path": f"{site.project}/backend"}
        made: dict[str, Any] = module_runner.run(backend_virtualenv, args)
        assert not made["failed"], made["msg"]
        return made

    def revision() -> str:
        found = _Look(replace(account(site, SOURCE), virtualenv=checked(VIRTUALENV, options)))
        found.run()
        return found._revisions()["backend_revision"]

    first = deployed()
    before = revision()
    assert revision() == before
    os.remove(f"{first['path']}/bin/python")
    damaged = revision()
    assert damaged != before
    assert deployed()["digest"] == first["digest"]
    assert revision() == damaged


def test_files_of_releases_that_cannot_be_read_are_unknown_and_not_said_to_differ(site: Site) -> None:
    site.deploy(SOURCE)
    (site.releases / "manifest.json").write_text("{")
    root = RootOptions(static_files={"state": "present"})
    found = whole_look("no-such-user", root, account(site, SOURCE), tmpdir="", deadline=time.monotonic() + 60)
    assert {layer.name: layer.state for layer in found.layers} == {"release": "unknown", "static_files": "unknown"}


def test_a_link_to_no_release_leaves_everything_below_it_unknown(site: Site, tmp_path: Path) -> None:
    """What it leads to is not the application: no key of an env file has drifted there."""
    site.deploy(SOURCE)
    site.project.unlink()
    site.project.symlink_to(tmp_path)
    wanted = checked(FILE, {"path": ".env.staging", "values": {"A": "1"}})
    found = look_as_account(replace(account(site, SOURCE), env_file=wanted))
    assert {layer["name"]: (layer["reasons"], bool(layer["unknown"])) for layer in found["layers"]} == {
        "release": ((), True),
        "env_file": ((), True),
    }


@pytest.mark.parametrize(
    ("problem", "refused"),
    [
        pytest.param(UnmanagedProcessError("it belongs to something else"), True, id="process of another application"),
        pytest.param(ClosedLogError("run chown"), True, id="log of root"),
        pytest.param(Pm2Error("there is no program pm2 on this host"), False, id="what a run repairs"),
        pytest.param(PermissionError(13, "Permission denied", "/x"), False, id="what cannot be read"),
    ],
)
def test_only_what_a_person_must_decide_refuses_a_deployment(problem: Exception, refused: bool) -> None:
    def compare() -> Layer:
        raise problem

    layer = attempt("backend", compare)
    assert (layer.state, layer.refused) == ("unknown", refused)


EXPOSED, UNSAVED = sorted(SHARED_REASONS)


@pytest.mark.parametrize(
    ("backend", "frontend", "differing"),
    [
        pytest.param([UNSAVED], [UNSAVED], ["backend"], id="no list"),
        pytest.param([EXPOSED], [EXPOSED], ["backend"], id="a list that others can read"),
        pytest.param(["its script changed"], [UNSAVED, EXPOSED], ["backend"], id="a backend that changes anyway"),
        pytest.param([], [UNSAVED], ["frontend"], id="a backend that does not change"),
        pytest.param([UNSAVED], [UNSAVED, "its script changed"], ["backend", "frontend"], id="a frontend of its own"),
    ],
)
def test_a_list_of_processes_that_the_backend_saves_changes_nothing_for_the_frontend(
    site: Site, monkeypatch: pytest.MonkeyPatch, backend: list[str], frontend: list[str], differing: list[str]
) -> None:
    site.deploy(SOURCE)
    process = {"env_file": "", "state": "online", "ecosystem_file": "", "env": {}}
    reasons = {"backend": backend, "frontend": frontend}

    def manage(wanted: dict[str, Any], **_: object) -> tuple[dict[str, Any], list[str]]:
        found = reasons[wanted["name"]]
        return {"changed": bool(found), "reasons": found}, []

    monkeypatch.setattr(account_look, "manage_process", manage)
    instances = ({**process, "name": "backend"},)
    wanted = replace(
        account(site, SOURCE), instances=instances, frontend={**process, "name": "frontend", "script": "x"}
    )
    found = look_as_account(wanted)
    assert [each["name"] for each in found["layers"] if each["reasons"] and each["name"] != "release"] == differing
