#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: preflight_info
short_description: Whether a deployment can succeed, before anything is touched
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Finds what cannot fit together, all of it at once, each finding with the variable, its value, what was expected and
    a remedy.
  - With O(stage=inputs) the inputs are judged by themselves, on the controller.
  - With O(stage=host) the staging host is looked at. Run it as root, since only root sees the processes that hold a
    port.
  - Nothing is changed. Values of inputs with C(secret), C(token) or C(passw) in their names are never part of
    the result nor of a log.
attributes:
  check_mode:
    description: Looks and judges as always.
    support: full
  diff_mode:
    description: Nothing is changed, so there is nothing to show.
    support: none
options:
  stage:
    description: What to judge.
    type: str
    choices: [inputs, host]
    required: true
  inputs:
    description:
      - The variables of the deployment, by the names under which the user sets them, such as C(staging_public_url).
      - Unknown names are ignored. A name that is left out, empty or null counts as not set.
    type: dict
    required: true
  levels:
    description:
      - V(warn) or V(fail) by the name of a finding, for those on which opinions may differ.
    type: dict
    default: {}
  fail:
    description: Fail if there is a finding of the level V(error).
    type: bool
    default: true
  readers:
    description: The programs that read the env file, as for M(codeframe.staging.dotenv_file).
    type: list
    elements: str
    choices: [bash, dotenv, next, python-dotenv]
    default: [bash, dotenv, next, python-dotenv]
  resolve:
    description:
      - With O(stage=inputs), ask for the addresses of the public host names from the controller, too. A name without
        one is a warning.
    type: bool
    default: false
  controller_addresses:
    description:
      - With O(stage=host), RV(addresses) of a task with O(stage=inputs), so that it is said where a name leads
        elsewhere for the controller than for the host.
    type: dict
    default: {}
  source_path:
    description:
      - With O(stage=host), the directory of the source that is to be deployed. Without it, what depends on the source
        is not judged.
    type: path
  releases_dir:
    description: Directory of the releases. By default C(staging_project_dir) with C(.releases) appended.
    type: path
  own_cwd:
    description:
      - Directories, a process working in or below one of which is ours and may hold a port. The project directory and
        O(releases_dir) always are.
    type: list
    elements: path
    default: []
  own_processes:
    description: Names of pm2 processes of the deploy user that are ours and may hold a port.
    type: list
    elements: str
    default: []
  min_free_bytes:
    description:
      - Bytes that the file system of the releases must have left. By default 1.2 times what the last release takes, but
        at least 256 MiB, and 2 GiB if there is none.
    type: int
  min_memory_bytes:
    description: Bytes of memory that a build may take, swap included.
    type: int
    default: 1073741824
  node:
    description: The Node.js executable.
    type: str
    default: node
  python:
    description: The Python executable that makes the virtualenv.
    type: str
    default: python3
  nginx:
    description: The nginx executable.
    type: str
    default: nginx
"""

EXAMPLES = r"""
- name: Do the inputs fit together
  codeframe.staging.preflight_info:
    stage: inputs
    inputs:
      staging_public_url: https://app.example.com
      staging_public_ws_url: wss://api.example.com/ws
      staging_backend_port: 14200
      staging_frontend_port: 14100
      staging_project_dir: /home/deploy/projects/app
      staging_tls_certificate: /etc/ssl/app.pem
      staging_tls_key: /etc/ssl/private/app.key
    levels:
      hold-short: fail
  delegate_to: localhost
  become: false

- name: Can the host carry it
  codeframe.staging.preflight_info:
    stage: host
    inputs: "{{ preflight_inputs }}"
    source_path: /home/deploy/projects/app.releases/0003-1a2b3c4d
    own_processes: [app-backend, app-frontend]
