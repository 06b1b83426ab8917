"""The lines of a checkout's info/exclude, as git reads them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.checkout import (
    exclude_own_files,
    with_block,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.manifest import Layout

BLOCK = (
    "# BEGIN codeframe.staging: links to shared data, env files, virtual environments\n"
    "/logs\n/.env.staging\n.venv\n"
    "# END codeframe.staging\n"
)
LAYOUT = Layout(shared_paths=["logs"], env_files=[".env.staging"])


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param("", BLOCK, id="nothing"),
        pytest.param("mine", f"mine\n{BLOCK}", id="a line without an end"),
        pytest.param(f"mine\n{BLOCK}other\n", f"mine\n{BLOCK}other\n", id="the block itself"),
        pytest.param(
            BLOCK.replace("/logs", "/old"),
            BLOCK.replace("/logs\n/.env.staging\n.venv", "/old\n/.env.staging\n.venv\n/logs"),
            id="an earlier layout",
        ),
    ],
)
def test_the_block_is_added_once_and_other_lines_stay(found: str, expected: str) -> None:
    assert with_block(found, LAYOUT) == expected
    assert with_block(expected, LAYOUT) == expected


@pytest.mark.parametrize("name", ["logs", "a b", "[x]", "x*", "#x", "!x", "what?", "x "])
def test_a_path_is_excluded_and_no_other(tmp_path: Path, name: str) -> None:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    for each in (name, "xy", "a"):
        (tmp_path / each).symlink_to("/nowhere")
    exclude_own_files(str(tmp_path), Layout(shared_paths=[name]))
    status = subprocess.run(
        ["git", "-C", str(tmp_path), "status", "--porcelain", "-z"], check=True, capture_output=True, text=True
    )
    assert status.stdout == "?? a\0?? xy\0"


def test_a_directory_that_is_no_checkout_stays_as_it_is(tmp_path: Path) -> None:
    exclude_own_files(str(tmp_path), LAYOUT)
    assert list(tmp_path.iterdir()) == []
