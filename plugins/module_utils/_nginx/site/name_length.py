# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Host names that are too long for the hash table of nginx; its own complaint does not name them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ..config import Tree
from ..listen import listens_of, names_of

_DIRECTIVE = "server_names_hash_bucket_size"
#: Size of a line of the processor's cache, nginx's default and the unit that it rounds up to.
_LINE = 64
#: Measured with nginx 1.22.1: 46 characters fit into a bucket of 64 bytes, and 110 into one of 128.
_OVERHEAD = 18


@dataclass(frozen=True)
class LongName:
    """A host name of more characters than nginx takes.

    :param bucket: The size of a bucket in bytes, and ``where`` its directive; ``None`` for the default.
    :param needed: The size that the name needs.
    """

    name: str
    limit: int
    bucket: int
    where: str | None
    needed: int

    @property
    def found(self) -> str:
        """What is wrong, without a remedy."""
        place = f" in {self.where}" if self.where else ", the default"
        return (
            f"{self.name} has {len(self.name)} characters, and nginx takes at most {self.limit} with {_DIRECTIVE} "
            f"{self.bucket}{place}"
        )

    @property
    def remedy(self) -> str:
        place = f"in {self.where}" if self.where else "in the http block of nginx.conf"
        return f"set {_DIRECTIVE} {self.needed} {place}"


def long_names(tree: Tree, wanted: Collection[tuple[str, int]], own: Collection[str] = ()) -> list[LongName]:
    """The names among these that do not fit, each once.

    nginx makes a hash table only for a port with several servers.

    :param tree: The configuration, with the site or without it.
    :param wanted: Host names of a site, each with its port.
    :param own: Files of the site.
    """
    directive = next((each for each in tree.http() if each.name == _DIRECTIVE and each.args), None)
    bucket = int(directive.args[0]) if directive is not None and directive.args[0].isdigit() else _LINE
    bucket = _rounded(bucket)
    others = [server for server in tree.servers() if server.file not in own]
    taken = {(name, each.port) for server in others for each in listens_of(server) for name in names_of(server)}
    found = {}
    for name, port in sorted(wanted):
        shared = {each for each in taken | set(wanted) if each[1] == port} - {(name, port)}
        if shared and len(name) > bucket - _OVERHEAD:
            where = directive.where if directive is not None else None
            needed = _rounded(len(name) + _OVERHEAD)
            found[name] = LongName(name, bucket - _OVERHEAD, bucket, where, needed)
    return list(found.values())


def _rounded(size: int) -> int:
    return -(-size // _LINE) * _LINE
