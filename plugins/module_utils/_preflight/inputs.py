# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the inputs of a deployment fit together, judged from the inputs alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._dotenv.entries import (
    ALPHABETS,
    LONGEST_SECRET,
    SHORTEST_SECRET,
    RefusedError,
    check_key,
    encode,
    is_placeholder,
)
from .._dotenv.readers import READERS
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
from .finding import Finding, Shown, finding
from .kinds import KINDS, judge_kinds, judge_names

PAGE = "staging_public_url"
API = "staging_public_api_url"
WS = "staging_public_ws_url"
BACKEND_PORT = "staging_backend_port"
FRONTEND_PORT = "staging_frontend_port"
GREEN_PORT = "staging_backend_green_port"
PROXY_PORT = "staging_proxy_port"
TLS_BEFORE = "staging_tls_before_proxy"
WS_PATHS = "staging_websocket_paths"
API_PATHS = "staging_api_paths"
_OF = {PAGE: "a page's", API: "an API's", WS: "a WebSocket's"}
#: As in the roles backend and frontend.
DEFAULT_OWN_PORTS = {BACKEND_PORT: 14200, FRONTEND_PORT: 14100, GREEN_PORT: 14201}
#: Seconds of silence after which the proxy cuts a connection by default; a hold that is not longer cannot see it.
IDLE_CUT_S = {"nginx": 60, "nginx_proxy_manager": 90, "manual": 90}
_LONGEST_HOLD_S = 86400
#: What Next.js and Vite put into the page.
_PUBLIC_PREFIXES = ("NEXT_PUBLIC_", "VITE_")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: As the role proxy takes the name of its site.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\$?\Z")
_GIT_URL = re.compile(r"(?:(?:https?|ssh|git|file)://[^\s]+|[\w.-]+@[\w.-]+:[^\s]+|/[^\s]+)\Z")
#: As nginx compares paths: decoded, without empty parts and dots.
_PATH = re.compile(r"(/(?!\.\.?(/|\Z))[A-Za-z0-9._~+,=:@-]+)*/?\Z")
_SYSTEM_DIRS = frozenset(
    (
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/lib64",
        "/media",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/srv",
        "/sys",
        "/tmp",  # noqa: S108 (a path that is judged, not used)
        "/usr",
        "/usr/local",
        "/var",
        "/var/lib",
        "/var/log",
        "/var/www",
    )
)


class Inputs:
    """The variables of a deployment, by the names under which the user sets them."""

    def __init__(self, given: Mapping[str, Any], readers: Sequence[str] = READERS) -> None:
        self.given = given
        chosen = [name for name in self.texts("staging_env_readers") if name in READERS]
        self.readers = tuple(chosen or readers)
        self.findings: list[Finding] = []
        self.page: Url | None = None
        self.api: Url | None = None
        self.ws: Url | None = None
        self.ports: dict[str, int] = {}
        self.routes: list[str] = []

    def get(self, name: str) -> Any:
        """The value of a variable, or None if it is not set."""
        value = self.given.get(name)
        return None if isinstance(value, str) and value == "" else value

    def add(self, name: str, variable: str, value: Any, expected: str, remedy: str) -> None:
        self.findings.append(finding(name, variable, value, expected, remedy))

    @property
    def provider(self) -> str:
        value = self.get("staging_proxy_provider")
        return value if value in KINDS["staging_proxy_provider"].choices else "nginx"

    @property
    def proxies_page(self) -> bool:
        return self.get("staging_proxy_page") is not False

    @property
    def blue_green(self) -> bool:
        return bool(self.get("staging_backend_switch") == "blue_green")

    @property
    def allows_loopback(self) -> bool:
        return self.get("staging_allow_loopback") is True

    def texts(self, variable: str) -> list[str]:
        """The entries of a list, or nothing where it is none."""
        value = self.get(variable)
        return [str(entry) for entry in value] if isinstance(value, list) else []

    def line(self, variable: str, *, required: str = "") -> str | None:
        """A text of one line, or None with a finding where that is due."""
        value = self.get(variable)
        if value is None:
            if required:
                self.add("missing", variable, None, required, f"set {variable}")
            return None
        if not isinstance(value, str):
            self.add("type", variable, value, "a text is expected", "put it in quotes")
            return None
        if _CONTROL.search(value):
            self.add("one-line", variable, value, "one line without control characters is expected", "remove them")
            return None
        if value != value.strip():
            self.add("spaces", variable, value, "no space is expected at its ends", "remove it")
            return None
        return value


