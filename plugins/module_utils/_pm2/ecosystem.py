# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's own ecosystem file, which says how pm2 runs the processes of a project."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any

from .._host.command import Ended, run
from .._host.files import read_text
from .._host.json_text import json_value
from .error import Pm2Error

_WITHIN_S = 30
#: Blocks of variables are named so, with the name of an environment.
ENV_PREFIX = "env_"
#: What every process has, whatever the file says.
_OVERRIDDEN: Mapping[str, Any] = {"log": None, "log_file": None, "merge_logs": True, "vizion": False}
_READ_AS_MODULE = (
    ", which Node.js does not see in an ES module; give the file a name that ends in .cjs, and write that into "
    "staging_ecosystem_file"
)
# The file may print something itself; the result is the last line, with a mark before it.
_PROGRAM = (
    "const w=process.stdout.write.bind(process.stdout);process.stdout.write=()=>true;"
    "const v=require(process.argv[1]);w('\\n@@'+JSON.stringify(v)+'\\n')"
)


def ecosystem_application(path: str, name: str, node: str, env: Mapping[str, str]) -> dict[str, Any]:
    """The definition of one application, with its ``cwd``.

    :param node: The Node.js program, which evaluates a file that is not JSON.
    :param env: The whole environment of that.
    :raises Pm2Error: If the file cannot be evaluated or does not define the application.
    """
    applications = read_ecosystem(path, node, env)
    for application in applications:
        if application.get("name") == name:
            return {"cwd": os.path.dirname(path), **application}
    names = ", ".join(str(application.get("name")) for application in applications) or "none"
    raise Pm2Error(f"{path} defines no application named {name} (it defines: {names})")


def environment_of(application: Mapping[str, Any], chosen: str | None, path: str) -> Mapping[str, Any]:
    """The variables of the block ``env_<chosen>``, which override those of ``env``, as with ``pm2 start --env``.

    :raises Pm2Error: If there is no such block.
    """
    if not chosen:
        return {}
    block = application.get(f"{ENV_PREFIX}{chosen}")
    if isinstance(block, Mapping):
        return block
    known = ", ".join(_blocks(application)) or "no such block"
    raise Pm2Error(
        f"{path or 'the task'} defines no {ENV_PREFIX}{chosen} for {application.get('name') or 'the process'}, which "
        f"staging_ecosystem_env names (it defines: {known})"
    )


def unused_keys(application: Mapping[str, Any], chosen: str | None) -> tuple[str, ...]:
    """The keys of an application that have no effect: other blocks of variables, and what is always set otherwise."""
    others = [block for block in _blocks(application) if block != f"{ENV_PREFIX}{chosen}"]
    return tuple(others + [key for key in _OVERRIDDEN if application.get(key) not in (None, _OVERRIDDEN[key])])


def _blocks(application: Mapping[str, Any]) -> list[str]:
    return sorted(str(key) for key in application if str(key).startswith(ENV_PREFIX))


def read_ecosystem(path: str, node: str, env: Mapping[str, str]) -> list[dict[str, Any]]:
    """The applications of an ecosystem file.

    :raises Pm2Error: If it cannot be evaluated or contains no list of applications.
    """
    if path.endswith((".yml", ".yaml")):
        raise Pm2Error(f"{path} is YAML; expected JavaScript or JSON, so write its content as one of them")
    value = _read_json(path) if path.endswith(".json") else _evaluate(path, node, env)
    applications = value.get("apps") if isinstance(value, dict) else value
    if isinstance(applications, dict):
        applications = [applications]
    if not isinstance(applications, list) or not all(isinstance(item, dict) for item in applications):
        why = _READ_AS_MODULE if path.endswith(".js") and _is_in_module(os.path.dirname(path)) else ""
        raise Pm2Error(f"{path} contains no list of applications; expected module.exports = {{apps: [...]}}{why}")
    return applications


def _is_in_module(directory: str) -> bool:
    """Whether the nearest ``package.json`` makes scripts ES modules."""
    while True:
        text = read_text(os.path.join(directory, "package.json"))
        if text is not None or os.path.dirname(directory) == directory:
            return re.search(r'"type"\s*:\s*"module"', text or "") is not None
        directory = os.path.dirname(directory)


def _read_json(path: str) -> Any:
    try:
        return json_value(read_text(path) or "")
    except ValueError as err:
        raise Pm2Error(f"{path} is not valid JSON: {err}") from err


def _evaluate(path: str, node: str, env: Mapping[str, str]) -> Any:
    """Let Node.js evaluate the file, so that ``__dirname`` stays the path through the project's link."""
    ended = _run(path, [node, "--preserve-symlinks", "--preserve-symlinks-main"], env)
    if not ended.succeeded and not ended.timed_out:
        # Modules that are found through a link, as pnpm installs them, need their resolved paths.
        ended = _run(path, [node], env)
    lines = [line for line in ended.output.splitlines() if line.startswith("@@")]
    if not ended.succeeded or not lines:
        said = re.findall(r"^\w*Error\b.*", ended.errors, re.MULTILINE)
        reason = f"it did not end within {_WITHIN_S} s" if ended.timed_out else (said or ["no reason given"])[0][:300]
        raise Pm2Error(f"Node.js cannot evaluate {path}: {reason}{_remedy_for(reason)}")
    directory = os.path.dirname(path)
    try:
        return _through_link(json_value(lines[-1][2:]), os.path.realpath(directory), directory)
    except (ValueError, RecursionError):
        raise Pm2Error(f"{path} exports no settings that can be written as JSON") from None


def _remedy_for(reason: str) -> str:
    if re.search(r"ES module|Cannot use import|Unexpected token 'export'", reason, re.IGNORECASE):
        return f"; expected module.exports = {{apps: [...]}}{_READ_AS_MODULE}"
    found = re.search(r"Cannot find module '([^']+)'", reason)
    return f"; the file needs {found[1]}, which is not installed beside it" if found else ""


def _run(path: str, command: list[str], env: Mapping[str, str]) -> Ended:
    try:
        return run(
            [*command, "-e", _PROGRAM, path],
            deadline=time.monotonic() + _WITHIN_S,
            cwd=os.path.dirname(path),
            env=env,
            separate=True,
        )
    except OSError as err:
        raise Pm2Error(f"the ecosystem file {path} cannot be evaluated: {command[0]}: {err.strerror or err}") from err


def _through_link(value: Any, resolved: str, linked: str) -> Any:
    """Put the project's link back where Node.js resolved it."""
    if resolved == linked:
        return value
    if isinstance(value, str):
        return re.sub(re.escape(resolved) + r"(?=/|\Z)", lambda _match: linked, value)
    if isinstance(value, list):
        return [_through_link(item, resolved, linked) for item in value]
    if isinstance(value, dict):
        return {key: _through_link(item, resolved, linked) for key, item in value.items()}
    return value
