# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An inventory that describes a manual deployment, from what was found of it (pure).

All that was found comes from a host, so none of it may be a template for the controller: see :func:`to_yaml`.
"""

from __future__ import annotations

import itertools
import os.path
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._host.sockets import PLAIN_PATH
from .._host.url import Url, UrlError, parse_url

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_ENV_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
_SECRET_KEY = re.compile(r"(?i)pass|secret|token|key|credential|dsn|auth|database_url")
_DERIVED_KEYS = re.compile(
    r"(NEXT_PUBLIC_|VITE_|PUBLIC_|REACT_APP_|NG_APP_)|(BACKEND_PORT|FRONTEND_PORT|CORS_ALLOWED_ORIGINS)\Z"
)
#: uvicorn's option and daphne's.
_SOCKET_OPTIONS = frozenset(("--uds", "-u"))
#: What gunicorn and hypercorn bind, and an option with its value in one word.
_SOCKET_WORD = re.compile(r"(?:--uds=|(?:--bind=)?unix:)(/.*)")


@dataclass
class AdoptedInventory:
    """The variables with a comment each, what could not be found, and the keys of secrets."""

    variables: dict[str, Any] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    open_questions: list[str] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    def set(self, name: str, value: Any, comment: str = "") -> None:
        """Set a variable."""
        self.variables[name] = value
        if comment:
            self.comments[name] = comment

    def ask(self, name: str, example: Any, what: str) -> None:
        """Set a variable to an example that the user has to replace."""
        self.set(name, example, f"NOT FOUND: {what}")
        self.open_questions.append(f"{name}: {what}")


def adopted(
    project: Mapping[str, Any],
    servers: Sequence[Mapping[str, Any]],
    host: str,
    env_file: str,
    manager_hosts: Sequence[Mapping[str, Any]] = (),
) -> AdoptedInventory:
    """Derive the inventory.

    :param project: As ``manual_deployment_info`` returns it.
    :param servers: As ``manual_deployment_info`` returns them.
    :param host: Name or address of the host, as the controller reaches it.
    :param manager_hosts: As ``nginx_proxy_manager_info`` returns them. They take precedence over ``servers``.
    """
    made = AdoptedInventory()
    processes = [each for each in project["processes"] if isinstance(each, Mapping)]
    backend, frontend = _of_kind(processes, "backend"), _of_kind(processes, "frontend")
    directory = str(project["directory"])
    made.set("staging_app_name", _app_name(processes, directory))
    made.set("staging_user", str(project["user"]))
    made.set("staging_project_dir", directory)
    made.set("staging_take_over", True, "What the manual deployment has is replaced, and kept for a rollback.")
    _source(made, project)
    _env(made, project["env"], env_file)
    backend_port = _port(backend, project["env"], "BACKEND_PORT", 14200)
    frontend_port = _port(frontend, project["env"], "FRONTEND_PORT", 14100)
    socket = _socket(backend)
    _backend(made, project["backend"], backend, backend_port, socket)
    _frontend(made, project["frontend"], frontend, frontend_port)
    proxies = [*(_as_server(each) for each in manager_hosts if each["enabled"]), *servers]
    _addresses(made, project["env"], proxies, host, socket or backend_port, frontend_port)
    return made


def _as_server(manager_host: Mapping[str, Any]) -> dict[str, Any]:
    """A proxy host of Nginx Proxy Manager, in the terms of a site of nginx."""
    port = int(manager_host["forward_port"])
    return {
        "names": [str(name) for name in manager_host["domain_names"]],
        "ports": [80, 443],
        "tls": bool(manager_host["certificate_id"]),
        "locations": [
            {"path": "/", "ports": [port], "sockets": [], "websocket": bool(manager_host["allow_websocket_upgrade"])}
        ],
        "manager_host": manager_host,
    }


def _of_kind(processes: Sequence[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    named = [each for each in processes if each["kind"] == kind]
    return next((each for each in named if each["ports"]), named[0] if named else {})


def _app_name(processes: Sequence[Mapping[str, Any]], directory: str) -> str:
    """What the names of the processes have in common, else the name of the directory."""
    names = [str(each["name"]) for each in processes]
    common = ""
    if len(names) > 1:
        alike = itertools.takewhile(lambda letters: len(set(letters)) == 1, zip(*names))
        common = "".join(letters[0] for letters in alike).rstrip("-_. ")
    for name in (common, re.sub(r"[^A-Za-z0-9._-]", "-", os.path.basename(directory)).strip("-._")):
        if _NAME.match(name):
            return name
    return "app"


def _source(made: AdoptedInventory, project: Mapping[str, Any]) -> None:
    source = project["source"]
    comment = "The content of the project directory is deployed."
    if source["checkout"]:
        comment += f" It is a checkout of {_safe(source['revision'][:12])}; with git, the playbook would fetch it."
    if source["uncommitted"]:
        comment += (
            f" {len(source['uncommitted'])} files are in no commit: {_safe(', '.join(source['uncommitted'][:5]))}."
        )
    made.set("staging_source_type", "in_place", comment)
    if project["data"]:
        made.set("staging_shared_paths", list(project["data"]), "Data that outlives releases. Judge each.")


def _env(made: AdoptedInventory, env: Mapping[str, Any], env_file: str) -> None:
    made.set("staging_env_file", env_file)
    keys = [key for key in env["keys"] if _ENV_KEY.match(key)]
    made.secrets = [key for key in keys if _SECRET_KEY.search(key)]
    if made.secrets:
        made.set(
            "staging_env_required_keys",
            made.secrets,
            "Keys on the host keep their values. A run fails if one of these is missing.",
        )
    others = [key for key in keys if key not in made.secrets and not _DERIVED_KEYS.match(key)]
    if others:
        made.comments["staging_env_file"] = f"Further keys stay as they are on the host: {', '.join(others)}."


def _port(process: Mapping[str, Any], env: Mapping[str, Any], key: str, default: int) -> int:
    ports = [port for port in process.get("ports", ()) if isinstance(port, int)]
    wanted = env["ports"].get(key)
    if wanted and (not ports or wanted in ports):
        return int(wanted)
    return ports[0] if ports else default


def _socket(process: Mapping[str, Any]) -> str:
    """The path of the UNIX socket that the command of a process names; empty if there is none."""
    words = [str(word) for word in process.get("command") or ()]
    for option, value in zip(["", *words], words):
        found = _SOCKET_WORD.fullmatch(value)
        path = found[1] if found else value if option in _SOCKET_OPTIONS else ""
        if PLAIN_PATH.match(path):
            return path
    return ""


def _backend(
    made: AdoptedInventory, found: Mapping[str, Any], process: Mapping[str, Any], port: int, socket: str
) -> None:
    made.set("staging_backend_dir", str(found["dir"]))
    if found["install"]:
        made.set("staging_backend_install", str(found["install"]))
    else:
        made.ask(
            "staging_backend_install", "none", "what installs the backend; neither lock file nor requirements are there"
        )
    directory = str(made.variables["staging_project_dir"])
    if not socket:
        made.set("staging_backend_port", port)
    elif socket.startswith(f"{directory}/"):
        at = f"{directory}.run/backend.sock"
        made.set("staging_backend_socket", at, f"Was {socket}, in the directory that each release has its own of.")
    else:
        made.set("staging_backend_socket", socket)
    if process:
        made.set("staging_backend_process_name", str(process["name"]))
    command = process.get("command")
    if command:
        inside = "" if found["dir"] == "." else f"{found['dir']}/"
        words = [str(word) for word in command]
        words = [word[len(inside) :] if inside and word.startswith(inside) else word for word in words]
        if socket:
            words = [word.replace(socket, "{socket}") for word in words]
        made.set("staging_backend_command", ["{port}" if word == str(port) else word for word in words])
    else:
        why = "its command has what looks like a secret" if process else "no process of a backend runs in pm2"
        made.ask(
            "staging_backend_command",
            [".venv/bin/python", "-m", "uvicorn", "app.main:app", "--port", "{port}"],
            f"{why}; write the program and its arguments",
        )
    made.set("staging_backend_health_url", "http://127.0.0.1:{port}/health", "Check that the application answers it.")


def _frontend(made: AdoptedInventory, found: Mapping[str, Any], process: Mapping[str, Any], port: int) -> None:
    if found["dir"]:
        made.set("staging_frontend_dir", str(found["dir"]))
        made.set("staging_frontend_output_dir", str(found["output_dir"]))
    else:
        made.ask("staging_frontend_dir", "web-ui", "the directory with package.json of the page")
    made.set("staging_frontend_port", port)
    if process:
        made.set("staging_frontend_process_name", str(process["name"]))


def _addresses(
    made: AdoptedInventory,
    env: Mapping[str, Any],
    servers: Sequence[Mapping[str, Any]],
    host: str,
    backend: int | str,
    frontend_port: int,
) -> None:
    urls = {key: str(value) for key, value in env["urls"].items()}
    page, api = _server_to(servers, frontend_port), _server_to(servers, backend)
    ws_url = next((url for url in urls.values() if url.startswith(("ws://", "wss://"))), "") or _ws_url(api, backend)
    page_url = _page_url(urls, page, host, frontend_port)
    if ws_url:
        made.set("staging_public_ws_url", ws_url, "" if ws_url in urls.values() else "From nginx: check it.")
    else:
        made.ask("staging_public_ws_url", "ws://api.example.com/ws", "the URL of the WebSocket, as a browser opens it")
    made.set("staging_public_url", page_url, "" if page else "No proxy serves the page: check it.")
    api_url = next((url for key, url in urls.items() if "API" in key and url.startswith("http")), "")
    if api_url:
        made.set("staging_public_api_url", api_url)
    if page is None:
        made.set("staging_proxy_page", False, "The page is served without the proxy.")
    at = page or api
    if at is None:
        made.set("staging_proxy_provider", "manual", "No nginx on this host forwards to the application.")
        made.set("staging_proxy_address", _host_of(ws_url) or "api.example.com")
    elif "manager_host" in at:
        _manager(made, [each["manager_host"] for each in (page, api) if each and "manager_host" in each])
    else:
        made.set("staging_proxy_provider", "nginx", f"Was configured manually in {_safe(str(at['where']))}.")
        secure = next((each for each in (api, page) if each and each["tls"] and each["certificate"]), None)
        if secure:
            made.set("staging_tls_certificate", str(secure["certificate"]))
            made.set("staging_tls_key", str(secure["key"]))


def _manager(made: AdoptedInventory, hosts: Sequence[Mapping[str, Any]]) -> None:
    numbers = ", ".join(dict.fromkeys(str(int(each["id"])) for each in hosts))
    targets = ", ".join(dict.fromkeys(f"{each['forward_host']}:{each['forward_port']}" for each in hosts))
    comment = f"Proxy hosts {numbers}, which forward to {_safe(targets)}: check that this is the host."
    made.set("staging_proxy_provider", "nginx_proxy_manager", comment)
    findings = [finding for each in hosts for finding in each["findings"]]
    others = [each for each in findings if not str(each["kind"]).startswith("snippet")]
    if len(others) < len(findings):
        made.set(
            "staging_proxy_manager_replace_snippet",
            True,
            "A WebSocket snippet is pasted in the Advanced tab: replaced.",
        )
    made.open_questions += [f"Nginx Proxy Manager: {_safe(str(each['text']))}" for each in others]


def _forwards_to(location: Mapping[str, Any], place: int | str) -> bool:
    return place in (location["sockets"] if isinstance(place, str) else location["ports"])


def _server_to(servers: Sequence[Mapping[str, Any]], place: int | str) -> Mapping[str, Any] | None:
    """The server block that forwards to a port or a socket, one with TLS first."""
    found = [each for each in servers if each["names"] and any(_forwards_to(one, place) for one in each["locations"])]
    return next((each for each in found if each["tls"]), found[0] if found else None)


def _origin(server: Mapping[str, Any], plain: str, secure: str) -> str:
    tls = bool(server["tls"])
    usual = 443 if tls else 80
    port = next((each for each in server["ports"] if tls or each != 443), usual)
    port = usual if usual in server["ports"] else port
    return f"{secure if tls else plain}://{server['names'][0]}{'' if port == usual else f':{port}'}"


def _ws_url(server: Mapping[str, Any] | None, place: int | str) -> str:
    if server is None:
        return ""
    paths = [str(one["path"]) for one in server["locations"] if one["websocket"] and _forwards_to(one, place)]
    path = next((each for each in paths if each.startswith("/") and each != "/"), "/ws")
    return _origin(server, "ws", "wss") + path


def _page_url(urls: Mapping[str, str], server: Mapping[str, Any] | None, host: str, port: int) -> str:
    origin = next((url for key, url in urls.items() if key.startswith("CORS_") and url.startswith("http")), "")
    if server is not None:
        # Of several names, the one that the API lets in.
        return origin if _host_of(origin) in server["names"] else _origin(server, "http", "https")
    return origin or f"http://{host}:{port}"


def _host_of(url: str) -> str:
    parsed: Url | None
    try:
        parsed = parse_url(url)
    except UrlError:
        parsed = None
    return parsed.host if parsed else ""


def _safe(text: str) -> str:
    """A text for a comment: one line, and nothing that a terminal interprets."""
    return "".join(each if each.isprintable() else "?" for each in text)
