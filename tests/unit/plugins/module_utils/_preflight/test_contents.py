"""Whether the deploy user can use what the project has on the host."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.contents import (
    judge_env_file,
    judge_owners,
    judge_source_in_place,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

APP = "/home/deploy/projects/app"
BEGIN = f'staging_project_dir is "{APP}", but '
EXPECTED = "; expected files of deploy, who cannot replace those of others; "


@pytest.mark.parametrize(
    ("foreign", "user_exists", "message"),
    [
        pytest.param(
            {f"{APP}/.env.staging": "root"},
            True,
            f"{APP}/.env.staging there belongs to root{EXPECTED}run chown -Rh deploy {APP}/.env.staging",
            id="one file",
        ),
        pytest.param(
            {f"{APP}/web-ui/.next": "root", f"{APP}/my file": "kim"},
            True,
            f"{APP}/my file, {APP}/web-ui/.next there belong to kim and root{EXPECTED}run chown -Rh deploy "
            f"'{APP}/my file' {APP}/web-ui/.next",
            id="two owners",
        ),
        pytest.param(
            {APP: "kim"},
            False,
            f"{APP} there belongs to kim{EXPECTED}create the user deploy and run chown -Rh deploy {APP}, or set "
            "staging_user: kim",
            id="a user still to be created",
        ),
        pytest.param(
            {f"{APP}/{name}": "root" for name in ("a", "b", "c", "d", "e/f", "e/g")},
            True,
            f"{APP}/a, {APP}/b, {APP}/c, {APP}/d, {APP}/e/f and 1 more there belong to root{EXPECTED}run chown -Rh "
            f"deploy {APP}",
            id="many",
        ),
    ],
)
def test_files_of_others_are_named_with_one_command(
    good: DeploymentInputs, foreign: dict[str, str], user_exists: bool, message: str
) -> None:
    (found,) = judge_owners(good, foreign, user_exists=user_exists)
    assert (found.name, found.level) == ("files-of-another-user", "error")
    assert found.sentence == BEGIN + message


def test_nothing_of_others_has_no_finding(good: DeploymentInputs) -> None:
    assert judge_owners(good, {}, user_exists=True) == []


def test_a_name_with_a_newline_is_shown_in_one_line(good: DeploymentInputs) -> None:
    (found,) = judge_owners(good, {f"{APP}/a\nb": "root"}, user_exists=True)
    assert "\n" not in found.sentence
    assert found.remedy == f"run chown -Rh deploy {APP}"


def test_a_source_in_place_must_be_there(good: DeploymentInputs) -> None:
    assert judge_source_in_place(good, exists=True) == []
    (found,) = judge_source_in_place(good, exists=False)
    assert (found.name, found.level) == ("source-in-place-missing", "error")
    assert found.sentence == (
        f"{BEGIN}the host has no such directory, or nothing is in it; expected the source of the application, because "
        "staging_source_type is in_place; put it there as the deploy user, or choose another staging_source_type"
    )


def test_an_environment_file_that_cannot_be_kept_is_refused(good: DeploymentInputs) -> None:
    assert judge_env_file(good, "") == []
    (found,) = judge_env_file(good, "/srv/app/.env.staging:2: this is no assignment; repair that line")
    assert (found.name, found.level) == ("env-file-unreadable", "error")
    assert found.sentence == (
        "staging_env_file is not set, but /srv/app/.env.staging:2: this is no assignment; expected an environment file "
        "whose keys can be kept; repair that line"
    )
