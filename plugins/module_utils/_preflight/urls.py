# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The public URLs: each by itself, against one another, and the origins that the API accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._host.url import (
    BROWSER_REFUSED_PORTS,
    DEFAULT_PORTS,
    Url,
    UrlError,
    check_origin,
    covers,
    is_internal,
    is_loopback,
    parse_url,
)
from .paths import is_plain_path
from .variables import API, PAGE, WS, DeploymentInputs

_CORS = "staging_cors_origins"
_HTTP, _WEBSOCKET = ("http", "https"), ("ws", "wss")


@dataclass(frozen=True)
class PublicUrls:
    """The public URLs that are valid; None for one that is not set or has a finding."""

    page: Url | None
    api: Url | None
    ws: Url | None

    @property
    def named(self) -> list[tuple[str, Url]]:
        """The valid ones with their variables."""
        named = ((PAGE, self.page), (API, self.api), (WS, self.ws))
        return [(variable, url) for variable, url in named if url is not None]

    def served(self, inputs: DeploymentInputs) -> list[tuple[str, Url]]:
        """Those that the proxy serves."""
        return [(variable, url) for variable, url in self.named if variable != PAGE or inputs.proxies_page]


def check_urls(inputs: DeploymentInputs) -> PublicUrls:
    """Each public URL by itself."""
    _check_required(inputs, PAGE, "the URL under which users open the page", "https://app.example.com")
    page, api = _url(inputs, PAGE, _HTTP), _url(inputs, API, _HTTP)
    _check_required(inputs, WS, "the URL at which the page opens its WebSocket", "wss://api.example.com/ws")
    urls = PublicUrls(page, api, _url(inputs, WS, _WEBSOCKET))
    if urls.ws is not None and urls.ws.path == "" and not inputs.get("staging_websocket_paths"):
        inputs.add(
            "websocket-path-missing",
            WS,
            "a path after the host name",
            "add the path of the endpoint, for example /ws",
        )
    return urls


def _check_required(inputs: DeploymentInputs, variable: str, expected: str, example: str) -> None:
    if inputs.get(variable) is None:
        inputs.add("missing", variable, expected, f"set {variable}, for example to {example}")


def _url(inputs: DeploymentInputs, variable: str, schemes: tuple[str, str]) -> Url | None:
    text = inputs.line(variable)
    if text is None:
        return None
    try:
        url = parse_url(text)
    except UrlError as error:
        example = f"{schemes[0]}://host.example.com{'/ws' if schemes is _WEBSOCKET else ''}"
        inputs.add("url", variable, "a plain absolute URL", f"write it as {example}", found=str(error))
        return None
    if url.scheme not in schemes:
        inputs.add(
            "scheme",
            variable,
            f"a URL that starts with {schemes[0]}:// or {schemes[1]}://",
            _with_right_scheme(url, schemes),
        )
        return None
    if url.query or url.fragment:
        inputs.add(
            "url",
            variable,
            "a URL that ends with its path",
            f"remove {url.query}{url.fragment}",
            found=f"it has a {'query' if url.query else 'fragment'}",
        )
        return None
    if "//" in url.path:
        inputs.add("url", variable, "a path without empty parts", "write // in the path as /")
        return None
    if not is_plain_path(url.path):
        inputs.add(
            "url",
            variable,
            "a path of letters, digits and . _ ~ + , = : @ / - only, without . and .. as parts",
            "choose another path",
            found="the configuration of the proxy cannot contain its path",
        )
        return None
    # Socket.IO and Django route WebSockets by paths that end with a slash.
    if url.path.endswith("/") and schemes is not _WEBSOCKET:
        inputs.add(
            "trailing-slash",
            variable,
            "no slash at the end, because paths are appended to it",
            f"write {text.rstrip('/')}",
        )
    return url


def _with_right_scheme(url: Url, schemes: tuple[str, str]) -> str:
    if url.scheme not in DEFAULT_PORTS:
        return f"write {schemes[0]}:// or {schemes[1]}://"
    scheme = schemes[1] if url.secure else schemes[0]
    port = f":{url.explicit_port}" if url.explicit_port else ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"write {scheme}://{host}{port}{url.path}"


