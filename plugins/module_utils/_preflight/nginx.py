# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether nginx accepts its present configuration, judged from its own words."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping

from .._nginx.site.layout import paths_in
from .._nginx.site.marker import is_managed
from .finding import PreflightFinding
from .variables import DeploymentInputs

_REFUSED = re.compile(
    r"\[(?:emerg|crit|alert)\] (?:\d+#\d+: )?(?P<what>.*?)(?: in (?P<where>/\S+:\d+))?$", re.MULTILINE
)
_MISSING = re.compile(r'open\(\) "(?P<path>/[^"]+)" failed \(2:')


def refused_file(output: str) -> str:
    """The file that ``nginx -t`` refused, or an empty text."""
    said = _REFUSED.search(output)
    return said["where"].rpartition(":")[0] if said and said["where"] else ""


def missing_file(output: str) -> str:
    """The file that ``nginx -t`` could not find, such as the target of a link, or an empty text."""
    said = _REFUSED.search(output)
    missing = _MISSING.match(said["what"]) if said else None
    return missing["path"] if missing else ""


def is_link_of_site(path: str, target: str, site: str) -> bool:
    """Whether a link is the one that enables a site, so that only the site's own file is missing.

    :param target: Where the link leads to, absolute.
    """
    directory = posixpath.dirname(path)
    if posixpath.basename(directory) != "sites-enabled":
        return False
    layouts = (paths_in("sites", site, suffix, directory) for suffix in ("", ".conf"))
    return any(path == layout.link and posixpath.normpath(target) == layout.file for layout in layouts)


def refused_for_managed_site(output: str, files: Mapping[str, str]) -> bool:
    """Whether ``nginx -t`` refuses a managed file, which was edited manually: drift that the role proxy repairs.

    What nginx finds out when it has read everything, such as an unknown variable or a zone without a size, it reports
    with a name and without a file. A managed file is the cause if no other one uses that name.

    :param files: Texts of the files that nginx reads, by their paths.
    """
    place = refused_file(output)
    if place:
        return is_managed(files.get(place, ""))
    said = _REFUSED.search(output)
    quoted = re.search(r'"(\w+)"', said["what"]) if said else None
    if quoted is None:
        return False
    using = [text for text in files.values() if re.search(rf"\b{quoted[1]}\b", text)]
    return bool(using) and all(is_managed(text) for text in using)


def judge_nginx(inputs: DeploymentInputs, output: str) -> PreflightFinding:
    """:param output: Of an ``nginx -t`` that failed."""
    said = _REFUSED.search(output)
    lines = output.strip().splitlines()
    what = said["what"] if said else lines[-1] if lines else "no reason given"
    where = f" in {said['where']}" if said and said["where"] else ""
    return inputs.finding(
        "nginx-refuses",
        "staging_proxy_provider",
        "a valid configuration",
        "repair that line, which is not part of this deployment",
        found=f"nginx refuses its present configuration ({what}{where})",
    )
