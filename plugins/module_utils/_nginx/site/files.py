# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a site on this host: read, change step by step, restore."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Collection, Sequence

from ..._host.files import is_temporary, link_atomic, read_file, write_atomic
from ..program import read_text
from .kept import remove_empty
from .marker import is_managed
from .plan import File, Link, SiteState, WantedSite, steps


class SiteFiles:
    """Reads and changes the paths of one site.

    :param conf_dir: Directory of the main file, for removed files until nginx is reloaded.
    :param possible: Paths of other layouts, where a killed run may have left hidden files.
    """

    def __init__(self, wanted: WantedSite, conf_dir: str, possible: Collection[str] = ()) -> None:
        self.wanted = wanted
        self.conf_dir = conf_dir
        self.after = wanted.state()
        self.possible = {*self.after, *possible}

    def state(self) -> SiteState:
        """What the paths hold now."""
        return {path: entry_of(path) for path in self.after}

    def unmanaged(self) -> str | None:
        """A path of the site that holds something that the collection does not manage."""
        layouts = [each for each in (self.wanted.layout, self.wanted.main) if each is not None]
        # A site that replaces them, or that is gone once they are back.
        taken = {path for each in self.wanted.moved for path in (each.path, each.target)}
        for path in (path for layout in layouts for path in layout.paths):
            # A link without a target is replaced: nginx refuses the whole configuration because of it.
            if path in taken:
                continue
            if os.path.exists(path) and not (os.path.isfile(path) and is_managed(read_text(path))):
                return path
        return None

    def apply(self, before: SiteState, after: SiteState) -> None:
        """Go from one state to another, each step by one rename."""
        for path, entry in steps(before, after, self.wanted.kept):
            if entry is None:
                self._remove(path)
            elif isinstance(entry, Link):
                os.makedirs(os.path.dirname(path), exist_ok=True)
                link_atomic(path, entry.target)
            else:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                write_atomic(path, entry.text, mode=entry.mode)

    def restore(self, before: SiteState) -> None:
        """Go back to a state from wherever :meth:`apply` stopped."""
        self.apply(self.state(), before)
        self.clean_up()

    def clean_up(self) -> None:
        """Delete the hidden files that removals and killed runs left, once nginx is reloaded."""
        for path in self._leftovers():
            os.unlink(path)
        remove_empty(self.conf_dir)

    def _remove(self, path: str) -> None:
        """Hide a file until nginx is reloaded: its time tells the run after a killed one that the reload is missing.

        Not in its own directory, whose time would change again when it is deleted.
        """
        try:
            os.rename(path, self._removed(path))
        except OSError as exc:
            if exc.errno != errno.EXDEV:
                raise
            os.unlink(path)

    def _removed(self, path: str) -> str:
        directory, name = os.path.split(path)
        return os.path.join(self.conf_dir, f".{os.path.basename(directory)}.{name}.codeframe-removed")

    def newest_change(self, others: Sequence[str]) -> float | None:
        """Time of the newest change of the site's files and of other paths, in seconds since the epoch.

        That of the inode, which the kernel sets: a rename keeps the time of the content, and a copy may bring one that
        is in the future.
        """
        paths = [*self.after, *self._leftovers(), *others]
        if self.wanted.text is None:
            # A file that was removed manually left only the time of its directory.
            paths.append(os.path.dirname(self.wanted.layout.loaded))
        times = []
        for path in paths:
            for look in (os.stat, os.lstat):
                with contextlib.suppress(OSError):
                    times.append(look(path).st_ctime)
        return max(times, default=None)

    def _leftovers(self) -> list[str]:
        found = [each for each in set(map(self._removed, self.possible)) if os.path.lexists(each)]
        for directory in {os.path.dirname(path) for path in self.possible}:
            with contextlib.suppress(OSError):
                names = os.listdir(directory)
                paths = [os.path.join(directory, name) for name in names if is_temporary(name)]
                found += [path for path in paths if _unfinished(path) in self.possible]
        return found


def entry_of(path: str) -> File | Link | None:
    """What a path holds; ``None`` where nothing is."""
    if os.path.islink(path):
        return Link(os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path))))
    try:
        found = read_file(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return File(found.text("surrogateescape"), found.mode)


def _unfinished(temporary: str) -> str:
    """The path that a killed run was going to replace by this temporary file."""
    directory, name = os.path.split(temporary)
    return os.path.join(directory, name[1:].rpartition(".codeframe-tmp")[0].rpartition(".")[0])
