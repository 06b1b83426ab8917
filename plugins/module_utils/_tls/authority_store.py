# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a private authority is kept: a directory of the user who runs Ansible, with the certificate and its key."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime

from .._host.files import UnsafeFileError, open_directory, read_file, write_atomic
from .authority import Authority, AuthorityError, create_authority, create_key, load_authority

CERTIFICATE, KEY = "ca.pem", "ca.key"
_DIRECTORY_MODE, _CERTIFICATE_MODE, _KEY_MODE = 0o700, 0o644, 0o600


@contextlib.contextmanager
def locked(directory: str) -> Iterator[int]:
    """Create the directory unless it exists, and yield its descriptor while no other process uses it.

    :raises AuthorityError: If it is another user's, other users can write to it, or it cannot be created.
    """
    try:
        os.makedirs(directory, mode=_DIRECTORY_MODE, exist_ok=True)
        descriptor = open_directory(directory, follow=True, owners={os.geteuid()}, forbid=0o022)
    except OSError as error:
        raise _unusable(directory, error) from None
    try:
        # Several hosts may get their certificates at the same time, and all from one authority.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def find(directory: str) -> Authority | None:
    """The authority of a directory, which need not exist; None if there is none yet.

    :raises AuthorityError: If it cannot be used, or other users can read its key.
    """
    try:
        descriptor = open_directory(directory, follow=True, owners={os.geteuid()}, forbid=0o022)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(directory, error) from None
    try:
        return read(descriptor)
    finally:
        os.close(descriptor)


def read(descriptor: int) -> Authority | None:
    """The authority of an open directory, as :func:`find`."""
    certificate, key = _text(descriptor, CERTIFICATE), _text(descriptor, KEY)
    if certificate is None:
        return None
    if key is None:
        raise AuthorityError(f"has no key: {KEY} is missing beside {CERTIFICATE}")
    return load_authority(certificate, key)


def create(descriptor: int, name: str, now: datetime) -> Authority:
    """Create the authority of an open directory, or complete one whose creation was interrupted.

    :raises AuthorityError: If it cannot be written.
    """
    try:
        key = _text(descriptor, KEY)
        if key is None:
            key = create_key()
            write_atomic(KEY, key, mode=_KEY_MODE, dir_fd=descriptor)
        authority = create_authority(name, key, now)
        write_atomic(CERTIFICATE, authority.certificate_pem, mode=_CERTIFICATE_MODE, dir_fd=descriptor)
    except OSError as error:
        raise AuthorityError(f"cannot be written ({error.strerror})") from None
    return authority


def _text(descriptor: int, name: str) -> str | None:
    """A file of this user's that, if it is the key, no other user can read."""
    try:
        content = read_file(
            name, dir_fd=descriptor, owners={os.geteuid()}, forbid=0o077 if name == KEY else 0o022, limit=65536
        )
    except FileNotFoundError:
        return None
    except UnsafeFileError as error:
        raise AuthorityError(f"has a file {name} that {error.strerror}") from None
    except OSError as error:
        raise AuthorityError(f"has a file {name} that cannot be read ({error.strerror})") from None
    return content.text()


def _unusable(directory: str, error: OSError) -> AuthorityError:
    return AuthorityError(f"cannot be kept in {directory}, which {error.strerror}")
