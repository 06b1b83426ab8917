# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process that is wanted, put together from options, an ecosystem file and an env file."""

from __future__ import annotations

import os
import pwd
import shlex
from collections.abc import Mapping
from typing import Any

from .._dotenv.readers import UnreadableError, read_dotenv
from .host import (
    STANDARD_PATH,
    default_interpreter,
    evaluate_ecosystem,
    find_program,
)
from .plan import (
    Pm2Error,
    Wanted,
    absolute,
    normalised_settings,
)

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


def base_env(node_dir: str, home: str) -> dict[str, str]:
    """The environment that every process gets: the same whoever calls, over whichever shell."""
    account = pwd.getpwuid(os.getuid())
    places = [node_dir, *STANDARD_PATH.split(":")]
    path = ":".join(dict.fromkeys(place for place in places if place))
    return {"PATH": path, "HOME": home, "USER": account.pw_name, "LOGNAME": account.pw_name, "LANG": "C.UTF-8"}


def read_env_file(path: str | None, *, check: bool) -> dict[str, str]:
    """Read the variables of an env file.

    :raises Pm2Error: If it cannot be read; in check mode a file that is still to be written counts as empty.
    """
    if not path:
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            values = read_dotenv(file.read())
    except (FileNotFoundError, NotADirectoryError) as err:
        if check:
            return {}
        raise Pm2Error(f"the env file {path} does not exist") from err
    except (OSError, UnicodeDecodeError) as err:
        raise Pm2Error(f"the env file {path} cannot be read: {getattr(err, 'strerror', None) or err}") from err
    except UnreadableError as err:
        raise Pm2Error(f"the env file {path} cannot be understood in line {err.line}: {err.why}") from err
    return {key: value for key, value in values.items() if value is not None}


def from_ecosystem(params: Mapping[str, Any], node: str, env: Mapping[str, str]) -> dict[str, Any]:
    """The user's own definition of this process; empty without an ecosystem file."""
    path = params["ecosystem_file"]
    if not path:
        return {}
    only = params["only"] or params["name"]
    apps = evaluate_ecosystem(node, path, env)
    for app in apps:
        if app.get("name") == only:
            app.setdefault("cwd", os.path.dirname(path))
            return app
    names = ", ".join(str(app.get("name")) for app in apps) or "none"
    raise Pm2Error(f"{path} defines no application named {only} (it defines: {names})")


def wanted_from(params: Mapping[str, Any], app: Mapping[str, Any], base: Mapping[str, str], *, check: bool) -> Wanted:
    """Put options, ecosystem file and env file together.

    :raises Pm2Error: If something necessary is missing.
    """
    if params["state"] != "online":
        return Wanted(
            params["name"],
            cwd=absolute(params["cwd"] or "/nonexistent", "/"),
            project=(params["project_dir"] or "").rstrip("/"),
            real_cwd=os.path.realpath(params["cwd"]) if params["cwd"] else "",
        )
    cwd, script = params["cwd"] or app.get("cwd"), params["script"] or app.get("script")
    if not cwd or not script:
        missing = "cwd" if not cwd else "script"
        raise Pm2Error(f"the process {params['name']} needs {missing} (the option, or an entry of the ecosystem file)")
    cwd = absolute(str(cwd), os.path.dirname(params["ecosystem_file"] or "/"))
    script = str(script)
    if "/" not in script and not os.path.exists(os.path.join(cwd, script)):
        script = find_program(script, base["PATH"].split(":")) or script
    script = absolute(script, cwd)
    args = params["args"] if params["args"] is not None else app.get("args", [])
    interpreter_args = params["interpreter_args"]
    if interpreter_args is None:
        interpreter_args = app.get("interpreter_args") or app.get("node_args") or []
    mode = params["exec_mode"] or ("cluster" if str(app.get("exec_mode", "")).startswith("cluster") else "fork")
    settings = dict(app)
    for option, key in (
        ("max_memory_restart", "max_memory_restart"),
        ("kill_timeout_ms", "kill_timeout"),
        ("wait_ready", "wait_ready"),
        ("listen_timeout_ms", "listen_timeout"),
    ):
        if params[option] is not None:
            settings[key] = params[option]
    if mode == "cluster" and settings.get("listen_timeout") is None:
        # pm2 stops the old worker after 3 s even if the new one does not listen yet: a gap on a busy host.
        settings["listen_timeout"] = min(int(params["health_timeout"]), 30) * 1000
    compared = normalised_settings(settings)
    env = {**base, **read_env_file(params["env_file"], check=check)}
    for source in (app.get("env") or {}, params["env"]):
        env.update({str(key): _env_text(value) for key, value in source.items()})
    interpreter = str(
        params["interpreter"] or app.get("interpreter") or app.get("exec_interpreter") or default_interpreter(script)
    )
    if "/" in interpreter:
        interpreter = absolute(interpreter, cwd)
    if "python" in interpreter:
        # pm2 sets it, whatever the definition says.
        env["PYTHONUNBUFFERED"] = "1"
    out_log = str(app.get("out_file") or app.get("output") or "")
    err_log = str(app.get("error_file") or app.get("error") or "")
    if params["log_dir"]:
        out_log, err_log = (f"{params['log_dir']}/{params['name']}-{kind}.log" for kind in ("out", "error"))
    return Wanted(
        name=params["name"],
        script=script,
        cwd=cwd,
        args=tuple(shlex.split(args)) if isinstance(args, str) else tuple(str(arg) for arg in args),
        interpreter=interpreter,
        interpreter_args=tuple(interpreter_args.split())
        if isinstance(interpreter_args, str)
        else tuple(str(arg) for arg in interpreter_args),
        exec_mode=mode,
        instances=_instances(params["instances"] if params["instances"] is not None else app.get("instances", 1)),
        env=env,
        revision=params["revision"] or "",
        project=(params["project_dir"] or "").rstrip("/"),
        settings=compared,
        extra={key: value for key, value in app.items() if key not in _OWN_KEYS and key not in compared},
        real_cwd=os.path.realpath(cwd),
        out_log=absolute(out_log, cwd) if out_log else "",
        err_log=absolute(err_log, cwd) if err_log else "",
    )


def _env_text(value: Any) -> str:
    return "" if value is None else ("true" if value else "false") if isinstance(value, bool) else str(value)


def _instances(value: Any) -> int:
    """Read a number of instances as pm2 does: C(max) and 0 are all processors, a negative number leaves some free."""
    processors = os.cpu_count() or 1
    number = 0 if value == "max" else int(value)
    return number if number > 0 else max(1, processors + number)