"""

RETURN = r"""
findings:
  description: Everything that does not fit, errors first.
  returned: always
  type: list
  elements: dict
  contains:
    finding:
      description: The name of the finding, by which O(levels) refers to it.
      type: str
    variable:
      description: The variable that the user should set, or the thing on the host.
      type: str
    value:
      description: Its value as it may be shown, empty if it is not set.
      type: str
    expected:
      description: What was expected.
      type: str
    remedy:
      description: What helps.
      type: str
    level:
      description: V(error) or V(warning).
      type: str
    message:
      description: All of it in one sentence.
      type: str
  sample:
    - finding: scheme
      variable: staging_public_ws_url
      value: '"http://api.example.com/ws"'
      expected: a WebSocket's URL starts with ws:// or wss://
      remedy: write ws://api.example.com/ws
      level: error
      message: >-
        staging_public_ws_url is "http://api.example.com/ws", but a WebSocket's URL starts with ws:// or
        wss://; write ws://api.example.com/ws
errors:
  description: How many findings are errors.
  returned: always
  type: int
  sample: 1
warnings_count:
  description: How many findings are warnings.
  returned: always
  type: int
  sample: 0
addresses:
  description: Addresses by public host name, as this machine sees them; null for a name without one.
  returned: always
  type: dict
  sample:
    app.example.com: ["192.0.2.10"]
message:
  description: One text with a sentence for each finding, empty if there is none.
  returned: always
  type: str
  sample: ""
