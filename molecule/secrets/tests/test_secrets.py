"""Ten planted secrets, and one made on the host, through whole deployments at the highest verbosity.

One deployment serves all checks: check mode, the deployment itself, a run that fails with the backend already
replaced, and one that preflight refuses. Each place is then searched, and so is each place with a secret put there by
this test, since a search that finds nothing proves something only if it would have found it.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import CHECKOUT, Deployment, Outcome
from outside import Site
from planted import ASKED, MARK, SAMPLE, Found, Searcher, holds, needles, plant
from process_arguments import ArgumentsWatch

Host = testinfra.host.Host
pytestmark = pytest.mark.quick

#: Where a secret may stand, readable by its owner alone: the env file and what keeps it, and what pm2 starts from.
NEEDED = (".env.staging", "/generated.env", "/.pm2/dump.pm2", "/.pm2/dump.pm2.bak")
#: No secret: stands where a secret would be seen if it were treated like this value.
SHOWN = f"Shown{os.urandom(5).hex()}"
#: Runs until its own argument is among those that were seen.
SEEN = """\
import sys, time
while sys.argv[1].encode() not in open("/root/arguments", "rb").read():
    time.sleep(0.1)
"""
JOURNAL = """\
import subprocess
print(subprocess.run(["journalctl", "-o", "json", "--all"], capture_output=True, text=True).stdout)
"""
SOCKETS = """\
import json, socket
opened = []
for path in ["/home/deploy/.pm2/rpc.sock", "/home/deploy/.pm2/pub.sock"]:
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(path)
        opened.append(path)
    except OSError:
        pass
