#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pm2_process
short_description: Keep one pm2 process as it should be, and healthy
version_added: 0.1.0
description:
  - Compares the process that pm2 runs with the one that is wanted (script, arguments, directory, interpreter, execution
    mode, number of instances, environment, revision, limits) and takes the least intrusive action that really takes
    effect.
  - C(pm2 restart) and C(pm2 reload) ignore a changed script, directory, execution mode and number of instances, and
    keep removed variables; in these cases the process is replaced (deleted and started again).
  - A process counts as healthy when its port answers, when it is this process that listens there, when its pid is
    stable and its number of restarts does not move. What pm2 calls C(online) may be a crash loop.
  - An unhealthy process whose definition is right is replaced once and then judged.
  - Processes of other names are never touched, and the daemon is never killed or updated.
options:
  name:
    description:
      - Name of the process in pm2.
    type: str
    required: true
  state:
    description:
      - V(online), as described and healthy.
      - V(stopped), known to pm2 but not running; a process that pm2 does not know is stopped enough.
      - V(absent), not known to pm2.
    type: str
    choices: [online, stopped, absent]
    default: online
  script:
    description:
      - The program, absolute or relative to O(cwd). A link in it stays unresolved, so that a reload follows the link.
      - Required for O(state=online), unless O(ecosystem_file) names it.
    type: path
  args:
    description:
      - Arguments, one per entry.
    type: list
    elements: str
  cwd:
    description:
      - The working directory. A link in it stays unresolved.
      - Required for O(state=online), unless O(ecosystem_file) names it.
    type: path
  interpreter:
    description:
      - What runs the script; V(none) for a program of its own.
      - By default V(node) for JavaScript and for scripts with C(node) in their first line, otherwise V(none).
    type: str
  interpreter_args:
    description:
      - Arguments of the interpreter.
    type: list
    elements: str
  exec_mode:
    description:
      - Only in V(cluster) mode, which needs Node.js, does a reload refuse no connection. The application must close its
        server when it gets SIGINT, as Next.js does; otherwise the connections just handed to it hang.
      - By default V(fork).
    type: str
    choices: [fork, cluster]
  instances:
    description:
      - How many processes of this name run. By default 1.
    type: int
  env:
    description:
      - Variables of the process, beside E(PATH), E(HOME), E(USER), E(LOGNAME) and E(LANG), which the module sets.
      - Nothing else gets into it, neither from the shell that runs the module nor from the daemon's own environment.
        A process that needs a proxy or a certificate bundle (E(NODE_EXTRA_CA_CERTS), E(SSL_CERT_FILE)) is given it
        here.
      - Values may appear in the log of the controller; put secrets into O(env_file).
    type: dict
    default: {}
  env_file:
    description:
      - A file of variables (C(.env) syntax as npm's C(dotenv) reads it), all of which are given to the process.
      - Its values are never shown. O(env) wins over it.
    type: path
  revision:
    description:
      - What the process serves, for example a digest of source and environment. Kept in the environment of the process
        as E(STAGING_REVISION), so that a deployment that was interrupted is finished by the next run.
      - Without it, a process is outdated when it runs in another directory than O(cwd) leads to.
    type: str
  project_dir:
    description:
      - The directory of the project, kept in the environment of the process as E(STAGING_PROJECT).
      - A process of this name that belongs to another project, or that runs from other directories, is refused.
    type: path
  adopt:
    description:
      - Replace a process of this name even if it belongs to something else.
    type: bool
    default: false
  ecosystem_file:
    description:
      - An ecosystem file of your own (JavaScript or JSON), evaluated by Node.js. Other options given win over it.
    type: path
  only:
    description:
      - Name of the application in O(ecosystem_file). By default O(name).
    type: str
  max_memory_restart:
    description:
      - Memory (V(512M)) above which pm2 restarts the process.
    type: str
  kill_timeout_ms:
    description:
      - Milliseconds between the polite signal and the kill.
    type: int
  wait_ready:
    description:
      - Let pm2 wait for the C(ready) message of the application. One that never sends it costs the whole
        O(listen_timeout_ms) at every start; such a start is reported.
    type: bool
  listen_timeout_ms:
    description:
      - Milliseconds that pm2 waits for an application to listen or to be ready. A reload in V(cluster) mode stops the
        old process then, whether the new one listens or not.
      - In V(cluster) mode by default O(health_timeout), at most 30 seconds; otherwise pm2's own 3 seconds.
    type: int
  log_dir:
    description:
      - Directory of the logs C(<name>-out.log) and C(<name>-error.log). By default pm2's own.
    type: path
  health_url:
    description:
      - URL that must answer with one of O(health_status), asked without proxies and without following redirections.
    type: str
  health_status:
    description:
      - The HTTP status codes that count as healthy.
    type: list
    elements: int
    default: [200]
  health_websocket_url:
    description:
      - URL at which a process that was started or reloaded must accept a WebSocket handshake. Where there is no
        O(health_url), a process that needs no change must accept it too.
    type: str
  health_websocket_origin:
    description:
      - Origin that is sent with it, as a browser does.
    type: str
  health_websocket_headers:
    description:
      - Further headers of it, whose values are never shown.
    type: dict
  health_websocket_query:
    description:
      - Further query parameters of it, such as a token, whose values are never shown.
    type: dict
  health_port:
    description:
      - TCP port on which the process must listen. By default the port of O(health_url), or else of
        O(health_websocket_url), if that is on this host.
    type: int
  health_timeout:
    description:
      - Seconds a process may take until it is healthy.
    type: int
    default: 60
  stable_s:
    description:
      - Seconds for which the pid and the number of restarts must not move.
    type: float
    default: 3
  pm2:
    description:
      - Name or path of the pm2 program.
    type: str
    default: pm2
  pm2_home:
    description:
      - Directory of the pm2 daemon. By default E(PM2_HOME), or C(.pm2) in the home of the user.
    type: path
  node_bin_dir:
    description:
      - Directory of the C(node) program, put first into E(PATH).
    type: path
  save:
    description:
      - Save the list of processes for the next boot when something changed or when the saved list is not what runs.
      - The file is made private (0600), also when it was not; entries of other processes stay as their owner saved
        them.
    type: bool
    default: true
attributes:
  check_mode:
    description: Predicts the action; looking never starts a daemon.
    support: full
  diff_mode:
    description: Shows what differs; of variables only their names.
    support: full
notes:
  - Run it as the user that owns the pm2 daemon.
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Run the backend
  codeframe.staging.pm2_process:
    name: codeframe-staging-backend
    script: .venv/bin/python
    args: [-m, codeframe.ui.server, --port, "14200"]
    cwd: /home/deploy/projects/codeframe
    project_dir: /home/deploy/projects/codeframe
    env_file: /home/deploy/projects/codeframe/.env.staging
    health_url: http://127.0.0.1:14200/health

- name: Run the frontend, reloaded without a refused connection
  codeframe.staging.pm2_process:
    name: codeframe-staging-frontend
    script: node_modules/next/dist/bin/next
    args: [start, -H, 0.0.0.0, -p, "14100"]
    cwd: /home/deploy/projects/codeframe/web-ui
    exec_mode: cluster
    revision: "{{ __frontend_build.revision }}"
    health_url: http://127.0.0.1:14100/
"""

RETURN = r"""
action:
  description: What was done, or would be.
  returned: always
  type: str
  sample: reload
reasons:
  description: Why, in words.
  returned: always
  type: list
  elements: str
  sample: ["the variable PORT changed"]
pid:
  description: The process, or the first of its instances; null if none runs.
  returned: always
  type: int
pids:
  description: All its instances.
  returned: always
  type: list
  elements: int
restarts:
  description: How often pm2 restarted it.
  returned: always
  type: int
revision:
  description: The revision that the process carries.
  returned: always
  type: str
status:
  description: What pm2 says of it.
  returned: always
  type: str
healthy:
  description: Whether it was found healthy at the end; null where that was not looked at.
  returned: always
  type: bool
gap_s:
  description:
    - For how many seconds the health port refused connections while the process was changed.
    - Null if nothing was done, if nothing listened there before, or if there is no port to look at.
  returned: always
  type: float
project_processes:
  description: Names of the other processes under pm2 that carry the same O(project_dir).
  returned: always
  type: list
  elements: str
daemon_version:
  description: Version of the running pm2 daemon; empty if none runs.
  returned: always
  type: str
pm2_version:
  description: Version of pm2 on the disk; empty if there is none.
  returned: always
  type: str
saved:
  description: Whether the list for the next boot was written, or would be.
  returned: always
  type: bool
duration_s:
  description: Seconds from the first action until the process was healthy.
  returned: always
  type: float
log_tail:
  description: The last lines of its log, secrets removed.
  returned: on failure
  type: list
  elements: str
"""

import contextlib
import os
import pwd
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._pm2.gap import GapWatch
from ..module_utils._pm2.health import (
    Health,
    State,
    UnhealthyError,
    await_health,
    foreign_listener,
    health_from,
)
from ..module_utils._pm2.host import (
    STANDARD_PATH,
    Pm2,
    age_s,
    close_dumps,
    end,
    exposed_dumps,
    family,
    find_daemon,
    find_program,
    listeners,
    log_since,
    log_sizes,
    never_ready,
    note_never_ready,
    orphans,
    read_dump,
    write_dump,
)
from ..module_utils._pm2.plan import (
    PROJECT_KEY,
    Action,
    Plan,
    Pm2Error,
    Process,
    Wanted,
    definition,
    definition_of,
    dump_is_current,
    last_lines,
    merged_dump,
    plan,
    redacted,
    secrets_of,
)
from ..module_utils._pm2.wanted import (
    base_env,
    from_ecosystem,
    wanted_from,
)


def verify_files(wanted: Wanted, base_path: str) -> None:
    """Find out before anything is stopped what would keep the process from starting.

    :raises Pm2Error: Naming what is missing.
    """
    if not os.path.isdir(wanted.cwd):
        raise Pm2Error(f"the process {wanted.name} cannot be started: its directory {wanted.cwd} does not exist")
    if not os.path.isfile(wanted.script):
        raise Pm2Error(f"the process {wanted.name} cannot be started: its script {wanted.script} does not exist")
    if wanted.interpreter == "none":
        if not os.access(wanted.script, os.X_OK):
            raise Pm2Error(f"the process {wanted.name} cannot be started: {wanted.script} is not executable")
    elif not find_program(wanted.interpreter, base_path.split(":")):
        raise Pm2Error(f"the process {wanted.name} cannot be started: there is no interpreter {wanted.interpreter}")


def apply(chosen: Plan, state: State, wanted: Wanted, tmpdir: str) -> None:
    """Bring the process to what is wanted.

    :raises Pm2Error: If pm2 refuses; a process that was deleted for it is brought back first.
    """
    pm2 = state.program()
    former = state.ours(wanted.name)
    if chosen.action is Action.STOP:
        pm2.call("stop", wanted.name)
    elif chosen.action is Action.DELETE:
        pm2.call("delete", wanted.name)
    elif chosen.action is Action.SCALE:
        pm2.call("scale", wanted.name, str(wanted.instances))
    elif chosen.action is Action.RELOAD:
        listen_s = (wanted.settings.get("listen_timeout") or 3000) / 1000
        pm2.apply("startOrReload", definition(wanted), tmpdir, timeout_s=120 + listen_s * max(1, wanted.instances))
    elif chosen.action in (Action.START, Action.REPLACE):
        if former:
            pm2.call("delete", wanted.name)
        try:
            pm2.apply("start", definition(wanted), tmpdir)
        except Pm2Error as err:
            if not former:
                raise
            if chosen.action is Action.START:
                raise Pm2Error(
                    f"{err}; the entry of the process that did not run ({former[0].status}) is gone"
                ) from err
            try:
                pm2.apply("start", definition_of(former), tmpdir)
            except Pm2Error as again:
                raise Pm2Error(
                    f"{err}; the former process was deleted for it and could not be started again ({again}), "
                    f"so {wanted.name} does not run now"
                ) from err
            raise Pm2Error(f"{err}; the former process was started again") from err


def refuse_foreign_home(home: str) -> None:
    """A call as another user would start a second daemon, with files its owner cannot read.

    :raises Pm2Error: If the directory is another user's.
    """
    try:
        owner = os.stat(home).st_uid
    except OSError:
        return
    if owner != os.getuid():
        name = pwd.getpwuid(owner).pw_name
        raise Pm2Error(f"the pm2 directory {home} belongs to {name}; run this task as {name} (become_user)")


def look(home: str, pm2: Pm2 | None) -> State:
    daemon = find_daemon(home)
    return State(daemon, pm2.processes() if pm2 and daemon else [], pm2)


def diff_of(chosen: Plan, wanted: Wanted, processes: Sequence[Process]) -> dict[str, str]:
    ours = [process for process in processes if process.name == wanted.name]
    before = "".join(f"{item.what}: {item.before}\n" for item in chosen.differences)
    after = "".join(f"{item.what}: {item.after}\n" for item in chosen.differences)
    status = ours[0].status if ours else "absent"
    then = {Action.STOP: "stopped", Action.DELETE: "absent"}.get(chosen.action, "online")
    if chosen.action is not Action.NOTHING and (status != then or not chosen.differences):
        before, after = f"status: {status}\n{before}", f"status: {then}\n{after}"
        if status == then:
            after = f"status: {then} ({chosen.action.value})\n" + after.partition("\n")[2]
    header = f"pm2 process {wanted.name}"
    return {"before_header": header, "after_header": header, "before": before, "after": after}


def secrets_in(wanted: Wanted) -> list[str]:
    """The values that must not be shown; what the module itself sets is no secret."""
    return secrets_of(wanted.env, public=("PATH", "HOME", "USER", "LOGNAME", "LANG"))


def tail_of(state: State, wanted: Wanted, sizes: Mapping[str, int]) -> list[str]:
    """The last lines that the process wrote since the action began."""
    lines: list[str] = []
    secrets = secrets_in(wanted)
    for process in state.ours(wanted.name)[:1]:
        for path in dict.fromkeys((process.out_log, process.err_log)):
            lines += last_lines(log_since(path, sizes.get(path, 0)), 15)
    return [redacted(line, secrets) for line in lines]


def summary(state: State, wanted: Wanted) -> dict[str, Any]:
    name = wanted.name
    ours = state.ours(name)
    pids = [process.pid for process in ours if process.pid > 0]
    return {
        "pid": pids[0] if pids else None,
        "pids": pids,
        "restarts": sum(process.restarts for process in ours),
        "revision": ours[0].revision if ours else "",
        "status": ours[0].status if ours else "absent",
        "project_processes": sorted(
            {
                process.name
                for process in state.processes
                if process.name != name and wanted.project and process.env.get(PROJECT_KEY) == wanted.project
            }
        ),
        "daemon_version": state.daemon.version if state.daemon else "",
        "pm2_version": state.pm2.version() if state.pm2 else "",
    }


@dataclass
class Case:
    """One call: what is wanted, what was found, and what is to be done about it."""

    params: Mapping[str, Any]
    wanted: Wanted
    health: Health
    home: str
    path: str
    state: State
    chosen: Plan
    orphans: list[int]
    dump_reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    result: dict[str, Any] = field(default_factory=dict)

    @property
    def acts(self) -> bool:
        return self.chosen.action is not Action.NOTHING


def look_and_plan(params: Mapping[str, Any], *, check: bool) -> Case:
    """Read everything that decides, and ask the plan.

    :raises Pm2Error: If that cannot be done, or must not.
    """
    user_home = pwd.getpwuid(os.getuid()).pw_dir
    home = params["pm2_home"] or os.environ.get("PM2_HOME") or os.path.join(user_home, ".pm2")
    search = [params["node_bin_dir"] or "", *os.environ.get("PATH", "").split(":"), *STANDARD_PATH.split(":")]
    search = [place for place in search if place]
    executable, node = find_program(params["pm2"], search), find_program("node", search)
    base = base_env(os.path.dirname(node) if node else "", user_home)
    health = health_from(params)
    wanted = wanted_from(params, from_ecosystem(params, node or "node", base), base, check=check)
    wanted = without_waiting(wanted, home)
    refuse_foreign_home(home)
    pm2 = Pm2(executable, base, home) if executable else None
    if pm2:
        pm2.secrets = secrets_in(wanted)
    state = look(home, pm2)
    chosen = plan(state.processes, wanted, params["state"], adopt=params["adopt"])
    left = orphans(params["name"], home, state.daemon)
    case = Case(params, wanted, health, home, base["PATH"], state, chosen, left)
    case.warnings = _daemon_warnings(state, home, params["name"])
    if chosen.action is Action.START:
        case.chosen = _with_circumstances(case, check=check)
    return case


def _with_circumstances(case: Case, *, check: bool) -> Plan:
    """Add to the reasons of a start why there is nothing yet.

    :raises Pm2Error: If there is no pm2 and it is needed now.
    """
    if not case.state.pm2:
        if not check:
            raise Pm2Error(f"there is no program {case.params['pm2']}; install pm2 or name its path in the option pm2")
        return replace(case.chosen, reasons=("pm2 is not installed yet",))
    reasons = case.chosen.reasons
    if not case.state.daemon:
        reasons = ("no pm2 daemon runs", *reasons)
    if case.orphans:
        numbers = ", ".join(str(pid) for pid in case.orphans)
        reasons = (*reasons, f"a pm2 daemon that died left it running (pid {numbers})")
    return replace(case.chosen, reasons=reasons)


def act(case: Case, tmpdir: str) -> None:
    """Do what was planned, see that it took effect, and wait until the process is healthy.

    :raises Pm2Error: If pm2 refuses, or if something is in the way (nothing is changed then).
    :raises FailedError: If the process is not healthy afterwards.
    """
    pm2, wanted = case.state.program(), case.wanted
    sizes = log_sizes(case.state.ours(wanted.name))
    starts = case.chosen.action in (Action.START, Action.REPLACE, Action.RELOAD)
    if starts:
        verify_files(wanted, case.path)
        _refuse_taken_port(case.health, case.state, wanted, case.orphans)
    end(case.orphans, 5.0)
    began = time.monotonic()
    port = case.health.port if case.params["state"] == "online" else None
    with GapWatch(port) if port else contextlib.nullcontext() as watch:
        apply(case.chosen, case.state, wanted, tmpdir)
        case.warnings += _ready_warning(case.home, wanted, time.monotonic() - began, starts=starts)
        case.state = look(case.home, pm2)
        if case.chosen.action is Action.RELOAD:
            rest = plan(case.state.processes, wanted, adopt=True)
            if rest.differences:
                # Another version of pm2 may ignore more than the one that this was measured with.
                apply(replace(rest, action=Action.REPLACE), case.state, wanted, tmpdir)
                case.state = look(case.home, pm2)
                case.result["action"] = Action.REPLACE.value
        if case.params["state"] == "online":
            _settle(case.health, case.state, wanted, sizes, case.result)
    case.result["gap_s"] = watch.gap_s if watch else None
    case.result["duration_s"] = round(time.monotonic() - began, 2)


def save(case: Case) -> None:
    """Write the list for the next boot.

    :raises Pm2Error: If pm2 refuses.
    """
    pm2 = case.state.pm2
    if case.state.daemon and pm2:
        pm2.save(case.wanted.name)
    elif case.dump_reasons:
        close_dumps(case.home)
        write_dump(case.home, merged_dump(read_dump(case.home) or [], [], case.wanted.name))


def run(module: AnsibleModule) -> dict[str, Any]:
    """Look, plan, act, judge.

    :raises Pm2Error: With one sentence that says what is wrong.
    """
    params = module.params
    case = look_and_plan(params, check=module.check_mode)
    case.result = {"healthy": None, "gap_s": None, "duration_s": 0.0}
    if not case.acts and params["state"] == "online":
        case.chosen = _judged(case.health, case.state, case.wanted)
        case.result["healthy"] = not case.acts
    case.dump_reasons = _dump_reasons(params, case.state, case.home, changes=case.acts)
    changed = case.acts or bool(case.dump_reasons)
    diff = diff_of(case.chosen, case.wanted, case.state.processes)
    case.result.update(
        changed=changed,
        action=case.chosen.action.value,
        reasons=[*case.chosen.reasons, *case.dump_reasons],
        saved=params["save"] and changed,
        diff=[diff] if diff["before"] != diff["after"] else [],
    )
    if changed and not module.check_mode:
        if case.acts:
            act(case, module.tmpdir)
        if params["save"]:
            save(case)
    return {**case.result, **summary(case.state, case.wanted), "warnings": case.warnings}


def _judged(health: Health, state: State, wanted: Wanted) -> Plan:
    """Judge a process that needs no change; one that just started is given its time."""
    ages = [age for age in (age_s(process.pid) for process in state.ours(wanted.name)) if age is not None]
    patience = max(2.0, health.timeout_s - min(ages, default=0.0)) if ages else 0.0
    try:
        # A refused handshake is no reason to replace a process that answers otherwise: the inputs may be wrong.
        asked = replace(health, handshake=None) if health.url else health
        await_health(asked, state, wanted, time.monotonic() + patience)
    except UnhealthyError as err:
        if err.final and "is held by" in str(err):
            raise Pm2Error(f"{wanted.name} cannot serve: {err}") from err
        return Plan(Action.REPLACE, (f"it is not healthy: {err}",))
    return Plan(Action.NOTHING)


def _settle(health: Health, state: State, wanted: Wanted, sizes: Mapping[str, int], result: dict[str, Any]) -> None:
    try:
        await_health(health, state, wanted, time.monotonic() + health.timeout_s)
    except UnhealthyError as err:
        result["healthy"] = False
        result["log_tail"] = tail_of(state, wanted, sizes)
        result.update(summary(state, wanted))
        last = result["log_tail"][-6:]
        said = "its log ends with: " + " | ".join(last) if last else "its log holds nothing new"
        raise FailedError(f"{wanted.name} was started but is not healthy: {err}; {said}", result) from err
    result["healthy"] = True


class FailedError(Exception):
    """The process was changed and is not healthy."""

    def __init__(self, message: str, result: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.result = dict(result)


def _refuse_taken_port(health: Health, state: State, wanted: Wanted, left: Sequence[int]) -> None:
    if not health.port or {listener.pid for listener in listeners(health.port)} & family(left):
        return
    other = foreign_listener(health.port, state.daemon, state.ours(wanted.name))
    if other and state.daemon:
        holder = [
            process.name
            for process in state.processes
            if process.name != wanted.name
            and any(listener.pid in family([process.pid]) for listener in listeners(health.port))
        ]
        other = f"the pm2 process {holder[0]}" if holder else other
    if other:
        raise Pm2Error(f"{wanted.name} cannot be started: port {health.port} is held by {other}; nothing was changed")


def _daemon_warnings(state: State, home: str, name: str) -> list[str]:
    if not state.daemon:
        others = sorted({str(entry.get("name")) for entry in read_dump(home) or () if entry.get("name") != name})
        if others:
            return [
                f"No pm2 daemon runs, though its saved list names other processes ({', '.join(others)}); they are left "
                "as they are, and `pm2 resurrect` starts them."
            ]
        return []
    on_disk = state.pm2.version() if state.pm2 else ""
    if state.daemon and on_disk and state.daemon.version != on_disk:
        return [
            f"The pm2 daemon in memory is version {state.daemon.version}, the program on the disk is {on_disk}; "
            "`pm2 update` would replace it and restart everything it runs."
        ]
    return []


def _ready_warning(home: str, wanted: Wanted, took_s: float, *, starts: bool) -> list[str]:
    limit = (wanted.settings.get("listen_timeout") or 3000) / 1000
    if starts and wanted.settings.get("wait_ready") and took_s >= limit:
        note_never_ready(home, wanted.name, wanted.script)
        return [
            f"{wanted.name} never told pm2 that it is ready, which cost {limit:g} s (wait_ready is set); further "
            "starts will not wait for it. Unset wait_ready, or let the application call process.send('ready')."
        ]
    return []


def without_waiting(wanted: Wanted, home: str) -> Wanted:
    """Do not wait again for an application that was seen never to say that it is ready."""
    if not wanted.settings.get("wait_ready") or never_ready(home, wanted.name) != wanted.script:
        return wanted
    settings = {key: value for key, value in wanted.settings.items() if key != "wait_ready"}
    return replace(wanted, settings=settings, uncompared=frozenset({"wait_ready"}))


def _dump_reasons(params: Mapping[str, Any], state: State, home: str, *, changes: bool) -> list[str]:
    """Why the list for the next boot must be written although the process is as it should be."""
    if not params["save"]:
        return []
    reasons = []
    if exposed_dumps(home):
        reasons.append("pm2's saved list of processes, which holds their secrets, can be read by others")
    stale = not dump_is_current(read_dump(home), state.processes, params["name"])
    if not changes and stale and (state.daemon or params["state"] == "absent"):
        reasons.append("pm2's saved list of processes is not what runs")
    return reasons


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["online", "stopped", "absent"], "default": "online"},
            "script": {"type": "path"},
            "args": {"type": "list", "elements": "str"},
            "cwd": {"type": "path"},
            "interpreter": {"type": "str"},
            "interpreter_args": {"type": "list", "elements": "str"},
            "exec_mode": {"type": "str", "choices": ["fork", "cluster"]},
            "instances": {"type": "int"},
            "env": {"type": "dict", "default": {}},
            "env_file": {"type": "path"},
            "revision": {"type": "str"},
            "project_dir": {"type": "path"},
            "adopt": {"type": "bool", "default": False},
            "ecosystem_file": {"type": "path"},
            "only": {"type": "str"},
            "max_memory_restart": {"type": "str"},
            "kill_timeout_ms": {"type": "int"},
            "wait_ready": {"type": "bool"},
            "listen_timeout_ms": {"type": "int"},
            "log_dir": {"type": "path"},
            "health_url": {"type": "str"},
            "health_status": {"type": "list", "elements": "int", "default": [200]},
            "health_websocket_url": {"type": "str"},
            "health_websocket_origin": {"type": "str"},
            "health_websocket_headers": {"type": "dict", "no_log": True},
            "health_websocket_query": {"type": "dict", "no_log": True},
            "health_port": {"type": "int"},
            "health_timeout": {"type": "int", "default": 60},
            "stable_s": {"type": "float", "default": 3},
            "pm2": {"type": "str", "default": "pm2"},
            "pm2_home": {"type": "path"},
            "node_bin_dir": {"type": "path"},
            "save": {"type": "bool", "default": True},
        },
        required_by={"only": ["ecosystem_file"]},
        supports_check_mode=True,
    )
    empty = {
        "changed": False,
        "action": "nothing",
        "reasons": [],
        "pid": None,
        "pids": [],
        "restarts": 0,
        "revision": "",
        "project_processes": [],
    }
    empty.update(status="", healthy=None, daemon_version="", pm2_version="", saved=False, duration_s=0.0, diff=[])
    try:
        result = run(module)
    except FailedError as err:
        module.fail_json(msg=str(err), **{**empty, **err.result})
    except Pm2Error as err:
        module.fail_json(msg=str(err), **empty)
    for warning in result.pop("warnings"):
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
