# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a host: every layer of a deployment compared with what is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .._host.accounts import find_account
from .._host.as_user import AsUserError, call_as
from .._release.errors import ReleaseError
from .._release.lock import Holder
from .._release.lock_file import LockError, present_holder
from .._release.saved_state import SavedState
from .._release.state_store import StateStore
from .account_look import look_as_account
from .layer import RELEASE, STATIC_FILES, Layer, from_data, in_order, unknown, without_secrets
from .options import AccountOptions, RootOptions
from .root_look import look_at_effective, look_at_runtime, look_at_site, look_at_static_files


@dataclass
class Look:
    """What was found.

    :param release: The result of ``release`` in check mode: data of the deploy user.
    :param restores: The env file has only drifted, and is restored in place.
    :param activates: Another release would be activated.
    :param commits: A commit of the active release would change something, or has something to tell.
    :param server: Kind and command of the server of the build.
    :param saved: The saved state of root, as ``saved_state`` returns it.
    :param holder: Who holds the deployment lock.
    :param effective: What nginx does with the WebSocket, as ``nginx_effective_info`` returns it; empty if that is not
        asked for, or cannot be read.
    """

    layers: list[Layer] = field(default_factory=list)
    release: Mapping[str, Any] = field(default_factory=dict)
    restores: bool = False
    activates: bool = False
    commits: bool = True
    server: Mapping[str, Any] = field(default_factory=dict)
    saved: Mapping[str, Any] = field(default_factory=dict)
    holder: Holder | None = None
    effective: Mapping[str, Any] = field(default_factory=dict)


def look(user: str, root: RootOptions, account: AccountOptions, *, tmpdir: str, deadline: float) -> Look:
    """Compare every layer that has options.

    :param user: The deploy user; the layers of that user are compared in a process that has only the user's rights.
    :param tmpdir: For temporary files of root.
    :param deadline: For the process of the deploy user, by the clock of ``time.monotonic()``.
    """
    project = str(account.release["project_dir"])
    found = Look()
    layers: list[Layer] = []
    store = StateStore(project)
    state = SavedState(project)
    try:
        state = store.read()
        found.holder = present_holder(project)
    except (ReleaseError, LockError, OSError) as problem:
        layers.append(unknown(RELEASE, problem))
    found.saved = _as_result(state, store)
    urls = {name: str(each.records.get("verification", {}).get("url", "")) for name, each in state.verified.items()}

    def look_as_root() -> None:
        if root.runtime is not None:
            layers.append(look_at_runtime(root.runtime))
        if root.site is not None:
            layers.append(look_at_site(root.site, root.contents, tmpdir))
        if root.effective is not None:
            found.effective = look_at_effective(root.effective)

    whole = replace(account, verified_urls=urls)
    answer = _ask(user, lambda: look_as_account(whole), deadline, layers, meanwhile=look_as_root)
    found.release = answer.get("release", {})
    found.restores, found.activates = bool(answer.get("restores")), bool(answer.get("activates"))
    found.commits = bool(answer.get("commits", True))
    found.server = answer.get("server", {})
    builds = bool(answer.get("builds"))
    unread = any(layer.name == RELEASE and layer.state == "unknown" for layer in layers)
    if root.static_files is not None and unread:
        layers.append(unknown(STATIC_FILES, "which files are wanted is only known when the releases can be read"))
    elif root.static_files is not None:
        layers.append(
            look_at_static_files(
                root.static_files, root.static_path, found.release, activates=found.activates, builds=builds
            )
        )
    found.layers = in_order(layers)
    return found


def _ask(
    user: str,
    function: Callable[[], Any],
    deadline: float,
    layers: list[Layer],
    *,
    meanwhile: Callable[[], None],
) -> Mapping[str, Any]:
    """Call a function as the deploy user, and read its layers; what it answers beside them is returned."""
    account = find_account(user)
    try:
        # In the place of a user that does not exist yet, root finds nothing of that user.
        answer = call_as(account, function, deadline=deadline, meanwhile=meanwhile)
    except AsUserError as problem:
        layers.append(unknown(RELEASE, problem))
        return {}
    try:
        if not isinstance(answer, dict):
            raise ValueError("its answer is no object")
        # What the user calls secret is removed from what the user says, and from nothing else.
        secrets = sorted({str(each) for each in answer.get("secrets", ()) if each}, key=len, reverse=True)
        told = [without_secrets(layer, secrets) for layer in from_data(answer.get("layers"))]
        _refuse_other_forms(answer)
    except (ValueError, TypeError) as problem:
        layers.append(unknown(RELEASE, problem))
        return {}
    layers.extend(told)
    return answer


def _refuse_other_forms(answer: Mapping[str, Any]) -> None:
    """Accept what is read of an answer beside its layers.

    :raises ValueError: If that is not what a look returns.
    """
    release = answer.get("release", {})
    if not isinstance(release, dict) or not isinstance(answer.get("server", {}), dict):
        raise ValueError("it has no release or no server")
    if release and not (
        isinstance(release.get("releases_dir"), str)
        and isinstance(release.get("releases"), list)
        and all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in release["releases"])
    ):
        raise ValueError("its releases have no names")


def _as_result(state: SavedState, store: StateStore) -> dict[str, Any]:
    saved = asdict(state)
    del saved["project"]
    return {**saved, "path": store.path, "incoming_dir": store.incoming}