print(json.dumps(opened))
"""


def variables_with(secrets: dict[str, str]) -> dict[str, Any]:
    return {
        "staging_env_secrets": {
            "QUOTED": secrets["quoted"],
            "SPACED": secrets["spaced"],
            "LINES": secrets["lines"],
            "APOSTROPHE": secrets["apostrophe"],
            "ESCAPED": secrets["escaped"],
        },
        "staging_env": {"SHOWN": SHOWN},
        "staging_env_generate": {"AUTH_SECRET": {"length": 64}},
        "staging_env_required_keys": ["AUTH_SECRET", "QUOTED"],
        "staging_websocket_secret_headers": {"X-Token": secrets["header"]},
        "staging_websocket_secret_query": {"token": secrets["query"]},
        "staging_proxy_manager_secret": secrets["proxy_manager_secret"],
        "staging_proxy_manager_token": secrets["proxy_manager_token"],
    }


@dataclass(frozen=True)
class Traces:
    """What the runs left behind."""

    outputs: dict[str, Outcome]
    arguments_here: ArgumentsWatch
    arguments_on_host: bytes
    needles: list[str]
    """What must be nowhere but where it is needed."""
    searcher: Searcher
    given: Path

    @property
    def all_needles(self) -> list[str]:
        return [*self.needles, *needles(ASKED)]


@pytest.fixture(scope="session")
def traces(deployment: Deployment, host: Host, variables: dict[str, Any]) -> Iterator[Traces]:
    secrets = {
        "quoted": plant("0", 'a"b ', " #x=;&|<>(y)"),
        "spaced": plant("1", "  ", " \u00fc\u2713 "),
        "lines": plant("2", "-----BEGIN-----\n", "\n-----END-----"),
        "apostrophe": plant("3", "it's ", " *?"),
        "escaped": plant("4", "%40\\n", "~!"),
        "header": plant("5", "Bearer "),
        "query": plant("6", "", "&a=b c", mark=ASKED),
        "proxy_manager_secret": plant("7", "p$", "'\""),
        "proxy_manager_token": plant("8"),
        "git": plant("9"),
    }
    changed = {**secrets, "quoted": plant("changed", 'a"b ')}
    refused = {"staging_source_type": "git", "staging_git_url": f"https://me:{secrets['git']}@git.example.com/app.git"}
    broken = {"staging_backend_health_url": "http://127.0.0.1:14200/nowhere", "backend_health_timeout": 4}
    searcher = Searcher(variables, since=time.time() - 1)
    with tempfile.TemporaryDirectory(prefix="given-") as directory:
        given = Path(directory)

        def run(name: str, values: dict[str, Any], *more: str) -> Outcome:
            (given / name).write_text(json.dumps(values))
            return deployment.run("-vvvv", "--diff", *more, variables=[f"@{given / name}"])

        with host.sudo():
            host.check_output("touch /root/sampling")
        there = searcher.start_on_host(SAMPLE)
        with ArgumentsWatch() as here:
            outputs = {
                "check": run("check", variables_with(secrets), "--check"),
                "deployment": run("deployment", variables_with(secrets)),
                "failure": run("failure", {**variables_with(changed), **broken}),
                "refusal": run("refusal", {**variables_with(secrets), **refused}),
            }
            with host.sudo():
                host.check_output("timeout 60 python3 -c %s %s", SEEN, SHOWN)
        with host.sudo():
            host.check_output("rm /root/sampling")
            there.wait(timeout=60)
            env = host.check_output("cat %s/.env.staging", variables["staging_project_dir"])
        made = env.partition("AUTH_SECRET=")[2].partition("\n")[0]
        assert len(made) == 64, "no secret was made on the host"
        arguments = searcher.on_host("import sys; sys.stdout.write(open('/root/arguments', errors='replace').read())")
        yield Traces(outputs, here, arguments.encode(), needles(MARK, made), searcher, given)


def test_the_runs_end_as_they_should(traces: Traces, site: Site) -> None:
    ends = {name: (outcome.exit_code == 0, sorted(outcome.failed_roles)) for name, outcome in traces.outputs.items()}
    assert ends == {
        "check": (True, []),
        "deployment": (True, []),
        # After the rollback, the playbook fails the run outside of any role.
        "failure": (False, ["", "backend"]),
        "refusal": (False, ["preflight"]),
    }, "\n".join(name for name, (ended, _roles) in ends.items() if not ended)
    assert "is active again and verified" in traces.outputs["failure"].words
    assert site.ask({"type": "ping"}) == {"type": "pong"}


@pytest.mark.parametrize("name", ["check", "deployment", "failure", "refusal"])
def test_no_secret_is_in_the_output(name: str, traces: Traces) -> None:
    output = traces.outputs[name].output
    assert SHOWN in output, "what may be shown is not"
    tasks = {"": 0}
    task = ""
    for line in output.splitlines():
        if line.startswith("TASK ["):
            task = line.strip("* ")
        elif holds(line, traces.all_needles):
            tasks[task] = tasks.get(task, 0) + 1
    assert tasks == {"": 0}


def test_no_secret_is_in_an_argument_of_a_process(traces: Traces) -> None:
    assert traces.arguments_here.showing("ansible-playbook")
    assert traces.arguments_here.showing(SHOWN)
    assert holds(traces.arguments_on_host, [SHOWN])
    assert b"pm2" in traces.arguments_on_host
    assert b"npm" in traces.arguments_on_host
    assert traces.arguments_here.showing(*traces.all_needles) == []
    lines = traces.arguments_on_host.splitlines()
    assert [line for line in lines if holds(line, traces.all_needles)] == []


def test_another_user_of_the_host_finds_no_secret(traces: Traces, host: Host) -> None:
    """The build, the scripts of the page, backups, temporary directories, what pm2 writes: read as anybody can."""
    assert traces.searcher.files_on_host(traces.all_needles, user="nobody") == []
    # Whether the deploy user's home is closed is the host's affair: nothing may depend on it.
    with host.sudo():
        mode = f"{host.file('/home/deploy').mode:o}"
        host.check_output("chmod 755 /home/deploy")
    try:
        assert traces.searcher.files_on_host(traces.needles, user="nobody") == []
        assert json.loads(traces.searcher.on_host(SOCKETS, user="nobody")) == []
    finally:
        with host.sudo():
            host.check_output("chmod %s /home/deploy", mode)


def is_needed(found: Found) -> bool:
    return found.path.endswith(NEEDED) and found.mode & 0o077 == 0


def test_secrets_stand_only_where_they_are_needed_and_private(traces: Traces) -> None:
    """As root, who sees everything: nothing but the env files, and what pm2 starts the processes from."""
    found = traces.searcher.files_on_host(traces.needles)
    assert [item for item in found if not is_needed(item)] == []
    assert {Path(item.path).name for item in found} >= {".env.staging", "generated.env", "dump.pm2"}


def test_a_token_in_a_query_is_in_the_logs_of_the_servers_alone(traces: Traces) -> None:
    logs = ("/var/log/nginx/access.log", "/home/deploy/.pm2/logs/")
    found = traces.searcher.files_on_host(needles(ASKED))
    assert [item for item in found if not item.path.startswith(logs)] == []
    assert [prefix for prefix in logs if not any(item.path.startswith(prefix) for item in found)] == []


def test_no_secret_is_in_the_journal(traces: Traces) -> None:
    journal = traces.searcher.on_host(JOURNAL)
    assert "ansible" in journal, "the journal of the host is empty"
    assert [line for line in journal.splitlines() if holds(line, traces.all_needles)] == []


def places_here() -> list[Path]:
    return [Path.home() / ".ansible", Path(tempfile.gettempdir()), CHECKOUT / ".cache"]


def test_no_secret_is_in_a_file_of_the_controller(traces: Traces) -> None:
    assert traces.searcher.files_here(traces.all_needles, places_here(), [traces.given]) == []


def test_no_secret_is_in_what_the_page_loads(traces: Traces, site: Site, variables: dict[str, Any]) -> None:
    scripts = site.scripts()
    assert holds(scripts, [variables["staging_public_ws_url"]])
    assert not holds(scripts + site.get("/")[1], traces.all_needles)


PLANTED_THERE = {
    "/tmp/left-by-a-module": "plain",
    "/home/deploy/.ansible/tmp/left-by-a-module": "base64",
    "{project}/web-ui/.next/static/chunks/left.js": "json",
    "{project}/.env.staging.20300101T000000Z.bak": "shell",
    "/home/deploy/.pm2/logs/left-out.log": "plain",
    "/var/log/nginx/left.log": "plain",
    "{releases}/archive.tar.gz": "gzip",
}
PLANT = """\
import base64, gzip, json, os, shlex, syslog
for path, form in GIVEN["places"].items():
    text = GIVEN["secret"]
    data = {
        "plain": lambda: text.encode(),
        "json": lambda: json.dumps(text).encode(),
        "shell": lambda: shlex.quote(text).encode(),
        "base64": lambda: base64.b64encode(b"x:" + text.encode()),
        "gzip": lambda: gzip.compress(text.encode()),
    }[form]()
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data)
    os.chmod(path, 0o644)
