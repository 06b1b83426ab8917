# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frontend's directory on the disk: its sources, packages, output, and commands run in it."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from .._host.command import run
from .build_plan import (
    GENERATED,
    BuildError,
    record_beside,
)

# In the environment of every command, so that the next run finds what a killed one left behind.
MARKER = "STAGING_BUILD_DIR"
RECORD = ".staging-build.json"
INSTALL_RECORD = ".staging-install.json"
# Taken over from the caller: how this machine reaches registries. They never count as inputs of a build.
PASSED_ON = (
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR", "npm_config_registry", "NPM_CONFIG_REGISTRY"),
)
_STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LARGEST_SCRIPT = 32 * 1024 * 1024


def file_digest(path: str) -> str:
    sha = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 20):
            sha.update(chunk)
    return sha.hexdigest()[:32]


def source_digests(root: str, exclude: Iterable[str]) -> dict[str, str]:
    """Digest every source file below a directory; a link counts by what it says, not by where it leads.

    :param exclude: Names (anywhere) or paths relative to the root that are no sources.
    """
    left_out = frozenset(exclude)
    found: dict[str, str] = {}
    for directory, names, files in os.walk(root):
        relative = os.path.relpath(directory, root)
        prefix = "" if relative == "." else relative + "/"
        names.sort()
        for name in list(names):
            if name in left_out or prefix + name in left_out:
                names.remove(name)
            elif os.path.islink(os.path.join(directory, name)):
                names.remove(name)
                files.append(name)
        for name in files:
            if name in left_out or prefix + name in left_out or name in GENERATED or name.endswith(".tsbuildinfo"):
                continue
            path = os.path.join(directory, name)
            if os.path.islink(path):
                found[prefix + name] = "-> " + os.readlink(path)
            elif os.path.isfile(path):
                found[prefix + name] = file_digest(path)
    return found


def read_json(path: str) -> dict[str, Any]:
    """Read an object; empty if there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            value = json.load(file)
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def read_text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def write_private(path: str, text: str) -> None:
    """Write a file in one step, readable by its owner alone, never through a hard link."""
    descriptor, temporary = tempfile.mkstemp(prefix=".staging-", dir=os.path.dirname(path))
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def package_directories(modules: str, paths: Iterable[str]) -> set[str]:
    """Which of npm's package paths (``node_modules/next``) hold a package."""
    root = os.path.dirname(modules)
    return {path for path in paths if os.path.lexists(os.path.join(root, path))}


def client_scripts(output: str) -> dict[str, str]:
    """The texts of the scripts that a browser can load from a build, by path below the output directory.

    Next.js keeps them under ``static/``; of any other bundler every script counts, and those
    written into its pages.
    """
    scripts: dict[str, str] = {}
    is_next = os.path.isdir(os.path.join(output, "static")) and os.path.isfile(
        os.path.join(output, "build-manifest.json")
    )
    root = os.path.join(output, "static") if is_next else output
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in ("cache", "node_modules", "server"))
        for name in sorted(files):
            if not name.endswith((".js", ".mjs") if is_next else (".js", ".mjs", ".html")):
                continue
            path = os.path.join(directory, name)
            if os.path.getsize(path) <= _LARGEST_SCRIPT:
                scripts[os.path.relpath(path, output)] = read_text(path)
    return scripts


def is_next_build(package: Mapping[str, Any], output_dir: str) -> bool:
    """Whether the output directory is the one that ``next build`` makes."""
    every = {**(package.get("dependencies") or {}), **(package.get("devDependencies") or {})}
    return "next" in every and os.path.basename(output_dir.rstrip("/")) not in ("out", "dist", "build")


def incomplete(output: str, *, next_build: bool) -> str:
    """Say what a complete build would have and this one has not; empty if it is complete."""
    if not os.path.isdir(output):
        return "there is no build"
    if next_build:
        # Written last, so their absence marks a build that did not finish.
        for name in ("BUILD_ID", "build-manifest.json", "routes-manifest.json"):
            if not os.path.isfile(os.path.join(output, name)):
                return f"build incomplete: no {name}"
        return ""
    if not any(name != RECORD for name in os.listdir(output)):
        return "build incomplete: the output directory is empty"
    return ""


def build_id(output: str) -> str:
    """What names this build: Next.js's BUILD_ID, otherwise a digest of its pages."""
    text = read_text(os.path.join(output, "BUILD_ID")).strip()
    if text:
        return text
    pages = os.path.join(output, "index.html")
    return file_digest(pages)[:16] if os.path.isfile(pages) else ""


def clean_env(node_bin_dir: str, home: str | None = None) -> dict[str, str]:
    """The environment of an install or a build: made here, not the caller's."""
    account = pwd.getpwuid(os.getuid())
    env = {
        "PATH": f"{node_bin_dir}:{_STANDARD_PATH}" if node_bin_dir else _STANDARD_PATH,
        "HOME": home or account.pw_dir,
        "USER": account.pw_name,
        "LOGNAME": account.pw_name,
        "LANG": "C.UTF-8",
        "CI": "1",
        "NEXT_TELEMETRY_DISABLED": "1",
    }
    env.update({key: os.environ[key] for key in PASSED_ON if key in os.environ})
    return env


