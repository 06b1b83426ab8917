# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an env file should hold, as the options of the module dotenv_file give it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .readers import READERS
from .secret import Recipe, parse_recipe


class OptionsError(ValueError):
    """The options cannot be used; the message is a whole sentence without any value."""


@dataclass(frozen=True)
class EnvFileOptions:
    """The wanted keys of one file.

    :param plain: Values that may be shown.
    :param secret: Values that must not be shown.
    :param absent: Keys to remove.
    :param generate: Keys with a secret that is generated once.
    :param required: Keys that must have a value in the end.
    :param placeholders: Keys whose value may look like a placeholder.
    :param content: Text of a new file, for its order and comments; its last line ends with a newline.
    """

    path: str
    plain: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    absent: tuple[str, ...] = ()
    generate: Mapping[str, Recipe] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    placeholders: frozenset[str] = frozenset()
    readers: tuple[str, ...] = READERS
    content: str = ""

    @property
    def given(self) -> dict[str, str]:
        """All values that were given."""
        return {**self.plain, **self.secret}


def parse_options(params: Mapping[str, Any]) -> EnvFileOptions:
    """Read the options.

    :raises OptionsError: If a value is not a text, or options contradict one another.
    """
    path = params["path"]
    content = params["content"] or ""
    request = EnvFileOptions(
        path=path,
        plain=_texts("values", params["values"], path),
        secret=_texts("secret_values", params["secret_values"], path),
        absent=tuple(params["absent_keys"]),
        generate={key: _recipe(key, given, path) for key, given in params["generate"].items()},
        required=tuple(params["required_keys"]),
        placeholders=frozenset(params["allow_placeholders"]),
        readers=tuple(dict.fromkeys(params["readers"])) or READERS,
        content=content if content.endswith("\n") or not content else f"{content}\n",
    )
    _check_contradictions(request)
    return request


def listed(names: Iterable[str]) -> str:
    """Names as in a sentence: ``A, B and C``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


_AS_TEXT = {
    "null": "write an empty text, or remove the key",
    "a list": 'write it as the application reads it, such as "{{ list | join(\',\') }}" or "{{ list | to_json }}"',
    "a dictionary": 'write it as the application reads it, such as "{{ dictionary | to_json }}"',
}


def _texts(option: str, given: Mapping[str, Any], path: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in given.items():
        if isinstance(value, bool):
            found[key] = "true" if value else "false"
        elif isinstance(value, (str, int, float)):
            found[key] = str(value)
        else:
            kind = "null" if value is None else f"a {'list' if isinstance(value, list) else 'dictionary'}"
            raise OptionsError(
                f"{option}.{key} for {path} is {kind}; expected a text, which is all an env file holds; "
                f"{_AS_TEXT[kind]}"
            )
    return found


def _recipe(key: str, given: Any, path: str) -> Recipe:
    try:
        return parse_recipe(given)
    except ValueError as error:
        raise OptionsError(f"for {path}, generate.{key}{error}") from None


def _check_contradictions(request: EnvFileOptions) -> None:
    for one, keys, other, others in (
        ("values", request.plain, "secret_values", request.secret),
        ("values", request.plain, "absent_keys", request.absent),
        ("secret_values", request.secret, "absent_keys", request.absent),
        ("generate", request.generate, "absent_keys", request.absent),
    ):
        both = sorted(set(keys) & set(others))
        if both:
            what = f"{listed(both)} {'is' if len(both) == 1 else 'are'}"
            raise OptionsError(f"{what} both in {one} and in {other} for {request.path}; remove from one of them")