"""

import contextlib
import ipaddress
import json
import os
import pwd
import re
import shutil
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._dotenv.readers import READERS
from ..module_utils._host.url import Url, as_address, is_loopback
from ..module_utils._nginx.site.marker import is_managed
from ..module_utils._preflight import finding as _preflight
from ..module_utils._preflight import host as _preflight_host
from ..module_utils._preflight import inputs as _preflight_inputs
from ..module_utils._preflight.finding import Finding
from ..module_utils._preflight.versions import (
    Version,
    parse_version,
    requires_python,
)

RESOLVE_WITHIN_S = 5.0
MEASURE_WITHIN_S = 3.0
_SECRET_NAME = re.compile(r"secret|token|passw", re.IGNORECASE)
LEAST_FREE_BYTES = 256 * 1024**2
_LOCK_FILES = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock", "bun.lockb")


Addresses = dict[str, Optional[list[str]]]


def resolve(hosts: Iterable[str]) -> Addresses:
    """Addresses by host name, each asked for at the same time and none longer than RESOLVE_WITHIN_S.

    Names below ``.localhost`` are not asked for: they lead to the asking machine (RFC 6761, section 6.3).
    """
    answers: Addresses = {}

    def ask(host: str) -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answers[host] = sorted({str(entry[4][0]).partition("%")[0] for entry in found})

    asked = {host for host in hosts if as_address(host) is None and not is_loopback(host)}
    threads = [threading.Thread(target=ask, args=(host,), daemon=True) for host in asked]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + RESOLVE_WITHIN_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {host: answers.get(host) for host in asked}


def local_addresses() -> set[str]:
    """The addresses of this host, but for its loopback ones."""
    found = set()
    with contextlib.suppress(OSError), open("/proc/net/fib_trie", encoding="ascii") as file:
        last = ""
        for line in file:
            address = re.search(r"\|-- (\d+\.\d+\.\d+\.\d+)", line)
            if address is not None:
                last = address[1]
            elif "/32 host LOCAL" in line and not last.startswith("127."):
                found.add(last)
    with contextlib.suppress(OSError), open("/proc/net/if_inet6", encoding="ascii") as file:
        for line in file:
            digits = line.split()[0]
            address_text = str(ipaddress.IPv6Address(int(digits, 16)))
            if address_text != "::1":
                found.add(address_text)
    return found


def listening_sockets() -> dict[str, tuple[int, int]]:
    """Port and user id by inode of every listening TCP socket of this network namespace."""
    found = {}
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError), open(name, encoding="ascii") as file:
            next(file, None)
            for line in file:
                fields = line.split()
                if fields[3] == "0A":
                    found[fields[9]] = int(fields[1].rpartition(":")[2], 16), int(fields[7])
    return found


class Processes:
    """The processes of the host, as far as they hold ports."""

    def __init__(self, own_dirs: Iterable[str], own_names: Iterable[str], user: str) -> None:
        self.own_dirs = sorted({os.path.realpath(path) for path in own_dirs} | set(own_dirs))
        self.own_names = set(own_names)
        try:
            self.uid: int | None = pwd.getpwnam(user).pw_uid
        except KeyError:
            self.uid = None

    def listeners(self, ports: Iterable[int]) -> list[_preflight_host.Listener]:
        wanted = set(ports)
        sockets = {inode: (port, uid) for inode, (port, uid) in listening_sockets().items() if port in wanted}
        if not sockets:
            return []
        found = []
        seen: set[str] = set()
        for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
            for inode in self._socket_inodes(pid):
                if inode in sockets:
                    seen.add(inode)
                    found.append(self._listener(pid, sockets[inode][0]))
        # Without CAP_SYS_PTRACE, as in many containers, root does not see whose a socket of another user is. One of
        # the deploy user's passes here; pm2_process looks at it as that user, and knows.
        found += [
            _preflight_host.Listener(port, ours=uid == self.uid)
            for inode, (port, uid) in sockets.items()
            if inode not in seen
        ]
        return found

    def _socket_inodes(self, pid: int) -> set[str]:
        found = set()
        with contextlib.suppress(OSError):
            for name in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    target = os.readlink(f"/proc/{pid}/fd/{name}")
                    if target.startswith("socket:["):
                        found.add(target[8:-1])
        return found

    def _listener(self, pid: int, port: int) -> _preflight_host.Listener:
        command, cwd = self._command(pid), self._cwd(pid)
        return _preflight_host.Listener(port, pid, command, cwd, ours=self._is_ours(pid, cwd))

    def _command(self, pid: int) -> str:
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
                return file.read().strip()
        except OSError:
            return ""

    def _cwd(self, pid: int) -> str:
        try:
            return os.readlink(f"/proc/{pid}/cwd").replace(" (deleted)", "")
        except OSError:
            return ""

    def _is_ours(self, pid: int, cwd: str) -> bool:
        if self._is_below_own_dirs(cwd) or self._has_own_name(pid):
            return True
        # In cluster mode the pm2 daemon itself holds the socket, for its children.
        children = self._children(pid) if self._command(pid).startswith("PM2") else []
        return any(self._has_own_name(child) or self._is_below_own_dirs(self._cwd(child)) for child in children)

    def _is_below_own_dirs(self, cwd: str) -> bool:
        return any(cwd == path or cwd.startswith(f"{path}/") for path in self.own_dirs)

    def _children(self, pid: int) -> list[int]:
        try:
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                return [int(child) for child in file.read().split()]
        except OSError:
            return []

    def _has_own_name(self, pid: int) -> bool:
        """Whether pm2 gave the process one of our names, under the deploy user."""
        try:
            if self.uid is None or os.stat(f"/proc/{pid}").st_uid != self.uid:
                return False
            with open(f"/proc/{pid}/environ", "rb") as file:
                entries = file.read().split(b"\0")
        except OSError:
            return False
        variables = {key: value for key, _equals, value in (entry.partition(b"=") for entry in entries)}
        if b"pm2_env" in variables:
            # In cluster mode pm2 hands its settings over as one JSON text.
            with contextlib.suppress(ValueError, AttributeError):
                return json.loads(variables[b"pm2_env"]).get("name") in self.own_names
        return b"pm_id" in variables and variables.get(b"name", b"").decode(errors="replace") in self.own_names


def look_at_place(path: str, user: str) -> _preflight_host.Place:
    nearest = path
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest) or "/"
    if not os.path.isdir(nearest):
        return _preflight_host.Place(path, nearest, is_directory=False)
    status = os.statvfs(nearest)
    closed = closed_to(nearest, user)
    return _preflight_host.Place(
        path,
        nearest,
        writable=bool(closed) or writable_by(nearest, user),
        read_only=bool(status.f_flag & os.ST_RDONLY),
        no_exec=bool(status.f_flag & getattr(os, "ST_NOEXEC", 0)),
        free_bytes=status.f_bavail * status.f_frsize,
        free_inodes=status.f_favail if status.f_files else None,
        closed=closed,
    )


def writable_by(path: str, user: str) -> bool:
    """Whether ``user`` may make a file in ``path``; for a user that is still to be made, whether anyone may.

    Asked of the kernel as that user, since modes alone do not say it (access control lists, read-only attributes).
    """
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return os.access(path, os.W_OK | os.X_OK)
    if os.geteuid() != 0 or entry.pw_uid == 0:
        return os.access(path, os.W_OK | os.X_OK)
    child = os.fork()
    if child == 0:
        try:
            os.initgroups(user, entry.pw_gid)
            os.setgid(entry.pw_gid)
            os.setuid(entry.pw_uid)
            os._exit(0 if os.access(path, os.W_OK | os.X_OK) else 1)
        finally:
            os._exit(2)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 1


def closed_to(path: str, user: str) -> str:
    """The first directory on the way to ``path`` that ``user`` cannot enter, by its mode; empty if there is none."""
    try:
        entry = pwd.getpwnam(user)
        groups = set(os.getgrouplist(user, entry.pw_gid))
    except (KeyError, OSError):
        return ""
    if entry.pw_uid == 0:
        return ""
    parts = os.path.realpath(path).split("/")
    for depth in range(1, len(parts) + 1):
        directory = "/".join(parts[:depth]) or "/"
        try:
            status = os.stat(directory)
        except OSError:
            return ""
        if status.st_uid == entry.pw_uid:
            bit = stat.S_IXUSR
        else:
            bit = stat.S_IXGRP if status.st_gid in groups else stat.S_IXOTH
        if not status.st_mode & bit:
            return directory
    return ""


def needed_bytes(module: AnsibleModule, project_dir: str) -> int:
    if module.params["min_free_bytes"] is not None:
        return int(module.params["min_free_bytes"])
    current = os.path.realpath(project_dir)
    if not os.path.isdir(current):
        return _preflight_host.FIRST_DEPLOYMENT_BYTES
    return max(LEAST_FREE_BYTES, int(1.2 * size_on_disk(current)))


def size_on_disk(path: str) -> int:
    """Bytes below a directory; after MEASURE_WITHIN_S what has been seen so far."""
    total = 0
    deadline = time.monotonic() + MEASURE_WITHIN_S
    for directory, _names, files in os.walk(path):
        for name in files:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(directory, name)).st_blocks * 512
        if time.monotonic() > deadline:
            break
    return total


def available_memory() -> int | None:
    """Bytes that a process can still get, swap included, within the limits of the control group."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        free = (int(fields["MemAvailable"].split()[0]) + int(fields["SwapFree"].split()[0])) * 1024
    except (OSError, KeyError, ValueError):
        return None
    room = room_in_group("/sys/fs/cgroup")
    return free if room is None else min(free, room)


