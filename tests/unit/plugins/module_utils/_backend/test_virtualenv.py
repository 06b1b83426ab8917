"""What decides about a virtual environment, and which one is chosen."""

from __future__ import annotations

import json

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.virtualenv import (
    Condition,
    Ingredients,
    Python,
    examine,
    installs_local_source,
    is_package,
    plan,
    requirement_files,
)
from ansible_collections.codeframe.staging.plugins.module_utils._release.manifest import ReleaseError

PYTHON = Python("3.13.5", "cpython", "x86_64")
WHOLE, FREE = Condition(exists=True), Condition(exists=False)
BROKEN = Condition(exists=True, damage=("its interpreter is missing or does not run",))
HALF = Condition(exists=True, interrupted=True, damage=("its installation was interrupted",))


@pytest.mark.parametrize(
    ("conditions", "linked", "expected"),
    [
        pytest.param([("d", WHOLE)], "d", ("d", False, False, ()), id="linked-and-whole"),
        pytest.param([("d", WHOLE)], None, ("d", False, False, ("environment d is there already",)), id="only-link"),
        pytest.param([("d", FREE)], None, ("d", True, False, ("there is no environment d yet",)), id="none"),
        pytest.param(
            [("d", HALF), ("d-2", FREE)],
            None,
            ("d", True, True, ("environment d: its installation was interrupted",)),
            id="interrupted-is-made-again-in-place",
        ),
        pytest.param(
            [("d", BROKEN), ("d-2", FREE)],
            "d",
            ("d-2", True, False, ("environment d: its interpreter is missing or does not run",)),
            id="damaged-stays-for-what-runs-from-it",
        ),
        pytest.param(
            [("d", BROKEN), ("d-2", WHOLE)],
            "d",
            ("d-2", False, False, ("environment d-2 is there already",)),
            id="a-whole-one-beside-a-damaged-one",
        ),
    ],
)
def test_the_environment_that_is_chosen(conditions, linked, expected):
    chosen = plan("d", conditions, (), linked)
    assert (chosen.name, chosen.build, chosen.clear, chosen.reasons) == expected


def test_what_moved_is_said_in_words():
    parts = {"interpreter": "cpython 3.13.5", "uv": "0.13.9"}
    ingredients = Ingredients(parts)
    assert ingredients.moved_since({"interpreter": "cpython 3.13.4", "source": "x"}) == (
        "interpreter changed",
        "source changed",
        "uv changed",
    )
    assert ingredients.moved_since(parts) == ()
    assert Ingredients({**parts, "uv": "0.13.8"}).digest != ingredients.digest
    assert Ingredients(dict(reversed(parts.items()))).digest == ingredients.digest


def test_included_requirements_count(tmp_path):
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
def test_local_packages_are_told_from_others(line, local):
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


def test_an_environment_with_another_python_is_damaged(tmp_path):
    (tmp_path / ".complete.json").write_text(json.dumps({"distributions": []}))
    older = Python("3.12.1", "cpython", "x86_64")
    assert examine(str(tmp_path), PYTHON, older).damage == (
        "its interpreter is cpython 3.12.1 x86_64, wanted is cpython 3.13.5 x86_64",
    )
    assert examine(str(tmp_path), PYTHON, PYTHON).whole
    (tmp_path / ".complete.json").write_text("{")
    assert examine(str(tmp_path), PYTHON, PYTHON).damage == ("the record of its completion is missing",)
