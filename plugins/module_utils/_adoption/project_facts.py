# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a directory that was deployed manually contains; no value that may be a secret is part of it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._dotenv.readers import UnreadableError, read_dotenv
from .._frontend.packages import LOCK_FILES
from .._host.files import read_text
from .._host.json_text import json_object, object_of
from .._host.url import UrlError, parse_url
from .._pm2.plan import in_directories
from .._pm2.process import Pm2Process
from .._release import data, git
from .._release.errors import ReleaseError
from .._release.manifest import Layout

_GIT_TIMEOUT_S = 60
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}\Z")
#: Keys whose values every visitor of the page gets.
_PUBLIC = re.compile(r"(NEXT_PUBLIC_|VITE_|PUBLIC_|REACT_APP_|NG_APP_|CORS_)")
_SECRET = re.compile(r"(?i)pass|secret|token|key|credential|://[^/\s]*@")
_LOCKS = {
    "uv.lock": "uv",
    "poetry.lock": "poetry",
    "Pipfile.lock": "pipenv",
    "pyproject.toml": "project",
    "requirements.txt": "requirements",
}
_OUTPUTS = {"next": ".next", "vite": "dist", "nuxt": ".output", "@sveltejs/kit": "build"}


def env_facts(directory: str, env_file: str) -> dict[str, Any]:
    """The keys of the env file, its ports, and the URLs that are public by their purpose.

    No other value leaves the host: which of them are secrets is not known.
    """
    text = read_text(os.path.join(directory, env_file), follow=False)
    if text is None:
        return {"exists": False, "keys": [], "urls": {}, "ports": {}}
    try:
        values = {key: value or "" for key, value in read_dotenv(text).items() if _KEY.match(key)}
    except UnreadableError:
        return {"exists": True, "keys": [], "urls": {}, "ports": {}}
    urls = {
        key: value.split(",")[0].strip()
        for key, value in values.items()
        if _PUBLIC.match(key) and _is_public_url(value.split(",")[0].strip())
    }
    ports = {
        key: int(value) for key, value in values.items() if key.endswith("PORT") and re.fullmatch(r"\d{2,5}", value)
    }
    return {"exists": True, "keys": sorted(values), "urls": urls, "ports": ports}


def _is_public_url(value: str) -> bool:
    try:
        url = parse_url(value)
    except UrlError:
        return False
    return "@" not in value and not url.query and url.scheme in ("http", "https", "ws", "wss")


def process_facts(
    processes: Sequence[Pm2Process], directory: str, ports: Mapping[int, Sequence[int]]
) -> list[dict[str, Any]]:
    """The processes that run from the directory.

    :param ports: On which each pid listens.
    """
    found: dict[str, dict[str, Any]] = {}
    for process in processes:
        if process.name in found or not in_directories(process, [directory]):
            continue
        command = [process.script, *process.args]
        if process.interpreter not in ("none", "", "node") and not process.script.startswith(process.interpreter):
            command = [process.interpreter, *process.interpreter_args, *command]
        hidden = any(_SECRET.search(word) for word in command[1:])
        found[process.name] = {
            "name": process.name,
            "kind": _kind(command),
            "ports": list(ports.get(process.pid, ())),
            "dir": _relative(process.cwd, directory),
            # A word that looks like a secret stays on the host, and the whole command with it.
            "command": None if hidden else [_relative(word, directory) or "." for word in command],
            "exec_mode": process.exec_mode,
        }
    return list(found.values())


def _kind(command: Sequence[str]) -> str:
    text = " ".join(os.path.basename(word) for word in command)
    if re.search(r"\b(python[0-9.]*|uvicorn|gunicorn|daphne|hypercorn)\b|\.py\b", text):
        return "backend"
    return "frontend" if re.search(r"\b(next|npm|pnpm|yarn|vite|nuxt|server\.js)\b", text) else "unknown"


def _relative(path: str, directory: str) -> str:
    """A path below the directory, relative to it."""
    if path == directory:
        return ""
    return path[len(directory) + 1 :] if path.startswith(directory + "/") else path


def source_facts(directory: str) -> dict[str, Any]:
    """The checkout: where it comes from, and what in it is in no commit."""
    program = git.Git(timeout_s=_GIT_TIMEOUT_S)
    nothing = {"checkout": False, "revision": "", "uncommitted": []}
    if not program.available():
        return nothing
    try:
        revision = git.head(program, directory)
        if revision is None:
            return nothing
        changes = [path for _code, path in git.changes(program, directory)]
    except (OSError, ReleaseError):
        return nothing
    return {"checkout": True, "revision": revision, "uncommitted": changes[:50]}


def frontend_facts(directory: str) -> dict[str, Any]:
    """Where the frontend is, and what builds it."""
    for name in ("web-ui", "frontend", "web", "ui", "client", "."):
        document = json_object(read_text(os.path.join(directory, name, "package.json"), follow=False))
        packages = {**object_of(document.get("dependencies")), **object_of(document.get("devDependencies"))}
        tool = next((each for each in _OUTPUTS if each in packages), "")
        if tool:
            return {"dir": name, "tool": tool, "output_dir": _OUTPUTS[tool]}
    return {"dir": "", "tool": "", "output_dir": ""}


def _is_node_server(directory: str) -> bool:
    """Whether a directory has locked packages for Node.js and builds no page."""
    if not any(os.path.isfile(os.path.join(directory, name)) for name in LOCK_FILES):
        return False
    packages = object_of(
        json_object(read_text(os.path.join(directory, "package.json"), follow=False)).get("dependencies")
    )
    return bool(packages) and not any(tool in packages for tool in (*_OUTPUTS, "react-scripts", "@angular/core"))


def backend_facts(directory: str, working: str) -> dict[str, Any]:
    """How the backend's virtual environment is filled, and where it is.

    :param working: Directory in which its process was started, relative to the project.
    """
    places = list(dict.fromkeys([working, "backend", "api", "server", ""]))
    for place in places:
        for name, install in _LOCKS.items():
            if not os.path.isabs(place) and os.path.isfile(os.path.join(directory, place, name)):
                return {"dir": place or ".", "install": install}
    for place in places:
        if not os.path.isabs(place) and _is_node_server(os.path.join(directory, place)):
            return {"dir": place or ".", "install": "npm"}
    return {"dir": working or ".", "install": ""}


def data_facts(directory: str, env_file: str) -> list[str]:
    """The paths of data in the directory, as staging_shared_paths takes them."""
    layout = Layout(env_files=[env_file])
    found = data.find(directory, layout, data.of_directory(directory, None), f"{directory}.releases/shared")
    return data.shareable(found.unshared)
