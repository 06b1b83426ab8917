# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a host name to a connection: resolve, connect and make the TLS handshake, each phase timed."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

from .._host.sockets import UNIX, loopback_addresses
from .._host.url import as_address
from .observation import Fault, Observation
from .tls import tls_facts, tls_fault
from .wire import Wire

if TYPE_CHECKING:
    from .target import Target

_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)
_MISSING = (errno.ENOENT, errno.ENOTDIR)
_LOCAL_LIMITS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# Which failure of several addresses is told: dropped packets before a refusal; no route tells least.
_BY_WEIGHT = (
    Fault.LOCAL_LIMIT,
    Fault.CONNECT_TIMED_OUT,
    Fault.CLOSED_IN_HANDSHAKE,
    Fault.REFUSED,
    Fault.UNREACHABLE,
)

# Family and socket address.
_Address = tuple[int, Any]


async def connect(
    target: Target, context: ssl.SSLContext | None, seen: Observation, deadline: float, prelude: bytes = b""
) -> Wire:
    """Connect to an endpoint; phases, addresses and TLS go into the observation.

    :param context: For TLS; None for a connection without it.
    :param deadline: By the clock of the running loop.
    :param prelude: Sent before anything else, TLS included.
    :raises EndedError: Without a connection; the observation holds the fault.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    addresses = await resolve(target, seen, deadline)
    seen.phases["resolve"] = loop.time() - began
    began = loop.time()
    sock = await _connect_tcp(addresses, seen, deadline)
    seen.phases["tcp"] = loop.time() - began
    if prelude:
        # A few bytes on a new connection: the system takes them at once.
        await loop.sock_sendall(sock, prelude)
    if context is None:
        _, wire = await loop.create_connection(Wire, sock=sock)
        return wire
    began = loop.time()
    wire = await _connect_tls(target, context, sock, seen, deadline)
    seen.phases["tls"] = loop.time() - began
    return wire


async def resolve(target: Target, seen: Observation, deadline: float) -> list[_Address]:
    """The addresses of an endpoint in the order in which to try them.

    :raises EndedError: Without one; the observation holds the fault.
    """
    host, port = target.connect_host, target.connect_port
    if host.startswith(UNIX):
        return [(socket.AF_UNIX, host[len(UNIX) :])]
    literal = (host,) if as_address(host) else loopback_addresses(host)
    if literal:
        return [_socket_address(address, port) for address in literal]
    try:
        found = await _ask_resolver(host, port, deadline)
    except asyncio.TimeoutError:
        raise seen.end(Fault.NAME_TIMED_OUT, f"{host} was not resolved in time") from None
    except OSError as exc:
        raise seen.end(Fault.NAME_NOT_RESOLVED, f"{host}: {exc.strerror or exc}") from None
    return [(int(family), address) for family, _, _, _, address in found]


def _socket_address(address: str, port: int) -> _Address:
    return (socket.AF_INET6, (address, port, 0, 0)) if ":" in address else (socket.AF_INET, (address, port))


async def _ask_resolver(host: str, port: int, deadline: float) -> list[Any]:
    """Resolve in a thread of its own.

    The loop waits for its executor's few threads when it ends; a resolver that hangs must delay neither the end of the
    check nor the other endpoints.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[list[Any]] = loop.create_future()

    def settle(value: list[Any] | None, exc: OSError | None) -> None:
        if result.done():
            return
        if exc is not None:
            result.set_exception(exc)
        else:
            result.set_result(value or [])

    def work() -> None:
        value: list[Any] | None = None
        failure: OSError | None = None
        try:
            value = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as exc:
            failure = exc
        except UnicodeError as exc:
            failure = OSError(errno.EINVAL, str(exc))
        try:
            loop.call_soon_threadsafe(settle, value, failure)
        except RuntimeError:
            # The loop has ended.
            return

    threading.Thread(target=work, daemon=True, name="resolve").start()
    return await asyncio.wait_for(result, max(0.001, deadline - loop.time()))


