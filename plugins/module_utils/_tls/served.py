# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server presents over TLS: its certificate, and the versions of the protocol that it accepts."""

from __future__ import annotations

import contextlib
import ssl
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from .._host import sockets

#: From the oldest one that a server can still accept.
VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
#: Those that browsers have given up (RFC 8996).
OBSOLETE = ("TLSv1", "TLSv1.1")
_CONNECTION_S = 5.0


@dataclass(frozen=True)
class Served:
    """What was seen.

    :param der: The certificate; empty if there was no handshake.
    :param versions: The versions that were accepted, in the order of :data:`VERSIONS`.
    :param problem: Why there was no handshake, as a clause; empty if there was one.
    """

    der: bytes = b""
    versions: tuple[str, ...] = ()
    problem: str = ""


def look(address: str, port: int, name: str) -> Served:
    """Connect with each version of TLS; nothing is verified, since what is served is compared with what is on the disk.

    :param name: Server name that is asked for; one that is an address is not sent (RFC 6066, section 3).
    """
    der, accepted, problem = b"", [], ""
    for label, version in VERSIONS.items():
        try:
            found = _handshake(address, port, name, version)
        except (OSError, ValueError) as error:
            problem = _cause(error)
        else:
            der = found or der
            accepted.append(label)
    return Served(der, tuple(accepted), "" if accepted else problem)


def _handshake(address: str, port: int, name: str, version: ssl.TLSVersion) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with _obsolete_versions_allowed():
        # OpenSSL itself offers obsolete versions on its lowest level of security alone.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = version
        context.maximum_version = version
    deadline = time.monotonic() + _CONNECTION_S
    with contextlib.closing(sockets.connect(address, port, deadline)) as plain:
        wrapped = context.wrap_socket(plain, server_hostname=name)
        with contextlib.closing(wrapped):
            return wrapped.getpeercert(binary_form=True) or b""


@contextlib.contextmanager
def _obsolete_versions_allowed() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def _cause(error: Exception) -> str:
    reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
    return str(reason).replace("_", " ").lower()
