# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of processes for people: which are in it, and that no secret is."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.info import described, listening_ports, selected
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.process import Pm2Process

PROCESS = Pm2Process(
    name="app-backend",
    pm_id=0,
    pid=100,
    status="online",
    script="/srv/app/.venv/bin/python",
    cwd="/srv/app",
    args=("-m", "app", "--token", "s3cret"),
    env={"PASSWORD": "s3cret", "STAGING_PROJECT": "/srv/app", "STAGING_REVISION": "r1"},
    live_cwd="/srv/app.releases/0001-a",
    restarts=2,
)
OTHER = replace(PROCESS, name="other", script="/opt/x", cwd="/opt", live_cwd="/opt", env={})


@pytest.mark.parametrize(
    ("names", "directories", "found"),
    [
        pytest.param([], [], ["app-backend", "other"], id="all"),
        pytest.param(["other"], [], ["other"], id="by-name"),
        pytest.param([], ["/srv/app"], ["app-backend"], id="by-directory"),
        pytest.param(["other"], ["/srv/app.releases"], ["app-backend", "other"], id="both"),
        pytest.param(["none"], ["/srv/ap"], [], id="no-part-of-a-name"),
    ],
)
def test_processes_are_selected_by_name_or_directory(names, directories, found):
    assert [each.name for each in selected([PROCESS, OTHER], names, directories)] == found


def test_a_description_has_no_argument_and_no_value_of_a_variable():
    found = described(PROCESS, {100: (14200,)}, 3600.9)
    assert found == {
        "name": "app-backend",
        "status": "online",
        "pid": 100,
        "uptime_s": 3600,
        "restarts": 2,
        "exec_mode": "fork",
        "ports": [14200],
        "cwd": "/srv/app",
        "live_cwd": "/srv/app.releases/0001-a",
        "revision": "r1",
        "managed": True,
        "project": "/srv/app",
    }
    assert "s3cret" not in str(found)


def test_a_process_that_does_not_run_has_no_number():
    found = described(replace(OTHER, pid=0, status="errored"), {}, None)
    assert (found["pid"], found["uptime_s"], found["ports"], found["managed"]) == (None, None, [], False)


def test_a_name_cannot_control_the_terminal():
    assert described(replace(OTHER, name="a\x1b[2Jb"), {}, None)["name"] == r"'a\x1b[2Jb'"


def test_the_ports_of_a_process_are_those_on_which_it_listens():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert port in listening_ports([os.getpid()])[os.getpid()]
    assert port not in listening_ports([os.getpid()])[os.getpid()]
