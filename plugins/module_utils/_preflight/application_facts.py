# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the source of the application says of itself."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from typing import Any

from .._backend.requirements import project_files, requirement_files
from .._frontend.errors import BuildError
from .._frontend.frameworks import Framework, exports_pages, framework_of
from .._frontend.packages import LOCK_FILES, manager_for
from .._frontend.workspace import find_workspace, package_names, read_package
from .._host.files import read_text
from .._host.json_text import json_value, read_json_object
from .._host.toml_text import table_of
from .._release.errors import ReleaseError
from .application import Application, Package
from .variables import DeploymentInputs
from .versions import pipfile_python, poetry_python, requires_python

#: Read by nvm, and by nodenv, asdf and fnm.
_VERSION_FILES = (".nvmrc", ".node-version", ".tool-versions")
_MISE_FILES = ("mise.toml", ".mise.toml")
#: Read by pyenv and uv, asdf, and Heroku.
_PYTHON_FILES = (".python-version", ".tool-versions", "runtime.txt")
#: Packages whose range of Node.js a build fails outside of, often without naming it.
_FRAMEWORKS = {
    "next": "Next.js",
    "vite": "Vite",
    "@angular/cli": "Angular CLI",
    "nuxt": "Nuxt",
    "astro": "Astro",
    "@sveltejs/kit": "SvelteKit",
    "@react-router/dev": "React Router",
    "@remix-run/dev": "Remix",
}
_LTS_NAMES = {"gallium": "16", "hydrogen": "18", "iron": "20", "jod": "22", "krypton": "24"}
_OF_PYTHON = ("requirements", "project", "uv", "poetry", "pipenv")
_MANAGERS = ("npm", "pnpm", "yarn", "bun")
#: Options by which a package manager runs a script of another directory.
_ELSEWHERE = frozenset({"-w", "--workspace", "-ws", "--workspaces", "--filter", "-F", "--prefix", "-C", "--cwd", "-r"})


def look_at_application(source: str, inputs: DeploymentInputs) -> Application:
    """:param source: Directory of the source, on this machine."""
    backend = os.path.normpath(os.path.join(source, inputs.text("staging_backend_dir")))
    install = inputs.text("staging_backend_install")
    exists = os.path.isdir(backend)
    return Application(
        page=_package(source, _frontend(source, inputs), "frontend", inputs),
        has_backend_dir=exists,
        backend=_package(source, backend, "backend", inputs) if exists and install == "npm" else None,
        packages=_packages_problem(backend, install, inputs) if exists and install in _OF_PYTHON else "",
        framework=_framework(source, inputs),
        exports=any(exports_pages(read_text(path) or "") for path in _next_configs(_frontend(source, inputs))),
    )


def _framework(source: str, inputs: DeploymentInputs) -> Framework | None:
    """The framework of the page; None where its package.json needs no packages, or leaves them to the workspace."""
    page = _frontend(source, inputs)
    package, root = read_package(page), read_package(_packages_at(source, page))
    found = framework_of(package)
    tells = package_names(package) and not framework_of(root).package
    return found if found.package or tells else None


def _next_configs(page: str) -> list[str]:
    return [os.path.join(page, f"next.config.{ending}") for ending in ("js", "mjs", "ts", "cjs")]


def _package(source: str, directory: str, part: str, inputs: DeploymentInputs) -> Package:
    package, problem = _package_json(directory)
    place = _packages_at(source, directory)
    names = os.listdir(place) if os.path.isdir(place) else []
    manager = ""
    # A command of the user needs no package manager that is known here.
    if not inputs.get(f"staging_{part}_install_command"):
        try:
            manager_for(names, read_package(place))
        except BuildError as error:
            manager = str(error)
    scripts = package.get("scripts")
    script = _script_of(inputs.or_default(f"staging_{part}_build_command"))
    return Package(
        problem=problem,
        has_lock=any(os.path.isfile(os.path.join(place, name)) for name in LOCK_FILES),
        manager=manager,
        missing_script="" if isinstance(scripts, dict) and script in scripts else script,
    )


