"""Which processes listen on ports, with real processes."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.listeners_facts import ManagedProcesses
from free_ports import free_port

Start = Callable[..., tuple[int, int]]
USER = getpass.getuser()


def test_nobody_listens_on_a_free_port() -> None:
    assert ManagedProcesses([], [], USER).holders([free_port()]) == []


def test_a_process_is_named_with_its_command_and_directory(listening: Start, tmp_path: Path) -> None:
    pid, port = listening(tmp_path / "other")
    (holder,) = ManagedProcesses([str(tmp_path / "app")], ["app-backend"], USER).holders([port, free_port()])
    assert (holder.place, holder.pid, holder.cwd, holder.managed) == (port, pid, str(tmp_path / "other"), False)
    assert holder.command.startswith("python")


@pytest.mark.parametrize(
    ("directory", "managed"),
    [
        pytest.param("app.releases/0001/web-ui", True, id="below"),
        pytest.param("app.releases", True, id="the directory itself"),
        pytest.param("app.releases.old", False, id="the same beginning"),
    ],
)
def test_a_process_below_a_directory_is_managed(
    listening: Start, tmp_path: Path, directory: str, managed: bool
) -> None:
    _pid, port = listening(tmp_path / directory)
    (holder,) = ManagedProcesses([str(tmp_path / "app.releases")], [], USER).holders([port])
    assert holder.managed is managed


@pytest.mark.parametrize(
    ("variables", "name"),
    [
        pytest.param({"name": "my-api", "pm_id": "0"}, "my-api", id="fork mode"),
        pytest.param({"pm2_env": json.dumps({"name": "my-api"})}, "my-api", id="cluster mode"),
        pytest.param({"name": "my-api"}, "", id="not under pm2"),
    ],
)
def test_a_pm2_process_is_named_with_its_owner(
    listening: Start, tmp_path: Path, variables: dict[str, str], name: str
) -> None:
    _pid, port = listening(tmp_path / "app", **variables)
    (holder,) = ManagedProcesses([str(tmp_path / "app")], ["app-backend"], USER).holders([port])
    assert (holder.pm2_name, holder.user, holder.managed) == (name, USER, True)


def test_a_directory_behind_a_link_is_the_same(listening: Start, tmp_path: Path) -> None:
    _pid, port = listening(tmp_path / "releases/0001")
    (tmp_path / "app").symlink_to(tmp_path / "releases/0001")
    (holder,) = ManagedProcesses([str(tmp_path / "app")], [], USER).holders([port])
    assert holder.managed


@pytest.mark.parametrize(
    ("variables", "names", "user", "managed"),
    [
        pytest.param({"name": "app-backend", "pm_id": "0"}, ["app-backend"], USER, True, id="fork mode"),
        pytest.param({"pm2_env": json.dumps({"name": "app-backend"})}, ["app-backend"], USER, True, id="cluster mode"),
        pytest.param({"name": "app-backend", "pm_id": "0"}, ["other"], USER, False, id="another name"),
        pytest.param({"name": "app-backend"}, ["app-backend"], USER, False, id="not under pm2"),
        pytest.param({"pm2_env": "[]"}, ["app-backend"], USER, False, id="settings that are none"),
        pytest.param({"name": "app-backend", "pm_id": "0"}, ["app-backend"], "nobody", False, id="another user"),
        pytest.param({"name": "app-backend", "pm_id": "0"}, ["app-backend"], "no-such-user", False, id="no user yet"),
    ],
)
def test_a_pm2_process_is_managed_by_its_name(
    listening: Start, tmp_path: Path, variables: dict[str, str], names: list[str], user: str, managed: bool
) -> None:
    _pid, port = listening(tmp_path, **variables)
    (holder,) = ManagedProcesses([], names, user).holders([port])
    assert holder.managed is managed


def test_a_process_at_a_socket_is_found(tmp_path: Path) -> None:
    path = str(tmp_path / "app.sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        (holder,) = ManagedProcesses([str(tmp_path / "app")], [], USER).holders([path, free_port()])
    assert (holder.place, holder.pid, holder.managed) == (path, os.getpid(), False)
