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
      - V(rolled_back) makes an earlier release active and discards the candidate.
      - V(proxy_saved) stores O(proxy_state) as the state of the proxy before it is changed, for a rollback.
    type: str
    choices: [prepared, candidate, activated, discarded, committed, rolled_back, proxy_saved]
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
  git_timeout:
    description: Timeout of each git command in seconds.
    type: int
    default: 600
  archive:
    description:
      - Path on the host of a tar archive with the source, as M(codeframe.staging.source_archive) creates it.
      - It is read only if a new release is made of it, and deleted afterwards if it is in RV(incoming_dir).
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
        ones, those in which a process is running, and a directory that was taken over.
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
      websocket_url:
        description: Public URL of the WebSocket that was verified.
        type: str
      page_url:
        description: Public URL of the page that was verified.
        type: str
      backend_process:
        description: How the backend's process is run, as role C(backend) defines it.
        type: dict
      frontend_process:
        description: How the frontend's process is run, as role C(frontend) defines it.
        type: dict
  proxy_state:
    description:
      - The state of the proxy. It is stored as it is.
      - For O(state=committed), the verified state. Without the option, the stored one is kept.
      - For O(state=proxy_saved), the state before the first change (RV(saved_proxy_state)). It is kept until
        O(state=committed), so that a rollback is possible after a run that was killed. An empty dictionary deletes
        it. Before the first release, nothing is stored.
    type: dict
attributes:
  check_mode:
    support: full
    description: Predicts changes without writing anything.
  diff_mode:
    support: full
    description: Shows the releases before and after.
seealso:
  - module: codeframe.staging.release_info
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
    proxy_state:
      site: "{{ lookup('ansible.builtin.file', 'site.conf') }}"

- name: Roll back to the last verified state
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: rolled_back
"""

RETURN = r"""
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
  description: The last verified state with the keys C(release), C(proxy_state) and C(records), or null.
  returned: always
  type: dict
previous:
  description: The verified state before the last one, with the same keys, or null.
  returned: always
  type: dict
saved_proxy_state:
  description: The state of the proxy before a change that no verification has covered yet. Empty if there is none.
  returned: always
  type: dict
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
incoming_dir:
  description: Directory for uploaded archives.
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
left_behind:
  description:
    - For O(state=prepared), files of the active release that belong to no source and are not taken over into the
      candidate. Data among them belongs in O(shared_paths).
  returned: always
  type: list
  elements: str
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

import copy
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._release import git as git_source
from ..module_utils._release.archive import archived_tree, unpack
from ..module_utils._release.facts import as_lines, facts
from ..module_utils._release.manifest import (
    Layout,
    Manifest,
    Record,
    ReleaseError,
    checked_records,
)
from ..module_utils._release.plan import (
    Found,
    Observed,
    PreparePlan,
    Wanted,
    choose_rollback,
    plan_commit,
    plan_prepared,
    to_prune,
)
from ..module_utils._release.store import Project, in_words
from ..module_utils._release.tree import (
    Difference,
    Tree,
    TreeError,
    read_tree,
    relative_path,
    remove_tree,
    summary,
    tree_digest,
)

STATES = ("prepared", "candidate", "activated", "discarded", "committed", "rolled_back", "proxy_saved")
LAYOUT_OPTIONS = ("shared_paths", "exclude", "env_files", "carry")


@dataclass
class Outcome:
    """What one call did, or would do."""

    changed: bool = False
    reasons: list[str] = field(default_factory=list)
    damage: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    taken_over: str | None = None
    pruned: list[str] = field(default_factory=list)
    predicted_digest: str | None = None
    not_fetched: list[str] = field(default_factory=list)


