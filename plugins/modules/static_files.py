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
  - Copies the static files of a build into a directory of its own, so that a web server that may not enter the deploy
    user's home serves them itself.
  - The files of former builds stay beside them as long as their release exists, since tabs opened before a deployment
    still ask for them. They are removed with the publication of a later build.
  - Each file appears whole, by a rename. An interrupted publication is finished by the next one.
  - Files in that directory that this module has not published are named, and left alone.
options:
  src:
    description:
      - Directory with the static files of the build that is, or is about to be, served, such as C(.next/static).
      - Symbolic links and special files in it are not published; they are named in a warning.
    type: path
    required: true
  former:
    description:
      - The same directories of former builds, oldest first. Those that exist and were not published yet, since the
        build was served by other means, are published together with O(src).
    type: list
    elements: path
    default: []
  dest:
    description:
      - Directory that belongs to this publication alone. The files are below C(files/), what was published is recorded
        in C(manifest.json).
    type: path
    required: true
  url_path:
    description:
      - Path under which the files are served. They stand at the same path below C(files/), so that C(files/) is the
        document root.
    type: str
    default: /_next/static/
  user:
    description:
      - Read O(src) with the rights of this user, if the module runs as root. Whoever builds can then publish nothing
        that it could not read.
    type: str
  state:
    description:
      - V(present) publishes, V(absent) removes all that was published; files that were not are left.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Predicts the publication. If O(src) does not exist yet, one is predicted.
    support: full
  diff_mode:
    description: Shows the paths that come and go, not their content.
    support: full
author:
  - The codeframe.staging contributors (@codeframe)
"""

EXAMPLES = r"""
- name: Publish the client files of the current build
  codeframe.staging.static_files:
    src: /home/deploy/projects/app/web-ui/.next/static
    dest: /var/lib/codeframe-staging/app
    user: deploy
"""

RETURN = r"""
root:
  description: The document root, below which the files stand at their URL path.
  returned: always
  type: str
  sample: /var/lib/codeframe-staging/app/files
reasons:
  description: Why something is to be done, in words.
  returned: always
  type: list
  elements: str
published:
  description: Number of files of the build in O(src).
  returned: always
  type: int
kept:
  description: Number of further files, which belong to former builds.
  returned: always
  type: int
removed:
  description: Paths that were removed, relative to RV(root).
  returned: always
  type: list
  elements: str
foreign:
  description: Paths relative to RV(root) that this module has not published.
  returned: always
  type: list
  elements: str
"""

import contextlib
import errno
import hashlib
import json
import os
import pwd
import stat
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._frontend.static_files import (
    Generation,
    Plan,
    StaticFilesError,
    from_json,
    plan,
    to_json,
)

_MANIFEST = "manifest.json"
_UNFINISHED = ".unfinished-"


@dataclass(frozen=True)
class Place:
    """Where the files go: ``files`` is the document root, ``base`` the URL path below it."""

    dest: str
    base: str

    @property
    def files(self) -> str:
        return os.path.join(self.dest, "files")

    @property
    def target(self) -> str:
        return os.path.join(self.files, self.base)

    @property
    def manifest(self) -> str:
        return os.path.join(self.dest, _MANIFEST)


@contextlib.contextmanager
def rights_of(user: str | None) -> Iterator[None]:
    """Have the rights of a user for a while, where this process is root.

    :raises StaticFilesError: If there is no such user.
    """
    if not user or os.geteuid() != 0:
        yield
        return
    try:
        account = pwd.getpwnam(user)
    except KeyError as err:
        raise StaticFilesError(f"there is no user {user}, whose build is to be published") from err
    groups = os.getgroups()
    group = os.getegid()
    os.setgroups(os.getgrouplist(user, account.pw_gid))
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def read_files(directory: str) -> tuple[dict[str, str], list[str]]:
    """Digest the regular files below a directory, no link followed; return also the paths of everything else.

    :raises OSError: If something cannot be read.
    """
    digests: dict[str, str] = {}
    others: list[str] = []

    def stop(err: OSError) -> None:
        raise err

    for current, names, files, handle in os.fwalk(directory, onerror=stop, follow_symlinks=False):
        relative = os.path.relpath(current, directory)
        for name in files + [name for name in names if stat.S_ISLNK(os.lstat(name, dir_fd=handle).st_mode)]:
            path = os.path.normpath(os.path.join(relative, name))
            descriptor = open_regular(name, handle)
            if descriptor is None:
                others.append(path)
                continue
            with os.fdopen(descriptor, "rb") as file:
                digest = hashlib.sha256()
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
                digests[path] = digest.hexdigest()
    return digests, sorted(others)


def read_unpublished(directories: Sequence[str], user: str | None, known: Collection[str]) -> list[Generation]:
    """Read those former builds that are not among the known directories."""
    found = []
    for directory in directories:
        source = os.path.realpath(directory)
        if source not in known:
            with rights_of(user):
                files = read_files(source)[0] if os.path.isdir(source) else {}
            if files:
                found.append(Generation(source, files))
    return found


def open_regular(name: str, directory: int | None = None) -> int | None:
    """Open a regular file for reading; ``None`` for anything else, a link to one included."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=directory)
    except OSError as err:
        if err.errno in (errno.ELOOP, errno.ENXIO):
            return None
        raise
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    return None


