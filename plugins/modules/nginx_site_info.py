#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: nginx_site_info
short_description: Read a site of nginx that is managed by the collection
version_added: "0.1.0"
description:
  - Returns the content of a site that M(codeframe.staging.nginx_site) wrote, and of its file for the main context, so
    that a later run can restore them.
  - Reads the files only. It neither tests the configuration nor needs a running nginx.
options:
  name:
    description:
      - Name of the site.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: The module changes nothing.
  diff_mode:
    support: none
    description: The module changes nothing.
extends_documentation_fragment:
  - codeframe.staging.nginx
seealso:
  - module: codeframe.staging.nginx_site
"""

EXAMPLES = r"""
- name: Read the site of the staging application
  codeframe.staging.nginx_site_info:
    name: codeframe-staging
  register: previous

- name: Restore it
  codeframe.staging.nginx_site:
    name: codeframe-staging
    content: "{{ previous.content }}"
    main_content: "{{ previous.main_content }}"
  when: previous.exists
"""

RETURN = r"""
exists:
  description: Whether there is a managed site of this name.
  returned: always
  type: bool
enabled:
  description: Whether nginx loads it.
  returned: always
  type: bool
layout:
  description: The layout that it is in, V(sites) or V(conf_d); empty if there is none.
  returned: always
  type: str
  sample: sites
path:
  description: Its file; empty if there is none.
  returned: always
  type: str
  sample: /etc/nginx/sites-available/codeframe-staging
content:
  description: Its content without the marker line; empty if there is none.
  returned: always
  type: str
main_path:
  description: Its file in the main context; empty if there is none.
  returned: always
  type: str
  sample: /etc/nginx/modules-enabled/codeframe-staging.conf
main_content:
  description: The content of that file without the marker line; empty if there is none.
  returned: always
  type: str
taken_over:
  description: Paths of the files that the site has taken over.
  returned: always
  type: list
  elements: str
  sample: [/etc/nginx/sites-enabled/codeframe-api]
version:
  description: The version of nginx; empty where it is not installed.
  returned: always
  type: str
  sample: 1.26.3
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._nginx.program import Nginx
from ..module_utils._nginx.site.kept import kept_files
from ..module_utils._nginx.site.look import find_main_file, find_site


def look(name: str, nginx: Nginx) -> dict[str, Any]:
    site, main_file = find_site(nginx, name), find_main_file(nginx, name)
    main_path, main_content = main_file or ("", "")
    return {
        "changed": False,
        "exists": site is not None,
        "enabled": site is not None and site.enabled,
        "layout": site.layout.kind if site else "",
        "path": site.layout.file if site else "",
        "content": site.content if site else "",
        "main_path": main_path,
        "main_content": main_content,
        "taken_over": sorted(kept_files(nginx.conf_dir, name)),
        "version": nginx.version,
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "executable": {"type": "str", "default": "nginx"},
            "config": {"type": "path"},
            "prefix": {"type": "path"},
        },
        supports_check_mode=True,
    )
    module.exit_json(**look(module.params["name"], Nginx.of(module.params)))


if __name__ == "__main__":
    main()
