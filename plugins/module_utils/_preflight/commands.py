# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that start the processes, install packages and build: lists of words that no shell reads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from .variables import BACKEND_PORT, FRONTEND_PORT, GREEN_PORT, DeploymentInputs, Where

_BACKEND, _FRONTEND = "staging_backend_command", "staging_frontend_command"
#: Those that start a process, each with the variable of its port and that of its environment.
_PROCESSES = {
    _BACKEND: (BACKEND_PORT, "staging_backend_env"),
    _FRONTEND: (FRONTEND_PORT, "staging_frontend_env"),
}
#: The others, each with the variable of its environment.
_OTHERS = {
    "staging_backend_install_command": "staging_backend_install_env",
    "staging_backend_build_command": "staging_backend_build_env",
    "staging_frontend_install_command": "staging_frontend_install_env",
    "staging_frontend_build_command": "staging_frontend_build_env",
}
#: Lists of commands.
_HOOKS = ("staging_backend_before_activation", "staging_backend_after_activation")
_INSTALL = "staging_backend_install"
_PORT = "{port}"
_SHELL_WORD = re.compile(r"&&|\|\|?|;|&|[0-9]?>>?(?:&[0-9])?|<|(?:-[\w-]+=)?\$(?:[A-Za-z_]\w*|\{\w+\}|\(.*)|`.*")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SHELLS = ("sh", "bash", "dash")
#: Programs that run others in the virtual environment that they find or make, which is not that of the release.
_RUNNERS = ("uv", "poetry", "pipenv", "pdm", "hatch", "rye")
_INTO_ENVIRONMENT = ("requirements", "project", "uv", "poetry", "pipenv")
#: Options that end the process that pm2 has started, by program.
_DETACHING = {
    "gunicorn": ("--daemon", "-D"),
    "uwsgi": ("--daemonize", "--daemonize2", "-d"),
    "celery": ("--detach",),
    "hypercorn": ("--daemon", "-D"),
}
_PORT_OPTIONS = ("--port", "-p", "--http-port")
_BIND_OPTIONS = ("--bind", "-b", "--listen")
#: Words that make a program serve for development, each with those that must be before it.
_FOR_DEVELOPMENT = (
    (("next", "nuxt", "nuxi", "astro"), "dev"),
    (("npm", "pnpm", "yarn", "bun", "run"), "dev"),
    (("manage.py",), "runserver"),
    (("ng", "vue-cli-service"), "serve"),
    (("fastapi",), "dev"),
)
_RELOADING = ("--reload", "--watch", "nodemon", "ts-node-dev", "tsx watch")


def check_commands(inputs: DeploymentInputs, ports: Mapping[str, int]) -> None:
    """:param ports: The valid ports of the processes, by variable."""
    unused = inputs.get("staging_ecosystem_file") is not None
    for variable, (port, env) in _PROCESSES.items():
        words = _words_of(inputs, variable)
        if not unused and _check_words(inputs, variable, words, env):
            _check_process(inputs, variable, words)
            _check_port(inputs, variable, words, port, ports)
    for variable, env in _OTHERS.items():
        _check_words(inputs, variable, _words_of(inputs, variable), env)
    for variable in _HOOKS:
        _check_hook(inputs, variable)
    if inputs.get(_BACKEND) is None and inputs.get("staging_ecosystem_file") is None:
        inputs.add(
            "missing",
            _BACKEND,
            "the command that starts the backend",
            f"set {_BACKEND}, or name an ecosystem file in staging_ecosystem_file",
        )


def _check_hook(inputs: DeploymentInputs, variable: str) -> None:
    """The commands around the activation."""
    value = inputs.get(variable)
    for index, command in enumerate(value if isinstance(value, list) else ()):
        if isinstance(command, list) and command:
            _check_words(inputs, (variable, index), [str(word) for word in command], "staging_backend_env")
        else:
            inputs.add(
                "type",
                (variable, index),
                "a list of the program and its arguments",
                "write a list of commands, each of which is a list of its own",
            )


def _words_of(inputs: DeploymentInputs, variable: str) -> list[str]:
    """The words of a command; none, with a finding, where it is no list of them."""
    value = inputs.get(variable)
    if value is None or (value == [] and variable in _OTHERS):
        return []
    if isinstance(value, list) and value and all(isinstance(word, (str, int)) and word != "" for word in value):
        return [str(word) for word in value]
    inputs.add("type", variable, "a list of the program and its arguments", "write each of them as an entry of its own")
    return []


