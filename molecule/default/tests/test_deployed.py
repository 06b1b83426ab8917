"""What a deployment has brought about, seen on the host and from outside."""

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


def test_nginx_serves_the_files_of_the_page_as_unchanging_ones(
    host: Host, site: Site, variables: dict[str, Any]
) -> None:
    path = site.script_paths()[0]
    address = urlsplit(site.page_url)
    answer = host.run("curl -sI -H %s %s", f"Host: {address.netloc}", f"http://127.0.0.1:{address.port}{path}")
    assert "cache-control: public, max-age=31536000, immutable" in answer.stdout.lower(), answer.stdout
    published = host.file(f"/var/lib/codeframe-staging/{variables['staging_app_name']}/files{path}")
    assert (published.user, published.mode) == ("root", 0o644)


def test_a_file_that_is_not_published_comes_from_the_frontend(site: Site) -> None:
    assert site.get("/_next/static/none.js")[0] == 404


def test_a_websocket_from_outside_gets_its_reply(site: Site) -> None:
    assert site.ask({"type": "ping"}) == {"type": "pong"}


def test_events_reach_a_page_that_has_no_websocket(host: Host, site: Site) -> None:
    address = urlsplit(site.ws_url)
    # The stream goes on until the reader of its first bytes leaves.
    answer = host.run(
        "curl -sN --max-time 30 -H %s %s | head -c 6",
        f"Host: {address.netloc}",
        f"http://127.0.0.1:{address.port}/api/events",
    )
    assert answer.stdout.startswith("data: "), answer.stderr


def test_the_backend_listens_on_the_loopback_address_alone(host: Host) -> None:
    assert host.socket("tcp://127.0.0.1:14200").is_listening
    assert not host.socket("tcp://0.0.0.0:14200").is_listening


@pytest.mark.parametrize("layer", ["backend", "frontend"])
def test_a_process_runs_as_the_deploy_user(host: Host, variables: dict[str, Any], layer: str) -> None:
    user, name = variables["staging_user"], f"{variables['staging_app_name']}-{layer}"
    with host.sudo(user):
        # A login shell has pm2's directory in its PATH, and the user's own home.
        listed = host.run("bash -lc %s", "pm2 -s jlist")
    assert listed.rc == 0, listed.stderr
    process = next(found for found in json.loads(listed.stdout) if found["name"] == name)
    assert process["pm2_env"]["status"] == "online"
    assert host.check_output("ps -o user= -p %s", str(process["pid"])) == user


def test_the_project_directory_leads_to_a_release(host: Host, variables: dict[str, Any]) -> None:
    with host.sudo():
        project = host.file(variables["staging_project_dir"])
        assert project.is_symlink
        assert project.linked_to.startswith(f"{variables['staging_project_dir']}.releases/")


def test_the_configuration_of_nginx_is_in_force_and_sound(host: Host) -> None:
    assert host.service("nginx").is_running
    assert host.service("nginx").is_enabled
    with host.sudo():
        tested = host.run("nginx -t")
    assert tested.rc == 0, tested.stderr