async def _connect_tcp(addresses: list[_Address], seen: Observation, deadline: float) -> socket.socket:
    """Try the addresses in their order, each with its share of the time that is left."""
    loop = asyncio.get_running_loop()
    faults: list[tuple[Fault, str]] = []
    for index, (family, address) in enumerate(addresses):
        shown = _shown(family, address)
        share = (deadline - loop.time()) / (len(addresses) - index)
        if share <= 0:
            break
        try:
            sock = socket.socket(family, socket.SOCK_STREAM)
        except OSError as exc:
            faults.append(_tcp_fault(exc, shown))
            continue
        try:
            sock.setblocking(False)
            if family != socket.AF_UNIX:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.wait_for(loop.sock_connect(sock, address), share)
        except asyncio.TimeoutError:
            sock.close()
            faults.append((Fault.CONNECT_TIMED_OUT, f"{shown} did not answer within {share:.1f} s"))
        except OSError as exc:
            sock.close()
            faults.append(_tcp_fault(exc, shown))
        except BaseException:
            sock.close()
            raise
        else:
            seen.address = shown
            seen.attempts = [text for _, text in faults]
            return sock
    fault, text = min(
        faults or [(Fault.CONNECT_TIMED_OUT, "no time was left to connect")], key=lambda item: _BY_WEIGHT.index(item[0])
    )
    seen.attempts = [other for _, other in faults if other != text]
    raise seen.end(fault, text)


def _shown(family: int, address: Any) -> str:
    if family == socket.AF_UNIX:
        return f"the socket {address}"
    return f"[{address[0]}]:{address[1]}" if family == socket.AF_INET6 else f"{address[0]}:{address[1]}"


def _tcp_fault(exc: OSError, shown: str) -> tuple[Fault, str]:
    if exc.errno in _LOCAL_LIMITS:
        return Fault.LOCAL_LIMIT, f"no socket could be made for {shown} ({os.strerror(exc.errno)})"
    if exc.errno in _MISSING:
        # The file of a UNIX socket: what listens there has not made it yet, or removed it.
        return Fault.REFUSED, f"{shown} does not exist"
    if exc.errno in _UNREACHABLE or exc.errno == errno.EAFNOSUPPORT:
        return Fault.UNREACHABLE, f"{shown} cannot be reached ({os.strerror(exc.errno)})"
    if exc.errno == errno.ETIMEDOUT:
        return Fault.CONNECT_TIMED_OUT, f"{shown} did not answer"
    if exc.errno == errno.ECONNREFUSED:
        return Fault.REFUSED, f"{shown} refused the connection"
    if exc.errno in (errno.ECONNRESET, errno.ECONNABORTED, errno.EPIPE):
        # Something accepts and drops at once, such as a rule of HAProxy.
        return Fault.CLOSED_IN_HANDSHAKE, f"{shown} accepted the connection and reset it at once"
    return Fault.UNREACHABLE, f"{shown}: {exc.strerror or exc}"


async def _connect_tls(
    target: Target, context: ssl.SSLContext, sock: socket.socket, seen: Observation, deadline: float
) -> Wire:
    loop = asyncio.get_running_loop()
    try:
        _, wire = await asyncio.wait_for(
            loop.create_connection(Wire, sock=sock, ssl=context, server_hostname=target.host.rstrip(".")),
            max(0.001, deadline - loop.time()),
        )
    except asyncio.TimeoutError:
        sock.close()
        raise seen.end(Fault.TLS_STALLED, "the TLS handshake was not finished in time") from None
    except (OSError, ssl.SSLError) as exc:
        sock.close()
        raise seen.end(*tls_fault(exc)) from None
    except BaseException:
        sock.close()
        raise
    seen.tls = tls_facts(wire.transport.get_extra_info("ssl_object"), verified=context.verify_mode is ssl.CERT_REQUIRED)
    return wire
