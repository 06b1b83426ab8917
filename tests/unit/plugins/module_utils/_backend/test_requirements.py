# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What requirements files and pyproject.toml install."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.requirements import (
    installs_local_source,
    is_package,
    refuse_editable,
    requirement_files,
    uses_local_paths,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError


def test_included_requirements_are_found(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "-r more/base.txt\n--constraint=limits.txt\n-r https://example.com/x.txt\n"
    )
    (tmp_path / "more/base.txt").write_text("-c other.txt\nidna==3.10\n")
    (tmp_path / "more/other.txt").write_text("-r ../requirements.txt\n")
    (tmp_path / "limits.txt").write_text("")
    files = requirement_files(str(tmp_path), "requirements.txt")
    assert sorted(files) == ["limits.txt", "more/base.txt", "more/other.txt", "requirements.txt"]


@pytest.mark.parametrize(
    ("line", "local"),
    [
        (".", True),
        ("./lib", True),
        (".[extra]", True),
        ("../lib", True),
        ("file:///srv/lib", True),
        ("lib @ file:///srv/lib", True),
        ("idna==3.10", False),
        ("lib @ https://example.com/lib.zip", False),
        ("# ./comment", False),
        ("--find-links ./wheels", False),
    ],
)
def test_local_packages_are_distinguished_from_others(line, local):
    assert installs_local_source({"requirements.txt": f"{line}\n".encode()}) is local


@pytest.mark.parametrize("line", ["-e .", "--editable=./lib", "-e git+https://example.com/x#egg=x"])
def test_an_editable_installation_is_refused(tmp_path, line):
    (tmp_path / "r.txt").write_text(f"idna\n{line}\n")
    with pytest.raises(ReleaseError, match=r"r\.txt line 2 installs .* editable"):
        requirement_files(str(tmp_path), "r.txt")


@pytest.mark.parametrize(
    ("pyproject", "package"),
    [
        ("[project]\nname = 'x'\n", False),
        ("[build-system]\nrequires = []\n", True),
        ("[ build-system ] # comment\n", True),
        ("[build-system]\n[tool.uv]\npackage = false\n", False),
        ("[tool.uv]\npackage = true\n", True),
        ("[tool.other]\npackage = true\n", False),
    ],
)
def test_whether_uv_installs_the_project_itself(pyproject, package):
    assert is_package(pyproject) is package


@pytest.mark.parametrize(
    ("pyproject", "package"),
    [
        ("[project]\nname = 'x'\n", False),
        ("[build-system]\n", True),
        ("[tool.poetry]\npackage-mode = false\n[build-system]\n", False),
    ],
)
def test_whether_poetry_installs_the_project_itself(pyproject, package):
    assert is_package(pyproject, section="tool.poetry", key="package-mode") is package


@pytest.mark.parametrize(
    ("text", "local"),
    [
        ('idna = "*"\n', False),
        ('shared = {path = "../shared"}\n', True),
        ('[tool.poetry.dependencies.shared]\npath = "../shared"\n', True),
        ('[tool.coverage]\npath = "x"\n', False),
        ('# shared = {path = "../shared"}\n', False),
    ],
)
def test_packages_by_their_directory_are_found_in_other_files(text, local):
    assert uses_local_paths(text) is local


def test_a_comment_about_an_editable_package_is_none():
    refuse_editable('# app = {path = ".", editable = true}\nidna = "*"\n', "Pipfile")
