"""The steps of the README as they stand, typed on a machine with nothing but git and Python, against a bare host.

Both machines are containers. The names of the inventory lead to the second one, and the address of the repository to
this working tree.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml
from documentation_blocks import ROOT, blocks
from free_ports import free_port
from stagehost import host as stagehost_host
from stagehost.podman import Podman
from stagehost.workspace import Workspace
from working_tree import working_tree

SECTION = "Deploy to a host of yours"
CONTROLLER, HOST = "codeframe-staging-readme-controller", "codeframe-staging-readme-host"
WORKSPACE = Workspace(ROOT)
REPOSITORY = "https://github.com/frankbria/codeframe-staging"


@dataclass(frozen=True)
class Machine:
    """A container with sshd, logged in to as its ordinary user."""

    name: str
    port: int

    @property
    def address(self) -> str:
        """Address in the network of the containers."""
        found = Podman(WORKSPACE.containers_conf if WORKSPACE.containers_conf.exists() else None).inspect(
            "container", self.name
        )
        assert found is not None
        networks = found["NetworkSettings"]["Networks"].values()
        return str(found["NetworkSettings"]["IPAddress"] or next(iter(networks))["IPAddress"])

    def run(self, script: str, data: bytes = b"", timeout_s: float = 1800) -> str:
        """Run a script of bash and return its output and errors together.

        :raises AssertionError: If its exit status is not 0; the message ends with the output.
        """
        login = stagehost_host.ssh_command(WORKSPACE, self.port)
        done = subprocess.run(
            [*login, "bash -c " + shlex.quote("set -eo pipefail; " + script)],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout_s,
            check=False,
        )
        said = done.stdout.decode(errors="replace")
        assert done.returncode == 0, f"{script}\nended with {done.returncode}:\n{said[-6000:]}"
        return said


def stagehost(*arguments: str) -> None:
    subprocess.run(
        ["python3", "-m", "stagehost", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "molecule/shared")},
        stdin=subprocess.DEVNULL,
        check=True,
    )


@pytest.fixture(scope="module")
def machines() -> Iterator[tuple[Machine, Machine]]:
    """The controller and the host, new ones."""
    made = (Machine(CONTROLLER, free_port()), Machine(HOST, free_port()))
    try:
        for machine in made:
            stagehost("up", machine.name, "--image=bare", f"--ssh-port={machine.port}", "--replace")
        yield made
    finally:
        stagehost("down", CONTROLLER, HOST)


def prepare(controller: Machine, host: Machine, names: list[str]) -> None:
    """What the README takes for granted: git, Python with venv, the names, a login, and a repository."""
    controller.run(
        "sudo apt-get update && sudo DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "
        "git python3-venv"
    )
    for machine in (controller, host):
        machine.run("sudo tee --append /etc/hosts", f"{host.address} {' '.join(names)}\n".encode())
    controller.run("install -m 0600 /dev/stdin ~/.ssh/id_ed25519", WORKSPACE.private_key.read_bytes())
    controller.run(f"ssh-keyscan -t ed25519 {names[0]} >~/.ssh/known_hosts")
    controller.run(
        "mkdir ~/origin && cd ~/origin && tar --extract --gzip && git init --quiet --initial-branch=main && "
        "git add --all && git -c user.name=a -c user.email=a@example.com commit --quiet --message=1 && "
        f"git config --global url.file://$HOME/origin.insteadOf {REPOSITORY}",
        working_tree("--gzip"),
    )


def test_the_steps_deploy_the_sample_application_to_a_bare_host(
    machines: tuple[Machine, Machine], capsys: pytest.CaptureFixture[str]
) -> None:
    controller, host = machines
    steps = blocks((ROOT / "README.md").read_text(encoding="utf-8"), SECTION)
    typed = [block.text for block in steps if block.language == "shell"]
    inventory = next(block.text for block in steps if block.language == "yaml")
    (name,) = yaml.safe_load(inventory)["staging"]["hosts"]
    variables = yaml.safe_load(inventory)["staging"]["vars"]
    hosts = re.findall(r"://([\w.-]+)", variables["staging_public_url"] + " " + variables["staging_public_ws_url"])
    prepare(controller, host, [name, *dict.fromkeys(hosts)])

    install, check, deploy, verify = typed
    enter = "cd codeframe-staging && . .venv/bin/activate && "
    started = time.monotonic()
    controller.run(install)
    controller.run("cat >codeframe-staging/inventory.yml", inventory.encode())
    predicted = controller.run(enter + check)
    assert "failed=0" in predicted, predicted
    host.run("test ! -e /home/deploy && ! command -v nginx")
    deployed = controller.run(enter + deploy)
    minutes = (time.monotonic() - started) / 60
    assert "Verdict:   the WebSocket works" in deployed, deployed
    for vantage in ("Direct backend connection", "Connection through the proxy", "Public connection"):
        assert f"  {vantage}: passed" in deployed, deployed
    assert "Verdict:   the WebSocket works" in controller.run(enter + verify)
    with capsys.disabled():
        print(f"\nfrom git clone to a verified deployment: {minutes:.1f} minutes")


def test_an_installed_collection_finds_nothing_to_change(machines: tuple[Machine, Machine]) -> None:
    """In another directory than the clone, after the deployment from it by the steps before."""
    controller, _host = machines
    (console,) = (b.text for b in blocks((ROOT / "README.md").read_text(encoding="utf-8"), "Commands"))
    install, deploy = (line.removeprefix("$ ") for line in console.splitlines())
    inventory = "~/codeframe-staging/inventory.yml"
    said = controller.run(
        f". codeframe-staging/.venv/bin/activate && {install} && {deploy.replace('inventory.yml', inventory)}"
    )
    assert "Changed:   nothing" in said, said
