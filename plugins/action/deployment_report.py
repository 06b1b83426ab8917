# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the report of a run on the controller; see the documentation of the module of the same name."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible import __version__ as ansible_version
from ansible import constants as C  # noqa: N812 - as Ansible itself calls it
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.codeframe.staging.plugins.module_utils._host import files, proc
from ansible_collections.codeframe.staging.plugins.module_utils._host.command import run
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.document import KINDS, build_document
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.junit import junit_of
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.metrics import metrics_of
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.render import render_index, render_report
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.store import ReportStore, write_metrics
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.summary import summary_lines
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.variable_names import (
    user_variables,
    with_user_variables,
)
from ansible_collections.codeframe.staging.plugins.plugin_utils._steps import CALLBACK, FINISHED, steps_on
from ansible_collections.codeframe.staging.plugins.plugin_utils._terminal import (
    WIDTH_WITHOUT_TERMINAL,
    terminal_columns,
)

_LARGEST_PICTURE = 8 * 1024 * 1024
_ROLES = Path(__file__).parents[2] / "roles"
#: Callbacks whose output a program reads; the summary is in the result of the task.
_NO_TEXT = ("json", "jsonl", "null")


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs on the controller alone."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return the summary, and where the report is. Check mode writes nothing."""
        super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(
            argument_spec={
                "application": {"type": "str", "required": True},
                "host": {"type": "str", "required": True},
                "kind": {"type": "str", "choices": list(KINDS), "default": "deployment"},
                "write": {"type": "bool", "default": True},
                "show": {"type": "bool", "default": True},
                "directory": {"type": "path", "required": True},
                "keep": {"type": "int", "default": 30},
                "metrics_directory": {"type": "path"},
                "notify_command": {"type": "list", "elements": "str", "default": []},
                "notify_timeout": {"type": "int", "default": 60},
                "verification": {"type": "dict", "default": {}},
                "restored": {"type": "dict", "default": {}},
                "release": {"type": "dict", "default": {}},
                "changes": {"type": "dict", "default": {}},
                "downtime_s": {"type": "dict", "default": {}},
                "kept_for_data": {"type": "dict", "default": {}},
                "shared_data": {"type": "list", "elements": "str", "default": []},
                "failure": {"type": "str", "default": ""},
                "failed_task": {"type": "str", "default": ""},
                "outcome": {"type": "str", "default": ""},
                "page_url": {"type": "str", "default": ""},
                "websocket_url": {"type": "str", "default": ""},
                "findings": {"type": "dict", "default": {}},
                "proxy_evidence": {"type": "str", "default": ""},
                "proxy_tls": {"type": "list", "elements": "str", "default": []},
                "diffs": {"type": "dict", "default": {}},
                "proxy_directives": {"type": "dict", "default": {}},
                "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
            }
        )
        now = time.time()
        steps = steps_on(options["host"], FINISHED)
        failed = [str(step["name"]) for step in steps if step["outcome"] in ("failed", "unreachable")]
        names = _names_for_users(task_vars or {}) if options["failure"] else {}
        document = build_document(
            {
                **options,
                "check_mode": self._task.check_mode,
                "steps": steps,
                # This process is a fork of ansible-playbook.
                "duration_s": proc.age_s(os.getppid()),
                # A task that fails on purpose has a name that says little.
                "failed_step": (failed or [options["failed_task"]])[0] if options["failure"] else "",
                **{key: with_user_variables(options[key], names) for key in ("failure", "outcome")},
            },
            finished_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            versions={"ansible-core": str(ansible_version)},
        )
        result: dict[str, Any] = {"changed": False, "path": "", "notified": False}
        if options["write"] and not self._task.check_mode:
            try:
                result.update(self._write(options, document, now))
            except OSError as exc:
                # Not an exception, which would end the task whatever its failed_when says.
                place = exc.filename or options["directory"]
                result.update(failed=True, msg=f"the report was not written: {place}: {exc.strerror or exc}")
        result["verdict"] = document["verdict"]
        result["summary"] = summary_lines(
            document,
            width=terminal_columns() or WIDTH_WITHOUT_TERMINAL,
            report_path=result["path"],
            report_problem=str(result.get("msg") or ""),
        )
        if options["show"]:
            self._show(result, options["host"], several=len((task_vars or {}).get("ansible_play_hosts_all", ())) > 1)
        return result

    @staticmethod
    def _show(result: Mapping[str, Any], host: str, several: bool) -> None:
        """Print the summary as text, where the callback does not do it."""
        if not CALLBACK.shows_summaries and str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2] not in _NO_TEXT:
            # One text, so that those of several hosts do not mix.
            Display().display("\n".join(["", *([f"{host}:"] if several else []), *result["summary"]]))

    def _write(self, options: Mapping[str, Any], document: dict[str, Any], now: float) -> dict[str, Any]:
        screenshot = b""
        if document["browser"] and document["browser"]["screenshot"]:
            screenshot = files.read_file(
                str(options["verification"]["browser"]["screenshot"]), limit=_LARGEST_PICTURE
            ).data
        contents: dict[str, bytes | str] = {
            "report.html": render_report(document, screenshot),
            "report.json": json.dumps(document, indent=2, ensure_ascii=False) + "\n",
            "junit.xml": junit_of(document),
            "metrics.prom": metrics_of(document),
        }
        if screenshot:
            contents["screenshot.png"] = screenshot
        store = ReportStore(os.path.abspath(options["directory"]), document["application"], document["host"])
        with store.locked():
            before = store.latest()
            directory = store.add(contents, now)
            store.prune(options["keep"])
            store.write_index(render_index(store.all_documents()))
        if options["metrics_directory"]:
            write_metrics(
                options["metrics_directory"], document["application"], document["host"], str(contents["metrics.prom"])
            )
        result: dict[str, Any] = {"changed": False, "path": str(directory / "report.html"), "notified": False}
        changed_verdict = before is None or before["verdict"] != document["verdict"]
        if options["notify_command"] and changed_verdict:
            self._notify(options, str(contents["report.json"]), result)
        return result

    def _notify(self, options: Mapping[str, Any], document: str, result: dict[str, Any]) -> None:
        command = options["notify_command"]
        try:
            done = run(
                command,
                stdin=document.encode(),
                deadline=time.monotonic() + options["notify_timeout"],
                cwd=str(Path.cwd()),
                env=os.environ,
            )
        except OSError as exc:
            problem = exc.strerror or str(exc)
        else:
            problem = (
                f"it did not end within {options['notify_timeout']} s"
                if done.timed_out
                else f"it ended with {done.code}"
                if not done.succeeded
                else ""
            )
        result["notified"] = not problem
        if problem:
            result["warnings"] = [f"the command that tells the verdict failed: {command[0]}: {problem}"]


def _names_for_users(task_vars: Mapping[str, Any]) -> dict[str, str]:
    """The variables behind those of the roles, but for those that the user has set himself."""
    defaults: dict[str, Any] = {}
    for path in sorted(_ROLES.glob("*/defaults/main.yml")):
        defaults.update(yaml.safe_load(path.read_text(encoding="utf-8")) or {})
    found = user_variables(defaults)
    return {name: variable for name, variable in found.items() if task_vars.get(name, defaults[name]) == defaults[name]}
