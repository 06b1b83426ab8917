"""The reasons of pip, uv, Poetry and Pipenv, in output that they really printed."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.install_reason import reason_of

INDEX = "check that the host may connect to the package index"
LOCK = "lock the packages again (poetry lock, pipenv lock, uv lock), and commit the lock file"
PYTHON = "name a Python of such a version in staging_backend_python"
COMPILER = "there is no wheel of it for this Python and machine, so it is compiled"
ACCESS = "give a user name and a token that is still valid in staging_backend_install_env"
LAYOUT = "name the packages of the project in pyproject.toml"
SPACE = "free space in the file system of staging_project_dir"
HASH = "the index has another file than the one that was locked"

PIP_BUILD = """Building wheels for collected packages: cext
  Building wheel for cext (pyproject.toml): finished with status 'error'
  error: subprocess-exited-with-error

  \u00d7 Building wheel for cext (pyproject.toml) did not run successfully.
  \u2502 exit code: 1
  \u2570\u2500> [10 lines of output]
      running build_ext
      {line}
      [end of output]

  note: This error originates from a subprocess, and is likely not a problem with pip.
  ERROR: Failed building wheel for cext
Failed to build cext
ERROR: Could not build wheels for cext, which is required to install pyproject.toml-based projects
"""


@pytest.mark.parametrize(
    ("output", "text", "remedy"),
    [
        pytest.param(
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated the package "
            "versions, please update the hashes. Otherwise, examine the package contents carefully; someone may have "
            "tampered with them.\n    idna==3.7 from https://files.example.com/idna-3.7-py3-none-any.whl (from -r r.txt"
            " (line 1)):\n        Expected sha256 0000\n             Got        82fe\n",
            "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE (idna==3.7)",
            HASH,
            id="pip-hash",
        ),
        pytest.param(
            "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection "
            "broken by 'ProxyError('Cannot connect to proxy.', NewConnectionError('<pip._vendor.urllib3.connection."
            "HTTPSConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused'))':"
            " /simple/idna/\nERROR: Could not find a version that satisfies the requirement idna==3.6 (from versions: "
            "none)\nERROR: No matching distribution found for idna==3.6\n",
            "Failed to establish a new connection: [Errno 111] Connection refused",
            INDEX,
            id="pip-network",
        ),
        pytest.param(
            "WARNING: Retrying after connection broken by 'NewConnectionError(': Failed to establish a new connection: "
            "[Errno -3] Temporary failure in name resolution')': /simple/x/\nERROR: No matching distribution found\n",
            "Failed to establish a new connection: [Errno -3] Temporary failure in name resolution",
            INDEX,
            id="pip-name",
        ),
        pytest.param(
            "Could not fetch URL http://index.test/simple/idna/: 401 Client Error: Unauthorized for url: "
            "http://index.test/simple/idna/ - skipping\nERROR: Could not find a version that satisfies the requirement "
            "idna==3.6 (from versions: none)\nERROR: No matching distribution found for idna==3.6\n",
            "401 Client Error: Unauthorized for url: http://index.test/simple/idna/",
            ACCESS,
            id="pip-access",
        ),
        pytest.param(
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "[Errno 28] No space left on device",
            SPACE,
            id="pip-space",
        ),
        pytest.param(
            'Traceback (most recent call last):\n  File "x.py", line 1\nshutil.Error: [(\'a\', \'b\', "[Errno 28] No '
            "space left on device: 'a' -> 'b'\")]\n",
            "[Errno 28] No space left on device",
            SPACE,
            id="pip-space-in-a-traceback",
        ),
        pytest.param(
            "ERROR: Ignored the following versions that require a different python version: 2.4.0 Requires-Python "
            ">=3.11\nERROR: Could not find a version that satisfies the requirement numpy==2.4.0 (from versions: 1.0)\n"
            "ERROR: No matching distribution found for numpy==2.4.0\n",
            "Ignored the following versions that require a different python version: 2.4.0 Requires-Python >=3.11",
            PYTHON,
            id="pip-python",
        ),
        pytest.param(
            "ERROR: Package 'demo-app' requires a different Python: 3.9.2 not in '>=3.11'\n",
            "Package 'demo-app' requires a different Python: 3.9.2 not in '>=3.11'",
            PYTHON,
            id="pip-python-of-the-project",
        ),
        pytest.param(
            PIP_BUILD.format(line="cext.c:1:10: fatal error: Python.h: No such file or directory"),
            "fatal error: Python.h: No such file or directory (cext)",
            COMPILER,
            id="pip-header",
        ),
        pytest.param(
            PIP_BUILD.format(line="error: [Errno 2] No such file or directory: 'gcc'"),
            "error: [Errno 2] No such file or directory: 'gcc' (cext)",
            COMPILER,
            id="pip-no-compiler",
        ),
        pytest.param(
            PIP_BUILD.format(line="error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory"),
            "error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory (cext)",
            COMPILER,
            id="pip-no-compiler-of-debian",
        ),
        pytest.param(
            PIP_BUILD.format(line="Error: pg_config executable not found."),
            "Error: pg_config executable not found. (cext)",
            COMPILER,
            id="pip-no-pg-config",
        ),
        pytest.param(
            "ERROR: Could not find a version that satisfies the requirement nosuch (from versions: none)\n"
            "ERROR: No matching distribution found for nosuch\n",
            "No matching distribution found for nosuch",
            "",
            id="pip-no-such-package",
        ),
        pytest.param(
            "  \u00d7 No solution found when resolving dependencies:\n  \u2570\u2500\u25b6 Because no-such was not "
            "found "
            "in the package registry and\n      your project depends on no-such, we can conclude that your\n      "
            "project's requirements are unsatisfiable.\n",
            "No solution found when resolving dependencies: Because no-such was not found in the package registry and "
            "your project depends on no-such, we can conclude that your project's requirements are unsatisfiable.",
            "",
            id="uv-no-such-package",
        ),
        pytest.param(
            "  \u00d7 No solution found when resolving dependencies:\n  \u2570\u2500\u25b6 Because idna was not "
            "found in "
            "the package registry\n\n      hint: An index URL (http://127.0.0.1:18999/simple) could not be queried\n"
            "      due to a lack of valid authentication credentials (401 Unauthorized).\n",
            "An index URL (http://127.0.0.1:18999/simple) could not be queried due to a lack of valid authentication "
            "credentials (401 Unauthorized)",
            ACCESS,
            id="uv-access",
        ),
        pytest.param(
            "error: Failed to fetch: `https://pypi.org/simple/idna/`\n  Caused by: error sending request for url "
            "(https://pypi.org/simple/idna/)\n  Caused by: client error (Connect)\n  Caused by: tcp connect error\n"
            "  Caused by: Connection refused (os error 111)\n",
            "Failed to fetch: `https://pypi.org/simple/idna/` (Connection refused (os error 111))",
            INDEX,
            id="uv-network",
        ),
        pytest.param(
            "error: The requested interpreter resolved to Python 3.11.2, which is incompatible with the project's "
            "Python "
            "requirement: `>=3.15` (from `project.requires-python`)\n",
            "The requested interpreter resolved to Python 3.11.2, which is incompatible with the project's Python "
            "requirement: `>=3.15`",
            PYTHON,
            id="uv-python",
        ),
        pytest.param(
            "Resolved 2 packages in 227ms\nThe lockfile at `uv.lock` needs to be updated, but `--locked` was "
            "provided. To"
            " update the lockfile, run `uv lock`.\n",
            "The lockfile at `uv.lock` needs to be updated, but `--locked` was provided",
            LOCK,
            id="uv-outdated-lock",
        ),
        pytest.param(
            "  \u00d7 Failed to download `idna==3.7`\n  \u2570\u2500\u25b6 Hash mismatch for `idna==3.7`\n\n      "
            "Expected:\n        sha256:0000\n\n      Computed:\n        sha256:82fe\n",
            "Hash mismatch for `idna==3.7`",
            HASH,
            id="uv-hash",
        ),
        pytest.param(
            "error: Failed to install: idna-3.7-py3-none-any.whl (idna==3.7)\n  Caused by: failed to copy file from "
            "a to "
            "b: No space left on device (os error 28)\n",
            "No space left on device (os error 28)",
            SPACE,
            id="uv-space",
        ),
        pytest.param(
            "  \u00d7 Failed to build `cext @ file:///tmp/cext`\n  \u251c\u2500\u25b6 The build backend returned an "
            "error\n  \u2570\u2500\u25b6 Call to `setuptools.build_meta.build_wheel` failed (exit\n      status: 1)\n\n"
            "      [stderr]\n      cext.c:1:10: fatal error: nosuch.h: No such file or directory\n",
            "fatal error: nosuch.h: No such file or directory (cext)",
            COMPILER,
            id="uv-header",
        ),
        pytest.param(
            "Installing dependencies from lock file\n\npyproject.toml changed significantly since poetry.lock was last "
            "generated. Run `poetry lock` to fix the lock file.\n",
            "pyproject.toml changed significantly since poetry.lock was last generated",
            LOCK,
            id="poetry-outdated-lock",
        ),
        pytest.param(
            "  - Installing idna (3.7)\n\n    | Downloaded distributions for idna (3.7) did not match any known "
            "checksums"
            " in your lock file.\n    | \n    | Causes:\n    |   - invalid or corrupt cache\n",
            "Downloaded distributions for idna (3.7) did not match any known checksums in your lock file",
            HASH,
            id="poetry-hash",
        ),
        pytest.param(
            "  - Installing idna (3.7)\n\n    | All attempts to connect to pypi.org failed.\n    | \n    | Probable "
            "Causes:\n    |     - the server is not responding\n",
            "All attempts to connect to pypi.org failed.",
            INDEX,
            id="poetry-network",
        ),
        pytest.param(
            "Current Python version (3.11.7) is not allowed by the project (>=3.13,<4).\nPlease change python "
            "executable "
            'via the "env use" command.\n',
            "Current Python version (3.11.7) is not allowed by the project (>=3.13,<4)",
            PYTHON,
            id="poetry-python",
        ),
        pytest.param(
            "\n  ValueError\n\n  the file is odd\n\n  at ~/x.py:12 in main\n      11| x\n", "the file is odd", "",
            id="poetry-exception",
        ),
        pytest.param(
            "Your Pipfile.lock (10458c) is out of date. Expected: (8a00fd).\nUsage: pipenv install [OPTIONS] "
            "[PACKAGES]...\n\nERROR:: Aborting deploy\n",
            "Your Pipfile.lock (10458c) is out of date",
            LOCK,
            id="pipenv-outdated-lock",
        ),
        pytest.param(
            'Traceback (most recent call last):\n  File "setup.py", line 1\nModuleNotFoundError: No module named '
            "'setuptools'\n  note: more\n",
            "ModuleNotFoundError: No module named 'setuptools'",
            "",
            id="traceback",
        ),
        pytest.param(
            PIP_BUILD.format(line="error: Multiple top-level packages discovered in a flat-layout: ['b', 'a']."),
            "Multiple top-level packages discovered in a flat-layout: ['b', 'a']",
            LAYOUT,
            id="setuptools-flat-layout",
        ),
        pytest.param(
            "      ValueError: Unable to determine which files to ship inside the wheel using the following "
            "heuristics:\n\n"
            "      The most likely cause of this is that there is no directory that matches\n      the name of "
            "your project "
            "(demo).\n      [end of output]\n\n\u00d7 Encountered error while generating package metadata.\n",
            "there is no directory that matches the name of your project (demo)",
            LAYOUT,
            id="hatch-flat-layout",
        ),
        pytest.param(
            PIP_BUILD.format(line="ModuleNotFoundError: No module named 'Cython'"),
            "ModuleNotFoundError: No module named 'Cython'",
            "",
            id="build-of-a-package",
        ),
        pytest.param("", "nothing was printed", "", id="nothing"),
        pytest.param("odd\n", "odd", "", id="unknown"),
    ],
)  # fmt: skip
def test_the_program_is_quoted_and_the_remedy_named(output: str, text: str, remedy: str) -> None:
    reason = reason_of(output)
    assert reason.text == text
    assert reason.remedy.startswith(remedy)
    assert bool(reason.remedy) is bool(remedy)


@pytest.mark.parametrize("code", [-9, 137])
def test_a_killed_installation_names_the_memory(code: int) -> None:
    assert str(reason_of("Collecting torch\n", code)) == (
        "it was killed, probably because memory ran out; add memory or swap to the host"
    )
