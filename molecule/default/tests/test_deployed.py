"""The effects of a deployment, on the host and from outside."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import testinfra.host
from outside import Site

Host = testinfra.host.Host


def test_the_page_answers_through_the_proxy(site: Site) -> None:
    status, page = site.get("/")
    assert status == 200, page


def test_the_scripts_of_the_page_connect_to_the_public_url(site: Site, variables: dict[str, Any]) -> None:
    scripts = site.scripts()
    assert variables["staging_public_ws_url"] in scripts
    assert "ws://localhost:14200" not in scripts


def test_nginx_serves_the_static_files_of_the_page_with_an_immutable_cache_header(
    host: Host, site: Site, variables: dict[str, Any]
) -> None:
    path = site.script_paths()[0]
    address = urlsplit(site.page_url)
    answer = host.run("curl -sI -H %s %s", f"Host: {address.netloc}", f"http://127.0.0.1:{address.port}{path}")
    assert "cache-control: public, max-age=31536000, immutable" in answer.stdout.lower(), answer.stdout
    published = host.file(f"/var/lib/codeframe-staging/{variables['staging_app_name']}/files{path}")
    assert (published.user, published.mode) == ("root", 0o644)


def test_a_file_that_is_not_published_comes_from_the_frontend(
    host: Host, site: Site, variables: dict[str, Any]
) -> None:
    path = site.script_paths()[0]
    published = f"/var/lib/codeframe-staging/{variables['staging_app_name']}/files{path}"
    expected = site.get(path)
    assert expected[0] == 200
    with host.sudo():
        host.check_output("mv %s /root/unpublished.js", published)
    try:
        answer = site.get(path)
    finally:
        with host.sudo():
            host.check_output("mv /root/unpublished.js %s", published)
    assert answer == expected


def test_a_websocket_from_outside_gets_its_reply(site: Site) -> None:
    assert site.ask({"type": "ping"}) == {"type": "pong"}


def test_server_sent_events_pass_the_proxy_unbuffered(host: Host, site: Site) -> None:
    address = urlsplit(site.ws_url)
    # The stream is endless: curl ends when `head` has read its first bytes.
    answer = host.run(
        "curl -sN --max-time 30 -H %s %s | head -c 6",
        f"Host: {address.netloc}",
        f"http://127.0.0.1:{address.port}/api/events",
    )
    assert answer.stdout.startswith("data: "), answer.stderr


def test_the_backend_listens_only_on_the_loopback_address(host: Host) -> None:
    sockets = host.socket.get_listening_sockets()
    assert [name for name in sockets if name.endswith(":14200")] == ["tcp://127.0.0.1:14200"]


@pytest.mark.parametrize("layer", ["backend", "frontend"])
def test_a_process_runs_as_the_deploy_user(host: Host, variables: dict[str, Any], layer: str) -> None:
    user, name = variables["staging_user"], f"{variables['staging_app_name']}-{layer}"
    with host.sudo(user):
        # A login shell has pm2 in its PATH.
        listed = host.run("bash -lc %s", "pm2 -s jlist")
    assert listed.rc == 0, listed.stderr
    process = next(found for found in json.loads(listed.stdout) if found["name"] == name)
    assert process["pm2_env"]["status"] == "online"
    assert host.check_output("ps -o user= -p %s", str(process["pid"])) == user


def test_the_project_directory_is_a_link_to_a_release(host: Host, variables: dict[str, Any]) -> None:
    with host.sudo():
        project = host.file(variables["staging_project_dir"])
        assert project.is_symlink
        assert project.linked_to.startswith(f"{variables['staging_project_dir']}.releases/")


def test_nginx_runs_is_enabled_and_accepts_its_configuration(host: Host) -> None:
    assert host.service("nginx").is_running
    assert host.service("nginx").is_enabled
    with host.sudo():
        tested = host.run("nginx -t")
    assert tested.rc == 0, tested.stderr
