"""preflight_info: the module on both stages, and the judgement of facts."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import host as host
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import inputs as _preflight_inputs
from ansible_collections.codeframe.staging.plugins.modules import preflight_info
from free_ports import free_port
from module_runner import RunModule

GIB = 1024**3


def inputs(**more: Any) -> dict[str, Any]:
    return {
        "staging_public_url": "http://app.example.com",
        "staging_public_ws_url": "ws://api.example.com/ws",
        "staging_project_dir": "/home/deploy/projects/app",
        "staging_backend_port": 14200,
        "staging_frontend_port": 14100,
        "staging_backend_command": ["python", "-m", "app"],
        "staging_git_url": "https://example.com/app.git",
        **more,
    }


# The stage of the inputs


def test_inputs_that_fit_pass(run_module: RunModule) -> None:
    result = run_module(preflight_info, {"stage": "inputs", "inputs": inputs()})
    assert (result["failed"], result["changed"], result["findings"], result["message"]) == (False, False, [], "")


def test_everything_that_does_not_fit_fails_at_once(run_module: RunModule) -> None:
    given = inputs(staging_public_ws_url="http://api.example.com/ws", staging_backend_port=0, staging_hold=10)
    result = run_module(preflight_info, {"stage": "inputs", "inputs": given})
    assert result["failed"] is True
    assert result["msg"].splitlines() == [
        'staging_public_ws_url is "http://api.example.com/ws", but a WebSocket\'s URL starts with ws:// or wss://; '
        "write ws://api.example.com/ws.",
        "staging_backend_port is 0, but a port is a number from 1 to 65535; choose a free port above 1023.",
    ]
    assert (result["errors"], result["warnings_count"]) == (2, 1)
    assert result["warnings"] == [
        "staging_hold is 10, but more than 60 s are needed to see the proxy's default idle cut; "
        "hold for 65 s; a shorter one proves less"
    ]
    assert set(result["findings"][0]) == {"finding", "variable", "value", "expected", "remedy", "level", "message"}


def test_findings_may_be_asked_for_without_a_failure(run_module: RunModule) -> None:
    result = run_module(
        preflight_info, {"stage": "inputs", "inputs": inputs(staging_backend_port=0), "fail": False}, check=True
    )
    assert (result["failed"], result["errors"]) == (False, 1)


def test_the_level_of_a_finding_may_be_set(run_module: RunModule) -> None:
    args = {"stage": "inputs", "inputs": inputs(staging_hold=10), "levels": {"hold-short": "fail"}}
    assert run_module(preflight_info, args)["failed"] is True


def test_a_level_of_an_unknown_finding_is_refused(run_module: RunModule) -> None:
    result = run_module(preflight_info, {"stage": "inputs", "inputs": inputs(), "levels": {"scheme": "warn"}})
    assert result["msg"].startswith(
        "the levels for preflight findings hold scheme (not a finding on which opinions may differ); "
    )


def test_no_secret_is_in_the_result(run_module: RunModule) -> None:
    given = inputs(
        staging_env_secrets={"A": "planted$one", "B": "planted-two", "NEXT_PUBLIC_X": "planted-three"},
        staging_git_url="https://me:planted-four@example.com/x.git",
        staging_proxy_manager_secret="planted-five",
        staging_websocket_secret_headers={"Authorization": ["planted-six"]},
    )
    result = run_module(preflight_info, {"stage": "inputs", "inputs": given})
    assert result["failed"] is True
    assert "planted" not in json.dumps(result)


def test_the_source_of_an_archive_is_looked_at_on_the_controller(run_module: RunModule, tmp_path: Path) -> None:
    given = inputs(staging_source_type="archive", staging_source_dir=str(tmp_path / "none"))
    result = run_module(preflight_info, {"stage": "inputs", "inputs": given})
    assert [item["finding"] for item in result["findings"]] == ["source-dir-missing"]
    (tmp_path / "web-ui").mkdir()
    (tmp_path / "web-ui" / "package.json").write_text('{"scripts": {}}')
    given["staging_source_dir"] = str(tmp_path)
    result = run_module(preflight_info, {"stage": "inputs", "inputs": given})
    assert [item["finding"] for item in result["findings"]] == ["lock-file-missing", "build-script-missing"]


def test_the_controller_may_be_asked_for_the_addresses(run_module: RunModule, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_args: Any, **_more: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    result = run_module(preflight_info, {"stage": "inputs", "inputs": inputs(), "resolve": True})
    assert [item["message"] for item in result["findings"]] == [
        'staging_public_url is "app.example.com", but the controller finds no address for it; '
        "check the name, its DNS record and the resolver",
        'staging_public_ws_url is "api.example.com", but the controller finds no address for it; '
        "check the name, its DNS record and the resolver",
    ]


# The stage of the host


@pytest.fixture
def on_host(run_module: RunModule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The host stage on this machine, with a project in a temporary directory and names that lead here."""
    monkeypatch.setattr(preflight_info, "resolve", lambda _hosts: {})

    def run(*, check: bool = False, args: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
        # The machine may serve something on the usual ports.
        free = {"staging_backend_port": free_port(), "staging_frontend_port": free_port()}
        given = inputs(**{"staging_project_dir": str(tmp_path / "projects" / "app"), **free, **more})
        options = {"min_free_bytes": 1, "min_memory_bytes": 1, "nginx": "/nonexistent", **(args or {})}
        return run_module(preflight_info, {"stage": "host", "inputs": given, "fail": False, **options}, check=check)

    return run


def _names(result: dict[str, Any]) -> list[str]:
    assert result["failed"] is False, result
    # Servers of the tests listen on ephemeral ports, and the machine may serve something on port 80.
    return [
        item["finding"] for item in result["findings"] if item["finding"] not in {"port-ephemeral", "proxy-port-held"}
    ]


def test_a_bare_host_has_no_finding_and_stays_bare(on_host: Any, tmp_path: Path) -> None:
    assert (
        _names(on_host(check=True, staging_backend_port=free_port(), args={"source_path": str(tmp_path / "no")})) == []
    )
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_releases_is_said(on_host: Any, tmp_path: Path) -> None:
    (tmp_path / "projects").write_text("")
    result = on_host()
    assert _names(result) == ["path-blocked"]
    assert result["findings"][0]["message"] == (
        f'staging_project_dir is "{tmp_path}/projects/app.releases", but {tmp_path}/projects is no directory; '
        "move that file away, or choose another directory"
    )


def test_too_little_space_is_said(on_host: Any) -> None:
    result = on_host(args={"min_free_bytes": 1 << 60})
    assert _names(result) == ["disk-space"]
    assert "a deployment needs 1073741824 GiB" in result["message"]


def test_the_space_is_measured_from_the_last_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Module:
        params: ClassVar[dict[str, Any]] = {"min_free_bytes": None}

    assert preflight_info.needed_bytes(Module(), str(tmp_path / "none")) == 2 * GIB
    assert preflight_info.needed_bytes(Module(), str(tmp_path)) == 256 * 1024**2
    monkeypatch.setattr(preflight_info, "LEAST_FREE_BYTES", 1)
    (tmp_path / "big").write_bytes(os.urandom(1 << 20))
    assert preflight_info.needed_bytes(Module(), str(tmp_path)) >= int(1.2 * (1 << 20))


@pytest.fixture
def server() -> Any:
    """Start a process that listens on a port, in a directory of its own."""
    running = []

    def start(directory: Path, **more: Any) -> tuple[subprocess.Popen[str], int]:
        directory.mkdir(parents=True, exist_ok=True)
        code = (
            "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
        )
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            **more,
        )
        running.append(process)
        assert process.stdout is not None
        return process, int(process.stdout.readline())

    yield start
    for process in running:
        process.communicate("\n", timeout=30)


