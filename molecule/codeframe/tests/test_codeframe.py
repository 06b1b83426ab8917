"""The stand-in for CodeFRAME on a fresh host, and each step of the manual procedure that fails without a message."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment
from loops import Loops
from matrix import Places
from outside import Site
from processes import processes

Host = testinfra.host.Host

BACKEND, FRONTEND = "codeframe-staging-backend", "codeframe-staging-frontend"
#: Limit of a deployment that builds the page.
BUILD_S = 2400
FALLBACK = "ws://localhost:8080/ws"


def test_another_run_changes_nothing_and_knows_the_page_that_opens_the_websocket(
    variables: dict[str, Any],
    deployment: Deployment,
    rows: Callable[[str], list[str]],
    as_user: Callable[[str], str],
    site: Site,
    loops: Loops,
) -> None:
    rows("first")
    outcome = deployment.run()
    assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
    assert "/projects/1" in outcome.words
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    rows("again")
    # The links to the shared data are no untracked files; `uv sync` writes its lock file.
    status = as_user(f"git -C {variables['staging_project_dir']} status --short")
    assert status.splitlines() in ([], [" M uv.lock"])
    assert (loops.page.failures, loops.api.failures, loops.socket.failures) == ([], [], [])


@dataclass(frozen=True)
class Trap:
    """A step of the manual procedure that seems to succeed.

    :param step: What a person does; in bash, with places of the deployment in braces.
    :param causes: What the verification names; empty if the deployment works, whatever the check of the person says.
    :param roles: Roles with which a run repairs it; empty if nothing is to be repaired, or a later case repairs it too.
    :param look: A command that succeeds before that run.
    :param repaired: A command that succeeds after it.
    """

    step: str
    user: str = "frankbria"
    causes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    look: str = "true"
    repaired: str = "true"


#: What curl sends where nothing else is said about it.
CURL = "curl -s -o /dev/null -w '%{http_code}' --max-time 3 -H 'Connection: Upgrade' -H 'Upgrade: websocket'"
#: A variable in the environment of the running backend.
RUNS_WITH = "tr '\\0' '\\n' </proc/$(pm2 pid {app}-backend)/environ | grep -E"

TRAPS = {
    "grep-that-finds-the-old-url-in-a-correct-build": Trap(
        step="grep -rqs localhost:14200 {project}/web-ui/.next",
    ),
    "key-that-no-server-accepts": Trap(
        step=f"test $({CURL} -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: test' {{api}}/ws) = 400",
    ),
    "timeout-that-pings-hide": Trap(
        user="root",
        step="sed -i 's/proxy_read_timeout .*/proxy_read_timeout 60s;/' {site} && nginx -t && systemctl reload nginx",
        causes=("idle_timeout_too_short", "60"),
    ),
    "connection-that-is-cut": Trap(
        user="root",
        step="sed -i 's/proxy_read_timeout .*/proxy_read_timeout 2s;/' {site} && nginx -t && systemctl reload nginx",
        causes=("cut_while_idle",),
    ),
    "snippet-at-server-level": Trap(
        user="root",
        step=r"sed -i -E '/proxy_set_header (Upgrade|Connection)|proxy_http_version/d;"
        r" s/^( *)server_name .*/&\n\1proxy_http_version 1.1;\n\1proxy_set_header Upgrade $http_upgrade;"
        r"\n\1proxy_set_header Connection upgrade;/' {site} && nginx -t && systemctl reload nginx",
        causes=("upgrade_not_forwarded", "drops Upgrade set in"),
        roles=("proxy",),
    ),
    "restart-that-reads-no-file": Trap(
        step="echo FEATURE=on >>{project}/.env.staging && LOG_LEVEL=DEBUG pm2 restart {app}-backend --update-env",
        look=f"{RUNS_WITH} '^LOG_LEVEL=DEBUG$' && ! {RUNS_WITH} '^FEATURE=on$'",
        roles=("backend", "frontend"),
        repaired=f"{RUNS_WITH} '^LOG_LEVEL=INFO$' && {RUNS_WITH} '^FEATURE=on$'",
    ),
    "build-that-does-not-read-the-env-file": Trap(
        step="cd {project}/web-ui && npm run build && pm2 restart {app}-frontend",
        # What the procedure searches for is not in this build.
        look="cd {project}/web-ui/.next/static && ! grep -rq localhost:14200 . && grep -rq {fallback} .",
        causes=(FALLBACK,),
        roles=("release", "frontend"),
    ),
    "exported-variable-that-beats-each-file": Trap(
        step="echo 'export NEXT_PUBLIC_WS_URL=ws://localhost:14200/ws' >>~/.profile"
        " && echo 'console.info(\"changed\");' >>{project}/web-ui/src/lib/api.js",
        look="""test "$NEXT_PUBLIC_WS_URL" = ws://localhost:14200/ws""",
        roles=("release", "frontend"),
        repaired="sed -i /NEXT_PUBLIC_WS_URL/d ~/.profile"
        " && cd {project}/web-ui/.next/static && ! grep -rq ws://localhost:14200 .",
    ),
    "backend-that-answers-and-has-no-websocket": Trap(
        step="rm -r {project}/.venv/lib/python*/site-packages/websockets && pm2 restart {app}-backend && sleep 5",
        look="curl -fsS http://127.0.0.1:14200/health",
        causes=("path_not_found", "uvicorn"),
        roles=("release", "backend"),
    ),
    "script-that-deletes-all-processes": Trap(
        step="pm2 stop all && pm2 delete all"
        " && pm2 start /bin/sleep --name another-application --interpreter none -- 99999"
        " && pm2 pid another-application >~/another-application.pid",
        causes=("backend_down",),
        roles=("backend", "frontend"),
        repaired='test "$(pm2 pid another-application)" = "$(cat ~/another-application.pid)"',
    ),
}


@pytest.mark.parametrize("trap", [pytest.param(trap, id=name) for name, trap in TRAPS.items()])
def test_a_step_that_fails_without_a_message_is_named_and_repaired(
    trap: Trap,
    host: Host,
    places: Places,
    api_url: str,
    deployment: Deployment,
    rows: Callable[[str], list[str]],
    as_user: Callable[[str], str],
    site: Site,
) -> None:
    fill = Places({**places.names, "api": api_url, "fallback": FALLBACK}).fill
    if trap.user == "root":
        with host.sudo():
            host.check_output("bash -c %s", fill(trap.step))
    else:
        as_user(fill(trap.step))
    as_user(fill(trap.look))
    verified = deployment.run(playbook="verify_staging.yml") if trap.causes or not trap.roles else None
    # Repaired before anything is asserted, so that the next case starts from a deployment that works.
    repair = deployment.run(timeout_s=BUILD_S) if trap.roles else None
    if verified:
        assert (verified.exit_code != 0) == bool(trap.causes), verified.output
        assert [cause for cause in trap.causes if cause not in verified.words] == [], verified.output
    if repair:
        assert repair.exit_code == 0, repair.output
        assert repair.changed_roles == set(trap.roles), repair.changed_tasks
        as_user(fill(trap.repaired))
        assert site.ask({"type": "ping"}) == {"type": "pong"}
        assert {BACKEND, FRONTEND} <= set(processes(as_user))
        rows("repaired")


def test_after_all_of_them_a_run_changes_nothing(deployment: Deployment, loops: Loops) -> None:
    outcome = deployment.run()
    assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
    assert (loops.page.failures, loops.api.failures, loops.socket.failures) == ([], [], [])
