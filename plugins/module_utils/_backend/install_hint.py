# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which value of ``staging_backend_install`` fits what a directory has, where another one was chosen."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from .uv_workspace import workspace_root

#: By the file that decides.
_LOCKS = (("uv.lock", "uv"), ("poetry.lock", "poetry"), ("Pipfile.lock", "pipenv"))
_PROJECTS = (("pyproject.toml", "project"), ("setup.py", "project"), ("package.json", "npm"))
#: Of tools without a value of their own, with what makes requirements of them.
_EXPORTS = (
    ("pdm.lock", "pdm export -o requirements.txt"),
    ("environment.yml", "pip list --format=freeze > requirements.txt"),
    ("environment.yaml", "pip list --format=freeze > requirements.txt"),
)
_MOST = 3


def install_hint(directory: str, install: str) -> str:
    """Say what to do where a directory has not what the chosen kind of installation needs.

    :param directory: That of the backend.
    :param install: The value that was chosen.
    """
    try:
        names = set(os.listdir(directory))
    except OSError:
        names = set()
    requirements = sorted(name for name in names if name.startswith("requirements") and name.endswith(".txt"))
    return (
        _of_files(_LOCKS, names, install)
        or _of_workspace(directory, names, install)
        or (_of_requirements(requirements, install) if requirements else "")
        or next((_export(name, command) for name, command in _EXPORTS if name in names), "")
        or _of_files(_PROJECTS, names, install)
        or "correct staging_backend_dir, or set staging_backend_install to what installs the backend"
    )


def lock_hint(directory: str, install: str) -> str:
    """Say which tool has locked the packages of a directory, if it is another than the chosen one; else empty."""
    return _of_files(_LOCKS, set(os.listdir(directory)), install)


def _of_workspace(directory: str, names: Collection[str], install: str) -> str:
    if install == "uv" or "pyproject.toml" not in names or workspace_root(directory) == directory:
        return ""
    return "it is a member of a workspace of uv: set staging_backend_install: uv"


def _of_files(files: Sequence[tuple[str, str]], names: Collection[str], install: str) -> str:
    fitting = ((name, value) for name, value in files if name in names and value != install)
    return next((f"it has {name}: set staging_backend_install: {value}" for name, value in fitting), "")


def _of_requirements(files: Sequence[str], install: str) -> str:
    named = ", ".join(files[:_MOST])
    if install == "requirements":
        return f"it has {named}: write the right one into staging_backend_requirements"
    also = "" if "requirements.txt" in files else ", and name the file in staging_backend_requirements"
    return f"it has {named}: set staging_backend_install: requirements{also}"


def _export(name: str, command: str) -> str:
    return f"it has {name}: commit requirements.txt ({command}), and set staging_backend_install: requirements"