class Call:
    """One call of the module: what it was told, and what it found."""

    def __init__(self, params: dict[str, Any], check_mode: bool) -> None:
        self.params = params
        self.check_mode = check_mode
        self.project = Project(params["project_dir"])
        self.outcome = Outcome()
        self.manifest = Manifest()
        self.active: str | None = None
        self.found = Found.NOTHING
        self.active_before: str | None = None
        self.before = ""
        self.directory_revision: str | None = None
        self.repaired: list[str] = []

    def look(self) -> None:
        """Read the state of the project."""
        self.project.refuse_impossible(self.check_mode)
        self.found, self.active = self.project.find()
        if self.found is Found.UNMANAGED_LINK:
            raise self.project.unmanaged_link()
        self.manifest = self.project.read()
        self.active_before = self.active
        self.before = as_lines(self.project, self.manifest, self.active)

    def run(self) -> None:
        """Bring about the state."""
        state: Callable[[], None] = getattr(self, self.params["state"])
        if self.check_mode:
            self.look()
            # Predictions are made on a copy of the manifest; nothing on disk is touched.
            self.manifest = copy.deepcopy(self.manifest)
            state()
            return
        self.project.refuse_impossible()
        if self.project.find()[0] is Found.UNMANAGED_LINK:
            raise self.project.unmanaged_link()
        if not os.path.isdir(self.project.directory):
            if self.params["state"] != "prepared":
                self.look()
                state()
                return
            # What can be refused is refused before the first directory is made.
            self._rehearse()
            self.project.make_directories()
        with self.project.held():
            self.project.make_directories()
            self.manifest = self.project.recover(self.project.read())
            self.look()
            state()

    def _rehearse(self) -> None:
        self.check_mode = True
        self.look()
        self.prepared()
        self.check_mode = False
        self.outcome = Outcome()
        self.directory_revision = None

    # --- prepared -------------------------------------------------------------------------------

    def prepared(self) -> None:
        """Open a candidate if the source moved or the active release is damaged."""
        self._take_layout()
        in_place = self.params["source_type"] == "in_place"
        commits_nothing = self._uncommitted(self.project.link) if self.found is Found.DIRECTORY else []
        if commits_nothing and self.params["on_uncommitted"] == "refuse" and not in_place:
            files = summary([Difference(path, "is not committed") for path in commits_nothing])
            raise ReleaseError(
                f"{self.project.link} is a git checkout with work that no commit holds ({files}); commit or remove it, "
                "or set on_uncommitted to keep, which keeps the directory as the first release"
            )
        wanted = self._wanted()
        observed = self._observe(commits_nothing)
        plan = plan_prepared(observed, wanted)
        self.outcome.reasons.extend(plan.reasons)
        self.outcome.damage = [str(difference) for difference in observed.damage]
        if not in_place and self.active and observed.active_revision == wanted.revision:
            self.repaired = [difference.path for difference in observed.damage]
        adoptable = self.project.adoptable(self.project.path(self.active), self.manifest.layout) if self.active else ()
        if adoptable:
            self.outcome.reasons.append(f"data to be shared stands in the active release: {', '.join(adoptable)}")
        remembered = self.project.read().layout
        moved = [name for name in LAYOUT_OPTIONS if getattr(remembered, name) != getattr(self.manifest.layout, name)]
        if self.active and moved:
            self.outcome.reasons.append(f"to be treated differently from now on: {', '.join(moved)}")
        self.outcome.changed = bool(self.outcome.reasons)
        if self.check_mode:
            if plan.new_release and self.active and not in_place:
                self._look_what_stays_behind(self.active, {})
            self._predict(plan, wanted)
        else:
            self._prepare(plan, wanted)

    def _look_what_stays_behind(self, base: str, source: Tree) -> None:
        known = self.project.known_source(base, self.manifest.releases[base]) | set(source)
        if known:
            self.outcome.left_behind = list(self.project.left_behind(base, self.manifest.layout, known))

    def _take_layout(self) -> None:
        """Let the options override what the manifest remembers of how files are treated."""
        layout = self.manifest.layout
        for option in LAYOUT_OPTIONS:
            values = self.params[option]
            if values is None:
                continue
            if option != "exclude":
                values = [relative_path(value, option) for value in values]
            setattr(layout, option, list(dict.fromkeys(values)))
        _refuse_overlaps(layout)

    def _uncommitted(self, directory: str) -> list[str]:
        git = git_source.Git(timeout_s=self.params["git_timeout"])
        if not git.available() or git_source.head(git, directory) is None:
            return []
        exclusion = self.project.exclusion(self.manifest.layout)
        return [path for path in git_source.uncommitted(git, directory) if not exclusion.covers(path)]

    def _git(self) -> git_source.Git:
        return git_source.Git(self.params["git_url"], self.params["git_timeout"])

    def _wanted(self) -> Wanted:
        source_type = self.params["source_type"]
        if source_type == "in_place":
            return Wanted(revision=None, name="what is in place", in_place=True)
        if source_type == "archive":
            return Wanted(revision=self._archive_revision(), name=os.path.basename(self.params["archive"] or "archive"))
        version = self.params["version"]
        if not version or version.startswith("-") or any(c.isspace() or ord(c) < 32 for c in version):
            raise ReleaseError(f"version is {version!r}; expected is a branch, a tag or a commit")
        git = self._git()
        if self.check_mode and not git.available():
            return Wanted(revision=version if git_source.FULL_COMMIT.match(version) else None, name=version)
        if git_source.FULL_COMMIT.match(version):
            return Wanted(revision=version, name=version)
        commit = git.remote_commit(version) or git.local_commit(self.project.mirror, version)
        if commit is None and not self.check_mode:
            commit = git.fetch(self.project.mirror, version, None)
        return Wanted(revision=commit, name=version)

    def _archive_revision(self) -> str | None:
        if self.params["revision"]:
            return str(self.params["revision"])
        archive = self.params["archive"]
        if not archive:
            raise ReleaseError("neither archive nor revision is given; expected is the archive with the source")
        if not os.path.isfile(archive):
            if self.check_mode:
                return None
            raise ReleaseError(f"the archive {archive} is not there; upload it first")
        return tree_digest(archived_tree(archive))

    def _observe(self, uncommitted: list[str]) -> Observed:
        if self.found is Found.DIRECTORY:
            return Observed(
                found=self.found,
                active=None,
                active_revision=self._revision_of_directory(),
                candidate=self.manifest.candidate,
                damage=tuple(Difference(path, "is not committed") for path in uncommitted),
            )
        if self.active is None:
            return Observed(self.found, None, None, self.manifest.candidate)
        damage = self.project.damage(self.active, self.manifest)
        directory = self.project.path(self.active)
        unlinked = set(self.project.unlinked(directory, self.manifest.layout))
        unlinked -= set(self.project.adoptable(directory, self.manifest.layout))
        return Observed(
            found=self.found,
            active=self.active,
            active_revision=self.manifest.releases[self.active].revision,
            candidate=self.manifest.candidate,
            damage=damage or (),
            has_checksums=damage is not None,
            unlinked=tuple(sorted(unlinked)),
        )

    def _revision_of(self, directory: str, tree: Tree) -> str:
        """The revision of a directory that was deployed by hand: its commit, if that is all it holds."""
        git = git_source.Git(timeout_s=self.params["git_timeout"])
        commit = git_source.head(git, directory) if git.available() else None
        if commit is None or self._uncommitted(directory):
            return tree_digest(tree)
        return commit

    def _revision_of_directory(self) -> str:
        if self.directory_revision is None:
            tree = self.project.listed_in_place(self.project.link, self.manifest.layout)
            self.directory_revision = self._revision_of(self.project.link, tree)
        return self.directory_revision

    def _origin(self, wanted: Wanted) -> dict[str, Any]:
        source_type = self.params["source_type"]
        origin: dict[str, Any] = {"type": source_type}
        if source_type == "git":
            origin.update(url=self._git().shown_url, version=self.params["version"])
        elif source_type == "archive":
            origin.update(archive=wanted.name)
        return origin

    def _predict(self, plan: PreparePlan, wanted: Wanted) -> None:
        manifest = self.manifest
        if plan.drop:
            manifest.releases.pop(plan.drop, None)
            manifest.candidate = None
        if plan.take_over:
            self.active = manifest.next_id(self._revision_of_directory())
            manifest.counter += 1
            manifest.releases[self.active] = Record(revision=self._revision_of_directory(), taken_over=True)
            self.outcome.taken_over = self.active
        if plan.new_release:
            name = manifest.next_id(wanted.revision)
            manifest.candidate = name
            manifest.releases[name] = Record(revision=wanted.revision, origin=self._origin(wanted))
            if self.params["source_type"] == "archive":
                self.outcome.predicted_digest = wanted.revision

    def _prepare(self, plan: PreparePlan, wanted: Wanted) -> None:
        project, manifest = self.project, self.manifest
        remembered = project.read().layout
        if plan.new_release and not wanted.in_place:
            # Whatever the source lacks is found out before anything is touched.
            wanted = self._fetched(wanted)
        if plan.drop:
            project.drop(manifest, [plan.drop])
        if plan.take_over:
            origin: dict[str, Any] = (
                {"type": "in_place"} if wanted.in_place else {**self._origin(wanted), "taken_over": True}
            )
            self.active = project.take_over(manifest, self._revision_of_directory(), origin)
            self.outcome.taken_over = self.active
        elif self.active:
            project.adopt(self.active, manifest.layout)
        if plan.new_release:
            self._build_candidate(wanted)
        elif manifest.layout != remembered or not os.path.exists(project.manifest_path):
            project.write(manifest)

    def _fetched(self, wanted: Wanted) -> Wanted:
        if self.params["source_type"] == "git":
            return replace(wanted, revision=self._git().fetch(self.project.mirror, wanted.name, wanted.revision))
        if not self.params["archive"] or not os.path.isfile(self.params["archive"]):
            raise ReleaseError(
                f"the archive {self.params['archive'] or '(option archive)'} is not there, and a new release is to be "
                "made of it; upload it first"
            )
        return wanted

    def _build_candidate(self, wanted: Wanted) -> None:
        project, manifest = self.project, self.manifest
        in_place_tree: Tree = {}
        if wanted.in_place and self.active:
            in_place_tree = project.listed_in_place(project.path(self.active), manifest.layout)
            wanted = replace(wanted, revision=self._revision_of(project.path(self.active), in_place_tree))
        name = manifest.next_id(wanted.revision)
        record = Record(revision=wanted.revision, origin=self._origin(wanted), repaired=self.repaired)
        record.repaired_in = name if self.repaired else None
        path = project.open_candidate(manifest, name, record)
        try:
            if wanted.in_place and self.active:
                project.fork(self.active, name, manifest.layout)
                project.link_shared(name, manifest.layout)
                tree = in_place_tree
            else:
                tree = self._deliver(path, wanted)
                project.link_shared(name, manifest.layout)
                if self.active:
                    self._look_what_stays_behind(self.active, tree)
                    project.carry_over(self.active, name, manifest.layout)
                project.close_env_files(name, manifest.layout)
            project.complete(manifest, tree)
        except BaseException:
            project.drop(manifest, [name])
            raise
        archive = self.params["archive"]
        if archive and os.path.dirname(os.path.abspath(archive)) == project.incoming and os.path.isfile(archive):
            os.unlink(archive)

    def _deliver(self, path: str, wanted: Wanted) -> Tree:
        """Put the source into the candidate's directory and return its tree."""
        exclusion = self.project.exclusion(self.manifest.layout)
        if self.params["source_type"] == "git":
            git = self._git()
            git.clone(self.project.mirror, path, wanted.revision or "")
            # Their links are ours; git is not to call them new files.
            with open(os.path.join(path, ".git", "info", "exclude"), "a", encoding="utf-8") as ignored:
                ignored.writelines(f"/{shared}\n" for shared in self.manifest.layout.shared_paths)
            names = git_source.tracked_files(git, path)
            self.outcome.not_fetched = git_source.not_fetched(path)
            return read_tree(path, (name for name in names if not exclusion.covers(name)))
        os.mkdir(path, 0o755)
        tree = unpack(self.params["archive"], path)
        return {name: entry for name, entry in tree.items() if not exclusion.covers(name)}

    # --- the other states -----------------------------------------------------------------------

    def candidate(self) -> None:
        """Open a copy of the active release, unless a candidate is open."""
        self._take_layout()
        project, manifest = self.project, self.manifest
        left = manifest.candidate
        if left and manifest.releases[left].complete:
            return
        if self.active is None and not self.check_mode:
            raise ReleaseError(
                f"there is no release of {project.link} to make a copy of; bring the source first (state prepared)"
            )
        self.outcome.changed = True
        self.outcome.reasons.append(f"a copy of release {self.active} is opened for changes")
        if self.active:
            self._refuse_damaged_base(self.active)
        base = manifest.releases.get(self.active or "", Record())
        record = Record(base.revision, base.source_digest, dict(base.origin), dict(base.records))
        record.origin.pop("taken_over", None)
        record.repaired, record.repaired_in = list(base.repaired), base.repaired_in
        if self.check_mode:
            if left:
                manifest.releases.pop(left)
            manifest.candidate = manifest.next_id(base.revision)
            manifest.releases[manifest.candidate] = record
            return
        if left:
            project.drop(manifest, [left])
        self._fork(str(self.active), record)

    def _refuse_damaged_base(self, active: str) -> None:
        """A copy would make an edit by hand part of the source, and nobody would find it again."""
        if self.manifest.releases[active].origin.get("type") == "in_place":
            return
        damage = self.project.damage(active, self.manifest)
        if damage:
            raise ReleaseError(
                f"in the active release {active} {summary(damage)}, so it is not copied; bring the source first "
                "(state prepared), which makes a new release of it"
            )

    def _fork(self, base: str, record: Record) -> None:
        project, manifest = self.project, self.manifest
        name = manifest.next_id(record.revision)
        project.open_candidate(manifest, name, record)
        digest = record.source_digest
        try:
            project.fork(base, name, manifest.layout)
            project.link_shared(name, manifest.layout)
            project.complete(manifest, project.delivered(base) or {})
            record.source_digest = digest or record.source_digest
            project.write(manifest)
        except BaseException:
            project.drop(manifest, [name])
            raise

    def activated(self) -> None:
        """Make the candidate the active release."""
        project, manifest = self.project, self.manifest
        name = manifest.candidate
        if name is None:
            if self.active is None and not self.check_mode:
                raise ReleaseError(f"there is neither a candidate nor a release of {project.link} to switch to")
            self._merge_records(self.active)
            return
        if not manifest.releases[name].complete and not self.check_mode:
            raise ReleaseError(
                f"the candidate {name} was left half-made by an interrupted run; "
                "bring the source again (state prepared)"
            )
        self.outcome.changed = True
        self.outcome.reasons.append(f"release {name} takes the place of {self.active or 'nothing'}")
        manifest.releases[name].records.update(self._given_records())
        if not self.check_mode:
            project.take_baseline(name, manifest)
            project.write(manifest)
            project.point_to(name)
        manifest.candidate = None
        self.active = name
        if not self.check_mode:
            project.write(manifest)

    def _given_records(self) -> dict[str, Any]:
        given = self.params["records"] or {}
        return checked_records({name: value for name, value in given.items() if value is not None})

    def _merge_records(self, release: str | None) -> bool:
        if release is None:
            return False
        records = self.manifest.releases[release].records
        merged = {**records, **self._given_records()}
        if merged == records:
            return False
        self.manifest.releases[release].records = merged
        self.outcome.changed = True
        self.outcome.reasons.append(f"the records of release {release} changed")
        if not self.check_mode:
            self.project.write(self.manifest)
        return True

    def discarded(self) -> None:
        """Drop the candidate."""
        name = self.manifest.candidate
        if name is None:
            return
        self.outcome.changed = True
        self.outcome.reasons.append(f"the candidate {name} is dropped")
        self._drop([name])

    def _drop(self, names: list[str]) -> None:
        if not self.check_mode:
            self.project.drop(self.manifest, names)
            return
        for name in names:
            self.manifest.releases.pop(name, None)
            if self.manifest.candidate == name:
                self.manifest.candidate = None

    def committed(self) -> None:
        """Remember the active state as one that passed verification, and prune."""
        project, manifest = self.project, self.manifest
        if self.active is None:
            if self.check_mode:
                return
            raise ReleaseError(f"there is no active release of {project.link} that could have passed verification")
        self._merge_records(self.active)
        remembered = manifest.committed.proxy_state if manifest.committed else {}
        proxy_state = self.params["proxy_state"] if self.params["proxy_state"] is not None else remembered
        plan = plan_commit(manifest, self.active, proxy_state, manifest.releases[self.active].records)
        if plan.changed or manifest.saved_proxy_state:
            self.outcome.changed = True
            self.outcome.reasons.append(f"release {self.active} passed verification")
        manifest.committed, manifest.previous = plan.committed, plan.previous
        forgets = bool(manifest.saved_proxy_state)
        # From here on, what the proxy has is a state to come back to itself.
        manifest.saved_proxy_state = {}
        if (plan.changed or forgets) and not self.check_mode:
            project.write(manifest)
        pruned = list(to_prune(manifest, self.active, project.in_use(), self.params["keep_releases"]))
        if pruned:
            self.outcome.changed = True
            self.outcome.pruned = pruned
            self.outcome.reasons.append(f"old releases are deleted: {', '.join(pruned)}")
            self._drop(pruned)
        needless = [path for path in project.needless(manifest) if os.path.basename(path) not in pruned]
        if needless:
            self.outcome.changed = True
            names = ", ".join(os.path.relpath(path, project.directory) for path in needless)
            self.outcome.reasons.append(f"what no release needs any more is deleted: {names}")
        if not self.check_mode:
            for path in needless:
                remove_tree(path)

    def proxy_saved(self) -> None:
        """Keep what the proxy has before it is changed; what is kept already is older, and stays."""
        given = self.params["proxy_state"]
        if given == self.manifest.saved_proxy_state or (given and self.manifest.saved_proxy_state):
            return
        if not os.path.isdir(self.project.directory):
            # A run of the proxy alone, before any deployment: there is nothing to keep it in.
            return
        self.outcome.changed = True
        self.outcome.reasons.append(f"the state of the proxy is {'saved' if given else 'deleted'}")
        self.manifest.saved_proxy_state = dict(given)
        if not self.check_mode:
            self.project.write(self.manifest)

    def rolled_back(self) -> None:
        """Make an earlier release the active one."""
        project, manifest = self.project, self.manifest
        target = choose_rollback(manifest, self.active, self.params["rollback_to"])
        if manifest.candidate:
            self.outcome.changed = True
            self.outcome.reasons.append(f"the candidate {manifest.candidate} is dropped")
            self._drop([manifest.candidate])
        if target == self.active:
            return
        damage = project.damage(target, manifest)
        self.outcome.damage = [str(difference) for difference in damage or ()]
        self.outcome.changed = True
        self.outcome.reasons.append(f"release {target} takes the place of {self.active or 'nothing'} again")
        if not self.check_mode:
            project.point_to(target)
        self.active = target

    def result(self) -> dict[str, Any]:
        """The result of the call."""
        after = as_lines(self.project, self.manifest, self.active)
        diff = [{"before": self.before, "after": after}] if self.before != after else []
        outcome = self.outcome
        return {
            "changed": outcome.changed,
            "reasons": outcome.reasons,
            "damage": outcome.damage,
            "left_behind": outcome.left_behind,
            "taken_over": outcome.taken_over,
            "pruned": outcome.pruned,
            "active_before": self.active_before,
            "diff": diff,
            **facts(self.project, self.manifest, self.active, self.params["digest_exclude"], outcome.predicted_digest),
        }


