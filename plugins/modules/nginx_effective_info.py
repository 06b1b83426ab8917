#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_effective_info
short_description: What nginx really does with a WebSocket request, and why
version_added: "0.1.0"
description:
  - Tells for a host name, a port and a path which server and which location of nginx answer, by nginx's own rules,
    which values of the proxy directives are in force there, and from which file and line each of them comes.
  - Names what breaks or endangers a WebSocket there, such as a header that a location's own C(proxy_set_header) drops.
  - Tells whether files are newer than what nginx runs.
  - On the host it reads the configuration itself. With O(dump) it reads a text of C(nginx -T) that was taken elsewhere,
    on the controller for instance, where crossplane parses it.
options:
  host_name:
    description:
      - The host name that clients use.
    type: str
    required: true
  path:
    description:
      - The path that clients ask for. Arguments are left out, and C(%) sequences, dots and double slashes are resolved
        as nginx does it.
    type: str
    default: /ws
  port:
    description:
      - The port that clients reach nginx at. By default 443 with O(tls) and 80 without.
    type: int
  tls:
    description:
      - Whether clients speak TLS.
    type: bool
    default: false
  address:
    description:
      - The address of this host that clients connect to, where servers listen on certain addresses.
    type: str
  idle_timeout:
    description:
      - Seconds of silence that a connection is expected to survive.
    type: int
    default: 86400
  dump:
    description:
      - The output of C(nginx -T). Without it the configuration of this host is read.
    type: str
  nginx_version:
    description:
      - The version of the nginx that O(dump) comes from, for the defaults.
    type: str
  parser:
    description:
      - Which parser reads the files. V(builtin) needs nothing. V(auto) takes crossplane where it is installed.
    type: str
    choices: [auto, crossplane, builtin]
    default: auto
attributes:
  check_mode:
    support: full
    description: It changes nothing.
  diff_mode:
    support: none
    description: It changes nothing.
extends_documentation_fragment:
  - codeframe.staging.nginx
"""

EXAMPLES = r"""
- name: Ask what nginx does with the WebSocket
  codeframe.staging.nginx_effective_info:
    host_name: api.example.com
    path: /ws
  register: effective

- name: Show what is wrong
  ansible.builtin.debug:
    var: effective.findings

- name: Read a dump on the controller
  codeframe.staging.nginx_effective_info:
    host_name: api.example.com
    dump: "{{ lookup('ansible.builtin.file', 'nginx-T.txt') }}"
    parser: crossplane
  delegate_to: localhost
"""

RETURN = r"""
ok:
  description: Whether no finding is an error.
  returned: always
  type: bool
server:
  description: The server that answers; null if none does.
  returned: always
  type: dict
  contains:
    where: {description: File and line., type: str, sample: "/etc/nginx/sites-enabled/codeframe-staging:12"}
    names: {description: Its names., type: list, elements: str}
    matched_by: {description: "V(name), V(wildcard), V(regex) or V(default).", type: str}
location:
  description: The location that answers; null if the server itself does.
  returned: always
  type: dict
  contains:
    where: {description: File and line., type: str}
    match: {description: Its modifier and path., type: str, sample: = /ws}
effective:
  description: Directives in force, each with its value, its place (null for a default) and the level it stands on.
  returned: always
  type: dict
  sample: {"proxy_read_timeout": {"value": "86400s", "where": "/etc/nginx/sites-enabled/codeframe-staging:30",
    "level": "location = /ws in /etc/nginx/sites-enabled/codeframe-staging:18"}}
headers:
  description: Headers in force by C(proxy_set_header), by their names in small letters, in the same form.
  returned: always
  type: dict
findings:
  description: What breaks or endangers the WebSocket.
  returned: always
  type: list
  elements: dict
  contains:
    code: {description: A stable name., type: str, sample: header_shadowed}
    level: {description: "V(error), V(warning) or V(notice).", type: str}
    message: {description: One sentence with the places., type: str}
    where: {description: The places as FILE:LINE., type: list, elements: str}
message:
  description: The errors and warnings in one text; empty if there are none.
  returned: always
  type: str
running:
  description: Whether nginx runs; null for a dump.
  returned: always
  type: bool
newer_than_running:
  description:
    - Files that are newer than the oldest worker, so that nginx may run something else. Certificates and keys count,
      and directories that files came into or went from.
  returned: always
  type: list
  elements: str
parser:
  description: The parser that was used.
  returned: always
  type: str
version:
  description: The version of nginx, empty if it is unknown.
  returned: always
  type: str
