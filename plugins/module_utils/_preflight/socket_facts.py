# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the host has where the UNIX socket of the backend is to be."""

from __future__ import annotations

import os
import re
import stat

from .._host.accounts import find_account, future_home, may_write
from .._host.directories import missing_below_root, nearest_existing
from .._host.files import read_text
from .._nginx.config import ConfigError
from .._nginx.program import Nginx
from .._nginx.references import user_of
from .socket import SocketPlace
from .storage_facts import closed_to

#: The user of nginx in Debian's packages, which a new nginx has.
_USUAL_USER = "www-data"


def look_at_socket(path: str, user: str) -> SocketPlace:
    """The facts on the place of a socket.

    :param user: The deploy user, who may not exist yet.
    """
    directory = nearest_existing(os.path.dirname(path))
    account, home, proxy = find_account(user), future_home(user), proxy_user()
    at_home = account is None and path.startswith(f"{home}/")
    # The role runtime creates it for the user.
    own = at_home or missing_below_root(os.path.dirname(path))
    closed = closed_to(directory, find_account(proxy))
    return SocketPlace(
        other_file=_is_other_file(path),
        unwritable="" if own or (account is not None and may_write(directory, account)) else directory,
        closed_to_proxy=closed or (home if at_home and not _home_is_open() else ""),
        proxy_user=proxy,
    )


def _home_is_open() -> bool:
    """Whether other users may enter the home directory that useradd creates (login.defs(5))."""
    settings = read_text("/etc/login.defs") or ""
    mode = re.search(r"^HOME_MODE\s+([0-7]+)", settings, re.MULTILINE)
    mask = re.search(r"^UMASK\s+([0-7]+)", settings, re.MULTILINE)
    return bool((int(mode[1], 8) if mode else ~(int(mask[1], 8) if mask else 0o022)) & stat.S_IXOTH)


def proxy_user() -> str:
    """The user as whom nginx connects to a backend."""
    nginx = Nginx("nginx", None, None)
    if nginx.executable is None:
        return _USUAL_USER
    try:
        return user_of(nginx.tree()) or _USUAL_USER
    except (OSError, ConfigError):
        # Judged as a configuration that nginx refuses.
        return _USUAL_USER


def _is_other_file(path: str) -> bool:
    try:
        return not stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False
