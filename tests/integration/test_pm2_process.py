"""pm2_process against a real pm2: what changed, and which action really took effect."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.daemon import find_daemon
from ansible_collections.codeframe.staging.plugins.modules import pm2_process
from free_ports import free_port
from nginx_tree import wait_for

PM2 = os.environ.get("STAGING_TEST_PM2") or shutil.which("pm2")
OTHER_PM2_VERSION = "6.0.8"
pytestmark = [
    pytest.mark.skipif(not PM2 or not shutil.which("node"), reason="needs pm2 and Node.js"),
]

SERVER = """
const http = require('http'), fs = require('fs');
const answer = {release: fs.realpathSync(__dirname), cwd: process.cwd(), args: process.argv.slice(2),
                env: process.env.pm2_env ? JSON.parse(process.env.pm2_env) : process.env, node: process.execArgv};
answer.foo = process.env.FOO; answer.secret = process.env.SECRET; answer.stray = process.env.STRAY;
console.log('secret is ' + process.env.SECRET);
const server = http.createServer((q, r) => {
  r.statusCode = fs.existsSync(__dirname + '/status') ? +fs.readFileSync(__dirname + '/status') : 200;
  r.end(JSON.stringify(answer));
}).listen(+process.env.PORT, '127.0.0.1');
// A worker that exits in the moment of closing loses a connection that is on its way to it.
process.on('SIGINT', () => server.close(() => setTimeout(() => process.exit(0), 300)));
"""
CRASHING = "console.log('cannot open the database, password ' + process.env.SECRET); process.exit(7);\n"


@dataclass
class Site:
    """A project behind a link, and a pm2 of its own."""

    root: Path
    home: Path
    port: int
    options: dict[str, Any] = field(default_factory=dict)
    program: str = str(PM2)

    def run(self, check: bool = False, diff: bool = False, **changes: Any) -> dict[str, Any]:
        given = {
            "name": "web",
            "script": "server.js",
            "cwd": str(self.root / "app"),
            "env": {"PORT": str(self.port)},
            "health_url": f"http://127.0.0.1:{self.port}/",
            "health_timeout": 60,
            "stable_s": 0.3,
            **self.options,
            **changes,
        }
        if given.get("state", "online") != "online":
            given.pop("script")
        environment = {"PM2_HOME": str(self.home), "PATH": f"{Path(self.program).parent}:{os.environ['PATH']}"}
        with mock.patch.dict(os.environ, environment):
            return module_runner.run(pm2_process, given, check=check, diff=diff)

    def ok(self, **changes: Any) -> dict[str, Any]:
        result = self.run(**changes)
        assert not result["failed"], result["msg"]
        return result

    def pm2(self, *args: str, env: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            [str(PM2), "-s", *args],
            env={"PATH": os.environ["PATH"], "HOME": str(self.root), "PM2_HOME": str(self.home), **(env or {})},
            cwd=self.root,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def pids(self) -> dict[str, int]:
        return {entry["name"]: entry["pid"] for entry in json.loads(self.pm2("jlist"))}

    def answer(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request("GET", "/")
        value: dict[str, Any] = json.loads(connection.getresponse().read())
        connection.close()
        return value

    def answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            return bool(self.answer())
        return False

    def defines(self, **application: Any) -> dict[str, Any]:
        """Write an ecosystem file; gives the option that names it."""
        file = self.root / "ecosystem.json"
        file.write_text(json.dumps({"apps": [{"name": "web", **application}]}))
        return {"ecosystem_file": str(file)}

    def release(self, name: str, **files: str) -> Path:
        """Make a release and lead the link to it."""
        directory = self.root / "app.releases" / name
        directory.mkdir(parents=True, exist_ok=True)
        for file, text in {"server": SERVER, "crashing": CRASHING, **files}.items():
            (directory / f"{file}.js").write_text(text)
        link = self.root / "app.new"
        link.symlink_to(directory)
        link.rename(self.root / "app")
        return directory


@dataclass
class Answers:
    """What clients got that asked all the time."""

    given: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


@contextlib.contextmanager
def asked(site: Site, clients: int = 1, pause_s: float = 0) -> Iterator[Answers]:
    """Ask while something is changed."""
    answers, over = Answers(), threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                site.answer()
                answers.given.append(time.monotonic())
            except (OSError, http.client.HTTPException) as err:
                answers.failures.append(repr(err))
            over.wait(pause_s)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    # The path of a Unix socket is limited to about 100 characters.
    port = free_port()
    home = Path(f"/tmp/pm2-{os.getpid()}-{port}")
    made = Site(tmp_path, home, port)
    made.release("0001")
    yield made
    daemon = find_daemon(str(home))
    if daemon:
        made.pm2("kill")
    shutil.rmtree(home, ignore_errors=True)


def test_looking_starts_no_daemon(site: Site) -> None:
    result = site.run(check=True)
    assert (result["changed"], result["action"]) == (True, "start")
    assert result["reasons"] == ["no pm2 daemon runs", "no process of this name runs"]
    assert not site.home.exists()


def test_first_start_then_no_change(site: Site) -> None:
    first = site.ok()
    assert (first["action"], first["healthy"], first["saved"]) == ("start", True, True)
    second = site.ok()
    assert (second["changed"], second["action"], second["pid"]) == (False, "nothing", first["pid"])
    assert site.answer()["cwd"] == str(site.root / "app.releases" / "0001")


CHANGES = {
    "env value": ({"FOO": "1"}, {"FOO": "2"}, {}, "reload", "the variable FOO changed"),
    "env added": ({}, {"FOO": "2"}, {}, "reload", "the variable FOO is missing"),
    "env removed": ({"FOO": "1"}, {}, {}, "replace", "the variable FOO is set, but not part of the definition"),
    "args": ({}, {}, {"args": ["--loud", "two words"]}, "reload", "the arguments changed"),
    "script": ({}, {}, {"script": "other.js"}, "replace", "script is"),
    "cwd": ({}, {}, {"cwd": "elsewhere"}, "replace", "cwd is"),
    "interpreter args": ({}, {}, {"interpreter_args": "--no-warnings"}, "replace", "interpreter_args is none"),
    "memory limit": ({}, {}, {"max_memory_restart": "300M"}, "reload", "max_memory_restart is unset, not 314572800"),
    "revision": ({}, {}, {"revision": "r2"}, "reload", "its revision is unknown, not r2"),
}


@pytest.mark.parametrize(
    ("mode", "labels"),
    [
        pytest.param("fork", ["env value", "env removed", "script"], id="fork-main"),
        pytest.param("fork", list(CHANGES), marks=pytest.mark.slow, id="fork-all"),
        pytest.param("cluster", list(CHANGES), marks=pytest.mark.slow, id="cluster-all"),
    ],
)
def test_every_change_takes_effect_by_the_least_intrusive_action(site: Site, mode: str, labels: list[str]) -> None:
    site.release("0001", other=SERVER)
    (site.root / "elsewhere").symlink_to(site.root / "app.releases" / "0001")
    port = {"PORT": str(site.port)}
    for label in labels:
        before, after, options, action, reason = CHANGES[label]
        changed = {key: str(site.root / value) if key == "cwd" else value for key, value in options.items()}
        defined = {key: changed.pop(key) for key in ("interpreter_args", "max_memory_restart") if key in changed}
        site.ok(exec_mode=mode, env={**port, **before})
        changed.update(site.defines(**defined) if defined else {})
        predicted = site.run(check=True, exec_mode=mode, env={**port, **after}, **changed)
        done = site.ok(exec_mode=mode, env={**port, **after}, **changed)
        assert (predicted["action"], predicted["reasons"]) == (done["action"], done["reasons"]), label
        assert done["action"] == action, (label, done["reasons"])
        assert any(why.startswith(reason) for why in done["reasons"]), (label, done["reasons"])
        served = site.answer()
        assert served.get("foo") == after.get("FOO"), label
        assert served["args"] == options.get("args", []), label
        assert site.ok(exec_mode=mode, env={**port, **after}, **changed)["changed"] is False, label


@pytest.mark.slow
def test_mode_and_number_of_instances(site: Site) -> None:
    site.ok()
    assert site.ok(exec_mode="cluster")["action"] == "replace"
    scaled = site.ok(exec_mode="cluster", **site.defines(instances=2))
    assert (scaled["action"], len(scaled["pids"])) == ("scale", 2)
    assert site.ok(exec_mode="cluster", **site.defines(instances=2))["changed"] is False
    fewer = site.ok(exec_mode="cluster", **site.defines(instances=1))
    assert (fewer["action"], len(fewer["pids"])) == ("scale", 1)


def test_stopped_and_absent(site: Site) -> None:
    site.ok()
    assert site.ok(state="stopped")["action"] == "stop"
    assert site.ok(state="stopped")["changed"] is False
    again = site.ok()
    assert (again["action"], again["reasons"]) == ("start", ["it is stopped"])
    assert site.ok(state="absent")["action"] == "delete"
    assert site.ok(state="absent")["changed"] is False
    assert "web" not in site.pids()


def test_the_link_is_followed_when_the_revision_changes_and_only_then(site: Site) -> None:
    first = site.ok(revision="a")
    second_release = site.release("0002")
    same = site.ok(revision="a")
    assert (same["changed"], same["pid"]) == (False, first["pid"])
    moved = site.ok(revision="b")
    assert (moved["action"], moved["revision"]) == ("reload", "b")
    # In fork mode the port is closed until the new process listens. Without a change there is no downtime.
    assert 0 < moved["downtime_s"] < 30
    assert (first["downtime_s"], same["downtime_s"]) == (None, None)
    served = site.answer()
    assert (served["release"], served["cwd"]) == (str(second_release), str(second_release))


@pytest.mark.slow
def test_without_a_revision_the_directory_decides(site: Site) -> None:
    site.ok()
    site.release("0002")
    moved = site.ok()
    assert moved["action"] == "reload"
    assert "is a link to" in moved["reasons"][0]
    assert site.ok()["changed"] is False


def test_a_process_whose_release_was_deleted_is_reloaded(site: Site) -> None:
    site.ok(revision="a")
    site.release("0002")
    shutil.rmtree(site.root / "app.releases" / "0001")
    result = site.ok(revision="a")
    assert result["action"] == "reload"
    assert result["reasons"][0].endswith("no longer exists")


def test_nothing_of_the_callers_environment_reaches_the_process(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STRAY", "from the shell")
    site.ok()
    assert "stray" not in site.answer()


def test_variables_left_over_by_a_manual_restart_are_found(site: Site) -> None:
    site.ok()
    site.pm2("restart", "web", "--update-env", env={"STRAY": "left over"})
    wait_for(lambda: site.answers() and site.answer().get("stray") == "left over")
    result = site.ok()
    assert result["action"] == "replace"
    assert "the variable STRAY is set, but not part of the definition" in result["reasons"]
    assert "stray" not in site.answer()


def test_crash_loop_fails_with_the_last_lines_and_without_secrets(site: Site, tmp_path: Path) -> None:
    env_file = tmp_path / ".env.staging"
    env_file.write_text("SECRET=correct-horse\n")
    result = site.run(script="crashing.js", env_file=str(env_file), health_timeout=300)
    assert result["failed"]
    assert "crash loop" in result["msg"]
    assert "exit code 7" in result["msg"]
    assert "cannot open the database, password ********" in result["msg"]
    assert "correct-horse" not in json.dumps(result)


@pytest.mark.slow
def test_an_errored_process_is_started_again_when_it_is_repaired(site: Site) -> None:
    release = site.root / "app.releases" / "0001"
    (release / "server.js").write_text(CRASHING)
    assert site.run()["failed"]
    deadline = time.monotonic() + 20
    while json.loads(site.pm2("jlist"))[0]["pm2_env"]["status"] != "errored" and time.monotonic() < deadline:
        time.sleep(0.5)
    (release / "server.js").write_text(SERVER)
    result = site.ok()
    assert (result["action"], result["reasons"][0]) == ("start", "it is errored")


def test_an_unhealthy_process_is_replaced_once_and_then_judged(site: Site) -> None:
    site.ok()
    (site.root / "app/status").write_text("503")
    result = site.run(health_timeout=6)
    assert result["failed"]
    assert result["action"] == "replace"
    assert f"http://127.0.0.1:{site.port}/ answers 503, expected 200" in result["msg"]


def test_a_port_held_by_another_program_is_named_and_nothing_is_touched(site: Site) -> None:
    class Silent(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", site.port), Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        result = site.run()
    finally:
        server.shutdown()
        server.server_close()
    assert result["failed"]
    assert f"port {site.port} is held by" in result["msg"]
    assert f"pid {os.getpid()}" in result["msg"]
    assert find_daemon(str(site.home)) is None


def test_an_unmanaged_process_of_the_same_name_is_refused(site: Site) -> None:
    unmanaged = site.root / "unmanaged"
    unmanaged.mkdir()
    (unmanaged / "server.js").write_text("setInterval(() => 0, 1000)")
    site.pm2("start", str(unmanaged / "server.js"), "--name", "web", "--cwd", str(unmanaged))
    before = site.pids()
    result = site.run()
    assert result["failed"]
    assert "belongs to something else" in result["msg"]
    assert str(unmanaged) in result["msg"]
    assert site.pids() == before


def test_a_process_started_manually_from_the_same_directory_is_taken_over(site: Site) -> None:
    app = site.root / "app"
    site.pm2("start", str(app / "server.js"), "--name", "web", "--cwd", str(app), env={"PORT": str(site.port)})
    result = site.ok()
    assert (result["action"], result["healthy"]) == ("reload", True)
    assert "it was not started by this module for this project" in result["reasons"]


def test_processes_of_others_and_what_their_owner_saved_stay(site: Site) -> None:
    (site.root / "theirs.js").write_text("setInterval(() => 0, 1000)")
    for name in ("theirs", "unsaved"):
        site.pm2("start", str(site.root / "theirs.js"), "--name", name)
        if name == "theirs":
            site.pm2("save")
    os.chmod(site.home / "dump.pm2", 0o644)
    before = site.pids()
    assert site.ok()["saved"] is True
    after = site.pids()
    assert {name: after[name] for name in before} == before
    saved = {entry["name"] for entry in json.loads((site.home / "dump.pm2").read_text())}
    assert saved == {"theirs", "web"}
    for name in ("dump.pm2", "dump.pm2.bak"):
        assert (site.home / name).stat().st_mode & 0o777 == 0o600
    assert site.ok()["changed"] is False


def test_a_saved_list_that_others_can_read_is_closed(site: Site) -> None:
    site.ok()
    os.chmod(site.home / "dump.pm2", 0o644)
    assert site.run(check=True)["changed"] is True
    result = site.ok()
    assert (result["changed"], result["action"]) == (True, "nothing")
    assert (site.home / "dump.pm2").stat().st_mode & 0o777 == 0o600
    assert site.ok()["changed"] is False


@pytest.mark.parametrize(
    "orphaned", [pytest.param(False, marks=pytest.mark.slow, id="all-dead"), pytest.param(True, id="orphaned")]
)
def test_after_the_death_of_the_daemon_only_the_managed_process_is_started(site: Site, orphaned: bool) -> None:
    (site.root / "theirs.js").write_text("setInterval(() => 0, 1000)")
    site.pm2("start", str(site.root / "theirs.js"), "--name", "theirs")
    site.pm2("save")
    if orphaned:
        # A program without pm2's channel does not notice that the daemon is gone.
        arguments = ["-m", "http.server", "--bind", "127.0.0.1", str(site.port)]
        site.options = {"script": sys.executable, "args": arguments}
    site.ok()
    pids = site.pids()
    daemon = find_daemon(str(site.home))
    assert daemon is not None
    os.kill(daemon.pid, signal.SIGKILL)
    for name, pid in pids.items():
        if name == "theirs" or not orphaned:
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: find_daemon(str(site.home)) is None)
    predicted = site.run(check=True)
    assert (predicted["action"], predicted["reasons"][0]) == ("start", "no pm2 daemon runs")
    result = site.ok()
    assert result["healthy"] is True
    assert any("died left it running" in reason for reason in result["reasons"]) is orphaned
    assert any("`pm2 resurrect`" in warning for warning in result["warnings"])
    assert set(site.pids()) == {"web"}
    assert {entry["name"] for entry in json.loads((site.home / "dump.pm2").read_text())} == {"web", "theirs"}
    assert site.ok()["changed"] is False


def test_absent_also_from_the_saved_list_of_a_dead_daemon(site: Site) -> None:
    site.ok()
    site.pm2("kill")
    result = site.ok(state="absent")
    assert (result["changed"], result["action"]) == (True, "nothing")
    assert json.loads((site.home / "dump.pm2").read_text()) == []
    assert site.ok(state="absent")["changed"] is False


def test_an_ecosystem_file_is_evaluated_through_the_link(site: Site) -> None:
    (site.root / "app.releases" / "0001" / "ecosystem.config.js").write_text(
        "module.exports = {apps: [{name: 'web', script: __dirname + '/server.js', args: '--a b', cwd: __dirname,"
        f" exec_mode: 'cluster', env: {{PORT: {site.port}, FOO: 'eco'}}, max_memory_restart: '1G'}}]}}"
    )
    options = {"ecosystem_file": str(site.root / "app" / "ecosystem.config.js"), "script": None, "cwd": None, "env": {}}
    first = site.ok(**options)
    assert first["action"] == "start"
    assert (site.answer()["foo"], site.answer()["args"]) == ("eco", ["--a", "b"])
    entry = json.loads(site.pm2("jlist"))[0]["pm2_env"]
    assert entry["pm_cwd"] == str(site.root / "app")
    assert site.ok(**options)["changed"] is False
    unknown = site.run(**options, name="api")
    assert unknown["failed"]
    assert "defines no application named api (it defines: web)" in unknown["msg"]


@pytest.mark.slow
def test_an_application_that_never_says_ready_is_reported_and_waited_for_once(site: Site) -> None:
    options: dict[str, Any] = site.defines(wait_ready=True, listen_timeout=1500)
    result = site.ok(**options)
    assert any("never told pm2 that it is ready" in warning for warning in result["warnings"])
    assert site.ok(**options)["changed"] is False
    options["env"] = {"PORT": str(site.port), "FOO": "2"}
    again = site.ok(**options)
    assert (again["action"], again["warnings"]) == ("replace", [])
    assert not json.loads(site.pm2("jlist"))[0]["pm2_env"].get("wait_ready")
    assert site.ok(**options)["changed"] is False


def test_a_home_of_another_user_is_refused(site: Site) -> None:
    site.home.mkdir()
    os.chown(site.home, 65534, 65534)
    result = site.run()
    assert result["failed"]
    assert "belongs to nobody; run this task as nobody" in result["msg"]
    os.chown(site.home, 0, 0)


def test_a_program_that_is_missing_is_found_before_the_old_process_goes(site: Site) -> None:
    first = site.ok()
    result = site.run(script="nowhere.js")
    assert result["failed"]
    assert "its script" in result["msg"]
    assert site.pids()["web"] == first["pid"]


def test_a_program_of_its_own_needs_no_interpreter(site: Site) -> None:
    options = {"script": sys.executable, "args": ["-m", "http.server", "--bind", "127.0.0.1", str(site.port)]}
    result = site.ok(**options)
    assert result["healthy"] is True
    assert (
        site.ok(script=sys.executable, args=["-m", "http.server", "--bind", "127.0.0.1", str(site.port)])["changed"]
        is False
    )


@pytest.mark.slow
def test_a_cluster_reload_refuses_no_connection(site: Site) -> None:
    site.ok(exec_mode="cluster", revision="a")
    with asked(site, clients=3) as answers:
        for number in range(4):
            site.release(f"000{number + 2}")
            reloaded = site.ok(exec_mode="cluster", revision=f"b{number}")
            assert (reloaded["action"], reloaded["downtime_s"]) == ("reload", 0)
    assert len(answers.given) > 100
    assert answers.failures == []


@pytest.mark.slow
def test_a_reload_into_a_crash_fails_and_a_rollback_works(site: Site) -> None:
    site.ok(exec_mode="cluster", revision="a")
    site.release("0002", server=CRASHING)
    result = site.run(exec_mode="cluster", revision="b", health_timeout=4)
    assert result["failed"]
    assert "cannot open the database" in result["msg"]
    site.release("0001")
    rolled_back = site.ok(exec_mode="cluster", revision="a", health_timeout=10)
    assert rolled_back["changed"] is True
    assert site.answer()["release"] == str(site.root / "app.releases" / "0001")


@pytest.mark.slow
def test_a_cluster_reload_waits_for_an_application_that_is_slow_to_listen(site: Site) -> None:
    slow = "setTimeout(() => {" + SERVER + "}, 4500)"
    site.release("0001", server=slow)
    site.ok(exec_mode="cluster", revision="a", health_timeout=20)
    with asked(site, pause_s=0.02) as answers:
        site.release("0002", server=slow)
        assert site.ok(exec_mode="cluster", revision="b", health_timeout=20)["action"] == "reload"
    assert len(answers.given) > 20
    assert answers.failures == []


def test_a_manual_process_hands_its_port_over_when_its_successor_is_ready(site: Site) -> None:
    """A server that needs a second before it listens refuses connections for milliseconds."""
    site.release("0001", server=f"const t = Date.now() + 1000; while (Date.now() < t);\n{SERVER}")
    file = manual(site, "my-server")
    with asked(site, pause_s=0.1) as answers:
        result = site.ok(exec_mode="cluster", manual_file=str(file), take_over=True, project_dir=str(site.root / "app"))
    assert result["action"] == "start"
    assert set(site.pids()) == {"web"}
    assert result["downtime_s"] < 0.5, result
    assert len(answers.failures) <= 2, answers.failures
    # What runs is what was asked for: nothing of the temporary instance.
    assert site.answer()["node"] == []
    assert not site.ok(exec_mode="cluster", manual_file=str(file), project_dir=str(site.root / "app"))["changed"]


@pytest.mark.slow
def test_a_replacement_in_cluster_mode_refuses_no_connection(site: Site) -> None:
    site.ok(exec_mode="cluster", env={"PORT": str(site.port), "FOO": "removed"})
    with asked(site, clients=3) as answers:
        replaced = site.ok(exec_mode="cluster")
    assert (replaced["action"], replaced["downtime_s"]) == ("replace", 0)
    assert (set(site.pids()), site.answer().get("foo")) == ({"web"}, None)
    assert answers.failures == []


def test_a_temporary_process_of_a_killed_replacement_is_deleted(site: Site) -> None:
    site.ok(name="web-incoming", exec_mode="cluster")
    # Its previous process was deleted, its successor not started.
    result = site.ok(exec_mode="cluster")
    assert "the temporary process web-incoming is left from a replacement" in result["reasons"]
    assert set(site.pids()) == {"web"}
    assert not site.ok(exec_mode="cluster")["changed"]
    # Its successor was started as well.
    environment = {"PORT": str(site.port), "STAGING_PROJECT": "-"}
    site.pm2("start", str(site.root / "app/server.js"), "--name", "web-incoming", "-i", "1", env=environment)
    assert site.run(check=True, exec_mode="cluster")["changed"]
    result = site.ok(exec_mode="cluster")
    assert (result["action"], result["changed"], set(site.pids())) == ("nothing", True, {"web"})
    # One of the same name that a user has started is not touched.
    site.pm2("start", "sleep", "--name", "web-incoming", "--", "1000")
    assert not site.ok(exec_mode="cluster")["changed"]
    assert set(site.pids()) == {"web", "web-incoming"}


@pytest.fixture(scope="module")
def other_pm2(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pm2 of another major version, from the npm registry."""
    prefix = tmp_path_factory.mktemp("other-pm2")
    subprocess.run(
        ["npm", "install", "--no-audit", "--no-fund", f"--prefix={prefix}", f"pm2@{OTHER_PM2_VERSION}"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
        timeout=300,
    )
    return str(prefix / "node_modules/.bin/pm2")


@pytest.mark.slow
def test_a_daemon_of_another_version_is_reported_and_kept(site: Site, other_pm2: str) -> None:
    site.program = other_pm2
    result = site.ok()
    assert result["daemon_version"] == OTHER_PM2_VERSION
    assert result["warnings"] == []
    daemon = find_daemon(str(site.home))
    site.program = str(PM2)
    again = site.ok()
    assert again["changed"] is False
    assert any("`pm2 update`" in warning for warning in again["warnings"])
    assert find_daemon(str(site.home)) == daemon


UPGRADE = """
server.on('upgrade', (request, socket) => {
  if (request.url !== '/ws?token=t0ken' || request.headers.origin !== 'http://page') {
    return socket.end('HTTP/1.1 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n');
  }
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
  const accept = require('crypto').createHash('sha1').update(key).digest('base64');
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\n'
    + 'Sec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n');
  socket.on('data', () => socket.end());
});
"""


def test_a_process_that_was_started_must_accept_a_websocket(site: Site) -> None:
    site.release("0001", server=SERVER + UPGRADE)
    options: dict[str, Any] = {
        "health_websocket_url": f"ws://127.0.0.1:{site.port}/ws",
        "health_websocket_origin": "http://page",
    }
    refused = site.run(**options, health_websocket_query={"token": "another"})
    assert refused["failed"]
    assert f"ws://127.0.0.1:{site.port}/ws answers the WebSocket handshake with 403 Forbidden" in refused["msg"]
    assert refused["healthy"] is False
    # It answers otherwise, so it is no reason to replace the process: the inputs may be wrong.
    pids = site.pids()
    assert site.ok(**options, health_websocket_query={"token": "another"})["action"] == "nothing"
    accepted = site.ok(**options, health_websocket_query={"token": "t0ken"}, args=["--changed"])
    assert (accepted["changed"], accepted["healthy"]) == (True, True)
    assert site.pids() != pids
    # Without a page to ask, the WebSocket alone says whether it works.
    alone = {**options, "health_url": None, "args": ["--changed"]}
    assert site.ok(**alone, health_websocket_query={"token": "t0ken"})["changed"] is False
    assert site.run(**alone, health_websocket_query={"token": "another"}, check=True)["action"] == "replace"


@pytest.mark.parametrize("mode", ["fork", pytest.param("cluster", marks=pytest.mark.slow)])
def test_a_process_may_listen_on_a_unix_socket(site: Site, mode: str) -> None:
    path = f"{site.home}.sock"
    site.release("0001", server=SERVER.replace("+process.env.PORT, '127.0.0.1'", "process.env.PORT"))
    options: dict[str, Any] = {
        "env": {"PORT": path},
        "health_url": "http://localhost/",
        "health_socket": path,
        "exec_mode": mode,
    }
    first = site.ok(**options)
    assert (first["action"], first["healthy"]) == ("start", True)
    assert site.ok(**options)["changed"] is False
    changed = site.ok(**options, args=["--changed"])
    assert (changed["healthy"], changed["downtime_s"] is None) == (True, False)
    held = site.run(**{**options, "name": "other"})
    assert held["failed"]
    # In cluster mode, the daemon has the socket.
    holder = "the pm2 process web" if mode == "fork" else "PM2 "
    assert f"other cannot be started: the socket {path} is held by {holder}" in held["msg"]
    assert site.ok(state="absent")["changed"] is True
    assert not Path(path).exists()


@pytest.mark.slow
def test_a_socket_that_a_killed_process_left_is_named(site: Site) -> None:
    path = f"{site.home}.sock"
    site.release("0001", server=SERVER.replace("+process.env.PORT, '127.0.0.1'", "process.env.PORT"))
    options: dict[str, Any] = {"env": {"PORT": path}, "health_url": "http://localhost/", "health_socket": path}
    site.ok(**options)
    # Node.js leaves the file, and does not listen where there is one.
    os.kill(site.pids()["web"], signal.SIGKILL)
    failed = site.run(**options)
    assert f"{path} is left over from a process that ended: remove it before the application listens" in failed["msg"]
    Path(path).unlink()
    assert site.ok(**options)["healthy"] is True


def test_processes_of_the_same_project_are_named(site: Site) -> None:
    site.ok(project_dir=str(site.root / "app"))
    other = site.ok(name="other", project_dir=str(site.root / "app"), env={"PORT": "0"}, health_url=None)
    assert other["project_processes"] == ["web"]
    assert site.ok(name="third", env={"PORT": "0"}, health_url=None)["project_processes"] == []


PYTHON_SERVER = """
import http.server, os
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="by-its-name", marks=pytest.mark.slow),
        pytest.param({"interpreter": "python3"}, id="by-name", marks=pytest.mark.slow),
        pytest.param({"interpreter": "./venv/bin/python"}, id="relative"),
        pytest.param({"interpreter": sys.executable}, id="absolute", marks=pytest.mark.slow),
    ],
)
def test_a_script_of_another_language_runs_by_its_interpreter(site: Site, given: dict[str, str]) -> None:
    """pm2 gives Python a variable that nobody asked for."""
    release = site.root / "app.releases" / "0001"
    (release / "server.py").write_text(PYTHON_SERVER)
    (release / "venv/bin").mkdir(parents=True)
    (release / "venv/bin/python").symlink_to(sys.executable)
    ecosystem = {"apps": [{"name": "web", "script": "server.py", "cwd": str(site.root / "app"), **given}]}
    (release / "ecosystem.json").write_text(json.dumps(ecosystem))
    options = {"ecosystem_file": str(site.root / "app/ecosystem.json"), "script": None, "cwd": None}
    first = site.ok(**options)
    assert (first["action"], first["healthy"]) == ("start", True)
    again = site.ok(**options)
    assert (again["changed"], again["reasons"]) == (False, [])


def manual(site: Site, name: str) -> Path:
    """A process that was started manually with an environment of its own, and the file to save it to."""
    environment = {"PORT": str(site.port), "FOO": "manual", "SECRET": "s3cret"}
    site.pm2(
        "start", str(site.root / "app/server.js"), "--name", name, "--cwd", str(site.root / "app"), env=environment
    )
    site.pm2("save", "--force")
    wait_for(site.answers)
    return site.root / "app.releases/manual/web.json"


@pytest.mark.parametrize("name", ["web", pytest.param("my-server", marks=pytest.mark.slow)])
def test_a_manual_process_is_replaced_saved_and_restored_with_its_environment(site: Site, name: str) -> None:
    file = manual(site, name)
    before = site.answer()
    options = {"manual_file": str(file), "take_over": True, "project_dir": str(site.root / "app")}
    predicted = site.run(check=True, **options)
    assert (predicted["changed"], file.exists()) == (True, False)
    result = site.ok(**options)
    assert result["action"] == predicted["action"]
    if name != "web":
        assert f"the manual process {name} has its port and is replaced" in result["reasons"]
    assert (set(site.pids()), site.answer().get("foo")) == ({"web"}, None)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert "s3cret" not in json.dumps(result)
    saved = file.read_text()
    assert not site.ok(**options)["changed"]
    assert file.read_text() == saved
    names = [entry["name"] for entry in json.loads((site.home / "dump.pm2").read_text())]
    assert names == ["web"]

    predicted = site.run(check=True, state="restored", cwd=None, **options)
    assert (predicted["changed"], set(site.pids())) == (True, {"web"})
    restored = site.ok(state="restored", cwd=None, **options)
    assert (restored["changed"], restored["healthy"]) == (True, True)
    after = site.answer()
    assert set(site.pids()) == {name}
    assert {key: after.get(key) for key in ("foo", "secret", "cwd", "args", "release")} == {
        key: before.get(key) for key in ("foo", "secret", "cwd", "args", "release")
    }
    names = [entry["name"] for entry in json.loads((site.home / "dump.pm2").read_text())]
    assert names == [name]
    assert not site.ok(state="restored", cwd=None, **options)["changed"]
    # It can be taken over again.
    assert site.ok(**options)["changed"]
    assert set(site.pids()) == {"web"}


def test_a_process_of_another_name_is_refused_without_take_over(site: Site) -> None:
    file = manual(site, "my-server")
    pids = site.pids()
    result = site.run(manual_file=str(file), project_dir=str(site.root / "app"))
    assert "is held by the pm2 process my-server; nothing was changed" in result["msg"]
    assert (site.pids(), file.exists()) == (pids, False)


def test_a_process_of_another_application_is_not_taken_over(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "server.js").write_text(SERVER)
    site.pm2("start", str(other / "server.js"), "--name", "shop", "--cwd", str(other), env={"PORT": str(site.port)})
    wait_for(site.answers)
    pids = site.pids()
    result = site.run(manual_file=str(tmp_path / "m.json"), take_over=True, project_dir=str(site.root / "app"))
    assert "is held by the pm2 process shop; nothing was changed" in result["msg"]
    assert site.pids() == pids


def test_a_start_that_pm2_refuses_leaves_the_manual_process(site: Site) -> None:
    file = manual(site, "my-server")
    before = site.answer()["foo"]
    result = site.run(manual_file=str(file), take_over=True, script="no-such.js", project_dir=str(site.root / "app"))
    assert "no-such.js does not exist" in result["msg"]
    assert (set(site.pids()), site.answer()["foo"]) == ({"my-server"}, before)


def test_without_a_saved_process_nothing_is_restored(site: Site, tmp_path: Path) -> None:
    site.ok()
    pids = site.pids()
    assert not site.ok(state="restored", cwd=None, manual_file=str(tmp_path / "none.json"))["changed"]
    (tmp_path / "none.json").write_text('{"apps": [{}]}')
    assert "is damaged" in site.run(state="restored", cwd=None, manual_file=str(tmp_path / "none.json"))["msg"]
    assert site.pids() == pids
