"""A second application, with a page built by Vite, that was deployed manually: the playbook takes it over."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import testinfra.host
from deployment import CHECKOUT, Deployment
from outside import Site

Host = testinfra.host.Host

NAME, PAGE_PORT, BACKEND_PORT = "byhand", 14110, 14210
OLD_URL = f"ws://localhost:{BACKEND_PORT}/ws"
PROJECT, REPOSITORY = f"/home/deploy/projects/{NAME}", f"/home/deploy/{NAME}.git"
PAGE = {
    "index.html": '<div id="app"></div><script type="module" src="/main.js"></script>',
    "main.js": "import('./socket.js').then((m) => m.open('first'))",
    "socket.js": "export const open = (name) => new WebSocket(import.meta.env.VITE_WS_URL + '?page=' + name)",
    "package.json": json.dumps(
        {
            "name": "page",
            "private": True,
            "scripts": {"build": "vite build"},
            "devDependencies": {"vite": "6.4.6"},
            # A release whose packages for all platforms are in every registry.
            "overrides": {"rollup": "4.50.0"},
        }
    ),
}
PUBLISH = "process | Publish the static files"
# What a person types, a working directory full of what only this host has included.
MANUAL_DEPLOYMENT = f"""
set -eu; set -a; . /etc/environment; set +a
git config --global user.name me; git config --global user.email me@example.com
mkdir -p {PROJECT}/page {PROJECT}/data
cd {PROJECT}/page; {{page}}
npm install --package-lock-only --no-audit --no-fund
cp -r /tmp/{NAME}-backend ../backend
cd ..; printf '%s\\n' node_modules dist .venv data .env.staging >.gitignore
git init -q -b main; git add -A; git commit -qm first; git clone -q --bare . {REPOSITORY}
printf '# Theirs.\\nTHEIR_KEY="kept as it is"\\nVITE_WS_URL={OLD_URL}\\n' >.env.staging
echo rows >data/app.db
python3 -m venv backend/.venv; backend/.venv/bin/pip install -q -r backend/requirements.txt
cd page; npm ci --no-audit --no-fund; VITE_WS_URL={OLD_URL} npm run build
pm2 -s start node_modules/.bin/vite --name {NAME}-frontend -- preview --host 127.0.0.1 --port {PAGE_PORT} --strictPort
cd ../backend
pm2 -s start .venv/bin/python --name {NAME}-backend --interpreter none -- -m uvicorn app.main:app --port {BACKEND_PORT}
"""


@dataclass(frozen=True)
class Taken:
    """The application, and what was there before."""

    site: Site
    inputs: str
    foreign: Mapping[str, int]
    manual_scripts: tuple[str, ...]

    def script_paths(self) -> list[str]:
        status, page = self.site.get("/")
        assert status == 200, page
        return re.findall(r'src="(/assets/[^"]+\.js)"', page)


def as_deploy(host: Host, script: str) -> str:
    with host.sudo("deploy"):
        done = host.run("bash -lc %s", script)
    assert done.rc == 0, f"{done.stdout}\n{done.stderr}"
    return str(done.stdout)


def processes(host: Host) -> dict[str, int]:
    return {entry["name"]: entry["pid"] for entry in json.loads(as_deploy(host, "pm2 -s jlist"))}


def commit(host: Host, file: str, previous: str, text: str) -> None:
    """Push a change of the source from another machine."""
    as_deploy(
        host,
        f"set -e; rm -rf /tmp/{NAME}-work; git clone -q {REPOSITORY} /tmp/{NAME}-work; cd /tmp/{NAME}-work;"
        f" grep -qF '{previous}' {file}; sed -i 's#{previous}#{text}#' {file}; git commit -qam change; git push -q",
    )


@pytest.fixture(scope="module")
def taken(host: Host, deployment: Deployment, variables: dict[str, Any]) -> Taken:
    port = variables["staging_public_url"].rpartition(":")[2]
    site = Site(f"http://{NAME}.localhost:{port}", f"ws://api.{NAME}.localhost:{port}/ws")
    backend = CHECKOUT / "examples/sample_app/backend"
    for path in ("requirements.txt", "app/__init__.py", "app/main.py"):
        text = (backend / path).read_text(encoding="utf-8")
        as_deploy(host, f"mkdir -p /tmp/{NAME}-backend/app; cat >/tmp/{NAME}-backend/{path} <<'END'\n{text}END\n")
    files = "; ".join(f"printf %s '{_quoted(text)}' >{name}" for name, text in PAGE.items())
    as_deploy(host, MANUAL_DEPLOYMENT.replace("{page}", files))
    inputs = json.dumps(
        {
            "staging_app_name": NAME,
            "staging_project_dir": PROJECT,
            "staging_source_type": "git",
            "staging_git_url": f"file://{REPOSITORY}",
            "staging_shared_paths": ["data"],
            "staging_public_url": site.page_url,
            "staging_public_ws_url": site.ws_url,
            "staging_public_env": {"VITE_WS_URL": site.ws_url},
            "staging_backend_port": BACKEND_PORT,
            "staging_frontend_port": PAGE_PORT,
            "staging_frontend_dir": "page",
            "staging_frontend_output_dir": "dist",
            "staging_frontend_command": [
                *("node_modules/.bin/vite", "preview", "--host", "127.0.0.1"),
                *("--port", str(PAGE_PORT), "--strictPort"),
            ],
            "staging_frontend_static_dir": "assets",
            "staging_static_url_path": "/assets/",
        }
    )
    scripts = as_deploy(host, f"ls {PROJECT}/page/dist/assets").split()
    foreign = {name: pid for name, pid in processes(host).items() if not name.startswith(NAME)}
    predicted = deployment.run("--check", variables=[inputs])
    assert predicted.exit_code == 0, predicted.output
    assert as_deploy(host, f"test ! -L {PROJECT} && test ! -e {PROJECT}.releases && echo untouched") == "untouched\n"
    outcome = deployment.run(variables=[inputs])
    assert outcome.exit_code == 0, outcome.output
    assert predicted.changed_roles == outcome.changed_roles - {"preflight"}, (predicted.changed_tasks, outcome.output)
    return Taken(site, inputs, foreign, tuple(f"/assets/{name}" for name in scripts))


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


def test_keys_and_data_are_as_they_were_and_nothing_of_the_directory_is_gone(host: Host, taken: Taken) -> None:
    env = as_deploy(host, f"cat {PROJECT}/.env.staging")
    assert '# Theirs.\nTHEIR_KEY="kept as it is"\n' in env
    assert taken.site.ws_url in env
    assert OLD_URL not in env
    assert as_deploy(host, f"cat {PROJECT}/data/app.db {PROJECT}.releases/shared/data/app.db") == "rows\nrows\n"
    first = f"{PROJECT}.releases/0001-*"
    kept = as_deploy(host, f"ls -A {first} {first}/page; cat {first}/page/dist/assets/*.js {first}/.env.staging")
    for name in (".git", "backend", "node_modules", "dist", OLD_URL):
        assert name in kept


def test_its_processes_are_taken_over_and_those_of_others_stay(host: Host, taken: Taken) -> None:
    now = processes(host)
    assert {name: now.get(name) for name in taken.foreign} == taken.foreign
    assert set(now) - set(taken.foreign) == {f"{NAME}-backend", f"{NAME}-frontend"}


def test_the_served_page_holds_the_public_url_and_nothing_of_its_build(deployment: Deployment, taken: Taken) -> None:
    assert taken.site.ask({"type": "ping"}) == {"type": "pong"}
    wanted = {"expected_urls": [taken.site.ws_url], "forbidden_urls": [OLD_URL], "fail": True}
    # Through nginx, and on to the script that the first one imports.
    assert "socket-" in deployment.module("frontend_bundle_info", {"url": taken.site.page_url, **wanted})
    for record in (".staging-build.json", ".dist.staging-build.json"):
        assert "build_env" not in taken.site.get(f"/{record}")[1]


def test_another_run_changes_nothing(deployment: Deployment, taken: Taken) -> None:
    again = deployment.run(variables=[taken.inputs])
    assert (again.exit_code, again.changed) == (0, 0), again.output


def test_a_change_of_the_backend_alone_builds_no_page(host: Host, deployment: Deployment, taken: Taken) -> None:
    page, pid = taken.script_paths(), processes(host)[f"{NAME}-frontend"]
    commit(host, "backend/app/main.py", 'VERSION = "1.0.0"', 'VERSION = "1.1.0"')
    outcome = deployment.run(variables=[taken.inputs])
    assert outcome.exit_code == 0, outcome.output
    # The same files, now those of another release.
    assert {task for role, task in outcome.changed_tasks if role == "frontend"} == {PUBLISH}, outcome.changed_tasks
    assert '"1.1.0"' in host.check_output(f"curl -fsS http://127.0.0.1:{BACKEND_PORT}/health")
    assert (taken.script_paths(), processes(host)[f"{NAME}-frontend"]) == (page, pid)


def test_an_open_tab_gets_its_scripts_after_the_page_has_changed(
    host: Host, deployment: Deployment, taken: Taken
) -> None:
    before = [*taken.manual_scripts, *taken.script_paths()]
    commit(host, "page/main.js", "first", "second")
    outcome = deployment.run(variables=[taken.inputs])
    assert outcome.exit_code == 0, outcome.output
    after = taken.script_paths()
    assert len({*before, *after}) > len(before) > len(after) > 0
    for path in (*before, *after):
        assert taken.site.get(path)[0] == 200, path
