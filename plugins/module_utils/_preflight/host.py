# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the staging host can carry a deployment, judged from facts that were gathered before."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._host.url import covers
from .finding import Finding, Shown, finding
from .versions import (
    Version,
    proxy_manager_allows,
    python_allows,
)

#: Space for a first deployment: measured on an application with 647 MB of node_modules and a build of 67 MB.
FIRST_DEPLOYMENT_BYTES = 2 * 1024**3
LEAST_FREE_INODES = 100_000
_EPHEMERAL_DEFAULT = (32768, 60999)


@dataclass(frozen=True)
class Place:
    """A directory that is to be made: the nearest part of it that is there, and what is known of that."""

    path: str
    nearest: str
    is_directory: bool = True
    writable: bool = True
    read_only: bool = False
    no_exec: bool = False
    free_bytes: int = 0
    free_inodes: int | None = None
    """None where the file system does not count them."""
    closed: str = ""
    """A directory above that the deploy user cannot enter."""


@dataclass(frozen=True)
class Listener:
    """A process that listens on a port."""

    port: int
    pid: int | None = None
    """None where it cannot be seen, as for a process outside of the container."""
    command: str = ""
    cwd: str = ""
    ours: bool = False


def judge_place(place: Place, variable: str, *, needed_bytes: int, user: str) -> list[Finding]:
    found: list[Finding] = []

    def add(name: str, expected: str, remedy: str) -> None:
        found.append(finding(name, variable, place.path, expected, remedy))

    if not place.is_directory:
        add("path-blocked", f"{place.nearest} is no directory", "move that file away, or choose another directory")
        return found
    if place.read_only:
        add("path-read-only", f"the file system of {place.nearest} is mounted read-only", "mount it for writing")
        return found
    if not place.writable:
        add(
            "path-not-writable",
            f"{user} cannot write to {place.nearest}, where the releases are to stand",
            f"give {user} that directory, or choose another one",
        )
    if place.no_exec:
        add(
            "path-no-exec",
            f"the file system of {place.nearest} is mounted noexec, so that no program of the release can run",
            "mount it without noexec, or choose another directory",
        )
    if place.closed:
        add(
            "path-closed",
            f"{user} cannot enter {place.closed}",
            f"let {user} in (chmod o+x {place.closed}), or choose another directory",
        )
    if place.free_bytes < needed_bytes:
        add(
            "disk-space",
            f"a deployment needs {in_words(needed_bytes)}, and {place.nearest} has {in_words(place.free_bytes)} left",
            "make room, or lower staging_min_free_bytes",
        )
    if place.free_inodes is not None and place.free_inodes < LEAST_FREE_INODES:
        add(
            "inodes",
            f"a deployment needs {LEAST_FREE_INODES} inodes, and {place.nearest} has {place.free_inodes} left",
            "remove small files, or choose another file system",
        )
    return found


def in_words(number: int) -> str:
    """A size for people, in binary units."""
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable")


def judge_ports(
    ports: Mapping[str, int], listeners: Iterable[Listener], *, ephemeral: tuple[int, int] = _EPHEMERAL_DEFAULT
) -> list[Finding]:
    """Ports of our own processes, by the variable that names them."""
    found = []
    taken = list(listeners)
    for variable, port in ports.items():
        foreign = next((item for item in taken if item.port == port and not item.ours), None)
        if foreign is not None:
            found.append(
                finding(
                    "port-held",
                    variable,
                    port,
                    f"{_holder(foreign)} listens on it",
                    "stop that process, or choose another port",
                )
            )
        if ephemeral[0] <= port <= ephemeral[1]:
            found.append(
                finding(
                    "port-ephemeral",
                    variable,
                    port,
                    f"the kernel gives the ports from {ephemeral[0]} to {ephemeral[1]} to outgoing connections",
                    "choose a port outside of them",
                )
            )
    return found


def judge_proxy_ports(
    ports: Mapping[int, str], urls: Mapping[str, str], listeners: Iterable[Listener]
) -> list[Finding]:
    """Ports that nginx is to listen on, with the variable whose URL asks for each."""
    found = []
    for listener in listeners:
        variable = ports.get(listener.port)
        if variable is not None and listener.command != "nginx":
            found.append(
                finding(
                    "proxy-port-held",
                    variable,
                    urls[variable],
                    f"{_holder(listener)} listens on port {listener.port}, where nginx is to listen",
                    "stop that process, or write another port into the URL",
                )
            )
    return found


def _holder(listener: Listener) -> str:
    if listener.pid is None:
        return "a process that cannot be seen from here"
    where = f" in {listener.cwd}" if listener.cwd else ""
    return f"process {listener.pid} ({listener.command}{where})"


def judge_memory(available: int, needed: int) -> list[Finding]:
    if available >= needed:
        return []
    return [
        finding(
            "memory",
            "the memory of the host, swap included,",
            Shown(f"down to {in_words(available)}"),
            f"the build wants {in_words(needed)} and may be killed without a word",
            "add swap, stop something, or lower staging_min_memory_bytes",
        )
    ]


def judge_node(version: Version | None, wanted: Mapping[str, str], *, must_exist: bool) -> list[Finding]:
    """:param wanted: Ranges of Node.js by who asks for them."""
    if version is None:
        if not must_exist:
            return []
        return [
            finding(
                "node-missing", "node", None, "the frontend is built with Node.js", "let the runtime role install it"
            )
        ]
    return [
        finding(
            "node-version",
            "the version of Node.js",
            Shown(_dotted(version)),
            f"{who} asks for {needed}",
            "install a newer Node.js, or deploy a version of the application that fits",
        )
        for who, needed in wanted.items()
        if proxy_manager_allows(needed, version) is False
    ]