def check_inputs(given: Mapping[str, Any], readers: Sequence[str] = READERS) -> list[Finding]:
    """Every finding on the inputs, in the order in which a reader would look for them.

    :param given: The variables by the names the user sets; unknown names are ignored, unset ones may be left out.
    :param readers: The programs that read the env file.
    """
    inputs = Inputs(given, readers)
    checks: tuple[Callable[[Inputs], None], ...] = (
        _check_choices,
        _check_urls,
        _check_ports,
        _check_routes,
        _check_schemes,
        _check_hosts,
        _check_listeners,
        _check_certificate,
        _check_cors,
        _check_paths,
        _check_commands,
        _check_app_name,
        _check_user,
        _check_source,
        _check_env,
        _check_public_env,
        _check_hold,
    )
    for check in checks:
        check(inputs)
    judged = frozenset(item.variable for item in inputs.findings)
    return [*inputs.findings, *judge_kinds(given, judged), *judge_names(given)]


def _check_choices(inputs: Inputs) -> None:
    if inputs.blue_green and inputs.provider != "nginx":
        inputs.add(
            "blue-green-without-nginx",
            "staging_backend_switch",
            "blue_green",
            f"staging_proxy_provider is {inputs.provider}, and only nginx on the same host can be switched from one "
            "instance to the other",
            "write restart",
        )
    for variable in ("staging_proxy_page", "staging_allow_loopback"):
        value = inputs.get(variable)
        if value is not None and not isinstance(value, bool):
            inputs.add("type", variable, value, "true or false is expected", "write true or false without quotes")


# URLs, each for itself


def _check_urls(inputs: Inputs) -> None:
    inputs.page = _url(inputs, PAGE, ("http", "https"), "the URL under which users open the page is needed")
    inputs.api = _url(inputs, API, ("http", "https"), "")
    inputs.ws = _url(inputs, WS, ("ws", "wss"), "the URL that the page opens its WebSocket to is needed")
    if inputs.ws is not None and inputs.ws.path in {"", "/"}:
        routed = inputs.get("staging_websocket_paths")
        if inputs.ws.path == "" and not routed:
            inputs.add(
                "websocket-path-missing",
                WS,
                inputs.get(WS),
                "a path is expected behind the host name",
                "add the path of the endpoint, such as /ws",
            )


def _url(inputs: Inputs, variable: str, schemes: tuple[str, str], required: str) -> Url | None:
    text = inputs.line(variable, required=required)
    if text is None:
        return None
    try:
        url = parse_url(text)
    except UrlError as error:
        inputs.add("url", variable, text, str(error), f"write it as {schemes[0]}://host.example.com{_example(schemes)}")
        return None
    if url.scheme not in schemes:
        inputs.add(
            "scheme",
            variable,
            text,
            f"{_OF[variable]} URL starts with {schemes[0]}:// or {schemes[1]}://",
            _right(url, schemes),
        )
        return None
    if url.query or url.fragment:
        inputs.add("url", variable, text, "it ends behind its path", "remove the part from ? or # on")
        return None
    if "//" in url.path:
        inputs.add("url", variable, text, "its path has no empty parts", "write // behind the host as one /")
        return None
    if not _is_plain_path(url.path):
        inputs.add(
            "url",
            variable,
            text,
            "its path holds letters, digits and . _ ~ + , = : @ / - only, and no part that is . or .., since the "
            "configuration of the proxy holds it as nginx compares it",
            "choose another path",
        )
        return None
    if url.path.endswith("/") and not (url.path == "/" and url.scheme in {"ws", "wss"}):
        inputs.add(
            "trailing-slash",
            variable,
            text,
            "no slash is expected at its end, since what is appended to it starts with one",
            f"write {text.rstrip('/')}",
        )
    return url


def _example(schemes: tuple[str, str]) -> str:
    return "/ws" if schemes[0] == "ws" else ""


def _right(url: Url, schemes: tuple[str, str]) -> str:
    if url.scheme not in DEFAULT_PORTS:
        return f"write {schemes[0]}:// or {schemes[1]}://"
    scheme = schemes[1] if url.secure else schemes[0]
    port = f":{url.explicit_port}" if url.explicit_port else ""
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"write {scheme}://{host}{port}{url.path}"


# URLs against each other


def _check_schemes(inputs: Inputs) -> None:
    if inputs.page is not None and inputs.page.secure:
        for variable, url, scheme in ((WS, inputs.ws, "wss"), (API, inputs.api, "https")):
            if url is not None and not url.secure:
                inputs.add(
                    "mixed-content",
                    variable,
                    inputs.get(variable),
                    f"a browser lets a page of https:// ({inputs.page.origin}) connect to {scheme}:// only",
                    f"write {scheme}://{url.authority}{url.path}, or serve the page with http://",
                )
    for variable, url in _public(inputs):
        wrong = {80: True, 443: False}.get(url.explicit_port or 0)
        if wrong is url.secure and wrong is not None:
            inputs.add(
                "scheme-port",
                variable,
                inputs.get(variable),
                f"port {url.port} speaks {'plain HTTP' if url.port == 80 else 'TLS'}",
                "leave the port out, or write the other scheme",
            )


