# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment: the env file, its secrets, and what the build puts into the page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._dotenv.encoding import ValueRefusedError, check_key, encode
from .._dotenv.readers import READERS
from .._dotenv.secret import ALPHABETS, LONGEST_SECRET, SHORTEST_SECRET, is_placeholder
from .._host.redaction import PUBLIC_PREFIXES
from .._host.url import Url, UrlError, is_loopback, parse_url
from .variables import API, BACKEND_PORT, FRONTEND_PORT, WS, DeploymentInputs

#: Prefixes of the variables that Next.js and Vite build into the page.
_PLAIN, _SECRETS, _GENERATE = "staging_env", "staging_env_secrets", "staging_env_generate"
_REQUIRED, _PUBLIC, _BUILD = "staging_env_required_keys", "staging_public_env", "staging_frontend_build_env"
_DERIVED = {"NEXT_PUBLIC_WS_URL": WS, "NEXT_PUBLIC_API_URL": API}


def readers_of(inputs: DeploymentInputs) -> Sequence[str]:
    """The programs that read the env file; all where none of the given ones is known."""
    chosen = [name for name in inputs.texts("staging_env_readers") if name in READERS]
    return chosen or READERS


def check_env_file(inputs: DeploymentInputs, page: Url | None, ports: Mapping[str, int]) -> None:
    """The keys of the env file.

    :param page: The public URL of the page, if it is valid.
    :param ports: The valid ports of the processes, by variable.
    """
    _check_generated(inputs)
    plain, secret = inputs.mapping(_PLAIN), inputs.mapping(_SECRETS)
    for key in plain:
        if key in secret:
            inputs.add(
                "env-twice",
                (_PLAIN, key),
                "each key in one of the two",
                "remove one of them",
                found=f"{_SECRETS}.{key} is set too",
                hide=True,
            )
    for variable in (_PLAIN, _SECRETS):
        for key, value in inputs.mapping(variable).items():
            _check_value(inputs, page, variable, str(key), value)
    _check_required(inputs)
    for key in secret:
        _check_not_public(inputs, _SECRETS, str(key), ", or move it to staging_env if it is no secret")
    for key, variable in (("BACKEND_PORT", BACKEND_PORT), ("FRONTEND_PORT", FRONTEND_PORT)):
        for source in (_PLAIN, _BUILD):
            values = inputs.mapping(source)
            if key in values and variable in ports and str(values[key]) != str(ports[variable]):
                inputs.add(
                    "env-port-differs",
                    (source, key),
                    "the same port",
                    f"write {ports[variable]}, or remove the key",
                    found=f"{variable} is {inputs.shown(variable)}",
                )


def check_public_env(inputs: DeploymentInputs, page: Url | None) -> None:
    """The variables of the build, and those that it puts into the page."""
    for key, value in inputs.mapping(_PUBLIC).items():
        _check_value(inputs, page, _PUBLIC, str(key), value)
        if not _public_prefix(str(key)):
            inputs.add(
                "public-variable-not-baked",
                (_PUBLIC, key),
                "a name that starts with NEXT_PUBLIC_ (Next.js), VITE_ (Vite) or another framework's prefix",
                f"rename it, or move it to {_BUILD}",
                found="the build puts only variables with such a name into the page",
            )
        source = _DERIVED.get(str(key))
        if source is not None and inputs.get(source) is not None and value != inputs.get(source):
            inputs.add(
                "public-url-differs",
                (_PUBLIC, key),
                "the same URL",
                "remove the key, because it is derived, or write the same URL",
                found=f"{source} is {inputs.shown(source)}",
            )
    for key, value in inputs.mapping(_BUILD).items():
        _check_value(inputs, page, _BUILD, str(key), value)
        if key == "NODE_ENV" and value != "production":
            inputs.add("node-env", (_BUILD, key), "production, as next build needs it", "remove the key")


def _check_required(inputs: DeploymentInputs) -> None:
    """Those of the required keys that can be judged here; others may be in the file on the host."""
    for index, key in enumerate(inputs.texts(_REQUIRED)):
        why = _refused_key(key)
        if why:
            inputs.add("env-key", (_REQUIRED, index), "the name of a variable", "correct the name", found=f"it {why}")
        if inputs.mapping(_PLAIN).get(key) == "" and key not in inputs.mapping(_GENERATE):
            inputs.add(
                "env-empty",
                (_PLAIN, key),
                "a value",
                "set it, or remove the key",
                found=f"{_REQUIRED} contains it",
            )


