# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Static files of earlier builds, added to a build whose process serves them itself.

A tab that was opened before a deployment goes on requesting the files of its build. Next.js reads the names of its
static files when it starts, so they are added before that.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .._host.files import is_temporary, open_regular, read_text, replacing, write_atomic
from .._host.json_text import json_value

#: Bytes of a list of files.
_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True)
class RetentionPlan:
    """What has to be done.

    :param add: The directory that a file is taken from, by its path in the static files.
    :param remove: Files of builds that exist no more. They are removed together with an addition.
    :param retained: All files of earlier builds, afterwards.
    """

    add: Mapping[str, str]
    remove: tuple[str, ...]
    retained: tuple[str, ...]


def retained_record(static: str) -> str:
    """Return the path of the list of the files that are of earlier builds."""
    directory, name = os.path.split(static.rstrip("/"))
    return os.path.join(directory, f".{name}.staging-retained.json")


def retained_files(static: str) -> frozenset[str]:
    """Return which files in a directory of static files are, or will be, of earlier builds, relative to it."""
    try:
        names = json_value(read_text(retained_record(static), limit=_LIMIT) or "")
    except ValueError:
        return frozenset()
    return frozenset(str(name) for name in names) if isinstance(names, list) else frozenset()


def own_files(static: str) -> set[str]:
    """Return the files of a build itself, relative to its static files; none if there is no such directory."""
    earlier = retained_files(static)
    found = set()
    for directory, _names, files in os.walk(static):
        for name in files:
            path = os.path.join(directory, name)
            if os.path.isfile(path) and not os.path.islink(path) and not is_temporary(name):
                found.add(os.path.relpath(path, static))
    return found - earlier


def plan_retention(
    own: Iterable[str], retained: Iterable[str], earlier: Sequence[tuple[str, Iterable[str]]]
) -> RetentionPlan:
    """Compare the files of earlier builds in a build with those that should be in it.

    :param own: The files of the build itself. They are never replaced.
    :param retained: The files of earlier builds that are in it.
    :param earlier: The static files of the earlier builds that exist, oldest first, each with its own files.
    """
    mine, present = set(own), set(retained)
    wanted = {name: static for static, names in earlier for name in names if name not in mine}
    add = {name: static for name, static in sorted(wanted.items()) if name not in present}
    # The deletion of an old release alone is no reason for a change.
    gone = tuple(sorted(present - set(wanted))) if add else ()
    return RetentionPlan(add, gone, tuple(sorted((present | set(add)) - set(gone))))


def read_plan(src: str, previous: Sequence[str]) -> RetentionPlan:
    """Compare the directories on this host.

    :param src: The static files of a build.
    :param previous: Those of earlier builds.
    """
    if not os.path.isdir(src):
        return RetentionPlan({}, (), ())
    here = os.path.realpath(src)
    others = [static for static in previous if os.path.isdir(static) and os.path.realpath(static) != here]
    present = [name for name in retained_files(src) if os.path.isfile(os.path.join(src, name))]
    return plan_retention(own_files(src), present, [(static, own_files(static)) for static in others])


def retain(static: str, plan: RetentionPlan) -> None:
    """Carry out a plan.

    The list is written before the files, so that a run that is killed leaves none that counts as one of the build.
    """
    if not plan.add:
        return
    listed = sorted({*plan.retained, *plan.remove})
    write_atomic(retained_record(static), json.dumps(listed), mode=0o644)
    for name, source in plan.add.items():
        target = os.path.join(static, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        _share(os.path.join(source, name), target)
    for name in plan.remove:
        if os.path.lexists(os.path.join(static, name)):
            os.unlink(os.path.join(static, name))
    write_atomic(retained_record(static), json.dumps(list(plan.retained)), mode=0o644)


def _share(source: str, target: str) -> None:
    """Link a file, or copy it where links are refused (files of another user); it appears completely."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError:
        with os.fdopen(open_regular(source), "rb") as original, replacing(target, mode=0o644) as copy:
            shutil.copyfileobj(original, copy)
