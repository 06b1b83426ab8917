#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_archive
short_description: Pack the source in a directory so that equal sources give equal archives
version_added: "0.1.0"
description:
  - Meant for the controller, to bring a source to hosts with M(codeframe.staging.release).
  - In a git checkout the files are those that git does not ignore, uncommitted and untracked ones included. Anywhere
    else they are all files but those that tools generate.
  - The archive is named by the digest of its content, holds neither times nor owners, and is written only if it is
    not there yet.
options:
  src:
    description: The directory with the source.
    type: path
    required: true
  dest_dir:
    description:
      - The directory for the archive. Made with mode 0700 where it does not exist.
    type: path
    required: true
  exclude:
    description:
      - Patterns of paths to leave out, in addition to what common tools generate (C(.git), C(.venv), C(node_modules),
        C(.next), C(__pycache__) and caches).
      - A pattern without a slash is compared with each part of a path, one with a slash with the path from the top.
    type: list
    elements: str
    default: []
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Can run in check_mode; the digest is right, and no archive is written.
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
  description: Whether the source holds work that no commit holds.
  returned: success
  type: bool
files:
  description: Number of files and links.
  returned: success
  type: int
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._release import git as git_source
from ..module_utils._release.archive import (
    archived_tree,
    leaving_links,
    write_archive,
)
from ..module_utils._release.manifest import ReleaseError
from ..module_utils._release.tree import (
    ALWAYS_EXCLUDED,
    Exclusion,
    Tree,
    TreeError,
    read_tree,
    tree_digest,
    walk,
)


def source_of(src: str, exclusion: Exclusion) -> tuple[Tree, str | None, bool]:
    """Read a source directory.

    :returns: The tree, the commit, and whether there is work that no commit holds.
    """
    git = git_source.Git()
    if git.available() and git_source.inside_checkout(git, src):
        names = [name for name in git_source.present_files(git, src) if not exclusion.covers(name)]
        if names:
            dirty = [name for name in git_source.uncommitted(git, src) if not exclusion.covers(name)]
            return read_tree(src, names), git.local_commit(src, "HEAD"), bool(dirty)
        # A directory that the checkout around it ignores as a whole is a source of its own.
    return read_tree(src, walk(src, exclusion)), None, False


def packed(src: str, tree: Tree, digest: str, path: str) -> None:
    """Write the archive, and make sure that it holds what was read.

    :raises ReleaseError: If a file changed in between.
    """
    write_archive(src, tree, path)
    if tree_digest(archived_tree(path)) != digest:
        os.unlink(path)
        raise ReleaseError(
            f"the source in {src} changed while it was packed; wait until nothing writes there and run again"
        )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "dest_dir": {"type": "path", "required": True},
            "exclude": {"type": "list", "elements": "str", "default": []},
        },
        supports_check_mode=True,
    )
    src, dest_dir = module.params["src"].rstrip("/"), module.params["dest_dir"]
    try:
        if not os.path.isdir(src):
            raise ReleaseError(f"src is {src!r}, which is not a directory; expected is the directory with the source")
        inner = os.path.relpath(os.path.realpath(dest_dir), os.path.realpath(src))
        own = [] if inner == ".." or inner.startswith("../") else [f"/{inner}"]
        tree, revision, dirty = source_of(src, Exclusion((*ALWAYS_EXCLUDED, *module.params["exclude"], *own)))
        if not tree:
            raise ReleaseError(f"src {src} holds no source file; expected is the directory with the source")
        leaving = leaving_links(tree)
        if leaving:
            raise ReleaseError(
                f"src {src} holds the symbolic link {leaving[0]!r} to {tree[leaving[0]][2:]!r}, which leaves the "
                "source; replace or exclude it"
            )
        digest = tree_digest(tree)
        path = os.path.join(dest_dir, f"{digest[:16]}.tar.gz")
        changed = not os.path.isfile(path) or not intact(path, digest)
        if changed and not module.check_mode:
            os.makedirs(dest_dir, mode=0o700, exist_ok=True)
            packed(src, tree, digest, path)
    except TreeError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(msg=f"{problem.filename or src} cannot be used for the source archive: {problem.strerror}")
    module.exit_json(changed=changed, path=path, digest=digest, revision=revision, dirty=dirty, files=len(tree))


def intact(path: str, digest: str) -> bool:
    """Whether an archive that is there holds what its name says."""
    try:
        return tree_digest(archived_tree(path)) == digest
    except TreeError:
        return False


if __name__ == "__main__":
    main()
