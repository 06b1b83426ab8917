"""What a look at the host predicts is what the roles make: the rules that both of them have agree."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.module_utils._deployment import prediction
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.server import Server, process_of
from rendering import render
from role_files import ROOT


def read(path: str) -> Any:
    return yaml.safe_load((ROOT / "roles" / path).read_text(encoding="utf-8"))


def fact(path: str, name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A fact that a task sets, and the variables of that task."""
    task = next(task for task in read(path) if name in task.get("ansible.builtin.set_fact", {}))
    return task["ansible.builtin.set_fact"], task.get("vars", {})


@pytest.mark.parametrize("source", ["", "5b1d"])
@pytest.mark.parametrize("digest", [None, "77aa"])
@pytest.mark.parametrize("install", ["requirements", "npm"])
def test_the_revision_of_the_backend(source: str, digest: str | None, install: str) -> None:
    variables = read("backend/vars/main.yml")
    given = {"backend_source_digest": source, "backend_install": install}
    for name in ("__backend_virtualenv", "__backend_installed", "__backend_node", "__backend_node_built"):
        given[name] = {"digest": digest if install == "npm" else "x", "path": f"/venvs/{digest}" if digest else None}
        if ("node" in name) != (install == "npm"):
            given[name] = {"digest": "another", "path": "/venvs/another"}
    for name in ("__backend_planned", "__backend_made", "__backend_planned_name", "__backend_made_name"):
        given[name] = render(variables[name], given)
    expected = prediction.backend_revision(source, digest)
    planned = fact("backend/tasks/plan.yml", "backend_result")[1]
    inputs = planned["__backend_inputs"]
    assert render("{{ (inputs | hash('sha256'))[:16] }}", {"inputs": render(inputs, given)}) == expected
    built, more = fact("backend/tasks/build.yml", "backend_result")
    variables = {**given, "__backend_result": {}, "__backend_inputs": render(more["__backend_inputs"], given)}
    assert render(built["backend_result"], variables)["revision"] == expected


@pytest.mark.parametrize("build_id", ["", "abc"])
def test_the_revision_of_the_frontend(build_id: str) -> None:
    built, _ = fact("frontend/tasks/build.yml", "frontend_result")
    given = {"__frontend_result": {}, "__frontend_built": {"revision": "f1", "build_id": build_id}}
    assert render(built["frontend_result"], given)["revision"] == prediction.frontend_revision("f1", build_id)


@pytest.mark.parametrize("kind", ["next", "standalone", "nuxt", "sveltekit", "remix"])
def test_the_command_and_the_variables_of_a_server(kind: str) -> None:
    server = Server(kind, ("server.js", "-p", "{port}"))
    command, env = process_of(server, 14100)
    variables = read("frontend/vars/main.yml")
    given = {
        "frontend_port": 14100, "frontend_ecosystem_file": "", "frontend_env": {},
        "__frontend_server": {"kind": server.kind, "command": list(server.command)},
    }  # fmt: skip
    given["__frontend_server_env"] = render(variables["__frontend_server_env"], given)
    assert render(variables["__frontend_server_command"], given) == command
    assert render(variables["__frontend_definition"]["env"], given) == env
