"""The commands of processes and builds; whole sentences are in the table of tests/bad_inputs.py."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.commands import check_commands
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import (
    BACKEND_PORT,
    FRONTEND_PORT,
    DeploymentInputs,
)

PORTS = {BACKEND_PORT: 14200, FRONTEND_PORT: 14100}


def found(**given: Any) -> list[str]:
    inputs = DeploymentInputs({"staging_backend_command": ["app"], **given})
    check_commands(inputs, PORTS)
    return [f"{item.name} {item.variable}" for item in inputs.findings]


@pytest.mark.parametrize(
    "command",
    [
        [".venv/bin/python", "-m", "uvicorn", "app.main:app", "--host", "127.0.0.1", "--port", "{port}"],
        [".venv/bin/python", "-m", "gunicorn", "app:app", "--workers", "2", "--bind", "127.0.0.1:{port}"],
        ["gunicorn", "app:app", "--bind=127.0.0.1:14200", "-b", "127.0.0.1:9000"],
        [".venv/bin/python", "-m", "daphne", "-b", "127.0.0.1", "-p", 14200, "app.asgi:application"],
        ["uvicorn", "app:app", "--uds", "{socket}"],
        ["node", "dist/main.js"],
        ["npm", "run", "start:prod"],
        ["sh", "-c", "cd x && exec node server.js > log"],
        ["/bin/bash", "-c", "$RUN", "a|b"],
        ["app", "--pattern", "a|b", "--price", "5$"],
        # Another program's option of the same name.
        ["app", "--daemon"],
        ["app", "-p", "production"],
        ["node", "dev/server.js"],
    ],
)
def test_a_command_that_a_process_can_be_started_with(command: list[Any]) -> None:
    assert found(staging_backend_command=command) == []


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("uvicorn app:app", "type"),
        ([], "type"),
        (["uvicorn", ""], "type"),
        (["uvicorn app:app --port {port}"], "command-one-word"),
        (["NODE_ENV=production", "node", "x.js"], "command-shell"),
        (["node", "x.js", "&"], "command-shell"),
        (["node", "x.js", "2>&1"], "command-shell"),
        (["node", "x.js", "--port=${PORT}"], "command-shell"),
        (["node", "$(which x)"], "command-shell"),
        ([".venv/bin/python", "-m", "gunicorn", "-D", "app:app"], "command-detaches"),
        (["uwsgi", "--daemonize=/var/log/x.log"], "command-detaches"),
        (["npm", "run", "dev"], "command-development"),
        (["node_modules/.bin/nodemon", "server.js"], "command-development"),
        ([".venv/bin/python", "manage.py", "runserver", "{port}"], "command-development"),
        (["node", "--watch", "server.js"], "command-development"),
        (["tsx", "watch", "src/main.ts"], "command-development"),
        (["uv", "run", "uvicorn", "app:app", "--port", "{port}"], "command-runner"),
        (["/usr/local/bin/poetry", "run", "gunicorn", "app:app"], "command-runner"),
        (["uvicorn", "app:app", "--port=8000"], "command-port"),
        (["gunicorn", "app:app", "-b", "0.0.0.0:8000"], "command-port"),
        (["daphne", "-p", 8000, "app:app"], "command-port"),
    ],
)
def test_a_command_that_fails_late(command: Any, name: str) -> None:
    assert found(staging_backend_command=command) == [f"{name} staging_backend_command"]


def test_a_runner_is_named_with_what_it_would_do() -> None:
    inputs = DeploymentInputs({"staging_backend_command": ["pipenv", "run", "daphne", "app.asgi:application"]})
    check_commands(inputs, PORTS)
    (item,) = inputs.findings
    assert (item.name, item.sentence) == (
        "command-runner",
        'staging_backend_command is ["pipenv", "run", "daphne", "app.asgi:application"], but pipenv run takes an '
        "environment of its own, or changes the one that releases share; expected the program that it runs, which is "
        "looked for in .venv/bin; leave out what is before that program, with its options",
    )


@pytest.mark.parametrize("install", ["none", "npm"])
def test_a_runner_may_run_a_backend_whose_packages_it_installs_itself(install: str) -> None:
    assert found(staging_backend_install=install, staging_backend_command=["uv", "run", "app"]) == []


def test_a_runner_is_found_around_the_activation() -> None:
    commands = [["uv", "run", "alembic", "upgrade", "head"], ["alembic", "current"]]
    assert found(staging_backend_before_activation=commands) == ["command-runner staging_backend_before_activation[0]"]


def test_the_words_for_development_are_shown() -> None:
    inputs = DeploymentInputs({"staging_backend_command": ["app"], "staging_frontend_command": ["npm", "run", "dev"]})
    check_commands(inputs, PORTS)
    assert [item.found.partition(" is ")[0] for item in inputs.findings] == ["npm run dev"]


def test_the_page_has_a_port_of_its_own() -> None:
    assert found(staging_frontend_command=["node_modules/.bin/next", "start", "-p", "14100"]) == []
    assert found(staging_frontend_command=["node_modules/.bin/next", "start", "-p", "14200"]) == [
        "command-port staging_frontend_command"
    ]


def test_the_port_of_each_instance_differs() -> None:
    given = {"staging_backend_switch": "blue_green"}
    assert found(**given, staging_backend_command=["app", "--port", "14200"]) == [
        "command-port staging_backend_command"
    ]
    assert found(**given, staging_backend_command=["app", "--port", "{port}"]) == []


@pytest.mark.parametrize(
    "variable",
    [
        "staging_backend_install_command",
        "staging_backend_build_command",
        "staging_frontend_install_command",
        "staging_frontend_build_command",
    ],
)
def test_a_command_that_builds_is_read_by_no_shell_either(variable: str) -> None:
    assert found(**{variable: ["npm", "ci", "&&", "npm", "run", "build"]}) == [f"command-shell {variable}"]
    assert found(**{variable: ["npm ci"]}) == [f"command-one-word {variable}"]
    assert found(**{variable: ["npm", "run", "dev"]}) == found(**{variable: []}) == []


def test_an_ecosystem_file_has_commands_of_its_own() -> None:
    given = {"staging_ecosystem_file": "ecosystem.config.js"}
    assert found(staging_backend_command=None, **given) == []
    assert found(staging_backend_command=["app", "--port", "8000"], **given) == []
    assert found(staging_backend_command=None) == ["missing staging_backend_command"]


@pytest.mark.parametrize("variable", ["staging_backend_before_activation", "staging_backend_after_activation"])
@pytest.mark.parametrize(
    ("commands", "names"),
    [
        ([["alembic", "upgrade", "head"], ["sh", "-c", "a && b"]], []),
        ([], []),
        (["alembic upgrade head"], ["type {variable}[0]"]),
        (["alembic", "upgrade"], ["type {variable}[0]", "type {variable}[1]"]),
        ([["true"], ["alembic upgrade head"]], ["command-one-word {variable}[1]"]),
        ([["a", "&&", "b"]], ["command-shell {variable}[0]"]),
        ([["A=1", "b"]], ["command-shell {variable}[0]"]),
    ],
)
def test_the_commands_around_an_activation_are_lists(variable: str, commands: Any, names: list[str]) -> None:
    assert found(**{variable: commands}) == [name.format(variable=variable) for name in names]
