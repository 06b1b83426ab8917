"""What the YAML files and templates of roles and playbooks set and read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2 import nodes

ROOT = Path(__file__).resolve().parents[1]
PLAYBOOKS = "playbooks"
SETTINGS = "settings"
"""The role with the defaults of the variables that several roles read."""

# Keywords whose value is an expression without braces.
_CONDITIONS = frozenset({"when", "until", "failed_when", "changed_when", "that"})
_SETTERS = frozenset({"register", "loop_var", "index_var"})
_JINJA = jinja2.Environment(autoescape=False)  # noqa: S701 - parsed, never rendered


@dataclass(frozen=True)
class Name:
    """A variable that a file sets or reads."""

    name: str
    where: str


@dataclass(frozen=True)
class Field:
    """An attribute of a variable that a file reads."""

    variable: str
    field: str
    where: str


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def roles(root: Path = ROOT) -> list[str]:
    return sorted(path.name for path in (root / "roles").iterdir() if path.is_dir())


def files_of(owner: str, root: Path = ROOT) -> list[Path]:
    """Return the YAML files and templates of a role, or of the playbooks."""
    directory = root / owner if owner == PLAYBOOKS else root / "roles" / owner
    return sorted(path for path in directory.rglob("*") if path.suffix in (".yml", ".j2"))


def defaults_of(role: str, root: Path = ROOT) -> dict[str, Any]:
    path = root / "roles" / role / "defaults/main.yml"
    return dict(load(path)) if path.is_file() else {}


def tasks_in(node: Any) -> Iterator[dict[str, Any]]:
    """Return all tasks below a parsed YAML document, those in blocks included."""
    if isinstance(node, list):
        for item in node:
            yield from tasks_in(item)
    elif isinstance(node, dict):
        inner = [node[key] for key in ("tasks", "pre_tasks", "post_tasks", "block", "rescue", "always") if key in node]
        if "hosts" not in node and "galaxy_info" not in node and "argument_specs" not in node:
            yield node
        yield from tasks_in(inner)


def names_set(path: Path) -> Iterator[Name]:
    """Return the variables that a YAML file sets, inputs that it passes to a role included."""
    if path.suffix != ".yml":
        return
    document = load(path)
    if path.parent.name in ("vars", "defaults") and isinstance(document, dict):
        yield from (Name(key, str(path)) for key in document)
    yield from _set_below(document, str(path))


def _set_below(node: Any, where: str) -> Iterator[Name]:
    if isinstance(node, list):
        for item in node:
            yield from _set_below(item, where)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in _SETTERS and isinstance(value, str):
                yield Name(value, where)
            elif isinstance(value, dict) and (key == "vars" or str(key).endswith("set_fact")):
                yield from (Name(each, where) for each in value)
            yield from _set_below(value, where)


def expressions(path: Path) -> Iterator[nodes.Template]:
    """Return the parsed Jinja expressions of a file."""
    if path.suffix == ".j2":
        yield _JINJA.parse(path.read_text(encoding="utf-8"))
        return
    yield from (_JINJA.parse(text) for text in _texts(load(path)))


def _texts(node: Any, condition: bool = False) -> Iterator[str]:
    if isinstance(node, str):
        if condition and "{{" not in node:
            yield "{{ " + node + " }}"
        elif "{{" in node or "{%" in node:
            yield node
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item, condition)
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _texts(value, key in _CONDITIONS)


def names_read(path: Path) -> Iterator[Name]:
    """Return the variables that the expressions of a file read, without those that they set themselves."""
    for template in expressions(path):
        found = list(template.find_all(nodes.Name))
        own = {node.name for node in found if node.ctx != "load"}
        own |= {target.target for target in template.find_all(nodes.Import)}
        yield from (Name(node.name, str(path)) for node in found if node.ctx == "load" and node.name not in own)


def fields_read(path: Path) -> Iterator[Field]:
    """Return the attributes of variables that the expressions of a file read."""
    for template in expressions(path):
        for node in template.find_all(nodes.Getattr):
            if isinstance(node.node, nodes.Name):
                yield Field(node.node.name, node.attr, str(path))


def role_of(variable: str, known: list[str]) -> str | None:
    """Return the role whose prefix a variable has, private (``__proxy_state``) or not, or None."""
    plain = variable.removeprefix("__")
    return max((role for role in known if plain.startswith(f"{role}_")), key=len, default=None)
