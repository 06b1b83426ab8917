# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a manual deployment has on this host."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from .._host.accounts import find_account
from .._nginx.config import ConfigError, load_tree
from .._nginx.program import Nginx, expand, read_text
from .._nginx.site.conflicts import claims_of_others, servers_of
from .._nginx.site.layout import included_patterns
from .._nginx.site.marker import is_managed
from .._nginx.site.name_length import LongName, long_names
from .._nginx.site.takeover import obstacle
from .._release import git
from .._release.errors import ReleaseError
from .._release.manifest import Layout
from .._release.source import exclusion
from .conflicts import NameClaim, UncommittedFiles, by_kind

_GIT_TIMEOUT_S = 120
#: What the package of nginx brings: a default server on port 80.
_NEW_NGINX = load_tree(
    "/etc/nginx/nginx.conf",
    lambda _path: "http { server { listen 80 default_server; server_name _; } }",
    lambda _pattern: [],
)


def claims_on(wanted: Collection[tuple[str, int]], site: str) -> list[NameClaim]:
    """Where unmanaged files of nginx answer for names of the site; empty without a readable nginx.

    :param wanted: Public host names, each with the port at which nginx listens for it.
    """
    nginx = Nginx("nginx", None, None)
    if nginx.executable is None:
        return []
    try:
        tree = nginx.tree()
    except (OSError, ConfigError):
        # Judged as a configuration that nginx refuses.
        return []
    includes = included_patterns(nginx.config, "http", read_text, expand)
    servers = servers_of(tree)
    own = [path for path in tree.files if is_managed(read_text(path), site)]
    # nginx ignores a server that claims a name after the site does.
    first = next((index for index, server in enumerate(servers) if server.file in own), len(servers))
    return [
        NameClaim(claim.name, claim.port, claim.where, obstacle(servers, claim.file, wanted, includes))
        for claim in claims_of_others(servers[:first], wanted, own)
    ]


def nginx_files() -> dict[str, str]:
    """The texts of the files of nginx by their paths; none where the main file is no configuration."""
    try:
        return {path: read_text(path) for path in Nginx("nginx", None, None).tree().files if os.path.exists(path)}
    except (OSError, ConfigError):
        return {}


def long_names_on(wanted: Collection[tuple[str, int]], site: str) -> list[LongName]:
    """Public names that do not fit into nginx's table of names; without an nginx, into that of a new one.

    :param wanted: As for :func:`claims_on`.
    """
    nginx = Nginx("nginx", None, None)
    try:
        tree = nginx.tree() if nginx.executable is not None else _NEW_NGINX
    except (OSError, ConfigError):
        return []
    return long_names(
        tree, wanted, [path for path in tree.files if os.path.exists(path) and is_managed(read_text(path), site)]
    )


def uncommitted_in(
    directory: str, user: str, shared: Sequence[str], env_file: str, exclude: Sequence[str]
) -> UncommittedFiles:
    """The source files of a checkout that are in no commit; empty if it is none."""
    program = _git_of(user)
    if program is None:
        return UncommittedFiles()
    try:
        if git.head(program, directory) is None:
            return UncommittedFiles()
        changes = git.changes(program, directory)
    except (OSError, ReleaseError):
        # Said when the directory is taken over.
        return UncommittedFiles()
    layout = Layout(shared_paths=list(shared), exclude=list(exclude), env_files=[env_file] if env_file else [])
    excluded = exclusion(layout)
    return by_kind((code, path) for code, path in changes if not excluded.covers(path))


def conflicts_in(directory: str, user: str) -> list[str]:
    """The files of a checkout that a merge has left with conflicts; none if it is no checkout."""
    program = _git_of(user)
    if program is None or not os.path.lexists(os.path.join(directory, ".git")):
        return []
    try:
        return git.conflicts(program, directory)
    except (OSError, ReleaseError):
        # Said when the release is prepared.
        return []


def _git_of(user: str) -> git.Git | None:
    """git as the deploy user, because a repository can name programs that it starts; None without user or git."""
    account = find_account(user)
    program = git.Git(timeout_s=_GIT_TIMEOUT_S, account=account if os.geteuid() == 0 else None)
    return None if account is None or not program.available() else program