def test_a_port_that_a_foreign_process_holds_is_said_with_its_name(on_host: Any, server: Any, tmp_path: Path) -> None:
    process, port = server(tmp_path / "foreign")
    result = on_host(staging_backend_port=port)
    assert _names(result) == ["port-held"]
    result = on_host(staging_backend_green_port=port)
    assert _names(result) == []
    result = on_host(staging_backend_switch="blue_green", staging_backend_green_port=port)
    assert _names(result) == ["port-held"]
    result = on_host(staging_backend_port=port)
    message = result["findings"][0]["message"]
    assert message.startswith(f"staging_backend_port is {port}, but process {process.pid} (python")
    assert message.endswith(f" in {tmp_path}/foreign) listens on it; stop that process, or choose another port")


def test_a_port_that_is_not_set_is_looked_at_all_the_same(
    on_host: Any, server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _process, port = server(tmp_path / "foreign")
    monkeypatch.setitem(_preflight_inputs.DEFAULT_OWN_PORTS, "staging_frontend_port", port)
    result = on_host(staging_frontend_port=None)
    assert [item["variable"] for item in result["findings"] if item["finding"] == "port-held"] == [
        "staging_frontend_port"
    ]


def test_a_port_that_our_own_process_holds_is_fine(on_host: Any, server: Any, tmp_path: Path) -> None:
    _process, port = server(tmp_path / "projects" / "app.releases" / "0001-abc" / "web-ui")
    assert _names(on_host(staging_frontend_port=port)) == []
    _process, port = server(tmp_path / "elsewhere")
    assert _names(on_host(staging_frontend_port=port, args={"own_cwd": [str(tmp_path / "elsewhere")]})) == []


def test_a_port_that_our_own_pm2_process_holds_is_fine(on_host: Any, server: Any, tmp_path: Path) -> None:
    import getpass

    env = {**os.environ, "name": "app-backend", "pm_id": "0"}
    _process, port = server(tmp_path / "before the first release", env=env)
    user = getpass.getuser()
    assert _names(on_host(staging_backend_port=port, staging_user=user)) == ["port-held"]
    own = {"own_processes": ["app-backend"]}
    settings = {**os.environ, "pm2_env": json.dumps({"name": "app-backend"})}
    _process, cluster_port = server(tmp_path / "in cluster mode", env=settings)
    assert _names(on_host(staging_frontend_port=cluster_port, staging_user=user)) == ["port-held"]
    assert _names(on_host(staging_frontend_port=cluster_port, staging_user=user, args=own)) == []
    assert _names(on_host(staging_backend_port=port, staging_user=user, args=own)) == []


def test_the_source_is_judged(on_host: Any, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "web-ui").mkdir(parents=True)
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v18.20.4\n")
    node.chmod(0o755)
    args = {"source_path": str(source), "node": str(node)}
    assert _names(on_host(args=args)) == ["package-json-missing"]
    assert _names(on_host(args=args, staging_backend_dir="api")) == ["package-json-missing", "backend-dir-missing"]
    (source / "web-ui" / "package.json").write_text('{"engines": {"node": ">=20"}, "scripts": {"build": "x"}}')
    lock = {"packages": {"node_modules/next": {"version": "16.0.1", "engines": {"node": ">=20.9.0"}}}}
    (source / "web-ui" / "package-lock.json").write_text(json.dumps(lock))
    (source / "pyproject.toml").write_text('[project]\nrequires-python = ">=4.0"\n')
    result = on_host(args=args)
    assert _names(result) == ["node-version", "node-version", "python-version"]
    assert result["findings"][1]["message"] == (
        "the version of Node.js is 18.20.4, but Next.js 16.0.1 asks for >=20.9.0; "
        "install a newer Node.js, or deploy a version of the application that fits"
    )
    (source / "web-ui" / "package.json").write_text("{")
    assert _names(on_host(args=args))[0] == "package-json"


def test_a_missing_node_is_an_error_but_not_in_check_mode(on_host: Any, tmp_path: Path) -> None:
    (tmp_path / "web-ui").mkdir()
    (tmp_path / "web-ui" / "package.json").write_text('{"scripts": {"build": "x"}}')
    (tmp_path / "web-ui" / "yarn.lock").write_text("")
    args = {"source_path": str(tmp_path), "node": str(tmp_path / "none")}
    assert _names(on_host(args=args)) == ["node-missing"]
    assert _names(on_host(args=args, check=True)) == []


def test_an_invalid_nginx_tree_is_said_with_its_line(on_host: Any, tmp_path: Path) -> None:
    nginx = tmp_path / "nginx"
    nginx.write_text(
        "#!/bin/sh\n"
        "echo 'nginx: [emerg] unknown directive \"upgrde\" in /etc/nginx/conf.d/x.conf:3' >&2\n"
        "echo 'nginx: configuration file /etc/nginx/nginx.conf test failed' >&2\nexit 1\n"
    )
    nginx.chmod(0o755)
    result = on_host(args={"nginx": str(nginx)})
    assert [item["message"] for item in result["findings"] if item["finding"] == "nginx-refuses"] == [
        'nginx is refusing its configuration (unknown directive "upgrde" in /etc/nginx/conf.d/x.conf:3), '
        "but a tree that it accepts is expected before anything is added; "
        "repair that place first; it is not of this deployment's making"
    ]
    assert _names(on_host(args={"nginx": str(nginx)}, staging_proxy_provider="manual")) == []


def test_a_site_of_ours_that_somebody_broke_is_left_to_the_proxy_role(on_host: Any, tmp_path: Path) -> None:
    site, nginx = tmp_path / "site.conf", tmp_path / "nginx"
    nginx.write_text(f"#!/bin/sh\necho 'nginx: [emerg] unexpected \"}}\" in {site}:3' >&2\nexit 1\n")
    nginx.chmod(0o755)
    site.write_text("# somebody else's\n")
    assert _names(on_host(args={"nginx": str(nginx)})) == ["nginx-refuses"]
    site.write_text("# Managed by codeframe.staging, site app; changes by hand are replaced.\n}\n")
    assert _names(on_host(args={"nginx": str(nginx)})) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")
def test_a_directory_that_the_deploy_user_cannot_write_to_is_said(on_host: Any, tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    for directory in (tmp_path / "projects", *tmp_path.parents, tmp_path):
        if directory.is_relative_to("/tmp/pytest-of-root"):
            directory.chmod(0o755)
    result = on_host(staging_user="nobody")
    assert _names(result) == ["path-not-writable"]
    assert f"nobody cannot write to {tmp_path}/projects, where the releases are to stand" in result["message"]
    (tmp_path / "projects").chmod(0o777)
    assert _names(on_host(staging_user="nobody")) == []


def test_a_python_that_uv_brings_is_not_compared(on_host: Any, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "web-ui").mkdir(parents=True)
    (source / "web-ui/package.json").write_text('{"scripts": {"build": "next build"}}')
    (source / "web-ui/package-lock.json").write_text("{}")
    (source / "pyproject.toml").write_text('[project]\nrequires-python = ">=99"\n')
    args = {"source_path": str(source), "node": "/bin/sh"}
    assert _names(on_host(args=args, check=True)) == ["python-version"]
    assert _names(on_host(args=args, check=True, staging_backend_install="uv")) == []


def test_a_name_that_leads_elsewhere_for_the_controller_alone_is_said(
    on_host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight_info, "local_addresses", lambda: {"10.0.0.1"})
    monkeypatch.setattr(preflight_info, "resolve", lambda _hosts: {"app.example.com": ["10.0.0.1"]})
    same = {"app.example.com": ["10.0.0.1"]}
    assert _names(on_host(args={"controller_addresses": same})) == []
    result = on_host(args={"controller_addresses": {"app.example.com": ["192.0.2.9"], "api.example.com": None}})
    assert result["addresses"] == {"app.example.com": ["10.0.0.1"]}
    assert [item["message"] for item in result["findings"] if item["finding"] == "host-leads-elsewhere"] == [
        'staging_public_url is "app.example.com", but seen from the controller it leads to 192.0.2.9, which is none of '
        "the staging host's addresses; make sure that what stands there forwards to this host"
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        pytest.param({}, ["staging_public_url", "staging_public_ws_url"], id="nginx on the host"),
        pytest.param({"staging_proxy_provider": "manual"}, [], id="a proxy elsewhere"),
        pytest.param(
            {"staging_proxy_provider": "manual", "staging_proxy_page": False},
            ["staging_public_url"],
            id="a proxy elsewhere, and the page straight from the host",
        ),
    ],
)
def test_a_name_has_to_lead_to_what_serves_it(
    more: dict[str, Any], expected: list[str], on_host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight_info, "local_addresses", lambda: {"10.0.0.1"})
    answers = {"app.example.com": ["192.0.2.9"], "api.example.com": ["192.0.2.9"]}
    monkeypatch.setattr(preflight_info, "resolve", lambda _hosts: answers)
    result = on_host(**more)
    assert [item["variable"] for item in result["findings"] if item["finding"] == "host-leads-elsewhere"] == expected


def test_a_host_whose_own_name_leads_to_its_loopback_address_is_here(
    on_host: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight_info, "local_addresses", lambda: {"10.0.0.1"})
    monkeypatch.setattr(preflight_info, "resolve", lambda _hosts: {"app.example.com": ["127.0.1.1"]})
    assert _names(on_host(args={"controller_addresses": {"app.example.com": ["10.0.0.1"]}})) == []
    assert _names(on_host(args={"controller_addresses": {"app.example.com": ["127.0.0.1"]}})) == [
        "host-leads-elsewhere"
    ]


def test_a_certificate_that_is_missing_is_said(on_host: Any, tmp_path: Path) -> None:
    result = on_host(
        staging_public_url="https://app.example.com",
        staging_tls_certificate=str(tmp_path / "a.pem"),
        staging_tls_key=str(tmp_path / "a.key"),
    )
    assert _names(result) == ["certificate-file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="root enters every directory, and can make one for another user")
def test_a_directory_that_the_deploy_user_cannot_enter_is_said(on_host: Any, tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir(mode=0o700)
    tmp_path.chmod(0o755)
    result = on_host(staging_user="nobody")
    assert "path-closed" in _names(result)


# Judgements of facts


def _said(found: list[Any]) -> list[tuple[str, str, str]]:
    return [(item.name, item.level, item.sentence) for item in found]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"read_only": True}, ["path-read-only"], id="read-only"),
        pytest.param({"writable": False}, ["path-not-writable"], id="not writable"),
        pytest.param({"no_exec": True}, ["path-no-exec"], id="noexec"),
        pytest.param({"closed": "/home/deploy"}, ["path-closed"], id="closed"),
        pytest.param({"free_bytes": 5}, ["disk-space"], id="full"),
        pytest.param({"free_inodes": 5}, ["inodes"], id="no inodes"),
        pytest.param({"free_inodes": None}, [], id="a file system that does not count inodes"),
        pytest.param({}, [], id="fine"),
    ],
)
def test_a_place_is_judged(facts: dict[str, Any], expected: list[str]) -> None:
    place = host.Place("/srv/app.releases", "/srv", **{"free_bytes": 10 * GIB, "free_inodes": 10**6, **facts})
    found = host.judge_place(place, "staging_project_dir", needed_bytes=GIB, user="deploy")
    assert [item.name for item in found] == expected


