# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the packages of a backend for Node.js, and build it, as a frontend is installed and built."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from .._frontend.build import BuildOutcome, build_frontend
from .._frontend.build_plan import digest
from .._frontend.commands import clean_env
from .._frontend.frontend import BuildOptions, read_frontend
from .._frontend.installation import TO_BE_MADE, installation_id
from .._host.progress import Say, unwatched


def options_of(params: Mapping[str, Any]) -> BuildOptions:
    """Return the options of a task."""
    root = params["source_root"]
    return BuildOptions(
        path=os.path.normpath(params["path"]),
        output_dir=params["output_dir"],
        build_env=params["build_env"],
        install_env=params["install_env"],
        install_command=params["install_command"],
        build_command=tuple(params["build_command"]),
        source_list=params["source_list"],
        source_root=os.path.normpath(root) if root else root,
        # The other part of the application, which is told from this one in the same way.
        backend_dir=params["frontend_dir"],
        timeout_s=params["timeout"],
    )


def build_node(options: BuildOptions, outcome: BuildOutcome, *, predicting: bool, say: Say = unwatched) -> str | None:
    """Install and build what differs from its inputs.

    :param outcome: Filled in step by step, as by :func:`build_frontend`.
    :returns: Digest of all that decides what the process runs, apart from its source; None if that is not known yet.
    :raises BuildError: If there is no package, or an installation or a build fails.
    """
    build_frontend(options, outcome, predicting=predicting, say=say)
    if not outcome.revision:
        return None
    front = read_frontend(options, clean_env())
    inputs = front.inputs
    parts = {
        "lock": inputs.lock,
        "commands": [inputs.install_command, inputs.build_command],
        "node": inputs.node_version,
        "build_env": dict(inputs.build_env),
        # A process keeps what it has loaded, so it is started again after an installation, even of the same packages.
        "installation": TO_BE_MADE if predicting and outcome.changed else installation_id(front.base),
    }
    return digest(json.dumps(parts, sort_keys=True))[:24]
