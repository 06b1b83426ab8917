"""Staging hosts: systemd containers that the controller reaches over SSH."""

from __future__ import annotations

import socket
import subprocess
import time
from dataclasses import dataclass
from ipaddress import IPv4Interface, IPv4Network

from stagehost.podman import LABEL, Podman
from stagehost.progress import note, step
from stagehost.workspace import Workspace

ADDRESS = "127.0.0.1"
NETWORK = "codeframe-staging"
USER = "admin"
START_TIMEOUT_S = 180.0


class HostError(Exception):
    """A staging host could not be created or reached; the message says why."""


@dataclass(frozen=True)
class Wanted:
    """One staging host; ``publish`` maps ports of the machine's loopback address to ports of the host.

    Hosts with an ``address`` share one network and reach each other there.
    """

    name: str
    image: str
    ssh_port: int
    publish: tuple[tuple[int, int], ...] = ()
    address: IPv4Interface | None = None

    @property
    def ports(self) -> tuple[tuple[int, int], ...]:
        return ((self.ssh_port, 22), *self.publish)

    @property
    def network(self) -> tuple[str, ...]:
        """Network options of ``podman run``; empty for the default network."""
        return (f"--network={NETWORK}:ip={self.address.ip}",) if self.address else ()


def up(podman: Podman, workspace: Workspace, wanted: Wanted, *, replace: bool = False) -> None:
    """Create or start the host and wait for SSH; an existing host keeps everything deployed to it.

    :raises HostError: If a port is in use or the host does not start.
    """
    found = podman.inspect("container", wanted.name)
    if found and LABEL not in (found["Config"].get("Labels") or {}):
        raise HostError(
            f"a container named {wanted.name} exists that this project did not create; rename or remove it first"
        )
    if found and replace:
        down(podman, wanted.name)
        found = None
    if found and found["State"]["Status"] == "running":
        note(f"container {wanted.name} is already running")
    else:
        with step(f"container {wanted.name}: {'start' if found else 'create from ' + wanted.image}"):
            _start(podman, wanted, exists=found is not None)
    await_systemd(podman, wanted.name)
    _admit_controller(podman, workspace, wanted)
    _await_login(workspace, wanted)


def down(podman: Podman, name: str) -> bool:
    """Remove a host and its data; return whether it existed."""
    found = podman.inspect("container", name)
    if not found:
        return False
    if LABEL not in (found["Config"].get("Labels") or {}):
        raise HostError(f"container {name} was not created by this project and is not removed")
    # podman fails if the container exits by itself during the kill; the next attempt finds it stopped.
    for _attempt in range(3):
        if podman.try_run("rm", "--force", "--time=10", "--volumes", name).returncode == 0:
            break
        time.sleep(1)
    else:
        podman.run("rm", "--force", "--time=10", "--volumes", name)
    if NETWORK in found["NetworkSettings"]["Networks"]:
        remove_network(podman)
    return True


def ssh_command(workspace: Workspace, port: int) -> list[str]:
    """The SSH command line for a host, with the options that the controller uses."""
    return [
        "ssh",
        f'-oUserKnownHostsFile="{workspace.known_hosts}"',
        "-oStrictHostKeyChecking=yes",
        "-oBatchMode=yes",
        "-oConnectTimeout=5",
        f"-i{workspace.private_key}",
        f"-p{port}",
        f"{USER}@{ADDRESS}",
    ]


def describe(podman: Podman, name: str) -> str:
    """Describe state and ports of a host in one line."""
    found = podman.inspect("container", name)
    if not found:
        return f"{name}: none"
    bindings = found["HostConfig"].get("PortBindings") or {}
    ports = [f"{host['HostIp']}:{host['HostPort']} -> {inner}" for inner, hosts in bindings.items() for host in hosts]
    return f"{name}: {found['State']['Status']}, {', '.join(ports)}"