def check_schemes(inputs: DeploymentInputs, urls: PublicUrls) -> None:
    """What a browser does with the schemes of page, API and WebSocket together."""
    if urls.page is not None and urls.page.secure:
        for variable, url, scheme in ((WS, urls.ws, "wss"), (API, urls.api, "https")):
            if url is not None and not url.secure:
                inputs.add(
                    "mixed-content",
                    variable,
                    f"a URL that starts with {scheme}://",
                    f"write {scheme}://{url.authority}{url.path}, or serve the page over http://",
                    found=f"from a page of https:// ({urls.page.origin}) browsers refuse {url.scheme}://",
                )
    for variable, url in urls.named:
        if url.explicit_port == (80 if url.secure else 443):
            inputs.add(
                "scheme-port",
                variable,
                "a port that fits the scheme",
                "leave the port out, or write the other scheme",
                found=f"port {url.port} is that of {'plain HTTP' if url.port == 80 else 'TLS'}",
            )


def check_hosts(inputs: DeploymentInputs, urls: PublicUrls) -> None:
    """Whether users reach the hosts of the URLs, and whether proxy and certificate have their names."""
    internal: set[str] = set()
    for variable, url in urls.named:
        if is_loopback(url.host):
            if not inputs.allows_loopback:
                inputs.add(
                    "loopback",
                    variable,
                    "a name under which users reach the host",
                    "write that name, or set staging_allow_loopback: true for a demo on one machine",
                    found=f"{url.host} is each user's own machine",
                )
        elif is_internal(url.host) and url.host not in internal:
            internal.add(url.host)
            inputs.add(
                "name-internal",
                variable,
                "a public name",
                "make sure that all users are in that network, or write a public name",
                found=f"{url.host} is known in one network only",
            )
        if url.port in BROWSER_REFUSED_PORTS:
            inputs.add(
                "port-refused-by-browsers",
                variable,
                "a port that browsers open",
                "choose another port",
                found=f"browsers refuse port {url.port}",
            )
    served = urls.served(inputs)
    secure = [(variable, url) for variable, url in served if url.secure]
    _check_names(inputs, served, "server-name", "staging_proxy_server_names", "a host that the proxy serves")
    _check_names(inputs, secure, "certificate-name", "staging_tls_names", "a host that the certificate names")


def _check_names(
    inputs: DeploymentInputs, urls: Sequence[tuple[str, Url]], name: str, variable: str, expected: str
) -> None:
    """Whether the names that the user knows of a proxy or certificate include the hosts of the URLs."""
    names = inputs.texts(variable)
    for url_variable, url in urls if names else ():
        if not any(covers(entry, url.host) for entry in names):
            inputs.add(
                name,
                url_variable,
                expected,
                f"add {url.host} to {variable}, or change the URL",
                found=f"{variable} does not contain its host",
            )


def check_cors(inputs: DeploymentInputs, urls: PublicUrls) -> None:
    """The origins that the API accepts."""
    origins = inputs.get(_CORS)
    if origins is None:
        return
    if not isinstance(origins, list):
        inputs.add("type", _CORS, "a list of origins", f"write [{origins}]")
        return
    valid = []
    for index, origin in enumerate(origins):
        if origin == "*":
            valid.append(origin)
            inputs.add(
                "cors-wildcard",
                (_CORS, index),
                "the origin of the page",
                f"write {urls.page.origin if urls.page else 'the origin of the page'}",
                found="every page on the web may call the API then",
            )
            continue
        try:
            valid.append(check_origin(origin if isinstance(origin, str) else ""))
        except UrlError as error:
            inputs.add(
                "cors-origin",
                (_CORS, index),
                "an origin as a browser sends it",
                f"write it as {_origin_of(origin)}",
                found=str(error),
            )
    page = urls.page
    if page is None or len(valid) != len(origins) or "*" in valid or page.origin in valid:
        return
    crossing = [name for name, url in ((API, urls.api), (WS, urls.ws)) if url and url.origin != page.origin]
    if crossing:
        has = "has another origin" if len(crossing) == 1 else "have other origins"
        inputs.add(
            "cors-page-missing",
            _CORS,
            "the page's origin in this list",
            f"add {page.origin}",
            found=f"{' and '.join(crossing)} {has} than the page",
        )
    if urls.api and urls.ws and urls.api.host != urls.ws.host:
        inputs.add(
            "hosts-of-api-and-websocket-differ",
            WS,
            "the same host for both",
            "use one host, or make sure that the backend accepts the page's origin on both",
            found=f"the host of {API} is {urls.api.host}, and {_CORS} does not contain the page's origin",
        )


def _origin_of(text: Any) -> str:
    try:
        return parse_url(str(text)).origin
    except UrlError:
        return "https://host.example.com"
