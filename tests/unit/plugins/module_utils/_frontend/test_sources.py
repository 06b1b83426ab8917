# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files are sources of a build."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.sources import BackendFiles, source_digests

FILES = ("app/page.tsx", "package.json", "main.py", "api/main.py", "api/data.json", "requirements.txt", "web/build.py")


@pytest.mark.parametrize(
    ("backend", "frontend", "base", "backends"),
    [
        pytest.param("api", ".", ".", {"api/main.py", "api/data.json"}, id="backend-in-the-frontend"),
        pytest.param(
            ".", ".", ".", {"main.py", "api/main.py", "requirements.txt", "web/build.py"}, id="same-directory"
        ),
        pytest.param(None, ".", ".", set(), id="no-backend"),
        pytest.param(".", "web", ".", {"main.py", "api/main.py", "requirements.txt"}, id="workspace-in-the-backend"),
        pytest.param("api", "web", ".", {"api/main.py", "api/data.json"}, id="backend-in-the-workspace"),
        pytest.param(".", "web", "web", set(), id="frontend-in-the-backend"),
        pytest.param("api", "web", "web", set(), id="side-by-side"),
        pytest.param("ap", ".", ".", set(), id="beginning-of-a-name"),
    ],
)
def test_files_of_the_backend_are_no_sources(
    tmp_path: Path, backend: str | None, frontend: str, base: str, backends: set[str]
) -> None:
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    top = tmp_path if base == "." else tmp_path / base
    place = tmp_path if frontend == "." else tmp_path / frontend
    found = BackendFiles.between(str(tmp_path), backend, str(place), str(top))
    sources = set(source_digests(str(top), found.directories, None, found.has))
    expected = {name for name in FILES if base == "." or name.startswith(f"{base}/")} - backends
    assert sources == {name if base == "." else name[len(base) + 1 :] for name in expected}
