# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the host says about processes: pm2's daemon, listening ports, health URLs, logs.

Looking never starts anything: C(pm2 jlist) would spawn a daemon, so the daemon is looked
for in ``/proc`` first (its title names its version and its home).
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pwd
import re
import signal
import ssl
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from .plan import (
    Pm2Error,
    Process,
    merged_dump,
    parse_jlist,
    process_from,
    redacted,
)

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BY_ENDING = {".py": "python3", ".sh": "bash", ".rb": "ruby", ".php": "php", ".pl": "perl"}
# The title is cut off where the daemon's command line was shorter than it.
_DAEMON_TITLE = re.compile(r"PM2 v(?P<version>\S+): God Daemon(?: \((?P<home>.*?)(?P<end>\))?\s*)?\Z")


@dataclass(frozen=True)
class Daemon:
    """A running pm2 daemon."""

    pid: int
    version: str
    home: str


@dataclass(frozen=True)
class Listener:
    """A program that listens on a TCP port of this host."""

    port: int
    uid: int
    pid: int | None
    """``None`` where it belongs to another user, whose files cannot be read."""

    def described(self) -> str:
        try:
            user = pwd.getpwuid(self.uid).pw_name
        except KeyError:
            user = str(self.uid)
        if self.pid is None:
            return f"a process of the user {user}"
        return f"{command_of(self.pid)} (pid {self.pid}, user {user})"


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def command_of(pid: int) -> str:
    """The program a process runs, without its arguments (they may hold secrets)."""
    words = _read(f"/proc/{pid}/cmdline").split("\0")
    name = words[0].split(" ")[0] if words and words[0] else _read(f"/proc/{pid}/comm").strip()
    script = next((word for word in words[1:2] if word.startswith("/")), "")
    return f"{os.path.basename(name)} {script}".strip() or "an unknown program"


def find_daemon(home: str) -> Daemon | None:
    """Find the live daemon of this pm2 home without starting one."""
    recorded = _read(os.path.join(home, "pm2.pid")).strip()
    pids = [int(recorded)] if recorded.isdigit() else []
    pids += [int(name) for name in os.listdir("/proc") if name.isdigit()] if os.path.isdir("/proc") else []
    wanted = os.path.realpath(home)
    for pid in pids:
        match = _DAEMON_TITLE.match(_read(f"/proc/{pid}/cmdline").replace("\0", " ").strip())
        if not match:
            continue
        named = match.group("home") or ""
        own = os.path.realpath(named) == wanted if match.group("end") else environment_of(pid).get("PM2_HOME") == home
        if own:
            return Daemon(pid, match.group("version"), home)
    return None


def environment_of(pid: int) -> dict[str, str]:
    """The environment a process was started with; empty if it is another user's."""
    pairs = (pair.partition("=") for pair in _read(f"/proc/{pid}/environ").split("\0"))
    return {key: value for key, equals, value in pairs if equals}


def orphans(name: str, home: str, daemon: Daemon | None) -> list[int]:
    """Find processes of this name that a pm2 daemon of this home left behind when it died."""
    alive = family([daemon.pid]) if daemon else set()
    found = []
    for entry in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not entry.isdigit() or int(entry) in alive:
            continue
        env = environment_of(int(entry))
        if "pm_id" in env and env.get("name") == name and env.get("PM2_HOME") == home and is_alive(int(entry)):
            found.append(int(entry))
    return found


def end(pids: Iterable[int], patience_s: float) -> None:
    """End processes: politely, and after a while by force."""
    waiting = list(pids)
    for number in (signal.SIGINT, signal.SIGKILL):
        for pid in waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        deadline = time.monotonic() + patience_s
        while waiting and time.monotonic() < deadline:
            time.sleep(0.05)
            waiting = [pid for pid in waiting if is_alive(pid)]


def age_s(pid: int) -> float | None:
    """Seconds since a process started; ``None`` if it is not there."""
    text = _read(f"/proc/{pid}/stat")
    uptime = _read("/proc/uptime").split()
    if not text or not uptime:
        return None
    ticks = float(text.rpartition(")")[2].split()[19])
    return max(0.0, float(uptime[0]) - ticks / os.sysconf("SC_CLK_TCK"))


def is_alive(pid: int) -> bool:
    state = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return bool(state) and state[0] not in ("Z", "X")


