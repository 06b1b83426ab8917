# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A lock by which the tasks of one machine write to a Nginx Proxy Manager one after the other."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from collections.abc import Iterator

_POLL_S = 0.05


class LockTimeoutError(Exception):
    """Other processes held the lock all the time; the text is its path."""


@contextlib.contextmanager
def write_lock(url: str, timeout_s: float, directory: str = "/tmp") -> Iterator[float]:  # noqa: S108
    """Hold the lock of the API at ``url``; yields the seconds waited.

    The file is only locked, never written, so that every user of the machine
    can take part; nothing of value is in it.

    :raises LockTimeoutError: After ``timeout_s``.
    :raises OSError: If the file cannot be opened.
    """
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    path = os.path.join(directory, f"codeframe-staging-proxy-manager-{name}.lock")
    began = time.monotonic()
    while True:
        descriptor = _open(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                break
        except BlockingIOError:
            if time.monotonic() - began >= timeout_s:
                os.close(descriptor)
                raise LockTimeoutError(path) from None
            time.sleep(_POLL_S)
        # Held by another process, or removed by its previous holder: open the path again.
        os.close(descriptor)
    try:
        yield time.monotonic() - began
    finally:
        # Removed while it is held, so that whoever waits for it opens the path again. In a shared directory only the
        # owner of the file may remove it.
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is still the one at this path."""
    try:
        at_path = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (at_path.st_dev, at_path.st_ino) == (mine.st_dev, mine.st_ino)


def _open(path: str) -> int:
    """Open the lock file, or create it; another process may remove it at any moment."""
    # Whatever is at the path, opening it does not wait.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    while True:
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
            # Other users have to open it too, whatever the umask is.
            os.fchmod(descriptor, 0o644)
            return descriptor
