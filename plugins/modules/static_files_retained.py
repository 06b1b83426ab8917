#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: static_files_retained
short_description: Add the static files of earlier builds to a build that serves its own
version_added: 0.1.0
description:
  - A tab that was opened before a deployment goes on requesting the files of its build. Where the frontend's process
    serves static files itself, they are added to the build that it is about to serve.
  - Files of the build itself are never replaced. The added ones are hard links, so that they take no space, and are
    listed beside the directory, so that they are not taken for files of the build.
  - Run it before the process is started, because Next.js reads the names of its static files when it starts, and as the
    user that owns the releases.
options:
  src:
    description:
      - Directory with the static files of the build, such as C(.next/static).
      - Without such a directory, there is no change.
    type: path
    required: true
  previous:
    description:
      - The same directories of the releases that are kept, oldest first. Directories that do not exist, and O(src)
        itself, are ignored.
      - Files of releases that exist no more are removed when others are added.
    type: list
    elements: path
    default: []
attributes:
  check_mode:
    description: Predicts the files that would be added.
    support: full
  diff_mode:
    description: Shows no differences.
    support: none
seealso:
  - module: codeframe.staging.static_files
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Keep the files of earlier builds available
  codeframe.staging.static_files_retained:
    src: /home/deploy/projects/app/web-ui/.next/static
    previous:
      - /home/deploy/projects/app.releases/0001-9f8e7d6c/web-ui/.next/static
  become: true
  become_user: deploy
"""

RETURN = r"""
reasons:
  description: Why files were added, or would be; empty if nothing changed.
  returned: always
  type: list
  elements: str
  sample: ["files of earlier builds added: 23"]
added:
  description: The files that were added, or would be, relative to O(src).
  returned: always
  type: list
  elements: str
removed:
  description: The files of releases that exist no more.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._frontend.arguments import RETAINED_FILES
from ..module_utils._frontend.retained import read_plan, retain
from ..module_utils._host.shown import shown, shown_result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=RETAINED_FILES,
        supports_check_mode=True,
    )
    src = module.params["src"].rstrip("/")
    try:
        plan = read_plan(src, module.params["previous"])
        if not module.check_mode:
            retain(src, plan)
    except OSError as err:
        module.fail_json(
            msg=shown(
                f"static files of earlier builds cannot be added to {src}: {err.strerror or err} ({err.filename})"
            )
        )
    count = len(plan.add)
    reasons = [f"files of earlier builds added: {count}"] if count else []
    names = shown_result({"added": sorted(plan.add), "removed": plan.remove})
    module.exit_json(changed=bool(count), reasons=reasons, **names)


if __name__ == "__main__":
    main()
