#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: frontend_build
short_description: Build a frontend when its inputs changed, and prove the URLs in its bundle
version_added: 0.1.0
description:
  - Compares a fingerprint of all inputs (sources, lock file, commands, version of Node.js, variables) with that of the
    last build, and installs packages and builds only if one of them changed.
  - Builds in a clean environment. On every run, it proves that the client scripts contain the expected URLs and no
    forbidden one. A build that fails the proof, or whose client scripts were changed, is made again. Of a new build, a
    route must load each expected URL.
  - If the build or its proof fails, the previous output is restored. If the run was killed, the next run restores it.
  - Works with Next.js and with any bundler that writes into a directory, such as Vite.
extends_documentation_fragment:
  - codeframe.staging.node_build
  - codeframe.staging.progress
options:
  path:
    description:
      - Directory of the frontend (the one with C(package.json)).
    type: path
    required: true
  env:
    description:
      - Public variables that are built into the bundle, such as V(NEXT_PUBLIC_WS_URL).
      - Those that start with V(NEXT_PUBLIC_) are given under the prefix of the framework that C(package.json) names,
        too, such as V(VITE_), V(PUBLIC_) (SvelteKit), V(REACT_APP_) or V(NG_APP_) (Angular).
      - The environment of the build contains only these, those of O(build_env), E(PATH), E(HOME), E(USER), E(LOGNAME),
        E(LANG), E(CI), E(NODE_ENV) (C(production)), E(NEXT_TELEMETRY_DISABLED), E(STAGING_BUILD_DIR), and the caller's
        proxy and certificate variables.
    type: dict
    default: {}
  build_command:
    description:
      - Command that builds, as a list.
    type: list
    elements: str
    default: [npm, run, build]
  output_dir:
    description:
      - Directory that the build writes, relative to O(path).
    type: str
    default: .next
  expected_urls:
    description:
      - URLs that the client scripts must contain.
    type: list
    elements: str
    default: []
  forbidden_urls:
    description:
      - Beginnings of URLs that the client scripts must not contain, such as V(ws://localhost). An occurrence inside an
        expected URL is ignored.
    type: list
    elements: str
    default: []
  source_revision:
    description:
      - Revision of sources outside O(path) that the build uses as well.
    type: str
    default: ""
  exclude:
    description:
      - Names, or paths relative to O(path), that are not sources of the build, in addition to C(node_modules), the
        output directory, C(.git), and files that Next.js and TypeScript generate.
    type: list
    elements: str
    default: []
  source_list:
    description:
      - A file on the host with the files of the source, as the keys of a JSON object. Only they, and the files that
        O(on_override_files) names, are sources of the build.
      - Without it, every file in O(path) is one, except databases and logs.
    type: path
  source_root:
    description:
      - Directory of the application. The paths in O(source_list) are relative to it.
      - If O(path) is a member of a workspace of npm, pnpm, yarn or bun whose root is in this directory, packages are
        installed at that root, which has the lock file. The members that the frontend depends on, and what belongs to
        no member, are sources of the build, too.
      - What sources name outside of O(path) by a path, such as C(../shared/types), is a source of the build, too.
      - Without it, O(path) is no member of a workspace.
    type: path
  backend_dir:
    description:
      - Directory of the backend, relative to O(source_root). Its files are no sources of the build, unless others
        name them.
      - If O(path) is in this directory, or the same, files of Python are no sources outside of O(path), or at all.
    type: str
  timeout:
    description:
      - Timeout of installation and build together, in seconds.
    type: int
    default: 1800
  on_override_files:
    description:
      - What to do if C(.env), C(.env.local), C(.env.production) or C(.env.production.local) in O(path) defines one of
        the variables differently. Exported variables override these files in Next.js and Vite, but not in every build
        script, nor in a manual build.
    type: str
    choices: [refuse, report]
    default: report
  whole:
    description:
      - Whether a web server serves O(output_dir) as the page, without a process. A build that has no HTML file at the
        top of it is not kept then.
    type: bool
    default: false
  build_on:
    description:
      - Where the build command runs. With V(controller), a build that is due has to be given as O(archive), and what
        that machine must be like is returned (RV(platform)).
    type: str
    choices: [host, controller]
    default: host
  for_platform:
    description:
      - The RV(platform) that the build is for. It is refused unless this machine has the same operating system,
        architecture, C library and major version of Node.js.
    type: dict
  pack_to:
    description:
      - Path of an archive of the resulting build, for another machine. It is written with mode 0600.
    type: path
  archive:
    description:
      - Path of a build that was made on another machine with O(pack_to). It is unpacked in place of running
        O(build_command), and passes the same proof. Packages are installed all the same.
    type: path
attributes:
  check_mode:
    description: Predicts whether packages would be installed and the frontend built, and why.
    support: full
  diff_mode:
    description: Shows what changed; of variables only their names.
    support: full
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Build the page with the public URL
  codeframe.staging.frontend_build:
    path: /home/deploy/projects/codeframe/web-ui
    env:
      NEXT_PUBLIC_WS_URL: wss://api.example.com/ws
      NEXT_PUBLIC_API_URL: https://api.example.com
    build_env:
      BACKEND_PORT: "14200"
    expected_urls:
      - wss://api.example.com/ws
    forbidden_urls:
      - ws://localhost:14200/ws

- name: Build on the controller for a host
  codeframe.staging.frontend_build:
    path: "{{ source_on_the_controller }}/web-ui"
    env: "{{ public_variables }}"
    for_platform: "{{ compared.platform }}"
    pack_to: "{{ source_on_the_controller }}.build.tar.gz"
  delegate_to: localhost

- name: Build with Vite
  codeframe.staging.frontend_build:
    path: /srv/app/frontend
    output_dir: dist
    env:
      VITE_WS_URL: wss://api.example.com/ws
    expected_urls:
      - wss://api.example.com/ws
"""

RETURN = r"""
reasons:
  description: Why it was built, or would be; empty if nothing changed.
  returned: always
  type: list
  elements: str
  sample: ["NEXT_PUBLIC_WS_URL changed"]
build_id:
  description: Id of the build (BUILD_ID of Next.js, otherwise a digest of its page); empty if there is none.
  returned: always
  type: str
revision:
  description: Digest of the inputs, and of which installation of the packages the server runs with.
  returned: always
  type: str
built:
  description: Whether the build command ran, or would run.
  returned: always
  type: bool
install:
  description: Whether packages were installed, or would be, and why.
  returned: always
  type: dict
  contains:
    ran:
      description: Whether the install command ran, or would run.
      type: bool
    reasons:
      description: Why.
      type: list
      elements: str
proof:
  description: What the client scripts of the resulting build contain.
  returned: always
  type: dict
  contains:
    urls:
      description: Client scripts by expected URL.
      type: dict
    missing:
      description: Expected URLs that none contains.
      type: list
      elements: str
    forbidden:
      description: Client scripts by forbidden URL.
      type: dict
    chunks:
      description: Number of client scripts.
      type: int
    routes:
      description: Names of the routes that load each expected URL, at once or later. Empty if the build does not tell.
      type: dict
      sample:
        wss://api.example.com/ws: ["/projects/[projectId]"]
platform:
  description: With O(build_on=controller), what the machine that makes a due build must be like. Empty otherwise.
  returned: always
  type: dict
  sample: {node: 20.19.2, system: linux-x64, libc: glibc}
server:
  description: Server of the build.
  returned: always
  type: dict
  contains:
    kind:
      description:
        - V(next), V(standalone) (of Next.js), V(nitro) (Nuxt), V(sveltekit), V(astro) or V(remix); empty if none is
          known.
      type: str
    command:
      description: Script and arguments, relative to O(path). C({port}) stands for the port.
      type: list
      elements: str
      sample: ["node_modules/.bin/next", "start", "-H", "0.0.0.0", "-p", "{port}"]
override_files:
  description: Files that define one of the variables differently, with the names of these variables.
  returned: always
  type: dict
duration_s:
  description: Seconds that installation and build took.
  returned: always
  type: float
output_tail:
  description: The compiler's message; empty unless a command failed.
  returned: always
  type: list
  elements: str
"""

from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._frontend.arguments import BUILD
from ..module_utils._frontend.build import BuildOutcome, build_frontend
from ..module_utils._frontend.bundle import Findings
from ..module_utils._frontend.errors import BuildError
from ..module_utils._frontend.frontend import BuildOptions
from ..module_utils._host.progress import OPTION as PROGRESS_OPTION
from ..module_utils._host.progress import Progress
from ..module_utils._host.redaction import secrets_of
from ..module_utils._host.shown import shown, shown_result
from ..module_utils._host.unlogged import Unlogged


def proof_of(findings: Findings, routes: Mapping[str, list[str]]) -> dict[str, Any]:
    """Return what the client scripts contain, and which routes load them."""
    return {
        "urls": {url: list(names) for url, names in findings.found.items()},
        "missing": list(findings.missing),
        "forbidden": {url: list(names) for url, names in findings.forbidden.items()},
        "chunks": len(findings.scripts),
        "routes": dict(routes),
    }


def result_of(outcome: BuildOutcome, output: str) -> dict[str, Any]:
    """Return the result of the call."""
    lines = [f"install: {reason}\n" for reason in outcome.install_reasons]
    lines += [f"build: {reason}\n" for reason in outcome.build_reasons]
    headers = {"before_header": output, "after_header": output}
    return {
        "built": bool(outcome.build_reasons),
        "reasons": outcome.build_reasons or outcome.install_reasons,
        "build_id": outcome.build_id,
        "revision": outcome.revision,
        "install": {"ran": bool(outcome.install_reasons), "reasons": outcome.install_reasons},
        "proof": proof_of(outcome.findings, outcome.routes),
        "server": {"kind": outcome.server.kind, "command": list(outcome.server.command)},
        "platform": outcome.platform,
        "override_files": outcome.override_files,
        "duration_s": outcome.duration_s,
        "output_tail": outcome.output_tail,
        "diff": [{**headers, "before": "", "after": "".join(lines)}] if lines else [],
    }


class UnloggedModule(Unlogged, AnsibleModule):  # type: ignore[misc]
    """A module that does not write its arguments, of which some are secret, to the system's log."""


def main() -> None:
    """Run the module."""
    module = UnloggedModule(
        argument_spec=BUILD,
        required_by={"source_list": ["source_root"]},
        supports_check_mode=True,
    )
    params = module.params
    private = secrets_of({name: str(value) for name, value in params["install_env"].items()})
    module.no_log_values.update(private)
    secrets = [*secrets_of({name: str(value) for name, value in params["build_env"].items()}), *private]
    watched = Progress(params[PROGRESS_OPTION], secrets)
    options = BuildOptions.of(params)
    path = options.path
    outcome = BuildOutcome()
    problem = ""
    try:
        with watched as progress:
            build_frontend(options, outcome, predicting=module.check_mode, say=progress.say)
    except BuildError as err:
        problem = str(err)
    except OSError as err:
        problem = f"the frontend in {path} cannot be built: {err.strerror or err} ({err.filename})"
    for warning in outcome.warnings:
        module.warn(shown(warning))
    result = result_of(outcome, f"{path}/{params['output_dir']}")
    if problem:
        module.fail_json(msg=shown(problem), changed=False, **shown_result(result))
    module.exit_json(changed=outcome.changed, **shown_result(result))


if __name__ == "__main__":
    main()
