"""The stand-in for CodeFRAME, deployed by its own script, is taken over in one run and restored by a rollback."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment, Outcome
from loops import Loops
from outside import Site
from processes import processes

Host = testinfra.host.Host

PROCESSES = ("codeframe-staging-backend", "codeframe-staging-frontend")
#: Limit of a deployment that builds the page.
BUILD_S = 2400
MANUAL_SITE = "/etc/nginx/sites-enabled/codeframe-api"
#: What a user has installed before he runs the script of the application.
TOOLS = """
set -eu; set -a; . /etc/environment; set +a
npm install --global --no-audit --no-fund pm2@7 >/dev/null
python3 -m venv /opt/uv; /opt/uv/bin/pip install -q uv; ln -sf /opt/uv/bin/uv /usr/local/bin/uv
"""
MANUAL_DEPLOYMENT = """
set -eu; set -a; . /etc/environment; set +a; cd {project}
sed -e 's#^NEXT_PUBLIC_API_URL=.*#NEXT_PUBLIC_API_URL={api}#' -e 's#^NEXT_PUBLIC_WS_URL=.*#NEXT_PUBLIC_WS_URL={ws}#' \
  -e 's#^CORS_ALLOWED_ORIGINS=.*#CORS_ALLOWED_ORIGINS={page}#' .env.staging.example >.env.staging