def family(pids: Iterable[int]) -> set[int]:
    """The processes and all their descendants."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            words = _read(f"/proc/{name}/stat").rpartition(")")[2].split()
            if len(words) > 1:
                children.setdefault(int(words[1]), []).append(int(name))
    found: set[int] = set()
    todo = [pid for pid in pids if pid > 0]
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def listeners(port: int) -> list[Listener]:
    """Who listens on a TCP port of this host (``/proc/net/tcp``, state 0A)."""
    inodes: dict[str, int] = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in _read(table).splitlines()[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == "0A" and int(words[1].rpartition(":")[2], 16) == port:
                inodes[words[9]] = int(words[7])
    if not inodes:
        return []
    owners: dict[str, int] = {}
    for name in os.listdir("/proc"):
        if not name.isdigit() or len(owners) == len(inodes):
            continue
        try:
            for descriptor in os.listdir(f"/proc/{name}/fd"):
                link = os.readlink(f"/proc/{name}/fd/{descriptor}")
                if link.startswith("socket:[") and link[8:-1] in inodes:
                    owners.setdefault(link[8:-1], int(name))
        except OSError:
            continue
    return [Listener(port, uid, owners.get(inode)) for inode, uid in inodes.items()]


def http_status(url: str, timeout_s: float) -> int:
    """Ask a URL once, without proxies and without following redirections.

    :raises OSError: If no answer came (refused, timed out, not HTTP).
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port, timeout=timeout_s, context=ssl.create_default_context()
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"Connection": "close", "User-Agent": "codeframe.staging"})
        return connection.getresponse().status
    except http.client.HTTPException as err:
        raise OSError(f"the answer was no HTTP ({type(err).__name__})") from err
    finally:
        connection.close()


def log_sizes(processes: Iterable[Process]) -> dict[str, int]:
    """How long each log is now, to tell later what was written since."""
    sizes = {}
    for process in processes:
        for path in (process.out_log, process.err_log):
            if path:
                sizes[path] = os.path.getsize(path) if os.path.isfile(path) else 0
    return sizes


def log_since(path: str, offset: int, limit: int = 65536) -> str:
    """What a log holds beyond an offset (its last part, if that is long)."""
    try:
        with open(path, "rb") as file:
            end = file.seek(0, os.SEEK_END)
            start = offset if offset <= end else 0
            file.seek(max(start, end - limit))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def read_dump(home: str) -> list[dict[str, Any]] | None:
    """Read ``dump.pm2``; ``None`` if there is none or it cannot be read."""
    try:
        value = json.loads(_read(os.path.join(home, "dump.pm2")))
    except ValueError:
        return None
    return value if isinstance(value, list) else None


def exposed_dumps(home: str) -> list[str]:
    """The dump files that others than their owner can read."""
    found = []
    for name in ("dump.pm2", "dump.pm2.bak"):
        path = os.path.join(home, name)
        try:
            if stat.S_IMODE(os.lstat(path).st_mode) & 0o077:
                found.append(path)
        except OSError:
            continue
    return found


def never_ready(home: str, name: str) -> str:
    """The script of this process that was seen never to tell pm2 that it is ready; empty if none was."""
    try:
        return str(json.loads(_read(os.path.join(home, "staging-never-ready.json"))).get(name, ""))
    except (ValueError, AttributeError):
        return ""


def note_never_ready(home: str, name: str, script: str) -> None:
    path = os.path.join(home, "staging-never-ready.json")
    try:
        known = json.loads(_read(path))
    except ValueError:
        known = {}
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**(known if isinstance(known, dict) else {}), name: script}, file)


class Pm2:
    """The pm2 command line with an environment that we made.

    :param executable: Path of pm2.
    :param env: The whole environment of every call; a daemon that a call spawns inherits it.
    """

    def __init__(self, executable: str, env: Mapping[str, str], home: str) -> None:
        self.executable = executable
        self.home = home
        self.secrets: Sequence[str] = ()
        """What is removed from anything that pm2 says."""
        self._env = {**env, "PM2_HOME": home, "PM2_DISCRETE_MODE": "true"}

    def version(self) -> str:
        """The version on disk, from the package itself: asking pm2 would start a daemon."""
        package = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(self.executable))), "package.json")
        try:
            return str(json.loads(_read(package)).get("version", ""))
        except ValueError:
            return ""

    def call(self, *args: str, umask: int | None = None, timeout_s: float = 120) -> str:
        """Run pm2 silently and return what it printed.

        :raises Pm2Error: If it failed or took longer than the limit.
        """
        before = os.umask(umask) if umask is not None else None
        try:
            done = subprocess.run(  # noqa: S603 - a list, no shell
                [self.executable, "-s", *args],
                env=self._env,
                cwd="/",
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=timeout_s,
                check=False,
            )
        except subprocess.TimeoutExpired as err:
            raise Pm2Error(f"pm2 {args[0]} did not finish within {timeout_s:.0f} s") from err
        except OSError as err:
            raise Pm2Error(f"{self.executable} cannot be run: {err.strerror}") from err
        finally:
            if before is not None:
                os.umask(before)
        output = done.stdout.decode("utf-8", "replace")
        if done.returncode != 0:
            said = (done.stderr.decode("utf-8", "replace") + output).strip()
            raise Pm2Error(f"pm2 {args[0]} ended with {done.returncode}: {redacted(said, self.secrets)[-600:]}")
        return output

    def processes(self) -> list[Process]:
        """What the daemon runs. Call it only where a daemon lives: this would start one."""
        entries = parse_jlist(self.call("jlist"))
        applications = [entry for entry in entries if not entry["pm2_env"].get("pmx_module")]
        return [with_live_cwd(process_from(entry)) for entry in applications]

    def apply(self, command: str, entry: Mapping[str, Any], directory: str, timeout_s: float = 180) -> None:
        """Hand one definition to pm2 through a private file, so that no value is seen in a process list.

        :raises Pm2Error: As :meth:`call`.
        """
        descriptor, path = tempfile.mkstemp(prefix="pm2-", suffix=".json", dir=directory)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump({"apps": [entry]}, file)
            self.call(command, path, "--update-env", timeout_s=timeout_s)
        finally:
            os.unlink(path)

    def save(self, name: str) -> None:
        """Write the dump for the next boot: private, our entries as they run, all others as their owner saved them.

        :raises Pm2Error: As :meth:`call`.
        """
        close_dumps(self.home)
        former = read_dump(self.home)
        self.call("save", "--force", umask=0o077)
        close_dumps(self.home)
        fresh = read_dump(self.home) or []
        merged = merged_dump(former, fresh, name) if former is not None else fresh
        if merged != fresh:
            write_dump(self.home, merged)


