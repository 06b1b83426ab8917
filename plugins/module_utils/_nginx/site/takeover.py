# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which files of others a site replaces, and which of them are restored when it is removed."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from ..config import Tree, include_matches, is_glob, parse
from ..program import read_text
from .conflicts import Server, claims_of, claims_of_others, other_services, server_of, servers_of
from .errors import SiteError
from .files import entry_of
from .kept import kept_files, kept_path
from .layout import SiteLayout
from .marker import is_managed
from .plan import Moved


def obstacle(
    servers: Sequence[Server], file: str, wanted: Collection[tuple[str, int]], includes: Collection[str]
) -> str:
    """Why a file cannot be taken over; empty if it can.

    :param wanted: Names and ports of the site that would replace it.
    :param includes: Patterns of the includes in the http block.
    """
    if not any(is_glob(pattern) and include_matches(pattern, file) for pattern in includes):
        return "it is the main file, or is included by its own name"
    if os.path.isfile(file) and is_managed(read_text(file)):
        return "another deployment manages it"
    others = other_services(servers, file, wanted)
    return f"it also answers for {', '.join(others)}" if others else ""


def taken_by(
    site: str, text: str, layout: SiteLayout, tree: Tree, conf_dir: str, includes: Collection[str]
) -> tuple[Moved, ...]:
    """The files of others that answer for names of the site, or that are at its own paths.

    :param text: The wanted text of the site.
    :param tree: The configuration as it is.
    :raises SiteError: If one of them cannot be taken over.
    """
    servers = servers_of(tree)
    wanted = claims_of([server_of(each) for each in parse(text, layout.loaded) if each.name == "server"])
    managed = {path for path in tree.files if _is_managed(path, site)}
    claims = claims_of_others(servers, wanted, managed)
    reasons = {each.file: f"{each.where} answers for {each.name} on port {each.port}" for each in reversed(claims)}
    own = [path for path in layout.paths if os.path.lexists(path) and not _is_managed(path, site)]
    for path in own:
        reasons.setdefault(path, f"{path} is not managed")
    found = []
    for path, reason in sorted(reasons.items()):
        why_not = obstacle(servers, path, wanted, includes) if path in tree.files else ""
        if why_not:
            raise SiteError(
                f"{reason}, and {path} cannot be taken over, because {why_not}; remove the name there, or move what "
                "else is in that file to another one; nothing was changed"
            )
        entry = entry_of(path)
        if entry is not None:
            kept = kept_path(conf_dir, site, path)
            found.append(Moved(path, kept, entry, f"{reason}; it is taken over and kept as {kept}"))
    return tuple(found)


def returned_by(site: str, conf_dir: str) -> tuple[Moved, ...]:
    """The files that the site has taken over and that have nothing else in their places by now."""
    found = []
    for path, kept in kept_files(conf_dir, site).items():
        entry = entry_of(kept)
        free = not os.path.lexists(path) or _is_managed(path, site)
        if entry is not None and free:
            found.append(Moved(kept, path, entry, f"{path} was taken over and is restored"))
    return tuple(found)


def _is_managed(path: str, site: str) -> bool:
    return os.path.isfile(path) and is_managed(read_text(path), site)
