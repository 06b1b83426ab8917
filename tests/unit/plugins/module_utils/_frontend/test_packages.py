# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The package manager, and reasons to install."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.errors import BuildError
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.packages import (
    manager_for,
    reasons_to_install,
)

LOCK = {
    "packages": {
        "": {"name": "app"},
        "node_modules/next": {"version": "16.0.0", "integrity": "sha512-a"},
        "node_modules/@x/darwin": {"version": "1.0.0", "optional": True},
        "node_modules/y/node_modules/@x/android": {"version": "1.0.0", "extraneous": True, "os": ["android"]},
    }
}
INSTALLED = {"packages": {"node_modules/next": {"version": "16.0.0", "integrity": "sha512-a"}}}


@pytest.mark.parametrize(
    ("installed", "present", "reason"),
    [
        pytest.param(INSTALLED, {"node_modules/next"}, "", id="as-locked"),
        pytest.param(INSTALLED, set(), "node_modules is incomplete: next is missing", id="directory-gone"),
        pytest.param({"packages": {}}, set(), "next is not installed", id="not-installed"),
        pytest.param(
            {"packages": {"node_modules/next": {"version": "15.0.0"}}},
            {"node_modules/next"},
            "next is 15.0.0 instead of 16.0.0",
            id="another-version",
        ),
        pytest.param(
            {"packages": {**INSTALLED["packages"], "node_modules/z": {}}},
            {"node_modules/next"},
            "z is not in it",
            id="extra",
        ),
        pytest.param({}, set(), "has no record of what was installed", id="no-record-of-npm"),
    ],
)
def test_reasons_to_install(installed: dict[str, Any], present: set[str], reason: str) -> None:
    found = reasons_to_install(LOCK, installed, present)
    assert (found == []) if not reason else found[0].endswith(reason)


@pytest.mark.parametrize(
    ("files", "package", "command"),
    [
        (["package-lock.json"], {}, "npm ci --include=dev --no-audit --no-fund"),
        (["npm-shrinkwrap.json", "yarn.lock"], {}, "npm ci --include=dev --no-audit --no-fund"),
        (["pnpm-lock.yaml"], {}, "pnpm install --frozen-lockfile --prod=false"),
        (["yarn.lock"], {}, "yarn install --frozen-lockfile --production=false"),
        (["yarn.lock"], {"packageManager": "yarn@1.22.22"}, "yarn install --frozen-lockfile --production=false"),
        (["yarn.lock"], {"packageManager": "yarn@4.1.0"}, "yarn install --immutable"),
        (["yarn.lock", ".yarnrc.yml"], {}, "yarn install --immutable"),
    ],
)
def test_the_lock_file_names_the_package_manager(files: list[str], package: dict[str, Any], command: str) -> None:
    assert " ".join(manager_for(files, package).install_command) == command


@pytest.mark.parametrize(
    ("files", "package", "ignored"),
    [
        pytest.param(["package-lock.json"], {}, (), id="one"),
        pytest.param(["package-lock.json", "npm-shrinkwrap.json"], {}, (), id="two-of-npm"),
        pytest.param(["pnpm-lock.yaml", "package-lock.json"], {}, ("pnpm-lock.yaml",), id="another"),
        pytest.param(["yarn.lock", "bun.lock", "pnpm-lock.yaml"], {}, ("yarn.lock", "bun.lock"), id="others"),
        pytest.param(
            ["yarn.lock", "pnpm-lock.yaml"], {"packageManager": "pnpm@9.15.9"}, (), id="decided-by-the-application"
        ),
    ],
)
def test_lock_files_that_are_not_used_are_named(
    files: list[str], package: dict[str, Any], ignored: tuple[str, ...]
) -> None:
    assert manager_for(files, package).ignored == ignored


@pytest.mark.parametrize(
    ("package", "declared"),
    [
        pytest.param({"volta": {"node": "22.11.0", "pnpm": "9.15.9"}}, "pnpm@9.15.9", id="volta"),
        pytest.param({"volta": {"node": "22.11.0"}}, "", id="volta-of-node-alone"),
        # Those of another package manager, whose lock file is not there.
        pytest.param({"volta": {"yarn": "1.22.22"}}, "", id="volta-of-another"),
        pytest.param({"volta": "x", "devEngines": []}, "", id="malformed"),
        pytest.param(
            {"devEngines": {"packageManager": {"name": "pnpm", "version": "9.15.9"}}}, "pnpm@9.15.9", id="devEngines"
        ),
        pytest.param(
            {
                "devEngines": {
                    "packageManager": [{"name": "yarn", "version": "4.1.0"}, {"name": "pnpm", "version": "9.1.0"}]
                }
            },
            "pnpm@9.1.0",
            id="devEngines-with-several",
        ),
        pytest.param({"devEngines": {"packageManager": {"name": "pnpm", "version": "^9.15.9"}}}, "", id="a-range"),
        pytest.param({"devEngines": {"packageManager": {"name": "pnpm", "version": "9"}}}, "", id="a-major-version"),
        pytest.param(
            {"packageManager": "pnpm@8.0.0", "volta": {"pnpm": "9.15.9"}}, "pnpm@8.0.0", id="packageManager-counts-more"
        ),
    ],
)
def test_a_version_that_is_declared_elsewhere_is_used(package: dict[str, Any], declared: str) -> None:
    assert manager_for(["pnpm-lock.yaml"], package).declared == declared


@pytest.mark.parametrize(
    ("lock", "command"),
    [
        ("# yarn lockfile v1\n\n\na@1:\n", "yarn install --frozen-lockfile --production=false"),
        ('# This file is generated\n\n__metadata:\n  version: 8\n\n"a@npm:1":\n', "yarn install --immutable"),
    ],
)
def test_the_format_of_its_lock_file_tells_which_yarn_wrote_it(lock: str, command: str) -> None:
    assert " ".join(manager_for(["yarn.lock"], {}, yarn_lock=lock).install_command) == command


def test_no_lock_file_is_refused() -> None:
    with pytest.raises(BuildError, match="there is no lock file; expected package"):
        manager_for(["package.json"], {})
