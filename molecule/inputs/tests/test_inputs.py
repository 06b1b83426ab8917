"""Bad input stops the run in preflight, with one sentence that names variable, value and what is expected."""

from __future__ import annotations

import json
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment

Host = testinfra.host.Host

quick = pytest.mark.quick
BAD_INPUTS = [
    pytest.param({"staging_public_ws_url": ""}, "staging_public_ws_url", id="no-public-url", marks=quick),
    pytest.param({"staging_public_ws_url": "api.localhost/ws"}, "staging_public_ws_url", id="url-without-scheme"),
    pytest.param({"staging_public_ws_url": "ws://:8080/ws"}, "staging_public_ws_url", id="url-without-host"),
    pytest.param(
        {"staging_public_ws_url": "http://api.codeframe.localhost:18084/ws"},
        "staging_public_ws_url",
        id="http-where-ws-is-needed",
        marks=quick,
    ),
    pytest.param(
        {"staging_public_url": "https://codeframe.localhost:18084"},
        "staging_public_ws_url",
        id="ws-for-an-https-page",
        marks=quick,
    ),
    pytest.param({"staging_websocket_paths": ["/other"]}, "staging_websocket_paths", id="path-that-is-not-routed"),
    pytest.param({"staging_frontend_port": 14200}, "staging_frontend_port", id="equal-ports", marks=quick),
    pytest.param({"staging_backend_port": 70000}, "staging_backend_port", id="port-out-of-range"),
    pytest.param({"staging_backend_port": "http"}, "staging_backend_port", id="port-that-is-no-number"),
    pytest.param({"staging_public_url": "http://a.localhost\nevil"}, "staging_public_url", id="newline-in-a-url"),
    pytest.param({"staging_user": "deploy\nroot"}, "staging_user", id="newline-in-a-name"),
    pytest.param({"staging_project_dir": "projects/sample"}, "staging_project_dir", id="relative-directory"),
]


def snapshot(host: Host) -> str:
    """What a deployment would change first: accounts, homes, services, sites."""
    with host.sudo():
        return host.check_output(
            "getent passwd; ls -lA --time-style=full-iso /home /home/* /etc/nginx/* /etc/systemd/system /usr/local/bin"
        )


@pytest.mark.parametrize(("variables_given", "named"), BAD_INPUTS)
def test_bad_input_is_named_before_anything_has_changed(
    variables_given: dict[str, Any], named: str, host: Host, deployment: Deployment
) -> None:
    before = snapshot(host)
    outcome = deployment.run(variables=[json.dumps(variables_given)])
    assert outcome.exit_code != 0, outcome.output
    assert outcome.failed_roles == {"preflight"}, outcome.output
    assert outcome.changed == 0, outcome.output
    assert named in outcome.output, outcome.output
    assert snapshot(host) == before


def test_a_release_directory_that_cannot_be_written_is_named(host: Host, deployment: Deployment) -> None:
    with host.sudo():
        host.check_output("touch /srv/file")
    outcome = deployment.run(variables=[json.dumps({"staging_project_dir": "/srv/file/projects/sample"})])
    assert outcome.failed_roles == {"preflight"}, outcome.output
    assert outcome.changed == 0, outcome.output
    assert "/srv/file" in outcome.output
