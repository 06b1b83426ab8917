#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release
short_description: Prepare a release aside, switch it in with one rename, and find the way back
version_added: "0.1.0"
description:
  - The project directory is a symbolic link to the current release. The releases stand beside it, in
    a directory of the same name that ends in C(.releases).
  - Nothing that serves is edited in place. A change is made in a candidate, which is a copy of the current
    release or new source with what belongs to the current release carried over, and switched in by
    replacing the link with one rename.
  - What happens is decided by comparing the current release with the wanted source, never by what a former
    task did, so that an interrupted run is finished, or cleaned up, by the next one.
  - Calls for one project exclude each other. Run it as the user that the application belongs to.
options:
  project_dir:
    description:
      - The directory of the project as its users know it.
      - A directory that is found there becomes the first release. It is renamed under the running processes,
        its shared data is moved and linked, and nothing in it is deleted, now or later.
    type: path
    required: true
  state:
    description:
      - V(prepared) compares the current release with the wanted source, and opens a candidate when the
        source moved, or when a file of the source was edited or is missing in the current release. A
        candidate that an earlier run left is dropped.
      - V(candidate) opens a copy of the current release, unless a candidate is open already.
      - V(switched) records what the candidate holds and makes it the current release. Without a candidate
        it changes nothing.
      - V(discarded) drops the candidate.
      - V(good) remembers that the current release passed verification, and prunes old ones.
      - V(restored) makes an earlier release the current one and drops the candidate. By default it is the one
        that last passed verification.
      - V(proxy_before) keeps O(proxy_before), and touches no release.
    type: str
    choices: [prepared, candidate, switched, discarded, good, restored, proxy_before]
    default: prepared
  source_type:
    description:
      - Where the source comes from. Needed for O(state=prepared).
      - V(git) takes it from O(git_url) at O(version), V(archive) from the file O(archive).
      - V(in_place) takes what stands in the project directory, edits made there included.
    type: str
    choices: [git, archive, in_place]
  git_url:
    description:
      - Address of the git repository. It never appears in the arguments of a process.
      - A user name and password in it are kept out of results, and out of the clones.
    type: str
  version:
    description: Branch, tag or commit of the git repository.
    type: str
    default: HEAD
  archive:
    description:
      - Path on the host of a tar archive with the source, as M(codeframe.staging.source_archive) makes it.
      - Read only when a new release is made of it, and deleted afterwards if it stands in RV(incoming_dir).
    type: path
  revision:
    description:
      - For O(source_type=archive), the digest that M(codeframe.staging.source_archive) returned; so that the
        archive need not be there to see that nothing moved. Without it the archive is read.
    type: str
  shared_paths:
    description:
      - Relative paths of data that outlives releases, such as databases, uploads and logs. They stand in
        RV(shared_dir) and are linked into each release.
      - What does not exist anywhere yet is made as an empty directory. Share the directory that a database
        stands in rather than its file, since databases write further files beside it.
    type: list
    elements: str
  carry:
    description:
      - Relative paths that are copied from the current release into one made of new source, in addition to the
        env files and the directories C(node_modules), C(.next) and C(.venv), which always are.
    type: list
    elements: str
  hardlink:
    description:
      - Names or relative paths of directories whose files are shared by hard links instead of copied.
      - Only for directories whose tools replace files and do not write into them. A directory of new source that
        has another lock file (of npm, pnpm, yarn or bun) beside it starts without one.
      - The default is V(node_modules) alone.
    type: list
    elements: str
  exclude:
    description:
      - Patterns of paths that are no source, in addition to those of common tools. A pattern without a slash is
        compared with each part of a path, one with a slash with the path from the top.
    type: list
    elements: str
  env_files:
    description:
      - Relative paths of the env files. They are copied into each release with mode 0600, are no source, and a
        private copy of each is kept when a release is switched in (RV(sealed_files)).
    type: list
    elements: str
  on_uncommitted:
    description:
      - What to do with a directory that was deployed by hand and holds work that no git commit holds.
      - V(keep) lets it become the first release as it is; the candidate is made of the wanted source.
    type: str
    choices: [refuse, keep]
    default: refuse
  keep:
    description:
      - Number of releases that O(state=good) keeps. The current, the good and the former one, those that a live process
        stands in, and a directory that was taken over, are kept in any case.
    type: int
    default: 3
  release:
    description:
      - For O(state=restored), which release to go back to. V(good) is the one that last passed verification,
        V(former) the one that did before it; anything else is the id of a release.
      - V(last) is the good one while another one is current, as after a run that was killed, and otherwise the former
        one.
    type: str
    default: good
  records:
    description:
      - For O(state=switched) and O(state=good), facts to remember with the release, such as the revision of a
        process. They are merged into those that are there.
    type: dict
  proxy_state:
    description:
      - For O(state=good), what the proxy had when this state passed verification. Not interpreted.
      - When it is left out, what was remembered before is kept.
    type: dict
  proxy_before:
    description:
      - For O(state=proxy_before), what the proxy has before it is changed. Not interpreted.
      - Once kept, it stays until a state passes verification (O(state=good)), so that the way back also leads
        past a run that was killed. An empty one is forgotten at once. Before the first release there is no place
        for it.
    type: dict
  digest_without:
    description: Directories that RV(tree_digest_without) leaves out.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds after which a git command is given up.
    type: int
    default: 600