def room_in_group(directory: str) -> int | None:
    """Bytes that a control group can still get; what it holds of files only is given back. None without a limit."""
    limit, current = (read_text(os.path.join(directory, name)) or "" for name in ("memory.max", "memory.current"))
    cached = re.search(r"^inactive_file (\d+)$", read_text(os.path.join(directory, "memory.stat")) or "", re.MULTILINE)
    if not limit.strip().isdigit() or not current.strip().isdigit():
        return None
    return int(limit) - int(current) + (int(cached[1]) if cached else 0)


def ephemeral_ports() -> tuple[int, int]:
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as file:
            low, high = file.read().split()
        return int(low), int(high)
    except (OSError, ValueError):
        return 32768, 60999


def version_of(module: AnsibleModule, executable: str) -> Version | None:
    path = executable if os.path.isabs(executable) else shutil.which(executable)
    if path is None or not os.access(path, os.X_OK):
        return None
    code, out, err = module.run_command([path, "--version"], environ_update={"LC_ALL": "C"})
    return parse_version(out or err) if code == 0 else None


def read_text(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return None


def look_at_source(source_path: str, inputs: Mapping[str, Any]) -> tuple[_preflight_host.Source, dict[str, str]]:
    """The source and the ranges of Node.js that it asks for."""
    frontend = str(inputs.get("staging_frontend_dir") or "web-ui")
    backend = str(inputs.get("staging_backend_dir") or ".")
    directory = os.path.join(source_path, frontend)
    text = read_text(os.path.join(directory, "package.json"))
    problem: str | None = None
    package: dict[str, Any] = {}
    engines: dict[str, str] = {}
    if text is not None:
        try:
            package = json.loads(text)
            problem = "" if isinstance(package, dict) else "holds no object"
        except ValueError as error:
            problem = f"is no JSON ({error})"
        package = package if isinstance(package, dict) else {}
        engines = wanted_node(package, os.path.join(directory, "package-lock.json"))
    scripts = package.get("scripts")
    source = _preflight_host.Source(
        frontend_dir=frontend,
        package_json=problem,
        has_lock=any(os.path.isfile(os.path.join(directory, name)) for name in _LOCK_FILES),
        has_build_script=isinstance(scripts, dict) and "build" in scripts,
        backend_dir=backend,
        backend_exists=os.path.isdir(os.path.join(source_path, backend)),
    )
    return source, engines


def wanted_node(package: Mapping[str, Any], lock: str) -> dict[str, str]:
    """What the application and its Next.js ask for."""
    found = {}
    own = package.get("engines")
    if isinstance(own, dict) and isinstance(own.get("node"), str):
        found["package.json"] = own["node"]
    text = read_text(lock)
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        entry = json.loads(text or "{}").get("packages", {}).get("node_modules/next", {})
        if isinstance(entry.get("engines", {}).get("node"), str):
            found[f"Next.js {entry.get('version', '')}".strip()] = entry["engines"]["node"]
    return found


def wanted_python(source_path: str, inputs: Mapping[str, Any]) -> dict[str, str]:
    if inputs.get("staging_backend_install") in {"uv", "none"}:
        # uv brings the Python that the project asks for, and nothing installed needs none.
        return {}
    backend = str(inputs.get("staging_backend_dir") or ".")
    text = read_text(os.path.join(source_path, backend, "pyproject.toml"))
    needed = requires_python(text) if text else ""
    return {"pyproject.toml": needed} if needed else {}


def look_at_certificate(variable: str, certificate: str, key: str) -> _preflight_host.Certificate:
    for path in (certificate, key):
        if not os.path.isfile(path):
            return _preflight_host.Certificate(variable, certificate, f"there is no file {path}")
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key, password=lambda: b"")
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or "unreadable"
        return _preflight_host.Certificate(
            variable, certificate, f"it does not serve together with {key} ({str(reason).replace('_', ' ').lower()})"
        )
    try:
        decoded: dict[str, Any] = ssl._ssl._test_decode_cert(certificate)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return _preflight_host.Certificate(variable, certificate)
    names = tuple(str(value) for kind, value in decoded.get("subjectAltName", ()) if kind in {"DNS", "IP Address"})
    days = (ssl.cert_time_to_seconds(decoded["notAfter"]) - time.time()) / 86400
    return _preflight_host.Certificate(variable, certificate, "", names, days)


