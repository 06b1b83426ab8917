# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks of one machine share about an Nginx Proxy Manager: a lock for writing, and the login."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator

_POLL_S = 0.05
_ROUNDS = 50000


class LockTimeoutError(Exception):
    """Another process kept the lock all the time."""


@contextlib.contextmanager
def write_lock(url: str, timeout_s: float, directory: str = "/tmp") -> Iterator[float]:  # noqa: S108
    """Hold the lock of the API at ``url``; yields the seconds waited.

    The file is only locked, never written, so that any user of the machine can
    take part; nothing of value is in it.

    :raises LockTimeoutError: After ``timeout_s``.
    :raises OSError: If the file cannot be opened.
    """
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    path = os.path.join(directory, f"codeframe-staging-npm-{name}.lock")
    began = time.monotonic()
    descriptor = _open(path)
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() - began >= timeout_s:
                    raise LockTimeoutError(path) from None
                time.sleep(_POLL_S)
        yield time.monotonic() - began
    finally:
        os.close(descriptor)


def _open(path: str) -> int:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.open(path, flags)
    except FileNotFoundError:
        with contextlib.suppress(FileExistsError):
            os.close(os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644))
        return os.open(path, flags)


class FileStore:
    """Keeps a token in a file that only its user can read.

    The file is bound to the password by a salted digest, so that a run with a
    wrong password does not get in by an earlier login.
    """

    def __init__(self, url: str, identity: str, secret: str, directory: str) -> None:
        self._secret = secret
        self._directory = directory
        name = hashlib.sha256(f"{url}\n{identity}".encode()).hexdigest()[:32]
        self._path = os.path.join(directory, name)

    def _bound(self, salt: str) -> str:
        return hashlib.pbkdf2_hmac("sha256", self._secret.encode(), bytes.fromhex(salt), _ROUNDS).hex()

    def load(self) -> str | None:
        try:
            if not _is_private(os.stat(self._directory, follow_symlinks=False), stat.S_ISDIR):
                return None
            descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            with os.fdopen(descriptor, encoding="utf-8") as file:
                if not _is_private(os.fstat(descriptor), stat.S_ISREG):
                    return None
                content = json.load(file)
            # A minute is more than a request takes.
            if content["expires"] < time.time() + 60 or content["bound"] != self._bound(content["salt"]):
                return None
            return str(content["token"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def save(self, token: str, lifetime_s: float) -> None:
        salt = secrets.token_hex(16)
        content = {"token": token, "expires": time.time() + lifetime_s, "salt": salt, "bound": self._bound(salt)}
        temporary = f"{self._path}.{os.getpid()}"
        with contextlib.suppress(OSError):
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            if not _is_private(os.stat(self._directory, follow_symlinks=False), stat.S_ISDIR):
                return
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file)
            os.replace(temporary, self._path)

    def forget(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def _is_private(status: os.stat_result, kind: object) -> bool:
    is_kind = kind(status.st_mode) if callable(kind) else False
    return bool(is_kind) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def default_directory() -> str:
    """Where tokens are kept: in the user's runtime directory, or else in the cache of the user's home."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        return os.path.join(runtime, "codeframe-staging-npm")
    return os.path.join(os.path.expanduser("~"), ".cache", "codeframe-staging", "npm")
