#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: frontend_build
short_description: Build a frontend when its inputs moved, and prove the URLs in its bundle
version_added: 0.1.0
description:
  - Decides by a fingerprint (sources, lock file, commands, version of Node.js, variables) whether packages must be
    installed and whether the frontend must be built, and says why in words.
  - Builds in a clean environment, and proves on every run that the expected URLs stand in the client scripts and the
    forbidden ones do not. A build whose client scripts fail the proof, or were changed since, is made again.
  - The former output is put back if the build or its proof fails, also if the run was killed (by the next run).
  - Works with Next.js and with any bundler that writes into a directory, such as Vite.
options:
  path:
    description:
      - Directory of the frontend (the one with C(package.json)).
    type: path
    required: true
  env:
    description:
      - Public variables that are baked into the bundle, such as V(NEXT_PUBLIC_WS_URL).
      - Only these, those of O(build_env), E(PATH), E(HOME), E(USER), E(LOGNAME), E(LANG), E(CI), E(NODE_ENV) (which is
        C(production)), E(NEXT_TELEMETRY_DISABLED), E(STAGING_BUILD_DIR) and the caller's proxy and certificate
        variables are in the environment of the build.
    type: dict
    default: {}
  build_env:
    description:
      - Further variables for the build. Their values are not shown in messages.
    type: dict
    default: {}
  install_command:
    description:
      - Command that installs the packages, as a list.
      - By default C(npm ci --include=dev), or what belongs to C(pnpm-lock.yaml) or C(yarn.lock).
    type: list
    elements: str
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
      - URLs that must stand in the client scripts.
    type: list
    elements: str
    default: []
  forbidden_urls:
    description:
      - Beginnings of URLs that must not stand in the client scripts, such as V(ws://localhost). Where one is only a
        part of an expected URL, it does not count.
    type: list
    elements: str
    default: []
  source_revision:
    description:
      - Revision of sources that stand outside O(path) and that the build uses, too.
    type: str
    default: ""
  exclude:
    description:
      - Names, or paths relative to O(path), that are not sources of the build, beside C(node_modules), the output
        directory, C(.git), and what Next.js and TypeScript generate.
    type: list
    elements: str
    default: []
  timeout:
    description:
      - Seconds that installing and building may take together.
    type: int
    default: 1800
  node_bin_dir:
    description:
      - Directory of C(node) and C(npm), if they are not in a standard one.
    type: path
  on_override_files:
    description:
      - What to do when C(.env), C(.env.local), C(.env.production) or C(.env.production.local) in O(path) defines one of
        the variables differently. The exported variables win in Next.js and Vite, but not in every build script, nor in
        a build by hand.
    type: str
    choices: [refuse, report]
    default: report
attributes:
  check_mode:
    description: Predicts whether packages would be installed and the frontend built, and why.
    support: full
  diff_mode:
    description: Shows what moved; of variables only their names.
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
  description: Why it was built, or would be, in words; empty if nothing moved.
  returned: always
  type: list
  elements: str
  sample: ["NEXT_PUBLIC_WS_URL changed"]
build_id:
  description: What names the build (BUILD_ID of Next.js, otherwise a digest of its page); empty if there is none.
  returned: always
  type: str
revision:
  description: The fingerprint of the inputs.
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
      description: Why, in words.
      type: list
      elements: str
proof:
  description: What was found in the client scripts of the build that is there at the end.
  returned: always
  type: dict
  contains:
    urls:
      description: Client scripts by expected URL.
      type: dict
    missing:
      description: Expected URLs that stand in none.
      type: list
      elements: str
    forbidden:
      description: Client scripts by forbidden URL.
      type: dict
    chunks:
      description: Number of client scripts.
      type: int
override_files:
  description: Files that define one of the variables differently, with the names of these variables.
  returned: always
  type: dict
duration_s:
  description: Seconds that installing and building took.
  returned: always
  type: float
output_tail:
  description: What the compiler said.
  returned: on failure of a command
  type: list
  elements: str
"""

import json
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._dotenv.readers import UnreadableError, read_dotenv
from ..module_utils._frontend.build_host import (
    INSTALL_RECORD,
    CommandError,
    aside,
    build_id,
    clean_env,
    client_scripts,
    end_orphans,
    file_digest,
    find_in_path,
    former_of,
    incomplete,
    is_next_build,
    node_version,
    package_directories,
    read_json,
    read_text,
    record_of,
    recover,
    run_command,
    source_digests,
    write_private,
)
from ..module_utils._frontend.build_plan import (
    BuildError,
    Inputs,
    Manager,
    Record,
    changed_chunks,
    compiler_message,
    digest,
    manager_for,
    read_record,
    reasons_to_build,
    reasons_to_install,
)
from ..module_utils._frontend.bundle import Findings, complaint, search
from ..module_utils._host.redaction import redacted, secrets_of

_OVERRIDE_FILES = (".env", ".env.local", ".env.production", ".env.production.local")
_ALWAYS_EXCLUDED = ("node_modules", ".git", ".next", "coverage", ".turbo", "__pycache__")


@dataclass
class Frontend:
    """A frontend's directory, as it was found."""

    path: str
    output: str
    package: dict[str, Any]
    manager: Manager
    is_next: bool
    node: str
    inputs: Inputs
    record: Record | None
    record_path: str
    install_reasons: list[str] = field(default_factory=list)
    build_reasons: list[str] = field(default_factory=list)

    @property
    def modules(self) -> str:
        return os.path.join(self.path, "node_modules")

    @property
    def dependencies(self) -> set[str]:
        return {*(self.package.get("dependencies") or {}), *(self.package.get("devDependencies") or {})}

    @property
    def install_record_path(self) -> str:
        return os.path.join(self.modules, INSTALL_RECORD)


def texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Variables as a process gets them."""
    return {
        str(key): ("true" if value else "false") if isinstance(value, bool) else "" if value is None else str(value)
        for key, value in values.items()
    }


def override_files(path: str, env: Mapping[str, str]) -> dict[str, list[str]]:
    """Find the files that define one of the variables differently."""
    found = {}
    for name in _OVERRIDE_FILES:
        try:
            values = read_dotenv(read_text(os.path.join(path, name)))
        except UnreadableError:
            continue
        differing = sorted(key for key, value in env.items() if key in values and values[key] != value)
        if differing:
            found[name] = differing
    return found


def chunk_digests(scripts: Mapping[str, str]) -> dict[str, str]:
    return {name: digest(text) for name, text in scripts.items()}


def proof_of(findings: Findings) -> dict[str, Any]:
    return {
        "urls": {url: list(names) for url, names in findings.found.items()},
        "missing": list(findings.missing),
        "forbidden": {url: list(names) for url, names in findings.forbidden.items()},
        "chunks": len(findings.scripts),
    }


def look(params: Mapping[str, Any], env: Mapping[str, str]) -> Frontend:
    """Read all that decides.

    :raises BuildError: If this is no frontend.
    """
    path = params["path"].rstrip("/")
    package = read_json(os.path.join(path, "package.json"))
    if not package:
        raise BuildError(f"{path} has no readable package.json, so it is no frontend that can be built")
    output = os.path.normpath(os.path.join(path, params["output_dir"]))
    if output == path or not output.startswith(path + "/"):
        raise BuildError(f"output_dir is {params['output_dir']!r}; expected a directory below {path}")
    if params["install_command"]:
        lock = next(
            (
                name
                for name in ("npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock")
                if os.path.isfile(os.path.join(path, name))
            ),
            "package.json",
        )
        manager = Manager("custom", lock, tuple(params["install_command"]))
    else:
        try:
            manager = manager_for(os.listdir(path), package)
        except BuildError as err:
            raise BuildError(f"the packages of {path} cannot be installed: {err}") from err
    is_next = is_next_build(package, params["output_dir"])
    record_path = record_of(output, next_build=is_next)
    source = source_digests(path, no_sources(path, output, params["exclude"]))
    source.pop(manager.lock_file, None)
    node = node_version(env)
    inputs = Inputs(
        source=source,
        lock=file_digest(os.path.join(path, manager.lock_file)),
        install_command=manager.install_command,
        build_command=tuple(params["build_command"]),
        node_version=node,
        env={key: digest(value) for key, value in texts(params["env"]).items()},
        build_env={key: digest(value) for key, value in texts(params["build_env"]).items()},
        source_revision=params["source_revision"],
    )
    record = read_record(read_text(record_path))
    if record and not reasons_to_build(record, inputs):
        # What the build itself made of its sources is no change.
        inputs = record.inputs
    return Frontend(path, output, package, manager, is_next, node, inputs, record, record_path)


def no_sources(path: str, output: str, exclude: Sequence[str]) -> tuple[str, ...]:
    """What stands in the directory of a frontend and is no source of its build."""
    made = (
        output,
        former_of(output),
        former_of(os.path.join(path, "node_modules")),
        record_of(output, next_build=False),
    )
    return (*_ALWAYS_EXCLUDED, *(os.path.relpath(place, path) for place in made), *exclude)


def judge_install(front: Frontend) -> list[str]:
    """Say why packages must be installed; empty if they are as the lock file says."""
    if not os.path.isdir(front.modules):
        return ["there is no node_modules"]
    installed = read_json(os.path.join(front.modules, ".package-lock.json"))
    recorded = read_json(front.install_record_path)
    if recorded:
        if recorded.get("lock") != front.inputs.lock:
            return ["lock file changed"]
        if recorded.get("command") != list(front.manager.install_command):
            return ["install command changed"]
        major = front.node.split(".")[0]
        if front.node and recorded.get("node", "").split(".")[0] != major:
            return [f"Node.js is {front.node}, the packages were installed with {recorded.get('node')}"]
    if front.manager.lock_file.endswith(".json") and installed.get("packages"):
        lock = read_json(os.path.join(front.path, front.manager.lock_file))
        present = package_directories(front.modules, installed["packages"])
        return reasons_to_install(lock, installed, present)
    if not recorded:
        return ["node_modules does not say what was installed"]
    gone = sorted(name for name in front.dependencies if not os.path.lexists(os.path.join(front.modules, name)))
    return [f"node_modules is incomplete: {gone[0]} is missing"] if gone else []


def judge_build(front: Frontend, findings: Findings, scripts: Mapping[str, str]) -> list[str]:
    """Say why the frontend must be built; empty if the build is right."""
    broken = incomplete(front.output, next_build=front.is_next)
    if broken:
        return [broken]
    reasons = reasons_to_build(front.record, front.inputs)
    if front.record:
        reasons += changed_chunks(front.record, chunk_digests(scripts))
    reasons += [f"client chunks hold {url}" for url in findings.forbidden]
    if findings.missing and not reasons:
        reasons += [f"client chunks do not hold {url}" for url in findings.missing]
    return reasons


def refuse_missing_manager(front: Frontend, env: Mapping[str, str]) -> None:
    """Find out early that nobody installs what the lock file asks for; npm comes with Node.js.

    :raises BuildError: If it is not there.
    """
    program = front.manager.install_command[0]
    if front.manager.name in ("pnpm", "yarn") and not find_in_path(program, env):
        raise BuildError(
            f"{front.manager.lock_file} asks for {program}, which is not installed (looked in {env['PATH']}); "
            f"install it on the host, as with `npm install --global {program}`, or set install_command"
        )


def install(front: Frontend, env: Mapping[str, str], deadline: float) -> None:
    """Install the packages; the former ones stand aside, since their files may be shared by hard links.

    :raises BuildError: With the cause.
    """
    with aside(front.modules, front.install_record_path):
        run_command(front.manager.install_command, front.path, env, deadline)
        if not os.path.isdir(front.modules):
            if front.dependencies:
                raise BuildError(
                    f"`{' '.join(front.manager.install_command)}` ended without an error, but there is no "
                    f"{front.modules}; yarn makes it with nodeLinker: node-modules in .yarnrc.yml"
                )
            os.mkdir(front.modules)
        recorded = {
            "lock": front.inputs.lock,
            "command": list(front.manager.install_command),
            "node": front.node,
        }
        write_private(front.install_record_path, json.dumps(recorded, sort_keys=True))


def build(front: Frontend, params: Mapping[str, Any], env: Mapping[str, str], deadline: float) -> Findings:
    """Build and prove; the former output comes back if either fails.

    :raises BuildError: With the cause.
    """
    with aside(front.output, front.record_path, cache="cache" if front.is_next else ""):
        run_command(params["build_command"], front.path, env, deadline)
        broken = incomplete(front.output, next_build=front.is_next)
        if broken:
            raise BuildError(
                f"`{' '.join(params['build_command'])}` ended without an error, but {broken} in {front.output}; "
                "does it write to another directory (output_dir)?"
            )
        scripts = client_scripts(front.output)
        findings = search(scripts, params["expected_urls"], params["forbidden_urls"])
        if not findings.passed:
            names = ", ".join(sorted(params["env"])) or "none"
            raise BuildError(
                complaint(
                    findings,
                    f"the fresh build in {front.output}",
                    f"the sources do not seem to use the public variables given ({names})",
                )
                + "; the former build was put back"
            )
        after = source_digests(front.path, no_sources(front.path, front.output, params["exclude"]))
        record = Record(
            inputs=front.inputs,
            source_after={name: value for name, value in after.items() if front.inputs.source.get(name) != value},
            chunks=chunk_digests(scripts),
            build_id=build_id(front.output),
            revision=front.inputs.fingerprint(),
        )
        write_private(front.record_path, record.to_json())
    return findings


def bare(reasons: Sequence[str]) -> dict[str, Any]:
    """What is said where nothing can be looked at yet."""
    return {
        "changed": True,
        "built": True,
        "reasons": list(reasons),
        "build_id": "",
        "revision": "",
        "install": {"ran": True, "reasons": list(reasons)},
        "proof": {"urls": {}, "missing": [], "forbidden": {}, "chunks": 0},
        "override_files": {},
        "duration_s": 0.0,
        "diff": [{"before": "", "after": "would install\nwould build\n", "before_header": "", "after_header": ""}],
    }


def diff_of(front: Frontend) -> list[dict[str, str]]:
    lines = [f"install: {reason}\n" for reason in front.install_reasons]
    lines += [f"build: {reason}\n" for reason in front.build_reasons]
    if not lines:
        return []
    return [{"before_header": front.output, "after_header": front.output, "before": "", "after": "".join(lines)}]


def run(module: AnsibleModule, result: dict[str, Any]) -> None:
    """Look, decide, install, build, prove; the result is filled in as things become known.

    :raises BuildError: With one sentence that says what is wrong.
    """
    params = module.params
    path = params["path"].rstrip("/")
    env = clean_env(params["node_bin_dir"] or "")
    if module.check_mode and not os.path.isdir(path):
        result.update(bare([f"{path} does not exist yet"]))
        return
    if not os.path.isdir(path):
        raise BuildError(f"the frontend directory {path} does not exist")
    if not find_in_path("node", env):
        if module.check_mode:
            result.update(bare(["Node.js is not installed yet"]))
            return
        raise BuildError(f"Node.js is not installed (looked for node in {env['PATH']})")

    output = os.path.normpath(os.path.join(path, params["output_dir"]))
    if not module.check_mode:
        end_orphans(path)
        package = read_json(os.path.join(path, "package.json"))
        recover(output, record_of(output, next_build=is_next_build(package, params["output_dir"])))
        modules = os.path.join(path, "node_modules")
        recover(modules, os.path.join(modules, INSTALL_RECORD))
    front = look(params, env)
    public, extra = texts(params["env"]), texts(params["build_env"])
    overrides = override_files(path, public)
    result["override_files"] = overrides
    if overrides:
        named = "; ".join(f"{name} defines {', '.join(keys)}" for name, keys in overrides.items())
        sentence = f"files in {path} define public variables differently from what is wanted: {named}"
        if params["on_override_files"] == "refuse":
            raise BuildError(f"{sentence}; remove these lines, or set on_override_files to report")
        module.warn(sentence[0].upper() + sentence[1:] + ".")

    scripts = client_scripts(front.output)
    findings = search(scripts, params["expected_urls"], params["forbidden_urls"])
    front.install_reasons = judge_install(front)
    front.build_reasons = judge_build(front, findings, scripts)
    building = bool(front.build_reasons)
    # Packages that are damaged under a build that is right matter as well: the server needs them.
    installing = bool(front.install_reasons)
    if installing:
        refuse_missing_manager(front, env)
    result.update(
        changed=building or installing,
        built=building,
        reasons=[*front.build_reasons, *(front.install_reasons if not building else [])],
        build_id=build_id(front.output),
        revision=front.inputs.fingerprint(),
        install={"ran": installing, "reasons": front.install_reasons},
        proof=proof_of(findings),
        diff=diff_of(front),
    )
    if module.check_mode or not (building or installing):
        return
    began = time.monotonic()
    deadline = began + params["timeout"]
    try:
        if installing:
            install(front, env, deadline)
        if building:
            findings = build(front, params, {**env, "NODE_ENV": "production", **extra, **public}, deadline)
    except CommandError as err:
        secrets = secrets_of(extra)
        result["output_tail"] = [redacted(line, secrets) for line in compiler_message(err.output)]
        said = "\n".join(result["output_tail"])
        raise BuildError(
            f"{err}; nothing that was built before is lost" + (f"; it said:\n{said}" if said else "")
        ) from err
    finally:
        result["duration_s"] = round(time.monotonic() - began, 2)
    result.update(build_id=build_id(front.output), proof=proof_of(findings))


def main() -> None:
    """Entry point."""
    module = AnsibleModule(
        argument_spec={
            "path": {"type": "path", "required": True},
            "env": {"type": "dict", "default": {}},
            "build_env": {"type": "dict", "default": {}},
            "install_command": {"type": "list", "elements": "str"},
            "build_command": {"type": "list", "elements": "str", "default": ["npm", "run", "build"]},
            "output_dir": {"type": "str", "default": ".next"},
            "expected_urls": {"type": "list", "elements": "str", "default": []},
            "forbidden_urls": {"type": "list", "elements": "str", "default": []},
            "source_revision": {"type": "str", "default": ""},
            "exclude": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 1800},
            "node_bin_dir": {"type": "path"},
            "on_override_files": {"type": "str", "choices": ["refuse", "report"], "default": "report"},
        },
        supports_check_mode=True,
    )
    result = {**bare([]), "changed": False, "built": False, "install": {"ran": False, "reasons": []}, "diff": []}
    try:
        run(module, result)
    except BuildError as err:
        module.fail_json(msg=str(err), **{**result, "changed": False})
    except OSError as err:
        module.fail_json(
            msg=f"the frontend in {module.params['path']} cannot be built: {err.strerror or err} ({err.filename})",
            **{**result, "changed": False},
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
