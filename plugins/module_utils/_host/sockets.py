# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""TCP sockets of this host: who listens, who holds a socket, and connecting to one."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from . import proc

_ESTABLISHED = "01"
_LISTEN = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
#: Seconds after which the next address of a name is tried.
_PER_ADDRESS_S = 10.0


@dataclass(frozen=True)
class TcpSocket:
    """One line of ``/proc/net/tcp`` or ``/proc/net/tcp6`` (proc(5)).

    :param uid: The user that opened it.
    :param local_address: ``*`` for any address; an IPv4 address mapped into IPv6 as the IPv4 address.
    """

    inode: int
    uid: int
    local_address: str
    local_port: int
    remote_address: str
    remote_port: int
    listening: bool
    established: bool


@dataclass(frozen=True)
class Listener:
    """A socket that listens, with the processes that hold it.

    :param pids: Ascending; several for a parent and its workers. Empty where the kernel does not show whose it is
        (another user's, without CAP_SYS_PTRACE).
    """

    address: str
    port: int
    uid: int
    pids: tuple[int, ...]


def parse_table(text: str) -> list[TcpSocket]:
    """Read the text of ``/proc/net/tcp`` or ``/proc/net/tcp6``; incomplete lines are left out."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split()
        if len(fields) < 10:
            continue
        local, remote = _endpoint(fields[1]), _endpoint(fields[2])
        found.append(
            TcpSocket(
                inode=int(fields[9]),
                uid=int(fields[7]),
                local_address=local[0],
                local_port=local[1],
                remote_address=remote[0],
                remote_port=remote[1],
                listening=fields[3] == _LISTEN,
                established=fields[3] == _ESTABLISHED,
            )
        )
    return found


def is_available() -> bool:
    """Whether the kernel shows the sockets of this host."""
    return os.path.exists(_TABLES[0])


def tcp_sockets() -> list[TcpSocket]:
    """All TCP sockets of this network namespace, IPv4 and IPv6."""
    found: list[TcpSocket] = []
    for table in _TABLES:
        try:
            with open(table, encoding="ascii", errors="replace") as file:
                found += parse_table(file.read())
        except OSError:
            # No IPv6 on this host, or no /proc.
            continue
    return found


def socket_inodes(pid: int) -> frozenset[int] | None:
    """Inodes of the sockets that a process has open; ``None`` if it is gone or may not be looked at.

    Without CAP_SYS_PTRACE, in a container for example, not even root may look at a process of another user.
    """
    found = set()
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return None
    for name in names:
        try:
            match = re.match(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue
        except OSError:
            return None
        if match:
            found.add(int(match.group(1)))
    return frozenset(found)


def holders(inodes: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Processes that have these sockets open, by inode, ascending; a socket without a visible holder is left out."""
    wanted = frozenset(inodes)
    found: dict[int, list[int]] = {}
    for pid in proc.pids() if wanted else ():
        for inode in (socket_inodes(pid) or frozenset()) & wanted:
            found.setdefault(inode, []).append(pid)
    return {inode: tuple(pids) for inode, pids in found.items()}


def listeners(ports: Iterable[int]) -> list[Listener]:
    """Sockets that listen on these ports, in the order of the kernel's tables."""
    wanted = frozenset(ports)
    listening = [each for each in tcp_sockets() if each.listening and each.local_port in wanted]
    held = holders({each.inode for each in listening})
    return [Listener(each.local_address, each.local_port, each.uid, held.get(each.inode, ())) for each in listening]


def loopback_addresses(host: str) -> tuple[str, ...]:
    """The addresses of ``localhost`` and of names below it (RFC 6761, section 6.3); empty for other names."""
    name = host.rstrip(".").lower()
    return ("127.0.0.1", "::1") if name == "localhost" or name.endswith(".localhost") else ()


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """Open a TCP connection to the first address of a host that accepts one.

    :param host: Name or address; an IPv6 address without brackets.
    :param deadline: By the clock of ``time.monotonic()``. It also is the limit of the returned socket's next operation.
    :raises TimeoutError: If the deadline passed.
    :raises OSError: The failure of the last address, or that of the name's resolution.
    """
    last: OSError | None = None
    for address in loopback_addresses(host) or (host,):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        try:
            opened = socket.create_connection((address, port), timeout=min(_PER_ADDRESS_S, left))
        except UnicodeError:
            # The standard library's IDNA codec on a label that is empty or too long.
            raise socket.gaierror(socket.EAI_NONAME, "is not a host name") from None
        except OSError as error:
            last = error
            continue
        opened.settimeout(max(0.001, deadline - time.monotonic()))
        return opened
    raise last or TimeoutError("no connection in time")


def _endpoint(text: str) -> tuple[str, int]:
    address, _, port = text.rpartition(":")
    return _address(address), int(port, 16)


def _address(text: str) -> str:
    """An address of the tables: words of four bytes, each in the byte order of the machine."""
    raw = b"".join(int(text[start : start + 8], 16).to_bytes(4, sys.byteorder) for start in range(0, len(text), 8))
    if not any(raw):
        return "*"
    address = ipaddress.ip_address(raw)
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