def _public(inputs: Inputs) -> list[tuple[str, Url]]:
    named = ((PAGE, inputs.page), (API, inputs.api), (WS, inputs.ws))
    return [(variable, url) for variable, url in named if url is not None]


def _check_hosts(inputs: Inputs) -> None:
    internal: set[str] = set()
    for variable, url in _public(inputs):
        value = inputs.get(variable)
        if is_loopback(url.host):
            if not inputs.allows_loopback:
                inputs.add(
                    "loopback",
                    variable,
                    value,
                    f"{url.host} is every user's own machine, never this host",
                    "write the name under which users reach the host (staging_allow_loopback: true for a demo)",
                )
        elif is_internal(url.host) and url.host not in internal:
            internal.add(url.host)
            inputs.add(
                "name-internal",
                variable,
                value,
                f"{url.host} is known inside one network only",
                "make sure that every user is inside it, or write a public name",
            )
        if url.port in BROWSER_REFUSED_PORTS:
            inputs.add(
                "port-refused-by-browsers",
                variable,
                value,
                f"browsers refuse to open port {url.port}",
                "choose another port",
            )
    served = [(variable, url) for variable, url in _public(inputs) if variable != PAGE or inputs.proxies_page]
    _check_names(inputs, served, "server-name", "staging_proxy_server_names", "a server name of the proxy")
    secure = [(variable, url) for variable, url in served if url.secure]
    _check_names(inputs, secure, "certificate-name", "staging_tls_names", "a name of the certificate")


def _check_names(inputs: Inputs, urls: Sequence[tuple[str, Url]], name: str, variable: str, what: str) -> None:
    """Whether what is known of a proxy's names holds the hosts of the URLs that it serves."""
    names = inputs.get(variable)
    if names is not None and not isinstance(names, list):
        inputs.add("type", variable, names, "a list of names is expected", f"write [{names}]")
    for url_variable, url in urls if inputs.texts(variable) else ():
        if not any(covers(entry, url.host) for entry in inputs.texts(variable)):
            inputs.add(
                name,
                url_variable,
                inputs.get(url_variable),
                f"its host is expected to be {what} ({variable})",
                f"add {url.host} there, or change the URL",
            )


# Ports


def _tls_ends_before(given: Mapping[str, Any]) -> bool:
    """Whether nginx is asked without TLS; on a command line, the truth is a text."""
    return str(given.get(TLS_BEFORE)).lower() in ("true", "yes", "on", "1")


def port_at_proxy(given: Mapping[str, Any], url: Url) -> int:
    """The port at which nginx takes requests for a public URL: as the role proxy writes it."""
    if _is_port(given.get(PROXY_PORT)):
        return int(given[PROXY_PORT])
    return 80 if url.secure and _tls_ends_before(given) else url.port


def _is_port(value: Any) -> bool:
    return bool(re.match(r"[0-9]{1,5}\Z", str(value))) and 1 <= int(value) <= 65535


def own_ports(given: Mapping[str, Any]) -> dict[str, int | None]:
    """The ports that our processes listen on, by variable: what is set or the default, None for what is no port."""
    found: dict[str, int | None] = {}
    for variable, default in DEFAULT_OWN_PORTS.items():
        if variable == GREEN_PORT and given.get("staging_backend_switch") != "blue_green":
            continue
        value = given.get(variable)
        port = default if value in (None, "") else value
        found[variable] = int(port) if _is_port(port) else None
    return found


def _check_ports(inputs: Inputs) -> None:
    for variable, port in own_ports(inputs.given).items():
        value = inputs.get(variable)
        if port is None:
            inputs.add("port", variable, value, "a port is a number from 1 to 65535", "choose a free port above 1023")
            continue
        inputs.ports[variable] = port
        if port < 1024:
            inputs.add(
                "port-privileged",
                variable,
                value,
                "an unprivileged process can listen on ports from 1024 on only",
                "choose a free port above 1023",
            )
    at_proxy = inputs.get(PROXY_PORT)
    if at_proxy is not None and str(at_proxy) != "0" and not _is_port(at_proxy):
        inputs.add(
            "port",
            PROXY_PORT,
            at_proxy,
            "a port is a number from 1 to 65535",
            "leave it out for that of the public URLs",
        )
    both = [inputs.ports.get(BACKEND_PORT), inputs.ports.get(FRONTEND_PORT)]
    if both[0] is not None and both[0] == both[1]:
        inputs.add(
            "ports-equal",
            BACKEND_PORT,
            inputs.get(BACKEND_PORT) or both[0],
            f"{FRONTEND_PORT} is the same, and two processes cannot share a port",
            "give one of them another port",
        )
    second = inputs.ports.get(GREEN_PORT)
    for variable in (BACKEND_PORT, FRONTEND_PORT):
        if second is not None and second == inputs.ports.get(variable):
            inputs.add(
                "ports-equal",
                GREEN_PORT,
                second,
                f"{variable} is the same, and two processes cannot share a port",
                "give one of them another port",
            )


