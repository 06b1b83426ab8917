# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a host name to a connection with TLS: resolve, connect, shake hands; each timed."""

from __future__ import annotations

import asyncio
import datetime
import errno
import ipaddress
import os
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any

from .certificate import (
    CertificateError,
    parse_certificate,
)
from .observation import Fault, Observation, Tls
from .wire import Wire

if TYPE_CHECKING:
    from .target import Target

# X509_V_ERR_* of OpenSSL.
_NOT_YET_VALID, _EXPIRED, _NAME_MISMATCH, _ADDRESS_MISMATCH = 9, 10, 62, 64
_UNREACHABLE = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM)
_LOCAL_LIMITS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_Address = tuple[int, Any]


async def connect(target: Target, context: ssl.SSLContext | None, seen: Observation, deadline: float) -> Wire:
    """Connect to an endpoint and record phases, addresses and TLS.

    :raises EndedError: Without a connection; the observation holds the fault.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    addresses = await _resolve(target, seen, deadline)
    seen.phases["resolve"] = loop.time() - began
    began = loop.time()
    sock = await _connect_tcp(addresses, seen, deadline)
    seen.phases["tcp"] = loop.time() - began
    if context is None:
        _, wire = await loop.create_connection(Wire, sock=sock)
        return wire
    began = loop.time()
    wire = await _connect_tls(target, context, sock, seen, deadline)
    seen.phases["tls"] = loop.time() - began
    return wire


def loopback_addresses(host: str, port: int) -> list[_Address] | None:
    """The loopback addresses for ``localhost`` and names below it (RFC 6761, section 6.3)."""
    name = host.rstrip(".").lower()
    if name != "localhost" and not name.endswith(".localhost"):
        return None
    return [(socket.AF_INET, ("127.0.0.1", port)), (socket.AF_INET6, ("::1", port, 0, 0))]


async def _resolve(target: Target, seen: Observation, deadline: float) -> list[_Address]:
    host, port = target.connect_host, target.connect_port
    local = loopback_addresses(host, port)
    if local is not None:
        return local
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        pass
    else:
        return [(socket.AF_INET, (host, port)) if ip.version == 4 else (socket.AF_INET6, (host, port, 0, 0))]
    try:
        found = await _ask_resolver(host, port, deadline)
    except asyncio.TimeoutError:
        raise seen.end(Fault.NAME_TIMED_OUT, f"{host} was not resolved in time") from None
    except OSError as exc:
        raise seen.end(Fault.NAME_NOT_RESOLVED, f"{host}: {exc.strerror or exc}") from None
    return [(int(family), address) for family, _, _, _, address in found]


async def _ask_resolver(host: str, port: int, deadline: float) -> list[Any]:
    """Resolve in a thread of our own.

    The loop's executor is waited for when the loop ends, and it has few threads; a
    hanging resolver must delay neither the end nor the other endpoints.
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
            # The loop has ended; nobody waits any more.
            return

    threading.Thread(target=work, daemon=True, name="resolve").start()
    return await asyncio.wait_for(result, max(0.001, deadline - loop.time()))


async def _connect_tcp(addresses: list[_Address], seen: Observation, deadline: float) -> socket.socket:
    """Try the addresses in order, each with its share of the time that is left."""
    loop = asyncio.get_running_loop()
    faults: list[tuple[Fault, str]] = []
    for index, (family, address) in enumerate(addresses):
        shown = f"[{address[0]}]:{address[1]}" if family == socket.AF_INET6 else f"{address[0]}:{address[1]}"
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
    seen.attempts = [text for _, text in faults]
    # A time-out outweighs a refusal, since something drops packets there; no route weighs least.
    order = (Fault.LOCAL_LIMIT, Fault.CONNECT_TIMED_OUT, Fault.REFUSED, Fault.UNREACHABLE)
    faults.sort(key=lambda item: order.index(item[0]))
    fault, text = faults[0] if faults else (Fault.CONNECT_TIMED_OUT, "no time was left to connect")
    raise seen.end(fault, text)


def _tcp_fault(exc: OSError, shown: str) -> tuple[Fault, str]:
    if exc.errno in _LOCAL_LIMITS:
        return Fault.LOCAL_LIMIT, f"no socket could be made for {shown} ({os.strerror(exc.errno)})"
    if exc.errno in _UNREACHABLE or exc.errno == errno.EAFNOSUPPORT:
        return Fault.UNREACHABLE, f"{shown} cannot be reached ({os.strerror(exc.errno)})"
    if exc.errno == errno.ETIMEDOUT:
        return Fault.CONNECT_TIMED_OUT, f"{shown} did not answer"
    if exc.errno == errno.ECONNREFUSED:
        return Fault.REFUSED, f"{shown} refused the connection"
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


def tls_fault(exc: Exception) -> tuple[Fault, str]:
    """Tell by OpenSSL's own codes why a TLS handshake failed."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        kind = {
            _EXPIRED: Fault.TLS_EXPIRED,
            _NOT_YET_VALID: Fault.TLS_NOT_YET_VALID,
            _NAME_MISMATCH: Fault.TLS_NAME_MISMATCH,
            _ADDRESS_MISMATCH: Fault.TLS_NAME_MISMATCH,
        }.get(exc.verify_code, Fault.TLS_UNTRUSTED)
        return kind, str(exc.verify_message)
    if isinstance(exc, ssl.SSLError):
        reason = exc.reason or ""
        # OpenSSL 1.1 and 3.0 say the first two, 3.2 and later the others.
        if reason in (
            "WRONG_VERSION_NUMBER",
            "HTTP_REQUEST",
            "RECORD_LAYER_FAILURE",
            "PACKET_LENGTH_TOO_LONG",
            "UNKNOWN_PROTOCOL",
        ):
            return Fault.TLS_NOT_SPOKEN, "the answer to the TLS handshake is no TLS"
        # Alerts of the peer about the certificate that we sent, or did not send.
        if any(alert in reason for alert in ("CERTIFICATE_REQUIRED", "BAD_CERTIFICATE", "ALERT_UNKNOWN_CA")):
            return Fault.TLS_CLIENT_CERTIFICATE, reason.lower().replace("_", " ")
        if isinstance(exc, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return Fault.TLS_FAILED, "the server closed the connection during the TLS handshake"
        return Fault.TLS_FAILED, reason.lower().replace("_", " ") or str(exc)
    if isinstance(exc, ConnectionError):
        return Fault.TLS_FAILED, "the server closed the connection during the TLS handshake"
    return Fault.TLS_FAILED, str(exc)


def tls_facts(connection: Any, verified: bool) -> Tls:
    """Describe a finished TLS handshake; what cannot be read is None."""
    cipher = connection.cipher()
    try:
        der = connection.getpeercert(binary_form=True)
    except ValueError:
        # The server has ended the connection already; the next read tells how.
        der = None
    subject = issuer = not_after = None
    names: tuple[str, ...] = ()
    days: int | None = None
    if der:
        try:
            certificate = parse_certificate(der)
        except CertificateError:
            pass
        else:
            subject, issuer, names = certificate.subject, certificate.issuer, certificate.names
            not_after = certificate.not_after.isoformat()
            days = certificate.expires_in_days(datetime.datetime.now(datetime.timezone.utc))
    return Tls(
        version=connection.version(),
        cipher=cipher[0] if cipher else None,
        subject=subject,
        issuer=issuer,
        names=names,
        not_after=not_after,
        expires_in_days=days,
        verified=verified,
    )