def _script_of(command: Any) -> str:
    """The script of package.json that a command runs; empty if it runs none there.

    Options before it may name another directory.
    """
    words = [str(word) for word in command] if isinstance(command, list) else []
    runs = len(words) > 2 and words[0] in _MANAGERS and words[1] in ("run", "run-script")
    elsewhere = _ELSEWHERE.intersection(word.partition("=")[0] for word in words)
    return words[2] if runs and not words[2].startswith("-") and not elsewhere else ""


def _packages_problem(backend: str, install: str, inputs: DeploymentInputs) -> str:
    """Why the packages of a backend in Python cannot be installed; empty where they can."""
    try:
        if install == "requirements":
            requirement_files(backend, inputs.text("staging_backend_requirements"))
        else:
            project_files(backend, install)
    except ReleaseError as error:
        return str(error)
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}; repair it in the source"
    return ""


def wanted_node(source: str, inputs: DeploymentInputs) -> dict[str, str]:
    """Ranges of Node.js' versions that the application and its framework need."""
    frontend = _frontend(source, inputs)
    packages = _packages_at(source, frontend)
    found = {}
    # The nearest one counts.
    for place in dict.fromkeys((os.path.normpath(source), packages, frontend)):
        found.update(_node_ranges(place))
    backend = os.path.normpath(os.path.join(source, inputs.text("staging_backend_dir")))
    if inputs.text("staging_backend_install") == "npm" and backend != frontend:
        found.update({f"{name} of the backend": wanted for name, wanted in _node_ranges(backend).items()})
    return {**found, **_framework_node(packages, os.path.relpath(frontend, packages))}


def _framework_node(packages: str, member: str) -> dict[str, str]:
    """Ranges of Node.js' versions that the frameworks of npm's lock file need, by name and version.

    :param packages: Directory of the lock file.
    :param member: Directory of the frontend, relative to it.
    """
    found = {}
    with contextlib.suppress(ValueError, TypeError, AttributeError):
        locked = read_json_object(os.path.join(packages, "package-lock.json")).get("packages", {})
        for name, title in _FRAMEWORKS.items():
            entry = locked.get(f"{member}/node_modules/{name}") or locked.get(f"node_modules/{name}") or {}
            if isinstance(entry.get("engines", {}).get("node"), str):
                found[f"{title} {entry.get('version', '')}".strip()] = entry["engines"]["node"]
    return found


def _node_ranges(directory: str) -> dict[str, str]:
    """Ranges of Node.js' versions that a directory names, by the name of the file."""
    texts = {name: read_text(os.path.join(directory, name)) or "" for name in _VERSION_FILES}
    found = {name: node_range(_version_in(name, text, "nodejs|node")) for name, text in texts.items()}
    package = _package_json(directory)[0]
    engines, volta, developed = package.get("engines"), package.get("volta"), package.get("devEngines")
    if isinstance(volta, dict):
        found["volta in package.json"] = node_range(str(volta.get("node", "")))
    if isinstance(engines, dict) and isinstance(engines.get("node"), str):
        found["package.json"] = engines["node"]
    runtime = developed.get("runtime") if isinstance(developed, dict) else None
    for entry in runtime if isinstance(runtime, list) else [runtime]:
        if isinstance(entry, dict) and entry.get("name") == "node":
            found["devEngines in package.json"] = str(entry.get("version") or "")
    found["mise.toml"] = node_range(_version_of_mise(directory, "node"))
    return {name: wanted for name, wanted in found.items() if wanted}


def _version_of_mise(directory: str, program: str) -> str:
    """Return the version of a program in the table of tools of a mise.toml."""
    text = next((text for text in (read_text(os.path.join(directory, name)) for name in _MISE_FILES) if text), "")
    tools = table_of(text, "tools") or ""
    found = re.search(rf"""(?m)^\s*["']?{program}["']?\s*=\s*(?:\[\s*)?["']([^"']+)["']""", tools)
    return found[1] if found else ""


