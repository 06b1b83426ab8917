# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tasks of one machine share about an Nginx Proxy Manager: a lock for writing, the login, and a journal."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from typing import Any

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
        # Busy, or its last holder has removed it: look again which file counts.
        os.close(descriptor)
    try:
        yield time.monotonic() - began
    finally:
        # Removed while it is held, so that whoever waits for it looks again. Only its owner may in a shared directory.
        with contextlib.suppress(OSError):
            os.unlink(path)
        os.close(descriptor)


def _is_at(descriptor: int, path: str) -> bool:
    """Whether the open file is still the one of this path."""
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    mine = os.fstat(descriptor)
    return (there.st_dev, there.st_ino) == (mine.st_dev, mine.st_ino)


def _open(path: str) -> int:
    """Open the lock file, made where it is not there; somebody else may remove it at any moment."""
    # Whatever stands there, opening it does not wait.
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    while True:
        with contextlib.suppress(FileNotFoundError):
            return os.open(path, flags)
        with contextlib.suppress(FileExistsError):
            descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o644)
            # Others have to open it too, whatever the umask here is.
            os.fchmod(descriptor, 0o644)
            return descriptor


def _write_private(directory: str, path: str, content: object) -> bool:
    """Write JSON that only this user can read, from its first byte; False where that cannot be had."""
    temporary = f"{path}.{os.getpid()}"
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        if not _is_private(os.stat(directory, follow_symlinks=False), stat.S_ISDIR):
            return False
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file)
        os.replace(temporary, path)
    except OSError:
        return False
    return True


def _read_private(directory: str, path: str) -> Any:
    """Read it back; None where it is not there, or where others could have written it."""
    try:
        if not _is_private(os.stat(directory, follow_symlinks=False), stat.S_ISDIR):
            return None
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, encoding="utf-8") as file:
            if not _is_private(os.fstat(descriptor), stat.S_ISREG):
                return None
            return json.load(file)
    except (OSError, ValueError):
        return None


class FileStore:
    """Keeps a token in a file that only its user can read.

    The file is bound to the password by a salted digest, so that a run with a
    wrong password does not get in by an earlier login.
    """

    def __init__(self, url: str, identity: str, secret: str, directory: str) -> None:
        self._secret = secret
        self._directory = directory
        self._path = os.path.join(directory, _name(url, identity))

    def _bound(self, salt: str) -> str:
        return hashlib.pbkdf2_hmac("sha256", self._secret.encode(), bytes.fromhex(salt), _ROUNDS).hex()

    def load(self) -> str | None:
        content = _read_private(self._directory, self._path)
        try:
            # A minute is more than a request takes.
            if content["expires"] < time.time() + 60 or content["bound"] != self._bound(content["salt"]):
                return None
            return str(content["token"])
        except (ValueError, KeyError, TypeError):
            return None

    def save(self, token: str, lifetime_s: float) -> None:
        salt = secrets.token_hex(16)
        content = {"token": token, "expires": time.time() + lifetime_s, "salt": salt, "bound": self._bound(salt)}
        _write_private(self._directory, self._path, content)

    def forget(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path)


class Journal:
    """What a save is about to replace, for the run after one that was killed in between."""

    def __init__(self, url: str, host_id: int, directory: str) -> None:
        self._directory = directory
        self._path = os.path.join(directory, f"{_name(url, str(host_id))}.journal")

    def open(self, body: Mapping[str, Any], former: Mapping[str, Any]) -> None:
        _write_private(self._directory, self._path, {"body": dict(body), "former": dict(former)})

    def pending(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(what was about to be written, what it replaces); both empty where nothing is open."""
        content = _read_private(self._directory, self._path)
        try:
            return dict(content["body"]), dict(content["former"])
        except (ValueError, KeyError, TypeError):
            return {}, {}

    def close(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._path)


def _name(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _is_private(status: os.stat_result, kind: object) -> bool:
    is_kind = kind(status.st_mode) if callable(kind) else False
    return bool(is_kind) and status.st_uid == os.geteuid() and not status.st_mode & 0o077


def default_directory() -> str:
    """Where tokens and journals are kept: in the user's runtime directory, or else in the cache of the user's home."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    # After sudo it may still be another user's.
    if runtime and os.path.isdir(runtime) and os.stat(runtime).st_uid == os.geteuid():
        return os.path.join(runtime, "codeframe-staging-proxy-manager")
    return os.path.join(os.path.expanduser("~"), ".cache", "codeframe-staging", "npm")
