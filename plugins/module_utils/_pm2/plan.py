# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pm2 runs, what it should run, and the least intrusive way from one to the other.

Pure: no process, file or clock is touched here. What a reload takes and what it
silently ignores was measured on pm2 7.0.4 (``startOrReload FILE``): changed and added
variables, arguments and limits are taken; a changed script, working directory, execution
mode, number of instances or log path is ignored, and a removed variable stays in the
process although C(jlist) no longer lists it under C(env).
"""

from __future__ import annotations

import hashlib
import json
import os.path
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

REVISION_KEY = "STAGING_REVISION"
PROJECT_KEY = "STAGING_PROJECT"
OPTIONS_KEY = "STAGING_OPTIONS"
NO_PROJECT = "-"

_EMPTY: Mapping[str, Any] = MappingProxyType({})

# What pm2 and shells add to the environment of a process by themselves.
_NOISE = frozenset(
    {"PWD", "OLDPWD", "SHLVL", "_", "unique_id", "NODE_APP_INSTANCE", "NODE_CHANNEL_FD", "SILENT", "INVOCATION_ID"}
    | {"NODE_CHANNEL_SERIALIZATION_MODE", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "PIDFILE", "MANAGERPID"}
)
_VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z")

# Settings beside the definition proper, with what pm2 does where none is given.
SETTING_DEFAULTS: Mapping[str, Any] = MappingProxyType(
    {
        "autorestart": True,
        "cron_restart": None,
        "exp_backoff_restart_delay": None,
        "kill_timeout": None,
        "listen_timeout": None,
        "max_memory_restart": None,
        "max_restarts": None,
        "min_uptime": None,
        "namespace": "default",
        "restart_delay": None,
        "shutdown_with_message": False,
        "stop_exit_codes": None,
        "treekill": True,
        "wait_ready": False,
        "watch": False,
    }
)
_SIZES = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3}
_DURATIONS = {"": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_DURATION_SETTINGS = frozenset({"min_uptime", "kill_timeout", "listen_timeout", "restart_delay"})


class Pm2Error(Exception):
    """Something pm2 said, or a definition, that cannot be worked with."""


class Action(str, Enum):
    """What is done with the process of one name."""

    NOTHING = "nothing"
    START = "start"
    RELOAD = "reload"
    SCALE = "scale"
    REPLACE = "replace"
    STOP = "stop"
    DELETE = "delete"


@dataclass(frozen=True)
class Process:
    """One entry of ``pm2 jlist``."""

    name: str
    pm_id: int
    pid: int
    status: str
    script: str
    cwd: str
    args: tuple[str, ...] = ()
    interpreter: str = "node"
    interpreter_args: tuple[str, ...] = ()
    exec_mode: str = "fork"
    env: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    leftovers: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    out_log: str = ""
    err_log: str = ""
    restarts: int = 0
    exit_code: int | None = None
    user: str = ""
    live_cwd: str = ""
    """Where the process really stands (``/proc/<pid>/cwd``); empty if that is not known."""

    @property
    def revision(self) -> str:
        return self.env.get(REVISION_KEY, "")

    @property
    def online(self) -> bool:
        return self.status in ("online", "launching")


@dataclass(frozen=True)
class Wanted:
    """The process as it should run. Paths are kept as given, links unresolved."""

    name: str
    script: str = ""
    cwd: str = ""
    args: tuple[str, ...] = ()
    interpreter: str = "none"
    interpreter_args: tuple[str, ...] = ()
    exec_mode: str = "fork"
    instances: int = 1
    env: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    revision: str = ""
    project: str = ""
    settings: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    extra: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    """Further keys of a user's own ecosystem file, passed on to pm2 and compared by a digest."""
    uncompared: frozenset[str] = frozenset()
    """Settings whose difference is no reason to act, but is put right when there is another."""
    out_log: str = ""
    err_log: str = ""
    real_cwd: str = ""
    """Where ``cwd`` leads now, every link resolved."""

    @property
    def numbering(self) -> tuple[str, ...]:
        """Variables by which pm2 tells the instances apart: each has another value."""
        return tuple(str(self.extra[key]) for key in ("instance_var", "increment_var") if self.extra.get(key))

    def full_env(self) -> dict[str, str]:
        """The environment with the variables by which a later run knows this process."""
        env = dict(self.env)
        env[PROJECT_KEY] = self.project or NO_PROJECT
        if self.extra:
            firsts = {f"env {key}": self.env[key] for key in self.numbering if key in self.env}
            text = json.dumps({**self.extra, **firsts}, sort_keys=True, default=str)
            env[OPTIONS_KEY] = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
        if self.revision:
            env[REVISION_KEY] = self.revision
        return env