def judge_python(version: Version | None, wanted: Mapping[str, str]) -> list[Finding]:
    if version is None:
        return []
    return [
        finding(
            "python-version",
            "the version of Python",
            Shown(_dotted(version)),
            f"{who} asks for {needed}",
            "name a Python that fits (backend_python), or deploy a version of the application that fits",
        )
        for who, needed in wanted.items()
        if python_allows(needed, version) is False
    ]


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)


@dataclass(frozen=True)
class Source:
    """What stands in the application's source, as far as a deployment needs it."""

    frontend_dir: str
    package_json: str | None
    """None: missing. Otherwise why it cannot be used, or an empty text."""
    has_lock: bool = False
    has_build_script: bool = False
    backend_dir: str = ""
    backend_exists: bool = True


def judge_source(source: Source) -> list[Finding]:
    variable = "staging_frontend_dir"
    found: list[Finding] = []

    def add(name: str, expected: str, remedy: str) -> None:
        found.append(finding(name, variable, source.frontend_dir, expected, remedy))

    if source.package_json is None:
        add("package-json-missing", "the source has no package.json there", "name the directory of the page")
    elif source.package_json:
        add("package-json", f"the package.json there {source.package_json}", "repair it in the source")
    else:
        if not source.has_lock:
            add(
                "lock-file-missing",
                "no lock file stands beside package.json, so that every build may take other packages",
                "commit package-lock.json (npm install --package-lock-only)",
            )
        if not source.has_build_script:
            add("build-script-missing", "the package.json there has no script build", "add it: next build")
    if not source.backend_exists:
        found.append(
            finding(
                "backend-dir-missing",
                "staging_backend_dir",
                source.backend_dir,
                "the source has no such directory",
                "name the directory of the backend",
            )
        )
    return found


def judge_names(
    hosts: Mapping[str, str],
    answers: Mapping[str, Sequence[str] | None],
    local: Iterable[str],
    *,
    vantage: str,
    lead_here: Container[str],
) -> list[Finding]:
    """:param hosts: Host name by variable.
    :param answers: Addresses by host name; None where no answer came, hosts that were not asked are left out.
    :param lead_here: Variables for which one of the addresses should be the host's own.
    """
    found = []
    own = set(local)
    for variable, host in hosts.items():
        if host not in answers:
            continue
        addresses = answers[host]
        if not addresses:
            found.append(
                finding(
                    "host-unresolved",
                    variable,
                    host,
                    f"{vantage} finds no address for it",
                    "check the name, its DNS record and the resolver",
                )
            )
        elif variable in lead_here and own and not own & set(addresses):
            found.append(
                finding(
                    "host-leads-elsewhere",
                    variable,
                    host,
                    f"seen from {vantage} it leads to {', '.join(sorted(addresses))}, "
                    "which is none of the staging host's addresses",
                    "make sure that what stands there forwards to this host",
                )
            )
    return found


_NGINX_PLACE = re.compile(
    r"\[(?:emerg|crit|alert)\] (?:\d+#\d+: )?(?P<what>.*?)(?: in (?P<where>/\S+:\d+))?$", re.MULTILINE
)


def refused_place(output: str) -> str:
    """The file that nginx stumbled over, or an empty text."""
    said = _NGINX_PLACE.search(output)
    return said["where"].rpartition(":")[0] if said and said["where"] else ""


def judge_nginx(accepted: bool, output: str) -> list[Finding]:
    if accepted:
        return []
    said = _NGINX_PLACE.search(output)
    what = said["what"] if said else output.strip().splitlines()[-1] if output.strip() else "no reason was given"
    where = f" in {said['where']}" if said and said["where"] else ""
    return [
        finding(
            "nginx-refuses",
            "nginx",
            Shown(f"refusing its configuration ({what}{where})"),
            "a tree that it accepts is expected before anything is added",
            "repair that place first; it is not of this deployment's making",
        )
    ]


@dataclass(frozen=True)
class Certificate:
    variable: str
    path: str
    problem: str = ""
    names: tuple[str, ...] = ()
    days_left: float | None = None


def judge_certificate(certificate: Certificate, hosts: Mapping[str, str]) -> list[Finding]:
    variable, path = certificate.variable, certificate.path
    if certificate.problem:
        return [finding("certificate-file", variable, path, certificate.problem, "repair it, or name another file")]
    found = []
    for url_variable, host in hosts.items():
        if certificate.names and not any(covers(name, host) for name in certificate.names):
            found.append(
                finding(
                    "certificate-name",
                    url_variable,
                    host,
                    f"the certificate {path} is for {', '.join(certificate.names)}",
                    "get a certificate that names the host, or change the URL",
                )
            )
    if certificate.days_left is not None and certificate.days_left <= 0:
        found.append(finding("certificate-expired", variable, path, "it has expired", "renew it"))
    elif certificate.days_left is not None and certificate.days_left < 7:
        found.append(
            finding(
                "certificate-expires-soon",
                variable,
                path,
                f"it expires in {certificate.days_left:.0f} days",
                "renew it",
            )
        )
    return found