def await_systemd(podman: Podman, name: str) -> None:
    """Wait until systemd in a host has finished starting.

    :raises HostError: If it has not finished within :data:`START_TIMEOUT_S`.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    state = ""
    while time.monotonic() < deadline:
        state = podman.try_run("exec", name, "systemctl", "is-system-running").stdout.strip()
        if state == "running":
            return
        if state == "degraded":
            break
        time.sleep(0.3)
    failed = podman.try_run("exec", name, "systemctl", "--failed", "--no-legend", "--plain").stdout.strip()
    if state == "degraded":
        # The failed unit may belong to the application under test, which the tests judge.
        note(f"container {name} is running with failed units: {failed}")
        return
    logs = podman.try_run("logs", "--tail", "15", name)
    raise HostError(
        f"systemd in {name} did not reach the state running within {START_TIMEOUT_S:.0f} s "
        f"(state: {state or 'no answer'}): {(logs.stdout + logs.stderr).strip()}"
    )


def _start(podman: Podman, wanted: Wanted, *, exists: bool) -> None:
    taken = [outer for outer, _ in wanted.ports if not _is_free(outer)]
    if taken:
        raise HostError(
            f"port {taken[0]} of {ADDRESS}, which {wanted.name} needs, is in use; "
            f"stop the process that listens there (ss -ltnp 'sport = :{taken[0]}')"
        )
    if exists:
        podman.run("start", wanted.name)
        return
    if wanted.address:
        ensure_network(podman, wanted.address.network)
    podman.run(
        "run",
        "--detach",
        f"--name={wanted.name}",
        f"--hostname={wanted.name}",
        "--systemd=always",
        # On a real machine root sees which process listens on a port; in a container this takes SYS_PTRACE.
        "--cap-add=SYS_PTRACE",
        f"--label={LABEL}=host",
        *wanted.network,
        *(f"--publish={ADDRESS}:{outer}:{inner}" for outer, inner in wanted.ports),
        wanted.image,
        "/sbin/init",
    )


def ensure_network(podman: Podman, subnet: IPv4Network) -> None:
    """Create the project's network unless it exists.

    :raises HostError: If it exists with another subnet.
    """
    found = podman.inspect("network", NETWORK)
    if found is None:
        podman.run("network", "create", f"--subnet={subnet}", "--disable-dns", f"--label={LABEL}=network", NETWORK)
        return
    subnets = [entry["subnet"] for entry in found["subnets"]]
    if subnets != [str(subnet)]:
        raise HostError(
            f"the network {NETWORK} has the subnet {', '.join(subnets)} instead of {subnet}; "
            f"remove it (podman network rm {NETWORK}) or choose an address within it"
        )


def remove_network(podman: Podman) -> None:
    """Remove the project's network if no host uses it."""
    if podman.inspect("network", NETWORK):
        # podman refuses while a container is attached.
        podman.try_run("network", "rm", NETWORK)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def _admit_controller(podman: Podman, workspace: Workspace, wanted: Wanted) -> None:
    podman.run(
        "exec",
        "--interactive",
        f"--user={USER}",
        wanted.name,
        "sh",
        "-c",
        "umask 077; cat > ~/.ssh/authorized_keys",
        stdin=workspace.public_key.read_text(),
    )
    key = podman.run("exec", wanted.name, "cut", "-d ", "-f1,2", "/etc/ssh/ssh_host_ed25519_key.pub")
    workspace.record_host_key(ADDRESS, wanted.ssh_port, key)


def _await_login(workspace: Workspace, wanted: Wanted) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    said = ""
    while time.monotonic() < deadline:
        done = subprocess.run(
            [*ssh_command(workspace, wanted.ssh_port), "sudo -n true"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return
        said = done.stderr.strip()
        time.sleep(0.3)
    raise HostError(
        f"SSH login as {USER} to {wanted.name} at {ADDRESS}:{wanted.ssh_port} failed "
        f"for {START_TIMEOUT_S:.0f} s: {said}"
    )
