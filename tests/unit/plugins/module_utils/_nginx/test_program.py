"""The installed nginx, replaced by a script that answers like it; tests/integration has a real one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import program
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.program import Nginx, expand, find, read_text

SCRIPT = """#!/bin/sh
case "$*" in
-V) echo "nginx version: nginx/1.26.3 (Debian)
configure arguments: --prefix=/usr/share/nginx --conf-path={root}/nginx.conf --pid-path=run/nginx.pid" >&2 ;;
*-T) echo "# configuration file {root}/nginx.conf:"; echo "asked: $*" >&2 ;;
*-t) : > {root}/pid; echo "nginx: [emerg] refused: $*" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    script = tmp_path / "nginx"
    script.write_text(SCRIPT.format(root=tmp_path))
    script.chmod(0o755)
    (tmp_path / "nginx.conf").write_text("pid pid;\nhttp { include gone; error_log /inner; }\n")
    return tmp_path


def nginx(root: Path, config: str | None = None, prefix: str | None = None) -> Nginx:
    return Nginx(str(root / "nginx"), config, prefix)


def test_version_and_paths_are_those_that_nginx_was_built_with(root: Path) -> None:
    found = nginx(root)
    assert (found.version, found.config, found.prefix) == ("1.26.3", f"{root}/nginx.conf", "/usr/share/nginx")
    assert found.conf_dir == str(root)


def test_paths_of_the_main_context_start_at_the_prefix(root: Path) -> None:
    found = nginx(root, prefix="/opt/n")
    assert found.pid_file == "/opt/n/pid"
    assert found.error_log == "/var/log/nginx/error.log"


def test_without_a_pid_directive_the_built_in_path_counts(root: Path) -> None:
    (root / "nginx.conf").write_text("http {}\n")
    assert nginx(root, prefix="/opt/n").pid_file == "/opt/n/run/nginx.pid"


def test_main_file_and_prefix_are_passed_on(root: Path) -> None:
    dump, said = nginx(root, config=f"{root}/nginx.conf", prefix=f"{root}").dump()
    assert dump == f"# configuration file {root}/nginx.conf:\n"
    assert said == f"asked: -c {root}/nginx.conf -p {root} -T\n"


def test_a_refused_configuration_is_reported_and_its_empty_pid_file_removed(root: Path) -> None:
    found = nginx(root, prefix=str(root))
    assert found.test("/other.conf") == (False, f"nginx: [emerg] refused: -c /other.conf -p {root} -t\n")
    assert not (root / "pid").exists()


def test_a_pid_file_that_was_there_before_stays(root: Path) -> None:
    (root / "pid").write_text("")
    nginx(root, prefix=str(root)).test()
    assert (root / "pid").exists()


def test_a_test_without_an_end_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program, "_DEADLINE_S", 0.2)
    (root / "nginx").write_text("#!/bin/sh\nexec sleep 60\n")
    found = nginx(root, config=str(root / "nginx.conf"))
    assert (found.version, found.test()) == ("", (False, "nginx: no answer within 0.2 s\n"))


def test_a_missing_program_has_no_version(tmp_path: Path) -> None:
    found = Nginx(str(tmp_path / "none"), None, None)
    assert (found.executable, found.version, found.config) == (None, "", "/etc/nginx/nginx.conf")


def test_the_program_is_found_without_the_directories_of_root_in_the_search_path(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "_SYSTEM_DIRECTORIES", str(root))
    monkeypatch.setenv("PATH", "/no/such/place")
    assert find("nginx") == str(root / "nginx")


def test_bytes_that_are_not_utf_8_survive(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"# \xe4\n")
    assert read_text(str(tmp_path / "a")).encode("utf-8", "surrogateescape") == b"# \xe4\n"


def test_a_link_to_the_null_device_is_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "masked").symlink_to(os.devnull)
    assert read_text(str(tmp_path / "masked")) == ""


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match="is not a regular file"):
        read_text(str(tmp_path / "fifo"))


def test_a_glob_is_in_the_order_of_bytes_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b", "B", "\u00e4", ".hidden"):
        (tmp_path / name).write_text("")
    assert expand(f"{tmp_path}/*") == [f"{tmp_path}/{name}" for name in ("B", "b", "\u00e4")]