def check_host(module: AnsibleModule) -> tuple[list[Finding], Addresses]:
    """Look at the host and judge it, one thing after the other."""
    params, inputs = module.params, module.params["inputs"]
    found: list[Finding] = []
    project_dir = str(inputs.get("staging_project_dir") or "").rstrip("/")
    releases_dir = params["releases_dir"] or f"{project_dir}.releases"
    user = str(inputs.get("staging_user") or "deploy")
    urls = _preflight_inputs.public_hosts(inputs)
    provider = str(inputs.get("staging_proxy_provider") or "nginx")
    served = {
        variable: url
        for variable, url in urls.items()
        if variable != _preflight_inputs.PAGE or inputs.get("staging_proxy_page") is not False
    }
    if project_dir:
        place = look_at_place(releases_dir, user)
        needed = needed_bytes(module, project_dir)
        found += _preflight_host.judge_place(place, "staging_project_dir", needed_bytes=needed, user=user)
    own_dirs = [path for path in (project_dir, releases_dir if project_dir else "", *params["own_cwd"]) if path]
    processes = Processes(own_dirs, params["own_processes"], user)
    ports = {variable: port for variable, port in _preflight_inputs.own_ports(inputs).items() if port is not None}
    proxy_ports = (
        {_preflight_inputs.port_at_proxy(inputs, url): variable for variable, url in served.items()}
        if provider == "nginx"
        else {}
    )
    listeners = processes.listeners([*ports.values(), *proxy_ports])
    found += _preflight_host.judge_ports(ports, listeners, ephemeral=ephemeral_ports())
    shown_urls = {variable: str(inputs[variable]) for variable in served}
    found += _preflight_host.judge_proxy_ports(
        proxy_ports, shown_urls, (item for item in listeners if item.port not in ports.values())
    )
    memory = available_memory()
    if memory is not None:
        found += _preflight_host.judge_memory(memory, params["min_memory_bytes"])
    if params["source_path"] and os.path.isdir(params["source_path"]):
        found += check_source(module)
    if provider == "nginx":
        found += check_nginx(module)
        found += check_certificate(inputs, {variable: url.host for variable, url in served.items() if url.secure})
    # A proxy elsewhere has the names of what it serves; a page that it does not serve comes straight from here.
    lead_here = [name for name in urls if provider == "nginx" or name not in served]
    names, answers = check_names(module, urls, lead_here)
    return found + names, answers


