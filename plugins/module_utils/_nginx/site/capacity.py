# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an nginx can serve a number of clients at once."""

from __future__ import annotations

import re

from ..config import Tree

#: nginx's default of ``worker_connections``.
_DEFAULT_CONNECTIONS = 512


def too_small(tree: Tree, processors: int, files_limit: int | None, clients: int) -> str | None:
    """Why this nginx cannot serve a number of clients at once, or ``None``.

    A proxied client takes two connections, its own and the one to the application, and each takes an open file.

    :param processors: What nginx makes of ``worker_processes auto``.
    :param files_limit: Open files that the system allows a worker; ``None`` for no limit.
    """
    connections = _DEFAULT_CONNECTIONS
    for events in (each for each in tree.directives if each.name == "events"):
        for each in events.children("worker_connections"):
            connections = _number(each.args[0], connections) if each.args else connections
    asked = tree.main_value("worker_processes") or "1"
    workers = processors if asked == "auto" else _number(asked, 1)
    needed = -(-2 * clients // workers)
    if connections < needed:
        return (
            f"{workers} worker processes with worker_connections {connections} serve {workers * connections // 2} "
            f"clients of the {clients} wanted (2 connections each); set worker_connections to {needed} or more"
        )
    limit = tree.main_value("worker_rlimit_nofile")
    files = int(limit) if limit and limit.isdigit() else files_limit
    if files is not None and files < needed:
        return (
            f"a worker may open {files} files and needs {needed} for its share of {clients} clients; "
            f"set worker_rlimit_nofile to {needed} or more"
        )
    return None


def _number(text: str, otherwise: int) -> int:
    """A number of the configuration; nginx itself reports one that is not a number."""
    return int(text) if re.fullmatch("[1-9][0-9]*", text, re.ASCII) else otherwise
