# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The most likely cause of a failure, from all that was looked at (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Findings of preflight_info on which no other repair can succeed.
_DISK = frozenset(("disk-space", "inodes", "path-read-only"))
# Causes on the way of the WebSocket that a look at the backend's process explains further.
_BACKEND = frozenset(("backend_down", "connect_timed_out", "closed_in_handshake", "bad_gateway", "handshake_stalled"))
_QUOTED_LINES = 3


@dataclass(frozen=True)
class Look:
    """All that was looked at; empty where it could not be.

    :param verification: Result of the role websocket_verify.
    :param findings: Those of ``preflight_info`` on the host.
    :param processes: Those of ``pm2_process_info``, with their ``log``.
    :param env: Result of ``dotenv_info``, with the comparison with the backend's process.
    :param backend: Name of the backend's process.
    :param problems: What could not be looked at, and why.
    """

    verification: Mapping[str, Any]
    findings: Sequence[Mapping[str, Any]] = ()
    processes: Sequence[Mapping[str, Any]] = ()
    env: Mapping[str, Any] = field(default_factory=dict)
    proxy_evidence: str = ""
    backend: str = ""
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Conclusion:
    """One cause, empty if no fault was found, with what else was seen by subject."""

    cause: str
    explanation: str
    remedy: str
    evidence: tuple[str, ...]
    seen: Mapping[str, tuple[str, ...]]


def conclude_diagnosis(look: Look) -> Conclusion:
    """The first of: a full disk, the process of the backend, the way of the WebSocket, the page."""
    cause, explanation, remedy, evidence = _cause(look)
    if look.proxy_evidence and cause:
        evidence = (*evidence, look.proxy_evidence)
    return Conclusion(cause, explanation, remedy, evidence, _seen(look))


def _cause(look: Look) -> tuple[str, str, str, tuple[str, ...]]:
    if look.verification.get("passed"):
        return "", "", "", ()
    diagnosis = look.verification.get("diagnosis") or {}
    found = str(diagnosis.get("cause") or "")
    facts = tuple(str(each) for each in diagnosis.get("evidence") or ())
    for each in look.findings:
        if each.get("level") == "error" and each.get("finding") in _DISK:
            return str(each["finding"]), str(each["message"]), str(each.get("remedy") or ""), facts
    process = next((each for each in look.processes if each["name"] == look.backend), None)
    if found in _BACKEND and process is not None and (process["status"] != "online" or process["restarts"]):
        quoted = tuple(f"log of {look.backend}: {line}" for line in _log(process)[-_QUOTED_LINES:])
        return (
            found,
            f"the process {look.backend} is {process['status']} in pm2 and was restarted {process['restarts']} times; "
            f"{diagnosis.get('explanation', '')}",
            "repair what the end of its log says, in the application or in its environment, and deploy again",
            (*quoted, *facts),
        )
    if found in _BACKEND and process is None and look.backend and not look.problems:
        return (
            found,
            f"pm2 has no process {look.backend}; {diagnosis.get('explanation', '')}",
            "deploy with deploy_staging.yml, which starts it",
            facts,
        )
    if found not in ("", "none"):
        return found, str(diagnosis.get("explanation") or ""), str(diagnosis.get("remedy") or ""), facts
    return "", str(look.verification.get("message") or ""), "", facts


def _seen(look: Look) -> dict[str, tuple[str, ...]]:
    seen = {
        "Processes": tuple(_process_line(each) for each in look.processes),
        "Environment": tuple(_environment_lines(look.env, look.backend)),
        "Host": tuple(f"{each.get('level')}: {each.get('message')}" for each in look.findings),
        "Proxy": (look.proxy_evidence,) if look.proxy_evidence else (),
        "Not looked at": tuple(look.problems),
        **{f"Log of {each['name']}": tuple(_log(each)) for each in look.processes},
    }
    return {subject: lines for subject, lines in seen.items() if lines}


def _process_line(process: Mapping[str, Any]) -> str:
    ports = process.get("ports") or ()
    parts = [
        str(process["status"]),
        f"pid {process['pid']}" if process.get("pid") else "",
        f"port {', '.join(str(port) for port in ports)}" if ports else "",
        f"running for {process['uptime_s']} s" if process.get("uptime_s") is not None else "",
        f"restarted {process['restarts']} times by pm2",
        "" if process.get("managed") else "not started by this collection",
    ]
    return f"{process['name']}: {', '.join(part for part in parts if part)}"


def _environment_lines(env: Mapping[str, Any], backend: str) -> list[str]:
    if not env:
        return []
    if not env.get("exists"):
        return [f"{env.get('path')} does not exist"]
    lines = [f"{env['path']} has {len(env['keys'])} keys and mode {env['mode']}, digest {env['digest']}"]
    lines += [f"{key}: digest {digest}" for key, digest in (env.get("digests") or {}).items()]
    process = env.get("process") or {}
    for word, text in (("missing", "lacks"), ("differing", "has another value of")):
        if process.get(word):
            lines.append(f"{backend} runs with other values: it {text} {', '.join(process[word])}; restart it")
    for keys, text in (("placeholder_keys", "still a placeholder"), ("empty_keys", "empty")):
        if env.get(keys):
            lines.append(f"{text}: {', '.join(env[keys])}")
    return lines


def _log(process: Mapping[str, Any]) -> list[str]:
    return [str(line) for line in process.get("log") or ()]
