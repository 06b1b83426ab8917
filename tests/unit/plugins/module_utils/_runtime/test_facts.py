"""What a host has of the runtime, with programs and files of the test's own."""

from __future__ import annotations

import grp
import hashlib
import json
import os
import pwd
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._runtime import facts

OWN = pwd.getpwuid(os.getuid())


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs that the test writes are the first on the path."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


def write(directory: Path, name: str, text: str) -> None:
    (directory / name).write_text(f"#!/bin/sh\n{text}\n")
    (directory / name).chmod(0o755)


@pytest.mark.usefixtures("program")
def test_packages_that_are_not_installed_are_missing(tmp_path: Path) -> None:
    listed = "nginx installed\\nold config-files\\n"
    write(tmp_path, "dpkg-query", f'printf "{listed}"; echo "no packages found matching unknown" >&2; exit 1')
    assert facts.missing_packages(["unknown", "nginx", "old"]) == ["unknown", "old"]
    assert facts.missing_packages([]) == []


def test_without_dpkg_rpm_knows_the_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "rpm", 'printf "package unknown is not installed\\nnginx installed\\n"; exit 1')
    monkeypatch.setattr(facts, "find_program", lambda name: str(tmp_path / name) if name == "rpm" else None)
    assert facts.missing_packages(["unknown", "nginx"]) == ["unknown"]


def test_without_dpkg_and_rpm_all_packages_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "find_program", lambda _name: None)
    assert facts.missing_packages(["nginx"]) == ["nginx"]
    assert facts.node_version() is None
    assert not facts.unit_is("is-enabled", "pm2-deploy.service")


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(("text", "version"), [("echo v20.19.2", "20.19.2"), ("exit 1", None), ("echo", None)])
def test_the_version_of_node(tmp_path: Path, text: str, version: str | None) -> None:
    write(tmp_path, "node", text)
    assert facts.node_version() == version


@pytest.mark.parametrize(
    ("text", "version"), [('{"version": "7.0.4"}', "7.0.4"), ("{}", None), ("[]", None), ("{", None), (None, None)]
)
def test_the_version_of_a_global_npm_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, version: str | None
) -> None:
    monkeypatch.setattr(facts, "NPM_PREFIX", str(tmp_path))
    directory = tmp_path / "lib/node_modules/pm2"
    directory.mkdir(parents=True)
    if text is not None:
        (directory / "package.json").write_text(text)
    assert facts.npm_package_version("pm2") == version


@pytest.mark.parametrize("commands", [pytest.param("cli.js", id="one"), pytest.param({"pm2": "cli.js"}, id="named")])
@pytest.mark.parametrize(
    "missing",
    ["", "bin/pm2", "lib/node_modules/pm2/cli.js", "lib/node_modules/pm2/node_modules/@scope/one/package.json"],
)
def test_a_global_npm_package_with_missing_parts_is_not_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str, commands: object
) -> None:
    """Such as one whose command was deleted."""
    monkeypatch.setattr(facts, "NPM_PREFIX", str(tmp_path))
    directory = tmp_path / "lib/node_modules/pm2"
    packages = {"dependencies": {"@scope/one": "1.0.0", "of-mac": "1.0.0"}, "optionalDependencies": {"of-mac": "1.0.0"}}
    described = {"version": "7.0.4", "bin": commands, **packages}
    for path, text in {
        "cli.js": "",
        "node_modules/@scope/one/package.json": "{}",
        "package.json": json.dumps(described),
    }.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(text)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pm2").symlink_to("../lib/node_modules/pm2/cli.js")
    if missing:
        (tmp_path / missing).unlink()
    assert facts.npm_package_version("pm2") == (None if missing else "7.0.4")


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("text", "answer"),
    [("echo enabled", True), ("echo active", True), ("echo disabled; exit 1", False), ("echo inactive; exit 3", False)],
)
def test_the_answers_of_systemctl(tmp_path: Path, text: str, answer: bool) -> None:
    write(tmp_path, "systemctl", f'[ "$1 $2" = "is-enabled pm2-deploy.service" ] || exit 9\n{text}')
    assert facts.unit_is("is-enabled", "pm2-deploy.service") is answer


