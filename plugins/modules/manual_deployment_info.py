#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: manual_deployment_info
short_description: Read what a manual deployment has on the host
version_added: 0.1.0
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Reads the project directory, its env file, its processes in pm2 and its data, or what nginx forwards to the host's
    own ports. Changes nothing.
  - Of the env file, the names of the keys are returned, ports, and the values of keys that are public by their purpose
    and are URLs. No other value is.
  - The command of a process is left out if a word of it looks like a secret.
options:
  part:
    description:
      - V(project) reads O(project_dir). Run the task as the user that owns it.
      - V(nginx) reads the configuration of nginx. Run the task as root.
    type: str
    choices: [project, nginx]
    required: true
  project_dir:
    description: The directory that was deployed manually.
    type: path
  env_file:
    description: The env file in it.
    type: str
    default: .env.staging
attributes:
  check_mode:
    support: full
    description: Changes nothing.
  diff_mode:
    support: none
    description: There is no difference to show.
"""

EXAMPLES = r"""
- name: Read the project
  codeframe.staging.manual_deployment_info:
    part: project
    project_dir: /home/deploy/projects/app
  become: true
  become_user: deploy
  register: found
"""

RETURN = r"""
project:
  description:
    - For O(part=project), what was found. C(directory), C(user), C(source) with the checkout, C(env), C(processes),
      C(backend), C(frontend), and C(data) with the paths of files that the application has written.
  returned: success
  type: dict
servers:
  description:
    - For O(part=nginx), the server blocks that forward to ports or sockets of this host, each with C(names), C(ports),
      C(tls), C(certificate), C(key), C(where), C(managed) and C(locations).
  returned: success
  type: list
  elements: dict
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._adoption.nginx_sites import forwarding_servers
from ..module_utils._adoption.project_facts import (
    backend_facts,
    data_facts,
    env_facts,
    frontend_facts,
    process_facts,
    source_facts,
)
from ..module_utils._host.accounts import user_name
from ..module_utils._host.programs import find_program
from ..module_utils._host.shown import shown, shown_result
from ..module_utils._nginx.config import ConfigError
from ..module_utils._nginx.program import Nginx, read_text
from ..module_utils._pm2.client import Pm2
from ..module_utils._pm2.environment import base_env
from ..module_utils._pm2.error import Pm2Error
from ..module_utils._pm2.info import listening_ports
from ..module_utils._pm2.state import look
from ..module_utils._release.errors import ReleaseError


def read_project(directory: str, env_file: str) -> dict[str, Any]:
    """Read the directory and the processes of this user."""
    executable, node = find_program("pm2"), find_program("node")
    base = base_env(os.path.dirname(node) if node else "")
    home = os.environ.get("PM2_HOME") or os.path.join(base["HOME"], ".pm2")
    running = look(home, Pm2(executable, base, home) if executable else None).processes
    ports = listening_ports([each.pid for each in running if each.pid > 0]) if running else {}
    processes = process_facts(running, directory, ports)
    working = next((each["dir"] for each in processes if each["kind"] == "backend"), "")
    return {
        "directory": directory,
        "user": user_name(os.stat(directory).st_uid),
        "source": source_facts(directory),
        "env": env_facts(directory, env_file),
        "processes": processes,
        "backend": backend_facts(directory, working),
        "frontend": frontend_facts(directory),
        "data": data_facts(directory, env_file),
    }


def read_nginx() -> list[dict[str, Any]]:
    """Read the configuration of nginx; empty without one that can be read."""
    nginx = Nginx("nginx", None, None)
    if nginx.executable is None:
        return []
    try:
        tree = nginx.tree()
    except (OSError, ConfigError):
        return []
    return forwarding_servers(tree, {path: read_text(path) for path in tree.files if os.path.isfile(path)})


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "part": {"type": "str", "choices": ["project", "nginx"], "required": True},
            "project_dir": {"type": "path"},
            "env_file": {"type": "str", "default": ".env.staging"},
        },
        required_if=[("part", "project", ("project_dir",))],
        supports_check_mode=True,
    )
    directory = (module.params["project_dir"] or "").rstrip("/")
    if module.params["part"] == "nginx":
        module.exit_json(changed=False, project={}, servers=read_nginx())
    if os.path.islink(directory) or not os.path.isdir(directory):
        what = (
            "is a link, as a deployment of this collection makes it" if os.path.islink(directory) else "does not exist"
        )
        module.fail_json(msg=f"{directory} {what}, expected the directory of a manual deployment")
    try:
        project = read_project(directory, module.params["env_file"])
    except (Pm2Error, ReleaseError) as problem:
        module.fail_json(msg=shown(str(problem)))
    except OSError as problem:
        module.fail_json(msg=shown(f"{problem.filename or directory} cannot be read: {problem.strerror}"))
    module.exit_json(changed=False, project=shown_result(project), servers=[])


if __name__ == "__main__":
    main()
