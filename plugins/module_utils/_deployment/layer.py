# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layers of a deployment, and what a look tells of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .._host.redaction import redacted

RUNTIME = "runtime"
RELEASE = "release"
ENV_FILE = "env_file"
VIRTUALENV = "virtualenv"
BACKEND_BUILD = "backend_build"
BUILD = "build"
BACKEND = "backend"
FRONTEND = "frontend"
STATIC_FILES = "static_files"
PROXY = "proxy"

#: In the order in which a deployment brings them up.
LAYERS = (RUNTIME, RELEASE, ENV_FILE, VIRTUALENV, BACKEND_BUILD, BUILD, BACKEND, FRONTEND, STATIC_FILES, PROXY)


@dataclass(frozen=True)
class Layer:
    """One layer, compared with what is wanted.

    :param reasons: How it differs; empty if it does not.
    :param unknown: What could not be known, and why.
    :param refused: Whether a deployment would be refused for it: only a person can change what was found.
    :param diff: As a module returns it in diff mode.
    :param warnings: What the user should know beside it.
    """

    name: str
    reasons: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    diff: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()
    refused: bool = False

    @property
    def state(self) -> str:
        """``drifted`` if anything differs; ``unknown`` if nothing is known to differ, and not everything is known."""
        return "drifted" if self.reasons else "unknown" if self.unknown else "in_sync"

    def as_result(self) -> dict[str, Any]:
        """Return it as the module does."""
        return {
            "layer": self.name,
            "state": self.state,
            "reasons": list(self.reasons),
            "unknown": list(self.unknown),
            "refused": self.refused,
            "diff": list(self.diff),
        }


def compared(name: str, result: Mapping[str, Any], more: Iterable[str] = (), warnings: Iterable[str] = ()) -> Layer:
    """Return the layer that a prediction tells of.

    :param result: What a module returns in check mode, with ``changed``, ``reasons`` and ``diff``.
    :param more: Further reasons.
    """
    reasons = [str(reason) for reason in result.get("reasons", ())] if result["changed"] else []
    diff = tuple(result.get("diff", ())) if result["changed"] else ()
    return Layer(name, tuple(dict.fromkeys([*reasons, *more])), (), diff, tuple(warnings))


def unknown(name: str, why: object, *, refused: bool = False) -> Layer:
    """Return a layer that could not be compared."""
    return Layer(name, unknown=(str(why),), refused=refused)


def without_secrets(layer: Layer, secrets: Sequence[str]) -> Layer:
    """Return a layer in whose texts each secret is replaced by stars. What it is and its state stay as they are.

    :param secrets: The longest first.
    """
    if not secrets:
        return layer

    def clean(value: Any) -> Any:
        if isinstance(value, str):
            return redacted(value, secrets)
        if isinstance(value, Mapping):
            return {key: clean(each) for key, each in value.items()}
        return [clean(each) for each in value] if isinstance(value, (list, tuple)) else value

    texts = {name: tuple(clean(getattr(layer, name))) for name in ("reasons", "unknown", "warnings", "diff")}
    return Layer(layer.name, refused=layer.refused, **texts)


def in_order(layers: Collection[Layer]) -> list[Layer]:
    """Return layers in the order in which a deployment brings them up."""
    return sorted(layers, key=lambda layer: LAYERS.index(layer.name))


def to_data(layers: Iterable[Layer]) -> list[dict[str, Any]]:
    """Return layers as JSON can hold them."""
    return [asdict(layer) for layer in layers]


def from_data(found: object) -> list[Layer]:
    """Read layers that the deploy user's process wrote, and nothing else.

    :raises ValueError: If that is not what they are.
    """
    layers = []
    for entry in found if isinstance(found, list) else [found]:
        if not isinstance(entry, dict) or entry.get("name") not in LAYERS:
            raise ValueError("a layer has no name of a layer")
        texts = {name: _texts(entry.get(name)) for name in ("reasons", "unknown", "warnings")}
        diff = entry.get("diff")
        if not isinstance(diff, list) or not all(isinstance(each, dict) for each in diff):
            raise ValueError("the diff of a layer is no list of objects")
        layers.append(Layer(entry["name"], diff=tuple(diff), refused=entry.get("refused") is True, **texts))
    return layers


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("a layer has something else than a list of texts")
    return tuple(value)
