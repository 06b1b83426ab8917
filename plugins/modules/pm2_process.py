#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pm2_process
short_description: Manage one pm2 process, and verify that it is healthy
version_added: 0.1.0
description:
  - Compares the process that pm2 runs with its definition (script, arguments, directory, interpreter, execution mode,
    number of instances, environment, revision, limits) and takes the least intrusive action that takes effect.
  - C(pm2 restart) and C(pm2 reload) ignore a changed script, directory, execution mode and number of instances, and
    keep removed variables. In these cases the module replaces the process (deletes and starts it).
  - A process is healthy when it answers, when it is the one that listens on its port, and when its pid and its number
    of restarts do not change. A process that pm2 calls C(online) may be in a crash loop.
  - An unhealthy process whose definition is right is replaced once and then judged.
  - Never touches processes of other names, and never stops or updates the daemon.
extends_documentation_fragment:
  - codeframe.staging.progress
options:
  name:
    description:
      - Name of the process in pm2, and of its application in O(ecosystem_file).
    type: str
    required: true
  state:
    description:
      - V(online), running as defined and healthy.
      - V(stopped), not running. A process that pm2 does not know counts as stopped.
      - V(absent), not known to pm2.
      - V(restored), replaced by the manual processes in O(manual_file), with their environment. Without any in the
        file, nothing is changed.
    type: str
    choices: [online, stopped, absent, restored]
    default: online
  script:
    description:
      - The program, absolute or relative to O(cwd). Links in its path are not resolved, so that a reload follows them.
      - A name without a slash that is no file there is looked for in C(.venv/bin), C(node_modules/.bin) and C(PATH).
      - Required for O(state=online), unless O(ecosystem_file) names it.
    type: path
  args:
    description:
      - Arguments, one per entry.
    type: list
    elements: str
  cwd:
    description:
      - The working directory. Links in its path are not resolved.
      - Required for O(state=online), unless O(ecosystem_file) names it.
    type: path
  exec_mode:
    description:
      - With V(cluster), which needs Node.js, a reload refuses no connection. The application must close its server when
        it receives SIGINT, as Next.js does; otherwise the connections that it has just accepted hang.
      - By default V(fork).
    type: str
    choices: [fork, cluster]
  env:
    description:
      - Variables of the process, beside E(PATH), E(HOME), E(USER), E(LOGNAME) and E(LANG), which the module sets.
      - The process has no other variables, neither of the shell that runs the module nor of the daemon. Set
        E(NODE_EXTRA_CA_CERTS), E(SSL_CERT_FILE) or E(HTTPS_PROXY) here if it needs them.
      - Values may appear in the log of the controller; write secrets to O(env_file).
    type: dict
    default: {}
  env_file:
    description:
      - A file of variables (C(.env) syntax as npm's C(dotenv) reads it), all of which the process gets.
      - Its values are never shown. O(env) takes precedence over it.
    type: path
  revision:
    description:
      - What the process serves, for example a digest of source and environment. It is stored in the environment of the
        process as E(STAGING_REVISION), so that the next run completes an interrupted deployment.
      - Without it, a process is outdated when it runs in another directory than O(cwd) is a link to.
    type: str
  project_dir:
    description:
      - Directory of the project, stored in the environment of the process as E(STAGING_PROJECT).
      - A process of this name that belongs to another project, or that was started manually from other directories, is
        refused.
    type: path
  manual_file:
    description:
      - File to which a process that was started manually is saved, with its environment, before it is replaced or
        deleted. Only its owner can read it.
      - Required for O(state=restored).
    type: path
  take_over:
    description:
      - Replace a process of another name that was started manually from the directories of the project and that has the
        port.
    type: bool
    default: false
  ecosystem_file:
    description:
      - An ecosystem file of your own (JavaScript or JSON), evaluated by Node.js. It may define all that pm2 knows, such
        as limits, interpreter, number of instances and logs. Options of the task take precedence over it.
      - Keys that have no effect, such as C(vizion) or a block of variables that O(ecosystem_env) does not choose, are
        named in a warning.
    type: path
  ecosystem_env:
    description:
      - Environment whose variables the process gets from O(ecosystem_file). V(staging) takes the block C(env_staging),
        which overrides C(env), as C(pm2 start --env staging) does.
    type: str
  health_url:
    description:
      - URL that must answer 200, requested without proxies and without following redirections.
    type: str
  health_port:
    description:
      - TCP port on which the process must listen. By default the port of O(health_url), or else of
        O(health_websocket_url), if that is on this host.
    type: int
  health_socket:
    description:
      - Path of the UNIX socket on which the process must listen, instead of O(health_port). O(health_url) and
        O(health_websocket_url) are asked through it, whatever host and port they name.
      - Its directory is created with mode 0755 before a start.
    type: path
  health_websocket_url:
    description:
      - URL at which a process that was started or reloaded must accept a WebSocket. Without O(health_url), a process
        that needs no change must accept it too.
    type: str
  health_websocket_origin:
    description:
      - Origin that is sent with the handshake, as a browser does.
    type: str
  health_websocket_headers:
    description:
      - Further headers of the handshake. Their values are never shown.
    type: dict
  health_websocket_query:
    description:
      - Further query parameters of the handshake, such as a token. Their values are never shown.
    type: dict
  health_public_url:
    description:
      - The URL that users ask for. O(health_url) and O(health_websocket_url) are then asked with the headers that a
        correct proxy sends for it, such as C(Host) and C(X-Forwarded-Proto). An application that checks host names or
        redirects to HTTPS answers other requests with a refusal.
    type: str
  health_timeout:
    description:
      - Seconds until a process that was started or reloaded must be healthy.
      - In V(cluster) mode, pm2 waits as long, but at most 30 seconds, for a new process to listen before it stops the
        old one, unless O(ecosystem_file) sets C(listen_timeout).
    type: int
    default: 60
  stable_s:
    description:
      - Seconds for which the pid and the number of restarts must not change.
    type: float
    default: 3
attributes:
  check_mode:
    description: Predicts the action. Starts no daemon.
    support: full
  diff_mode:
    description: Shows what differs; of variables only their names.
    support: full
notes:
  - Run it as the user that owns the pm2 daemon, whose directory is E(PM2_HOME) or C(.pm2) in the home of the user.
  - Saves the list of processes for the next boot when something changed or when the saved list is not what runs. The
    file is made private (0600); entries of other processes stay as their owner saved them.
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Run the backend
  codeframe.staging.pm2_process:
    name: codeframe-staging-backend
    script: .venv/bin/python
    args: [-m, codeframe.ui.server, --port, "14200"]
    cwd: /home/deploy/projects/codeframe
    project_dir: /home/deploy/projects/codeframe
    env_file: /home/deploy/projects/codeframe/.env.staging
    health_url: http://127.0.0.1:14200/health

- name: Run the frontend, reloaded without a refused connection
  codeframe.staging.pm2_process:
    name: codeframe-staging-frontend
    script: node_modules/next/dist/bin/next
    args: [start, -H, 0.0.0.0, -p, "14100"]
    cwd: /home/deploy/projects/codeframe/web-ui
    exec_mode: cluster
    revision: 4f6c2d9a
    health_url: http://127.0.0.1:14100/
"""

RETURN = r"""
action:
  description: The action that was taken, or would be.
  returned: always
  type: str
  sample: reload
reasons:
  description: Why it was taken.
  returned: always
  type: list
  elements: str
  sample: ["the variable PORT changed"]
pid:
  description: Pid of the process, or of the first of its instances; null if none runs.
  returned: always
  type: int
pids:
  description: Pids of all instances.
  returned: always
  type: list
  elements: int
restarts:
  description: How often pm2 restarted it.
  returned: always
  type: int
revision:
  description: The revision stored in the environment of the process.
  returned: always
  type: str
status:
  description: Its status in pm2.
  returned: always
  type: str
healthy:
  description: Whether it was healthy at the end; null if that was not checked.
  returned: always
  type: bool
downtime_s:
  description:
    - Seconds for which the health port or socket refused connections while the process was changed.
    - Null if nothing was changed, if nothing listened there before, or if there is no such port.
  returned: always
  type: float
project_processes:
  description: Names of the other processes in pm2 that belong to the same O(project_dir).
  returned: always
  type: list
  elements: str
daemon_version:
  description: Version of the running pm2 daemon; empty if none runs.
  returned: always
  type: str
pm2_version:
  description: Version of pm2 on the disk; empty if there is none.
  returned: always
  type: str
saved:
  description: Whether the list for the next boot was saved, or would be.
  returned: always
  type: bool
duration_s:
  description: Seconds from the first action until the process was healthy.
  returned: always
  type: float
log_tail:
  description: The last lines of its log, secrets removed.
  returned: on failure
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.progress import OPTION as PROGRESS_OPTION
from ..module_utils._host.progress import Progress
from ..module_utils._pm2.arguments import PROCESS
from ..module_utils._pm2.error import Pm2Error
from ..module_utils._pm2.result import empty_result
from ..module_utils._pm2.run import FailedError, manage


def main() -> None:
    module = AnsibleModule(
        argument_spec=PROCESS,
        required_if=[("state", "restored", ("manual_file",))],
        supports_check_mode=True,
    )
    try:
        with Progress(module.params[PROGRESS_OPTION]) as progress:
            result, warnings = manage(module.params, check=module.check_mode, directory=module.tmpdir, say=progress.say)
    except FailedError as err:
        module.fail_json(msg=str(err), **{**empty_result(), **err.result})
    except Pm2Error as err:
        module.fail_json(msg=str(err), **empty_result())
    for warning in warnings:
        module.warn(warning)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
