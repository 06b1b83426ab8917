#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pm2_process_info
short_description: List the processes that pm2 runs
version_added: 0.1.0
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Lists the processes of the user who runs the task, and changes nothing.
  - It starts no pm2 daemon. Without a daemon, or without pm2, the list is empty.
  - Arguments of processes and values of their variables are not returned, because they may be secrets.
options:
  names:
    description: Names of the processes to list.
    type: list
    elements: str
    default: []
  directories:
    description:
      - Directories whose processes are listed too, whatever their names are.
      - Without O(names) and O(directories), all processes are listed.
    type: list
    elements: path
    default: []
  manual_dir:
    description: Directory in which M(codeframe.staging.pm2_process) has saved manual processes, for RV(replaced).
    type: path
  log_lines:
    description: Lines to return from the end of each log of a process.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description: Changes nothing.
  diff_mode:
    support: none
    description: There is no difference to show.
seealso:
  - module: codeframe.staging.pm2_process
"""

EXAMPLES = r"""
- name: List the processes of the application
  codeframe.staging.pm2_process_info:
    names: [app-backend, app-frontend]
    directories: [/home/deploy/projects/app]
  become: true
  become_user: deploy
  register: pm2
"""

RETURN = r"""
pm2_version:
  description: Version of the pm2 program, empty if there is none.
  returned: always
  type: str
  sample: 7.0.4
daemon_version:
  description: Version of the daemon, empty if none runs.
  returned: always
  type: str
  sample: 7.0.4
replaced:
  description: Names of managed processes that have replaced manual ones, by the files in O(manual_dir).
  returned: always
  type: list
  elements: str
processes:
  description: The processes.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the process in pm2.
      type: str
    status:
      description: What pm2 says of it, such as V(online) or V(errored).
      type: str
    pid:
      description: Its number, or null if it does not run.
      type: int
    uptime_s:
      description: Seconds since it was started, or null.
      type: int
    restarts:
      description: How often pm2 has restarted it.
      type: int
    exec_mode:
      description: V(fork) or V(cluster).
      type: str
    ports:
      description: TCP ports on which it listens. Empty in cluster mode, where the daemon has the socket.
      type: list
      elements: int
    cwd:
      description: The working directory that it was started with, links not resolved.
      type: str
    live_cwd:
      description: The directory in which it works now, links resolved; empty if that is not known.
      type: str
    revision:
      description: The revision that M(codeframe.staging.pm2_process) has stored with it.
      type: str
    log:
      description: The last O(log_lines) lines of each of its logs. The values of its environment are removed.
      type: list
      elements: str
    managed:
      description: Whether M(codeframe.staging.pm2_process) has started it.
      type: bool
    project:
      description: The project directory that M(codeframe.staging.pm2_process) has stored with it, or empty.
      type: str
  sample:
    - name: app-backend
      status: online
      pid: 4711
      uptime_s: 3600
      restarts: 0
      exec_mode: fork
      ports: [14200]
      cwd: /home/deploy/projects/app/backend
      live_cwd: /home/deploy/projects/app.releases/0002-9f8e7d6c/backend
      revision: 5c8006cce58c
      managed: true
      project: /home/deploy/projects/app
      log: []
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.proc import age_s
from ..module_utils._host.programs import find_program
from ..module_utils._pm2.client import Pm2
from ..module_utils._pm2.environment import base_env
from ..module_utils._pm2.error import Pm2Error
from ..module_utils._pm2.info import described, listening_ports, selected
from ..module_utils._pm2.logs import log_end
from ..module_utils._pm2.manual import replaced_in
from ..module_utils._pm2.state import look


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "names": {"type": "list", "elements": "str", "default": []},
            "directories": {"type": "list", "elements": "path", "default": []},
            "manual_dir": {"type": "path"},
            "log_lines": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    executable, node = find_program("pm2"), find_program("node")
    base = base_env(os.path.dirname(node) if node else "")
    home = os.environ.get("PM2_HOME") or os.path.join(base["HOME"], ".pm2")
    try:
        state = look(home, Pm2(executable, base, home) if executable else None)
    except Pm2Error as problem:
        module.fail_json(msg=str(problem))
    found = selected(state.processes, module.params["names"], module.params["directories"])
    pids = [process.pid for process in found if process.pid > 0]
    ports = listening_ports(pids) if pids else {}
    module.exit_json(
        changed=False,
        pm2_version=state.pm2.version() if state.pm2 else "",
        daemon_version=state.daemon.version if state.daemon else "",
        replaced=replaced_in(module.params["manual_dir"]) if module.params["manual_dir"] else [],
        processes=[
            {
                **described(each, ports, age_s(each.pid) if each.pid > 0 else None),
                "log": log_end(each, module.params["log_lines"]),
            }
            for each in found
        ],
    )


if __name__ == "__main__":
    main()
