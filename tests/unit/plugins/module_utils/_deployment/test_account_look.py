"""The layers of the deploy user, compared on real releases."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.account_look import look_as_account
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.options import AccountOptions
from ansible_collections.codeframe.staging.plugins.module_utils._release.arguments import RELEASE
from release_site import SOURCE, Site

OTHER = {**SOURCE, "backend/main.py": "print('two')\n"}


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path, module_runner.run)


def look(site: Site, files: dict[str, str]) -> dict[str, Any]:
    path, digest = site.archive(files, "wanted")
    source = {"source_type": "archive", "archive": str(path), "revision": digest}
    paths = {"env_files": [".env.staging"], "shared_paths": ["data"]}
    options = {"project_dir": str(site.project), "state": "prepared", **source, **paths}
    checked = ArgumentSpecValidator(RELEASE).validate(options)
    assert not checked.error_messages
    return look_as_account(AccountOptions(release=checked.validated_parameters))


def release_of(found: dict[str, Any]) -> list[str]:
    (layer,) = found["layers"]
    assert layer["name"] == "release"
    return [*layer["reasons"], *layer["unknown"]]


def test_nothing_differs_from_what_was_deployed(site: Site) -> None:
    site.deploy(SOURCE)
    found = look(site, SOURCE)
    assert (release_of(found), found["activates"]) == ([], False)


def test_another_source_activates_another_release(site: Site) -> None:
    site.deploy(SOURCE)
    found = look(site, OTHER)
    assert release_of(found)[0].startswith("the source changed")
    assert found["activates"]


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
