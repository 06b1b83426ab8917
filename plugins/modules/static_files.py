#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: static_files
short_description: Publish the static files of a build where the web server may read them
version_added: 0.1.0
description:
  - Copies the static files of a build into a directory of its own, so that a web server serves them that may not enter
    the deploy user's home.
  - The files of previous builds stay published as long as their release exists, because tabs that were opened before a
    deployment still request them. They are removed with the publication of a later build.
  - Each file appears completely, by a rename. The next run completes an interrupted publication.
  - Files in that directory that this module has not published are listed, and not changed.
options:
  src:
    description:
      - Directory with the static files of the build that is, or is about to be, active, such as C(.next/static).
      - Symbolic links and special files in it are not published; a warning names them.
    type: path
    required: true
  previous:
    description:
      - The same directories of previous builds, oldest first. Those that exist and are not published yet, because the
        build was served by other means, are published together with O(src).
    type: list
    elements: path
    default: []
  dest:
    description:
      - Directory that belongs to this publication alone. The files are below C(files/); C(manifest.json) records what
        was published.
      - Only root may write in it and in the directories on the way to it. Otherwise another user could decide what root
        writes where, and it is refused.
    type: path
    required: true
  url_path:
    description:
      - Path under which the files are served. They are at the same path below C(files/), so that C(files/) is the
        document root.
      - What was published at another path is removed.
    type: str
    default: /_next/static/
  whole:
    description:
      - Whether O(src) is the whole page, and not only files whose names change with their content.
      - Of previous builds, only files with such names stay published then, and hidden files are not published.
    type: bool
    default: false
  user:
    description:
      - Read O(src) with the rights of this user, if the module runs as root. A build then cannot publish files that its
        user could not read.
    type: str
  state:
    description:
      - V(present) publishes. V(absent) removes everything that was published.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Predicts the publication. If O(src) does not exist yet, one is predicted.
    support: full
  diff_mode:
    description: Shows the paths that are written and removed, not their content.
    support: full
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Publish the client files of the active build
  codeframe.staging.static_files:
    src: /home/deploy/projects/app/web-ui/.next/static
    dest: /var/lib/codeframe-staging/app
    user: deploy

- name: Publish a page that needs no process
  codeframe.staging.static_files:
    src: /home/deploy/projects/app/frontend/dist
    dest: /var/lib/codeframe-staging/app
    url_path: /
    whole: true
    user: deploy
"""

RETURN = r"""
root:
  description: The document root, below which the files are at their URL path.
  returned: always
  type: str
  sample: /var/lib/codeframe-staging/app/files
reasons:
  description: Why a change is required.
  returned: always
  type: list
  elements: str
published:
  description: Number of files of the build in O(src).
  returned: always
  type: int
kept:
  description: Number of further files, which belong to previous builds.
  returned: always
  type: int
removed:
  description: Paths that were removed, relative to RV(root).
  returned: always
  type: list
  elements: str
unmanaged:
  description: Paths relative to RV(root) that this module has not published.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._frontend.arguments import STATIC_FILES
from ..module_utils._frontend.publish import ManagedFiles, manage
from ..module_utils._frontend.static_files import StaticFilesError
from ..module_utils._host.shown import shown, shown_result


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=STATIC_FILES, supports_check_mode=True)
    done = ManagedFiles()
    problem = ""
    try:
        manage(module.params, done, predicting=module.check_mode)
    except (StaticFilesError, OSError) as err:
        problem = f"the static files in {module.params['src']} were not published: {err}"
    for warning in done.warnings:
        module.warn(shown(warning))
    if problem:
        module.fail_json(msg=shown(problem), **shown_result(done.result))
    module.exit_json(**shown_result(done.result))


if __name__ == "__main__":
    main()
