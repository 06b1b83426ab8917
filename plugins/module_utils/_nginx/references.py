# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a configuration refers to outside of itself: ports of upstreams, files on disk."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .config import Directive, Tree, walk


def upstream_ports(directives: Sequence[Directive]) -> set[int]:
    """Ports that ``proxy_pass`` and ``upstream`` name as numbers."""
    ports: set[int] = set()
    for each in walk(directives):
        if each.name == "proxy_pass" and each.args:
            match = re.match(r"(https?)://(?!unix:)[^/$]*?(?::(\d+))?(?:/|\Z)", each.args[0])
            if match:
                ports.add(int(match.group(2) or (443 if match.group(1) == "https" else 80)))
        elif each.name == "upstream":
            for server in each.children("server"):
                if server.args and server.args[0].startswith("unix:"):
                    continue
                port = re.search(r":(\d+)\Z", server.args[0]) if server.args else None
                ports.add(int(port.group(1)) if port else 80)
    return ports


def user_of(tree: Tree) -> str:
    """The user of the workers; empty if the configuration does not name it."""
    return next((each.args[0] for each in tree.directives if each.name == "user" and each.args), "")


def files_named(directives: Sequence[Directive], name: str) -> list[str]:
    """Arguments of a directive such as ``ssl_certificate`` that are plain paths, each once."""
    found = []
    for each in walk(directives):
        if each.name == name and each.args and "$" not in each.args[0] and ":" not in each.args[0]:
            found.append(each.args[0])
    return list(dict.fromkeys(found))
