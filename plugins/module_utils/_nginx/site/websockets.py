# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What other files of the configuration do to the WebSockets of a site, before it is activated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..config import Directive, Tree
from ..effective.evaluation import evaluate
from ..effective.findings import ERROR, UNDECIDED
from ..effective.location_choice import is_regex, modifier_and_path
from ..effective.request import HttpRequest
from ..listen import listens_of, names_of


@dataclass(frozen=True)
class Disturbance:
    """A sentence about a directive in another file; ``fatal`` if no WebSocket works because of it."""

    message: str
    fatal: bool


def disturbances(tree: Tree, site_file: str, version: str) -> list[Disturbance]:
    """What directives of other files do to the WebSockets of a site, each once.

    :param tree: The configuration with the site.
    :param site_file: The path by which it is loaded.
    """
    found: dict[tuple[str, ...], Disturbance] = {}
    for server in tree.servers():
        if server.file != site_file:
            continue
        for request in _handshakes(server):
            for each in evaluate(tree, request, version).findings:
                elsewhere = [where for where in each.where if where.rpartition(":")[0] != site_file]
                if elsewhere and each.level in (ERROR, UNDECIDED):
                    key = (each.code, *elsewhere)
                    found.setdefault(key, Disturbance(each.message, each.level == ERROR))
    return list(found.values())


def _handshakes(server: Directive) -> Iterator[HttpRequest]:
    """A handshake for each location with an upgrade, at each port."""
    names = [name for name in names_of(server) if name and name[0] not in "~*"]
    paths = [modifier_and_path(each)[1] for each in _upgrading(server.children("location"))]
    for port, tls in dict.fromkeys((each.port, each.tls) for each in listens_of(server)):
        for path in paths if names else ():
            yield HttpRequest(names[0], port, tls, path)


def _upgrading(locations: Sequence[Directive]) -> Iterator[Directive]:
    for each in locations:
        upgrades = any(
            header.args[:1] and header.args[0].lower() == "upgrade" for header in each.children("proxy_set_header")
        )
        if upgrades and each.children("proxy_pass") and not is_regex(each):
            yield each