author:
  - The codeframe.staging contributors (@codeframe)
attributes:
  check_mode:
    support: full
    description: Can run in check_mode and predict changes without writing anything.
  diff_mode:
    support: full
    description: Shows the releases before and after.
seealso:
  - module: codeframe.staging.release_info
  - module: codeframe.staging.source_archive
"""

EXAMPLES = r"""
- name: Prepare the source at a version
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: prepared
    source_type: git
    git_url: https://git.example.com/app.git
    version: v1.4.0
    shared_paths: [logs, data]
    env_files: [.env.staging]
  register: release

- name: Open a copy of the current release for a change
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: candidate

- name: Switch the candidate in
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: switched

- name: Remember the state that passed verification
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: good
    proxy_state:
      site: "{{ lookup('ansible.builtin.file', 'site.conf') }}"

- name: Go back to the state that last passed verification
  codeframe.staging.release:
    project_dir: /home/deploy/projects/app
    state: restored
"""

RETURN = r"""
path:
  description:
    - The working release, which is the open candidate, or else the current release. Null where there is neither.
    - In check mode it may name a directory that does not exist; RV(base_path) does.
  returned: always
  type: str
  sample: /home/deploy/projects/app.releases/0003-1a2b3c4d
base_path:
  description: The directory to look at instead of RV(path) where that does not exist yet. Null if there is none.
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
  sample: 0002-9f8e7d6c
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
  description: Full commit, or digest, of the source of the working release. Null where it cannot be known yet.
  returned: always
  type: str
tree_digest:
  description: Digest of the working release's source as it was delivered, before any build changed a file.
  returned: always
  type: str
tree_digest_without:
  description:
    - The same without the directories of O(digest_without). Null where the source is not there yet.
    - It also moves when a damaged file outside of them was replaced, since a process may run what was damaged.
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
reasons:
  description: Why something was changed, in words.
  returned: always
  type: list
  elements: str
damage:
  description:
    - For O(state=prepared), the source files of the current release that were edited or are missing.
    - For O(state=restored), those of the release that serves again.
  returned: always
  type: list
  elements: str
left_behind:
  description:
    - For O(state=prepared), files that stand in the current release, belong to no source, and are not carried
      into the new one. Data among them belongs into O(shared_paths).
  returned: always
  type: list
  elements: str
taken_over:
  description: Id of the release that was made of the directory found, or null.
  returned: always
  type: str