echo 'KEY_OF_THE_USER="kept as it is"' >>.env.staging
scripts/deploy-staging.sh
"""
NGINX = """server {{
    listen {port};
    server_name api.codeframe.localhost;
    location / {{
        proxy_pass http://127.0.0.1:14200;
        proxy_http_version 1.1;
        proxy_set_header Host $host;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection "upgrade";
    }}
}}
"""


@pytest.fixture(scope="module")
def project(host: Host, variables: dict[str, Any], site: Site, api_url: str, as_user: Callable[[str], str]) -> str:
    """The directory of the application after its manual deployment."""
    place: str = variables["staging_project_dir"]
    if as_user(f"test ! -L {place} || echo link"):
        # `molecule verify` once more, on a host that was taken over.
        return place
    with host.sudo():
        host.check_output("bash -c %s", TOOLS)
        port = api_url.rpartition(":")[2]
        host.check_output("printf %%s %s >/etc/nginx/sites-available/codeframe-api", NGINX.format(port=port))
        host.check_output(f"ln -s ../sites-available/codeframe-api {MANUAL_SITE} && systemctl reload-or-restart nginx")
    as_user(MANUAL_DEPLOYMENT.format(project=place, api=api_url, ws=site.ws_url, page=site.page_url))
    assert as_user(f"git -C {place} status --short").splitlines() == [
        " M uv.lock",
        "?? package-lock.json",
        "?? package.json",
    ]
    return place


def took_over(outcome: Outcome) -> None:
    assert outcome.exit_code == 0, outcome.output
    assert {"release", "backend", "frontend", "proxy"} <= outcome.changed_roles, outcome.output


def nothing_but_a_start_fails(loops: Loops) -> None:
    """Each process is replaced once, and its port refuses connections meanwhile; no page is mixed of two builds.

    How long depends on the machine; the figures are printed.
    """
    assert all("Connection refused" in message or "reset" in message for _began, message in loops.page.failures), loops
    assert all("502" in message for _began, message in loops.api.failures), loops


def test_without_the_choice_one_refusal_lists_what_it_would_replace_before_anything_is_changed(
    project: str, deployment: Deployment, rows: Callable[[str], list[str]], as_user: Callable[[str], str], loops: Loops
) -> None:
    rows("manual")
    before = {name: each["pid"] for name, each in processes(as_user).items()}
    outcome = deployment.run()
    assert outcome.exit_code != 0, outcome.output
    assert outcome.changed == 0, outcome.changed_tasks
    assert outcome.failed_roles == {"preflight"}, outcome.output
    assert f"{MANUAL_SITE}:1 answers for api.codeframe.localhost" in outcome.words
    assert "staging_take_over: true" in outcome.words
    assert {name: each["pid"] for name, each in processes(as_user).items()} == before
    assert as_user(f"test ! -L {project} && echo directory") == "directory\n"
    assert loops.page.failures == []
    assert loops.api.failures == []
    assert loops.socket.failures == []


def test_the_manual_deployment_is_taken_over_in_one_run(
    project: str,
    host: Host,
    deployment: Deployment,
    rows: Callable[[str], list[str]],
    as_user: Callable[[str], str],
    site: Site,
    loops: Loops,
) -> None:
    before = {name: each["pid"] for name, each in processes(as_user).items()}
    assert set(before) == set(PROCESSES)
    took_over(deployment.run(variables=["staging_take_over=true"], timeout_s=BUILD_S))
    now = processes(as_user)
    assert set(now) == set(PROCESSES)
    assert not {each["pid"] for each in now.values()} & set(before.values())
    assert all(each["pm2_env"]["pm_cwd"].startswith(project) for each in now.values())
    with host.sudo():
        assert not host.file(MANUAL_SITE).exists
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    assert 'KEY_OF_THE_USER="kept as it is"' in as_user(f"cat {project}/.env.staging")
    rows("taken over")
    nothing_but_a_start_fails(loops)


def test_another_run_changes_nothing(
    project: str, deployment: Deployment, rows: Callable[[str], list[str]], as_user: Callable[[str], str], loops: Loops
) -> None:
    outcome = deployment.run(variables=["staging_take_over=true"])
    assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
    # The links to the shared data are no untracked files of the checkout.
    status = as_user(f"git -C {project} status --short").splitlines()
    assert status == [" M uv.lock", "?? package-lock.json", "?? package.json"]
    rows("again")
    assert (loops.page.failures, loops.api.failures, loops.socket.failures) == ([], [], [])


def test_a_change_of_the_page_and_then_of_the_backend_keep_the_data(
    project: str, deployment: Deployment, rows: Callable[[str], list[str]], as_user: Callable[[str], str], loops: Loops
) -> None:
    backend = processes(as_user)["codeframe-staging-backend"]["pid"]
    earlier = loops.files()
    as_user(f"echo 'console.info(\"changed\");' >>{project}/web-ui/src/lib/api.js")
    outcome = deployment.run(timeout_s=BUILD_S)
    assert outcome.exit_code == 0, outcome.output
    # A tab that was opened before goes on loading the files of its build.
    assert set(earlier) - set(loops.files())
    loops.load(earlier)
    assert processes(as_user)["codeframe-staging-backend"]["pid"] == backend
    assert (loops.api.failures, loops.socket.failures) == ([], [])
    rows("page")
    as_user(f"echo '# changed' >>{project}/codeframe/ui/server.py")
    outcome = deployment.run(timeout_s=BUILD_S)
    assert outcome.exit_code == 0, outcome.output
    assert processes(as_user)["codeframe-staging-backend"]["pid"] != backend
    rows("backend")


def test_a_rollback_to_the_manual_deployment_restores_its_site_its_processes_and_its_directory(
    project: str,
    host: Host,
    deployment: Deployment,
    rows: Callable[[str], list[str]],
    as_user: Callable[[str], str],
    site: Site,
    loops: Loops,
) -> None:
    outcome = deployment.run(playbook="rollback_staging.yml", variables=["rollback_release=manual"])
    assert outcome.exit_code == 0, outcome.output
    with host.sudo():
        assert host.file(MANUAL_SITE).is_symlink
    now = processes(as_user)
    assert set(now) == set(PROCESSES)
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    assert as_user(f"git -C {project} status --short").splitlines()[0] == " M uv.lock"
    rows("rolled back")
    nothing_but_a_start_fails(loops)


#: The variables of a backend that is replaced without downtime.
BLUE_GREEN = {
    "staging_take_over": True,
    "staging_backend_switch": "blue_green",
    "staging_backend_drain": 1,
    "staging_backend_command": [".venv/bin/python", "-m", "codeframe.ui.server", "--port", "{port}"],
    "staging_backend_health_url": "http://127.0.0.1:{port}/health",
}


def test_with_blue_green_neither_a_take_over_nor_a_change_interrupts_the_api(
    project: str,
    deployment: Deployment,
    rows: Callable[[str], list[str]],
    as_user: Callable[[str], str],
    site: Site,
    loops: Loops,
) -> None:
    variables = [json.dumps(BLUE_GREEN)]
    took_over(deployment.run(variables=variables, timeout_s=BUILD_S))
    assert set(processes(as_user)) == {"codeframe-staging-backend-green", "codeframe-staging-frontend"}
    assert loops.api.failures == []
    as_user(f"echo '# changed again' >>{project}/codeframe/ui/server.py")
    outcome = deployment.run(variables=variables, timeout_s=BUILD_S)
    assert outcome.exit_code == 0, outcome.output
    assert set(processes(as_user)) == {"codeframe-staging-backend", "codeframe-staging-frontend"}
    assert loops.api.failures == []
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    rows("blue-green")
