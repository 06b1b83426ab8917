# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Only what a step reads goes to the host: looked for in the files that Ansible leaves there without pipelining."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from pathlib import Path

from bad_inputs import GOOD
from playbook_runs import run_playbook

SECRET = "correct horse battery"
PLANTED = {
    "staging_proxy_provider": "nginx_proxy_manager",
    "staging_proxy_manager_api_url": "http://127.0.0.1:9",
    "staging_proxy_manager_identity": f"admin-{SECRET}@example.com",
    "staging_proxy_manager_secret": SECRET,
    "staging_secrets": {"API_KEY": f"env {SECRET}"},
    "staging_env": {"PLAIN": f"plain {SECRET}"},
    "staging_verify_secret_headers": {"Authorization": f"Bearer {SECRET}"},
    "preflight_resolve": False,
    # Its findings do not matter here.
    "staging_preflight_levels": {},
}


def payloads(directory: Path) -> dict[str, str]:
    """Everything that was written there, the contents of packed modules included."""
    found = {}
    for path in directory.rglob("*"):
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        for packed in re.findall(r"[A-Za-z0-9+/=]{1000,}", text):
            try:
                archive = zipfile.ZipFile(io.BytesIO(base64.b64decode(packed)))
            except (ValueError, zipfile.BadZipFile):
                continue
            text += "".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())
        found[str(path)] = text
    return found


def test_a_planted_password_is_in_no_payload_of_the_checks_of_a_host(tmp_path: Path) -> None:
    host, controller = tmp_path / "host", tmp_path / "controller"
    tasks = [
        {
            "block": [{"ansible.builtin.import_role": {"name": "codeframe.staging.preflight"}}],
            "rescue": [{"ansible.builtin.debug": {"msg": "{{ ansible_failed_task.name }}"}}],
        },
        {"ansible.builtin.import_role": {"name": "codeframe.staging.preflight", "tasks_from": "host"}},
    ]
    book = tmp_path / "play.json"
    book.write_text(json.dumps([{"hosts": "staging", "gather_facts": False, "tasks": tasks}]))
    variables = {**GOOD, **PLANTED, "ansible_remote_tmp": str(host), "ansible_pipelining": False}
    inventory = tmp_path / "inventory.json"
    inventory.write_text(
        json.dumps(
            {
                "staging": {"hosts": {"staging.test": variables}},
                "all": {"hosts": {"localhost": {"ansible_remote_tmp": str(controller), "ansible_pipelining": False}}},
            }
        )
    )
    done = run_playbook(book, inventory=str(inventory), environment={"ANSIBLE_KEEP_REMOTE_FILES": "1"})
    sent = payloads(host)
    # The checks of the inputs need all of them, and are made in the process of the run.
    assert payloads(controller) == {}, done.output
    assert SECRET not in done.output
    assert any(GOOD["staging_project_dir"] in text for text in sent.values()), done.output
    assert [path for path, text in sent.items() if SECRET in text] == []