previous:
  description: Id of the release that was the current one before this call, or null.
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
)
from ..module_utils._release.plan import (
    Found,
    Observed,
    PreparePlan,
    Wanted,
    choose_restored,
    judge_good,
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

LAYOUT_OPTIONS = ("shared_paths", "exclude", "env_files", "hardlink", "carry")


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
        self.current: str | None = None
        self.found = Found.NOTHING
        self.previous: str | None = None
        self.before = ""
        self.directory_revision: str | None = None
        self.repaired: list[str] = []

    def look(self) -> None:
        """Read the state of the project."""
        self.project.refuse_impossible(self.check_mode)
        self.found, self.current = self.project.find()
        if self.found is Found.FOREIGN_LINK:
            raise self.project.foreign_link()
        self.manifest = self.project.read()
        self.previous = self.current
        self.before = as_lines(self.project, self.manifest, self.current)

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
        if self.project.find()[0] is Found.FOREIGN_LINK:
            raise self.project.foreign_link()
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
        """Open a candidate if the source moved or the current release is damaged."""
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
        if not in_place and self.current and observed.current_revision == wanted.revision:
            self.repaired = [difference.path for difference in observed.damage]
        adoptable = (
            self.project.adoptable(self.project.path(self.current), self.manifest.layout) if self.current else ()
        )
        if adoptable:
            self.outcome.reasons.append(f"data to be shared stands in the current release: {', '.join(adoptable)}")
        remembered = self.project.read().layout
        moved = [name for name in LAYOUT_OPTIONS if getattr(remembered, name) != getattr(self.manifest.layout, name)]
        if self.current and moved:
            self.outcome.reasons.append(f"to be treated differently from now on: {', '.join(moved)}")
        self.outcome.changed = bool(self.outcome.reasons)
        if self.check_mode:
            if plan.new_release and self.current and not in_place:
                self._look_what_stays_behind(self.current, {})
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
            if option not in ("exclude", "hardlink"):
                values = [relative_path(value, option) for value in values]
            setattr(layout, option, list(dict.fromkeys(values)))
        _refuse_overlaps(layout)

    def _uncommitted(self, directory: str) -> list[str]:
        git = git_source.Git(timeout_s=self.params["timeout"])
        if not git.available() or git_source.head(git, directory) is None:
            return []
        exclusion = self.project.exclusion(self.manifest.layout)
        return [path for path in git_source.uncommitted(git, directory) if not exclusion.covers(path)]

    def _git(self) -> git_source.Git:
        return git_source.Git(self.params["git_url"], self.params["timeout"])

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
                current=None,
                current_revision=self._revision_of_directory(),
                candidate=self.manifest.candidate,
                damage=tuple(Difference(path, "is not committed") for path in uncommitted),
            )
        if self.current is None:
            return Observed(self.found, None, None, self.manifest.candidate)
        damage = self.project.damage(self.current, self.manifest)
        directory = self.project.path(self.current)
        unlinked = set(self.project.unlinked(directory, self.manifest.layout))
        unlinked -= set(self.project.adoptable(directory, self.manifest.layout))
        return Observed(
            found=self.found,
            current=self.current,
            current_revision=self.manifest.releases[self.current].revision,
            candidate=self.manifest.candidate,
            damage=damage or (),
            sealed=damage is not None,
            unlinked=tuple(sorted(unlinked)),
        )

    def _revision_of(self, directory: str, tree: Tree) -> str:
        """The revision of a directory that was deployed by hand: its commit, if that is all it holds."""
        git = git_source.Git(timeout_s=self.params["timeout"])
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
            self.current = manifest.next_id(self._revision_of_directory())
            manifest.counter += 1
            manifest.releases[self.current] = Record(revision=self._revision_of_directory(), taken_over=True)
            self.outcome.taken_over = self.current
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
            self.current = project.take_over(manifest, self._revision_of_directory(), origin)
            self.outcome.taken_over = self.current
        elif self.current:
            project.adopt(self.current, manifest.layout)
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
        if wanted.in_place and self.current:
            in_place_tree = project.listed_in_place(project.path(self.current), manifest.layout)
            wanted = replace(wanted, revision=self._revision_of(project.path(self.current), in_place_tree))
        name = manifest.next_id(wanted.revision)
        record = Record(revision=wanted.revision, origin=self._origin(wanted), repaired=self.repaired)
        record.repaired_in = name if self.repaired else None
        path = project.open_candidate(manifest, name, record)
        try:
            if wanted.in_place and self.current:
                project.fork(self.current, name, manifest.layout)
                project.link_shared(name, manifest.layout)
                tree = in_place_tree
            else:
                tree = self._deliver(path, wanted)
                project.link_shared(name, manifest.layout)
                if self.current:
                    self._look_what_stays_behind(self.current, tree)
                    project.carry_over(self.current, name, manifest.layout)
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
        """Open a copy of the current release, unless a candidate is open."""
        self._take_layout()
        project, manifest = self.project, self.manifest
        left = manifest.candidate
        if left and manifest.releases[left].complete:
            return
        if self.current is None and not self.check_mode:
            raise ReleaseError(
                f"there is no release of {project.link} to make a copy of; bring the source first (state prepared)"
            )
        self.outcome.changed = True
        self.outcome.reasons.append(f"a copy of release {self.current} is opened for changes")
        if self.current:
            self._refuse_damaged_base(self.current)
        base = manifest.releases.get(self.current or "", Record())
        record = Record(base.revision, base.tree_digest, dict(base.origin), dict(base.records))
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
        self._fork(str(self.current), record)

    def _refuse_damaged_base(self, current: str) -> None:
        """A copy would make an edit by hand part of the source, and nobody would find it again."""
        if self.manifest.releases[current].origin.get("type") == "in_place":
            return
        damage = self.project.damage(current, self.manifest)
        if damage:
            raise ReleaseError(
                f"in the current release {current} {summary(damage)}, so it is not copied; bring the source first "
                "(state prepared), which makes a new release of it"
            )

    def _fork(self, base: str, record: Record) -> None:
        project, manifest = self.project, self.manifest
        name = manifest.next_id(record.revision)
        project.open_candidate(manifest, name, record)
        digest = record.tree_digest
        try:
            project.fork(base, name, manifest.layout)
            project.link_shared(name, manifest.layout)
            project.complete(manifest, project.delivered(base) or {})
            record.tree_digest = digest or record.tree_digest
            project.write(manifest)
        except BaseException:
            project.drop(manifest, [name])
            raise

    def switched(self) -> None:
        """Make the candidate the current release."""
        project, manifest = self.project, self.manifest
        name = manifest.candidate
        if name is None:
            if self.current is None and not self.check_mode:
                raise ReleaseError(f"there is neither a candidate nor a release of {project.link} to switch to")
            self._merge_records(self.current)
            return
        if not manifest.releases[name].complete and not self.check_mode:
            raise ReleaseError(
                f"the candidate {name} was left half-made by an interrupted run; "
                "bring the source again (state prepared)"
            )
        self.outcome.changed = True
        self.outcome.reasons.append(f"release {name} takes the place of {self.current or 'nothing'}")
        manifest.releases[name].records.update(self._told_records())
        if not self.check_mode:
            project.seal(name, manifest)
            manifest.releases[name].sealed = True
            project.write(manifest)
            project.point_to(name)
        manifest.candidate = None
        self.current = name
        if not self.check_mode:
            project.write(manifest)

    def _told_records(self) -> dict[str, str]:
        return {key: str(value) for key, value in (self.params["records"] or {}).items()}

    def _merge_records(self, release: str | None) -> bool:
        if release is None:
            return False
        records = self.manifest.releases[release].records
        merged = {**records, **self._told_records()}
        if merged == records:
            return False
        self.manifest.releases[release].records = merged
        self.outcome.changed = True
        self.outcome.reasons.append(f"the records of release {release} moved")
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

    def good(self) -> None:
        """Remember the current state as one that passed verification, and prune."""
        project, manifest = self.project, self.manifest
        if self.current is None:
            if self.check_mode:
                return
            raise ReleaseError(f"there is no current release of {project.link} that could have passed verification")
        self._merge_records(self.current)
        remembered = manifest.good.proxy_state if manifest.good else {}
        proxy_state = self.params["proxy_state"] if self.params["proxy_state"] is not None else remembered
        judged = judge_good(manifest, self.current, proxy_state, manifest.releases[self.current].records)
        if judged.changed or manifest.proxy_before:
            self.outcome.changed = True
            self.outcome.reasons.append(f"release {self.current} passed verification")
        manifest.good, manifest.former = judged.good, judged.former
        forgets = bool(manifest.proxy_before)
        # From here on, what the proxy has is a state to come back to itself.
        manifest.proxy_before = {}
        if (judged.changed or forgets) and not self.check_mode:
            project.write(manifest)
        pruned = list(to_prune(manifest, self.current, project.in_use(), self.params["keep"]))
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

    def proxy_before(self) -> None:
        """Keep what the proxy has before it is changed; what is kept already is older, and stays."""
        told = self.params["proxy_before"]
        if told == self.manifest.proxy_before or (told and self.manifest.proxy_before):
            return
        if not os.path.isdir(self.project.directory):
            # A run of the proxy alone, before any deployment: there is nothing to keep it in.
            return
        self.outcome.changed = True
        self.outcome.reasons.append(f"what the proxy had before is {'kept' if told else 'forgotten'}")
        self.manifest.proxy_before = dict(told)
        if not self.check_mode:
            self.project.write(self.manifest)

    def restored(self) -> None:
        """Make an earlier release the current one."""
        project, manifest = self.project, self.manifest
        target = choose_restored(manifest, self.current, self.params["release"])
        if manifest.candidate:
            self.outcome.changed = True
            self.outcome.reasons.append(f"the candidate {manifest.candidate} is dropped")
            self._drop([manifest.candidate])
        if target == self.current:
            return
        damage = project.damage(target, manifest)
        self.outcome.damage = [str(difference) for difference in damage or ()]
        self.outcome.changed = True
        self.outcome.reasons.append(f"release {target} takes the place of {self.current or 'nothing'} again")
        if not self.check_mode:
            project.point_to(target)
        self.current = target

    def result(self) -> dict[str, Any]:
        """The result of the call."""
        after = as_lines(self.project, self.manifest, self.current)
        diff = [{"before": self.before, "after": after}] if self.before != after else []
        outcome = self.outcome
        return {
            "changed": outcome.changed,
            "reasons": outcome.reasons,
            "damage": outcome.damage,
            "left_behind": outcome.left_behind,
            "taken_over": outcome.taken_over,
            "pruned": outcome.pruned,
            "previous": self.previous,
            "diff": diff,
            **facts(self.project, self.manifest, self.current, self.params["digest_without"], outcome.predicted_digest),
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
                "choices": ["prepared", "candidate", "switched", "discarded", "good", "restored", "proxy_before"],
                "default": "prepared",
            },
            "source_type": {"type": "str", "choices": ["git", "archive", "in_place"]},
            "git_url": {"type": "str"},
            "version": {"type": "str", "default": "HEAD"},
            "archive": {"type": "path"},
            "revision": {"type": "str"},
            "shared_paths": {"type": "list", "elements": "str"},
            "carry": {"type": "list", "elements": "str"},
            "hardlink": {"type": "list", "elements": "str"},
            "exclude": {"type": "list", "elements": "str"},
            "env_files": {"type": "list", "elements": "str"},
            "on_uncommitted": {"type": "str", "choices": ["refuse", "keep"], "default": "refuse"},
            "keep": {"type": "int", "default": 3},
            "release": {"type": "str", "default": "good"},
            "records": {"type": "dict"},
            "proxy_state": {"type": "dict"},
            "proxy_before": {"type": "dict"},
            "digest_without": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "int", "default": 600},
        },
        required_if=[
            ("state", "prepared", ("source_type",)),
            ("source_type", "git", ("git_url",)),
            ("state", "proxy_before", ("proxy_before",)),
        ],
        supports_check_mode=True,
    )
    password = urlsplit(module.params["git_url"] or "").password
    if password:
        module.no_log_values.add(password)
    call = Call(module.params, module.check_mode)
    try:
        if module.params["keep"] < 1:
            raise ReleaseError(f"keep is {module.params['keep']}; expected is a number of releases of at least 1")
        call.run()
        result = call.result()
    except TreeError as problem:
        module.fail_json(msg=str(problem))
    except OSError as problem:
        module.fail_json(msg=in_words(problem))
    if module.params["state"] == "restored" and result["damage"]:
        module.warn(
            f"release {result['current']} serves again, but not as it was: {', '.join(result['damage'][:5])}; "
            "the next deployment makes a new one"
        )
    if call.outcome.not_fetched:
        module.warn(
            f"the source holds {' and '.join(call.outcome.not_fetched)}, which are not fetched; "
            "bring such a source as an archive"
        )
    if result["left_behind"]:
        module.warn(
            f"left behind in release {call.previous or call.current}, since no source holds them: "
            f"{', '.join(result['left_behind'][:10])}; data among them belongs into shared_paths"
        )
    module.exit_json(**result)


if __name__ == "__main__":
    main()
