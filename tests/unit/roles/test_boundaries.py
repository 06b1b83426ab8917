"""Roles depend on one another in one direction: the playbook passes the result of each to those that follow."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

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
    roles,
    tasks_in,
)

ROLES = roles()
OWNERS = [*ROLES, PLAYBOOKS]
IMPORTS = ("ansible.builtin.import_role", "ansible.builtin.include_role")
FACT = "ansible.builtin.set_fact"
# Of a playbook's own private names: __deploy_failure in deploy_staging.yml.
PLAYBOOK_PREFIXES = tuple(f"__{path.stem.partition('_')[0]}_" for path in (ROOT / PLAYBOOKS).glob("*.yml"))


def test_roles_depend_on_nothing_but_the_shared_defaults() -> None:
    shared = [{"role": f"codeframe.staging.{SETTINGS}"}]
    dependencies = {role: load(ROOT / f"roles/{role}/meta/main.yml")["dependencies"] for role in ROLES}
    assert dependencies == {role: [] if role == SETTINGS else shared for role in ROLES}
    assert not (ROOT / "roles" / SETTINGS / "tasks").exists(), "the shared defaults do nothing"


@pytest.mark.parametrize("role", ROLES)
def test_shared_variables_are_read_in_role_defaults_alone(role: str) -> None:
    read = {
        each
        for path in files_of(role)
        if path.parent.name != "defaults"
        for each in names_read(path)
        if each.name.startswith("staging_")
    }
    assert read == set()


def test_every_shared_variable_is_read_in_one_place() -> None:
    """So that it cannot have two defaults; what two roles read, they read from the shared defaults."""
    places: dict[str, set[str]] = {}
    for role in ROLES:
        for default, value in defaults_of(role).items():
            for variable in set(re.findall(r"\bstaging_[a-z_]+\w", str(value))):
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
