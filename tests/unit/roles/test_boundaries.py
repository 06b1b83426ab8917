"""Roles depend on one another in one direction: the playbook passes the result of each to those that follow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
from jinja2 import nodes
from role_files import (
    PLAYBOOKS,
    ROOT,
    SETTINGS,
    defaults_of,
    expressions,
    fields_read,
    files_of,
    load,
    names_read,
    names_set,
    role_of,
    roles,
    tasks_in,
)

ROLES = roles()
OWNERS = [*ROLES, PLAYBOOKS]
IMPORTS = ("ansible.builtin.import_role", "ansible.builtin.include_role")
FACT = "ansible.builtin.set_fact"


def prefix_of(owner: str) -> str:
    return "__run_" if owner == PLAYBOOKS else f"__{owner}_"


@pytest.mark.parametrize("owner", OWNERS)
def test_private_names_are_set_and_read_by_their_owner_alone(owner: str) -> None:
    used = {name for path in files_of(owner) for name in [*names_set(path), *names_read(path)]}
    private = {each for each in used if each.name.startswith("__")}
    assert {each for each in private if not each.name.startswith(prefix_of(owner))} == set()


@pytest.mark.parametrize("owner", OWNERS)
def test_every_private_name_that_is_read_is_set(owner: str) -> None:
    known = {each.name for path in files_of(owner) for each in names_set(path)}
    read = {each for path in files_of(owner) for each in names_read(path) if each.name.startswith("__")}
    assert {each for each in read if each.name not in known} == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reads_no_variable_of_another(role: str) -> None:
    """Defaults and variables may read those of the role that holds the shared defaults."""
    foreign = {
        each
        for path in files_of(role)
        for each in names_read(path)
        if role_of(each.name, ROLES) not in (None, role, SETTINGS if path.parent.name in ("defaults", "vars") else role)
    }
    assert foreign == set()


@pytest.mark.parametrize("role", ROLES)
def test_a_role_sets_its_result_and_its_private_names_and_nothing_else(role: str) -> None:
    allowed = (f"__{role}_", "ansible_")
    paths = [path for path in files_of(role) if path.parent.name != "defaults"]
    named = {each for path in paths for each in names_set(path)}
    assert {each for each in named if each.name != f"{role}_result" and not each.name.startswith(allowed)} == set()


@pytest.mark.parametrize("role", ROLES)
def test_no_role_includes_another(role: str) -> None:
    for path in files_of(role):
        for task in tasks_in(load(path)) if path.parent.name == "tasks" else ():
            assert set(IMPORTS) & set(task) == set(), f"{path}: {task.get('name')}"


def test_roles_depend_on_nothing_but_the_shared_defaults() -> None:
    shared = [{"role": f"codeframe.staging.{SETTINGS}"}]
    dependencies = {role: load(ROOT / f"roles/{role}/meta/main.yml")["dependencies"] for role in ROLES}
    assert dependencies == {role: [] if role == SETTINGS else shared for role in ROLES}
    assert not (ROOT / "roles" / SETTINGS / "tasks").exists(), "the shared defaults do nothing"


@pytest.mark.parametrize("owner", OWNERS)
def test_shared_variables_are_read_in_role_defaults_alone(owner: str) -> None:
    read = {
        each
        for path in files_of(owner)
        if owner == PLAYBOOKS or path.parent.name != "defaults"
        for each in names_read(path)
        if each.name.startswith("staging_")
    }
    assert read == set()


def test_every_shared_variable_is_read_in_one_place() -> None:
    """So that it cannot have two defaults; what two roles read, they read from the shared defaults."""
    places: dict[str, set[str]] = {}
    for role in ROLES:
        for default, value in defaults_of(role).items():
            for variable in set(re.findall(r"\bstaging_[a-z0-9_]+\w", str(value))):
                places.setdefault(variable, set()).add(default)
    assert {variable: found for variable, found in places.items() if len(found) > 1} == {}


def constants(value: Any) -> set[str]:
    """Numbers and texts of a default that say something by themselves: ports, paths, file names."""
    found = re.findall(r"default\((?:'([^']+)'|([0-9]+))", str(value)) if "{{" in str(value) else [(str(value), "")]
    texts = [text or number for text, number in found]
    return {text for text in texts if re.fullmatch(r"[0-9]{4,}|.*[./_-].*", text)}


def test_no_default_is_repeated() -> None:
    places: dict[str, set[str]] = {}
    for role in ROLES:
        for default, value in defaults_of(role).items():
            for text in constants(value):
                places.setdefault(text, set()).add(default)
    assert {text: found for text, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("role", [role for role in ROLES if role != SETTINGS])
def test_an_interface_does_not_repeat_a_shared_default(role: str) -> None:
    options = load(ROOT / f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    repeated = {
        name for name, value in defaults_of(role).items() if "settings_" in str(value) and "default" in options[name]
    }
    assert repeated == set()


def documented_fields(role: str) -> set[str]:
    """The fields in the table of the chapter "Result" of a role's README."""
    readme = (ROOT / f"roles/{role}/README.md").read_text(encoding="utf-8")
    chapter = re.search(r"^## Result\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    cells = re.findall(r"^\| (`[^|]*) \|", chapter[1], re.MULTILINE) if chapter else []
    return {field for cell in cells for field in re.findall(r"`(\w+)`", cell)}


def fields_set(role: str) -> set[str]:
    """The keys of the mappings that the tasks of a role combine to its result."""
    path = ROOT / f"roles/{role}/vars/main.yml"
    shared = load(path) if path.is_file() else {}
    found: set[str] = set()
    for path in (ROOT / f"roles/{role}/tasks").glob("*.yml"):
        for task in tasks_in(load(path)):
            value = task.get(FACT, {}).get(f"{role}_result")
            found |= keys_in(value, {**shared, **task.get("vars", {})}, f"{role}_result")
    return found


def keys_in(value: Any, variables: dict[str, Any], seen: str) -> set[str]:
    """The keys of a mapping, or of those that an expression of names and ``combine`` is made of."""
    if isinstance(value, dict):
        return set(value)
    found: set[str] = set()
    if isinstance(value, str):
        template = jinja2.Environment().parse(value)  # noqa: S701 - parsed, never rendered
        mappings = list(template.find_all(nodes.Dict))
        inner = {id(pair) for item in mappings for each in item.find_all(nodes.Dict) for pair in each.items}
        pairs = [pair for item in mappings for pair in item.items if id(pair) not in inner]
        found |= {pair.key.value for pair in pairs if isinstance(pair.key, nodes.Const)}
        nested = {name.name for item in mappings for name in item.find_all(nodes.Name)}
        for name in {node.name for node in template.find_all(nodes.Name)} - nested - {seen}:
            if isinstance(variables.get(name), dict) or "combine" in str(variables.get(name)):
                found |= keys_in(variables[name], variables, seen)
    return found


@pytest.mark.parametrize("role", [role for role in ROLES if role != SETTINGS])
def test_the_result_of_a_role_is_documented_in_full(role: str) -> None:
    documented = documented_fields(role)
    # The verdict of websocket_verify comes from a filter, whose fields its own tests hold.
    assert fields_set(role) == documented or (role == "websocket_verify" and fields_set(role) < documented)
    assert documented


def test_playbooks_read_documented_fields_of_results_alone() -> None:
    read = {each for path in files_of(PLAYBOOKS) for each in fields_read(path) if each.variable.endswith("_result")}
    known = {f"{role}_result": documented_fields(role) for role in ROLES}
    assert {each for each in read if each.field not in known.get(each.variable, set())} == {
        each for each in read if each.variable == "ansible_failed_result"
    }
    assert len({each.variable for each in read}) > 4


def test_playbooks_know_roles_by_their_inputs_results_and_the_shared_defaults() -> None:
    options = {
        name
        for role in ROLES
        if role != SETTINGS
        for entry in load(ROOT / f"roles/{role}/meta/argument_specs.yml")["argument_specs"].values()
        for name in entry.get("options", {})
    }
    for path in files_of(PLAYBOOKS):
        for each in names_read(path):
            if role_of(each.name, ROLES):
                assert each.name.endswith("_result") or each.name in defaults_of(SETTINGS), each
        for each in names_set(path):
            if role_of(each.name, ROLES):
                assert each.name in options, each


def test_file_names_of_includes_are_constants() -> None:
    """A name that comes from the host's data is code of the host's on the controller."""
    for owner in OWNERS:
        for path in files_of(owner):
            for task in (
                tasks_in(load(path)) if path.suffix == ".yml" and path.parent.name in ("tasks", PLAYBOOKS) else ()
            ):
                for action in (*IMPORTS, "ansible.builtin.include_tasks", "ansible.builtin.import_tasks"):
                    assert "{{" not in str(task.get(action, "")), f"{path}: {task.get('name')}"


def test_the_reader_of_expressions_sees_what_a_file_reads(tmp_path: Path) -> None:
    """The other tests of this file hold nothing where this one does not."""
    path = tmp_path / "tasks.yml"
    path.write_text(
        "- name: x\n"
        "  ansible.builtin.debug:\n"
        "    msg: \"{{ a_result.path | codeframe.staging.url }} {{ {'k': b | default([c.d])} }}\"\n"
        "  when: [not e is changed, f]\n"
        "  vars: {g: 1}\n"
        "  register: h\n"
        "- block: [{ansible.builtin.set_fact: {i: '{% set j = 1 %}{{ j }}{{ k }}'}}]\n"
    )
    assert {each.name for each in names_read(path)} == {"a_result", "b", "c", "e", "f", "k"}
    assert {each.name for each in names_set(path)} == {"g", "h", "i"}
    assert {(each.variable, each.field) for each in fields_read(path)} == {("a_result", "path"), ("c", "d")}
    assert len(list(tasks_in(load(path)))) == 3
    assert all(isinstance(each, nodes.Template) for each in expressions(path))
