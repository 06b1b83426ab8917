#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_archive
short_description: Pack a source directory into a reproducible archive
version_added: "0.1.0"
description:
  - For the controller, to deploy a source to hosts with M(codeframe.staging.release).
  - In a git checkout, the files are those that git does not ignore, including uncommitted and untracked ones. Otherwise
    they are all files except those that tools generate.
  - Equal sources give equal archives. The archive is named by the digest of its content, contains neither times nor
    owners, and is written only if it does not exist yet.
options:
  src:
    description: The directory with the source.
    type: path
    required: true
  dest_dir:
    description:
      - The directory for the archive. It is created with mode 0700 if it does not exist.
    type: path
    required: true
  exclude:
    description:
      - Patterns of paths to exclude, in addition to what common tools generate (C(.git), C(.venv), C(node_modules),
        C(.next), C(__pycache__) and caches).
      - A pattern without a slash is compared with each component of a path, one with a slash with the path from the
        top.
    type: list
    elements: str
    default: []
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Returns the digest, and writes no archive.
  diff_mode:
    support: none
    description: There is no difference to show.
seealso:
  - module: codeframe.staging.release
"""

EXAMPLES = r"""
- name: Pack the source on the controller
  codeframe.staging.source_archive:
    src: "{{ playbook_dir }}/../app"
    dest_dir: "{{ lookup('ansible.builtin.env', 'HOME') }}/.cache/app-archives"
    exclude: [docs]
  delegate_to: localhost
  register: source
"""

RETURN = r"""
path:
  description: The archive.
  returned: success
  type: str
  sample: /home/me/.cache/app-archives/6f5902ac237024bd.tar.gz
digest:
  description: Digest of the content. Equal sources have equal digests, wherever and whenever they are packed.
  returned: success
  type: str
revision:
  description: The commit that is checked out, or null without git.
  returned: success
  type: str
dirty:
  description: Whether some of the source is in no commit.
  returned: success
  type: bool
files:
  description: Number of files and links.
  returned: success
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._release.arguments import SOURCE_ARCHIVE
from ..module_utils._release.packing import pack


def main() -> None:
    """Run the module."""
    module = AnsibleModule(argument_spec=SOURCE_ARCHIVE, supports_check_mode=True)
    result = pack(module.params, predicting=module.check_mode)
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
