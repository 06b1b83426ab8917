"""The interface of each role: what argument_specs promises is what defaults do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
# In an expression or a condition; not the attribute of something, nor a name in a message.
SHARED_VARIABLE = re.compile(r"(\{[{%][^}]*|when: .*)(?<![.\w])staging_")
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def options_of(role: Path) -> dict[str, dict[str, Any]]:
    return dict(load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"])


def is_expression(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


def strip_expressions(value: object) -> object:
    """Render what a default says when no ``staging_*`` variable is set, or ``None`` where that needs a host."""
    env = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - values are no HTML
    try:
        return yaml.safe_load(env.from_string(str(value)).render())
    except jinja2.UndefinedError:
        return None
    except jinja2.TemplateError:
        return None


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_every_role_documents_its_interface(role: Path) -> None:
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    assert all(entry.get("short_description") for entry in specs.values())
    for name, option in options_of(role).items():
        assert name.startswith(f"{role.name}_"), f"{name} does not begin with the role's name"
        assert option.get("description"), f"{name} has no description"
        assert option.get("type"), f"{name} has no type"


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_every_default_is_an_option_and_every_option_has_its_default(role: Path) -> None:
    options, defaults = options_of(role), load(role / "defaults/main.yml")
    assert set(defaults) - set(options) == set(), "defaults without an option"
    without = {name for name, option in options.items() if "default" in option} - set(defaults)
    assert without == set(), "options whose default is not in defaults/main.yml"
    for name, option in options.items():
        if option.get("required"):
            assert "default" not in option, f"{name} is required and has a default"
            assert name not in defaults or is_expression(defaults[name]), (
                f"{name} is required; its default is a constant"
            )


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_documented_defaults_are_the_real_ones(role: Path) -> None:
    defaults = load(role / "defaults/main.yml")
    for name, option in options_of(role).items():
        if "default" not in option:
            continue
        real = defaults[name]
        if is_expression(real):
            real = strip_expressions(real)
            if real is None and option["default"] not in (None, ""):
                continue
        assert (real if real is not None else "") == option["default"], f"{name}: {real!r} is not {option['default']!r}"


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_every_entry_point_is_a_task_file(role: Path) -> None:
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    for name, entry in specs.items():
        assert (role / f"tasks/{name}.yml").is_file(), f"entry point {name} has no task file"
        assert all(option.get("description") for option in entry.get("options", {}).values())


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_only_defaults_read_the_shared_variables(role: Path) -> None:
    for path in [*role.glob("tasks/*.yml"), *role.glob("templates/*"), *role.glob("vars/*.yml")]:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            assert SHARED_VARIABLE.search(line) is None, f"{path.name}:{number} reads a shared variable"


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_every_role_has_a_readme_that_names_its_options(role: Path) -> None:
    readme = (role / "README.md").read_text(encoding="utf-8")
    missing = [name for name in options_of(role) if name not in readme]
    assert missing == []


def test_every_shared_variable_is_documented_with_the_roles_that_read_it() -> None:
    rows = {
        match[1]: line
        for line in (ROOT / "docs/variables.md").read_text(encoding="utf-8").splitlines()
        if (match := re.match(r"\| `(staging_\w+)` \|", line))
    }
    for role in ROLES:
        for variable in set(re.findall(r"staging_[a-z_]+\w", (role / "defaults/main.yml").read_text(encoding="utf-8"))):
            assert variable in rows, f"{variable}, which {role.name} reads, is not in docs/variables.md"
            assert role.name in rows[variable].rsplit("|", 2)[1], (
                f"{variable}: docs/variables.md leaves out {role.name}"
            )