def _check_listeners(inputs: Inputs) -> None:
    backend, frontend = inputs.ports.get(BACKEND_PORT), inputs.ports.get(FRONTEND_PORT)
    on_this_host = inputs.provider == "nginx"
    for variable, url in _public(inputs):
        value = inputs.get(variable)
        if variable == PAGE:
            _check_page_listener(inputs, url, frontend, backend)
            continue
        if url.port == frontend:
            inputs.add(
                "leads-to-frontend",
                variable,
                value,
                f"port {url.port} is that of the page's own server ({FRONTEND_PORT}), which has no such endpoint",
                "write the host and port of the proxy that leads to the backend",
            )
        elif on_this_host:
            _check_port_at_proxy(inputs, variable, url)
        elif url.port == backend:
            inputs.add(
                "proxy-bypassed",
                variable,
                value,
                f"port {url.port} is the backend's own ({BACKEND_PORT}), so that users would go around the proxy",
                "write the host and port of the proxy",
            )


def _check_port_at_proxy(inputs: Inputs, variable: str, url: Url) -> None:
    """Whether the port where nginx is to listen for a URL is one of the application's."""
    port = port_at_proxy(inputs.given, url)
    remedy = "write the port of the proxy (none for 80 and 443), or give the backend another one"
    for whose, owner in (("backend's", BACKEND_PORT), ("backend's green instance's", GREEN_PORT)):
        if port == inputs.ports.get(owner):
            inputs.add(
                "port-of-proxy-taken",
                variable,
                inputs.get(variable),
                f"nginx would have to listen on port {port}, which is the {whose} ({owner})",
                remedy,
            )


def _check_page_listener(inputs: Inputs, url: Url, frontend: int | None, backend: int | None) -> None:
    value = inputs.get(PAGE)
    at_proxy = port_at_proxy(inputs.given, url)
    behind_nginx = inputs.proxies_page and inputs.provider == "nginx"
    if url.port == backend:
        inputs.add(
            "leads-to-backend",
            PAGE,
            value,
            f"port {url.port} is the backend's ({BACKEND_PORT}), which serves no page",
            "write the host and port under which users open the page",
        )
    elif behind_nginx and at_proxy in (backend, inputs.ports.get(GREEN_PORT)):
        _check_port_at_proxy(inputs, PAGE, url)
    elif frontend is None:
        return
    elif behind_nginx and at_proxy == frontend:
        inputs.add(
            "port-of-proxy-taken",
            PAGE,
            value,
            f"nginx would have to listen on port {at_proxy}, which is the page's own server's ({FRONTEND_PORT})",
            "write the port of the proxy, or set staging_proxy_page: false if the page is served without it",
        )
    elif not inputs.proxies_page and url.port != frontend and inputs.provider == "nginx":
        inputs.add(
            "page-port-unserved",
            PAGE,
            value,
            f"without the proxy (staging_proxy_page: false) the page is served on port {frontend} ({FRONTEND_PORT})",
            f"write {url.scheme}://{url.host}:{frontend}, or set staging_proxy_page: true",
        )


# The proxy


def _check_routes(inputs: Inputs) -> None:
    seen: dict[str, str] = {}
    for variable in (WS_PATHS, "staging_sse_paths", API_PATHS):
        value = inputs.get(variable)
        if value is None:
            continue
        if not isinstance(value, list):
            inputs.add("type", variable, value, "a list of paths is expected", f"write [{value}]")
            continue
        if not value and variable == WS_PATHS:
            inputs.add("routes-empty", variable, value, "at least one path is expected", "list the WebSocket's path")
        for path in value:
            if not isinstance(path, str) or not path.startswith("/") or not _is_plain_path(path):
                inputs.add(
                    "route",
                    variable,
                    path,
                    "a path starts with a slash and holds neither spaces, % or dots as parts nor patterns",
                    "write it as /ws, or as /ws/ for all below it",
                )
            elif path in seen and (seen[path] == variable or variable != API_PATHS):
                inputs.add(
                    "route-twice", variable, path, f"{path} stands in {seen[path]} already", "list each path once"
                )
            else:
                # The API's paths give way to the others.
                seen.setdefault(path, variable)
    inputs.routes = [path for path, variable in seen.items() if variable == WS_PATHS]
    if inputs.ws is not None and inputs.routes:
        path = inputs.ws.path or "/"
        if not any(_takes(route, path) for route in inputs.routes):
            inputs.add(
                "websocket-path-unrouted",
                WS,
                inputs.get(WS),
                f"the proxy routes WebSockets for {', '.join(inputs.routes)} only ({WS_PATHS}), and takes in what is "
                "below a path where that ends with a slash",
                f"add {path} to {WS_PATHS}, or correct the path of the URL",
            )
    if "/" in inputs.routes:
        inputs.add(
            "websocket-path-root",
            WS_PATHS,
            "/",
            "the path of the WebSocket alone is expected, since / takes every request of the host",
            "list the path itself, such as /ws",
        )


