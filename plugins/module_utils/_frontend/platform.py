# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a build depends on of the machine that it is made on, so that it can be used on another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from .._host.command import run
from .._host.json_text import json_value
from .errors import BuildError

_ANSWER_WITHIN_S = 20
#: The report of Node.js has the version of glibc; where there is none, the library is musl.
_SCRIPT = (
    "const report = process.report; report.excludeNetwork = true;"
    "console.log(JSON.stringify({node: process.versions.node, system: `${process.platform}-${process.arch}`,"
    " libc: report.getReport().header.glibcVersionRuntime ? 'glibc' : 'musl'}))"
)


def read_platform(env: Mapping[str, str]) -> dict[str, str]:
    """Return version of Node.js (``node``), operating system and architecture (``system``), and C library (``libc``).

    :raises BuildError: If Node.js does not tell.
    """
    ended = run(["node", "-e", _SCRIPT], env=env, deadline=time.monotonic() + _ANSWER_WITHIN_S)
    try:
        found = json_value(ended.output)
        return {key: str(found[key]) for key in ("node", "system", "libc")}
    except (ValueError, KeyError, TypeError):
        said = ended.output.strip()[-300:] or "nothing"
        raise BuildError(f"Node.js does not tell which platform it runs on; it printed: {said}") from None


def refuse_other_platform(here: Mapping[str, str], target: Mapping[str, Any]) -> None:
    """Make sure that a build of this machine runs on another one.

    :param here: As :func:`read_platform` returns it.
    :param target: The same of the other machine.
    :raises BuildError: If it does not.
    """
    major, wanted = here["node"].split(".")[0], str(target.get("node", "")).split(".")[0]
    differing = []
    if major != wanted:
        differing.append(f"Node.js {here['node']} instead of {wanted or 'an unknown version'}")
    for key in ("system", "libc"):
        if here[key] != target.get(key):
            differing.append(f"{here[key]} instead of {target.get(key) or 'unknown'}")
    if differing:
        raise BuildError(
            f"a build made on the controller would not run on the host: the controller has {', '.join(differing)}; "
            "run the playbook where both are alike (Node.js of the same major version), or set "
            "staging_frontend_build_on to host"
        )