"""

import os
import tempfile
import traceback
from collections.abc import Mapping
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..module_utils._nginx import config as nginx_config
from ..module_utils._nginx import effective as nginx_effective
from ..module_utils._nginx import process as nginx_process
from ..module_utils._nginx import site as nginx_site
from ..module_utils._nginx.program import Nginx, expand, read_text

CROSSPLANE_ERROR = None
try:
    import crossplane
except ImportError:
    crossplane = None
    CROSSPLANE_ERROR = traceback.format_exc()


def parse_by_crossplane(text: str, file: str) -> tuple[nginx_config.Directive, ...]:
    """Parse one text with crossplane, leniently: newer directives than it knows are none of its business.

    :raises nginx_config.ConfigError: If it is no configuration.
    """
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", errors="surrogateescape", suffix=".conf") as stream:
        stream.write(text)
        stream.flush()
        payload = crossplane.parse(
            stream.name, single=True, strict=False, check_ctx=False, check_args=False, catch_errors=True
        )
    for problem in payload["errors"]:
        raise nginx_config.ConfigError(str(problem["error"]).split(" in ")[0], file, problem["line"] or 0)

    def directives(parsed: list[dict[str, Any]]) -> tuple[nginx_config.Directive, ...]:
        found = []
        for each in parsed:
            block = each.get("block")
            args = tuple(each["args"])
            if each["directive"] == "if":
                # crossplane takes the brackets of the condition away.
                args = (f"({' '.join(args)})",)
            found.append(
                nginx_config.Directive(
                    each["directive"], args, file, each["line"], None if block is None else directives(block)
                )
            )
        return tuple(found)

    return directives(payload["config"][0]["parsed"])


def tree_of_dump(dump: str, parse_text: Any, on_this_host: bool = False) -> nginx_config.Tree:
    """The tree of an ``nginx -T`` dump.

    :param on_this_host: Take from the dump which files nginx reads, and the texts from the files themselves: a comment
        in one of them may look like the beginning of the next.
    """
    files = nginx_config.split_dump(dump)
    main = next(iter(files))
    if on_this_host:
        files = {path: read_text(path) for path in files if os.path.isfile(path)}

    def read(path: str) -> str:
        try:
            return files[path]
        except KeyError as exc:
            raise FileNotFoundError(path) from exc

    def match(pattern: str) -> list[str]:
        return sorted((path for path in files if nginx_site.takes_in(pattern, path)), key=os.fsencode)

    return nginx_config.load_tree(main, read, match, parse_text=parse_text)


def disabled_sites(nginx: Nginx, tree: nginx_config.Tree, host_name: str) -> list[nginx_effective.Finding]:
    """Files in ``sites-available`` that have the host name and are not loaded."""
    folder = os.path.join(nginx.conf_dir, "sites-available")
    loaded = {os.path.realpath(path) for path in tree.files}
    found = []
    for path in expand(os.path.join(folder, "*")):
        if os.path.realpath(path) in loaded:
            continue
        try:
            directives = nginx_config.parse(read_text(path), path)
        except (OSError, nginx_config.ConfigError):
            continue
        for each in nginx_config.walk(directives):
            if each.name == "server_name" and host_name.lower() in [name.lower() for name in each.args]:
                found.append(
                    nginx_effective.Finding(
                        "site_not_enabled",
                        nginx_effective.WARNING,
                        f"{each.where} has the name {host_name}, and nginx does not load the file: it is not enabled",
                        (each.where,),
                    )
                )
                break
    return found


def newer_files(nginx: Nginx, tree: nginx_config.Tree) -> tuple[bool, list[str]]:
    """Whether nginx runs, and what of its tree is newer than its oldest worker.

    Directories count too, since a file that went is in force until a reload, and certificates with their keys.
    """
    running = nginx_process.running(nginx.pid_file)
    oldest = running.oldest_active if running else None
    if running is None or oldest is None:
        return running is not None, []
    certificates = [
        os.path.join(nginx.conf_dir, path)
        for directive in ("ssl_certificate", "ssl_certificate_key")
        for path in nginx_site.files_named(tree.directives, directive)
    ]
    found = []
    for path in dict.fromkeys([*tree.files, *tree.folders, *certificates]):
        try:
            # The kernel's own time: that of the content may be older, or still to come.
            times = [look(path).st_ctime for look in (os.stat, os.lstat)]
        except OSError:
            continue
        if max(times) > oldest + nginx_process.CLOCK_TOLERANCE_S:
            found.append(path)
    return True, found


def shown(values: Mapping[str, nginx_effective.Value]) -> dict[str, dict[str, str | None]]:
    return {name: {"value": each.value, "where": each.where, "level": each.level} for name, each in values.items()}


def run(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    parser = params["parser"]
    if parser == "auto":
        parser = "builtin" if crossplane is None else "crossplane"
    if parser == "crossplane" and crossplane is None:
        module.fail_json(msg=missing_required_lib("crossplane"), exception=CROSSPLANE_ERROR)
    parse_text = parse_by_crossplane if parser == "crossplane" else nginx_config.parse
    result: dict[str, Any] = {
        "changed": False,
        "parser": parser,
        "running": None,
        "newer_than_running": [],
        "version": params["nginx_version"] or "",
        "server": None,
        "location": None,
        "effective": {},
        "headers": {},
    }
    if not params["path"].startswith("/"):
        module.fail_json(
            msg=f"path is {params['path']!r}, expected one that starts with a slash, such as /ws", **result
        )
    extra: list[nginx_effective.Finding] = []
    try:
        if params["dump"] is not None:
            tree = tree_of_dump(params["dump"], parse_text)
        else:
            executable = module.get_bin_path(
                params["executable"], required=False, opt_dirs=["/usr/sbin", "/usr/local/sbin", "/sbin"]
            )
            if executable is None:
                return {
                    **result,
                    **told([nginx_effective.Finding("no_nginx", nginx_effective.ERROR, "nginx is not installed here")]),
                }
            nginx = Nginx(module.run_command, executable, params["config"], params["prefix"])
            result["version"] = nginx.version
            dump, said = nginx.dump()
            if dump is None:
                complaint = "; ".join(nginx_site.complaints(said)) or said.strip()
                extra.append(
                    nginx_effective.Finding(
                        "refused",
                        nginx_effective.ERROR,
                        f"nginx refuses the configuration on disk ({complaint}); what runs is the former",
                    )
                )
                try:
                    tree = nginx_config.load_tree(nginx.config, read_text, expand, parse_text=parse_text)
                except nginx_config.ConfigError:
                    # Nothing can be said of a main file that has no structure but where nginx stumbles.
                    return {**result, **told(extra)}
            else:
                tree = tree_of_dump(dump, parse_text, on_this_host=True)
            extra += disabled_sites(nginx, tree, params["host_name"])
            result["running"], result["newer_than_running"] = newer_files(nginx, tree)
            if not result["running"]:
                extra.append(nginx_effective.Finding("not_running", nginx_effective.ERROR, "nginx does not run"))
            extra += [
                nginx_effective.Finding(
                    "not_reloaded",
                    nginx_effective.WARNING,
                    f"{path} was changed after nginx read it, so what runs may be something else until a reload",
                    (path,),
                )
                for path in result["newer_than_running"]
            ]
    except (OSError, ValueError) as exc:
        module.fail_json(msg=f"the configuration of nginx cannot be read: {exc}", **result)

    answer = nginx_effective.explain(
        tree,
        nginx_effective.Request(
            host_name=params["host_name"],
            port=params["port"] or (443 if params["tls"] else 80),
            tls=params["tls"],
            path=nginx_effective.normal_path(params["path"]),
            address=params["address"],
            idle_timeout_s=params["idle_timeout"],
        ),
        result["version"],
    )
    if answer.server is not None:
        names = [name for each in answer.server.children("server_name") for name in each.args]
        result["server"] = {"where": answer.server.where, "names": names, "matched_by": answer.matched_by}
    if answer.location is not None:
        result["location"] = {"where": answer.location.where, "match": " ".join(answer.location.args)}
    return {
        **result,
        "effective": shown(answer.values),
        "headers": shown(answer.headers),
        **told([*answer.findings, *extra]),
    }


def told(findings: list[nginx_effective.Finding]) -> dict[str, Any]:
    """The findings as results."""
    return {
        "findings": [
            {"code": each.code, "level": each.level, "message": each.message, "where": list(each.where)}
            for each in findings
        ],
        "ok": all(each.level != nginx_effective.ERROR for each in findings),
        "message": "; ".join(each.message for each in findings if each.level != nginx_effective.NOTICE),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "host_name": {"type": "str", "required": True},
            "path": {"type": "str", "default": "/ws"},
            "port": {"type": "int"},
            "tls": {"type": "bool", "default": False},
            "address": {"type": "str"},
            "idle_timeout": {"type": "int", "default": 86400},
            "dump": {"type": "str"},
            "nginx_version": {"type": "str"},
            "parser": {"type": "str", "choices": ["auto", "crossplane", "builtin"], "default": "auto"},
            "executable": {"type": "str", "default": "nginx"},
            "config": {"type": "path"},
            "prefix": {"type": "path"},
        },
        supports_check_mode=True,
    )
    module.exit_json(**run(module))


if __name__ == "__main__":
    main()