def _is_plain_path(path: str) -> bool:
    """Whether a path can stand in the proxy's configuration; as the role proxy has it."""
    return _PATH.match(path) is not None


def _takes(route: str, path: str) -> bool:
    """Whether the proxy's location for a path takes a request: as the role proxy writes it."""
    return path.startswith(route) if route.endswith("/") else path == route


def _check_certificate(inputs: Inputs) -> None:
    certificate, key = "staging_tls_certificate", "staging_tls_key"
    for variable in (certificate, key):
        path = inputs.line(variable)
        if path is not None and not path.startswith("/"):
            inputs.add("path", variable, path, "an absolute path on the host is expected", "start it with a slash")
    has_certificate, has_key = inputs.get(certificate) is not None, inputs.get(key) is not None
    if has_certificate != has_key:
        missing, given = (key, certificate) if has_certificate else (certificate, key)
        inputs.add("certificate", missing, None, f"{given} is set, and nginx needs both", f"set {missing}")
    served = [(variable, url) for variable, url in _public(inputs) if variable != PAGE or inputs.proxies_page]
    secure = [variable for variable, url in served if url.secure]
    if inputs.provider != "nginx":
        return
    if _tls_ends_before(inputs.given):
        if has_certificate:
            inputs.add(
                "certificate",
                certificate,
                inputs.get(certificate),
                f"none is expected where TLS ends before nginx ({TLS_BEFORE})",
                "remove one of the two",
            )
    elif secure and not has_certificate and not has_key:
        inputs.add(
            "certificate",
            certificate,
            None,
            f"nginx needs a certificate and a key for {' and '.join(secure)}",
            f"set {certificate} and {key}, or {TLS_BEFORE} where TLS ends before nginx",
        )
    if has_certificate and served and not secure:
        inputs.add(
            "certificate-unused",
            certificate,
            inputs.get(certificate),
            "a public URL with https:// or wss:// is expected beside it",
            "write the URLs with https:// and wss://, or remove the certificate",
        )


def _origin_of(text: Any) -> str:
    try:
        return parse_url(str(text)).origin
    except UrlError:
        return "https://host.example.com"


def _check_cors(inputs: Inputs) -> None:
    variable = "staging_cors_origins"
    origins = inputs.get(variable)
    if origins is None:
        return
    if not isinstance(origins, list):
        inputs.add("type", variable, origins, "a list of origins is expected", f"write [{origins}]")
        return
    valid = []
    for origin in origins:
        if origin == "*":
            valid.append(origin)
            inputs.add(
                "cors-wildcard",
                variable,
                origin,
                "the origin of the page is expected, since * lets every page of the web in",
                f"write {inputs.page.origin if inputs.page else 'the origin of the page'}",
            )
            continue
        try:
            valid.append(check_origin(origin) if isinstance(origin, str) else check_origin(""))
        except UrlError as error:
            value = Shown("null") if origin is None else origin
            inputs.add("cors-origin", variable, value, str(error), f"write it as {_origin_of(origin)}")
    page = inputs.page
    if page is None or len(valid) != len(origins) or "*" in valid or page.origin in valid:
        return
    crossing = [name for name, url in ((API, inputs.api), (WS, inputs.ws)) if url and url.origin != page.origin]
    if crossing:
        inputs.add(
            "cors-page-missing",
            variable,
            origins,
            f"the page's origin {page.origin} is expected in it, since {' and '.join(crossing)} leads elsewhere",
            f"add {page.origin}",
        )
    if inputs.api and inputs.ws and inputs.api.host != inputs.ws.host:
        inputs.add(
            "hosts-of-api-and-websocket-differ",
            WS,
            inputs.get(WS),
            f"the host of {API} is {inputs.api.host}, and {variable} does not list the page",
            "use one host for both, or make sure that the backend accepts the page's origin on both",
        )


# Paths, users and the source


def _check_paths(inputs: Inputs) -> None:
    path = inputs.line("staging_project_dir", required="the directory of the project on the host is needed")
    if path is not None:
        _check_project_dir(inputs, path)
    for variable in (
        "staging_frontend_dir",
        "staging_frontend_output_dir",
        "staging_backend_dir",
        "staging_env_file",
        "staging_ecosystem_file",
    ):
        relative = inputs.line(variable)
        if relative is None:
            continue
        parts = relative.split("/")
        if relative.startswith(("/", "~")) or ".." in parts:
            inputs.add(
                "path-relative",
                variable,
                relative,
                "a path inside the project is expected, relative to its root",
                "remove the leading slash or the ..",
            )
    shared = inputs.get("staging_shared_paths")
    for entry in shared if isinstance(shared, list) else ():
        text = str(entry)
        if not text or text.startswith(("/", "~")) or ".." in text.split("/") or text.strip("/.") == "":
            inputs.add(
                "path-relative",
                "staging_shared_paths",
                entry,
                "a path inside the project is expected, relative to its root",
                "remove the leading slash or the ..",
            )


