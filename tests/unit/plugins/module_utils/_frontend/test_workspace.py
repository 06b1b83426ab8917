# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The workspace that a frontend is part of, on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.workspace import (
    find_workspace,
    needed_members,
    workspace_patterns,
)


def written(root: Path, packages: dict[str, dict[str, Any]]) -> None:
    for name, package in packages.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "package.json").write_text(json.dumps(package))


@pytest.mark.parametrize(
    ("package", "pnpm", "patterns"),
    [
        pytest.param({}, None, (), id="none"),
        pytest.param({"workspaces": ["apps/*", "packages/ui"]}, None, ("apps/*", "packages/ui"), id="npm"),
        pytest.param({"workspaces": {"packages": ["apps/*"], "nohoist": []}}, None, ("apps/*",), id="yarn-1"),
        pytest.param({"workspaces": "apps/*"}, None, (), id="malformed"),
        pytest.param(
            {},
            "# x\npackages:\n  - apps/*  # pages\n\n  - '!apps/old'\ncatalog:\n  - x\n",
            ("apps/*", "!apps/old"),
            id="pnpm",
        ),
        pytest.param({}, 'packages: ["apps/*", packages/ui]\n', ("apps/*", "packages/ui"), id="pnpm-inline"),
        pytest.param({}, "packages:\n- apps/*\n", ("apps/*",), id="pnpm-not-indented"),
        pytest.param({}, "catalog:\n  next: 1\n", (), id="pnpm-settings-alone"),
    ],
)
def test_patterns(package: dict[str, Any], pnpm: str | None, patterns: tuple[str, ...]) -> None:
    assert workspace_patterns(package, pnpm) == patterns


def test_a_member_needs_what_it_depends_on_directly_or_not() -> None:
    packages = {
        "apps/web": {"name": "web", "dependencies": {"@x/ui": "*", "next": "1"}},
        "apps/docs": {"name": "docs", "dependencies": {"@x/ui": "*"}},
        "packages/ui": {"name": "@x/ui", "devDependencies": {"@x/config": "workspace:*"}},
        "packages/config": {"name": "@x/config", "peerDependencies": {"web": "*"}},
        "packages/cli": {"name": "@x/cli", "dependencies": None},
    }
    assert needed_members("apps/web", packages) == ("apps/web", "packages/config", "packages/ui")
    assert needed_members("packages/cli", packages) == ("packages/cli",)


@pytest.mark.parametrize(
    ("patterns", "members"),
    [
        pytest.param(["apps/*"], ("apps/docs", "apps/web"), id="star"),
        pytest.param(["./apps/web/", "packages/*"], ("apps/web", "packages/ui"), id="names"),
        pytest.param(["**"], ("apps/docs", "apps/web", "packages/deep/er", "packages/ui"), id="all-below"),
        pytest.param(["apps/*", "!apps/docs"], ("apps/web",), id="without"),
        pytest.param(["{apps,packages}/{web,ui}"], ("apps/web", "packages/ui"), id="braces"),
        pytest.param(["apps/w*", "none/*"], ("apps/web",), id="part-of-a-name"),
    ],
)
def test_members(tmp_path: Path, patterns: list[str], members: tuple[str, ...]) -> None:
    written(tmp_path, {name: {} for name in ("apps/web", "apps/docs", "packages/ui", "packages/deep/er")})
    written(tmp_path, {"apps/web/node_modules/x": {}, "packages/.cache/y": {}, ".": {"workspaces": patterns}})
    (tmp_path / "apps/empty").mkdir()
    found = find_workspace(str(tmp_path / "apps/web"), str(tmp_path))
    assert found is not None
    assert (found.root, found.members) == (str(tmp_path), members)


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        pytest.param("apps/web", "apps/web", id="at-the-limit"),
        pytest.param("apps/web", "apps", id="root-outside-of-the-limit"),
        pytest.param("tools", ".", id="no-member"),
        pytest.param(".", ".", id="the-root-itself"),
        pytest.param("apps/web", "apps/we", id="beside-the-limit"),
    ],
)
def test_no_workspace(tmp_path: Path, path: str, limit: str) -> None:
    written(tmp_path, {".": {"workspaces": ["apps/*"]}, "apps/web": {}, "tools": {}})
    assert find_workspace(str(tmp_path / path), str(tmp_path / limit)) is None


def test_a_workspace_in_a_directory_of_the_application(tmp_path: Path) -> None:
    written(tmp_path, {"frontend": {"workspaces": ["web"]}, "frontend/web": {"name": "web"}})
    found = find_workspace(str(tmp_path / "frontend/web"), str(tmp_path))
    assert found is not None
    assert (found.root, found.needed) == (str(tmp_path / "frontend"), ("web",))