def _version_in(name: str, text: str, program: str) -> str:
    """Return the version of a program in a version file, of which one has those of other programs, too.

    :param program: A regular expression for its name.
    """
    if name != ".tool-versions":
        return text
    match = re.search(rf"^(?:{program})\s+(\S+)", text, re.MULTILINE)
    return match[1] if match else ""


def node_range(text: str) -> str:
    """Return the range of the versions that a version file of nvm and its like allows; empty for all.

    A version that is written in full allows later ones of its major version.
    """
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    wanted = next((line for line in lines if line), "").lstrip("v")
    if wanted.startswith("lts/"):
        return _LTS_NAMES.get(wanted[len("lts/") :].lower(), "")
    if not wanted[:1].isdigit():
        return ""
    return f"^{wanted}" if wanted.count(".") else wanted


def _frontend(source: str, inputs: DeploymentInputs) -> str:
    return os.path.normpath(os.path.join(source, inputs.text("staging_frontend_dir")))


def _packages_at(source: str, frontend: str) -> str:
    """The directory with the lock file: that of the frontend, or the root of its workspace."""
    workspace = find_workspace(frontend, os.path.normpath(source))
    return workspace.root if workspace else frontend


def wanted_python(source: str, inputs: DeploymentInputs) -> dict[str, str]:
    """Ranges of Python's versions that the backend needs."""
    install = inputs.text("staging_backend_install")
    if install in {"npm", "none"}:
        # A backend without a virtual environment needs none.
        return {}
    backend = os.path.join(source, inputs.text("staging_backend_dir"))
    project = read_text(os.path.join(backend, "pyproject.toml")) or ""
    found = {"pyproject.toml": requires_python(project)}
    if install == "poetry" and not found["pyproject.toml"]:
        found["pyproject.toml"] = poetry_python(project)
    if install == "pipenv":
        found = {"Pipfile": pipfile_python(read_text(os.path.join(backend, "Pipfile")) or "")}
    return {name: needed for name, needed in found.items() if needed}


def pinned_python(source: str, inputs: DeploymentInputs) -> dict[str, str]:
    """The minor version of Python that a version file names, as a range: that of the backend, or else of the source."""
    if inputs.text("staging_backend_install") not in _OF_PYTHON:
        return {}
    for directory in (os.path.join(source, inputs.text("staging_backend_dir")), source):
        texts = {name: read_text(os.path.join(directory, name)) or "" for name in _PYTHON_FILES}
        found = {name: python_range(_version_in(name, text, "python")) for name, text in texts.items()}
        found["mise.toml"] = python_range(_version_of_mise(directory, "python"))
        if any(found.values()):
            return {name: wanted for name, wanted in found.items() if wanted}
    return {}


def python_range(text: str) -> str:
    """Return the range of the versions that a version file of Python allows; empty for all.

    Another patch release of the same minor version will do, since hosts have the one of their distribution.
    """
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    wanted = next((line for line in lines if line), "")
    found = re.match(r"(?:cpython[-@]|python-)?(\d+)(?:\.(\d+))?(?:[.\d]*)\Z", wanted)
    return "" if found is None else f"=={found[1]}.{found[2]}.*" if found[2] else f"=={found[1]}.*"


def _package_json(directory: str) -> tuple[Mapping[str, Any], str | None]:
    """The content of package.json, and why it cannot be used: None where it is missing, empty where it can."""
    text = read_text(os.path.join(directory, "package.json"))
    if text is None:
        return {}, None
    try:
        package = json_value(text)
    except ValueError as error:
        return {}, f"is not valid JSON ({error})"
    return (package, "") if isinstance(package, dict) else ({}, "contains no object")