def _check_commands(inputs: Inputs) -> None:
    for variable in ("staging_backend_command", "staging_frontend_command"):
        value = inputs.get(variable)
        if value is not None and not (
            isinstance(value, list) and value and all(isinstance(word, (str, int)) and word != "" for word in value)
        ):
            inputs.add(
                "type",
                variable,
                value,
                "a list of the program and its arguments is expected",
                "write them as a list, each in an entry of its own",
            )
    if inputs.get("staging_backend_command") is None and inputs.get("staging_ecosystem_file") is None:
        inputs.add(
            "missing",
            "staging_backend_command",
            None,
            "what starts the backend is needed",
            "set staging_backend_command, or name an ecosystem file in staging_ecosystem_file",
        )


def _check_project_dir(inputs: Inputs, path: str) -> None:
    variable = "staging_project_dir"
    if not path.startswith("/"):
        inputs.add("path", variable, path, "an absolute path on the host is expected", "start it with a slash")
    elif ".." in path.split("/") or "//" in path or "/./" in path:
        inputs.add("path", variable, path, "a path without //, /./ and .. is expected", "write the plain path")
    elif re.search(r"""[\s"'`$;{}\\*?<>|&()#%]""", path):
        inputs.add(
            "path",
            variable,
            path,
            "no spaces, quotes and shell characters are expected in it, since nginx, pm2 and systemd get it too",
            "use letters, digits, dots, hyphens and underscores",
        )
    elif path.rstrip("/") in _SYSTEM_DIRS or path == "/" or re.match(r"/home/[^/]+/?\Z", path):
        inputs.add(
            "path",
            variable,
            path,
            "a directory for the project alone is expected, since it becomes a link to the current release",
            "add a directory of its own, such as /home/deploy/projects/app",
        )
    elif path.endswith("/"):
        inputs.add("path", variable, path, "no slash is expected at its end, since it is a link", "remove it")
    elif path.startswith(("/tmp/", "/var/tmp/", "/run/", "/dev/")):  # noqa: S108 (a path that is judged, not used)
        inputs.add(
            "project-dir-temporary",
            variable,
            path,
            "a directory that outlives a restart and a clean-up is expected",
            "use one below the deploy user's home or /srv",
        )


def _check_app_name(inputs: Inputs) -> None:
    """The name of the site and of the processes, which the last part of the project directory is by default."""
    expected = "made of up to 100 letters, digits, dots, hyphens and underscores, starting with a letter or digit"
    name, path = inputs.line("staging_app_name"), inputs.get("staging_project_dir")
    if name is not None and not _NAME.match(name):
        inputs.add("name", "staging_app_name", name, f"a name is {expected}", "choose such a name")
    judged = {item.variable for item in inputs.findings}
    derived = name is None and not judged & {"staging_app_name", "staging_project_dir"}
    if derived and not _NAME.match(str(path).rpartition("/")[2]):
        inputs.add(
            "name",
            "staging_project_dir",
            path,
            f"its last part, which names the site and the processes, is {expected}",
            "choose another directory, or set staging_app_name",
        )
    backend, frontend = inputs.get("staging_backend_process_name"), inputs.get("staging_frontend_process_name")
    if backend is not None and backend == frontend:
        inputs.add(
            "process-names-equal",
            "staging_backend_process_name",
            backend,
            "staging_frontend_process_name is the same, and pm2 tells the two by their names",
            "give one of them another name",
        )


def _check_user(inputs: Inputs) -> None:
    user = inputs.line("staging_user")
    if user is None:
        return
    if not _USER.match(user):
        inputs.add(
            "user",
            "staging_user",
            user,
            "the name of a user is up to 32 small letters, digits, hyphens and underscores, starting with a letter",
            "choose such a name",
        )
    elif user == "root":
        inputs.add(
            "user-root",
            "staging_user",
            user,
            "an unprivileged user is expected to run the application",
            "choose another name; the user is made if it is missing",
        )


def _check_source(inputs: Inputs) -> None:
    kind = inputs.get("staging_source_type")
    needed = {"git": "staging_source_type is git", None: "staging_source_type is git by default"}
    url = inputs.line("staging_git_url", required=needed.get(kind if isinstance(kind, str) else None, ""))
    if url is not None and kind in (None, "git"):
        _check_git_url(inputs, url)
    version = inputs.line("staging_git_version")
    if version is not None and (
        re.search(r"[\s~^:?*\[\\]", version) or version.startswith("-") or ".." in version or version.endswith(".lock")
    ):
        inputs.add(
            "git-version",
            "staging_git_version",
            version,
            "the name of a branch or tag, or a commit, is expected",
            "write main, v1.2.3 or a full commit id",
        )
    inputs.line("staging_source_dir", required="staging_source_type is archive" if kind == "archive" else "")


