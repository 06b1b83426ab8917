# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tasks run as root, and that no name of a file comes from data of a host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playbook_runs import CHECKOUT
from role_files import load, tasks_in

FILES = sorted([*(CHECKOUT / "roles").glob("*/tasks/*.yml"), *(CHECKOUT / "playbooks").rglob("*.yml")])
#: Run on the controller by ansible-core itself, and touch nothing.
ON_THE_CONTROLLER = {
    "debug",
    "fail",
    "set_fact",
    "import_role",
    "include_role",
    "import_tasks",
    "include_tasks",
    "meta",
}
#: Actions of this collection that send nothing to the host.
ON_THE_CONTROLLER |= {"add_host", "assert", "deployment_report"}
ROW = re.compile(r"^\| (?P<role>\w+) \| (?P<modules>`[^|]+`) \| [^|]+ \| [^|]+ \|$", re.MULTILINE)


def module_of(task: dict[str, Any]) -> str:
    (name,) = [key for key in task if key.startswith(("ansible.builtin.", "codeframe.staging."))]
    return name.rpartition(".")[2]


def tasks() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in FILES:
        for task in tasks_in([each for each in load(path) if each.get("become", True) or "hosts" not in each]):
            if any(key.startswith(("ansible.builtin.", "codeframe.staging.")) for key in task):
                yield path, task


def test_every_task_that_runs_as_root_is_in_the_table_of_the_documentation() -> None:
    as_root = {
        (path.parts[path.parts.index("roles") + 1] if "roles" in path.parts else "playbooks", module_of(task))
        for path, task in tasks()
        if module_of(task) not in ON_THE_CONTROLLER
        and not {"become_user", "delegate_to"} & task.keys()
        and task.get("become") is not False
    }
    rows = ROW.finditer((CHECKOUT / "docs/security.md").read_text())
    listed = {(row["role"], module) for row in rows for module in re.findall(r"`(\w+)`", row["modules"])}
    assert listed == as_root


def test_a_task_that_is_delegated_does_not_become_root() -> None:
    for path, task in tasks():
        if "delegate_to" in task:
            assert task.get("become") is False, f"{path.name}: {task.get('name')}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_no_name_of_a_file_of_tasks_or_templates_is_templated(path: Path) -> None:
    for task in tasks_in(load(path)):
        for key in ("include_tasks", "import_tasks", "include_vars", "import_role", "include_role", "template"):
            arguments = task.get(f"ansible.builtin.{key}")
            values = arguments if isinstance(arguments, dict) else {"file": arguments}
            for name in ("file", "name", "tasks_from", "src"):
                assert "{{" not in str(values.get(name, "")), f"{task.get('name')}: {name}"


LOOKUP = re.compile(r"""(?:lookup|query|q)\(\s*(?P<name>['"][\w.]+['"]|\w+)\s*(?:,\s*(?P<argument>['"]|\*?\w+))?""")
#: Variables of the inventory by which a user names a file of the controller.
GIVEN_FILES = {"websocket_verify_ca_path", "proxy_acme_ca_path"}


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "roles").rglob("*.yml")), ids=lambda path: str(path.relative_to(CHECKOUT))
)
def test_a_lookup_reads_a_file_of_the_role_or_one_that_the_inventory_names(path: Path) -> None:
    for found in LOOKUP.finditer(path.read_text()):
        assert found["name"][0] in "'\"", f"the lookup {found['name']} is chosen by a variable"
        name = found["name"].strip("'\"")
        if name in ("ansible.builtin.template", "ansible.builtin.file"):
            assert found["argument"][0] in "'\"" or found["argument"] in GIVEN_FILES, found[0]
        else:
            assert name in ("ansible.builtin.config", "ansible.builtin.varnames", "ansible.builtin.vars"), found[0]
