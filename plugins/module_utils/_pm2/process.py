# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that pm2 runs, as it reports them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from .._host.json_text import object_of
from .error import Pm2Error
from .settings import normalised_settings

REVISION_KEY = "STAGING_REVISION"
PROJECT_KEY = "STAGING_PROJECT"

_EMPTY: Mapping[str, Any] = MappingProxyType({})
# What pm2 and shells add to the environment of a process.
_NOISE = frozenset(
    {"PWD", "OLDPWD", "SHLVL", "_", "unique_id", "NODE_APP_INSTANCE", "NODE_CHANNEL_FD", "SILENT", "INVOCATION_ID"}
    | {"NODE_CHANNEL_SERIALIZATION_MODE", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "PIDFILE", "MANAGERPID"}
)
_NOISE_PREFIXES = ("PM2_", "npm_", "axm_")
_VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]*\Z")


@dataclass(frozen=True)
class Pm2Process:
    """One entry of ``pm2 jlist``."""

    name: str
    pm_id: int
    pid: int
    status: str
    script: str
    cwd: str
    args: tuple[str, ...] = ()
    interpreter: str = "node"
    interpreter_args: tuple[str, ...] = ()
    exec_mode: str = "fork"
    env: Mapping[str, str] = field(default_factory=lambda: _EMPTY)
    leftovers: tuple[str, ...] = ()
    """Variables that were removed from ``env``, but that the process still has."""
    settings: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)
    out_log: str = ""
    err_log: str = ""
    restarts: int = 0
    exit_code: int | None = None
    live_cwd: str = ""
    """Its working directory now (``/proc/<pid>/cwd``); empty if that is not known."""

    @property
    def revision(self) -> str:
        return self.env.get(REVISION_KEY, "")

    @property
    def online(self) -> bool:
        return self.status in ("online", "launching")


def parse_jlist(text: str) -> list[dict[str, Any]]:
    """The list in what ``pm2 jlist`` printed, whatever banners it printed before.

    :raises Pm2Error: If there is no list.
    """
    decoder = json.JSONDecoder()
    for match in re.finditer(r"^\[", text, re.MULTILINE):
        try:
            value, _end = decoder.raw_decode(text, match.start())
        except (ValueError, RecursionError):
            continue
        if isinstance(value, list) and all(isinstance(item, dict) and "pm2_env" in item for item in value):
            return value
    raise Pm2Error("pm2 jlist printed no list of processes")


def parse_process(entry: Mapping[str, Any]) -> Pm2Process:
    """Read one entry of ``pm2 jlist``, or of the dump (which is the inner part alone)."""
    inner: Mapping[str, Any] = object_of(entry.get("pm2_env")) or entry
    name = str(entry.get("name") or inner.get("name") or "")
    env = {
        key: setting_text(value)
        for key, value in object_of(inner.get("env")).items()
        if not _is_noise(key, name) and not isinstance(value, (dict, list))
    }
    leftovers = tuple(
        sorted(
            key
            for key, value in inner.items()
            if _VARIABLE_NAME.match(key) and key not in env and not _is_noise(key, name) and isinstance(value, str)
        )
    )
    mode = str(inner.get("exec_mode") or "fork_mode")
    exit_code = inner.get("exit_code")
    return Pm2Process(
        name=name,
        pm_id=_number(entry.get("pm_id", inner.get("pm_id", -1))),
        pid=_number(entry.get("pid")),
        status=str(inner.get("status") or ""),
        script=str(inner.get("pm_exec_path") or ""),
        cwd=str(inner.get("pm_cwd") or ""),
        args=_words(inner.get("args")),
        interpreter=str(inner.get("exec_interpreter") or "none"),
        interpreter_args=_words(inner.get("node_args")),
        exec_mode="cluster" if mode.startswith("cluster") else "fork",
        env=env,
        leftovers=leftovers,
        settings=normalised_settings(inner),
        out_log=str(inner.get("pm_out_log_path") or ""),
        err_log=str(inner.get("pm_err_log_path") or ""),
        restarts=_number(inner.get("restart_time")),
        exit_code=exit_code if isinstance(exit_code, int) else None,
    )


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def setting_text(value: Any) -> str:
    """A value as pm2 puts it into an environment."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _is_noise(key: str, name: str) -> bool:
    return key in _NOISE or key == name or key.startswith(_NOISE_PREFIXES)


def _words(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple)) else ()
