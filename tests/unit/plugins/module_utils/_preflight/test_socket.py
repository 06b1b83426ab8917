"""The UNIX socket of the backend: what the host has there; the inputs are in the table of tests/bad_inputs.py."""

from __future__ import annotations

import os
import pwd
import socket
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import socket_facts
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.socket import SocketPlace, judge_socket
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.socket_facts import look_at_socket
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs
from bad_inputs import AT_SOCKET, GOOD

INPUTS = {**GOOD, **AT_SOCKET}
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root may act as another user")


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="placeholder in the command"),
        pytest.param(
            {"staging_backend_command": ["gunicorn", "--bind", "unix:/srv/app.sock"]}, id="path in the command"
        ),
        pytest.param(
            {"staging_backend_command": ["node", "s.js"], "staging_backend_env": {"PORT": "{socket}"}}, id="variable"
        ),
        pytest.param({"staging_proxy_provider": "manual", "staging_proxy_manual_for": "nginx"}, id="block for nginx"),
        pytest.param(
            {"staging_backend_command": None, "staging_ecosystem_file": "ecosystem.config.js"}, id="ecosystem file"
        ),
        # Its default is the port of the page.
        pytest.param({"staging_backend_port": 14100}, id="port that is not used"),
    ],
)
def test_a_socket_that_fits(changes: dict[str, Any]) -> None:
    given = {name: value for name, value in {**INPUTS, **changes}.items() if value is not None}
    assert check_inputs(given) == []


def test_a_proxy_on_another_machine_cannot_connect_to_a_socket() -> None:
    elsewhere = {
        "staging_proxy_provider": "manual",
        "staging_proxy_manual_for": "nginx",
        "staging_proxy_address": "192.0.2.1",
    }
    assert [item.name for item in check_inputs({**INPUTS, **elsewhere})] == ["socket-without-nginx"]


@pytest.mark.parametrize(
    ("place", "said"),
    [
        pytest.param(
            SocketPlace(other_file=True),
            'staging_backend_socket is "/srv/app.sock", but it is a file that is no socket; expected a path without a '
            "file, or that of a socket; delete that file, or choose another path",
            id="socket-file",
        ),
        pytest.param(
            SocketPlace(unwritable="/srv"),
            'staging_backend_socket is "/srv/app.sock", but deploy may not write to /srv; expected a directory in '
            "which deploy may create files; choose another directory, or create it for deploy",
            id="socket-unwritable",
        ),
        pytest.param(
            SocketPlace(closed_to_proxy="/home/deploy", proxy_user="www-data"),
            'staging_backend_socket is "/srv/app.sock", but /home/deploy is closed to www-data, as whom nginx '
            "connects to it; expected a path whose directories www-data may enter; choose another directory, or open "
            "that one (chmod o+x /home/deploy)",
            id="socket-closed",
        ),
    ],
)
def test_a_place_where_no_socket_can_be(place: SocketPlace, said: str, request: pytest.FixtureRequest) -> None:
    (found,) = judge_socket(DeploymentInputs(INPUTS), place)
    assert found.sentence == said
    assert f"[{found.name}]" in request.node.name


def test_a_place_where_a_socket_can_be_has_no_finding() -> None:
    assert judge_socket(DeploymentInputs(INPUTS), SocketPlace(proxy_user="www-data")) == []


@pytest.fixture
def open_dir(tmp_path: Path) -> Path:
    """A directory that all users may enter, as those above it in which pytest makes it are not."""
    for each in (tmp_path, *tmp_path.parents):
        if each.stat().st_uid == os.geteuid() and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o011)
    made = tmp_path / "open"
    made.mkdir(mode=0o755)
    return made


@AS_ROOT
def test_the_place_is_seen_as_its_users_see_it(open_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_facts, "proxy_user", lambda: "nobody")
    at = str(open_dir / "run/app.sock")
    assert look_at_socket(at, "root") == SocketPlace(proxy_user="nobody")
    assert look_at_socket(at, "nobody") == SocketPlace(unwritable=str(open_dir), proxy_user="nobody")
    open_dir.chmod(0o700)
    assert look_at_socket(at, "root") == SocketPlace(closed_to_proxy=str(open_dir), proxy_user="nobody")


@AS_ROOT
def test_a_user_who_does_not_exist_gets_directories(open_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket_facts, "proxy_user", lambda: "nobody")
    monkeypatch.setattr(socket_facts, "future_home", lambda user: f"{open_dir}/{user}")
    settings = {"text": "UMASK\t022\n"}
    monkeypatch.setattr(socket_facts, "read_text", lambda _path: settings["text"])
    at = f"{open_dir}/no-such-user/run/app.sock"
    assert look_at_socket(at, "no-such-user") == SocketPlace(proxy_user="nobody")
    assert look_at_socket(f"{open_dir}/app.sock", "no-such-user").unwritable == str(open_dir)
    for settings["text"] in ("HOME_MODE 0700\nUMASK 022\n", "UMASK\t077\n"):
        assert look_at_socket(at, "no-such-user").closed_to_proxy == f"{open_dir}/no-such-user"
    monkeypatch.setattr(socket_facts, "missing_below_root", lambda path: path)
    assert look_at_socket(f"{open_dir}/app.run/app.sock", "no-such-user").unwritable == ""


def test_a_file_that_is_no_socket_is_seen(tmp_path: Path) -> None:
    user = pwd.getpwuid(os.geteuid()).pw_name
    path = tmp_path / "app.sock"
    assert not look_at_socket(str(path), user).other_file
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
    assert not look_at_socket(str(path), user).other_file
    path.unlink()
    path.write_text("")
    assert look_at_socket(str(path), user).other_file
