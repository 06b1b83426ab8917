# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy, share and delete files and directories of a release."""

from __future__ import annotations

import os
import shutil
import stat
import time

from .._frontend.modules import WRITTEN_IN_PLACE
from .._host.command import c_locale, run
from .._host.files import create_file, open_regular
from .errors import ReleaseError

_COPY_TIMEOUT_S = 3600.0


def copy_file(source: str, target: str, mode: int | None = None) -> None:
    """Copy a file or a symbolic link; never through an existing file.

    :param mode: Permissions of the copy, in force from the first byte; by default those of the source.
    """
    status = os.lstat(source)
    if stat.S_ISLNK(status.st_mode):
        os.symlink(os.readlink(source), target)
        return
    permissions = stat.S_IMODE(status.st_mode) & 0o777 if mode is None else mode
    with create_file(target, mode=permissions) as copy, open(open_regular(source), "rb") as original:
        shutil.copyfileobj(original, copy, 1 << 20)
        copy.flush()
        os.utime(copy.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))


def copy_directory(source: str, target: str, hard_links: bool = False) -> None:
    """Copy a directory as it is, or make its files hard links to the original ones.

    :param target: Must not exist; its parent must.
    :raises ReleaseError: If it cannot be copied.
    """
    how = ["-al"] if hard_links else ["-a", "--reflink=auto"]
    ended = run(
        ["/bin/cp", *how, "--no-target-directory", "--", source, target],
        deadline=time.monotonic() + _COPY_TIMEOUT_S,
        env=c_locale(),
    )
    if not ended.succeeded:
        lines = ended.output.strip().splitlines() or ["no reason given"]
        raise ReleaseError(f"{source} cannot be copied to {target}: {lines[-1]}")


def share_directory(source: str, target: str) -> None:
    """Copy a directory of installed packages by hard links, except for what tools write into it."""
    try:
        copy_directory(source, target, hard_links=True)
    except ReleaseError:
        # Files of another user (installed with sudo, for example) may not be linked to, but they may be copied.
        if os.path.lexists(target):
            remove_tree(target)
        copy_directory(source, target)
        return
    for name in WRITTEN_IN_PLACE:
        if os.path.isdir(os.path.join(target, name)) and not os.path.islink(os.path.join(target, name)):
            remove_tree(os.path.join(target, name))
            copy_directory(os.path.join(source, name), os.path.join(target, name))


def remove_tree(path: str) -> None:
    """Delete a directory or a file; symbolic links in it are not followed.

    Directories without write permission (a package manager's cache, for example) are made writable first.
    """
    if os.path.islink(path) or not os.path.isdir(path):
        remove_file(path)
        return
    for directory, names, _files in os.walk(path):
        for name in (directory, *(os.path.join(directory, name) for name in names)):
            if not os.path.islink(name) and not os.access(name, os.R_OK | os.W_OK | os.X_OK):
                os.chmod(name, 0o700)
    shutil.rmtree(path)


def remove_file(path: str) -> None:
    """Delete a file or a link that may be gone already."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return
