"""Detect the limits of this machine and derive the settings that podman needs on it."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CAP_SYS_RESOURCE = 24
# podman's own defaults.
PODMAN_NOFILE = 1048576
PODMAN_NPROC = 4194304


@dataclass(frozen=True)
class Machine:
    """The properties of a machine that decide how podman must be configured."""

    unified_cgroups: bool
    may_raise_limits: bool
    nofile_hard: int
    nproc_hard: int
    pid_max: int


def read_machine(root: Path = Path("/")) -> Machine:
    """Read the properties of the machine and of this process."""
    return Machine(
        unified_cgroups=(root / "sys/fs/cgroup/cgroup.controllers").exists(),
        may_raise_limits=has_capability((root / "proc/self/status").read_text(), CAP_SYS_RESOURCE),
        nofile_hard=_hard_limit(resource.RLIMIT_NOFILE, PODMAN_NOFILE),
        nproc_hard=_hard_limit(resource.RLIMIT_NPROC, PODMAN_NPROC),
        pid_max=int((root / "proc/sys/kernel/pid_max").read_text()),
    )


def has_capability(status: str, number: int) -> bool:
    """Return whether the effective set in the text of ``/proc/<pid>/status`` contains a capability."""
    for line in status.splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def containers_conf(machine: Machine) -> str | None:
    """The ``containers.conf`` that podman needs on this machine; ``None`` where its defaults work.

    Without CAP_SYS_RESOURCE, crun does not start on hybrid cgroups, and limits above the hard limit are refused.
    podman lowers the number of processes to ``pid_max`` before it starts the runtime, so that the hard limit
    may be too high as well.
    """
    if machine.unified_cgroups and machine.may_raise_limits:
        return None
    lines = ["# Made by stagehost for this machine; podman reads it through CONTAINERS_CONF."]
    if not machine.may_raise_limits:
        nofile = min(machine.nofile_hard, PODMAN_NOFILE)
        nproc = min(machine.nproc_hard, machine.pid_max)
        lines += ["[containers]", f'default_ulimits = ["nofile={nofile}:{nofile}", "nproc={nproc}:{nproc}"]']
    lines += ["[engine]", 'runtime = "runc"', "[network]", 'network_backend = "netavark"']
    return "\n".join(lines) + "\n"


def own_certificates(environ: Mapping[str, str], root: Path = Path("/")) -> bytes:
    """The certificate bundle (PEM) of a machine with its own certificate authorities; empty on other machines."""
    named = environ.get("SSL_CERT_FILE")
    if not named and any((root / "usr/local/share/ca-certificates").glob("**/*.crt")):
        named = str(root / "etc/ssl/certs/ca-certificates.crt")
    return Path(named).read_bytes() if named and Path(named).is_file() else b""


def _hard_limit(which: int, unlimited: int) -> int:
    hard = resource.getrlimit(which)[1]
    return unlimited if hard == resource.RLIM_INFINITY else hard
