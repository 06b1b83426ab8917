# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of a process: as it should run, and as one entry of an ecosystem file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .process import PROJECT_KEY, REVISION_KEY, Pm2Process

OPTIONS_KEY = "STAGING_OPTIONS"
#: Marks a managed process that belongs to no project.
NO_PROJECT = "-"

_EMPTY: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class ProcessDefinition:
    """The process as it should run. Links in its paths are not resolved."""

    name: str
    script: str = ""
    cwd: str = ""
    args: tuple[str, ...] = ()
    interpreter: str = "none"
    interpreter_args: tuple[str, ...] = ()
    exec_mode: str = "fork"
    instances: int = 1
    env: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    revision: str = ""
    project: str = ""
    settings: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    extra: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    """Further keys of a user's own ecosystem file, passed on to pm2 and compared by a digest."""
    uncompared: frozenset[str] = frozenset()
    """Settings whose difference is no reason to act, but that are corrected when there is another reason."""
    out_log: str = ""
    err_log: str = ""
    unused: tuple[str, ...] = ()
    """Keys of a user's own ecosystem file that have no effect."""
    real_cwd: str = ""
    """Where ``cwd`` is now, with every link resolved."""

    @property
    def numbering(self) -> tuple[str, ...]:
        """Variables by which pm2 tells the instances apart: each instance has another value."""
        return tuple(str(self.extra[key]) for key in ("instance_var", "increment_var") if self.extra.get(key))

    def full_env(self) -> dict[str, str]:
        """The environment with the variables by which a later run recognises the process."""
        env = dict(self.env)
        env[PROJECT_KEY] = self.project or NO_PROJECT
        if self.extra:
            firsts = {f"env {key}": self.env[key] for key in self.numbering if key in self.env}
            text = json.dumps({**self.extra, **firsts}, sort_keys=True, default=str)
            env[OPTIONS_KEY] = hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]
        if self.revision:
            env[REVISION_KEY] = self.revision
        return env


def ecosystem_entry(definition: ProcessDefinition) -> dict[str, Any]:
    """The definition as one entry of an ecosystem file."""
    entry: dict[str, Any] = {
        **definition.extra,
        **definition.settings,
        "name": definition.name,
        "script": definition.script,
        "cwd": definition.cwd,
        "args": list(definition.args),
        "interpreter": definition.interpreter,
        "interpreter_args": list(definition.interpreter_args),
        "exec_mode": definition.exec_mode,
        "instances": definition.instances,
        "merge_logs": True,
        "vizion": False,
        "env": definition.full_env(),
    }
    if definition.out_log:
        entry["out_file"] = definition.out_log
    if definition.err_log:
        entry["error_file"] = definition.err_log
    return entry


def ecosystem_entry_of(processes: Sequence[Pm2Process]) -> dict[str, Any]:
    """What pm2 runs as one entry of an ecosystem file, to start it again.

    :param processes: All instances of one name, at least one.
    """
    first = processes[0]
    return {
        **first.settings,
        "name": first.name,
        "script": first.script,
        "cwd": first.cwd,
        "args": list(first.args),
        "interpreter": first.interpreter,
        "interpreter_args": list(first.interpreter_args),
        "exec_mode": first.exec_mode,
        "instances": len(processes),
        "merge_logs": True,
        "vizion": False,
        "out_file": first.out_log,
        "error_file": first.err_log,
        "env": dict(first.env),
    }
