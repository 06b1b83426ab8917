# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the deploy user writes into the result of a module that runs as him changes no variable of the run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from playbook_runs import CHECKOUT, run_playbook
from role_files import tasks_in

FORGED = {
    "changed": False,
    "value": "a result",
    "msg": "\x1b]0;title\x07shown \x9b2Jonce \u202e",
    "ansible_facts": {"staging_static_root": "/etc", "ansible_forged": "yes"},
    "add_host": {"host_name": "forged.test", "groups": ["forged"], "host_vars": {}},
    "add_group": "forged",
}


def modules_of_the_deploy_user() -> set[str]:
    """The modules of tasks that become another user, in roles and playbooks."""
    found = set()
    for path in [*(CHECKOUT / "roles").glob("*/tasks/*.yml"), *(CHECKOUT / "playbooks").rglob("*.yml")]:
        for task in tasks_in(yaml.safe_load(path.read_text())):
            if "become_user" in task:
                found |= {name for name in task if "." in name}
    return found


def test_every_module_that_runs_as_the_deploy_user_has_an_action_that_takes_only_its_result() -> None:
    modules = modules_of_the_deploy_user()
    assert "codeframe.staging.release" in modules
    for module in modules:
        assert module.startswith("codeframe.staging."), f"{module} would hand on the facts that the deploy user writes"
        action = CHECKOUT / "plugins/action" / f"{module.rpartition('.')[2]}.py"
        assert "(DeployUserAction)" in action.read_text() or "(ProgressAction)" in action.read_text()


MODULES: dict[str, dict[str, Any]] = {
    "release": {"project_dir": "/nowhere"},
    "release_info": {"project_dir": "/nowhere"},
    "dotenv_file": {"path": "/nowhere/.env"},
    "dotenv_info": {"path": "/nowhere/.env"},
    "pm2_process": {"name": "app", "project_dir": "/nowhere"},
    "backend_hook": {"project_dir": "/nowhere"},
    "backend_virtualenv": {"path": "/nowhere"},
    "frontend_build": {"path": "/nowhere"},
}


def test_forged_facts_in_a_result_are_dropped(tmp_path: Path) -> None:
    """As a process of his that writes to the standard output of the module."""
    forger = tmp_path / "python"
    forger.write_text(f"#!/bin/sh\ncat <<'END'\n{json.dumps(FORGED)}\nEND\n")
    forger.chmod(0o755)
    known = "{{ ansible_forged | default('none') }} {{ groups.keys() | join(',') }}"
    seen = f"{{{{ found.value }}}} {{{{ found.msg }}}} {{{{ staging_static_root }}}} {known}"
    tasks: list[dict[str, Any]] = []
    for module, args in MODULES.items():
        tasks.append({f"codeframe.staging.{module}": args, "register": "found"})
        tasks.append({"ansible.builtin.debug": {"msg": f"{module}: {seen}"}})
    book = tmp_path / "play.json"
    book.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    inventory = tmp_path / "inventory.json"
    inventory.write_text(json.dumps({"staging": {"hosts": {"staging.test": {"staging_static_root": "/var/www/app"}}}}))
    done = run_playbook(book, "--extra-vars", f"ansible_python_interpreter={forger}", inventory=str(inventory))
    assert done.exit_code == 0, done.output
    for module in MODULES:
        assert (
            f'"msg": "{module}: a result ]0;titleshown 2Jonce  /var/www/app none all,ungrouped,staging"' in done.output
        ), done.output
