"""What the built artifact of the collection holds is decided by the list below, not by what is in the directory."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from working_tree import working_tree

ROOT = Path(__file__).resolve().parents[2]
#: Patterns of all files of the artifact, in the notation of regular expressions.
CONTENT = (
    r"(CHANGELOG|CODE_OF_CONDUCT|CONTRIBUTING|README|SECURITY)\.md",
    r"(FILES|MANIFEST)\.json",
    r"LICENSE|ansible\.cfg|bindep\.txt|requirements\.txt",
    r"[a-z]+-(staging|websocket)\.yml",
    r"changelogs/(changelog|config)\.yaml",
    r"docs/[\w./-]+\.(md|json)",
    r"examples/[\w./\[\]-]+",
    r"inventories/[\w/-]+\.yml",
    r"meta/[\w-]+\.yml",
    r"playbooks/[\w/]+\.(yml|j2)",
    r"plugins/[\w./]+\.(py|j2)",
    r"roles/\w+/[\w/.-]+\.(md|yml|j2|sh)",
)
#: Without which the artifact is of no use.
NEEDED = (
    "README.md",
    "LICENSE",
    "meta/runtime.yml",
    "meta/execution-environment.yml",
    "requirements.txt",
    "bindep.txt",
    "playbooks/deploy_staging.yml",
    "changelogs/config.yaml",
)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The files in an artifact that is built from the files of git."""
    source, built = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("built")
    subprocess.run(["tar", "--extract"], cwd=source, input=working_tree(), check=True)
    subprocess.run(
        [sys.executable, "-m", "ansible", "galaxy", "collection", "build", "--output-path", str(built), str(source)],
        capture_output=True,
        check=True,
    )
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as tar:
        return [member.name for member in tar if not member.isdir()]


@pytest.mark.source
def test_the_artifact_holds_what_is_listed_and_nothing_else(artifact: list[str]) -> None:
    listed = re.compile("|".join(f"(?:{pattern})" for pattern in CONTENT))
    assert [name for name in artifact if not listed.fullmatch(name)] == []


@pytest.mark.source
def test_the_artifact_holds_what_a_user_needs(artifact: list[str]) -> None:
    plugins = {str(path.relative_to(ROOT)) for path in (ROOT / "plugins/modules").glob("*.py")}
    roles = {str(path.relative_to(ROOT)) for path in ROOT.glob("roles/*/meta/argument_specs.yml")}
    assert {*NEEDED, *plugins, *roles} - set(artifact) == set()
