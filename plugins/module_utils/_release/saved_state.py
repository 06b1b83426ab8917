# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback makes root and the controller do: the states of the proxy, and how verified releases were run.

It is kept apart from the manifest, which belongs to the deploy user (see docs/decisions/0014).
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from .._host.json_text import json_value
from .errors import ReleaseError
from .manifest import RELEASE
from .schema import (
    Check,
    SchemaError,
    any_object,
    boolean,
    count,
    lines,
    list_of,
    map_of,
    matching,
    object_of,
    optional,
    port,
    scalar,
    text,
)

VERSION = 1


@dataclass
class VerifiedState:
    """The proxy and the processes when a release was verified.

    :param verified_at: When it was verified last (ISO 8601, UTC), empty if that is not known. Another time alone is no
        difference.
    """

    proxy_state: dict[str, Any] = field(default_factory=dict)
    records: dict[str, Any] = field(default_factory=dict)
    verified_at: str = field(default="", compare=False)


@dataclass
class SavedState:
    """All that is saved of one project.

    :param project: Its directory; a file that was moved to another project is refused.
    :param proxy_before: The state of the proxy before a change that no verification has covered yet.
    :param before_take_over: What served a directory before it was taken over.
    :param verified: By the id of the release.
    """

    project: str
    proxy_before: dict[str, Any] = field(default_factory=dict)
    before_take_over: dict[str, Any] = field(default_factory=dict)
    verified: dict[str, VerifiedState] = field(default_factory=dict)

    def save_proxy(self, state: Mapping[str, Any]) -> None:
        """Save the state of the proxy before a change; one that is saved already is older, and stays.

        :param state: Empty to delete the saved one.
        """
        if not (state and self.proxy_before):
            self.proxy_before = dict(state)

    def save_before_take_over(self, state: Mapping[str, Any]) -> None:
        """Save what served the directory; as :meth:`save_proxy`."""
        if not (state and self.before_take_over):
            self.before_take_over = dict(state)

    def verify(
        self,
        release: str,
        proxy_state: Mapping[str, Any] | None,
        records: Mapping[str, Any],
        keep: Collection[str],
        now: str,
    ) -> None:
        """Save the state of a verified release.

        A rollback of the proxy goes to a verified state from then on, so that the one before its change is deleted.

        :param proxy_state: None to keep the saved one.
        :param records: Each replaces the saved one.
        :param keep: Releases whose states are kept beside this one.
        :param now: As :attr:`VerifiedState.verified_at`.
        """
        found = self.verified.get(release, VerifiedState())
        state = found.proxy_state if proxy_state is None else dict(proxy_state)
        self.verified = {name: each for name, each in self.verified.items() if name in keep}
        self.verified[release] = VerifiedState(state, {**found.records, **records}, now)
        self.proxy_before = {}


# --- schema -----------------------------------------------------------------------------------------

_PROCESS: dict[str, Check] = {
    "name": text,
    "dir": text,
    # An argument may have several lines, such as a script for `sh -c`.
    "command": list_of(lines),
    "ecosystem_file": text,
    "ecosystem_env": text,
    "env": map_of(scalar),
    "env_file": text,
    "port": port,
    "health_url": text,
}
BACKEND_PROCESS: dict[str, Check] = {
    **_PROCESS,
    "switch": text,
    "green_port": port,
    "socket": text,
    "health_websocket_url": text,
    "health_websocket_origin": text,
}
FRONTEND_PROCESS: dict[str, Check] = {
    **_PROCESS,
    "exec_mode": text,
    "serve": text,
    "output_dir": text,
    "static_dir": text,
    "static_publish": boolean,
    "static_root": text,
    "static_url_path": text,
}


def _message(value: Any, name: str) -> Any:
    """Accept a text, and an object that is sent as JSON."""
    return any_object(value, name) if isinstance(value, Mapping) else lines(value, name)


VERIFICATION: dict[str, Check] = {
    "url": text,
    "page_url": text,
    "api_url": text,
    "sse_paths": list_of(text),
    "proxy_address": text,
    "proxy_port": count,
    "proxy_tls": boolean,
    "proxy_page": boolean,
    "protocol": text,
    "send": _message,
    "expect": _message,
    "pages": list_of(text),
    "browser_pages": list_of(text),
    "browser_console": text,
    "browser_ignore_console": list_of(text),
    "forbidden_urls": list_of(text),
}
RECORDS: dict[str, Check] = {
    "verification": object_of(VERIFICATION),
    "backend_process": object_of(BACKEND_PROCESS),
    "frontend_process": object_of(FRONTEND_PROCESS),
}
"""What is saved with a verified release: how it was verified, and how each process is run."""


def _proxy_state(value: Any, name: str) -> dict[str, Any]:
    """Accept an empty object, and one that names a provider; the rest is read by the role proxy alone."""
    state = any_object(value, name)
    if state:
        _PROXY_STATE(state, name)
    return state


_PROXY_STATE = object_of(
    {
        "provider": matching(re.compile(r"(?:nginx|nginx_proxy_manager|manual)\Z"), "a provider of the role proxy"),
        "site": any_object,
        "site_name": text,
        # The texts of files.
        "content": optional(lines),
        "main_content": optional(lines),
        "hosts": map_of(any_object),
    },
    required=("provider",),
)
_RECORDS = object_of(RECORDS)
_TIME = matching(re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?\Z"), "a time in UTC")
_DOCUMENT = object_of(
    {
        "project": text,
        "proxy_before": _proxy_state,
        "before_take_over": any_object,
        "verified": map_of(
            object_of({"proxy_state": _proxy_state, "records": _RECORDS, "verified_at": _TIME}), RELEASE
        ),
    },
    required=("project", "proxy_before", "before_take_over", "verified"),
)


def checked(state: SavedState) -> SavedState:
    """Return a state whose values pass the schema.

    :raises ReleaseError: With the name of the field that does not.
    """
    try:
        return _from_mapping(asdict(state))
    except SchemaError as problem:
        raise ReleaseError(f"the state to save is refused: {problem}") from None


def to_text(state: SavedState) -> str:
    """Return the state as it is written."""
    return json.dumps({"version": VERSION, **asdict(state)}, indent=1, sort_keys=True) + "\n"


def from_text(content: str, path: str, project: str) -> SavedState:
    """Read a saved state.

    :param path: Named in the error.
    :param project: The project that it must be of.
    :raises ReleaseError: If it is damaged, of another version or project, or fails the schema.
    """
    try:
        document = any_object(json_value(content), "the document")
        if document.pop("version", None) != VERSION:
            raise SchemaError(f"it is not of version {VERSION}")
        state = _from_mapping(document)
        if state.project != project:
            raise SchemaError(f"project is {state.project!r}, expected {project!r}")
    except SchemaError as problem:
        raise _refused(path, str(problem)) from None
    except ValueError as problem:
        raise _refused(path, f"it is no JSON document ({problem})") from None
    return state


def _from_mapping(document: Mapping[str, Any]) -> SavedState:
    data = _DOCUMENT(document, "")
    return SavedState(**{**data, "verified": {name: VerifiedState(**each) for name, each in data["verified"].items()}})


def _refused(path: str, why: str) -> ReleaseError:
    return ReleaseError(
        f"{path} is refused: {why}; nothing was changed; find out who wrote it, move it away, and deploy again: until "
        "then there is no saved state for a rollback"
    )
