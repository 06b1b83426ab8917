#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release_info
short_description: Say which releases of a project there are, and which one serves
version_added: "0.1.0"
description:
  - Returns the facts that M(codeframe.staging.release) returns, and changes nothing.
  - A project of which nothing exists yet is no failure; all ids are null then.
options:
  project_dir:
    description: The directory of the project as its users know it.
    type: path
    required: true
  digest_without:
    description: Directories that RV(tree_digest_without) leaves out.
    type: list
    elements: str
    default: []
  integrity:
    description: Whether to compare the current release with what it held when it was switched in.
    type: bool
    default: true
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Can run in check_mode, since it changes nothing.
  diff_mode:
    support: none
    description: There is no difference to show.
seealso:
  - module: codeframe.staging.release
"""

EXAMPLES = r"""
- name: Look at the releases
  codeframe.staging.release_info:
    project_dir: /home/deploy/projects/app
  register: release
"""

RETURN = r"""
path:
  description: The working release, which is the open candidate, or else the current release. Null without either.
  returned: always
  type: str
  sample: /home/deploy/projects/app.releases/0003-1a2b3c4d
base_path:
  description: The same as RV(path), or the project directory itself where it was deployed by hand. Null without either.
  returned: always
  type: str
working:
  description: Id of the working release, or null.
  returned: always
  type: str
current:
  description: Id of the release that the project directory links to, or null.
  returned: always
  type: str
candidate:
  description: Id of the open candidate, or null.
  returned: always
  type: str
good:
  description: Id of the release that last passed verification, or null.
  returned: always
  type: str
former:
  description: Id of the release that passed verification before the good one, or null.
  returned: always
  type: str
good_state:
  description: What is remembered of the good state, with the keys C(release), C(proxy_state), C(records), or null.
  returned: always
  type: dict
former_state:
  description: All that is remembered of the former state, with the same keys, or null.
  returned: always
  type: dict
proxy_state:
  description: The proxy state of the good state; empty where there is none.
  returned: always
  type: dict
proxy_before:
  description: What the proxy had before its first change that no verification has passed after; empty for none.
  returned: always
  type: dict
records:
  description: What was recorded with the working release.
  returned: always
  type: dict
revision:
  description: Full commit, or digest, of the source of the working release.
  returned: always
  type: str
tree_digest:
  description: Digest of the working release's source as it was delivered, before any build changed a file.
  returned: always
  type: str
tree_digest_without:
  description: The same without the directories of O(digest_without).
  returned: always
  type: str
origin:
  description: Where the source of the working release came from.
  returned: always
  type: dict
releases_dir:
  description: The directory of releases.
  returned: always
  type: str
venvs_dir:
  description: The directory of virtual environments that releases share.
  returned: always
  type: str
shared_dir:
  description: The directory of the data that outlives releases.
  returned: always
  type: str
incoming_dir:
  description: Where archives may be uploaded to.
  returned: always
  type: str
sealed_files:
  description: For each env file of the working release, the private copy made when it was switched in.
  returned: always
  type: dict
releases:
  description: All releases with C(id), C(revision), C(taken_over) and C(current), oldest first.
  returned: always
  type: list
  elements: dict
damage:
  description: The source files of the current release that were edited or are missing. Empty without O(integrity).
  returned: always
  type: list
  elements: str
found:
  description:
    - What stands at the project's path. V(nothing), V(release), V(directory) for one that was deployed by hand, or
      V(foreign_link).
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._release.facts import facts
from ..module_utils._release.plan import Found
from ..module_utils._release.store import Project, in_words
from ..module_utils._release.tree import TreeError

FOUND = {
    Found.NOTHING: "nothing",
    Found.LINK: "release",
    Found.DIRECTORY: "directory",
    Found.FOREIGN_LINK: "foreign_link",
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "project_dir": {"type": "path", "required": True},
            "digest_without": {"type": "list", "elements": "str", "default": []},
            "integrity": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    project = Project(module.params["project_dir"])
    try:
        project.refuse_malformed()
        found, current = project.find()
        manifest = project.read()
        damage = project.damage(current, manifest) if current and module.params["integrity"] else ()
        result = facts(project, manifest, current, module.params["digest_without"])
    except TreeError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(msg=in_words(problem))
    module.exit_json(
        changed=False, found=FOUND[found], damage=[str(difference) for difference in damage or ()], **result
    )


if __name__ == "__main__":
    main()