def test_a_process_that_cannot_be_seen_is_said_as_such() -> None:
    found = host.judge_ports({"staging_backend_port": 14200}, [host.Listener(14200)])
    assert _said(found) == [
        (
            "port-held",
            "error",
            "staging_backend_port is 14200, but a process that cannot be seen from here listens on it; "
            "stop that process, or choose another port",
        )
    ]


def test_a_port_for_outgoing_connections_is_a_warning() -> None:
    found = host.judge_ports({"staging_backend_port": 40000}, [])
    assert [(item.name, item.level) for item in found] == [("port-ephemeral", "warning")]


def test_a_foreign_server_on_the_port_of_the_proxy_is_an_error_and_nginx_is_not() -> None:
    ports, urls = {80: "staging_public_url"}, {"staging_public_url": "http://app.example.com"}
    assert host.judge_proxy_ports(ports, urls, [host.Listener(80, 7, "nginx"), host.Listener(81, 8, "apache2")]) == []
    assert _said(host.judge_proxy_ports(ports, urls, [host.Listener(80, 8, "apache2", "/")])) == [
        (
            "proxy-port-held",
            "error",
            'staging_public_url is "http://app.example.com", but process 8 (apache2 in /) listens on port 80, '
            "where nginx is to listen; stop that process, or write another port into the URL",
        )
    ]


