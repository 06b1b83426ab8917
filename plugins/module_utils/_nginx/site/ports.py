# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which other program occupies a port; ``nginx -t`` does not see it."""

from __future__ import annotations

from collections.abc import Iterable

from ..._host import proc
from ..._host.sockets import listeners


def port_holder(address: str, port: int, nginx: Iterable[int]) -> str | None:
    """The program that prevents nginx from listening on an address and port, ``None`` if there is none.

    :param address: As in ``listen``: ``*`` or ``[::]`` for any.
    :param nginx: Process ids of nginx itself.
    """
    bare = address.strip("[]")
    any_address = bare in ("", "::", "*")
    own = set(nginx)
    for each in listeners([port]):
        if not any_address and each.address not in ("*", bare):
            continue
        if own & set(each.pids):
            continue
        for pid in each.pids:
            return f"{proc.title(pid) or proc.program_name(pid)} (process {pid})"
        return f"a program of user {each.uid} that cannot be identified"
    return None
