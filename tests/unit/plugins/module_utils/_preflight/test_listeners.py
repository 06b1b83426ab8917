"""Whether the ports of the application and of the proxy are free."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.listeners import (
    PortHolder,
    judge_ports,
    judge_proxy_ports,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs


@pytest.mark.parametrize(
    ("holder", "found"),
    [
        pytest.param(
            PortHolder(14200, 4711, "python3", "/opt/x"), "process 4711 (python3 in /opt/x) listens on it", id="known"
        ),
        pytest.param(
            PortHolder(14200, 4711, "python3"), "process 4711 (python3) listens on it", id="without a directory"
        ),
        pytest.param(PortHolder(14200), "a process that is not visible from here listens on it", id="not visible"),
    ],
)
def test_an_unmanaged_process_on_a_port_is_an_error(good: DeploymentInputs, holder: PortHolder, found: str) -> None:
    (item,) = judge_ports(good, {"staging_backend_port": 14200}, [holder])
    assert (item.name, item.level) == ("port-held", "error")
    assert item.sentence == (
        f"staging_backend_port is 14200, but {found}; expected a free port; stop that process, or choose another port"
    )


@pytest.mark.parametrize(
    "holder",
    [
        pytest.param(PortHolder(14200, 1, "python3", managed=True), id="managed"),
        pytest.param(PortHolder(14201, 1, "python3"), id="another port"),
        pytest.param(PortHolder("/srv/app.sock", 1, "python3"), id="a socket"),
    ],
)
def test_other_processes_are_none(good: DeploymentInputs, holder: PortHolder) -> None:
    assert judge_ports(good, {"staging_backend_port": 14200}, [holder]) == []


@pytest.mark.parametrize(("port", "warns"), [(32767, False), (32768, True), (60999, True), (61000, False)])
def test_a_port_for_outgoing_connections_is_a_warning(port: int, warns: bool) -> None:
    found = judge_ports(DeploymentInputs({"staging_backend_port": port}), {"staging_backend_port": port}, [])
    assert [(item.name, item.level) for item in found] == ([("port-ephemeral", "warning")] if warns else [])
    assert [item.sentence for item in found if warns] == [
        f"staging_backend_port is {port}, but the kernel gives the ports from 32768 to 60999 to outgoing connections; "
        "expected a port outside of that range; choose another port"
    ] * warns


def test_a_default_port_is_shown_as_such() -> None:
    (found,) = judge_ports(DeploymentInputs({}), {"staging_frontend_port": 14100}, [PortHolder(14100)])
    assert found.sentence.startswith("staging_frontend_port is 14100 by default, but a process ")


def test_another_server_on_the_port_of_nginx_is_an_error_and_nginx_is_not(good: DeploymentInputs) -> None:
    ports = {80: "staging_public_url"}
    assert judge_proxy_ports(good, ports, [PortHolder(80, 7, "nginx"), PortHolder(81, 8, "apache2")]) == []
    (found,) = judge_proxy_ports(good, ports, [PortHolder(80, 8, "apache2", "/")])
    assert (found.name, found.level) == ("proxy-port-held", "error")
    assert found.sentence == (
        'staging_public_url is "http://app.example.com", but process 8 (apache2 in /) listens on port 80; expected '
        "port 80 for nginx; stop that process, or write another port into the URL"
    )


def test_a_socket_of_another_process_is_held() -> None:
    path = "/srv/app.sock"
    inputs = DeploymentInputs({"staging_backend_socket": path})
    holders = [PortHolder(path, 7, "python3", "/opt/x"), PortHolder(14200, 8, "node")]
    (found,) = judge_ports(inputs, {"staging_backend_socket": path}, holders)
    assert found.name == "socket-held"
    assert found.sentence == (
        'staging_backend_socket is "/srv/app.sock", but process 7 (python3 in /opt/x) listens on it; expected a free '
        "socket; stop that process, or choose another path"
    )
    assert judge_proxy_ports(inputs, {80: "staging_public_url"}, holders) == []
