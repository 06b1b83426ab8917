# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers that belong to the deploy user, compared in a process that has the rights of that user.

Each comparison is the prediction of the module that would change the layer. What one layer means for the next is in
:mod:`.prediction`.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Callable

from .._backend.blue_green import found_instances, plan_blue_green
from .._backend.hook_commands import HookError, HookOutcome
from .._backend.hook_run import run as run_hook
from .._backend.node_build import build_node, options_of
from .._backend.virtualenv import provide
from .._backend.virtualenv_inputs import VirtualenvOptions
from .._dotenv.document import ParseError
from .._dotenv.manage import ManagedFile
from .._dotenv.manage import manage as manage_env_file
from .._dotenv.options import OptionsError
from .._dotenv.plan import RefusedKeysError
from .._dotenv.store import StoreError
from .._frontend.build import BuildOutcome, build_frontend
from .._frontend.errors import BuildError
from .._frontend.frontend import BuildOptions
from .._frontend.retained import read_plan
from .._frontend.server import Server, process_of
from .._pm2.error import ClosedLogError, Pm2Error, UnmanagedProcessError
from .._pm2.run import SHARED_REASONS, FailedError, ask_beforehand
from .._pm2.run import manage as manage_process
from .._pm2.state import SharedList
from .._release.call import call as call_release
from .._release.errors import ReleaseError, explain
from .._release.plan import Found
from .._release.project import Project
from .layer import (
    BACKEND,
    BACKEND_BUILD,
    BUILD,
    ENV_FILE,
    FRONTEND,
    RELEASE,
    STATIC_FILES,
    VIRTUALENV,
    Layer,
    compared,
    to_data,
    unknown,
)
from .options import AccountOptions, Options
from .prediction import (
    Changes,
    activation_reasons,
    backend_revision,
    forbidden_urls,
    frontend_revision,
    record_reasons,
)

#: What a prediction raises where it cannot compare.
REFUSALS = (ReleaseError, BuildError, HookError, Pm2Error, FailedError)
#: What only a person can put right: a deployment would be refused.
FOR_A_PERSON = (UnmanagedProcessError, ClosedLogError, ParseError, RefusedKeysError, OptionsError, StoreError)


def look_as_account(options: AccountOptions) -> dict[str, Any]:
    """Compare the layers of the deploy user.

    :returns: ``layers``, ``release`` (the result of ``release`` in check mode), ``changes``, and ``secrets``, values
        that must not be shown.
    """
    return _Look(options).run()


def attempt(name: str, compare: Callable[[], Layer]) -> Layer:
    """Return the layer, or that it could not be compared and why."""
    try:
        return compare()
    except FOR_A_PERSON as problem:
        return unknown(name, problem, refused=True)
    except REFUSALS as problem:
        return unknown(name, problem)
    except OSError as problem:
        return unknown(name, explain(problem))


def _leads_elsewhere(project_dir: str) -> bool:
    """Whether a project directory is a link to something that is not the application, so that nothing there differs."""
    try:
        return Project(project_dir).find()[0] is Found.UNMANAGED_LINK
    except OSError:
        return False