syslog.syslog("left " + GIVEN["secret"])
"""


def test_the_search_finds_what_is_left_in_each_of_these_places(
    traces: Traces, host: Host, variables: dict[str, Any]
) -> None:
    project = variables["staging_project_dir"]
    places = {
        path.format(project=project, releases=f"{project}.releases"): form for path, form in PLANTED_THERE.items()
    }
    secret = plant("self-test", "a'b\"", "\n$c")
    try:
        traces.searcher.on_host(f"GIVEN = {{'places': {places!r}, 'secret': {secret!r}}}\n{PLANT}")
        found = traces.searcher.files_on_host(traces.needles)
        spotted = {os.path.realpath(item.path) for item in found if not is_needed(item)}
        with host.sudo():
            expected = {host.check_output("realpath %s", path) for path in places}
        # The journal's own file holds it as well.
        assert {path for path in spotted if "/journal/" not in path} == expected
        open_to_all = {item.path for item in traces.searcher.files_on_host(traces.needles, user="nobody")}
        assert "/tmp/left-by-a-module" in open_to_all
        assert holds(traces.searcher.on_host(JOURNAL), traces.needles)
    finally:
        with host.sudo():
            for path in places:
                host.check_output("rm -f %s", path)


def test_the_search_finds_what_is_left_on_the_controller_and_in_arguments(traces: Traces) -> None:
    secret = plant("self-test")
    left = [Path(tempfile.gettempdir()) / "left-by-the-controller", Path.home() / ".ansible" / "left-by-the-controller"]
    try:
        for path in left:
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps({"value": secret}))
        found = traces.searcher.files_here(traces.needles, places_here(), [traces.given])
        assert {item.path for item in found} == {str(path) for path in left}
    finally:
        for path in left:
            path.unlink(missing_ok=True)
    with ArgumentsWatch() as watch:
        process = subprocess.Popen(["python3", "-c", "input()", secret], stdin=subprocess.PIPE)
        try:
            watch.await_sight(secret)
        finally:
            process.communicate(b"\n", timeout=60)
    assert watch.showing(*traces.needles)
