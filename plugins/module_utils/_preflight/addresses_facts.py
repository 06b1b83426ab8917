# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses names have, and which this machine has."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import threading
import time
from collections.abc import Iterable

from .._host.files import read_text
from .._host.url import as_address, is_loopback
from .addresses import Addresses

_RESOLVE_WITHIN_S = 5.0


def resolve(hosts: Iterable[str]) -> Addresses:
    """Addresses by host name, asked for at the same time and within 5 s.

    Addresses and names below ``.localhost`` are left out: the latter mean the asking machine (RFC 6761, section 6.3).
    """
    answers: Addresses = {}

    def ask(host: str) -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            answers[host] = sorted({str(entry[4][0]).partition("%")[0] for entry in found})

    asked = {host for host in hosts if as_address(host) is None and not is_loopback(host)}
    threads = [threading.Thread(target=ask, args=(host,), daemon=True) for host in asked]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + _RESOLVE_WITHIN_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return {host: answers.get(host) for host in asked}


def local_addresses() -> set[str]:
    """The addresses of this machine, without those of its loopback interface."""
    found = set()
    last = ""
    for line in (read_text("/proc/net/fib_trie") or "").splitlines():
        address = re.search(r"\|-- (\d+\.\d+\.\d+\.\d+)", line)
        if address is not None:
            last = address[1]
        elif "/32 host LOCAL" in line and not last.startswith("127."):
            found.add(last)
    for line in (read_text("/proc/net/if_inet6") or "").splitlines():
        address_text = str(ipaddress.IPv6Address(int(line.split()[0], 16)))
        if address_text != "::1":
            found.add(address_text)
    return found