@dataclass(frozen=True)
class Difference:
    """One way in which the process is not the wanted one."""

    what: str
    before: str
    after: str
    reason: str
    by_reload: bool


@dataclass(frozen=True)
class Plan:
    """What to do and why, in words."""

    action: Action
    reasons: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()


def size_in_bytes(value: Any) -> int | None:
    """Read a limit as pm2 does: a number of bytes, or one with K, M or G.

    :raises Pm2Error: If it is neither.
    """
    if value is None or value == "":
        return None
    match = re.fullmatch(r"([0-9]+)\s*([KMG]?)B?", str(value).strip(), re.IGNORECASE)
    if not match:
        raise Pm2Error(f"the memory limit {value!r} is no size; expected a number with K, M or G, such as 512M")
    return int(match.group(1)) * _SIZES[match.group(2).upper()]


def duration_in_ms(value: Any) -> int | None:
    """Read a duration as pm2 does: a number of milliseconds, or one with s, m or h.

    :raises Pm2Error: If it is neither.
    """
    if value is None or value == "":
        return None
    match = re.fullmatch(r"([0-9]+)\s*([smh]?)", str(value).strip())
    if not match:
        raise Pm2Error(f"{value!r} is no duration; expected milliseconds, or a number with s, m or h")
    return int(match.group(1)) * _DURATIONS[match.group(2)]


