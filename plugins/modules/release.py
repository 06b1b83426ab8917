#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release
short_description: Prepare, activate, commit and roll back releases of a project
version_added: "0.1.0"
description:
  - The project directory is a symbolic link to the active release. The releases are beside it, in a directory of the
    same name with the suffix C(.releases).
  - Nothing that is active is edited in place. A change is made in a candidate, which holds new source together with
    the env files, packages and builds of the active release, or a copy of the active release. The candidate is
    activated by one atomic rename of the link.
  - What is done depends on a comparison of the active release with the wanted source, never on the results of
    earlier tasks. The next run finishes or cleans up what an interrupted run has left.
  - Concurrent calls for one project exclude each other. Run the module as the user that owns the project.
extends_documentation_fragment:
  - codeframe.staging.release
options:
  project_dir:
    description:
      - The project directory, which is a symbolic link to the active release.
      - A directory at this path is taken over as the first release. It is renamed under the running processes, and its
        shared data is moved and linked. Nothing in it is deleted, now or later.
  state:
    description:
      - V(prepared) compares the active release with the wanted source. It opens a candidate if the source changed, or
        if a source file of the active release was edited or is missing. A candidate of an earlier run is discarded.
      - V(candidate) opens a copy of the active release as the candidate, unless there is a candidate.
      - V(activated) makes the candidate the active release and stores O(records) with it. Without a candidate, it only
        stores O(records).
      - V(discarded) discards the candidate.
      - V(committed) stores the active release as the last verified state, and deletes old releases.
      - V(rolled_back) makes an earlier release active and discards the candidate. A release that has lost its env file,
        or a file of its build, its packages or its virtual environment, is refused.
      - V(removed) deletes the releases, the virtual environments and what else deployments have made. Data stays, with
        the releases in which the application has written files, a directory that was taken over, and the active release
        of O(source_type=in_place) (RV(remaining)). The env files of the active release are moved to C(kept) in the
        directory of the releases. It is refused while a process runs in a release that would be deleted.
    type: str
    choices: [prepared, candidate, activated, discarded, committed, rolled_back, removed]
    default: prepared
  source_type:
    description:
      - Where the source comes from. Required for O(state=prepared).
      - V(git) takes it from O(git_url) at O(version), V(archive) from the file O(archive).
      - V(in_place) takes the project directory as it is, including edits.
    type: str
    choices: [git, archive, in_place]
  git_url:
    description:
      - URL of the git repository. It never appears in the arguments of a process.
      - A user name and password in it are kept out of results and clones.
    type: str
  version:
    description: Branch, tag or commit of the git repository.
    type: str
    default: HEAD
  git_key:
    description:
      - Text of a private key that may read the repository by SSH, such as a deploy key. It has no passphrase.
      - It is only in the memory of an ssh-agent that ends with the module.
    type: str
  git_key_file:
    description: Path on the host of such a key, instead of O(git_key).
    type: path
  git_known_hosts:
    description:
      - Lines of known_hosts for the servers that are connected to by SSH. With them no other server is accepted.
      - By default those in the known_hosts files of the user and the system.
    type: list
    elements: str
  git_token:
    description:
      - Password or token that may read the repository by HTTPS.
      - It is sent to the server of O(git_url) alone, and no credential helper of the host stores it.
    type: str
  git_user:
    description: User name that belongs to O(git_token). Many servers take any.
    type: str
    default: oauth2
  git_submodules:
    description: Whether the submodules are fetched too, those in submodules included.
    type: bool
    default: true
  git_lfs:
    description:
      - Whether files in Git LFS are fetched too. This requires git-lfs on the host, and a repository that has such
        files is refused without it.
      - Otherwise their pointers are deployed.
    type: bool
    default: true
  git_timeout:
    description: Timeout of each git command in seconds.
    type: int
    default: 600
  archive:
    description:
      - Path on the host of a tar archive with the source, as M(codeframe.staging.source_archive) creates it.
      - It is read only if a new release is made of it.
    type: path
  revision:
    description:
      - For O(source_type=archive), the digest that M(codeframe.staging.source_archive) returned. With it, the archive
        is not needed to find that the source has not changed. Without it, the archive is read.
    type: str
  shared_paths:
    description:
      - Relative paths of data that outlives releases, such as databases, uploads and logs. They are kept in
        RV(shared_dir) and linked into each release.
      - A path that does not exist yet is created as an empty directory. Share the directory of a database instead of
        its file, because databases write further files beside it.
    type: list
    elements: str
  carry:
    description:
      - Relative paths that a release of new source takes from the active release, in addition to the env files and the
        directories C(node_modules), C(.next) and C(.venv).
    type: list
    elements: str
  exclude:
    description:
      - Patterns of paths that are not source, in addition to those of common tools. A pattern without a slash is
        compared with each component of a path, one with a slash with the path from the top.
    type: list
    elements: str
  leave_behind:
    description:
      - Relative paths at which the application writes files that only the release has in which they were written. They
        are deleted with it.
      - Any other file that the application has written, and that is not in O(shared_paths), stops the deployment before
        a new release is activated.
    type: list
    elements: str
  env_files:
    description:
      - Relative paths of the env files. They are copied into each release with mode 0600 and are not source. When a
        release is activated, a private copy of each is kept (RV(env_snapshots)).
    type: list
    elements: str
  on_uncommitted:
    description:
      - What to do with a directory that was deployed manually and contains work that is in no git commit.
      - V(keep) keeps the directory as the first release. The candidate is made of the wanted source.
    type: str
    choices: [refuse, keep]
    default: refuse
  keep_releases:
    description:
      - Number of releases that O(state=committed) keeps. It always keeps the active release, the last two verified
        ones, those in which a process is running, a directory that was taken over, and those in which the application
        has written files (RV(kept_for_data)).
    type: int
    default: 3
  rollback_to:
    description:
      - For O(state=rolled_back), the release to activate.
      - V(committed) is the last verified one, V(previous) the verified one before it.
      - V(last) is the last verified one that is not active. This is V(committed) after a run that was killed, otherwise
        V(previous).
      - Any other value is the id of a release.
    type: str
    default: committed
  verified:
    description:
      - For O(state=rolled_back), ids of releases of which the state is saved. If the release of O(rollback_to) has lost
        what its processes need, the newest older one of these that is not damaged is activated instead.
      - By default, or if all are damaged, the rollback is refused and nothing is changed.
    type: list
    elements: str
    default: []
  records:
    description:
      - For O(state=activated) and O(state=committed), what to store with the release. Each given value replaces the
        stored one.
    type: dict
    suboptions:
      backend_revision:
        description: Revision of the backend's process.
        type: str
      frontend_revision:
        description: Revision of the frontend's process.
        type: str