def read_published(place: Place) -> tuple[Generation, ...]:
    """Read the record of what was published.

    :raises StaticFilesError: If there is one that cannot be read.
    """
    try:
        with open(place.manifest, encoding="utf-8") as file:
            return from_json(json.load(file))
    except FileNotFoundError:
        if os.path.isdir(place.files) and os.listdir(place.files):
            raise StaticFilesError(
                f"{place.files} holds files, but {place.manifest} does not exist, so nobody knows whose they are; "
                "choose another directory, or remove this one if its files are of no use"
            ) from None
        return ()
    except (OSError, ValueError, StaticFilesError) as err:
        raise StaticFilesError(
            f"{place.manifest} cannot be read ({err}); remove it together with {place.files}, and the next run "
            "publishes the current build again"
        ) from err


def write_manifest(place: Place, generations: Sequence[Generation]) -> None:
    write_whole(place.manifest, json.dumps(to_json(generations)).encode())


def write_whole(path: str, content: bytes) -> None:
    """Write a file that everybody may read, by a rename."""
    descriptor, temporary = tempfile.mkstemp(dir=os.path.dirname(path), prefix=_UNFINISHED)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def make_directories(path: str) -> None:
    """Make a directory and its parents such that everybody may enter them; existing ones stay as they are."""
    if os.path.isdir(path):
        return
    make_directories(os.path.dirname(path))
    os.mkdir(path)
    # Past the umask: the web server is to enter it.
    os.chmod(path, 0o755)  # noqa: S103


def publish(place: Place, published: Sequence[Generation], chosen: Plan, user: str | None) -> None:
    """Write and remove what was planned.

    :raises StaticFilesError: If a file to publish no longer is what was planned with.
    """
    make_directories(place.dest)
    sweep(place)
    # Before the files, so that whatever stands there is known to be ours even if this run dies.
    write_manifest(place, (*published, *(one for one in chosen.generations if one not in published)))
    make_directories(place.target)
    lost = set()
    for path, digest in sorted(chosen.write.items()):
        content = content_of(path, digest, chosen.generations, user)
        if content is None:
            lost.add(path)
            continue
        target = os.path.join(place.target, path)
        make_directories(os.path.dirname(target))
        write_whole(target, content)
    for path in (*chosen.remove, *lost):
        remove(place.target, path)
    write_manifest(place, [without(generation, lost) for generation in chosen.generations])


def content_of(path: str, digest: str, generations: Sequence[Generation], user: str | None) -> bytes | None:
    """Read a file from the newest build that has it; ``None`` if a former build no longer does.

    :raises StaticFilesError: If the build to publish no longer has it.
    """
    for generation in reversed(generations):
        if generation.files.get(path) != digest:
            continue
        with rights_of(user), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            descriptor = open_regular(os.path.join(generation.source, path))
            if descriptor is not None:
                with os.fdopen(descriptor, "rb") as file:
                    content = file.read()
                if hashlib.sha256(content).hexdigest() == digest:
                    return content
    if path in generations[-1].files:
        raise StaticFilesError(
            f"{os.path.join(generations[-1].source, path)} changed while it was published; is a build still running?"
        )
    return None


def without(generation: Generation, paths: Collection[str]) -> Generation:
    return Generation(
        generation.source, {path: digest for path, digest in generation.files.items() if path not in paths}
    )


