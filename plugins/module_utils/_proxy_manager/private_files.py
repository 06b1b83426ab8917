# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tasks of a user share about a Nginx Proxy Manager: the token of a login, and a journal of saves.

Files of mode 0600 in a directory of mode 0700. What others could have written
is not read, and where no such file can be written, a task does without.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from typing import Any, Protocol

from .._host.files import open_directory, read_file, write_atomic
from .._host.json_text import json_value

_ROUNDS = 50000
#: More than one request takes.
_SHORTEST_LIFETIME_S = 60


class TokenStore(Protocol):
    """Keeps a token between the tasks of a run."""

    def load(self) -> str | None: ...

    def save(self, token: str, lifetime_s: float) -> None: ...

    def forget(self) -> None: ...


class _PrivateFile:
    """JSON in a file that only its user can read."""

    def __init__(self, directory: str, *identity: str, suffix: str = "") -> None:
        self._directory = directory
        self._name = hashlib.sha256("\n".join(identity).encode()).hexdigest()[:32] + suffix

    def write(self, content: object) -> None:
        with contextlib.suppress(OSError):
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            with self._opened() as directory:
                # It can be made again, so it need not survive a crash.
                write_atomic(self._name, json.dumps(content), mode=0o600, dir_fd=directory, sync=False)

    def read(self) -> Any:
        """The content, or ``None`` if there is none that this user alone can have written."""
        try:
            with self._opened() as directory:
                file = read_file(self._name, dir_fd=directory, owners=[os.geteuid()], forbid=0o077)
            return json_value(file.data)
        except (OSError, ValueError):
            return None

    def remove(self) -> None:
        with contextlib.suppress(OSError), self._opened() as directory:
            os.unlink(self._name, dir_fd=directory)

    @contextlib.contextmanager
    def _opened(self) -> Any:
        descriptor = open_directory(self._directory, owners=[os.geteuid()], forbid=0o077)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


class FileTokenStore:
    """Keeps a token in a private file.

    A salted digest binds the file to the password, so that a task with a wrong password does not use the login of
    another one.
    """

    def __init__(self, url: str, identity: str, secret: str, directory: str) -> None:
        self._secret = secret
        self._file = _PrivateFile(directory, url, identity)

    def _bound(self, salt: str) -> str:
        return hashlib.pbkdf2_hmac("sha256", self._secret.encode(), bytes.fromhex(salt), _ROUNDS).hex()

    def load(self) -> str | None:
        content = self._file.read()
        try:
            if content["expires"] < time.time() + _SHORTEST_LIFETIME_S:
                return None
            return str(content["token"]) if content["bound"] == self._bound(content["salt"]) else None
        except (ValueError, KeyError, TypeError):
            return None

    def save(self, token: str, lifetime_s: float) -> None:
        salt = secrets.token_hex(16)
        expires = time.time() + lifetime_s
        self._file.write({"token": token, "expires": expires, "salt": salt, "bound": self._bound(salt)})

    def forget(self) -> None:
        self._file.remove()


class Journal:
    """The values that a save is about to replace, for the run after one that was killed in between."""

    def __init__(self, url: str, host_id: int, directory: str) -> None:
        self._file = _PrivateFile(directory, url, str(host_id), suffix=".journal")

    def open(self, body: Mapping[str, Any], previous: Mapping[str, Any]) -> None:
        self._file.write({"body": dict(body), "previous": dict(previous)})

    def pending(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(what was about to be written, what it replaces); both empty if no save was interrupted."""
        content = self._file.read()
        try:
            return dict(content["body"]), dict(content["previous"])
        except (ValueError, KeyError, TypeError):
            return {}, {}

    def close(self) -> None:
        self._file.remove()


def default_directory() -> str:
    """The directory of these files: in the user's runtime directory, or else in the cache of the user's home."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    # After sudo it may still be another user's.
    if runtime and os.path.isdir(runtime) and os.stat(runtime).st_uid == os.geteuid():
        return os.path.join(runtime, "codeframe-staging-proxy-manager")
    return os.path.join(os.path.expanduser("~"), ".cache", "codeframe-staging", "proxy-manager")
