# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers that belong to root."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from .._frontend.publish import ManagedFiles
from .._frontend.publish import manage as manage_static_files
from .._frontend.static_files import StaticFilesError
from .._nginx.effective.inspection import inspect_host
from .._nginx.effective.request import HttpRequest
from .._nginx.program import Nginx
from .._nginx.site.errors import SiteError
from .._nginx.site.manage import Report, SiteOptions
from .._nginx.site.manage import manage as manage_site
from .._runtime.facts import RuntimeFactsError, gather, unit_is
from .layer import PROXY, RUNTIME, STATIC_FILES, Layer, compared, unknown
from .options import Options


def look_at_runtime(wanted: Options) -> Layer:
    """Compare the programs, the user and the units that a deployment needs."""
    try:
        reasons = gather(wanted)["reasons"]
    except RuntimeFactsError as problem:
        return unknown(RUNTIME, problem)
    return compared(RUNTIME, {"changed": bool(reasons), "reasons": reasons})


def look_at_static_files(
    wanted: Options, static_path: str, release: Mapping[str, Any], *, activates: bool, builds: bool
) -> Layer:
    """Compare the published files with the active build.

    :param static_path: The static files in a release.
    :param release: The result of ``release`` in check mode: data of the deploy user, used for paths that are only read
        with the rights of that user.
    :param activates: Another release would be activated, and its files published.
    :param builds: Its files would be those of another build.
    """
    found = [str(each["id"]) for each in release.get("releases", ())]
    directories = [os.path.join(str(release["releases_dir"]), name, static_path) for name in found]
    done = ManagedFiles()
    try:
        manage_static_files({**wanted, "previous": directories}, done, predicting=True)
    except (StaticFilesError, OSError) as problem:
        return unknown(STATIC_FILES, problem)
    more = []
    if wanted["state"] == "present" and activates and not done.result["changed"]:
        more = ["files of another build" if builds else "another build, with published files"]
    return compared(STATIC_FILES, done.result, more, done.warnings)


def look_at_site(wanted: Options, contents: Mapping[str, str], tmpdir: str) -> Layer:
    """Compare the site with the wanted one, and the running nginx with the files on the disk.

    :param contents: Texts of the site by the version of nginx from which on they are written.
    """
    nginx = Nginx.of(wanted)
    report = Report()
    options = SiteOptions.of({**wanted, "content": content_for(contents, nginx.version)})
    try:
        manage_site(options, nginx, tmpdir, True, report)
    except SiteError as problem:
        return unknown(PROXY, problem)
    runs = unit_is("is-enabled", "nginx") and unit_is("is-active", "nginx")
    more = [] if nginx.executable is None or runs else ["nginx was not running or not enabled"]
    return compared(PROXY, report.result(), more, report.warnings)


def look_at_effective(request: Options) -> Mapping[str, Any]:
    """What nginx does with the WebSocket; nothing where its configuration cannot be read."""
    try:
        return inspect_host(Nginx.of(request), HttpRequest.of(request))
    except (OSError, ValueError):
        return {}


def content_for(contents: Mapping[str, str], version: str) -> str:
    """Return the text for a version of nginx; without an nginx, that for the newest."""
    numbers = {_numbers(since): text for since, text in contents.items()}
    fitting = [since for since in numbers if not version or since <= _numbers(version)]
    return numbers[max(fitting or numbers)]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"[0-9]+", version))
