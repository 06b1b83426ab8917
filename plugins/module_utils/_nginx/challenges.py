# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a site of this collection answer ACME challenges before it has TLS (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SERVER = re.compile(r"^server \{\n.*?^\}\n", re.MULTILINE | re.DOTALL)
_NAME = re.compile(r"^    server_name (\S+);\n", re.MULTILINE)
_PORT_80 = re.compile(r"^    listen (?:\[::\]:)?80(?: [^;]*)?;", re.MULTILINE)
_PATH = "/.well-known/acme-challenge/"


def with_challenges(content: str, names: Sequence[str], root: str, ipv6: bool) -> str:
    """A site that answers challenges for all names at port 80, and everything else as before.

    :param content: The site as the template has rendered it; empty if there is none yet.
    :param root: Directory with the answers.
    :param ipv6: Whether a server that is added listens on IPv6 too.
    """
    location = f"    location ^~ {_PATH} {{\n        root {root};\n    }}\n"
    answered: set[str] = set()

    def extend(match: re.Match[str]) -> str:
        block = match[0]
        name = _NAME.search(block)
        if name is None or not _PORT_80.search(block):
            return block
        answered.add(name[1])
        return block if _PATH in block else block[: name.end()] + location + block[name.end() :]

    # What was read from the host has no line break at its end.
    found = _SERVER.sub(extend, content.rstrip("\n") + "\n") if content else ""
    listen = "    listen 80;\n" + ("    listen [::]:80;\n" if ipv6 else "")
    missing = [
        f"server {{\n{listen}    server_name {name};\n{location}    location / {{\n        return 404;\n    }}\n}}\n"
        for name in dict.fromkeys(names)
        if name not in answered
    ]
    return "\n".join([*([found] if found else []), *missing])
