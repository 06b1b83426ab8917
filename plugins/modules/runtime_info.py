#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: runtime_info
short_description: Gather facts about the runtime that a deployment needs
version_added: "0.1.0"
description:
  - Gathers facts about distribution packages, the deploy user, Node.js, npm, pm2, its unit and files in one call.
  - Works on a host that has none of them. Starts nothing, in particular no pm2 daemon.
author:
  - The codeframe.staging contributors (@codeframe)
options:
  user:
    description: Name of the deploy user.
    type: str
    required: true
  packages:
    description: Packages of the distribution that should be installed, as dpkg or rpm names them.
    type: list
    elements: str
    default: []
  project_dir:
    description: Project directory, for RV(missing_directories).
    type: path
  socket:
    description: UNIX socket of the backend, for RV(missing_directories).
    type: path
  npm_packages:
    description: Directories below C(/usr/local/lib) that all users must be able to read, for RV(closed_packages).
    type: list
    elements: str
    default: []
  files:
    description:
      - Texts of files that belong to root with mode C(0644), by their paths.
      - C({home}) and C({group}) in a text stand for the home directory and the primary group of O(user).
    type: dict
    default: {}
  node_version:
    description: Version of Node.js that should be on the path. Empty for whatever version it has.
    type: str
    default: ""
  pm2_version:
    description: Version of pm2 that should be installed. Empty for whatever version it has.
    type: str
    default: ""
attributes:
  check_mode:
    description: Changes nothing, so it does the same in check mode.
    support: full
  diff_mode:
    description: Changes nothing, so there is no difference to show.
    support: none
"""

EXAMPLES = r"""
- name: Gather the runtime facts
  codeframe.staging.runtime_info:
    user: deploy
    packages: [nodejs, python3-venv]
  register: runtime
"""

RETURN = r"""
missing_packages:
  description: Packages of O(packages) that are not installed, in the order given.
  returned: success
  type: list
  elements: str
  sample: [nodejs]
home:
  description: Home directory of the user; null if there is no such user.
  returned: success
  type: str
  sample: /home/deploy
missing_directories:
  description:
    - First missing directory above O(project_dir) and above O(socket) that only root can create. Without those above
      which another user can change a directory.
  returned: success
  type: list
  elements: str
  sample: [/srv/projects]
closed_packages:
  description: Paths of those O(npm_packages) in which something cannot be read by all users.
  returned: success
  type: list
  elements: str
  sample: [/usr/local/lib/node_modules/pm2]
group:
  description: Primary group of the user; null if there is no such user.
  returned: success
  type: str
  sample: deploy
nodejs:
  description: Version of the Node.js on the path; null if there is none.
  returned: success
  type: str
  sample: 20.19.2
machine:
  description: Architecture of the machine, as C(uname -m) prints it.
  returned: success
  type: str
  sample: x86_64
npm:
  description: Path of npm; null if there is none.
  returned: success
  type: str
  sample: /usr/local/bin/npm
logrotate:
  description: Path of logrotate; null if there is none.
  returned: success
  type: str
  sample: /usr/sbin/logrotate
pm2:
  description: Version of the pm2 installed below C(/usr/local); null if there is none, or something of it is missing.
  returned: success
  type: str
  sample: 7.0.4
pm2_daemon:
  description: Pid of the user's running pm2 daemon; null if none runs.
  returned: success
  type: int
  sample: 812
pm2_unit_enabled:
  description: Whether systemd starts the user's pm2 at boot.
  returned: success
  type: bool
pm2_unit_active:
  description: Whether that unit is active.
  returned: success
  type: bool
pm2_unit_right:
  description: Whether that unit runs a program that exists, as the user.
  returned: success
  type: bool
differing_files:
  description: Paths of O(files) whose file is missing, or has another content, owner, group or mode.
  returned: success
  type: list
  elements: str
  sample: [/etc/logrotate.d/pm2-app]
reasons:
  description: What is missing or wrong. Empty if the runtime is as it should be.
  returned: success
  type: list
  elements: str
  sample: [pm2 7.0.4, pm2 at boot]
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._runtime.arguments import RUNTIME
from ..module_utils._runtime.facts import RuntimeFactsError, gather


def main() -> None:
    module = AnsibleModule(argument_spec=RUNTIME, supports_check_mode=True)
    try:
        facts = gather(module.params)
    except RuntimeFactsError as error:
        module.fail_json(msg=str(error))
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
