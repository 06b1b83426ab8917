# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process definitions of the roles and the schema under which ``saved_state`` saves them name the same fields."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.server import Server, process_of
from ansible_collections.codeframe.staging.plugins.module_utils._release import manifest, saved_state
from ansible_collections.codeframe.staging.plugins.modules import release
from ansible_collections.codeframe.staging.plugins.modules import saved_state as saved_state_module

ROLES = Path(__file__).parents[3] / "roles"


@pytest.mark.parametrize(
    ("role", "schema"), [("backend", saved_state.BACKEND_PROCESS), ("frontend", saved_state.FRONTEND_PROCESS)]
)
def test_a_process_definition_has_the_fields_of_its_schema(role, schema):
    variables = yaml.safe_load((ROLES / role / "vars/main.yml").read_text())
    assert sorted(variables[f"__{role}_definition"]) == sorted(schema)


@pytest.mark.parametrize(
    ("module", "schema"),
    [
        # backend_after_activation is stored by backend_hook itself.
        pytest.param(release, set(manifest.RECORDS) - {"backend_after_activation"}, id="release"),
        pytest.param(saved_state_module, set(saved_state.RECORDS), id="saved_state"),
    ],
)
def test_a_module_documents_the_records_of_its_schema(module, schema):
    assert set(yaml.safe_load(module.DOCUMENTATION)["options"]["records"]["suboptions"]) == schema


@pytest.mark.parametrize("role", ["backend", "frontend"])
def test_a_command_with_numbers_and_scripts_can_be_saved(role):
    """What could not be saved would fail at the end of a deployment, when everything has been built and started."""
    written = yaml.safe_load((ROLES / role / "vars/main.yml").read_text())[f"__{role}_definition"]["command"]
    given = {f"{role}_command": ["sh", "-c", "one\n\ttwo", 14100, True]}
    command = Templar(DataLoader(), given).template(trust_as_template(written))
    assert command == ["sh", "-c", "one\n\ttwo", "14100", "True"]
    schema = saved_state.BACKEND_PROCESS if role == "backend" else saved_state.FRONTEND_PROCESS
    assert schema["command"](command, "command") == command


@pytest.mark.parametrize("kind", ["standalone", "nitro", "sveltekit", "astro", "remix"])
def test_the_role_and_a_look_at_the_host_give_a_server_the_same_variables(kind):
    written = yaml.safe_load((ROLES / "frontend/vars/main.yml").read_text())["__frontend_server_env"]
    given = {"__frontend_server": {"kind": kind}, "frontend_port": 14100}
    assert Templar(DataLoader(), given).template(trust_as_template(written)) == process_of(Server(kind), 14100)[1]


def test_a_verification_is_recorded_with_the_fields_of_its_schema_and_repeated_with_each():
    role = ROLES / "websocket_verify"
    recorded = yaml.safe_load((role / "vars/main.yml").read_text())["__websocket_verify_verified"]
    assert sorted(recorded) == sorted(saved_state.VERIFICATION)
    defaults = yaml.safe_load((role / "defaults/main.yml").read_text())
    for name, value in recorded.items():
        assert f"websocket_verify_{name}" in value
        assert f"websocket_verify_recorded.{name} " in " ".join(defaults[f"websocket_verify_{name}"].split())


@pytest.mark.parametrize("switch", ["restart", "blue_green"])
def test_a_return_to_the_manual_deployment_stops_a_second_instance_that_runs(switch):
    report = yaml.safe_load((ROLES / "backend/tasks/restore_manual.yml").read_text())[1]
    green = {"name": "app-backend-green", "port": 14201}
    given = {
        "__backend_blue_green": switch == "blue_green",
        "__backend_instances": [{"name": "app-backend", "port": 14200}, green],
    }
    for running, expected in (["app-backend-green", "app-frontend"], [green]), (["app-frontend"], []):
        given["__backend_process"] = {"project_processes": running}
        written = trust_as_template(report["vars"]["__backend_found"]["retiring"])
        assert Templar(DataLoader(), given).template(written) == expected
