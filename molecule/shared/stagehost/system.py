"""Install the system packages that staging hosts need."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from stagehost.progress import step
from stagehost.workspace import Workspace

# Package -> a file that exists once it is installed.
PACKAGES = {
    "podman": "/usr/bin/podman",
    "runc": "/usr/sbin/runc",
    "iptables": "/usr/sbin/iptables",
    "netavark": "/usr/lib/podman/netavark",
    "aardvark-dns": "/usr/lib/podman/aardvark-dns",
    "catatonit": "/usr/bin/catatonit",
    "debootstrap": "/usr/sbin/debootstrap",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
    "openssh-client": "/usr/bin/ssh",
    "ca-certificates": "/usr/sbin/update-ca-certificates",
}


class MachineError(Exception):
    """The machine cannot run staging hosts; the message says what is missing."""


def missing_packages(root: Path = Path("/")) -> list[str]:
    return [package for package, path in PACKAGES.items() if not (root / path.lstrip("/")).exists()]


def ensure_packages(workspace: Workspace) -> None:
    """Install missing packages with apt, as root.

    :raises MachineError: If there is no apt, no root, or the installation fails.
    """
    missing = missing_packages()
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None:
        raise MachineError(
            f"this machine has no apt-get; install the packages that provide {names} manually, then run this again"
        )
    if os.geteuid() != 0:
        raise MachineError(f"system packages are missing; as root, run: apt-get install {names}")
    log = workspace.logs / "apt.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step(f"system packages: {names}"), log.open("w") as out:
        for command in (["update"], ["install", "--yes", "--no-install-recommends", *missing]):
            done = subprocess.run(
                ["apt-get", *command],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode:
                end = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
                raise MachineError(f"apt-get {command[0]} failed; the end of {log}:\n{end}")
