# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight reports: findings with a variable, its value, what was expected and a remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

ERROR = "error"
WARNING = "warning"
_LEVELS = {"fail": ERROR, "error": ERROR, "warn": WARNING, "warning": WARNING}
_SHOWN_LENGTH = 160

#: Findings on which opinions may differ, with their level by default. All others are errors and stay so.
OPINIONS: Mapping[str, str] = {
    "certificate-unused": WARNING,
    "cors-page-missing": ERROR,
    "cors-wildcard": WARNING,
    "disk-space": ERROR,
    "env-port-differs": ERROR,
    "git-insecure": WARNING,
    "hold-short": WARNING,
    "hosts-of-api-and-websocket-differ": WARNING,
    "host-leads-elsewhere": WARNING,
    "host-unresolved": WARNING,
    "inodes": ERROR,
    "lock-file-missing": ERROR,
    "memory": WARNING,
    "name-internal": WARNING,
    "node-env": WARNING,
    "node-version": ERROR,
    "page-port-unserved": ERROR,
    "port-ephemeral": WARNING,
    "port-privileged": ERROR,
    "project-dir-temporary": WARNING,
    "proxy-bypassed": WARNING,
    "public-variable-not-baked": WARNING,
    "python-version": ERROR,
    "trailing-slash": WARNING,
    "user-root": ERROR,
    "variable-unknown": WARNING,
    "websocket-path-missing": ERROR,
    "websocket-path-root": WARNING,
    "certificate-expires-soon": WARNING,
    "build-script-missing": ERROR,
}


@dataclass(frozen=True)
class Finding:
    """One thing that does not fit. ``name`` is its stable name, by which its level can be overridden."""

    name: str
    variable: str
    value: str
    """As shown: quoted and shortened, empty where the variable is missing, never a secret."""
    expected: str
    remedy: str
    level: str = ERROR

    @property
    def sentence(self) -> str:
        found = f"is {self.value}" if self.value else "is missing"
        return f"{self.variable} {found}, but {self.expected}; {self.remedy}"

    def as_dict(self) -> dict[str, str]:
        return {
            "finding": self.name,
            "variable": self.variable,
            "value": self.value,
            "expected": self.expected,
            "remedy": self.remedy,
            "level": self.level,
            "message": self.sentence,
        }


def finding(name: str, variable: str, value: Any, expected: str, remedy: str) -> Finding:
    """A finding at its default level."""
    return Finding(name, variable, "" if value is None else shown(value), expected, remedy, OPINIONS.get(name, ERROR))


class Shown(str):
    """A text that is put into a sentence as it is, without quotes."""

    __slots__ = ()


def shown(value: Any) -> str:
    """A value as it may stand in a message: one line, not too long, no password of a URL."""
    if isinstance(value, Shown):
        return str(value)
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (TypeError, ValueError):
        text = json.dumps(str(value), ensure_ascii=False)
    text = re.sub(r"(://)[^/@\s\"]*@", r"\1***@", text)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"


def wrong_levels(levels: Mapping[str, Any]) -> list[str]:
    """What is wrong with the levels that the user set, in words."""
    said = []
    for name, level in levels.items():
        if name not in OPINIONS:
            said.append(f"{name} (not a finding on which opinions may differ)")
        elif str(level) not in _LEVELS:
            said.append(f"{name}: {level} (warn or fail is expected)")
    return said


def with_levels(findings: Iterable[Finding], levels: Mapping[str, Any]) -> list[Finding]:
    """The findings at the levels that the user set, errors first, otherwise in their order."""
    found = [replace(item, level=_LEVELS[str(levels[item.name])]) if item.name in levels else item for item in findings]
    return sorted(dict.fromkeys(found), key=lambda item: item.level != ERROR)


def summary(findings: Iterable[Finding]) -> str:
    """One text, a sentence per finding."""
    return "\n".join(f"{item.sentence}." if item.level == ERROR else f"(warning) {item.sentence}." for item in findings)