def _check_git_url(inputs: Inputs, url: str) -> None:
    variable = "staging_git_url"
    if re.match(r"https?://[^/]*:[^/]*@", url):
        inputs.add(
            "git-credentials",
            variable,
            url,
            "no password is expected in it, since it would stand in the configuration of the repository",
            "use an SSH key of the deploy user or a credential helper",
        )
    elif url.startswith("-") or not _GIT_URL.match(url):
        inputs.add(
            "git-url",
            variable,
            url,
            "the URL of a repository is expected",
            "write https://..., ssh://... or user@host:path",
        )
    elif url.startswith(("http://", "git://")):
        inputs.add(
            "git-insecure",
            variable,
            url,
            "a protocol that proves the server is expected, since the source is run",
            "write https:// or ssh://",
        )


# The environment


def _check_env(inputs: Inputs) -> None:
    _check_generated(inputs)
    plain, secret = _dict(inputs, "staging_env"), _dict(inputs, "staging_env_secrets")
    for key in plain:
        if key in secret:
            inputs.add(
                "env-twice",
                f"staging_env.{key}",
                Shown("set"),
                f"staging_env_secrets.{key} is set too",
                "keep it in one of them",
            )
    for variable, values, hidden in (("staging_env", plain, False), ("staging_env_secrets", secret, True)):
        for key, value in values.items():
            _check_env_value(inputs, variable, str(key), value, hidden=hidden)
    _check_required(inputs, plain)
    for key in secret:
        if prefix := _public_prefix(str(key)):
            inputs.add(
                "secret-public",
                f"staging_env_secrets.{key}",
                Shown("set"),
                f"what starts with {prefix} is baked into the page, where everybody can read it",
                "take another name and read it on the server, or move it to staging_env if it is no secret",
            )
    for key, variable in (("BACKEND_PORT", BACKEND_PORT), ("FRONTEND_PORT", FRONTEND_PORT)):
        for source, values in (
            ("staging_env", plain),
            ("staging_frontend_build_env", _dict(inputs, "staging_frontend_build_env")),
        ):
            if key in values and variable in inputs.ports and str(values[key]) != str(inputs.ports[variable]):
                inputs.add(
                    "env-port-differs",
                    f"{source}.{key}",
                    values[key],
                    f"{variable} is {inputs.ports[variable]}",
                    f"write {inputs.ports[variable]}, or leave the key out",
                )


def _check_required(inputs: Inputs, plain: Mapping[str, Any]) -> None:
    """What of the required keys can be seen here: the rest may stand in the file on the host."""
    variable = "staging_env_required_keys"
    for key in inputs.texts(variable):
        try:
            check_key(key)
        except RefusedError as error:
            inputs.add("env-key", variable, key, f"{key} {error.why}", "correct the name")
        if plain.get(key) == "" and key not in _dict(inputs, "staging_env_generate"):
            inputs.add(
                "env-empty",
                f"staging_env.{key}",
                Shown("empty"),
                f"{variable} asks for a value",
                "set it, or remove the key",
            )


def _check_generated(inputs: Inputs) -> None:
    for key, how in _dict(inputs, "staging_env_generate").items():
        variable = f"staging_env_generate.{key}"
        try:
            check_key(str(key))
        except RefusedError as error:
            inputs.add("env-key", variable, Shown("set"), f"{key} {error.why}", "choose another name")
        recipe = how if isinstance(how, Mapping) else {} if how is None else {"length": how}
        length, alphabet = recipe.get("length", SHORTEST_SECRET), recipe.get("alphabet", "alphanumeric")
        if not str(length).isdigit() or not SHORTEST_SECRET <= int(str(length)) <= LONGEST_SECRET:
            inputs.add(
                "env-generate",
                variable,
                how,
                f"a length of {SHORTEST_SECRET} to {LONGEST_SECRET} characters is expected",
                "write {length: 48}",
            )
        if alphabet not in ALPHABETS:
            inputs.add(
                "env-generate",
                variable,
                how,
                f"an alphabet among {', '.join(ALPHABETS)} is expected",
                "leave it out, or write one of these",
            )
        if prefix := _public_prefix(str(key)):
            inputs.add(
                "secret-public",
                variable,
                Shown("set"),
                f"what starts with {prefix} is baked into the page, where everybody can read it",
                "take another name and read it on the server",
            )


def _public_prefix(key: str) -> str:
    """The prefix by which a bundler takes a variable for one of the page's; empty for all others."""
    return next((prefix for prefix in _PUBLIC_PREFIXES if key.startswith(prefix)), "")


