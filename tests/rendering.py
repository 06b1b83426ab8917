"""Render an expression of a role as Ansible does, with the collection's own filters."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

_FILTERS = Path(__file__).resolve().parents[1] / "plugins" / "filter"
_PACKAGE = "ansible_collections.codeframe.staging.plugins.filter"


def render(expression: str, variables: Mapping[str, Any]) -> Any:
    """Return the value of an expression or a text with expressions in it.

    Ansible finds plugins of a collection by a loader of its own, which cannot be installed beside the imports of the
    tests: the filters are therefore handed to the engine.
    """
    templar = Templar(DataLoader(), dict(variables))
    for path in sorted(_FILTERS.glob("[a-z]*.py")):
        module = importlib.import_module(f"{_PACKAGE}.{path.stem}")
        for name, function in module.FilterModule().filters().items():
            templar._engine.environment.filters[f"codeframe.staging.{name}"] = function
    return templar.template(trust_as_template(expression))
