# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The commands that install and build a frontend, and the environment that they run in."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import time
from collections.abc import Mapping, Sequence
from typing import Callable

from .._host import proc
from .._host.command import run
from .._host.programs import STANDARD_PATH
from .errors import BuildError, CommandError

#: In the environment of every command, so that the next run finds the processes that a killed run has left.
MARKER = "STAGING_BUILD_DIR"
#: Taken from the caller: how this machine reaches registries. They are not inputs of a build.
_PASSED_ON = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "npm_config_registry", "NPM_CONFIG_REGISTRY"),
)


#: SIGKILL, as the kernel sends it when memory runs out, and as a shell reports it.
_KILLED = (-9, 137)
_OUT_OF_MEMORY = "signal: SIGKILL"


def clean_env() -> dict[str, str]:
    """Return the environment of an installation or a build: made here, not the caller's."""
    account = pwd.getpwuid(os.getuid())
    env = {
        "PATH": STANDARD_PATH,
        "HOME": account.pw_dir,
        "USER": account.pw_name,
        "LOGNAME": account.pw_name,
        "LANG": "C.UTF-8",
        "CI": "1",
        "NEXT_TELEMETRY_DISABLED": "1",
        "TURBO_TELEMETRY_DISABLED": "1",
    }
    env.update({key: os.environ[key] for key in _PASSED_ON if key in os.environ})
    return env


def with_programs_of(env: Mapping[str, str], directories: Sequence[str]) -> dict[str, str]:
    """Return an environment in which the programs of installed packages are found by name."""
    programs = [os.path.join(directory, "node_modules", ".bin") for directory in directories]
    return {**env, "PATH": os.pathsep.join([*programs, env["PATH"]])}


def find_in_path(name: str, env: Mapping[str, str]) -> str | None:
    """Return the path of a program, or None."""
    return shutil.which(name, path=env["PATH"])


def node_version(env: Mapping[str, str]) -> str:
    """Return the version of Node.js; empty if there is none."""
    try:
        ended = run(["node", "--version"], env=env, deadline=time.monotonic() + 20)
    except OSError:
        return ""
    return ended.output.strip() if ended.succeeded else ""


def run_command(
    command: Sequence[str],
    cwd: str,
    env: Mapping[str, str],
    deadline: float,
    *,
    marker: str,
    watch: Callable[[str], None] | None = None,
) -> str:
    """Run a command and return what it printed, both streams in order.

    :param command: Its program is a name, or a path relative to the directory.
    :param marker: Directory of the frontend.
    :param deadline: By the clock of ``time.monotonic()``; the command and its children are killed then.
    :param watch: As of :func:`run`.
    :raises CommandError: If it fails, does not exist, or takes too long.
    """
    name = os.path.join(cwd, command[0]) if "/" in command[0] else command[0]
    program = find_in_path(name, env)
    if not program:
        where = "no such file" if "/" in name else f"looked in {env['PATH']}"
        raise CommandError(f"the program {command[0]} is not installed ({where})", "", command)
    env = {**env, "PWD": cwd, MARKER: marker}
    ended = run([program, *command[1:]], cwd=cwd, env=env, deadline=deadline, watch=watch)
    shown = " ".join(command)
    if ended.timed_out:
        raise CommandError(f"`{shown}` was stopped because it took longer than the timeout", ended.output, command)
    if not ended.succeeded:
        killed = ended.code in _KILLED or _OUT_OF_MEMORY in ended.output
        why = ", probably because memory ran out (it was killed); add memory or swap to the host" if killed else ""
        raise CommandError(f"`{shown}` failed with exit code {ended.code}{why}", ended.output, command)
    return ended.output


def end_orphans(path: str) -> None:
    """Kill the processes that a killed run has left building in this directory.

    :raises BuildError: If another run is building in it.
    """
    marked: dict[int, int] = {}
    for pid in proc.pids():
        if (proc.environment(pid) or {}).get(MARKER) == path:
            stat = proc.read_stat(pid)
            if stat is not None and stat.alive:
                marked[pid] = stat.parent
    for parent in marked.values():
        if parent not in marked and proc.program_name(parent).startswith("python"):
            raise BuildError(f"another run (pid {parent}) is building in {path}; wait until it ends")
    proc.end_processes(marked, patience_s=5, first=signal.SIGKILL)
