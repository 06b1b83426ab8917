#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_site
short_description: Manage an nginx site, validated against the whole configuration
version_added: "0.1.0"
description:
  - Manages one site of nginx, which is a file with a marker line and, where the layout has one, a link to it.
    Directives for the main context are a second file, changed in the same step.
  - Before anything is changed, and in check mode too, C(nginx -t) tests the whole configuration with the candidate.
    The files are then replaced by renames, tested in place, and nginx is reloaded. If nginx refuses them, the previous
    files are restored.
  - Reloads a running nginx whose workers are older than the files of the site, whoever changed them. A reload counts
    when only new workers accept connections.
  - Refuses to replace a file of the same name without the marker, and a site whose host names another file answers for,
    unless O(take_over=true).
options:
  name:
    description:
      - Name of the site and of its files.
    type: str
    required: true
  content:
    description:
      - Directives of the site in the http context, without the marker line. Required with O(state=present).
    type: str
  main_content:
    description:
      - Directives for the main context, outside of the http block, such as C(worker_shutdown_timeout).
      - With an empty value there is no file in the main context. Without a value, an existing one stays as it is.
      - The main file must include a directory C(modules-enabled) or C(main.d) there, as Debian's does.
    type: str
  state:
    description:
      - V(present) creates and enables the site. V(absent) removes all its files, and restores those that it has taken
        over.
    type: str
    choices: [present, absent]
    default: present
  layout:
    description:
      - V(sites) is a file in C(sites-available) and a link in C(sites-enabled). V(conf_d) is a file in C(conf.d).
      - V(auto) selects the first of them that the main file includes.
    type: str
    choices: [auto, sites, conf_d]
    default: auto
  clients:
    description:
      - Number of clients that nginx must be able to serve at once, each with two connections. The site is refused if
        the worker processes have too few connections or open files for it. V(0) checks nothing.
    type: int
    default: 0
  take_over:
    description:
      - Take over unmanaged files that answer for host names of the site, or that have its paths. They are moved to
        C(taken-over/<name>) beside the main file, in the same tested reload in which the site is enabled.
      - A file that also answers for other names or ports is refused, and so is the main file.
      - O(state=absent) restores the files that were taken over, with or without this option.
    type: bool
    default: false
  watch:
    description:
      - Further files that nginx loads and whose changes require a reload, such as certificates.
    type: list
    elements: path
    default: []
  pending:
    description:
      - Files of O(watch) that an earlier task of the same run replaces or creates. In check mode they are taken for
        changed and not judged, and where one is missing, C(nginx -t) is not run.
    type: list
    elements: path
    default: []
  warn_days:
    description: A certificate of the site that is valid for fewer days is warned of.
    type: int
    default: 14
attributes:
  check_mode:
    support: full
    description: Tests the candidate too. Where nginx is not installed, the files of Debian's layout are predicted.
  diff_mode:
    support: full
    description: Shows each file before and after.
extends_documentation_fragment:
  - codeframe.staging.nginx
seealso:
  - module: codeframe.staging.nginx_site_info
  - module: codeframe.staging.nginx_effective_info
"""

EXAMPLES = r"""
- name: Install the site of the staging application
  codeframe.staging.nginx_site:
    name: codeframe-staging
    content: "{{ lookup('ansible.builtin.template', 'site.conf.j2') }}"
    main_content: worker_shutdown_timeout 3600s;

- name: Remove the site
  codeframe.staging.nginx_site:
    name: codeframe-staging
    state: absent
"""

RETURN = r"""
path:
  description: The file of the site.
  returned: always
  type: str
  sample: /etc/nginx/sites-available/codeframe-staging
loaded_path:
  description: The path that nginx includes, which is the link if the layout has one.
  returned: always
  type: str
  sample: /etc/nginx/sites-enabled/codeframe-staging
layout:
  description: The layout that was selected.
  returned: always
  type: str
  sample: sites
main_path:
  description: The file of the site in the main context; empty if there is none, before and after.
  returned: always
  type: str
  sample: /etc/nginx/modules-enabled/codeframe-staging.conf
reasons:
  description: Why something was, or would be, changed.
  returned: always
  type: list
  elements: str
  sample: ["/etc/nginx/sites-available/codeframe-staging has another content than wanted"]
reload:
  description: Whether nginx was, or would be, reloaded.
  returned: always
  type: bool
running:
  description: Whether nginx runs.
  returned: always
  type: bool
version:
  description: The version of nginx; empty where it is not installed.
  returned: always
  type: str
  sample: 1.26.3
name_taken:
  description: Whether the site was refused since an unmanaged file answers for one of its host names.
  returned: always
  type: bool
taken_over:
  description: Paths of the files that the site has taken over, and that are restored when it is removed.
  returned: always
  type: list
  elements: str
  sample: [/etc/nginx/sites-enabled/codeframe-api]
state_before:
  description: Paths of the site with their text before, C(-> TARGET) for a link, null where nothing was.
  returned: always
  type: dict
state_after:
  description: The same after.
  returned: always
  type: dict
open_websockets_on_old_workers:
  description:
    - Open WebSockets (connections to the upstreams of the site) on workers of previous configurations afterwards. They
      stay open until they close or C(worker_shutdown_timeout) ends.
    - In check mode, the number after the reload that is predicted. A warning states it too.
  returned: always
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._nginx.program import Nginx
from ..module_utils._nginx.site.arguments import SITE
from ..module_utils._nginx.site.errors import NameTakenError, SiteError
from ..module_utils._nginx.site.manage import Report, SiteOptions, manage


def main() -> None:
    module = AnsibleModule(
        argument_spec=SITE,
        required_if=[("state", "present", ["content"])],
        supports_check_mode=True,
    )
    params = module.params
    options = SiteOptions.of(params)
    report = Report()
    refusal = None
    try:
        manage(options, Nginx.of(params), module.tmpdir, module.check_mode, report)
    except SiteError as exc:
        refusal, report.name_taken = str(exc), isinstance(exc, NameTakenError)
    for warning in report.warnings:
        module.warn(warning)
    if refusal is not None:
        module.fail_json(msg=refusal, **report.result())
    module.exit_json(**report.result())


if __name__ == "__main__":
    main()