@pytest.mark.usefixtures("program")
@pytest.mark.parametrize(
    ("user", "path", "right"),
    [
        pytest.param("deploy", "/bin/sh", True, id="right"),
        pytest.param("root", "/bin/sh", False, id="another user"),
        pytest.param("deploy", "/usr/lib/node_modules/pm2/bin/none", False, id="a pm2 that was removed"),
        pytest.param("", "", False, id="no unit"),
    ],
)
def test_a_unit_that_starts_nothing_is_not_right(tmp_path: Path, user: str, path: str, right: bool) -> None:
    """As systemd shows it, whether it is enabled or not."""
    start = f"ExecStart={{ path={path} ; argv[]={path} resurrect ; ignore_errors=no }}" if path else ""
    write(tmp_path, "systemctl", f"printf '%s\\n' '{start}' 'User={user}'")
    assert facts.unit_runs_as("pm2-deploy.service", "deploy") is right


def test_a_user_has_a_home_and_a_primary_group() -> None:
    assert facts.account_of(OWN.pw_name) == (OWN.pw_dir, grp.getgrgid(OWN.pw_gid).gr_name)
    assert facts.account_of("sync") == ("/bin", "nogroup")
    assert facts.account_of("nobody-of-this-name") == (None, None)


def test_regular_files_alone_have_a_state(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    file.chmod(0o640)
    (tmp_path / "link").symlink_to(file)
    os.mkfifo(tmp_path / "fifo")
    paths = [str(tmp_path / name) for name in ("file", "link", "fifo", "none", "file/none", "")]
    assert facts.file_states(paths) == {
        str(file): {
            "sha256": hashlib.sha256(b"text").hexdigest(),
            "owner": OWN.pw_name,
            "group": grp.getgrgid(file.stat().st_gid).gr_name,
            "mode": "0640",
        }
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_owner_without_a_name_is_a_number(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    os.chown(file, 54321, 54322)
    state = facts.file_states([str(file)])[str(file)]
    assert (state["owner"], state["group"]) == ("54321", "54322")


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_path: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(facts, "read_file", refuse)
    with pytest.raises(facts.RuntimeFactsError) as error:
        facts.file_states([str(tmp_path / "file")])
    assert str(error.value) == f"{tmp_path}/file cannot be read: Permission denied"


@pytest.fixture
def prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm prefix with one package that all users can read."""
    monkeypatch.setattr(facts, "NPM_PREFIX", str(tmp_path))
    package = tmp_path / "lib/node_modules/pm2"
    (package / "bin").mkdir(parents=True)
    (package / "bin/pm2").write_text("")
    (package / "bin/pm2").chmod(0o755)
    (package / "package.json").write_text("{}")
    (package / "package.json").chmod(0o644)
    for directory in (package / "bin", package, package.parent):
        directory.chmod(0o755)
    return tmp_path / "lib"


def test_a_package_for_everybody_is_not_closed(prefix: Path) -> None:
    (prefix / "node_modules/pm2/dangling").symlink_to("nowhere")
    assert facts.closed_packages(["node_modules/pm2", "node_modules/npm"]) == []


@pytest.mark.parametrize(
    ("path", "mode", "closed"),
    [
        pytest.param("node_modules/pm2/package.json", 0o600, "node_modules/pm2", id="file"),
        pytest.param("node_modules/pm2/bin", 0o700, "node_modules/pm2", id="directory"),
        pytest.param("node_modules/pm2/bin", 0o704, "node_modules/pm2", id="directory that cannot be entered"),
        pytest.param("node_modules/pm2/bin/pm2", 0o744, "node_modules/pm2", id="program"),
        pytest.param("node_modules", 0o700, "node_modules", id="directory of all packages"),
    ],
)
def test_a_package_that_a_umask_has_closed_is_named(prefix: Path, path: str, mode: int, closed: str) -> None:
    (prefix / path).chmod(mode)
    assert facts.closed_packages(["node_modules/pm2"]) == [str(prefix / closed)]


def test_missing_directories_are_named_but_not_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert facts.missing_directories((None, ""), "deploy") == []
    assert facts.missing_directories(("/srv/none/team/app", "/srv/none/app.sock"), "deploy") == ["/srv/none"]
    assert facts.missing_directories(("/srv/app", "/srv/app.run/app.sock"), "deploy") == ["/srv/app.run"]
    # It is created with its user.
    monkeypatch.setattr(facts, "future_home", lambda user: f"/srv/{user}")
    assert facts.missing_directories(("/srv/deploy/projects/app", "/srv/deploy/run/app.sock"), "deploy") == []