def _dict(inputs: Inputs, variable: str) -> Mapping[str, Any]:
    value = inputs.get(variable)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        inputs_type = Shown("a list" if isinstance(value, list) else "a text")
        if not any(item.variable == variable and item.name == "type" for item in inputs.findings):
            inputs.add("type", variable, inputs_type, "a dictionary of keys and values is expected", "write KEY: value")
        return {}
    return value


def _check_env_value(inputs: Inputs, variable: str, key: str, value: Any, *, hidden: bool) -> None:
    name = f"{variable}.{key}"
    try:
        check_key(key)
    except RefusedError as error:
        inputs.add("env-key", name, Shown("set"), f"{key} {error.why}", "choose another name")
        return
    if isinstance(value, (list, Mapping)) or value is None:
        kind = "null" if value is None else "a list" if isinstance(value, list) else "a dictionary"
        inputs.add("env-value", name, Shown(kind), "an env file holds text", "write it as one text")
        return
    text = str(value)
    visible: Any = Shown("set (not shown)") if hidden else text
    if hidden and text == "":
        inputs.add("env-empty", name, Shown("empty"), "a secret is expected", "set it, or remove the key")
        return
    if is_placeholder(text) and key not in inputs.texts("staging_env_allow_placeholders"):
        inputs.add("placeholder", name, visible, "it only marks the place of a value", "write the value itself")
        return
    try:
        encode(key, text, inputs.readers)
    except RefusedError as error:
        readers = " and ".join(error.differing)
        inputs.add(
            "env-unwritable",
            name,
            visible,
            f"it {error.why}, which {readers} would read differently from an env file",
            "choose another value",
        )
        return
    if not hidden:
        _check_env_url(inputs, name, key, text)


def _check_env_url(inputs: Inputs, name: str, key: str, text: str) -> None:
    """A URL that goes into the page must hold for the user's browser."""
    if not _public_prefix(key) or not re.match(r"(https?|wss?)://", text):
        return
    try:
        url = parse_url(text)
    except UrlError as error:
        inputs.add("url", name, text, str(error), "correct the URL")
        return
    if is_loopback(url.host) and not inputs.allows_loopback:
        inputs.add(
            "loopback",
            name,
            text,
            f"{url.host} is every user's own machine, never this host",
            "write the name under which users reach the host",
        )
    elif inputs.page is not None and inputs.page.secure and not url.secure:
        inputs.add(
            "mixed-content",
            name,
            text,
            f"a browser lets a page of https:// ({inputs.page.origin}) connect to TLS only",
            "write it with https:// or wss://",
        )


def _check_public_env(inputs: Inputs) -> None:
    public = _dict(inputs, "staging_public_env")
    for key, value in public.items():
        name = f"staging_public_env.{key}"
        _check_env_value(inputs, "staging_public_env", str(key), value, hidden=False)
        if not _public_prefix(str(key)):
            inputs.add(
                "public-variable-not-baked",
                name,
                value,
                "only variables that start with NEXT_PUBLIC_ (Next.js) or VITE_ (Vite) are put into the page",
                "rename it, or move it to staging_frontend_build_env",
            )
        expected = {"NEXT_PUBLIC_WS_URL": WS, "NEXT_PUBLIC_API_URL": API}.get(str(key))
        if expected is not None and inputs.get(expected) is not None and value != inputs.get(expected):
            inputs.add(
                "public-url-differs",
                name,
                value,
                f"{expected} is {inputs.get(expected)}",
                "leave the key out, since it is derived, or write the same URL",
            )
    build = _dict(inputs, "staging_frontend_build_env")
    for key, value in build.items():
        _check_env_value(inputs, "staging_frontend_build_env", str(key), value, hidden=False)
        if key == "NODE_ENV" and value != "production":
            inputs.add(
                "node-env",
                "staging_frontend_build_env.NODE_ENV",
                value,
                "next build makes a page for production only",
                "leave the key out",
            )


def _check_hold(inputs: Inputs) -> None:
    value = inputs.get("staging_hold")
    if value is None:
        return
    try:
        seconds = float(str(value)) if not isinstance(value, bool) else -1.0
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_HOLD_S:
        inputs.add(
            "hold",
            "staging_hold",
            value,
            f"a number of seconds from 0 to {_LONGEST_HOLD_S} is expected",
            "leave it out for the default",
        )
    elif seconds <= IDLE_CUT_S[inputs.provider]:
        inputs.add(
            "hold-short",
            "staging_hold",
            value,
            f"more than {IDLE_CUT_S[inputs.provider]} s are needed to see the proxy's default idle cut",
            f"hold for {IDLE_CUT_S[inputs.provider] + 5} s; a shorter one proves less",
        )


def public_hosts(given: Mapping[str, Any]) -> dict[str, Url]:
    """The public URLs that can be read, by variable, for the checks on the host."""
    found = {}
    for variable in (PAGE, API, WS):
        value = given.get(variable)
        try:
            found[variable] = parse_url(value) if isinstance(value, str) else parse_url("")
        except UrlError:
            continue
    return found