def remove(target: str, path: str) -> None:
    """Remove a file and the directories that it leaves empty."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(target, path))
    directory = os.path.dirname(path)
    with contextlib.suppress(OSError):
        while directory:
            os.rmdir(os.path.join(target, directory))
            directory = os.path.dirname(directory)


def sweep(place: Place) -> None:
    """Remove what a killed run was writing."""
    for current, _names, files in os.walk(place.dest):
        for name in files:
            if name.startswith(_UNFINISHED):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(os.path.join(current, name))


def withdraw(place: Place, published: Sequence[Generation], present: Sequence[str]) -> None:
    """Remove all that was published, and each directory that is empty then."""
    sweep(place)
    ours = {path for generation in published for path in generation.files}
    for path in present:
        if path in ours:
            remove(place.target, path)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(place.manifest)
    directory = place.target
    with contextlib.suppress(OSError):
        while directory.startswith(place.dest):
            os.rmdir(directory)
            directory = os.path.dirname(directory)


def url_directory(url_path: str) -> str:
    """Check a URL path and make it a relative directory.

    :raises StaticFilesError: If it is none.
    """
    parts = url_path.strip("/").split("/")
    if not url_path.startswith("/") or not url_path.endswith("/") or any(part in ("", ".", "..") for part in parts):
        raise StaticFilesError(f"url_path is {url_path!r}; expected a path such as /_next/static/")
    return "/".join(parts)


def present_files(place: Place) -> dict[str, str]:
    if not os.path.isdir(place.target):
        return {}
    digests = read_files(place.target)[0]
    return {path: digest for path, digest in digests.items() if not os.path.basename(path).startswith(_UNFINISHED)}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "src": {"type": "path", "required": True},
            "former": {"type": "list", "elements": "path", "default": []},
            "dest": {"type": "path", "required": True},
            "url_path": {"type": "str", "default": "/_next/static/"},
            "user": {"type": "str"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    params = module.params
    result = {"reasons": [], "published": 0, "kept": 0, "removed": [], "foreign": [], "root": ""}
    try:
        place = Place(params["dest"].rstrip("/"), url_directory(params["url_path"]))
        result["root"] = place.files
        published = read_published(place)
        present = present_files(place)
        if params["state"] == "absent":
            known = {path for generation in published for path in generation.files}
            gone = sorted(known & set(present))
            result.update(removed=gone, foreign=sorted(set(present) - known))
            changed = bool(gone or published)
            result["reasons"] = ["files are published"] if changed else []
            if changed and not module.check_mode:
                withdraw(place, published, list(present))
            module.exit_json(changed=changed, diff=[shown(place, gone, [])], **result)

        source = os.path.realpath(params["src"])
        with rights_of(params["user"]):
            exists = os.path.isdir(source)
            files, others = read_files(source) if exists else ({}, [])
        if not exists:
            if not module.check_mode:
                raise StaticFilesError(f"{params['src']} does not exist, so there is nothing to publish; was it built?")
            result["reasons"] = ["there is no build yet"]
            module.exit_json(changed=True, diff=[], **result)
        if not files:
            raise StaticFilesError(f"{params['src']} holds no files, so there is nothing to publish; was it built?")
        for path in others:
            module.warn(f"{os.path.join(params['src'], path)} is no regular file, and is not published")

        alive = {generation.source for generation in published if os.path.isdir(generation.source)}
        unpublished = read_unpublished(params["former"], params["user"], {one.source for one in published} | {source})
        chosen = plan(published, Generation(source, files), present, alive, unpublished)
        due = {path for generation in chosen.generations for path in generation.files}
        result.update(
            reasons=list(chosen.reasons),
            published=len(files),
            kept=len(due - set(files)),
            removed=list(chosen.remove),
            foreign=list(chosen.foreign),
        )
        if chosen.reasons and not module.check_mode:
            publish(place, published, chosen, params["user"])
        module.exit_json(
            changed=bool(chosen.reasons), diff=[shown(place, chosen.remove, sorted(chosen.write))], **result
        )
    except (StaticFilesError, OSError) as err:
        module.fail_json(msg=f"the static files in {params['src']} were not published: {err}", **result)


def shown(place: Place, gone: Sequence[str], written: Sequence[str]) -> dict[str, str]:
    return {
        "before_header": place.target,
        "after_header": place.target,
        "before": "".join(f"{path}\n" for path in gone),
        "after": "".join(f"{path}\n" for path in written),
    }


if __name__ == "__main__":
    main()
