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
    type: str
    default: /_next/static/
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

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._frontend.publication import (
    Place,
    account_of,
    publish,
    read_files,
    read_present,
    read_published,
    read_unpublished,
    refuse_unprotected,
    url_directory,
    withdraw,
)
from ..module_utils._frontend.static_files import Generation, StaticFilesError, plan_publication
from ..module_utils._host.accounts import rights_of


def present(module: AnsibleModule, place: Place, result: dict[str, Any]) -> None:
    """Publish the build."""
    params = module.params
    published = read_published(place)
    source, account = os.path.realpath(params["src"]), account_of(params["user"])
    with rights_of(account):
        exists = os.path.isdir(source)
        files, others = read_files(source) if exists else ({}, [])
    if not exists and module.check_mode:
        result.update(changed=True, reasons=["there is no build yet"])
        return
    if not files:
        what = "contains no files" if exists else "does not exist"
        raise StaticFilesError(f"{params['src']} {what}, so there is nothing to publish; was it built?")
    for path in others:
        module.warn(f"{os.path.join(params['src'], path)} is no regular file, and is not published")
    existing = {each.source for each in published if os.path.isdir(each.source)}
    unpublished = read_unpublished(params["previous"], account, {each.source for each in published} | {source})
    plan = plan_publication(published, Generation(source, files), read_present(place), existing, unpublished)
    kept = {path for generation in plan.generations for path in generation.files} - set(files)
    result.update(
        changed=bool(plan.reasons),
        reasons=list(plan.reasons),
        published=len(files),
        kept=len(kept),
        removed=list(plan.remove),
        unmanaged=list(plan.unmanaged),
        diff=[difference(place, plan.remove, sorted(plan.write))],
    )
    if plan.reasons and not module.check_mode:
        publish(place, published, plan, account)


def absent(module: AnsibleModule, place: Place, result: dict[str, Any]) -> None:
    """Remove what was published."""
    published = read_published(place)
    found: Mapping[str, str] = read_present(place)
    managed = {path for generation in published for path in generation.files}
    removed = sorted(managed & set(found))
    changed = bool(removed or published)
    result.update(
        changed=changed,
        reasons=["files are published"] if changed else [],
        removed=removed,
        unmanaged=sorted(set(found) - managed),
        diff=[difference(place, removed, [])],
    )
    if changed and not module.check_mode:
        withdraw(place, published, found)


def difference(place: Place, removed: Sequence[str], written: Sequence[str]) -> dict[str, str]:
    """Return the paths that are removed and written, as a diff."""
    return {
        "before_header": place.target,
        "after_header": place.target,
        "before": "".join(f"{path}\n" for path in removed),
        "after": "".join(f"{path}\n" for path in written),
    }


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "previous": {"type": "list", "elements": "path", "default": []},
            "dest": {"type": "path", "required": True},
            "url_path": {"type": "str", "default": "/_next/static/"},
            "user": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    params = module.params
    result: dict[str, Any] = {
        "changed": False,
        "reasons": [],
        "published": 0,
        "kept": 0,
        "removed": [],
        "unmanaged": [],
        "root": "",
        "diff": [],
    }
    try:
        place = Place(params["dest"].rstrip("/"), url_directory(params["url_path"]))
        result["root"] = place.files
        refuse_unprotected(place)
        if params["state"] == "present":
            present(module, place, result)
        else:
            absent(module, place, result)
    except (StaticFilesError, OSError) as err:
        module.fail_json(msg=f"the static files in {params['src']} were not published: {err}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