def _check_generated(inputs: DeploymentInputs) -> None:
    for key, how in inputs.mapping(_GENERATE).items():
        where = (_GENERATE, key)
        why = _refused_key(str(key))
        if why:
            inputs.add("env-key", where, "the name of a variable", "choose another name", found=f"{key} {why}")
        recipe = how if isinstance(how, Mapping) else {} if how is None else {"length": how}
        length, alphabet = recipe.get("length", SHORTEST_SECRET), recipe.get("alphabet", "alphanumeric")
        if not str(length).isdigit() or not SHORTEST_SECRET <= int(str(length)) <= LONGEST_SECRET:
            inputs.add(
                "env-generate",
                where,
                f"a length of {SHORTEST_SECRET} to {LONGEST_SECRET} characters",
                "write for example {length: 48}",
            )
        if alphabet not in ALPHABETS:
            inputs.add(
                "env-generate", where, f"one of the alphabets {', '.join(ALPHABETS)}", "choose one, or leave it out"
            )
        _check_not_public(inputs, _GENERATE, str(key), "")


def _check_not_public(inputs: DeploymentInputs, variable: str, key: str, otherwise: str) -> None:
    prefix = _public_prefix(key)
    if prefix:
        inputs.add(
            "secret-public",
            (variable, key),
            "a name without that prefix",
            f"rename it and read it on the server{otherwise}",
            found=f"the build puts variables that start with {prefix} into the page, where everybody can read them",
        )


def _public_prefix(key: str) -> str:
    """The prefix by which a bundler takes a variable for one of the page's; empty for all others."""
    return next((prefix for prefix in PUBLIC_PREFIXES if key.startswith(prefix)), "")


def _refused_key(key: str) -> str:
    """Why a key cannot be in an env file, or an empty text."""
    try:
        check_key(key)
    except ValueRefusedError as error:
        return error.why
    return ""


def _check_value(inputs: DeploymentInputs, page: Url | None, variable: str, key: str, value: Any) -> None:
    where = (variable, key)
    why = _refused_key(key)
    if why:
        inputs.add("env-key", where, "the name of a variable", "choose another name", found=f"{key} {why}")
        return
    if isinstance(value, (list, Mapping)) or value is None:
        inputs.add("env-value", where, "a text, because an env file contains nothing else", _as_text(value))
        return
    text = str(value)
    if variable == _SECRETS and text == "":
        inputs.add("env-empty", where, "a secret", "set it, or remove the key")
        return
    if is_placeholder(text) and key not in inputs.texts("staging_env_allow_placeholders"):
        inputs.add(
            "placeholder",
            where,
            "the real value",
            "write it, or add the key to staging_env_allow_placeholders",
            found="it is a placeholder",
        )
        return
    try:
        encode(key, text, readers_of(inputs))
    except ValueRefusedError as error:
        inputs.add(
            "env-unwritable",
            where,
            "a value that all readers of the env file read alike",
            "choose another value"
            + (", or set staging_env_readers to those that read your file" if error.differing else ""),
            found=f"it {error.why}"
            + (f", which {' and '.join(error.differing)} would read differently" if error.differing else ""),
        )
        return
    if variable != _SECRETS and _public_prefix(key) and re.match(r"(https?|wss?)://", text):
        _check_public_url(inputs, page, where, text)


def _as_text(value: Any) -> str:
    if value is None:
        return "write an empty text, or remove the key"
    joined = "\"{{ ... | join(',') }}\" or " if isinstance(value, list) else ""
    return f'write it as one text as the application reads it, such as {joined}"{{{{ ... | to_json }}}}"'


def _check_public_url(inputs: DeploymentInputs, page: Url | None, where: tuple[str, str], text: str) -> None:
    """A URL that the page contains must work in the user's browser."""
    try:
        url = parse_url(text)
    except UrlError as error:
        inputs.add("url", where, "a plain absolute URL", "correct the URL", found=str(error))
        return
    if is_loopback(url.host) and not inputs.allows_loopback:
        inputs.add(
            "loopback",
            where,
            "a name under which users reach the host",
            "write that name",
            found=f"{url.host} is each user's own machine",
        )
    elif page is not None and page.secure and not url.secure:
        inputs.add(
            "mixed-content",
            where,
            "a URL that starts with https:// or wss://",
            "write it with TLS",
            found=f"from a page of https:// ({page.origin}) browsers refuse {url.scheme}://",
        )
