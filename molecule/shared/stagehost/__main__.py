"""The command line of stagehost."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from ipaddress import IPv4Interface
from pathlib import Path

from stagehost import host, progress
from stagehost.image import ImageError, ensure_image
from stagehost.machine import containers_conf, own_certificates, read_machine
from stagehost.podman import LABEL, Podman, PodmanError
from stagehost.recipe import RELEASES, Recipe, recipe
from stagehost.system import MachineError, ensure_packages
from stagehost.workspace import Workspace

CHECKOUT = Path(__file__).resolve().parents[3]
TEST_VARIABLES = ("DOTENV_", "STAGING_TEST_", "TEST_NGINX")
"""Prefixes of the variables that are passed to the integration tests, such as a seed or another version of pm2."""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    # SIGTERM ends the process through `finally`, so that the container of a test is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    workspace = Workspace(CHECKOUT)
    try:
        if arguments.command in ("down", "list", "clean") and shutil.which("podman") is None:
            progress.note("podman is not installed, so no staging hosts exist")
            return 0
        with workspace.locked():
            podman = _prepare(workspace)
            if arguments.command == "image":
                ensure_image(podman, workspace, _recipe(arguments, workspace), rebuild=arguments.rebuild)
            elif arguments.command == "up":
                _up(arguments, podman, workspace)
            elif arguments.command == "down":
                for name in arguments.names:
                    progress.note(f"container {name} {'removed' if host.down(podman, name) else 'does not exist'}")
            elif arguments.command == "restart":
                podman.run("restart", "--time=10", arguments.name)
                host.await_systemd(podman, arguments.name)
            elif arguments.command == "exec":
                print(podman.run("exec", "--privileged", arguments.name, "sh", "-ec", arguments.script), end="")
            elif arguments.command == "list":
                for name in arguments.names or _names(podman):
                    print(host.describe(podman, name))
            elif arguments.command == "clean":
                _clean(podman, workspace, images=not arguments.keep_images, spared=arguments.spare)
        # The lock is released before a test runs.
        if arguments.command == "test":
            return _test(arguments, podman, workspace)
        if arguments.command == "ssh":
            return subprocess.run(
                [*host.ssh_command(workspace, arguments.port), *arguments.remote], check=False
            ).returncode
    except (MachineError, ImageError, host.HostError, PodmanError, ValueError) as error:
        progress.complain(str(error))
        return 1
    except subprocess.CalledProcessError as error:
        progress.complain(f"{error.cmd[0]} ended with {error.returncode}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="stagehost", description="Staging hosts for the demo and the tests.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("setup", help="install missing system packages and configure podman for this machine")

    image = commands.add_parser("image", help="build an image unless it is up to date")
    image.add_argument("image", choices=["bare", "prepared"])
    image.add_argument("--rebuild", action="store_true", help="build it again with current packages")

    up = commands.add_parser("up", help="create or start a host and wait until it is reachable over SSH")
    up.add_argument("name")
    up.add_argument("--image", choices=["bare", "prepared"], default="bare")
    up.add_argument("--ssh-port", type=int, required=True, help="port on 127.0.0.1 that is forwarded to its sshd")
    up.add_argument("--publish", type=_port_pair, action="append", default=[], metavar="OUTER:INNER")
    up.add_argument(
        "--address", type=IPv4Interface, metavar="ADDRESS/BITS", help="address in the network shared by the hosts"
    )
    up.add_argument("--replace", action="store_true", help="remove an existing host of this name first")

    down = commands.add_parser("down", help="remove hosts and their data")
    down.add_argument("names", nargs="+")

    restart = commands.add_parser("restart", help="reboot a host")
    restart.add_argument("name")

    execute = commands.add_parser("exec", help="run a shell command on a host, with rights that its root does not have")
    execute.add_argument("name")
    execute.add_argument("script")

    listing = commands.add_parser("list", help="list the hosts")
    listing.add_argument("names", nargs="*")

    ssh = commands.add_parser("ssh", help="log in to a host")
    ssh.add_argument("port", type=int)
    ssh.add_argument("remote", nargs=argparse.REMAINDER)

    test = commands.add_parser("test", help="run pytest as root in a temporary host with the prepared image")
    test.add_argument("pytest", nargs="*", metavar="-- PYTEST_ARGUMENT")

    clean = commands.add_parser("clean", help="remove all hosts, images and the cache")
    clean.add_argument("--keep-images", action="store_true", help="remove only the hosts")
    clean.add_argument("--spare", action="append", default=[], metavar="NAME", help="do not remove this host")

    for command in (image, up, test):
        command.add_argument("--debian", choices=list(RELEASES), default="13")
    return parser


def _port_pair(text: str) -> tuple[int, int]:
    outer, _, inner = text.partition(":")
    return int(outer), int(inner or outer)


def _prepare(workspace: Workspace) -> Podman:
    ensure_packages(workspace)
    if os.geteuid() != 0:
        raise MachineError("staging hosts are systemd containers, which only root can create: run this as root")
    wanted = containers_conf(read_machine())
    if wanted is None:
        return Podman()
    if not workspace.containers_conf.exists() or workspace.containers_conf.read_text() != wanted:
        workspace.containers_conf.write_text(wanted)
    return Podman(workspace.containers_conf)


def _recipe(arguments: argparse.Namespace, workspace: Workspace) -> Recipe:
    requirements = (workspace.checkout / "requirements-integration.txt").read_bytes()
    return recipe(arguments.image, arguments.debian, os.environ, own_certificates(os.environ), requirements)


def _up(arguments: argparse.Namespace, podman: Podman, workspace: Workspace) -> None:
    image = ensure_image(podman, workspace, _recipe(arguments, workspace))
    workspace.ensure_key()
    wanted = host.Wanted(arguments.name, image, arguments.ssh_port, tuple(arguments.publish), arguments.address)
    host.up(podman, workspace, wanted, replace=arguments.replace)
    progress.note(f"log in with: ssh -i {workspace.private_key} -p {wanted.ssh_port} {host.USER}@{host.ADDRESS}")


def _test(arguments: argparse.Namespace, podman: Podman, workspace: Workspace) -> int:
    with workspace.locked():
        arguments.image = "prepared"
        image = ensure_image(podman, workspace, _recipe(arguments, workspace))
    name = f"codeframe-staging-tests-{os.getpid()}"
    common = [
        "--systemd=always",
        # SYS_PTRACE shows which process listens on a port; SYS_ADMIN mounts small or read-only file systems.
        "--cap-add=SYS_PTRACE,SYS_ADMIN",
        f"--label={LABEL}=tests",
        f"--volume={workspace.checkout}:/checkout:ro",
    ]
    podman.run("run", "--detach", f"--name={name}", *common, image, "/sbin/init")
    try:
        host.await_systemd(podman, name)
        # `podman exec` does not read /etc/environment, which holds the package registries and certificate authorities.
        login = 'set -a; . /etc/environment; set +a; exec "$@"'
        return subprocess.run(
            [
                *("podman", "exec", "--workdir=/checkout", "--env=PYTHONDONTWRITEBYTECODE=1"),
                *(f"--env={variable}" for variable in os.environ if variable.startswith(TEST_VARIABLES)),
                *("--env=INTEGRATION_ON_THIS_MACHINE=1", "--env=HYPOTHESIS_STORAGE_DIRECTORY=/tmp/hypothesis", name),
                *("/bin/sh", "-c", login, "sh", "/opt/tests/bin/python", "-m", "pytest", "-p", "no:cacheprovider"),
                *arguments.pytest,
            ],
            env=podman.environment(),
            stdin=subprocess.DEVNULL,
            check=False,
        ).returncode
    finally:
        podman.try_run("rm", "--force", "--time=1", name)


def _names(podman: Podman) -> list[str]:
    listed = podman.run("ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}")
    return listed.split()


def _clean(podman: Podman, workspace: Workspace, *, images: bool, spared: Sequence[str]) -> None:
    for name in _names(podman):
        if name in spared:
            progress.note(f"container {name} kept")
            continue
        podman.run("rm", "--force", "--time=2", "--volumes", name)
        progress.note(f"container {name} removed")
    host.remove_network(podman)
    if not images:
        return
    for image in podman.labelled_images():
        podman.try_run("rmi", "--force", image)
    progress.note("images removed")
    for path in workspace.cache.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "stagehost.lock":
            path.unlink()


if __name__ == "__main__":
    sys.exit(main())