def normalised_settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the settings that are compared, in the form in which pm2 reports them."""
    result: dict[str, Any] = {}
    for key, default in SETTING_DEFAULTS.items():
        value = given.get(key)
        if value is None or value == default:
            continue
        if key == "max_memory_restart":
            value = size_in_bytes(value)
        elif key in _DURATION_SETTINGS:
            value = duration_in_ms(value)
        elif key == "stop_exit_codes":
            # pm2 reports a list of one as the one.
            value = [str(item) for item in (value if isinstance(value, (list, tuple)) else [value])]
        result[key] = value
    return result


def parse_jlist(text: str) -> list[dict[str, Any]]:
    """Take the list out of what ``pm2 jlist`` printed, banners before it included.

    :raises Pm2Error: If no list is in it.
    """
    decoder = json.JSONDecoder()
    for match in re.finditer(r"^\[", text, re.MULTILINE):
        try:
            value, _end = decoder.raw_decode(text, match.start())
        except ValueError:
            continue
        if isinstance(value, list) and all(isinstance(item, dict) and "pm2_env" in item for item in value):
            return value
    raise Pm2Error("pm2 jlist printed no list of processes")


def process_from(entry: Mapping[str, Any]) -> Process:
    """Read one entry of ``pm2 jlist``, or of the dump (which is the inner part alone)."""
    inner: Mapping[str, Any] = entry.get("pm2_env") or entry
    name = str(entry.get("name") or inner.get("name") or "")
    raw_env = inner.get("env") if isinstance(inner.get("env"), dict) else {}
    env = {
        key: _text(value)
        for key, value in (raw_env or {}).items()
        if not _is_noise(key, name) and not isinstance(value, (dict, list))
    }
    leftovers = tuple(
        sorted(
            key
            for key, value in inner.items()
            if _VARIABLE_NAME.match(key) and key not in env and not _is_noise(key, name) and isinstance(value, str)
        )
    )
    mode = str(inner.get("exec_mode") or "fork_mode")
    exit_code = inner.get("exit_code")
    return Process(
        name=name,
        pm_id=int(entry.get("pm_id", inner.get("pm_id", -1)) or 0),
        pid=int(entry.get("pid") or 0),
        status=str(inner.get("status") or ""),
        script=str(inner.get("pm_exec_path") or ""),
        cwd=str(inner.get("pm_cwd") or ""),
        args=_words(inner.get("args")),
        interpreter=str(inner.get("exec_interpreter") or "none"),
        interpreter_args=_words(inner.get("node_args")),
        exec_mode="cluster" if mode.startswith("cluster") else "fork",
        env=env,
        leftovers=leftovers,
        settings=normalised_settings(inner),
        out_log=str(inner.get("pm_out_log_path") or ""),
        err_log=str(inner.get("pm_err_log_path") or ""),
        restarts=int(inner.get("restart_time") or 0),
        exit_code=exit_code if isinstance(exit_code, int) else None,
        user=str(inner.get("username") or ""),
    )


def _is_noise(key: str, name: str) -> bool:
    return key in _NOISE or key == name or key.startswith(("PM2_", "npm_", "axm_"))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple)) else ()


def absolute(path: str, cwd: str) -> str:
    """Make a path absolute without following a link."""
    return os.path.normpath(os.path.join(cwd, path))


def belongs_to(process: Process, wanted: Wanted) -> bool:
    """Say whether the process of this name is one this definition may replace.

    Ours carry the project in their environment. One started by hand is taken over
    if it runs from the same directories; any other is somebody else's.
    """
    marker = process.env.get(PROJECT_KEY)
    if marker is not None and (not wanted.project or marker in (NO_PROJECT, wanted.project)):
        return True
    if marker is not None:
        return False
    roots = [path for path in (wanted.project, wanted.cwd, wanted.real_cwd) if path]
    places = [path for path in (process.cwd, process.script, process.live_cwd) if path]
    places += [arg for arg in process.args if arg.startswith("/")]
    return any(_inside(place, root) for place in places for root in roots)


def _inside(path: str, root: str) -> bool:
    path, root = os.path.normpath(path), os.path.normpath(root)
    return path == root or path.startswith(root.rstrip("/") + "/")


def differences(process: Process, wanted: Wanted) -> tuple[Difference, ...]:
    """List every way in which the running process is not the wanted one.

    Values of variables are never part of it.
    """
    found: list[Difference] = []

    def note(what: str, before: str, after: str, *, by_reload: bool, reason: str = "") -> None:
        if before != after:
            found.append(Difference(what, before, after, reason or f"{what} is {before}, not {after}", by_reload))

    note("script", process.script, wanted.script, by_reload=False)
    note("cwd", process.cwd, wanted.cwd, by_reload=False)
    note("interpreter", process.interpreter, wanted.interpreter, by_reload=False)
    note("interpreter_args", _shown(process.interpreter_args), _shown(wanted.interpreter_args), by_reload=False)
    note("exec_mode", process.exec_mode, wanted.exec_mode, by_reload=False)
    note("args", _shown(process.args), _shown(wanted.args), by_reload=True, reason="the arguments changed")
    if wanted.out_log:
        note("out_log", process.out_log, wanted.out_log, by_reload=False)
    if wanted.err_log:
        note("err_log", process.err_log, wanted.err_log, by_reload=False)
    for key, default in SETTING_DEFAULTS.items():
        if key not in wanted.uncompared:
            before, after = process.settings.get(key, default), wanted.settings.get(key, default)
            # A reload keeps what is no longer asked for.
            note(key, _text(before) or "unset", _text(after) or "unset", by_reload=after != default)
    found += _env_differences(process, wanted)
    if not found:
        found += _place_differences(process, wanted)
    for key in sorted(wanted.uncompared) if found else ():
        default = SETTING_DEFAULTS[key]
        before, after = process.settings.get(key, default), wanted.settings.get(key, default)
        note(key, _text(before), _text(after), by_reload=False)
    return tuple(found)


def _shown(words: Sequence[str]) -> str:
    return " ".join(words) or "none"


def _env_differences(process: Process, wanted: Wanted) -> list[Difference]:
    env = wanted.full_env()
    found: list[Difference] = []
    for key in sorted((set(process.env) | set(env)).difference(wanted.numbering)):
        before, after = process.env.get(key), env.get(key)
        if before == after:
            continue
        if key == REVISION_KEY:
            reason = f"revision {before or 'unknown'} runs, {after or 'none'} is wanted"
            found.append(Difference("revision", before or "unknown", after or "none", reason, after is not None))
        elif key == OPTIONS_KEY:
            reason = "further options of the ecosystem file changed"
            found.append(Difference("options", before or "none", after or "none", reason, False))
        elif key == PROJECT_KEY:
            reason = "it was not started by this module for this project"
            found.append(Difference("project", before or "none", after or "none", reason, after is not None))
        elif before is None:
            found.append(Difference(f"env {key}", "unset", "set", f"the variable {key} is missing", True))
        elif after is None:
            reason = f"the variable {key} is set and not wanted"
            found.append(Difference(f"env {key}", "set", "unset", reason, False))
        else:
            found.append(Difference(f"env {key}", "former value", "new value", f"the variable {key} changed", True))
    for key in process.leftovers:
        if key not in env:
            reason = f"the variable {key} was removed, but pm2 kept it"
            found.append(Difference(f"env {key}", "set", "unset", reason, False))
    return found


def _place_differences(process: Process, wanted: Wanted) -> list[Difference]:
    """Find a process that stands in another release than the link leads to now.

    With a revision that is equal this is as it should be (the former release holds the
    same build), unless that directory is gone.
    """
    live = process.live_cwd
    if not live or not process.online:
        return []
    if live.endswith(" (deleted)"):
        gone = live[: -len(" (deleted)")]
        return [Difference("directory", gone, wanted.real_cwd, f"its directory {gone} no longer exists", True)]
    linked = wanted.real_cwd and wanted.real_cwd != os.path.normpath(wanted.cwd)
    if linked and not wanted.revision and live != wanted.real_cwd and not _inside(live, wanted.real_cwd):
        reason = f"it runs in {live}, and {wanted.cwd} leads to {wanted.real_cwd} now"
        return [Difference("directory", live, wanted.real_cwd, reason, True)]
    return []


def plan(processes: Sequence[Process], wanted: Wanted, state: str = "online", *, adopt: bool = False) -> Plan:
    """Compare what runs with what should run.

    The revision is read from the process's own environment, so that an interrupted
    deployment is finished by the next run.

    :raises Pm2Error: If the process of this name is somebody else's.
    """
    ours = [process for process in processes if process.name == wanted.name]
    foreign = [process for process in ours if not belongs_to(process, wanted)]
    if foreign and not adopt:
        place = foreign[0].env.get(PROJECT_KEY) or foreign[0].cwd
        raise Pm2Error(
            f"pm2 already runs a process named {wanted.name} that belongs to something else (it runs "
            f"{foreign[0].script} in {place}); choose another name, or set adopt to true to replace it"
        )
    if state == "absent":
        return Plan(Action.DELETE, ("it should not exist",)) if ours else Plan(Action.NOTHING)
    if state == "stopped":
        running = [process for process in ours if process.status not in ("stopped", "errored")]
        return Plan(Action.STOP, (f"it is {running[0].status}",)) if running else Plan(Action.NOTHING)
    if not ours:
        return Plan(Action.START, ("no process of this name runs",))
    return _plan_online(ours, wanted)


def _plan_online(ours: Sequence[Process], wanted: Wanted) -> Plan:
    found: list[Difference] = []
    for process in ours:
        known = {item.what for item in found}
        found += [item for item in differences(process, wanted) if item.what not in known]
    reasons = [item.reason for item in found]
    down = [process for process in ours if not process.online]
    if down:
        reasons.insert(0, f"it is {down[0].status}")
    if len(ours) != wanted.instances:
        number = Difference(
            "instances",
            str(len(ours)),
            str(wanted.instances),
            f"{len(ours)} instances run, {wanted.instances} are wanted",
            False,
        )
        reasons.append(number.reason)
        if not found and not down and wanted.exec_mode == "cluster" and wanted.instances > 0:
            return Plan(Action.SCALE, tuple(reasons), (number,))
        found.append(number)
    if len(down) == len(ours):
        return Plan(Action.START, tuple(reasons), tuple(found))
    if down or any(not item.by_reload for item in found):
        return Plan(Action.REPLACE, tuple(reasons), tuple(found))
    if found:
        return Plan(Action.RELOAD, tuple(reasons), tuple(found))
    return Plan(Action.NOTHING)


def definition(wanted: Wanted) -> dict[str, Any]:
    """Write the process as one entry of an ecosystem file."""
    entry: dict[str, Any] = {
        **wanted.extra,
        **wanted.settings,
        "name": wanted.name,
        "script": wanted.script,
        "cwd": wanted.cwd,
        "args": list(wanted.args),
        "interpreter": wanted.interpreter,
        "interpreter_args": list(wanted.interpreter_args),
        "exec_mode": wanted.exec_mode,
        "instances": wanted.instances,
        "merge_logs": True,
        "vizion": False,
        "env": wanted.full_env(),
    }
    if wanted.out_log:
        entry["out_file"] = wanted.out_log
    if wanted.err_log:
        entry["error_file"] = wanted.err_log
    return entry


def definition_of(processes: Sequence[Process]) -> dict[str, Any]:
    """Write what ran before as one entry of an ecosystem file, to bring it back."""
    first = processes[0]
    return {
        **first.settings,
        "name": first.name,
        "script": first.script,
        "cwd": first.cwd,
        "args": list(first.args),
        "interpreter": first.interpreter,
        "interpreter_args": list(first.interpreter_args),
        "exec_mode": first.exec_mode,
        "instances": len(processes),
        "merge_logs": True,
        "vizion": False,
        "out_file": first.out_log,
        "error_file": first.err_log,
        "env": dict(first.env),
    }


def merged_dump(
    former: Sequence[Mapping[str, Any]], fresh: Sequence[Mapping[str, Any]], name: str
) -> list[Mapping[str, Any]]:
    """Keep other people's entries of the dump as they saved them; take ours as it runs now."""
    kept = [entry for entry in former if entry.get("name") != name]
    return kept + [entry for entry in fresh if entry.get("name") == name]


