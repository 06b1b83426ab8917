"""The processes of pm2 on the host."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


def processes(as_user: Callable[[str], str]) -> dict[str, dict[str, Any]]:
    """Return the entries of ``pm2 jlist`` by name.

    :param as_user: Runs a script in a login shell of the user whose processes they are, and returns its output.
    """
    return {entry["name"]: entry for entry in json.loads(as_user("pm2 -s jlist"))}
