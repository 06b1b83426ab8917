# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of a process, from the options of a task, an ecosystem file and an env file."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Any, Callable

from .._host.programs import find_program
from .definition import ProcessDefinition
from .ecosystem import ENV_PREFIX, ecosystem_application, environment_of, unused_keys
from .environment import env_texts, read_env_file
from .error import Pm2Error
from .interpreter import INSTALLED_PROGRAMS, default_interpreter
from .settings import normalised_settings

#: Keys of an ecosystem file that are part of the definition itself.
_OWN_KEYS = frozenset(
    {"name", "script", "args", "cwd", "interpreter", "exec_interpreter", "interpreter_args", "node_args", "exec_mode"}
    | {
        "instances",
        "env",
        "out_file",
        "error_file",
        "out",
        "output",
        "error",
        "log",
        "log_file",
        "merge_logs",
        "vizion",
    }
)
#: Longest listen_timeout that is set without being asked for, in seconds.
_LONGEST_LISTEN_S = 30


def definition_from(
    params: Mapping[str, Any], node: str, base: Mapping[str, str], *, check: bool, env_text: str | None = None
) -> ProcessDefinition:
    """Build the definition.

    :param params: The options of pm2_process.
    :param node: The Node.js program.
    :param base: The variables that every process has.
    :param check: Whether this is check mode.
    :param env_text: What the env file will contain, instead of what it contains now.
    :raises Pm2Error: If something necessary is missing or cannot be read.
    """
    name, project = params["name"], (params["project_dir"] or "").rstrip("/")
    if params["state"] != "online":
        cwd = params["cwd"] or ""
        return ProcessDefinition(
            name,
            cwd=_absolute(cwd or "/nonexistent", "/"),
            project=project,
            real_cwd=os.path.realpath(cwd) if cwd else "",
        )
    file = params["ecosystem_file"]
    app = ecosystem_application(file, name, node, base) if file else {}
    chosen = environment_of(app, params["ecosystem_env"], file or "")
    cwd, script = _command(params, app, base)
    mode = params["exec_mode"] or ("cluster" if str(app.get("exec_mode", "")).startswith("cluster") else "fork")
    settings = dict(app)
    if mode == "cluster" and settings.get("listen_timeout") is None:
        # pm2 stops the old worker after 3 s even if the new one does not listen yet: a downtime on a busy host.
        settings["listen_timeout"] = min(int(params["health_timeout"]), _LONGEST_LISTEN_S) * 1000
    compared = normalised_settings(settings)
    interpreter = str(app.get("interpreter") or app.get("exec_interpreter") or default_interpreter(script))
    env = {
        **base,
        **env_texts(app.get("env")),
        **env_texts(chosen),
        **read_env_file(params["env_file"], check=check, text=env_text),
        **env_texts(params["env"]),
    }
    if "python" in interpreter:
        # pm2 sets it, whatever the definition says.
        env["PYTHONUNBUFFERED"] = "1"
    out_log, err_log = (
        str(app.get(key) or app.get(other) or "") for key, other in (("out_file", "output"), ("error_file", "error"))
    )
    return ProcessDefinition(
        name=name,
        script=script,
        cwd=cwd,
        args=_words(params["args"] if params["args"] is not None else app.get("args", []), shlex.split),
        interpreter=_absolute(interpreter, cwd) if "/" in interpreter else interpreter,
        interpreter_args=_words(app.get("interpreter_args") or app.get("node_args") or [], str.split),
        exec_mode=mode,
        instances=_instances(app.get("instances", 1)),
        env=env,
        revision=params["revision"] or "",
        project=project,
        settings=compared,
        extra={key: value for key, value in app.items() if _is_extra(key) and key not in compared},
        unused=unused_keys(app, params["ecosystem_env"]),
        real_cwd=os.path.realpath(cwd),
        out_log=_absolute(out_log, cwd) if out_log else "",
        err_log=_absolute(err_log, cwd) if err_log else "",
    )


def _is_extra(key: str) -> bool:
    return key not in _OWN_KEYS and not key.startswith(ENV_PREFIX)


def _command(params: Mapping[str, Any], app: Mapping[str, Any], base: Mapping[str, str]) -> tuple[str, str]:
    """Directory and script, both absolute."""
    cwd, script = params["cwd"] or app.get("cwd"), params["script"] or app.get("script")
    if not cwd or not script:
        missing = "directory (cwd)" if not cwd else "script"
        raise Pm2Error(f"the process {params['name']} has no {missing}; expected one in the task or the ecosystem file")
    cwd = _absolute(str(cwd), os.path.dirname(params["ecosystem_file"] or "/"))
    script = str(script)
    if "/" not in script:
        script = _found(script, cwd) or find_program(script, base["PATH"].split(":")) or script
    return cwd, _absolute(script, cwd)


def _found(name: str, cwd: str) -> str | None:
    """A script of a directory, or a program of the packages that are installed there."""
    places = ("", *INSTALLED_PROGRAMS)
    return next((os.path.join(place, name) for place in places if os.path.exists(os.path.join(cwd, place, name))), None)


def _absolute(path: str, cwd: str) -> str:
    """A path made absolute without following a link."""
    return os.path.normpath(os.path.join(cwd, path))


def _words(value: Any, split: Callable[[str], list[str]]) -> tuple[str, ...]:
    """A list of words; one text is split as pm2 splits it."""
    return tuple(split(value)) if isinstance(value, str) else tuple(str(word) for word in value)


def _instances(value: Any) -> int:
    """Read a number of instances as pm2 does: ``max`` and 0 are all processors, a negative number leaves some free."""
    processors = os.cpu_count() or 1
    number = 0 if value == "max" else int(value)
    return number if number > 0 else max(1, processors + number)