attributes:
  check_mode:
    support: full
    description: Predicts changes without writing anything.
  diff_mode:
    support: full
    description: Shows the releases before and after.
seealso:
  - module: codeframe.staging.release_info
  - module: codeframe.staging.saved_state
  - module: codeframe.staging.source_archive
"""

EXAMPLES = r"""
- name: Prepare the source of a version
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: prepared
    source_type: git
    git_url: https://git.example.com/app.git
    version: v1.4.0
    shared_paths: [logs, data]
    env_files: [.env.staging]
  register: release

- name: Open a copy of the active release for a change
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: candidate

- name: Activate the candidate
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: activated

- name: Commit the verified state
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: committed

- name: Roll back to the last verified state
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: rolled_back
"""

RETURN = r"""
remaining:
  description: For O(state=removed), the paths that are left. Empty for other states.
  returned: always
  type: list
  elements: str
path:
  description:
    - Directory of the working release, which is the candidate or else the active release. Null if there is neither.
    - In check mode it may not exist. RV(base_path) does.
  returned: always
  type: str
  sample: /home/deploy/projects/app.releases/0003-1a2b3c4d
base_path:
  description: The directory to inspect instead of RV(path) if that does not exist yet. Null if there is none.
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
  description: What is stored with the working release, with the keys of O(records).
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
    - It also changes when a damaged file outside of them was replaced, because a process may run the damaged one.
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
  description: All releases with C(id), C(revision), C(taken_over) and C(active), oldest first.
  returned: always
  type: list
  elements: dict
reasons:
  description: Why something was changed.
  returned: always
  type: list
  elements: str
damage:
  description:
    - For O(state=prepared), the source files of the active release that were edited or are missing.
    - For O(state=rolled_back), those of the release that is active again.
  returned: always
  type: list
  elements: str
unshared_data:
  description:
    - For O(state=prepared), files in the active release that no source contains and no build has made, and that are
      neither in O(shared_paths) nor in O(leave_behind). Of directories that contain nothing else, the directory.
    - They are written by the application. A release of new source that would replace the active one is refused.
    - For O(state=rolled_back), those of the release that was active before.
  returned: always
  type: list
  elements: str
left_behind:
  description: For O(state=prepared), the same files as far as O(leave_behind) names them.
  returned: always
  type: list
  elements: str
kept_for_data:
  description:
    - For O(state=committed), the old releases that are not deleted because the application has written files in them,
      with these files.
  returned: always
  type: dict
  sample: {0002-9f8e7d6c: [app.db, uploads/]}
unfit:
  description:
    - For O(state=rolled_back), the releases that were passed over, because they have lost what their processes need,
      with what that is.
  returned: always
  type: dict
  sample: {0003-9f8e7d6c: ["web-ui/.next: build incomplete: no BUILD_ID"]}
taken_over:
  description: Id of the release that was made of a directory found, or null.
  returned: always
  type: str
active_before:
  description: Id of the release that was active before this call, or null.
  returned: always
  type: str
pruned:
  description: Ids of the releases that were deleted.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.shown import shown, shown_result
from ..module_utils._host.url import passwords_in
from ..module_utils._release.arguments import RELEASE
from ..module_utils._release.call import call
from ..module_utils._release.errors import ReleaseError, explain


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec=RELEASE,
        required_if=[
            ("state", "prepared", ("source_type",)),
            ("source_type", "git", ("git_url",)),
        ],
        mutually_exclusive=[("git_key", "git_key_file")],
        supports_check_mode=True,
    )
    params = module.params
    module.no_log_values.update(passwords_in(params["git_url"] or ""))
    try:
        result, warnings = call(params, predicting=module.check_mode)
    except ReleaseError as problem:
        module.fail_json(msg=shown(str(problem)))
    except OSError as problem:
        module.fail_json(msg=shown(explain(problem)))
    for warning in warnings:
        module.warn(shown(warning))
    module.exit_json(**shown_result(result))


if __name__ == "__main__":
    main()