def check_names(
    module: AnsibleModule, urls: Mapping[str, Url], lead_here: Sequence[str]
) -> tuple[list[Finding], Addresses]:
    """Where the public names lead, seen from this host, and from the controller where it sees something else."""
    hosts = {variable: url.host for variable, url in urls.items()}
    answers, local = resolve(hosts.values()), local_addresses()
    # Debian's installer gives the host's own name to 127.0.1.1.
    seen = {address for addresses in answers.values() for address in addresses or ()}
    here = local | {address for address in seen if is_loopback(address)}
    found = _preflight_host.judge_names(hosts, answers, here, vantage="the staging host", lead_here=lead_here)
    elsewhere = {
        host: addresses
        for host, addresses in module.params["controller_addresses"].items()
        if addresses and host in answers and set(addresses) != set(answers[host] or ())
    }
    found += _preflight_host.judge_names(hosts, elsewhere, local, vantage="the controller", lead_here=lead_here)
    return found, answers


def check_source(module: AnsibleModule) -> list[Finding]:
    path, inputs = module.params["source_path"], module.params["inputs"]
    source, engines = look_at_source(path, inputs)
    found = _preflight_host.judge_source(source)
    node = version_of(module, module.params["node"])
    found += _preflight_host.judge_node(node, engines, must_exist=not module.check_mode)
    found += _preflight_host.judge_python(version_of(module, module.params["python"]), wanted_python(path, inputs))
    return found


def check_nginx(module: AnsibleModule) -> list[Finding]:
    executable = module.params["nginx"]
    search = f"{os.environ.get('PATH', '')}:/usr/sbin"
    path = executable if os.path.isabs(executable) else shutil.which(executable, path=search)
    if path is None or not os.access(path, os.X_OK):
        return []
    code, out, err = module.run_command([path, "-t"], environ_update={"LC_ALL": "C"})
    place = _preflight_host.refused_place(err or out)
    if code != 0 and place and is_managed(read_text(place) or ""):
        # Our own file that somebody broke is drift, and the proxy role puts it right.
        return []
    return _preflight_host.judge_nginx(code == 0, err or out)


def check_certificate(inputs: Mapping[str, Any], hosts: Mapping[str, str]) -> list[Finding]:
    variable = "staging_tls_certificate"
    certificate, key = inputs.get(variable), inputs.get("staging_tls_key")
    if not certificate or not key:
        return []
    return _preflight_host.judge_certificate(look_at_certificate(variable, str(certificate), str(key)), hosts)


