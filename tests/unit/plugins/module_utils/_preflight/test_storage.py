"""Whether the releases have a place on the host."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.storage import (
    Storage,
    judge_storage,
    needed_bytes,
    size,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

GIB = 1024**3


@pytest.mark.parametrize(
    ("facts", "name", "sentence"),
    [
        pytest.param(
            {"is_directory": False},
            "path-blocked",
            "/srv is not a directory; expected a directory for the releases; move that file away, or choose another "
            "directory",
            id="file",
        ),
        pytest.param(
            {"read_only": True},
            "path-read-only",
            "the file system of /srv is mounted read-only; expected a writable file system; mount it for writing, or "
            "choose another directory",
            id="read-only",
        ),
        pytest.param(
            {"unwritable": ("/srv",)},
            "path-not-writable",
            "deploy cannot write to /srv; expected a directory in which deploy can create the releases and the link to "
            "the active one; write /home/deploy/projects/app/app and set staging_create_parent: true",
            id="not-writable",
        ),
        pytest.param(
            {"unwritable": ("/opt/team",)},
            "path-not-writable",
            "deploy cannot write to /opt/team; expected a directory in which deploy can create the releases and the "
            "link to the active one; write /home/deploy/projects/app/app and set staging_create_parent: true, or make "
            "deploy the owner of /opt/team",
            id="not-writable-directory-of-its-own",
        ),
        pytest.param(
            {"unwritable": ("/srv",), "creatable": "/srv/projects"},
            "path-not-writable",
            "deploy cannot write to /srv; expected a directory in which deploy can create the releases and the link to "
            "the active one; set staging_create_parent: true, which creates /srv/projects for deploy, or choose "
            "another directory",
            id="not-writable-with-a-missing-parent",
        ),
        pytest.param(
            {"no_exec": True},
            "path-no-exec",
            "the file system of /srv is mounted noexec; expected a file system from which the programs of a release "
            "can run; mount it without noexec, or choose another directory",
            id="noexec",
        ),
        pytest.param(
            {"closed": "/home/deploy"},
            "path-closed",
            "deploy cannot enter /home/deploy; expected directories that deploy can enter; run chmod o+x /home/deploy, "
            "or choose another directory",
            id="closed",
        ),
        pytest.param(
            {"free_bytes": GIB - 1},
            "disk-space",
            "/srv has 1024 MiB left; expected 1.0 GiB for a deployment; free some space, or lower "
            "staging_min_free_bytes",
            id="full",
        ),
        pytest.param(
            {"free_inodes": 99_999},
            "inodes",
            "/srv has 99999 inodes left; expected 100000 inodes for a deployment; remove small files, or choose "
            "another file system",
            id="no-inodes",
        ),
    ],
)
def test_each_fact_has_its_finding(good: DeploymentInputs, facts: dict[str, Any], name: str, sentence: str) -> None:
    storage = Storage("/srv", **{"free_bytes": GIB, "free_inodes": 100_000, **facts})
    (found,) = judge_storage(good, storage, needed=GIB)
    assert (found.name, found.level) == (name, "error")
    assert found.sentence == f'staging_project_dir is "/home/deploy/projects/app", but {sentence}'


@pytest.mark.parametrize("inodes", [100_000, None])
def test_just_enough_has_no_finding(good: DeploymentInputs, inodes: int | None) -> None:
    assert judge_storage(good, Storage("/srv", free_bytes=GIB, free_inodes=inodes), needed=GIB) == []


def test_facts_add_up_but_those_behind_a_missing_directory(good: DeploymentInputs) -> None:
    def names(**facts: Any) -> list[str]:
        return [item.name for item in judge_storage(good, Storage("/srv", no_exec=True, **facts), needed=1)]

    assert names(unwritable=("/srv",), closed="/") == ["path-not-writable", "path-no-exec", "path-closed", "disk-space"]
    assert names(is_directory=False) == ["path-blocked"]
    assert names(read_only=True) == ["path-read-only"]


def test_the_releases_themselves_must_be_the_deploy_users(good: DeploymentInputs) -> None:
    storage = Storage("/home/deploy/projects/app.releases", unwritable=("/home/deploy/projects/app.releases",))
    (found,) = judge_storage(good, storage, needed=0)
    assert found.remedy == "make deploy the owner of /home/deploy/projects/app.releases"


@pytest.mark.parametrize("given", [True, "true", "yes"])
def test_a_parent_that_is_created_needs_no_right_above(good: DeploymentInputs, given: object) -> None:
    inputs = DeploymentInputs({**good.given, "staging_create_parent": given})
    storage = Storage("/srv", unwritable=("/srv",), creatable="/srv/projects")
    assert judge_storage(inputs, storage, needed=0) == []
    # Where another user could put a link, root creates nothing.
    assert len(judge_storage(inputs, Storage("/srv", unwritable=("/srv",)), needed=0)) == 1


@pytest.mark.parametrize(
    ("release", "needed"),
    [
        pytest.param(None, 2 * GIB, id="no release yet"),
        pytest.param(0, 256 * 1024**2, id="at least"),
        pytest.param(GIB, int(1.2 * GIB), id="1.2 times the active release"),
    ],
)
def test_the_space_for_a_deployment(release: int | None, needed: int) -> None:
    assert needed_bytes(release) == needed


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (102400, "100 KiB"),
        (1536 * 1024, "1.5 MiB"),
        (2 * GIB, "2.0 GiB"),
        (1 << 60, "1073741824 GiB"),
    ],
)
def test_sizes_for_people(number: int, shown: str) -> None:
    assert size(number) == shown