class _Look:
    def __init__(self, options: AccountOptions) -> None:
        self.options = options
        self.release: dict[str, Any] = {}
        self.directory = str(options.release["project_dir"])
        #: A commit would change something, or has something to tell.
        self.commits = True
        self.env: ManagedFile | None = None
        #: Names what is installed for the backend.
        self.installed: str | None = None
        self.listed: SharedList | None = None
        self.build_fingerprint = ""
        self.build_id = ""
        self.server = Server()
        #: Whether the backend changes, so that pm2 saves its list of processes before the frontend is managed.
        self.saves = False

    def run(self) -> dict[str, Any]:
        options = self.options
        if options.instances or options.frontend is not None:
            self.listed = ask_beforehand()
        elsewhere = _leads_elsewhere(self.directory)
        release = attempt(RELEASE, self._release)
        layers = {RELEASE: release}
        for name, wanted, compare in (
            (ENV_FILE, options.env_file, self._env_file),
            (VIRTUALENV, options.virtualenv, self._virtualenv),
            (BACKEND_BUILD, options.backend_build, self._backend_build),
            (BUILD, options.build, self._build),
        ):
            if wanted is not None and elsewhere:
                layers[name] = unknown(name, "which release is active is not known")
            elif wanted is not None:
                layers[name] = attempt(name, lambda compare=compare, wanted=wanted: compare(wanted))  # type: ignore[misc]
        changes = self._changes(layers)
        if changes.release and ENV_FILE in layers:
            # Another source may have what is missing, or an example that can be read.
            layers[ENV_FILE] = replace(layers[ENV_FILE], refused=False)
        layers[RELEASE] = self._with_activation(release, changes)
        if options.instances:
            layers[BACKEND] = attempt(BACKEND, lambda: self._backend(layers, changes))
        if (frontend := options.frontend) is not None:
            layers[FRONTEND] = attempt(FRONTEND, lambda: self._frontend(frontend, changes))
        if options.static_path and self.release:
            layers[STATIC_FILES] = attempt(STATIC_FILES, self._static_files)
        return {
            "layers": to_data(layers.values()),
            "release": self.release,
            "restores": changes.restores,
            "activates": changes.activates,
            "commits": self.commits,
            "builds": changes.build,
            "server": {"kind": self.server.kind, "command": list(self.server.command)},
            "secrets": list(self.env.secrets) if self.env else [],
        }

    # --- what a release consists of ---------------------------------------------------------------

    def _release(self) -> Layer:
        self.release, warnings = call_release({**self.options.release, "state": "prepared"}, predicting=True)
        self.directory = self.release["base_path"] or self.release["path"] or self.directory
        if self.release["active"]:
            commit, _warnings = call_release({**self.options.release, "state": "committed"}, predicting=True)
            self.commits = commit["changed"] or bool(commit["kept_for_data"])
        return compared(RELEASE, self.release, warnings=warnings)

    def _env_file(self, wanted: Options) -> Layer:
        paths = {name: os.path.join(self.directory, wanted[name]) for name in ("path", "example_path") if wanted[name]}
        snapshots = self.release.get("env_snapshots", {})
        generated = os.path.join(self.release["releases_dir"], "generated.env") if self.release else None
        files = {**paths, "snapshot_path": snapshots.get(wanted["path"]), "generated_path": generated}
        try:
            self.env = manage_env_file({**wanted, **files}, predicting=True)
        except ParseError as problem:
            raise StoreError(problem.of_file(paths["path"])) from None
        result = self.env.result
        keys = [*result["keys_added"], *result["keys_changed"], *result["keys_removed"]]
        reasons = [f"keys {', '.join(keys)}"] if keys else []
        reasons += [", ".join(result["attributes_changed"])] if result["attributes_changed"] else []
        reasons += ["the example"] if result["example_changed"] else []
        return compared(ENV_FILE, {**result, "reasons": reasons or ["its text"]}, warnings=self.env.warnings)

    def _virtualenv(self, wanted: Options) -> Layer:
        digest = self.release.get("partial_source_digest")
        path = os.path.join(self.directory, wanted["path"])
        found = provide(
            VirtualenvOptions.of({**wanted, "path": os.path.normpath(path), "source_digest": digest}), predicting=True
        )
        # Beside a damaged one, another environment of the same digest has another name.
        self.installed = os.path.basename(found.path or "")
        return compared(VIRTUALENV, {"changed": found.changed, "reasons": found.reasons})

    def _backend_build(self, wanted: Options) -> Layer:
        path = os.path.normpath(os.path.join(self.directory, wanted["path"]))
        places = {"path": path, "source_list": self.release.get("source_list"), "source_root": self.directory}
        outcome = BuildOutcome()
        self.installed = build_node(options_of({**wanted, **places}), outcome, predicting=True)
        reasons = [*outcome.install_reasons, *outcome.build_reasons]
        return compared(BACKEND_BUILD, {"changed": outcome.changed, "reasons": reasons}, warnings=outcome.warnings)

    def _build(self, wanted: Options) -> Layer:
        listed = self.release.get("source_list")
        verified = self.options.verified_urls.get(self.release.get("active") or "", "")
        forbidden = forbidden_urls(wanted["forbidden_urls"], verified, wanted["expected_urls"])
        path = os.path.normpath(os.path.join(self.directory, wanted["path"]))
        places = {"path": path, "source_list": listed, "source_root": self.directory}
        outcome = BuildOutcome()
        build_frontend(BuildOptions.of({**wanted, **places, "forbidden_urls": forbidden}), outcome, predicting=True)
        self.build_fingerprint, self.build_id, self.server = outcome.revision, outcome.build_id, outcome.server
        reasons = outcome.build_reasons or outcome.install_reasons
        return compared(BUILD, {"changed": outcome.changed, "reasons": reasons}, warnings=outcome.warnings)

    # --- what they mean for one another -----------------------------------------------------------

    def _changes(self, layers: Mapping[str, Layer]) -> Changes:
        def differs(name: str) -> bool:
            return name in layers and layers[name].state != "in_sync" and not layers[name].refused

        restores = bool(self.env and self.env.result["restores"])
        # Not everything that a run does to the releases makes another one the active one.
        release = bool(self.release.get("candidate")) or bool(layers[RELEASE].unknown)
        installs = differs(VIRTUALENV) or differs(BACKEND_BUILD)
        return Changes(release, differs(ENV_FILE), restores, installs, differs(BUILD))

    def _with_activation(self, layer: Layer, changes: Changes) -> Layer:
        active = self.release.get("active")
        reasons = activation_reasons(changes, active)
        if self.release and not changes.activates:
            reasons += record_reasons(self.release["records"], self._revisions(), active)
        return Layer(layer.name, (*layer.reasons, *reasons), layer.unknown, layer.diff, layer.warnings)

    def _revisions(self) -> dict[str, str]:
        """The revisions that a deployment would record, of the parts that are compared."""
        found = {}
        if self.options.virtualenv is not None or self.options.backend_build is not None or self.options.instances:
            digest = self.release.get("partial_source_digest")
            found["backend_revision"] = backend_revision(digest, self.installed)
        if self.options.build is not None:
            found["frontend_revision"] = frontend_revision(self.build_fingerprint, self.build_id)
        return found

    # --- processes --------------------------------------------------------------------------------

    def _process(self, wanted: Options, revision: str) -> dict[str, Any]:
        env_text = self.env.text if self.env and wanted["env_file"] else None
        with tempfile.TemporaryDirectory() as directory:
            result, _warnings = manage_process(
                {**wanted, "revision": revision or None},
                check=True,
                directory=directory,
                env_text=env_text,
                shared=self.listed,
            )
        return result

    def _backend(self, layers: Mapping[str, Layer], changes: Changes) -> Layer:
        revision = self._revisions().get("backend_revision", "")
        if RELEASE in layers and changes.release and not self.release.get("partial_source_digest"):
            return unknown(BACKEND, "whether its source changes is only known when the new source is on the host")
        found = [self._process(instance, revision) for instance in self.options.instances]
        chosen, retiring = 0, []
        if len(found) > 1:
            wanted = [{"name": each["name"], "port": each["health_port"]} for each in self.options.instances]
            instances = found_instances(wanted, found)
            plan = plan_blue_green(instances, self.options.proxied_port or None)
            chosen = instances.index(plan.serve)
            retiring = [f"the instance {instance.name} is not used any more" for instance in plan.retire]
        self.saves = found[chosen]["changed"]
        layer = compared(BACKEND, found[chosen], retiring)
        return self._with_hook(layer, revision)

    def _with_hook(self, layer: Layer, revision: str) -> Layer:
        hook = self.options.hook
        if hook is None or not hook["commands"]:
            return layer
        reason = run_hook({**hook, "revision": revision}, HookOutcome(), predicting=True)
        return Layer(layer.name, (*layer.reasons, *([reason] if reason else [])), layer.unknown, layer.diff)

    def _frontend(self, wanted: Mapping[str, Any], changes: Changes) -> Layer:
        if wanted["state"] == "online" and not wanted["ecosystem_file"]:
            command, env = process_of(self.server, self.options.frontend_port)
            if not wanted["script"] and not command:
                return unknown(FRONTEND, "its server is only known when it is built")
            given = {} if wanted["script"] else {"script": command[0], "args": command[1:]}
            wanted = {**wanted, **given, "env": {**env, **wanted["env"]}}
        result = self._process(wanted, self._revisions().get("frontend_revision", ""))
        if self.saves and {*result["reasons"]} <= SHARED_REASONS:
            result = {**result, "changed": False}
        built_again = changes.build and wanted["state"] == "online" and not result["changed"]
        more = ["the frontend is built again"] if built_again else []
        return compared(FRONTEND, result, more)

    def _static_files(self) -> Layer:
        """Files of earlier builds in a build whose process serves them itself."""
        path, project = self.options.static_path, str(self.options.release["project_dir"])
        releases = [os.path.join(self.release["releases_dir"], each["id"]) for each in self.release["releases"]]
        plan = read_plan(os.path.join(project, path), [os.path.join(release, path) for release in releases])
        reasons = [f"files of earlier builds added: {len(plan.add)}"] if plan.add else []
        return compared(STATIC_FILES, {"changed": bool(plan.add), "reasons": reasons})
