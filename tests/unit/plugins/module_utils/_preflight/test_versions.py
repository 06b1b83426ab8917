"""Ranges of versions as package.json and pyproject.toml write them."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.versions import (
    npm_allows,
    parse_version,
    pipfile_python,
    poetry_python,
    python_allows,
    requires_python,
)


@pytest.mark.parametrize(
    ("wanted", "version", "allowed"),
    [
        (">=20.9.0", (20, 9, 0), True),
        (">=20.9.0", (20, 8, 9), False),
        (">=20.9", (18, 20, 4), False),
        ("^18.18.0 || ^19.8.0 || >= 20.0.0", (18, 20, 4), True),
        ("^18.18.0 || ^19.8.0 || >= 20.0.0", (19, 7, 0), False),
        ("^18.18.0 || ^19.8.0 || >= 20.0.0", (24, 0, 0), True),
        ("20.x", (20, 19, 2), True),
        ("20", (20, 0, 0), True),
        ("20", (21, 0, 0), False),
        ("*", (1, 0, 0), True),
        ("", (1, 0, 0), True),
        (">=18 <21", (20, 0, 0), True),
        (">=18 <21", (21, 0, 0), False),
        (">18", (18, 20, 0), False),
        (">18", (19, 0, 0), True),
        ("<=18", (18, 20, 0), True),
        ("<=18", (19, 0, 0), False),
        ("~20.9", (20, 9, 5), True),
        ("~20.9", (20, 10, 0), False),
        ("18 - 20", (20, 19, 0), True),
        ("18 - 20", (21, 0, 0), False),
        ("^0.2.3", (0, 2, 9), True),
        ("^0.2.3", (0, 3, 0), False),
        ("=20.1.0", (20, 1, 1), False),
        ("lts/*", (20, 0, 0), None),
        ("lts/* || >=20", (20, 0, 0), True),
        ("20.0.0-rc.1", (20, 0, 0), True),
    ],
)
def test_a_range_of_npm(wanted: str, version: tuple[int, ...], allowed: bool | None) -> None:
    assert npm_allows(wanted, version) is allowed


@pytest.mark.parametrize(
    ("wanted", "version", "allowed"),
    [
        (">=3.11", (3, 11, 2), True),
        (">=3.11", (3, 10, 9), False),
        (">=3.10,<3.13", (3, 13, 0), False),
        (">= 3.10, < 3.13", (3, 12, 9), True),
        ("~=3.11", (3, 13, 1), True),
        ("~=3.11.2", (3, 12, 0), False),
        ("==3.12.*", (3, 12, 4), True),
        ("==3.12", (3, 12, 4), False),
        ("!=3.12.*", (3, 12, 4), False),
        ("!=3.12.1", (3, 12, 4), True),
        ("!=3.12.4", (3, 12, 4), False),
        ("!=3.12", (3, 12, 4), True),
        ("!=3.12", (3, 12, 0), False),
        ("!=3.12.*", (3, 13, 0), True),
        (">3.11", (3, 11, 1), True),
        ("<=3.11", (3, 11, 1), False),
        ("", (3, 11, 0), True),
        ("three", (3, 11, 0), None),
    ],
)
def test_a_range_of_python(wanted: str, version: tuple[int, ...], allowed: bool | None) -> None:
    assert python_allows(wanted, version) is allowed


@pytest.mark.parametrize(
    ("text", "version"),
    [("v20.19.2\n", (20, 19, 2)), ("Python 3.13.5\n", (3, 13, 5)), ("3.11", (3, 11, 0)), ("none", None), ("", None)],
)
def test_the_version_in_what_a_program_says(text: str, version: tuple[int, ...] | None) -> None:
    assert parse_version(text) == version


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('[project]\nname = "x"\nrequires-python = ">=3.11"\n', ">=3.11"),
        ("[tool.x]\nrequires-python = '>=3.9'\n\n[project]\nrequires-python = '>=3.11'\n", ">=3.11"),
        ('[project]\nname = "x"\n[tool.y]\nrequires-python = ">=3.9"\n', ""),
        ("", ""),
    ],
)
def test_the_range_of_a_pyproject(text: str, wanted: str) -> None:
    assert requires_python(text) == wanted


@pytest.mark.parametrize(
    ("wanted", "specifiers"),
    [
        ("^3.11", ">=3.11,<4"),
        ("^3.11.2", ">=3.11.2,<4"),
        ("~3.11", ">=3.11,<3.12"),
        ("~3.11.2", ">=3.11.2,<3.12"),
        ("~3", ">=3,<4"),
        (">=3.10,<3.13", ">=3.10,<3.13"),
        (">=3.10 <3.13", ">=3.10,<3.13"),
        ("~=3.11", "~=3.11"),
        ("3.12.*", "==3.12.*"),
        ("*", ""),
        ("~3.11 || ^3.13", ""),
    ],
)
def test_what_poetry_requires_of_python(wanted: str, specifiers: str) -> None:
    text = f'[tool.poetry]\nname = "x"\n\n[tool.poetry.dependencies]  # main\npython = "{wanted}"\nfastapi = "*"\n'
    assert poetry_python(text) == specifiers


def test_a_project_of_poetry_need_not_require_a_python() -> None:
    assert poetry_python('[tool.poetry.group.dev.dependencies]\npython = "^3.8"\n') == ""


@pytest.mark.parametrize(
    ("requires", "wanted"),
    [
        ('python_version = "3.12"', "==3.12.*"),
        ('python_version = "3.12"\npython_full_version = "3.12.4"', "==3.12.4"),
        ('python_version = "*"', ""),
        ("", ""),
    ],
)
def test_what_a_pipfile_requires_of_python(requires: str, wanted: str) -> None:
    assert pipfile_python(f'[packages]\nfastapi = "*"\n\n[requires]\n{requires}\n') == wanted
