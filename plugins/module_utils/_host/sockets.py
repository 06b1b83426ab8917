# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sockets of this host, those of TCP and those of files: who listens, who holds one, and connecting to one."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Union

from . import proc

_ESTABLISHED = "01"
_LISTEN = "0A"
_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
_UNIX_TABLE = "/proc/net/unix"
#: The flag of a UNIX socket that accepts connections (``__SO_ACCEPTCON``).
_ACCEPTS = 0x10000
#: Before the path of a UNIX socket where a host name is usual, as nginx writes it.
UNIX = "unix:"
#: Bytes of the longest path that a UNIX socket can have (unix(7): 108 with the byte at its end).
LONGEST_PATH = 107
#: An absolute path of a UNIX socket that needs no quoting in a shell or in nginx, without ``//``, ``.`` and ``..``.
PLAIN_PATH = re.compile(r"(?:/(?!\.\.?(?:/|\Z))[A-Za-z0-9._@%+=,-]+)+\Z")
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


#: Where a process of this host listens: a TCP port, or the path of a UNIX socket.
Place = Union[int, str]


@dataclass(frozen=True)
class Listener:
    """A socket that listens, with the processes that hold it.

    :param address: The path of a UNIX socket; its port is 0, and its user the owner of the file.
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


def parse_unix_table(text: str) -> list[tuple[str, int]]:
    """Path and inode of the UNIX sockets that listen, from the text of ``/proc/net/unix`` (proc(5))."""
    found = []
    for line in text.splitlines()[1:]:
        fields = line.split(maxsplit=7)
        if len(fields) == 8 and int(fields[3], 16) & _ACCEPTS:
            found.append((fields[7], int(fields[6])))
    return found


def socket_listeners(path: str) -> list[Listener]:
    """UNIX sockets that listen at a path; several where one file has replaced another."""
    try:
        with open(_UNIX_TABLE, encoding="utf-8", errors="surrogateescape") as file:
            table = parse_unix_table(file.read())
        uid = os.stat(path).st_uid
    except OSError:
        # No client can connect to a socket without its file.
        return []
    # A process may have bound a path that is relative to its directory.
    inodes = [inode for bound, inode in table if bound == path or (bound[0] not in "/@" and path.endswith(f"/{bound}"))]
    held = holders(inodes)
    return [Listener(path, 0, uid, held.get(inode, ())) for inode in inodes]


def listeners_at(place: Place) -> list[Listener]:
    """The sockets that listen at a place."""
    return socket_listeners(place) if isinstance(place, str) else listeners([place])


def named(place: Place) -> str:
    """A place in a message."""
    return f"the socket {place}" if isinstance(place, str) else f"port {place}"


def loopback_addresses(host: str) -> tuple[str, ...]:
    """The addresses of ``localhost`` and of names below it (RFC 6761, section 6.3); empty for other names."""
    name = host.rstrip(".").lower()
    return ("127.0.0.1", "::1") if name == "localhost" or name.endswith(".localhost") else ()


def connect(host: str, port: int, deadline: float) -> socket.socket:
    """Open a TCP connection to the first address of a host that accepts one.

    :param host: Name or address; an IPv6 address without brackets. ``unix:`` and a path for a UNIX socket.
    :param deadline: By the clock of ``time.monotonic()``. It also is the limit of the returned socket's next operation.
    :raises TimeoutError: If the deadline passed.
    :raises OSError: The failure of the last address, or that of the name's resolution.
    """
    if host.startswith(UNIX):
        return _connect_unix(host[len(UNIX) :], deadline)
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


def _connect_unix(path: str, deadline: float) -> socket.socket:
    opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        opened.settimeout(max(0.001, deadline - time.monotonic()))
        opened.connect(path)
    except BaseException:
        opened.close()
        raise
    return opened


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