def node_version(env: Mapping[str, str]) -> str:
    """Ask for the version of Node.js; empty if there is none."""
    try:
        done = subprocess.run(
            ["node", "--version"],  # noqa: S607 - found in the PATH that we made
            env=dict(env),
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("ascii", "replace").strip() if done.returncode == 0 else ""


def end_orphans(path: str) -> int:
    """End what a killed run left building in this directory, and return how many processes that were.

    :raises BuildError: If another run is at it at this moment.
    """
    marked: dict[int, int] = {}
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if name.isdigit() and f"{MARKER}={path}" in read_text(f"/proc/{name}/environ").split("\0"):
            fields = read_text(f"/proc/{name}/stat").rpartition(")")[2].split()
            if len(fields) > 1 and fields[0] not in ("Z", "X"):
                marked[int(name)] = int(fields[1])
    for parent in marked.values():
        if parent not in marked and read_text(f"/proc/{parent}/comm").startswith("python"):
            raise BuildError(f"another run (pid {parent}) builds in {path} at this moment; wait for its end")
    for pid in marked:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(os.path.exists(f"/proc/{pid}/cwd") for pid in marked):
        time.sleep(0.05)
    return len(marked)


def find_in_path(name: str, env: Mapping[str, str]) -> str | None:
    return shutil.which(name, path=env["PATH"])


def run_command(command: Sequence[str], cwd: str, env: Mapping[str, str], deadline: float) -> str:
    """Run a command and return what it printed, both streams in order.

    :param deadline: By the clock of ``time.monotonic()``; the command and all it started are killed then.
    :raises CommandError: If it fails, cannot be found, or takes too long.
    """
    program = shutil.which(command[0], path=env["PATH"])
    if not program:
        raise CommandError(f"the program {command[0]} is not installed (looked in {env['PATH']})", "", command)
    ended = run([program, *command[1:]], cwd=cwd, env={**env, "PWD": cwd, MARKER: cwd}, deadline=deadline)
    shown = " ".join(command)
    if ended.code is None:
        raise CommandError(f"`{shown}` was stopped because it took longer than the timeout", ended.output, command)
    if ended.code != 0:
        raise CommandError(f"`{shown}` failed with exit code {ended.code}", ended.output, command)
    return ended.output


class CommandError(BuildError):
    """A command that failed, with all it printed."""

    def __init__(self, message: str, output: str, command: Sequence[str]) -> None:
        super().__init__(message)
        self.output = output
        self.command = tuple(command)


def former_of(path: str) -> str:
    """Where the former state of a directory stands while it is made anew."""
    directory, name = os.path.split(path.rstrip("/"))
    return os.path.join(directory, f".{name.lstrip('.')}.staging-former")


def record_of(output: str, *, next_build: bool) -> str:
    """Where the record of a finished build stands.

    Next.js serves a part of its output directory only, so it is inside of that one. Of any
    other bundler the whole directory is served, so it is beside it.
    """
    if next_build:
        return os.path.join(output, RECORD)
    return os.path.join(os.path.dirname(output), record_beside(output))


def recover(path: str, marker: str) -> bool:
    """Clean up after a run that was killed; return whether the former state was put back.

    :param marker: The file that a finished directory has, inside of it or beside it.
    """
    former = former_of(path)
    if not os.path.lexists(former):
        _bring_out(path, marker)
        return False
    if os.path.isfile(marker):
        remove(former)
        return False
    put_back(path, marker, cache="cache")
    return True


def _bring_out(path: str, marker: str) -> None:
    """Put the record of a build beside it that stands inside, where it was on its way."""
    inside = os.path.join(path, RECORD)
    if os.path.dirname(marker) != path and os.path.isfile(inside):
        os.replace(inside, marker)


def put_back(path: str, marker: str, cache: str = "") -> None:
    """Replace a directory by its former state, if there is one; a warm cache moves along."""
    former = former_of(path)
    if os.path.isdir(former) and cache:
        warm, there = os.path.join(path, cache), os.path.join(former, cache)
        if os.path.isdir(warm) and not os.path.lexists(there):
            os.rename(warm, there)
    remove(path)
    if os.path.lexists(former):
        os.rename(former, path)
    _bring_out(path, marker)


def remove(path: str) -> None:
    """Remove a directory or a link, whatever is in it."""
    if os.path.islink(path) or os.path.isfile(path):
        os.unlink(path)
    elif os.path.isdir(path):
        shutil.rmtree(path)


@contextlib.contextmanager
def aside(path: str, marker: str, cache: str = "") -> Iterator[None]:
    """Make a directory anew: its former state stands aside, and comes back if anything fails.

    :param marker: As for :func:`recover`. One beside the directory goes aside in it.
    """
    former = former_of(path)
    remove(former)
    if os.path.isfile(marker) and os.path.dirname(marker) != path:
        if os.path.isdir(path):
            os.replace(marker, os.path.join(path, RECORD))
        else:
            os.unlink(marker)
    if os.path.lexists(path):
        os.rename(path, former)
        if cache and os.path.isdir(os.path.join(former, cache)):
            os.mkdir(path)
            os.rename(os.path.join(former, cache), os.path.join(path, cache))
    try:
        yield
    except BaseException:
        put_back(path, marker, cache)
        raise
    remove(former)
