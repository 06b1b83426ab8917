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

from ansible import __version__ as ansible_version
from ansible.plugins.action import ActionBase
from ansible_collections.codeframe.staging.plugins.module_utils._host import files
from ansible_collections.codeframe.staging.plugins.module_utils._host.command import run
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.document import KINDS, build_document
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.junit import junit_of
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.metrics import metrics_of
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.render import render_index, render_report
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.store import ReportStore, write_metrics
from ansible_collections.codeframe.staging.plugins.plugin_utils._steps import FINISHED, steps_on

_LARGEST_PICTURE = 8 * 1024 * 1024


class ActionModule(ActionBase):  # type: ignore[misc]
    """Runs on the controller alone."""

    _requires_connection = False
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return where the report is. Check mode writes nothing."""
        super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(
            argument_spec={
                "application": {"type": "str", "required": True},
                "host": {"type": "str", "required": True},
                "kind": {"type": "str", "choices": list(KINDS), "default": "deployment"},
                "directory": {"type": "path", "required": True},
                "keep": {"type": "int", "default": 30},
                "metrics_directory": {"type": "path"},
                "notify_command": {"type": "list", "elements": "str", "default": []},
                "notify_timeout": {"type": "int", "default": 60},
                "verification": {"type": "dict", "default": {}},
                "release": {"type": "dict", "default": {}},
                "changes": {"type": "dict", "default": {}},
                "downtime_s": {"type": "dict", "default": {}},
                "failure": {"type": "str", "default": ""},
                "outcome": {"type": "str", "default": ""},
                "page_url": {"type": "str", "default": ""},
                "websocket_url": {"type": "str", "default": ""},
                "proxy_evidence": {"type": "str", "default": ""},
                "proxy_directives": {"type": "dict", "default": {}},
                "secrets": {"type": "list", "elements": "str", "default": [], "no_log": True},
            }
        )
        if self._task.check_mode:
            return {"changed": False, "path": "", "notified": False}
        now = time.time()
        document = build_document(
            {**options, "steps": steps_on(options["host"], FINISHED)},
            finished_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
            versions={"ansible-core": str(ansible_version)},
        )
        try:
            return self._write(options, document, now)
        except OSError as exc:
            # Not an exception, which would end the task whatever its failed_when says.
            place = exc.filename or options["directory"]
            return {"failed": True, "msg": f"the report was not written: {place}: {exc.strerror or exc}"}

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
