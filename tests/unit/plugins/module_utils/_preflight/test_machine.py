"""Whether the host can build and run the application."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.machine import (
    judge_memory,
    judge_node,
    judge_python,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

GIB = 1024**3


def test_too_little_memory_is_a_warning(good: DeploymentInputs) -> None:
    assert judge_memory(good, GIB, GIB) == []
    (found,) = judge_memory(good, 300 * 1024**2, GIB)
    assert (found.name, found.level) == ("memory", "warning")
    assert found.sentence == (
        "staging_min_memory_bytes is 1073741824 by default, but the host has 300 MiB of memory left, swap included; "
        "expected 1.0 GiB for the build, which the kernel may kill otherwise; add swap, stop another program, or lower "
        "this value"
    )


def test_a_missing_node_is_an_error_where_it_must_be_there(good: DeploymentInputs) -> None:
    assert judge_node(good, None, {}, required=False) == []
    (found,) = judge_node(good, None, {}, required=True)
    assert (found.name, found.level) == ("node-missing", "error")
    assert found.sentence == (
        "staging_node_version is not set, but the host has no Node.js; expected Node.js for the build of the frontend; "
        "deploy with the role runtime, which installs it"
    )


@pytest.mark.parametrize("required", [True, False])
def test_a_node_outside_of_a_range_is_an_error(good: DeploymentInputs, required: bool) -> None:
    wanted = {"package.json": ">=18", "Next.js 16.0.1": ">=20.9.0", "other": "lts/*"}
    (found,) = judge_node(good, (18, 20, 4), wanted, required=required)
    assert (found.name, found.level) == ("node-version", "error")
    assert found.sentence == (
        "staging_node_version is not set, but the host has Node.js 18.20.4; expected >=20.9.0, as Next.js 16.0.1 needs "
        "it; set staging_node_version to such a version, or deploy another version of the application"
    )
    assert judge_node(good, (20, 9, 0), wanted, required=required) == []


def test_a_python_outside_of_a_range_is_an_error(good: DeploymentInputs) -> None:
    assert judge_python(good, None, {"pyproject.toml": ">=3.12"}, {}) == []
    assert judge_python(good, (3, 12, 0), {"pyproject.toml": ">=3.12"}, {}) == []
    (found,) = judge_python(good, (3, 11, 2), {"pyproject.toml": ">=3.12"}, {})
    assert (found.name, found.level) == ("python-version", "error")
    assert found.sentence == (
        'staging_backend_install is "requirements" by default, but the host has Python 3.11.2; expected >=3.12, as '
        "pyproject.toml needs it; set staging_backend_python to such a Python, which has to be installed on the host"
    )


def test_another_python_than_that_of_a_version_file_is_a_warning(good: DeploymentInputs) -> None:
    assert judge_python(good, (3, 12, 9), {}, {".python-version": "==3.12.*"}) == []
    (found,) = judge_python(good, (3, 13, 5), {}, {".python-version": "==3.12.*"})
    assert (found.name, found.level) == ("python-pinned", "warning")
    assert found.sentence == (
        'staging_backend_install is "requirements" by default, but the host has Python 3.13.5; expected ==3.12.*, as '
        ".python-version names it; set staging_backend_python to such a Python, which has to be installed on the host, "
        "or test the application with that of the host"
    )
