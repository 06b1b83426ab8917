"""preflight_info against a real nginx, real certificates and real file systems."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import preflight_info
from module_runner import RunModule
from nginx_tree import wait_for


@pytest.fixture
def on_host(run_module: RunModule, tmp_path: Path) -> Any:
    def run(args: dict[str, Any] | None = None, **more: Any) -> list[tuple[str, str]]:
        inputs = {
            "staging_public_url": "http://app.localhost:18080",
            "staging_public_ws_url": "ws://api.localhost:18080/ws",
            "staging_allow_loopback": True,
            "staging_project_dir": str(tmp_path / "app"),
            "staging_user": "root",
            "staging_backend_port": 14299,
            "staging_frontend_port": 14199,
            **more,
        }
        options = {"min_free_bytes": 1, "min_memory_bytes": 1, **(args or {})}
        result = run_module(preflight_info, {"stage": "host", "inputs": inputs, **options})
        return [(item["finding"], item["message"]) for item in result["findings"]]

    return run


@pytest.fixture(autouse=True)
def nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A real nginx with a tree of this test's, first on the path."""
    real = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    assert real is not None, "nginx is not installed"
    tree = tmp_path / "nginx"
    tree.mkdir()
    (tree / "nginx.conf").write_text(
        f"pid {tree}/pid; error_log stderr;\nevents {{}}\nhttp {{ include {tree}/*.site; }}\n"
    )
    wrapper = tmp_path / "bin/nginx"
    wrapper.parent.mkdir()
    built = f"{real} -V 2>&1 | sed 's#--conf-path=[^ ]*#--conf-path={tree}/nginx.conf#' >&2"
    wrapper.write_text(
        f'#!/bin/sh\n[ "$1" = -V ] && {{ {built}; exit; }}\n'
        f'[ "$1" = -c ] || set -- -c {tree}/nginx.conf "$@"\nexec {real} "$@"\n'
    )
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", str(wrapper.parent), prepend=":")
    return wrapper, tree


def test_a_valid_tree_has_no_finding(on_host: Any) -> None:
    assert on_host() == []


def test_an_invalid_tree_is_named_with_file_and_line(on_host: Any, nginx: Any) -> None:
    _wrapper, tree = nginx
    (tree / "other.site").write_text("server {\n  listen 127.0.0.1:18081;\n  upgrde on;\n}\n")
    assert on_host() == [
        (
            "nginx-refuses",
            'staging_proxy_provider is "nginx" by default, but nginx refuses its present configuration '
            f'(unknown directive "upgrde" in {tree}/other.site:3); expected a valid configuration; '
            "repair that line, which is not part of this deployment",
        )
    ]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("return 200 $app_upgrade;", id="variable-of-a-deleted-map"),
        pytest.param("limit_conn app_connections 1;", id="zone-that-is-not-defined"),
        pytest.param("upgrde on;", id="directive"),
    ],
)
def test_a_managed_site_that_nginx_refuses_is_left_to_the_role_proxy(on_host: Any, nginx: Any, line: str) -> None:
    _wrapper, tree = nginx
    text = f"server {{\n  listen 127.0.0.1:18081;\n  {line}\n}}\n"
    (tree / "app.site").write_text(f"# Managed by codeframe.staging, site app; x\n{text}")
    assert on_host() == []
    # The same in an unmanaged file is no drift of the deployment.
    (tree / "app.site").write_text(text)
    assert [name for name, _message in on_host()] == ["nginx-refuses"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("server {\n listen 18080;\n server_name api.localhost; }", "nginx-name-claimed", id="alone"),
        pytest.param(
            "server {\n listen 18080;\n server_name api.localhost shop.localhost; }", "nginx-name-shared", id="shared"
        ),
        pytest.param("server { listen 18080; server_name shop.localhost; }", "", id="another-name"),
        pytest.param(
            "# Managed by codeframe.staging, site app; x\nserver { listen 18080; server_name api.localhost; }",
            "",
            id="managed",
        ),
        pytest.param(
            "# Managed by codeframe.staging, site old; x\nserver { listen 18080; server_name api.localhost; }",
            "nginx-name-shared",
            id="another-deployment",
        ),
    ],
)
def test_a_site_that_answers_for_a_public_name_is_found(on_host: Any, nginx: Any, text: str, expected: str) -> None:
    _wrapper, tree = nginx
    (tree / "manual.site").write_text(text)
    found = on_host()
    assert [name for name, _message in found] == ([expected] if expected else [])
    where = f"{tree}/manual.site:{2 if text.startswith('#') else 1}"
    assert all(f"{where} answers for api.localhost on port 18080" in said for _name, said in found)
    resolved = [name for name, _message in on_host(staging_take_over=True)]
    assert resolved == (["nginx-name-shared"] if expected == "nginx-name-shared" else [])


