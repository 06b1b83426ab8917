# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to happen to an env file: a comparison of its text with a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from .change import Change, change_keys
from .document import ParseError, parse, values_for
from .encoding import ValueRefusedError, check_key, encode
from .options import EnvFileOptions, listed
from .secret import Recipe, is_placeholder

EXAMPLE_HEADER = "# Written by codeframe.staging: the keys of the deployment with what each is for, and no values.\n"
GENERATED_HEADER = "# Secrets that were generated on this host; every new release takes them from this file.\n"


@dataclass(frozen=True)
class Refusal:
    """A key that keeps the file from being written; ``why`` completes a sentence that starts with the key."""

    key: str
    why: str
    readers: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        if not self.readers:
            return f"{self.key} {self.why}"
        return f"{self.key} {self.why}, which {listed(self.readers)} would read differently"


class RefusedKeysError(Exception):
    """Keys that cannot be written, or have no value; the message is a whole sentence without any value."""

    def __init__(self, path: str, refusals: Sequence[Refusal]) -> None:
        said = "; ".join(refusal.sentence for refusal in refusals)
        remedy = "give it another value"
        if any(refusal.readers for refusal in refusals):
            remedy += ", or leave out of staging_env_readers (readers) those that do not read this file"
        super().__init__(f"{path} was not written: {said}; {remedy}")
        self.refusals = tuple(refusals)


@dataclass(frozen=True)
class Texts:
    """The files as they are; ``None`` for one that does not exist.

    :param live: The env file.
    :param snapshot: Its copy from the activation of the release.
    :param generated: The file that keeps generated secrets.
    :param example: The example.
    """

    live: str | None = None
    snapshot: str | None = None
    generated: str | None = None
    example: str | None = None


@dataclass(frozen=True)
class FilePlan:
    """What has to happen.

    :param change: The new text of the env file, and what happens to its keys.
    :param writes: Whether the text differs from that of the file.
    :param restores: Whether the snapshot already has every wanted value, so that the file has only drifted.
    :param secrets: Generated values, those of earlier runs included.
    :param new_secrets: The keys among them whose value is new.
    :param generated: The new text of the file that keeps them; ``None`` if it stays.
    :param example: The new text of the example; ``None`` if it stays.
    """

    change: Change
    writes: bool
    restores: bool
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    new_secrets: tuple[str, ...] = ()
    generated: str | None = field(default=None, repr=False)
    example: str | None = None


def plan_file(
    request: EnvFileOptions, texts: Texts, *, with_example: bool, make: Callable[[Recipe], str] = Recipe.make
) -> FilePlan:
    """Compare the files with a request.

    :param with_example: Whether an example is wanted.
    :param make: Returns a new secret.
    :raises ParseError: If the env file cannot be parsed.
    :raises RefusedKeysError: If a key cannot be written or has no value.
    """
    secrets, new = _secrets(request, texts, make)
    wanted = {**request.given, **secrets}
    _refuse_unwritable(request, wanted)
    base = next((text for text in (texts.live, texts.snapshot) if text is not None), request.content)
    try:
        change = change_keys(base, wanted, request.absent, request.readers)
    except ValueRefusedError as error:
        raise RefusedKeysError(request.path, [Refusal(error.key, error.why, error.differing)]) from None
    _refuse_missing(request, change.text, wanted)
    if texts.live is None:
        change = Change(change.text, parse(change.text).keys, (), (), change.differing)
    generated = None
    if new:
        kept = texts.generated if texts.generated is not None else GENERATED_HEADER
        generated = change_keys(kept, {key: secrets[key] for key in new}, (), request.readers).text
    return FilePlan(
        change=change,
        writes=texts.live != change.text,
        restores=texts.snapshot is not None and _has_all(texts.snapshot, wanted, request),
        secrets=secrets,
        new_secrets=new,
        generated=generated,
        example=_example(request, wanted, texts.example) if with_example else None,
    )


def _secrets(
    request: EnvFileOptions, texts: Texts, make: Callable[[Recipe], str]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """A value for each key to generate, the existing one if a file has it, and the keys whose value is new."""
    found: dict[str, str] = {}
    new = []
    given = request.given
    for key, recipe in request.generate.items():
        if given.get(key):
            continue
        existing = (_current(text, key, request.readers) for text in (texts.live, texts.snapshot, texts.generated))
        value = next((value for value in existing if value and not is_placeholder(value)), "")
        if not value:
            value = make(recipe)
            new.append(key)
        found[key] = value
    return found, tuple(new)


def _current(text: str | None, key: str, readers: Sequence[str]) -> str:
    """The value of a key for the first of the readers that has one; empty if none has."""
    if text is None:
        return ""
    try:
        views = values_for(text, readers)
    except ParseError:
        return ""
    return next((value for view in views.values() if (value := view.get(key))), "")


def _refuse_unwritable(request: EnvFileOptions, wanted: Mapping[str, str]) -> None:
    refusals = []
    for key, value in wanted.items():
        try:
            check_key(key)
            encode(key, value, request.readers)
        except ValueRefusedError as error:
            refusals.append(Refusal(key, error.why, error.differing))
            continue
        if is_placeholder(value) and key not in request.placeholders:
            refusals.append(Refusal(key, "has a placeholder as its value"))
    if refusals:
        raise RefusedKeysError(request.path, refusals)


def _refuse_missing(request: EnvFileOptions, text: str, wanted: Mapping[str, str]) -> None:
    refusals = []
    for key in request.required:
        value = wanted.get(key) or _current(text, key, request.readers)
        if not value:
            refusals.append(Refusal(key, "is required but has no value"))
        elif is_placeholder(value) and key not in request.placeholders:
            refusals.append(Refusal(key, "is required but has a placeholder as its value"))
    if refusals:
        raise RefusedKeysError(request.path, refusals)


def _has_all(text: str, wanted: Mapping[str, str], request: EnvFileOptions) -> bool:
    try:
        return change_keys(text, wanted, request.absent, request.readers).text == text
    except (ParseError, ValueRefusedError):
        return False


def _example(request: EnvFileOptions, wanted: Mapping[str, str], existing: str | None) -> str | None:
    """The text of the example if that has to be written; an example of the source itself is left alone."""
    keys = dict.fromkeys([*parse(request.content).keys, *wanted])
    text = EXAMPLE_HEADER + change_keys(request.content, dict.fromkeys(keys, ""), (), request.readers).text
    if existing == text or (existing is not None and not existing.startswith(EXAMPLE_HEADER)):
        return None
    return text