def write_dump(home: str, entries: Sequence[Mapping[str, Any]]) -> None:
    """Write ``dump.pm2`` in one step, private from the first byte."""
    descriptor, temporary = tempfile.mkstemp(prefix="dump.", dir=home)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(list(entries), file, indent=2)
    os.replace(temporary, os.path.join(home, "dump.pm2"))


def close_dumps(home: str) -> None:
    for path in exposed_dumps(home):
        os.chmod(path, 0o600)


def with_live_cwd(process: Process) -> Process:
    if process.pid <= 0:
        return process
    try:
        return replace(process, live_cwd=os.readlink(f"/proc/{process.pid}/cwd"))
    except OSError:
        return process


def evaluate_ecosystem(node: str, path: str, env: Mapping[str, str], timeout_s: float = 30) -> list[dict[str, Any]]:
    """Let Node.js evaluate a user's ecosystem file and return its applications.

    Links are preserved, so that ``__dirname`` stays the path through the project's link.

    :raises Pm2Error: If it cannot be evaluated or holds no list of applications.
    """
    if path.endswith(".json"):
        try:
            value = json.loads(_read(path))
        except ValueError as err:
            raise Pm2Error(f"{path} is no valid JSON: {err}") from err
    else:
        program = (
            "const w=process.stdout.write.bind(process.stdout);process.stdout.write=()=>true;"
            "const v=require(process.argv[1]);w('\\n@@'+JSON.stringify(v)+'\\n')"
        )
        try:
            for options in (("--preserve-symlinks", "--preserve-symlinks-main"), ()):
                done = subprocess.run(  # noqa: S603 - a list, no shell
                    [node, *options, "-e", program, path],
                    env=dict(env),
                    cwd=os.path.dirname(path),
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=timeout_s,
                    check=False,
                )
                if done.returncode == 0:
                    break
        except (OSError, subprocess.TimeoutExpired) as err:
            raise Pm2Error(f"the ecosystem file {path} cannot be evaluated: {err}") from err
        lines = [line for line in done.stdout.decode("utf-8", "replace").splitlines() if line.startswith("@@")]
        if done.returncode != 0 or not lines:
            said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if "Error" in line]
            raise Pm2Error(f"Node.js cannot evaluate {path}: {(said or ['no reason given'])[0][:300]}")
        value = json.loads(lines[-1][2:])
        value = _through_link(value, os.path.realpath(os.path.dirname(path)), os.path.dirname(path))
    apps = value.get("apps") if isinstance(value, dict) else value
    if isinstance(apps, dict):
        apps = [apps]
    if not isinstance(apps, list) or not all(isinstance(app, dict) for app in apps):
        raise Pm2Error(f"{path} holds no list of applications (expected module.exports = {{apps: [...]}})")
    return apps


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


def shebang_is_node(path: str) -> bool:
    """Say whether a script names Node.js in its first line."""
    try:
        with open(path, "rb") as file:
            first = file.read(256).split(b"\n")[0]
    except OSError:
        return False
    return first.startswith(b"#!") and b"node" in first


def default_interpreter(script: str) -> str:
    """What pm2 should run a script with: Node.js for JavaScript, nothing for a program of its own.

    A script that cannot be executed is run as pm2 would, by the ending of its name.
    """
    ending = os.path.splitext(script)[1]
    if ending in (".js", ".cjs", ".mjs") or shebang_is_node(script):
        return "node"
    return "none" if os.access(script, os.X_OK) else _BY_ENDING.get(ending, "none")


def find_program(name: str, search: Sequence[str]) -> str | None:
    """Find an executable by path or name."""
    if "/" in name:
        return name if os.access(name, os.X_OK) else None
    for directory in search:
        path = os.path.join(directory, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path
    return None