def test_a_name_that_is_claimed_after_the_managed_site_is_ignored_by_nginx(on_host: Any, nginx: Any) -> None:
    _wrapper, tree = nginx
    server = "server { listen 18080; server_name api.localhost; }"
    (tree / "app.site").write_text(f"# Managed by codeframe.staging, site app; x\n{server}")
    (tree / "zz.site").write_text(server)
    assert on_host() == []
    (tree / "aa.site").write_text(server)
    assert [name for name, _message in on_host()] == ["nginx-name-claimed"]


def test_a_running_nginx_may_hold_the_port_of_the_proxy(on_host: Any, nginx: Any) -> None:
    wrapper, tree = nginx
    (tree / "app.site").write_text("server { listen 127.0.0.1:18080; return 204; }\n")
    process = subprocess.Popen([str(wrapper), "-g", "daemon off;"])
    try:
        wait_for((tree / "pid").exists)
        assert on_host() == []
        taken = [name for name, _message in on_host(staging_backend_port=18080)]
        assert taken == ["port-held"]
    finally:
        process.terminate()
        process.wait(timeout=60)


@pytest.fixture
def certificate(tmp_path: Path) -> Any:
    def make(name: str, *, days: int = 90, hosts: str = "DNS:app.example.com,DNS:*.api.example.com") -> tuple[str, str]:
        key, pem = tmp_path / f"{name}.key", tmp_path / f"{name}.pem"
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
                *("-keyout", str(key), "-out", str(pem), "-days", str(days), "-subj", "/CN=x"),
                *("-addext", f"subjectAltName={hosts}"),
            ],
            check=True,
            capture_output=True,
        )
        return str(pem), str(key)

    return make


def test_real_certificates_are_judged(on_host: Any, certificate: Any) -> None:
    good, other, old = certificate("good"), certificate("other"), certificate("old", days=3)

    def names(pem: str, key: str, host: str = "v1.api.example.com") -> list[str]:
        urls = {
            "staging_public_url": "https://app.example.com:18443",
            "staging_public_ws_url": f"wss://{host}:18443/ws",
        }
        found = on_host(staging_tls_certificate=pem, staging_tls_key=key, **urls)
        return [name for name, _message in found if name not in {"host-unresolved", "host-leads-elsewhere"}]

    assert names(*good) == []
    assert names(*good, host="api.example.com") == ["certificate-name"]
    assert names(good[0], other[1]) == ["certificate-file"]
    assert names(*old) == ["certificate-expires-soon"]
    Path(good[1]).write_text("no key")
    assert names(*good) == ["certificate-file"]


def test_a_read_only_file_system_is_found(on_host: Any, tmp_path: Path) -> None:
    place = tmp_path / "readonly"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,noexec", "tmpfs", str(place)], check=True)
    try:
        assert [name for name, _message in on_host(staging_project_dir=str(place / "app"))] == ["path-read-only"]
        subprocess.run(["mount", "-o", "remount,rw,noexec", str(place)], check=True)
        assert [name for name, _message in on_host(staging_project_dir=str(place / "app"))] == ["path-no-exec"]
    finally:
        subprocess.run(["umount", str(place)], check=True)
