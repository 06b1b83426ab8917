# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight reports: a finding names a variable, its value, what was found, what was expected and a remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

ERROR = "error"
WARNING = "warning"
_LEVELS = {"fail": ERROR, "error": ERROR, "warn": WARNING, "warning": WARNING}

#: Findings whose level the user may set, with their level by default. All others are errors and stay so.
OPINIONS: Mapping[str, str] = {
    "build-script-missing": ERROR,
    "certificate-expires-soon": WARNING,
    "certificate-unused": WARNING,
    "command-development": WARNING,
    "command-port": ERROR,
    "connection-unresolved": ERROR,
    "cors-page-missing": ERROR,
    "cors-wildcard": WARNING,
    "disk-space": ERROR,
    "env-port-differs": ERROR,
    "files-of-another-user": ERROR,
    "git-insecure": WARNING,
    "hold-short": WARNING,
    "host-resolves-elsewhere": WARNING,
    "host-unresolved": WARNING,
    "hosts-of-api-and-websocket-differ": WARNING,
    "inodes": ERROR,
    "lock-file-missing": ERROR,
    "memory": WARNING,
    "name-internal": WARNING,
    "node-env": WARNING,
    "node-version": ERROR,
    "output-dir": ERROR,
    "page-port-unserved": ERROR,
    "page-server": ERROR,
    "port-ephemeral": WARNING,
    "port-privileged": ERROR,
    "project-dir-temporary": WARNING,
    "proxy-bypassed": WARNING,
    "public-variable-not-baked": WARNING,
    "python-pinned": WARNING,
    "python-version": ERROR,
    "socket-temporary": WARNING,
    "socket-unused": WARNING,
    "static-dir": ERROR,
    "static-url-at-start": WARNING,
    "trailing-slash": WARNING,
    "user-root": ERROR,
    "variable-unknown": ERROR,
    "websocket-path-missing": ERROR,
    "websocket-path-root": WARNING,
}


@dataclass(frozen=True)
class PreflightFinding:
    """One thing that does not fit."""

    name: str
    """Stable name, by which the user sets its level."""
    variable: str
    """The variable that the user sets, down to the entry: ``staging_env.PORT``, ``staging_shared_paths[1]``."""
    value: str
    """Its value as a message shows it (see ``DeploymentInputs.shown``), never a secret."""
    found: str
    """What was found beyond the value, as a clause; empty where the value says it all."""
    expected: str
    """What was expected, as a noun phrase."""
    remedy: str
    """What the user can do, in the imperative."""
    level: str

    @property
    def sentence(self) -> str:
        found = f", but {self.found}" if self.found else ""
        return f"{self.variable} is {self.value}{found}; expected {self.expected}; {self.remedy}"

    def as_dict(self) -> dict[str, str]:
        return {
            "finding": self.name,
            "variable": self.variable,
            "value": self.value,
            "found": self.found,
            "expected": self.expected,
            "remedy": self.remedy,
            "level": self.level,
            "message": self.sentence,
        }


def default_level(name: str) -> str:
    return OPINIONS.get(name, ERROR)


def wrong_levels(levels: Mapping[str, Any]) -> list[str]:
    """What is wrong with the levels that the user set, one clause for each."""
    wrong = []
    for name, level in levels.items():
        if name not in OPINIONS:
            wrong.append(f"{name} is not a finding whose level can be set")
        elif str(level) not in _LEVELS:
            wrong.append(f"{name} is {level}, expected warn or fail")
    return wrong


def with_levels(findings: Iterable[PreflightFinding], levels: Mapping[str, Any]) -> list[PreflightFinding]:
    """The findings at the levels that the user set: each once, errors first, otherwise in their order."""
    found = [replace(item, level=_LEVELS[str(levels[item.name])]) if item.name in levels else item for item in findings]
    return sorted(dict.fromkeys(found), key=lambda item: item.level != ERROR)


def summary(findings: Iterable[PreflightFinding]) -> str:
    """One text, a sentence per finding."""
    return "\n".join(f"{item.sentence}." if item.level == ERROR else f"(warning) {item.sentence}." for item in findings)
