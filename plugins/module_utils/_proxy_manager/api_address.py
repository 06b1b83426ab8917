# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The address of the API of Nginx Proxy Manager (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._host.url import Url, UrlError, parse_url

_EXPECTED = "expected one like http://proxy.example.com:81"


@dataclass(frozen=True)
class ApiAddress:
    """Where the API is; ``base`` is the path that all its resources begin with."""

    server: Url
    base: str

    @property
    def host(self) -> str:
        return self.server.host

    @property
    def url(self) -> str:
        """The address as messages and lock files have it: always with its port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.server.scheme}://{host}:{self.server.port}{self.base}"


def parse_api_url(url: str) -> ApiAddress:
    """Read the address of the admin interface, with or without ``/api``.

    :raises ValueError: One sentence on what is wrong; a password in the URL is not repeated.
    """
    if "@" in url:
        raise ValueError(f"O(api_url) contains a user name; {_EXPECTED} and use O(identity) and O(secret)")
    try:
        server = parse_url(url, lenient=True)
    except UrlError as error:
        raise ValueError(f"O(api_url) is {url!r}, but {error}; {_EXPECTED}") from None
    if server.scheme not in ("http", "https"):
        raise ValueError(f"O(api_url) is {url!r}; {_EXPECTED}")
    if server.query or server.fragment:
        raise ValueError(f"O(api_url) is {url!r}; {_EXPECTED}, without anything behind the path")
    return ApiAddress(server, re.sub(r"/api/?$", "", server.path.rstrip("/")) + "/api")
