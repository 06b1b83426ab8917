"""Tests against real parts; ``make integration`` runs them as root inside a throw-away container."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import application_table
import module_runner
import nginx_tree
import pm2_deployments
import proxy_manager_parts
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.arguments import VIRTUALENV
from free_ports import free_port

APPLICATIONS: dict[str, application_table.Tried] = {}


def pytest_collection_modifyitems() -> None:
    if os.environ.get("INTEGRATION_ON_THIS_MACHINE") != "1":
        raise pytest.UsageError(
            "tests/integration starts and changes services of the machine it runs on: run `make integration`, "
            "or set INTEGRATION_ON_THIS_MACHINE=1 on a machine that may be spoiled"
        )


class _Progress:
    """Shows what was seen of an application as soon as its test ends; others wait minutes for the end of the run."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if "applications" not in report.keywords:
            return
        if report.failed:
            self._terminal.write_line(f"\n{report.nodeid}\n{report.longreprtext}")
        if report.when == "teardown":
            for name in report.nodeid.rpartition("[")[2].rstrip("]").split("+"):
                if name in APPLICATIONS:
                    self._terminal.write_line(f"\n{APPLICATIONS[name].line(name)}")
        self._terminal.flush()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(_Progress(terminal))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if nginx_tree.LOOPS:
        served, failed = (sum(each) for each in zip(*nginx_tree.LOOPS))
        terminalreporter.write_line(
            f"nginx {nginx_tree.NGINX_VERSION}: {len(nginx_tree.LOOPS)} runs of nginx_site under load, "
            f"{served} requests to another site served, {failed} failed"
        )

    for line in proxy_manager_parts.table():
        terminalreporter.write_line(line)


@pytest.fixture
def applications() -> dict[str, application_table.Tried]:
    """What was seen of the applications, by name."""
    return APPLICATIONS


@pytest.fixture
def deployments(tmp_path: Path) -> Iterator[pm2_deployments.Deployments]:
    """Deployments on this machine; their pm2 ends with the test."""
    yield pm2_deployments.Deployments(tmp_path)
    subprocess.run(["pm2", "-s", "kill"], check=True)


@pytest.fixture(scope="module")
def backend() -> Iterator[int]:
    """The port of an application for Nginx Proxy Manager to forward to."""
    with proxy_manager_parts.running_backend() as port:
        yield port


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[nginx_tree.Tree]:
    """A running nginx that serves an unmanaged site."""
    made = nginx_tree.Tree(tmp_path / "nginx", free_port())
    made.make()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mount a file system of so many megabytes."""
    place = tmp_path / "small"
    place.mkdir()

    def mount(megabytes: int) -> Path:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)], check=True)
        return place

    yield mount
    if os.path.ismount(place):
        subprocess.run(["umount", place], check=True)


@pytest.fixture
def run_module() -> module_runner.RunModule:
    """Run a module's real ``main()`` and return its result."""
    return module_runner.run


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Return the program of a tool that locks packages, in the version that the role installs."""
    versions = {name: VIRTUALENV[f"{name}_version"]["default"] for name in ("poetry", "pipenv")}

    def program(name: str) -> str:
        home = tmp_path_factory.getbasetemp() / f"tool-{name}"
        if not home.exists():
            subprocess.run(["/usr/bin/python3", "-m", "venv", home], check=True)
            pip = [home / "bin/python", "-m", "pip", "install", "-q", f"{name}=={versions[name]}"]
            subprocess.run(pip, check=True)
        return str(home / "bin" / name)

    return program