def _refuse_overlaps(layout: Layout) -> None:
    """Two options that claim the same path would fight over it."""
    for path in layout.shared_paths:
        for other in layout.shared_paths:
            if other != path and other.startswith(path + "/"):
                raise ReleaseError(f"shared_paths holds {path!r} and {other!r}, which stands in it; name one of them")
        for env in layout.env_files:
            if env == path or env.startswith(path + "/"):
                raise ReleaseError(
                    f"the env file {env!r} stands in the shared path {path!r}; it belongs to a release, so that the "
                    "way back has the former one; take it out of shared_paths"
                )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "project_dir": {"type": "path", "required": True},
            "state": {
                "type": "str",
                "choices": [
                    "prepared",
                    "candidate",
                    "activated",
                    "discarded",
                    "committed",
                    "rolled_back",
                    "proxy_saved",
                ],
                "default": "prepared",
            },
            "source_type": {"type": "str", "choices": ["git", "archive", "in_place"]},
            "git_url": {"type": "str"},
            "version": {"type": "str", "default": "HEAD"},
            "git_timeout": {"type": "int", "default": 600},
            "archive": {"type": "path"},
            "revision": {"type": "str"},
            "shared_paths": {"type": "list", "elements": "str"},
            "carry": {"type": "list", "elements": "str"},
            "exclude": {"type": "list", "elements": "str"},
            "env_files": {"type": "list", "elements": "str"},
            "on_uncommitted": {"type": "str", "choices": ["refuse", "keep"], "default": "refuse"},
            "keep_releases": {"type": "int", "default": 3},
            "rollback_to": {"type": "str", "default": "committed"},
            "records": {
                "type": "dict",
                "options": {
                    "backend_revision": {"type": "str"},
                    "frontend_revision": {"type": "str"},
                    "websocket_url": {"type": "str"},
                    "page_url": {"type": "str"},
                    "backend_process": {"type": "dict"},
                    "frontend_process": {"type": "dict"},
                },
            },
            "proxy_state": {"type": "dict"},
            "digest_exclude": {"type": "list", "elements": "str", "default": []},
        },
        required_if=[
            ("state", "prepared", ("source_type",)),
            ("source_type", "git", ("git_url",)),
            ("state", "proxy_saved", ("proxy_state",)),
        ],
        supports_check_mode=True,
    )
    password = urlsplit(module.params["git_url"] or "").password
    if password:
        module.no_log_values.add(password)
    call = Call(module.params, module.check_mode)
    try:
        if module.params["keep_releases"] < 1:
            raise ReleaseError(f"keep_releases is {module.params['keep_releases']}, expected a number from 1")
        call.run()
        result = call.result()
    except TreeError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(msg=in_words(problem))
    if module.params["state"] == "rolled_back" and result["damage"]:
        module.warn(
            f"release {result['active']} serves again, but not as it was: {', '.join(result['damage'][:5])}; "
            "the next deployment makes a new one"
        )
    if call.outcome.not_fetched:
        module.warn(
            f"the source holds {' and '.join(call.outcome.not_fetched)}, which are not fetched; "
            "bring such a source as an archive"
        )
    if result["left_behind"]:
        module.warn(
            f"left behind in release {call.active_before or call.active}, since no source holds them: "
            f"{', '.join(result['left_behind'][:10])}; data among them belongs into shared_paths"
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
