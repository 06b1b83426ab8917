"""Ports on which nothing listens, for servers that are told their port before they start."""

from __future__ import annotations

import itertools
import os
import socket

# Below those that the kernel deals out by itself, so that neither a connection of another test nor a server that asks
# for any port takes one between the choice and its use; above those that the harness and the services of a host have.
_FIRST, _COUNT = 20000, 12000
# Two test sessions on one machine begin at different places.
_numbers = (_FIRST + (os.getpid() * 101 + number) % _COUNT for number in itertools.count())


def free_port() -> int:
    """A port of the loopback address that is free, and that no other caller of this process was given."""
    for port in itertools.islice(_numbers, _COUNT):
        with socket.socket() as sock:
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise RuntimeError(f"no port from {_FIRST} to {_FIRST + _COUNT - 1} of 127.0.0.1 is free")
