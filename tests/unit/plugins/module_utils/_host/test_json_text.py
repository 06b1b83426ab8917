# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of the host or a repository, and the functions that read it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._adoption.project_facts import frontend_facts
from ansible_collections.codeframe.staging.plugins.module_utils._frontend import (
    build_plan,
    install_scripts,
    modules,
    output,
    packages,
    retained,
    server,
    workspace,
)
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.errors import BuildError
from ansible_collections.codeframe.staging.plugins.module_utils._host.json_text import json_object, json_value
from ansible_collections.codeframe.staging.plugins.module_utils._pm2 import (
    dump_file,
    ecosystem,
    manual,
    never_ready,
    process,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._release import installed, lock, manifest, saved_state
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError

_DEEP = "[" * 200_000 + "]" * 200_000
_DEEP_OBJECT = '{"a":' * 200_000 + "1" + "}" * 200_000


@pytest.mark.parametrize("text", [_DEEP, _DEEP_OBJECT, "[", "", b"\xff", '"\\ud800'])
def test_a_document_that_cannot_be_read_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        json_value(text)
    assert json_object(text) == {}


@pytest.mark.parametrize("text", ['\ufeff{"a": 1}', b'\xef\xbb\xbf{"a": 1}'])
def test_a_byte_order_mark_is_accepted(text: str | bytes) -> None:
    assert json_value(text) == json_object(text) == {"a": 1}


@pytest.mark.parametrize("text", ["[]", "null", "1", '"a"'])
def test_another_document_is_no_object(text: str) -> None:
    assert json_object(text) == {}


def _read_package(path: Path) -> None:
    package = workspace.read_package(str(path))
    workspace.package_names(package)
    workspace.workspace_patterns(package, None)
    workspace.needed_members(".", {".": package})
    install_scripts.steps_of(package)
    packages.manager_for(["package-lock.json"], package)
    frontend_facts(str(path.parent))


def _read_lock_file(path: Path) -> None:
    lock_file = json_object((path / "file.json").read_bytes())
    packages.reasons_to_install(lock_file, lock_file, set())


def _read_build(path: Path) -> None:
    output.client_routes(str(path), {"static/chunks/a.js": ""})
    output.common_scripts(str(path))
    output.base_path(str(path))
    server.standalone_server(str(path), str(path))
    server.refuse_export(str(path))


def _read_environment(path: Path) -> None:
    record = installed.read_record(str(path))
    if record is not None:
        installed.why_damaged(str(path), record)


def _read_dump(path: Path) -> None:
    for entry in dump_file.read_dump(str(path)) or ():
        process.parse_process(entry)


def _text(path: Path) -> str:
    return (path / "file.json").read_text()


_MANIFESTS = ("app-build-manifest", "build-manifest", "prerender-manifest", "routes-manifest", "required-server-files")

#: Functions that read a file that a user of the host, or the application's repository, can write.
_READERS: Mapping[str, tuple[str, Callable[[Path], object]]] = {
    "package.json": ("package.json", _read_package),
    "lock file of npm": ("file.json", _read_lock_file),
    **{f"{name} of Next.js": (f"{name}.json", _read_build) for name in _MANIFESTS},
    "record of a build": ("file.json", lambda path: build_plan.read_record(_text(path))),
    "record of the modules": (modules.MODULES_RECORD, lambda path: modules.modules_damage(str(path))),
    "retained files": (
        os.path.basename(retained.retained_record("static")),
        lambda path: retained.retained_files(str(path / "static")),
    ),
    "record of a virtual environment": (installed.COMPLETE, _read_environment),
    "processes of pm2": ("dump.pm2", _read_dump),
    "processes without a signal": ("staging-never-ready.json", lambda path: never_ready._known(str(path))),
    "manual processes": ("file.json", lambda path: manual.saved_manual(str(path / "file.json"))),
    "ecosystem file": ("file.json", lambda path: ecosystem.read_ecosystem(str(path / "file.json"), "node", {})),
    "lock": ("file.json", lambda path: lock.holder_from_json(_text(path))),
    "manifest": ("file.json", lambda path: manifest.from_text(_text(path), "manifest")),
    "saved state": ("file.json", lambda path: saved_state.from_text(_text(path), "state", "/srv/app")),
}
_ODD: tuple[Any, ...] = (None, 1, "text", [], ["text", 1], {}, {"a": {"b": 1}}, [[{"a": 1}]], {"": []})
_KEYS = (
    *("name", "scripts", "dependencies", "devDependencies", "workspaces", "packageManager", "devEngines", "volta"),
    *("packages", "node_modules/a", "pages", "rootMainFiles", "polyfillFiles", "routes", "dynamicRoutes", "basePath"),
    *("config", "output", "relativeAppDir", "version", "inputs", "files", "apps", "project", "releases", "verified"),
    "distributions",
    *(
        "pm2_env",
        "env",
        "pm_id",
        "pid",
        "status",
        "args",
        "node_args",
        "exec_mode",
        "restart_time",
        "unstable_restarts",
    ),
    *("exit_code", "pm_uptime", "created_at", "pm_exec_path", "pm_cwd", "exec_interpreter", "watch", "instances"),
)
_DOCUMENTS = {
    "deep array": _DEEP,
    "deep object": _DEEP_OBJECT,
    **{f"document {json.dumps(value)}": json.dumps(value) for value in _ODD},
    **{f"every value {json.dumps(value)}": json.dumps(dict.fromkeys(_KEYS, value)) for value in _ODD},
    **{f"list of every value {json.dumps(value)}": json.dumps([dict.fromkeys(_KEYS, value)]) for value in _ODD},
    **{
        f"every second value {json.dumps(value)}": json.dumps({key: dict.fromkeys(_KEYS, value) for key in _KEYS})
        for value in _ODD
    },
}


@pytest.mark.parametrize("document", _DOCUMENTS.values(), ids=_DOCUMENTS.keys())
@pytest.mark.parametrize("reader", _READERS)
def test_no_document_ends_a_run_without_a_cause(reader: str, document: str, tmp_path: Path) -> None:
    name, read = _READERS[reader]
    place = tmp_path / "web-ui"
    (place / Path(name).parent).mkdir(parents=True)
    (place / name).write_text(document)
    (place / "build-manifest.json").touch()
    with contextlib.suppress(BuildError, Pm2Error, ReleaseError):
        read(place)
