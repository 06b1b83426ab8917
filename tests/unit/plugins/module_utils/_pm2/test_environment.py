"""The environment of a process."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.environment import (
    base_env,
    env_texts,
    read_env_file,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error

STANDARD = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@pytest.mark.parametrize(
    ("node_dir", "path"),
    [
        ("", STANDARD),
        ("/opt/node/bin", f"/opt/node/bin:{STANDARD}"),
        ("/usr/bin", "/usr/bin:" + STANDARD.replace("/usr/bin:", "")),
    ],
)
def test_nothing_of_the_shell_is_part_of_it(monkeypatch: pytest.MonkeyPatch, node_dir: str, path: str) -> None:
    for name in ("HOME", "USER", "LANG", "STRAY"):
        monkeypatch.setenv(name, "of the shell")
    account = pwd.getpwuid(os.getuid())
    assert base_env(node_dir) == {
        "PATH": path,
        "HOME": account.pw_dir,
        "USER": account.pw_name,
        "LOGNAME": account.pw_name,
        "LANG": "C.UTF-8",
    }


def test_the_variables_of_an_env_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\n# comment\nB='x y'\n")
    assert read_env_file(str(file), check=False) == {"A": "1", "B": "x y"}
    assert read_env_file(None, check=False) == {}


@pytest.mark.parametrize("name", ["none.env", "file/none.env"])
def test_a_missing_env_file_is_an_error_but_not_in_check_mode(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    path = str(tmp_path / name)
    assert read_env_file(path, check=True) == {}
    with pytest.raises(Pm2Error, match=f"the env file {path} does not exist"):
        read_env_file(path, check=False)


def test_an_env_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"A=\xff\n")
    with pytest.raises(Pm2Error, match="cannot be read"):
        read_env_file(str(file), check=True)
    with pytest.raises(Pm2Error, match="cannot be read: is not a regular file"):
        read_env_file(str(tmp_path), check=True)


def test_values_become_texts() -> None:
    assert env_texts({"A": 1, "B": True, "C": None, 5: "x"}) == {"A": "1", "B": "true", "C": "", "5": "x"}
    assert env_texts(None) == {}
