# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Applications that never tell pm2 that they are ready, although ``wait_ready`` is set: waited for only once."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._host.files import write_atomic
from .._host.json_text import read_json_object
from .definition import ProcessDefinition
from .settings import listen_timeout_s

_NAME = "staging-never-ready.json"


def without_waiting(definition: ProcessDefinition, home: str) -> ProcessDefinition:
    """The definition without ``wait_ready`` for an application that never said that it is ready."""
    if not definition.settings.get("wait_ready") or _known(home).get(definition.name) != definition.script:
        return definition
    settings = {key: value for key, value in definition.settings.items() if key != "wait_ready"}
    return replace(definition, settings=settings, uncompared=frozenset({"wait_ready"}))


def note_never_ready(definition: ProcessDefinition, home: str, took_s: float) -> str:
    """Remember an application whose start took as long as pm2 waits for it.

    :param took_s: Seconds that the start took.
    :returns: What the user should know; empty for all other applications.
    """
    limit_s = listen_timeout_s(definition.settings)
    if not definition.settings.get("wait_ready") or took_s < limit_s:
        return ""
    known = {**_known(home), definition.name: definition.script}
    write_atomic(os.path.join(home, _NAME), json.dumps(known), mode=0o600)
    return (
        f"{definition.name} never told pm2 that it is ready, which cost {limit_s:g} s (wait_ready is set in the "
        "ecosystem file); further starts will not wait for it. Remove wait_ready, or let the application call "
        "process.send('ready')."
    )


def _known(home: str) -> Mapping[str, Any]:
    """Scripts by the name of their process."""
    return read_json_object(os.path.join(home, _NAME))
