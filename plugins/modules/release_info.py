#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release_info
short_description: List the releases of a project, and the active one
version_added: "0.1.0"
description:
  - Returns the facts that M(codeframe.staging.release) returns, and changes nothing.
  - It does not fail if the project does not exist yet. All ids are null then.
extends_documentation_fragment:
  - codeframe.staging.release
attributes:
  check_mode:
    support: full
    description: Changes nothing.
  diff_mode:
    support: none
    description: There is no difference to show.
seealso:
  - module: codeframe.staging.release
"""

EXAMPLES = r"""
- name: List the releases
  codeframe.staging.release_info:
    project_dir: /home/deploy/projects/app
  register: release
"""

RETURN = r"""
path:
  description:
    - Directory of the working release, which is the candidate or else the active release. Null if there is neither.
  returned: always
  type: str
  sample: /home/deploy/projects/app.releases/0003-1a2b3c4d
base_path:
  description:
    - The same as RV(path), or the project directory if it was deployed manually. Null if there is neither.
  returned: always
  type: str
working:
  description: Id of the working release, or null.
  returned: always
  type: str
active:
  description: Id of the release that the project directory links to, or null.
  returned: always
  type: str
  sample: 0002-9f8e7d6c
candidate:
  description: Id of the candidate, or null.
  returned: always
  type: str
committed:
  description: Id of the release that was verified last, or null.
  returned: always
  type: str
previous:
  description: Id of the release that was verified before it, or null.
  returned: always
  type: str
records:
  description:
    - What is stored with the working release, with the keys of the option O(codeframe.staging.release#module:records).
  returned: always
  type: dict
revision:
  description: Full commit, or digest, of the source of the working release. Null if it is not known yet.
  returned: always
  type: str
source_digest:
  description: Digest of the working release's source as it was delivered, before any build changed a file.
  returned: always
  type: str
partial_source_digest:
  description:
    - The same without the directories of O(digest_exclude). Null if the source does not exist yet.
  returned: always
  type: str
source_list:
  description:
    - File with the checksums of the working release's source as it was delivered, by path. In check mode that of the
      active release, if the working one is only predicted. Null if there is none.
  returned: always
  type: str
origin:
  description: Where the source of the working release came from.
  returned: always
  type: dict
releases_dir:
  description: Directory of the releases.
  returned: always
  type: str
venvs_dir:
  description: Directory of the virtual environments, which releases share.
  returned: always
  type: str
shared_dir:
  description: Directory of the data that outlives releases.
  returned: always
  type: str
env_snapshots:
  description: Private copy of each env file from the activation of the working release, by path of the env file.
  returned: always
  type: dict
releases:
  description:
    - All releases with C(id), C(revision), C(taken_over) and C(active), oldest first.
    - Also with C(missing), what a release that is not active has lost since it was activated. A rollback to it is then
      refused.
  returned: always
  type: list
  elements: dict
damage:
  description: Source files of the active release that were edited or are missing.
  returned: always
  type: list
  elements: str
found:
  description:
    - What is at the project's path. One of V(nothing), V(release), V(directory) for one that was deployed manually, and
      V(unmanaged_link).
  returned: always
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.shown import shown, shown_result
from ..module_utils._release import baseline
from ..module_utils._release.checks import refuse_malformed
from ..module_utils._release.errors import ReleaseError, explain
from ..module_utils._release.facts import facts
from ..module_utils._release.fitness import unfit
from ..module_utils._release.plan import Found
from ..module_utils._release.project import Project

FOUND = {
    Found.NOTHING: "nothing",
    Found.LINK: "release",
    Found.DIRECTORY: "directory",
    Found.UNMANAGED_LINK: "unmanaged_link",
}


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "project_dir": {"type": "path", "required": True},
            "digest_exclude": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    project = Project(module.params["project_dir"])
    try:
        refuse_malformed(project)
        found, active = project.find()
        manifest = project.read()
        damage = baseline.damage(project, active, manifest) if active else ()
        result = facts(project, manifest, active, module.params["digest_exclude"])
        for each in result["releases"]:
            each["missing"] = [] if each["active"] else unfit(project, each["id"], manifest)
    except ReleaseError as problem:
        module.fail_json(msg=shown(str(problem)))
    except OSError as problem:
        module.fail_json(msg=shown(explain(problem)))
    damaged = [str(difference) for difference in damage or ()]
    module.exit_json(changed=False, found=FOUND[found], **shown_result({"damage": damaged, **result}))


if __name__ == "__main__":
    main()
