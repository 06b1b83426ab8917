# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why certbot must order a certificate, what it is told, and why it failed (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from .._host.url import covers
from .pair import Pair
from .renewal import Renewal

#: The directory that is asked unless another one is given.
LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"
#: Certificates that this collection orders have names that begin with it.
PREFIX = "codeframe-staging-"
#: certbot renews in the last third of a certificate's life. One that is this old was missed by the timer.
_LATE = 6

#: What the authority or certbot names as the cause, and what to do. The first one that is found counts.
_CAUSES: tuple[tuple[str, str, str], ...] = (
    (
        r"rateLimited|too many (?:certificates|failed|new orders|registrations|currently pending)|\b429\b",
        "the authority's rate limit is reached",
        "wait as long as it says, and try with the authority's test server (staging_acme_directory) meanwhile",
    ),
    (
        r"NXDOMAIN|SERVFAIL|no valid A records|DNS problem|Type: +dns|no such host|could not resolve URL",
        "the authority finds no address of {names}",
        "create the DNS record, or use staging_tls: private_ca for a name of one network",
    ),
    (
        r"Type: +caa|CAA record",
        "a CAA record of the domain of {names} forbids this authority",
        "add the authority to the record",
    ),
    (
        r"Type: +connection|Timeout during connect|no route to host",
        "the authority cannot connect to port 80 of {names}",
        "let the DNS record point to this host, and open port 80 to it",
    ),
    (
        r"Type: +(?:unauthorized|incorrectResponse)|Invalid response from|was not a match",
        "{names} leads to another server, whose answer to the challenge is not that of this host",
        "let the DNS record point to this host, its IPv6 record too",
    ),
    (
        r"rejectedIdentifier|forbidden by policy|policy forbids|does not end with a valid public suffix|not a FQDN"
        r"|badly formed|Cannot issue for|not supported",
        "the authority does not issue certificates for such a name",
        "use staging_tls: private_ca for a name of one network",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        "the certificate of the authority's own server is not trusted",
        "name a file with its authority by staging_acme_ca_path",
    ),
    (
        r"Max retries exceeded|Failed to establish a new connection|NewConnectionError|Requesting \S+:"
        r"|Name or service not known|Read timed out",
        "the authority's server cannot be reached from this host",
        "correct staging_acme_directory, or open the way to it",
    ),
    (
        r"acme\.errors\.ClientError: <Response|DeserializationError|JSONDecodeError",
        "the address of the authority is not that of an ACME directory",
        "correct staging_acme_directory",
    ),
    (
        r"externalAccountRequired|External Account Binding",
        "the authority requires an account that is created on its website",
        "register with certbot on the host once, with its --eab-kid and --eab-hmac-key",
    ),
    (
        r"invalidContact|invalid email|contact email|Unable to register an account",
        "the authority does not accept the address of the account",
        "correct staging_acme_email",
    ),
    (r"Another instance of Certbot is already running", "another certbot runs", "run the deployment again later"),
)


@dataclass(frozen=True)
class Lineage:
    """A certificate that certbot renews.

    :param name: Its name, which is that of its directory.
    """

    name: str
    pair: Pair
    renewal: Renewal = field(default_factory=Renewal)


@dataclass(frozen=True)
class Wanted:
    """The certificate that a site needs.

    :param name: Name under which it is ordered.
    :param directory: URL of the authority; empty for certbot's own.
    :param webroot: Directory from which the site answers challenges.
    :param by_nginx_plugin: Whether the plugin of certbot for nginx lets unmanaged sites answer them instead.
    """

    name: str
    names: tuple[str, ...]
    webroot: str
    directory: str = ""
    email: str = ""
    by_nginx_plugin: bool = False

    @property
    def server(self) -> str:
        return self.directory or LETS_ENCRYPT


def choose(lineages: Sequence[Lineage], wanted: Wanted, now: datetime) -> Lineage | None:
    """The lineage to use: the one that was ordered for it, otherwise any other that is good for all names."""
    own = next((each for each in lineages if each.name == wanted.name), None)
    if own is not None and not reasons_to_order(own, wanted, now):
        return own
    others = [each for each in lineages if each.name != wanted.name and not reasons_to_order(each, wanted, now)]
    return others[0] if others else own