def _check_words(inputs: DeploymentInputs, variable: Where, words: Sequence[str], env: str) -> bool:
    """Whether a program gets the words as the user means them."""
    if not words:
        return False
    if " " in words[0]:
        inputs.add(
            "command-one-word",
            variable,
            "a list of the program and its arguments",
            "write each of them as an entry of its own",
            found="its first entry is taken for the name of the program, which has a space",
        )
    elif _ASSIGNMENT.match(words[0]):
        inputs.add(
            "command-shell",
            variable,
            "the program as the first entry",
            f"set the variable in {env}",
            found=f"no shell sets {words[0].partition('=')[0]}",
        )
    elif os.path.basename(words[0]) not in _SHELLS and (word := next(filter(_SHELL_WORD.fullmatch, words), "")):
        inputs.add(
            "command-shell",
            variable,
            "a program and its arguments",
            "write {port} for a port, or let a shell run it: [sh, -c, the whole command]",
            found=f"no shell reads it, so that the program gets {word} as it is",
        )
    elif env == "staging_backend_env" and _is_run(words) and inputs.text(_INSTALL) in _INTO_ENVIRONMENT:
        inputs.add(
            "command-runner",
            variable,
            "the program that it runs, which is looked for in .venv/bin",
            "leave out what is before that program, with its options",
            found=f"{' '.join(words[:2])} takes an environment of its own, or changes the one that releases share",
        )
    else:
        return True
    return False


def _is_run(words: Sequence[str]) -> bool:
    return os.path.basename(words[0]) in _RUNNERS and "run" in words[1:2]


def _check_process(inputs: DeploymentInputs, variable: str, words: Sequence[str]) -> None:
    """Whether the program stays, and serves as in production."""
    names = [os.path.basename(word) for word in words]
    for program, options in _DETACHING.items():
        if program in names and (option := next((word for word in words if word.partition("=")[0] in options), "")):
            inputs.add(
                "command-detaches",
                variable,
                "a program that stays in the foreground",
                "remove it",
                found=f"{option} lets {program} end while another process goes on, which pm2 does not know",
            )
            return
    word = _for_development(names)
    if word:
        inputs.add(
            "command-development",
            variable,
            "a server for production",
            "start the application as in production",
            found=f"{word} is for development: it watches the files, or builds when it is asked",
        )


def _for_development(names: Sequence[str]) -> str:
    """The words that start a server for development; empty if there are none."""
    for before, word in _FOR_DEVELOPMENT:
        at = names.index(word) if word in names else 0
        start = next((start for start in range(at) if names[start] in before), None)
        if start is not None:
            return " ".join(names[start : at + 1])
    return next((word for word in _RELOADING if f" {word} " in f" {' '.join(names)} "), "")


def _check_port(
    inputs: DeploymentInputs, variable: str, words: Sequence[str], port: str, ports: Mapping[str, int]
) -> None:
    """Whether the process listens where it is expected."""
    named = _ports_in(words)
    if port not in ports or not named or any(_PORT in word for word in words):
        return
    if str(ports[port]) not in named:
        inputs.add(
            "command-port",
            variable,
            f"the port {ports[port]} ({port})",
            f"write {_PORT}, or set {port}: {named[0]}",
            found=f"the process would listen on {named[0]}",
        )
    elif variable == _BACKEND and inputs.blue_green:
        inputs.add(
            "command-port",
            variable,
            f"{_PORT}, which is that of the instance",
            f"write {_PORT} in place of {ports[port]}",
            found=f"with staging_backend_switch: blue_green, the other instance listens on {GREEN_PORT}",
        )


def _ports_in(words: Sequence[str]) -> list[str]:
    """The ports that options name as numbers."""
    found = []
    for option, value in _options(words):
        if option in _PORT_OPTIONS and value.isdigit():
            found.append(value)
        elif option in _BIND_OPTIONS and (match := re.search(r":(\d+)\Z", value)):
            found.append(match[1])
    return found


def _options(words: Sequence[str]) -> list[tuple[str, str]]:
    """The options with their values, which are in the same word or in the next one."""
    joined = [tuple(word.split("=", 1)) for word in words if word.startswith("--") and "=" in word]
    return [(option, value) for option, value in (*joined, *zip(words, words[1:]))]
