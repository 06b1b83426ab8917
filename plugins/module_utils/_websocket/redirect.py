# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a redirect says about a WebSocket: its own address elsewhere, or a login page (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urljoin

from .._host.url import parse_url

if TYPE_CHECKING:
    from .target import Target

# Of the page to return to after a login; the first are those of oauth2-proxy, Authelia, Django and Keycloak.
_RETURN_PARAMETERS = re.compile(
    r"rd|next|redirect(?:_?ur[il]|_to)?|return(?:_?url|_?to)?|continue|goto|target|service|callback(?:_?url)?|relaystate",
    re.IGNORECASE,
)
_LOGIN_PATH = re.compile(r"(?:^|[/._-])(?:log-?in|sign-?in|auth|authorize|oauth2?|sso|saml2?|openid|cas)(?:[/._-]|$)")
_WEBSOCKET = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


@dataclass(frozen=True)
class Redirect:
    """Where an answer redirects to.

    :param login: Whether it leads to a login: a return parameter, or a path or host named after one.
    :param same_resource: The same path and query, but for a slash at the end.
    :param to_plain: From TLS to a URL without it.
    :param to_itself: To the very URL that was asked for.
    :param url: The URL to use instead, in the scheme of the transport; None where it is not the same resource.
    """

    location: str
    login: bool
    same_resource: bool
    to_plain: bool
    to_tls: bool
    url: str | None
    to_itself: bool = False


def read_redirect(location: str, target: Target) -> Redirect:
    """Read the Location header of an answer to a request for the target."""
    asked = target.asked_for
    base = f"{'https' if asked.secure else 'http'}://{asked.authority}{target.resource}"
    try:
        there = parse_url(urljoin(base, location), lenient=True)
    except ValueError:
        return Redirect(location, False, False, False, False, None)
    asked_path, _, asked_query = target.resource.partition("?")
    path = there.path or "/"
    same = path.rstrip("/") == asked_path.rstrip("/")
    names = _parameters(there.query[1:]) - _parameters(asked_query)
    login = any(map(_RETURN_PARAMETERS.fullmatch, names)) or (not same and _is_login(there.host, path, asked.host))
    url = None
    if same and not login and there.scheme in _WEBSOCKET:
        instead = _WEBSOCKET[there.scheme] if target.transport == "websocket" else there.scheme
        url = f"{instead}://{replace(there, scheme=instead).authority}{there.path}{there.query}"
    itself = same and (there.secure, there.host, there.port) == (asked.secure, asked.host, asked.port)
    itself = itself and (path, there.query[1:]) == (asked_path, asked_query)
    to_plain, to_tls = asked.secure and not there.secure, not asked.secure and there.secure
    return Redirect(location, login, same, to_plain, to_tls, url, itself)


def _parameters(query: str) -> set[str]:
    return {name for name, _ in parse_qsl(query, keep_blank_values=True)}


def _is_login(host: str, path: str, asked_host: str) -> bool:
    return bool(_LOGIN_PATH.search(path.lower())) or (host != asked_host and bool(_LOGIN_PATH.search(host.lower())))
