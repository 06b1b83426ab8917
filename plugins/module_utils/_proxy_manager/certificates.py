# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificate a host gets that is to have one of Let's Encrypt, and why a request for it failed (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

from .._host.url import covers
from .plan import PlanError

#: Nginx Proxy Manager renews 30 days before a certificate expires; one that has less than this was not renewed.
_LATE = timedelta(days=14)
#: The API tells local times without their zone, and a request that goes on as a certificate that expires now.
_SHORTEST = timedelta(days=1)

#: What certbot or the authority names as the cause, and what to do. The first one that is found counts.
_REMEDIES: tuple[tuple[str, str], ...] = (
    (
        r"rateLimited|too many (?:certificates|failed|new orders|registrations|currently pending)",
        "the authority's rate limit is reached: wait as long as it says",
    ),
    (r"e-?mail|contact", "give O(certificate_email), and the account of Nginx Proxy Manager, a valid e-mail address"),
    (r"Another instance of Certbot is already running", "run again once the other request has ended"),
    (
        r"rejectedIdentifier|policy|public suffix|not a FQDN|badly formed|Cannot issue for",
        "the authority does not issue certificates for such a name: select a certificate of your own by O(certificate)",
    ),
    (
        r"Max retries exceeded|NewConnectionError|Name or service not known|Read timed out|Requesting \S+:",
        "Nginx Proxy Manager does not reach the authority: open the way to it",
    ),
    (
        r"challenges? (?:have )?failed|Type: +(?:dns|connection|unauthorized)|NXDOMAIN",
        "a DNS record of each name must lead to Nginx Proxy Manager, and the authority must reach its port 80; the "
        "cause is in letsencrypt.log of Nginx Proxy Manager",
    ),
)


def usable_certificate(
    known: Sequence[Mapping[str, Any]], names: Sequence[str], present: int, now: datetime
) -> Mapping[str, Any] | None:
    """The certificate for all names that lasts for a day: the present one of the host, or that which lasts longest.

    :param known: Certificates as the API returns them.
    :param now: In UTC.
    """
    forever = now + timedelta(days=36500)
    good = [
        each
        for each in known
        if (expires(each) or forever) > now + _SHORTEST
        and all(any(covers(str(mine), name.lower()) for mine in each.get("domain_names") or ()) for name in names)
    ]

    def rank(each: Mapping[str, Any]) -> tuple[bool, bool, datetime]:
        return int(each["id"]) == present, each.get("provider") == "letsencrypt", expires(each) or forever

    return max(good, key=rank, default=None)


def expires(certificate: Mapping[str, Any]) -> datetime | None:
    """When a certificate expires; ``None`` if the API does not tell it."""
    match = re.match(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)", str(certificate.get("expires_on")))
    if match is None:
        return None
    return datetime.fromisoformat(f"{match[1]}T{match[2]}").replace(tzinfo=timezone.utc)


def late_renewal(certificate: Mapping[str, Any], now: datetime) -> str:
    """A sentence on a certificate that should have been renewed; empty if it lasts."""
    end = expires(certificate)
    if end is None or end - now > _LATE:
        return ""
    return (
        f"certificate {certificate['id']} expires at {end:%Y-%m-%d %H:%M}, though Nginx Proxy Manager renews 30 days "
        "before: look into its log"
    )


def require_http_challenge(name: str, names: Sequence[str]) -> None:
    """Refuse names for which an authority needs another proof than an answer at port 80.

    :raises PlanError: If there is one.
    """
    for each in names:
        if each.startswith("*."):
            what = "is a wildcard, for which Let's Encrypt needs a DNS challenge"
        elif ":" in each or re.fullmatch(r"[0-9.]+", each):
            what = "is an address, for which Let's Encrypt issues no such certificate"
        else:
            continue
        raise PlanError(
            f"proxy host {name}: {each} {what}; create the certificate on the page of Nginx Proxy Manager, and select "
            "it by O(certificate)"
        )


def request_remedy(error: str) -> str:
    """What to do about a request that failed."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, error, re.IGNORECASE):
            return remedy
    return "the cause is in the log of Nginx Proxy Manager"
