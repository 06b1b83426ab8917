# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare an env file with what is wanted, and write it unless the change is only predicted."""

from __future__ import annotations

import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .causes import Cause, cause_of_difference
from .diff import diff_lines
from .document import parse
from .options import EnvFileOptions, listed, parse_options
from .plan import FilePlan, Texts, plan_file
from .store import MODE, FoundFile, StoreError, look, set_attributes, write


@dataclass(frozen=True)
class ManagedFile:
    """What was done, or would be done.

    :param result: The result of the module.
    :param text: What the env file contains afterwards.
    :param secrets: Generated values, which must not be shown.
    """

    result: Mapping[str, Any]
    text: str
    secrets: Sequence[str]
    warnings: Sequence[str]


def manage(params: Mapping[str, Any], *, predicting: bool) -> ManagedFile:
    """Compare the file with the options of dotenv_file, and write it.

    :param predicting: Change nothing. The user and the directory may not exist yet.
    :raises ParseError: If the env file cannot be parsed.
    :raises RefusedKeysError: If a key cannot be written or has no value.
    :raises OptionsError: If an option is wrong.
    :raises StoreError: If a file cannot be read or written.
    """
    request = parse_options(params)
    files = _look_at_all(params, predicting)
    live = files["path"]
    texts = Texts(
        live=live.text,
        snapshot=_text_of(files, "snapshot_path"),
        generated=_text_of(files, "generated_path"),
        example=_text_of(files, "example_path"),
    )
    plan = plan_file(request, texts, with_example="example_path" in files)
    uid = _owner_id(params, predicting)
    attributes = _wrong_attributes(live, uid)
    changed = plan.writes or bool(attributes) or plan.example is not None
    warnings = _differences(live.path, plan.change.text, plan.change.differing, request.readers)
    warnings += _duplicates(live.path, plan.change.text)
    if changed and not predicting:
        _apply(files, plan, attributes, uid)
    result = {
        "changed": changed,
        "path": live.path,
        "keys_added": list(plan.change.added),
        "keys_changed": list(plan.change.changed),
        "keys_removed": list(plan.change.removed),
        "keys_generated": list(plan.new_secrets),
        "keys_differing": list(plan.change.differing),
        "attributes_changed": attributes,
        "example_changed": plan.example is not None,
        "restores": changed and plan.example is None and plan.restores,
        "diff": _diff(params, request, live, plan, attributes),
    }
    return ManagedFile(result, plan.change.text, tuple(plan.secrets.values()), warnings)


def _differences(path: str, text: str, keys: Sequence[str], readers: Sequence[str]) -> list[str]:
    """Return a sentence for each cause for which readers differ about keys, with the lines of the keys."""
    document = parse(text)
    found: dict[Cause, list[str]] = {}
    for entry in (document.last(key) for key in keys):
        if entry is not None:
            found.setdefault(cause_of_difference(entry.text), []).append(f"{entry.key} in line {entry.line}")
    return [
        f"{path}: {listed(places)} {'is' if len(places) == 1 else 'are'} not read alike by {listed(readers)}: "
        f"{cause.text}; {cause.remedy}. It was left as it is"
        for cause, places in found.items()
    ]


def _duplicates(path: str, text: str) -> list[str]:
    """Return a sentence for each key that the file has more than once."""
    lines: dict[str, list[str]] = {}
    for entry in parse(text).entries:
        if entry.key:
            lines.setdefault(entry.key, []).append(str(entry.line))
    return [
        f"{path}: {key} is in the lines {listed(numbers)}, of which the last one counts; remove the others"
        for key, numbers in lines.items()
        if len(numbers) > 1
    ]


def _look_at_all(params: Mapping[str, Any], predicting: bool) -> dict[str, FoundFile]:
    """The env file and the files beside it, by the name of their option; none for an option that is not set."""
    tolerant = {"path": predicting, "snapshot_path": True, "generated_path": predicting, "example_path": predicting}
    return {
        option: look(params[option], tolerant=tolerates) for option, tolerates in tolerant.items() if params[option]
    }


def _text_of(files: Mapping[str, FoundFile], option: str) -> str | None:
    return files[option].text if option in files else None


def _owner_id(params: Mapping[str, Any], predicting: bool) -> int | None:
    """The user id of the option ``owner``; ``None`` if it is not set, or in check mode if no such user exists."""
    owner = params["owner"]
    if owner is None:
        return None
    try:
        return int(owner) if owner.isdigit() else pwd.getpwnam(owner).pw_uid
    except KeyError:
        if predicting:
            return None
        raise StoreError(
            f"{params['path']} cannot be given to the user {owner}, who does not exist; create the user first"
        ) from None


def _wrong_attributes(live: FoundFile, uid: int | None) -> list[str]:
    if live.text is None:
        return []
    wrong = (("mode", live.mode != MODE), ("owner", uid is not None and live.uid != uid))
    return [name for name, differs in wrong if differs]


def _diff(
    params: Mapping[str, Any], request: EnvFileOptions, live: FoundFile, plan: FilePlan, attributes: Sequence[str]
) -> list[dict[str, str]]:
    before, after = diff_lines(request, live.text, plan.change)
    if "mode" in attributes:
        before.append(f"# mode {live.mode or 0:04o}")
        after.append(f"# mode {MODE:04o}")
    if "owner" in attributes:
        before.append(f"# owner {live.uid}")
        after.append(f"# owner {params['owner']}")
    header = live.path if live.text is not None else f"{live.path} (absent)"
    found = [(header, live.path, "".join(f"{line}\n" for line in before), "".join(f"{line}\n" for line in after))]
    if plan.example is not None:
        found.append((params["example_path"], params["example_path"], "", plan.example))
    keys = ("before_header", "after_header", "before", "after")
    return [dict(zip(keys, each)) for each in found]


def _apply(files: Mapping[str, FoundFile], plan: FilePlan, attributes: Sequence[str], uid: int | None) -> None:
    """Write what was planned."""
    live = files["path"]
    owner = uid if uid is not None else live.uid
    if plan.generated is not None and "generated_path" in files:
        # Before the env file: the next run finds what one that dies in between has generated.
        write(files["generated_path"].path, plan.generated, uid=owner, gid=live.gid)
    if plan.writes:
        write(live.path, plan.change.text, uid=owner, gid=live.gid)
    elif attributes:
        set_attributes(live.path, uid=uid)
    if plan.example is not None:
        write(files["example_path"].path, plan.example, mode=0o644, uid=owner, gid=live.gid)