def check_inputs(module: AnsibleModule) -> tuple[list[Finding], Addresses]:
    inputs = module.params["inputs"]
    answers: Addresses = {}
    found = _preflight_inputs.check_inputs(inputs, module.params["readers"])
    found += check_source_dir(inputs)
    if module.params["resolve"]:
        hosts = {variable: url.host for variable, url in _preflight_inputs.public_hosts(inputs).items()}
        answers = resolve(hosts.values())
        found += _preflight_host.judge_names(hosts, answers, (), vantage="the controller", lead_here=())
    return found, answers


def check_source_dir(inputs: Mapping[str, Any]) -> list[Finding]:
    """What of an archive's source can be seen on the controller already."""
    path = inputs.get("staging_source_dir")
    if inputs.get("staging_source_type") != "archive" or not isinstance(path, str) or not path or "\n" in path:
        return []
    if os.path.isdir(path):
        return _preflight_host.judge_source(look_at_source(path, inputs)[0])
    return [
        _preflight.finding(
            "source-dir-missing",
            "staging_source_dir",
            path,
            "a directory on the controller is expected",
            "correct the path, which is relative to the directory of the command unless it is absolute",
        )
    ]


class UnloggedModule(AnsibleModule):  # type: ignore[misc]
    """A module that logs nothing on the machine where it runs.

    AnsibleModule logs its arguments before any of our code could tell it which of the inputs are secrets, and a task's
    ``no_log`` overrides what the module asks for.
    """

    def log(self, msg: Any, log_args: Any = None) -> None:
        """Leave the system's log alone."""


def secrets_in(inputs: Mapping[str, Any]) -> set[str]:
    """What must not be shown: all below a name that speaks of a secret, and passwords in URLs."""
    found: set[str] = set()
    for name, value in inputs.items():
        if _SECRET_NAME.search(str(name)):
            found |= set(leaves(value))
        found |= {match[1] for match in re.finditer(r"://[^/@:\s]*:([^/@\s]+)@", str(value))}
    return found


def leaves(value: Any) -> Iterator[str]:
    """Every text and number in a value, however deep."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from leaves(item)
    elif isinstance(value, (str, int, float)) and not isinstance(value, bool) and value != "":
        yield str(value)


def main() -> None:
    module = UnloggedModule(
        argument_spec={
            "stage": {"type": "str", "choices": ["inputs", "host"], "required": True},
            "inputs": {"type": "dict", "required": True},
            "levels": {"type": "dict", "default": {}},
            "fail": {"type": "bool", "default": True},
            "readers": {"type": "list", "elements": "str", "choices": list(READERS), "default": list(READERS)},
            "resolve": {"type": "bool", "default": False},
            "controller_addresses": {"type": "dict", "default": {}},
            "source_path": {"type": "path"},
            "releases_dir": {"type": "path"},
            "own_cwd": {"type": "list", "elements": "path", "default": []},
            "own_processes": {"type": "list", "elements": "str", "default": []},
            "min_free_bytes": {"type": "int"},
            "min_memory_bytes": {"type": "int", "default": 1024**3},
            "node": {"type": "str", "default": "node"},
            "python": {"type": "str", "default": "python3"},
            "nginx": {"type": "str", "default": "nginx"},
        },
        supports_check_mode=True,
    )
    module.no_log_values.update(secrets_in(module.params["inputs"]))
    wrong = _preflight.wrong_levels(module.params["levels"])
    if wrong:
        names, said = ", ".join(sorted(_preflight.OPINIONS)), "; ".join(wrong)
        module.fail_json(msg=f"the levels for preflight findings hold {said}; levels can be set for {names}")
    found, addresses = check_inputs(module) if module.params["stage"] == "inputs" else check_host(module)
    found = _preflight.with_levels(found, module.params["levels"])
    errors = [item for item in found if item.level == _preflight.ERROR]
    result = {
        "changed": False,
        "findings": [item.as_dict() for item in found],
        "errors": len(errors),
        "warnings_count": len(found) - len(errors),
        "addresses": addresses,
        "message": _preflight.summary(found),
    }
    for item in found:
        if item.level != _preflight.ERROR:
            module.warn(item.sentence)
    if errors and module.params["fail"]:
        module.fail_json(msg=_preflight.summary(errors), **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
