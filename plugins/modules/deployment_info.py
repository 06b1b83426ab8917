#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: deployment_info
short_description: Compare every layer of a deployment with what is wanted
version_added: "0.1.0"
description:
  - Looks at a host once, and tells which layers of a deployment differ from what is wanted, why, and what could not be
    known. It changes nothing.
  - The comparison of a layer is the prediction that its module makes in check mode, so the options of the
    layer are those of that module. A layer without options is not compared.
  - Run the task as root. Layers of the deploy user are compared in a process that has the rights of that user alone.
    What that process answers is only passed on, so it decides nothing that root does.
options:
  project_dir:
    description: The project directory, which is a symbolic link to the active release.
    type: path
    required: true
  user:
    description: The deploy user.
    type: str
    required: true
  runtime:
    description: Options of M(codeframe.staging.runtime_info).
    type: dict
  release:
    description:
      - Options of M(codeframe.staging.release) for O(codeframe.staging.release#module:state=prepared).
    type: dict
    required: true
  git_key:
    description: The O(codeframe.staging.release#module:git_key) of the source.
    type: str
  git_token:
    description: The O(codeframe.staging.release#module:git_token) of the source.
    type: str
  env_file:
    description:
      - Options of M(codeframe.staging.dotenv_file), without secret values. Paths are relative to the release.
    type: dict
  env_secrets:
    description: The O(codeframe.staging.dotenv_file#module:secret_values) of the env file.
    type: dict
    default: {}
  virtualenv:
    description: Options of M(codeframe.staging.backend_virtualenv). The path is relative to the release.
    type: dict
  backend_build:
    description: Options of M(codeframe.staging.backend_node_build). The path is relative to the release.
    type: dict
  build:
    description: Options of M(codeframe.staging.frontend_build). The path is relative to the release.
    type: dict
  backend:
    description:
      - Options of M(codeframe.staging.pm2_process) for each instance of the backend, blue first.
    type: list
    elements: dict
    default: []
  backend_health_headers:
    description: The O(codeframe.staging.pm2_process#module:health_websocket_headers) of each instance.
    type: dict
    default: {}
  backend_health_query:
    description: The O(codeframe.staging.pm2_process#module:health_websocket_query) of each instance.
    type: dict
    default: {}
  backend_proxied_port:
    description: The port of the instance that the proxy routes to. Only used with two instances.
    type: int
    default: 0
  backend_hook:
    description: Options of M(codeframe.staging.backend_hook) for the commands after the activation.
    type: dict
  frontend:
    description:
      - Options of M(codeframe.staging.pm2_process) for the frontend.
      - Without a script, the process is that of RV(codeframe.staging.frontend_build#module:server).
    type: dict
  frontend_port:
    description: The port of the frontend, for a server that is found.
    type: int
    default: 0
  static_path:
    description: Directory of the static files of a build, relative to the release.
    type: str
    default: ""
  static_files:
    description:
      - Options of M(codeframe.staging.static_files). If its state is V(absent), the process of the frontend serves the
        files, and those of earlier builds are compared as M(codeframe.staging.static_files_retained) does.
    type: dict
  site:
    description: Options of M(codeframe.staging.nginx_site), without the content.
    type: dict
  site_contents:
    description:
      - Texts of the site by the version of nginx from which on they are written. The one for V(0) is written for
        all versions that are older than the others.
    type: dict
    default: {}
  effective:
    description:
      - Options of M(codeframe.staging.nginx_effective_info), to explain what nginx does with the WebSocket as well.
    type: dict
  timeout:
    description: Seconds after which the process of the deploy user is given up.
    type: int
    default: 600
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    description: Changes nothing, so it does the same in check mode.
    support: full
  diff_mode:
    description: Returns what a deployment would change.
    support: full
"""

EXAMPLES = r"""
- name: Compare the release and the site with what is wanted
  codeframe.staging.deployment_info:
    project_dir: /home/deploy/projects/app
    user: deploy
    release:
      source_type: git
      git_url: https://git.example.com/app.git
      version: v1.4.0
    site:
      name: app
    site_contents:
      "0": "{{ lookup('ansible.builtin.template', 'site.conf.j2') }}"
  become: true
  register: look
"""

RETURN = r"""
in_sync:
  description: Whether nothing differs, and everything is known.
  returned: success
  type: bool
layers:
  description: The compared layers, in the order in which a deployment brings them up.
  returned: success
  type: list
  elements: dict
  contains:
    layer:
      description: One of V(runtime), V(release), V(env_file), V(virtualenv), V(backend_build), V(build), V(backend),
        V(frontend), V(static_files) and V(proxy).
      type: str
    state:
      description: One of V(in_sync), V(drifted), and V(unknown) if nothing is known to differ, but not all is known.
      type: str
    reasons:
      description: How it differs.
      type: list
    unknown:
      description: What could not be known, and why.
      type: list
    refused:
      description: Whether a deployment is refused for it, such as for a process of another application of that name,
        or an env file that is a link.
      type: bool
    diff:
      description: The texts that differ, as in diff mode; without values that may not be shown.
      type: list
restores:
  description: Whether the env file has only drifted, so that it is restored in place.
  returned: success
  type: bool
activates:
  description: Whether a deployment would activate another release.
  returned: success
  type: bool
commits:
  description:
    - Whether a commit of the active release would change something, such as delete old releases, or has something to
      tell.
  returned: success
  type: bool
server:
  description: Server of the build, with C(kind) and C(command), as M(codeframe.staging.frontend_build) returns it.
  returned: success
  type: dict
release:
  description: What M(codeframe.staging.release) returns in check mode. Empty if the deploy user does not exist yet.
  returned: success
  type: dict
saved:
  description: What M(codeframe.staging.saved_state) returns.
  returned: success
  type: dict
effective:
  description:
    - What M(codeframe.staging.nginx_effective_info) returns. Empty without O(effective), or if it cannot be read.
  returned: success
  type: dict
lock:
  description: Who holds the deployment lock, with C(who) and C(since). Empty if it is free.
  returned: success
  type: dict
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._backend.arguments import HOOK, NODE_BUILD, VIRTUALENV
from ..module_utils._backend.hook import AFTER
from ..module_utils._deployment.layer import Layer, without_secrets
from ..module_utils._deployment.look import Look, look
from ..module_utils._deployment.options import AccountOptions, RootOptions
from ..module_utils._dotenv.arguments import FILE
from ..module_utils._frontend.arguments import BUILD, STATIC_FILES
from ..module_utils._host.shown import shown, shown_result
from ..module_utils._host.url import passwords_in
from ..module_utils._nginx.effective.arguments import EFFECTIVE
from ..module_utils._nginx.site.arguments import SITE
from ..module_utils._pm2.arguments import PROCESS
from ..module_utils._release.arguments import RELEASE
from ..module_utils._runtime.arguments import RUNTIME


class OptionsOfLayers:
    """The options of each layer, checked as its module does."""

    def __init__(self, module: AnsibleModule) -> None:
        self.module = module
        self.params = module.params

    def read(self, option: str, spec: dict[str, Any], **given: Any) -> Any:
        """Return the options of a layer; ``None`` if it is not compared.

        :param given: What this module knows itself.
        """
        if self.params[option] is None:
            return None
        return self.checked(option, spec, {**self.params[option], **given})

    def checked(self, option: str, spec: dict[str, Any], options: dict[str, Any]) -> Any:
        """Return options with their types and defaults."""
        result = ArgumentSpecValidator(spec).validate(options)
        if result.error_messages:
            self.module.fail_json(msg=f"{option}: {'; '.join(result.error_messages)}")
        return result.validated_parameters

    def of_root(self) -> RootOptions:
        project, static_path = self.params["project_dir"], self.params["static_path"]
        return RootOptions(
            runtime=self.read("runtime", RUNTIME, user=self.params["user"]),
            static_files=self.read(
                "static_files", STATIC_FILES, src=f"{project}/{static_path}", user=self.params["user"]
            ),
            static_path=static_path,
            site=self.read("site", SITE, content=""),
            contents={str(since): str(text) for since, text in self.params["site_contents"].items()},
            effective=self.read("effective", EFFECTIVE),
        )

    def of_account(self, static_files: Any) -> AccountOptions:
        project, params = self.params["project_dir"], self.params
        own = {
            "health_websocket_headers": params["backend_health_headers"] or None,
            "health_websocket_query": params["backend_health_query"] or None,
        }
        instances = [
            self.checked("backend", PROCESS, {**options, **own, "project_dir": project})
            for options in params["backend"]
        ]
        served_by_process = static_files is None or static_files["state"] == "absent"
        return AccountOptions(
            release=self.read(
                "release", RELEASE, project_dir=project, git_key=params["git_key"], git_token=params["git_token"]
            ),
            env_file=self.read("env_file", FILE, secret_values=params["env_secrets"], owner=params["user"]),
            virtualenv=self.read("virtualenv", VIRTUALENV),
            backend_build=self.read("backend_build", NODE_BUILD),
            build=self.read("build", BUILD),
            instances=instances,
            hook=self.read("backend_hook", HOOK, project_dir=project, hook=AFTER, revision=""),
            frontend=self.read("frontend", PROCESS, project_dir=project),
            frontend_port=params["frontend_port"],
            static_path=params["static_path"] if served_by_process else "",
            proxied_port=params["backend_proxied_port"],
        )


def result_of(found: Look) -> dict[str, Any]:
    """Return the result of the module."""
    layers: list[Layer] = found.layers
    holder = found.holder
    return {
        "changed": False,
        "in_sync": all(layer.state == "in_sync" for layer in layers),
        "layers": [layer.as_result() for layer in layers],
        "restores": found.restores,
        "activates": found.activates,
        "commits": found.commits,
        "server": found.server,
        "release": found.release,
        "saved": found.saved,
        "effective": found.effective,
        "lock": {"who": holder.who, "since": holder.since} if holder else {},
        "diff": [each for layer in layers for each in layer.diff],
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "project_dir": {"type": "path", "required": True},
            "user": {"type": "str", "required": True},
            "runtime": {"type": "dict"},
            "release": {"type": "dict", "required": True},
            "git_key": {"type": "str", "no_log": True},
            "git_token": {"type": "str", "no_log": True},
            "env_file": {"type": "dict"},
            "env_secrets": {"type": "dict", "default": {}, "no_log": True},
            "virtualenv": {"type": "dict"},
            "backend_build": {"type": "dict"},
            "build": {"type": "dict"},
            "backend": {"type": "list", "elements": "dict", "default": []},
            "backend_health_headers": {"type": "dict", "default": {}, "no_log": True},
            "backend_health_query": {"type": "dict", "default": {}, "no_log": True},
            "backend_proxied_port": {"type": "int", "default": 0},
            "backend_hook": {"type": "dict"},
            "frontend": {"type": "dict"},
            "frontend_port": {"type": "int", "default": 0},
            "static_path": {"type": "str", "default": ""},
            "static_files": {"type": "dict"},
            "site": {"type": "dict"},
            "site_contents": {"type": "dict", "default": {}},
            "effective": {"type": "dict"},
            "timeout": {"type": "int", "default": 600},
        },
        supports_check_mode=True,
    )
    layers = OptionsOfLayers(module)
    root = layers.of_root()
    account = layers.of_account(root.static_files)
    deadline = time.monotonic() + module.params["timeout"]
    found = look(module.params["user"], root, account, tmpdir=module.tmpdir, deadline=deadline)
    secrets = sorted(
        {str(each) for each in module.no_log_values} | passwords_in(account.release["git_url"] or ""),
        key=len,
        reverse=True,
    )
    found.layers = [without_secrets(layer, secrets) for layer in found.layers]
    for layer in found.layers:
        for warning in layer.warnings:
            module.warn(shown(warning))
    # AnsibleModule would replace them in names, paths and states as well, by which the run decides: a secret "1" is
    # part of the names of releases. These contain no secrets; the arguments do, and are left out.
    module.no_log_values.clear()
    module.exit_json(invocation={"module_args": {}}, **shown_result(result_of(found)))


if __name__ == "__main__":
    main()