def test_too_little_memory_is_a_warning() -> None:
    assert host.judge_memory(GIB, GIB) == []
    assert _said(host.judge_memory(300 * 1024**2, GIB)) == [
        (
            "memory",
            "warning",
            "the memory of the host, swap included, is down to 300 MiB, but the build wants 1.0 GiB and may be killed "
            "without a word; add swap, stop something, or lower staging_min_memory_bytes",
        )
    ]


def test_the_limit_of_a_control_group_counts_without_what_it_holds_of_files(tmp_path: Path) -> None:
    assert preflight_info.room_in_group(str(tmp_path)) is None
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "memory.current").write_text("900\n")
    assert preflight_info.room_in_group(str(tmp_path)) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert preflight_info.room_in_group(str(tmp_path)) == 100
    (tmp_path / "memory.stat").write_text("anon 200\ninactive_file 700\nactive_file 0\n")
    assert preflight_info.room_in_group(str(tmp_path)) == 800


@pytest.mark.parametrize(
    ("answers", "lead_here", "expected"),
    [
        pytest.param({}, ["staging_public_url"], [], id="not asked"),
        pytest.param({"a.example.com": ["10.0.0.1"]}, ["staging_public_url"], [], id="here"),
        pytest.param({"a.example.com": None}, ["staging_public_url"], ["host-unresolved"], id="no answer"),
        pytest.param({"a.example.com": ["10.9.9.9"]}, ["staging_public_url"], ["host-leads-elsewhere"], id="elsewhere"),
        pytest.param({"a.example.com": ["10.9.9.9"]}, ["staging_public_ws_url"], [], id="elsewhere, as it may"),
    ],
)
def test_names_are_judged(answers: dict[str, Any], lead_here: list[str], expected: list[str]) -> None:
    hosts = {"staging_public_url": "a.example.com"}
    found = host.judge_names(hosts, answers, ["10.0.0.1"], vantage="the staging host", lead_here=lead_here)
    assert [(item.name, item.level) for item in found] == [(name, "warning") for name in expected]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"names": ("*.example.com",), "days_left": 50.0}, [], id="fine"),
        pytest.param({"names": ("b.example.com",)}, ["certificate-name"], id="another name"),
        pytest.param({"days_left": -1.0}, ["certificate-expired"], id="expired"),
        pytest.param({"days_left": 3.0}, ["certificate-expires-soon"], id="soon"),
        pytest.param({"problem": "there is no file /x"}, ["certificate-file"], id="missing"),
    ],
)
def test_a_certificate_is_judged(facts: dict[str, Any], expected: list[str]) -> None:
    certificate = host.Certificate("staging_tls_certificate", "/etc/ssl/a.pem", **facts)
    found = host.judge_certificate(certificate, {"staging_public_url": "a.example.com"})
    assert [item.name for item in found] == expected


def test_addresses_of_this_host_are_known() -> None:
    assert not {
        address for address in preflight_info.local_addresses() if address.startswith("127.") or address == "::1"
    }


def test_names_below_localhost_are_not_asked_for() -> None:
    assert preflight_info.resolve(["codeframe.localhost", "127.0.0.1", "::1"]) == {}