def dump_is_current(dump: Sequence[Mapping[str, Any]] | None, running: Sequence[Process], name: str) -> bool:
    """Say whether a restart of the machine would bring back what runs now."""
    saved = [process_from(entry) for entry in dump or () if entry.get("name") == name]
    now = [process for process in running if process.name == name]
    if len(saved) != len(now):
        return False
    return all(_essence(before) == _essence(after) for before, after in zip(_by_mode(saved), _by_mode(now)))


def _by_mode(processes: Iterable[Process]) -> list[Process]:
    return sorted(processes, key=lambda process: (process.status != "online", process.script))


def _essence(process: Process) -> tuple[Any, ...]:
    return (
        process.script,
        process.cwd,
        process.args,
        process.interpreter,
        process.exec_mode,
        dict(process.env),
        process.status in ("stopped", "errored"),
    )


_PUBLIC_KEYS = ("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "PUBLIC_")
_HARMLESS = re.compile(
    r"(?:[0-9.]{1,8}|true|false|yes|no|on|off|none|null|debug|info|warning|warn|error|localhost|127\.0\.0\.1|0\.0\.0\.0"
    r"|production|development|staging|test|[a-z]+://(?:localhost|127\.0\.0\.1)(?::[0-9]+)?/?)\Z",
    re.IGNORECASE,
)


def secrets_of(env: Mapping[str, str], public: Iterable[str] = ()) -> list[str]:
    """Pick the values that must not be shown, longest first.

    Everything counts as secret, except what says nothing (numbers of up to 8 digits, levels, loopback
    addresses, fewer than 4 characters) and what is baked into a public bundle anyway.
    """
    shown = frozenset(public)
    values: set[str] = set()
    for key, value in env.items():
        if key in shown or key.startswith(_PUBLIC_KEYS) or len(value) < 4 or _HARMLESS.match(value):
            continue
        for form in (value, json.dumps(value)[1:-1], quote(value, safe=""), *value.splitlines()):
            if len(form) >= 4:
                values.add(form)
    return sorted(values, key=len, reverse=True)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Replace each secret by stars."""
    for secret in secrets:
        text = text.replace(secret, "********")
    return text


_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def last_lines(text: str, count: int) -> list[str]:
    """The last lines that hold something, without colours, each of at most 500 characters."""
    lines = [_COLOURS.sub("", line).rstrip()[:500] for line in text.splitlines()]
    return [line for line in lines if line.strip()][-count:]
