# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How certbot renews a certificate, from its file below ``/etc/letsencrypt/renewal`` (pure)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_SECTION = re.compile(r"^\s*(\[+)\s*([^\]]+?)\s*\]+\s*$")
_VALUE = re.compile(r"^\s*([\w-]+)\s*=\s*(.*?)\s*$")
_PARAMETERS, _MAP = "renewalparams", "webroot_map"
#: What belongs to a way that is given up. The hooks of one that needs port 80 for itself stop and start nginx.
_OF_ANOTHER_WAY = frozenset(
    ("authenticator", "webroot_path", "pre_hook", "post_hook", "http01_port", "http01_address", "nginx_server_root")
)


@dataclass(frozen=True)
class Renewal:
    """What a renewal does.

    :param server: URL of the authority's directory; empty if it is not known.
    :param authenticator: How the names are proven: ``webroot``, ``standalone``, ``nginx``, ``dns-...``.
    :param webroots: Directories into which the answers are written.
    """

    server: str = ""
    authenticator: str = ""
    webroots: tuple[str, ...] = ()

    def problem_with(self, webroot: str) -> str:
        """Why it does not work through a site that answers from a directory, as a clause; empty if it may work."""
        if self.authenticator == "standalone":
            return "it is renewed by a server of certbot's own at port 80, where nginx listens"
        if self.authenticator == "webroot" and any(each.rstrip("/") != webroot.rstrip("/") for each in self.webroots):
            return f"it is renewed through {', '.join(self.webroots)}, and the site answers from {webroot}"
        return ""


def read_renewal(text: str) -> Renewal:
    """Read the file; what it lacks is empty."""
    values: dict[str, str] = {}
    roots: list[str] = []
    section = ""
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section = found[2]
        elif section == _PARAMETERS and (found := _VALUE.match(line)):
            values[found[1]] = found[2]
        if section == _MAP and "=" in line and not line.lstrip().startswith("#"):
            roots.append(line.split("=", 1)[1].strip())
    if not roots:
        roots = [each.strip() for each in values.get("webroot_path", "").split(",") if each.strip()]
    return Renewal(values.get("server", ""), values.get("authenticator", ""), tuple(dict.fromkeys(roots)))


def through_webroot(text: str, names: Sequence[str], webroot: str) -> str:
    """The same file, with answers that are written into a directory."""
    kept: list[str] = []
    section = ""
    for line in text.splitlines():
        if found := _SECTION.match(line):
            section = found[2]
            if section == _MAP:
                continue
        value = _VALUE.match(line)
        if section == _MAP or (section == _PARAMETERS and value and value[1] in _OF_ANOTHER_WAY):
            continue
        kept.append(line)
    # Subsections are at the end of their section, which is the last one of certbot's files.
    at = next((number for number, line in enumerate(kept) if line.strip() == f"[{_PARAMETERS}]"), None)
    if at is None:
        kept.append(f"[{_PARAMETERS}]")
        at = len(kept) - 1
    kept[at + 1 : at + 1] = ["authenticator = webroot", f"webroot_path = {webroot},"]
    return "\n".join([*kept, f"[[{_MAP}]]", *(f"{name} = {webroot}" for name in names)]) + "\n"
