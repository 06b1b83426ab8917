# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of a deployment as the user set them, and the findings on them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Union

from .._host.url import Url, UrlError, parse_url
from .finding import PreflightFinding, default_level

PAGE = "staging_public_url"
API = "staging_public_api_url"
WS = "staging_public_ws_url"
BACKEND_PORT = "staging_backend_port"
SOCKET = "staging_backend_socket"
FRONTEND_PORT = "staging_frontend_port"
GREEN_PORT = "staging_backend_green_port"
PROXY_PORT = "staging_proxy_port"
PROJECT_DIR = "staging_project_dir"
CREATE_PARENT = "staging_create_parent"
TAKE_OVER = "staging_take_over"

#: The defaults of the roles, as far as a check needs them. A test compares them with those of the roles.
DEFAULTS: Mapping[str, Any] = {
    BACKEND_PORT: 14200,
    FRONTEND_PORT: 14100,
    GREEN_PORT: 14201,
    "staging_backend_build_command": [],
    "staging_backend_dir": ".",
    "staging_backend_install": "requirements",
    "staging_backend_requirements": "requirements.txt",
    "staging_frontend_build_command": ["npm", "run", "build"],
    "staging_frontend_dir": "web-ui",
    "staging_frontend_serve": "process",
    "staging_min_memory_bytes": 1073741824,
    "staging_proxy_provider": "nginx",
    "staging_source_type": "git",
    TAKE_OVER: False,
    "staging_user": "deploy",
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SECRET_NAME = re.compile(r"secret|token|passw|git_key\Z", re.IGNORECASE)
_SHOWN_LENGTH = 160

#: A variable, or the key or index of an entry in it: ``("staging_env", "PORT")``, ``("staging_shared_paths", 1)``.
Where = Union[str, tuple[str, Union[str, int]]]


class DeploymentInputs:
    """The variables by the names under which the user sets them; collects the findings on them.

    A finding is given the place of a value, never the value: what a message shows is the value of the variable that it
    names.
    """

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.findings: list[PreflightFinding] = []

    def get(self, name: str) -> Any:
        """The value of a variable, or None if it is not set. An empty text counts as not set."""
        value = self.given.get(name)
        return None if isinstance(value, str) and value == "" else value

    def or_default(self, name: str) -> Any:
        """The value of a variable, or the default of the roles."""
        value = self.get(name)
        return DEFAULTS[name] if value is None else value

    def text(self, name: str) -> str:
        """The value of a variable or its default as a text, empty if there is neither."""
        value = self.get(name)
        return str(DEFAULTS.get(name, "") if value is None else value)

    def texts(self, name: str) -> list[str]:
        """The entries of a list; empty where the value is no list."""
        value = self.get(name)
        return [str(entry) for entry in value] if isinstance(value, list) else []

    def mapping(self, name: str) -> Mapping[str, Any]:
        """The entries of a dictionary; empty where the value is none."""
        value = self.get(name)
        return value if isinstance(value, Mapping) else {}

    @property
    def provider(self) -> str:
        """The provider of the proxy; nginx where the value is none of the known ones."""
        value = self.get("staging_proxy_provider")
        return value if value in ("nginx_proxy_manager", "manual") else "nginx"

    @property
    def proxies_page(self) -> bool:
        return self.get("staging_proxy_page") is not False

    @property
    def creates_parent(self) -> bool:
        """Whether root creates the directory above the project; a truth from the command line is a text."""
        return str(self.given.get(CREATE_PARENT)).lower() in ("true", "yes", "on", "1")

    @property
    def blue_green(self) -> bool:
        return bool(self.get("staging_backend_switch") == "blue_green")

    @property
    def allows_loopback(self) -> bool:
        return self.get("staging_allow_loopback") is True

    @property
    def tls(self) -> str:
        """Where the certificate of nginx comes from, as the roles derive it; for a value that is unknown too."""
        value = self.get("staging_tls")
        if value in ("none", "files", "certbot", "private_ca"):
            return str(value)
        return "none" if self.get("staging_tls_certificate") is None else "files"

    @property
    def tls_ends_before_proxy(self) -> bool:
        """Whether nginx is asked without TLS."""
        return self.is_true("staging_tls_before_proxy")

    @property
    def takes_over(self) -> bool:
        """Whether what a manual deployment has is replaced."""
        return self.is_true(TAKE_OVER)

    def is_true(self, name: str) -> bool:
        """Whether a variable is set to true; a truth from the command line is a text."""
        return str(self.given.get(name)).lower() in ("true", "yes", "on", "1")

    def line(self, name: str) -> str | None:
        """A text of one line; None, with a finding, for any other value, and None where the variable is not set."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, str):
            self.add("type", name, "a text", "put it in quotes")
        elif _CONTROL.search(value):
            self.add("one-line", name, "one line without control characters", "remove the control characters")
        elif value != value.strip():
            self.add("spaces", name, "no space at the start or end", "remove the space")
        else:
            return value
        return None

    def port(self, name: str) -> int | None:
        """The port of a variable or its default; None for a value that is no port."""
        value = self.or_default(name)
        return int(value) if is_port(value) else None

    def own_ports(self) -> dict[str, int | None]:
        """The ports that the processes of the application listen on, by variable; None for a value that is no port.

        A backend that listens on a socket has none.
        """
        page = [] if self.text("staging_frontend_serve") == "static" else [FRONTEND_PORT]
        backend = [BACKEND_PORT] if self.get(SOCKET) is None else []
        names = [*backend, *page, *([GREEN_PORT] if self.blue_green else [])]
        return {name: self.port(name) for name in names}

    def port_at_proxy(self, url: Url) -> int:
        """The port at which nginx listens for a public URL, as the role proxy writes it."""
        given = self.given.get(PROXY_PORT)
        if given is not None and is_port(given):
            return int(given)
        return 80 if url.secure and self.tls_ends_before_proxy else url.port

    def public_urls(self) -> dict[str, Url]:
        """The public URLs that can be parsed, by variable."""
        found = {}
        for name in (PAGE, API, WS):
            value = self.given.get(name)
            try:
                found[name] = parse_url(value if isinstance(value, str) else "")
            except UrlError:
                continue
        return found

    def add(self, name: str, where: Where, expected: str, remedy: str, *, found: str = "", hide: bool = False) -> None:
        """Record a finding."""
        self.findings.append(self.finding(name, where, expected, remedy, found=found, hide=hide))

    def finding(
        self, name: str, where: Where, expected: str, remedy: str, *, found: str = "", hide: bool = False
    ) -> PreflightFinding:
        """A finding at its default level.

        :param hide: Whether the value may be a secret although the name of the variable does not say so.
        """
        return PreflightFinding(
            name, path_of(where), self.shown(where, hide=hide), found, expected, remedy, default_level(name)
        )

    def has_finding(self, name: str) -> bool:
        """Whether there is a finding on a variable, its entries included."""
        return any(re.split(r"[.[]", item.variable, maxsplit=1)[0] == name for item in self.findings)

    def shown(self, where: Where, *, hide: bool = False) -> str:
        """The value of a variable as a message may show it: one line, not too long, no secret."""
        name, key = (where, None) if isinstance(where, str) else where
        value = self.given.get(name)
        if name not in self.given:
            return f"{_json(DEFAULTS[name])} by default" if name in DEFAULTS else "not set"
        if isinstance(value, Mapping) and key is not None:
            value = next((each for known, each in value.items() if str(known) == str(key)), None)
        elif isinstance(value, list) and isinstance(key, int):
            value = value[key]
        if value is None or value == "":
            return "null" if value is None else "empty"
        return f"{_type_of(value)} (not shown)" if hide or is_secret(name) else _json(value)


def path_of(where: Where) -> str:
    """How a message names a variable or an entry of it."""
    if isinstance(where, str):
        return where
    name, key = where
    return f"{name}[{key}]" if isinstance(key, int) else f"{name}.{key}"


def is_secret(name: str) -> bool:
    """Whether the name of a variable says that its value is a secret."""
    return _SECRET_NAME.search(name) is not None


def is_port(value: Any) -> bool:
    return bool(re.match(r"[0-9]{1,5}\Z", str(value))) and 1 <= int(value) <= 65535


def _type_of(value: Any) -> str:
    if isinstance(value, (Mapping, list)):
        return "a list" if isinstance(value, list) else "a dictionary"
    return "a text" if isinstance(value, str) else "a truth value" if isinstance(value, bool) else "a number"


def _json(value: Any) -> str:
    """A value in one line of at most 160 characters, without the password of a URL."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    except (TypeError, ValueError):
        text = json.dumps(str(value), ensure_ascii=False)
    text = re.sub(r"(://)[^/@\s\"]*@", r"\1***@", text)
    return text if len(text) <= _SHOWN_LENGTH else text[: _SHOWN_LENGTH - 1] + "…"