def reasons_to_order(chosen: Lineage | None, wanted: Wanted, now: datetime) -> tuple[str, ...]:
    """Why a certificate must be ordered; empty if there is a good one."""
    if chosen is None:
        return ("there is none yet",)
    leaf = chosen.pair.leaf
    if chosen.pair.problem or leaf is None:
        return (chosen.pair.problem or "it cannot be read",)
    found = []
    missing = [name for name in wanted.names if not any(covers(each, name) for each in leaf.names)]
    if missing:
        found.append(f"it does not name {', '.join(missing)}")
    if leaf.not_after <= now:
        found.append("it has expired")
    elif leaf.not_before > now:
        found.append("it is not valid yet")
    if not _is_wanted_authority(chosen, wanted):
        found.append(f"it is of {chosen.renewal.server or 'an unknown authority'}, not of {wanted.server}")
    return tuple(found)


def _is_wanted_authority(lineage: Lineage, wanted: Wanted) -> bool:
    if wanted.directory or lineage.name == wanted.name:
        return lineage.renewal.server == wanted.server
    # Whichever public authority the user has chosen, but none for tests.
    return "staging" not in lineage.renewal.server


def is_late(lineage: Lineage, now: datetime) -> bool:
    """Whether a certificate should have been renewed by now."""
    leaf = lineage.pair.leaf
    return leaf is not None and leaf.not_after - now < (leaf.not_after - leaf.not_before) / _LATE


def order_arguments(wanted: Wanted) -> list[str]:
    """The arguments of certbot for an order."""
    return [
        "certonly",
        "--non-interactive",
        "--agree-tos",
        *(["--email", wanted.email, "--no-eff-email"] if wanted.email else ["--register-unsafely-without-email"]),
        "--server",
        wanted.server,
        *(["--nginx"] if wanted.by_nginx_plugin else ["--webroot", "--webroot-path", wanted.webroot]),
        "--cert-name",
        wanted.name,
        "--renew-with-new-domains",
        # That one is required is known already: certbot would keep one of another authority until it expires.
        "--force-renewal",
        *(part for name in wanted.names for part in ("--domain", name)),
    ]


def renewal_arguments(lineage: Lineage, *, test: bool) -> list[str]:
    """The arguments of certbot for a renewal, or for one that is only tested."""
    server = lineage.renewal.server
    return [
        "renew",
        "--non-interactive",
        "--no-random-sleep-on-renew",
        "--cert-name",
        lineage.name,
        *(["--dry-run"] if test else ["--force-renewal"]),
        # For a test, certbot asks the test server of Let's Encrypt, whatever authority has issued the certificate.
        *(["--server", server] if test and server not in ("", LETS_ENCRYPT) else []),
    ]


def explain(output: str) -> str:
    """What failed and what to do, from the output of certbot."""
    detail = _detail(output)
    failed = dict.fromkeys(re.findall(r"^\s*(?:Domain|Identifier): *([\w.*:-]+)", output, re.MULTILINE))
    for pattern, cause, remedy in _CAUSES:
        if re.search(pattern, output):
            named = cause.format(names=", ".join(failed) or "a name")
            return f"{named}{f' ({detail})' if detail else ''}; {remedy}"
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    shown = _printable(detail or (lines[-1] if lines else "without a word"))
    return f"certbot failed ({shown}); see its log in /var/log/letsencrypt"


def _detail(output: str) -> str:
    """The sentence of the authority, or of certbot, in one line of printable characters."""
    for pattern in (
        r"^\s*Detail: *(.+)$",
        r"^An unexpected error occurred:\n(.+)$",
        r"^.*with error: (.+)$",
        r"^.*:: (.+)$",
    ):
        if found := re.search(pattern, output, re.MULTILINE):
            return _printable(found[1])
    return ""


def _printable(text: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "?", text)[:300].rstrip(" .")
