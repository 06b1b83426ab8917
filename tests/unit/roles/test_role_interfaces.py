"""The interface of each role: what argument_specs promises is what defaults do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.kinds import KINDS

ROOT = Path(__file__).resolve().parents[3]
# In an expression or a condition; not the attribute of something, nor a name in a message.
SHARED_VARIABLE = re.compile(r"(\{[{%][^}]*|when: .*)(?<![.\w])staging_")
SHARED: dict[str, Any] = dict(yaml.safe_load((ROOT / "roles/settings/defaults/main.yml").read_text(encoding="utf-8")))
ROLES = sorted(path.parent.parent for path in ROOT.glob("roles/*/meta/argument_specs.yml"))


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}


def options_of(role: Path) -> dict[str, dict[str, Any]]:
    return dict(load(role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"])


def is_expression(value: object) -> bool:
    return isinstance(value, str) and "{{" in value


def strip_expressions(value: object, kind: str = "") -> object:
    """Render what a default says when no ``staging_*`` variable is set, or ``None`` where that needs a host.

    :param kind: Type of the option; a text stays one even if it is JSON.
    """
    env = jinja2.Environment(undefined=jinja2.StrictUndefined)  # noqa: S701 - values are no HTML
    try:
        text = env.from_string(resolved(value)).render()
        return text if kind == "str" else yaml.safe_load(text)
    except jinja2.UndefinedError:
        return None
    except jinja2.TemplateError:
        return None


def resolved(value: object) -> str:
    """Put the text of a shared default in the place of its name."""
    text = str(value)
    while (shared := re.fullmatch(r"\{\{ (settings_\w+) \}\}", text)) is not None:
        text = str(SHARED[shared[1]])
    return text


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_every_role_documents_its_interface(role: Path) -> None:
    specs = load(role / "meta/argument_specs.yml")["argument_specs"]
    assert all(entry.get("short_description") for entry in specs.values())
    without = [name for name, entry in specs.items() if not entry.get("description")]
    assert without == [], "entry points without a description"
    for name, option in options_of(role).items():
        assert name.startswith(f"{role.name}_"), f"{name} does not begin with the role's name"
        assert option.get("description"), f"{name} has no description"
        assert option.get("type"), f"{name} has no type"


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_nothing_in_an_interface_is_a_template(role: Path) -> None:
    """Ansible renders all of it before each role, descriptions too, also where the variable in one is not defined."""
    assert not re.search(r"\{[{%]", (role / "meta/argument_specs.yml").read_text(encoding="utf-8"))


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
            real = strip_expressions(real, option["type"])
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


def shared_variables() -> dict[str, tuple[str, str]]:
    """Default and readers of every variable in the tables of docs/variables.md."""
    rows = re.findall(
        r"^\| `(staging_\w+)` \| ([^|]*) \|[^|]*\| ([^|]*) \|$", (ROOT / "docs/variables.md").read_text("utf-8"), re.M
    )
    assert len(rows) == len({name for name, _default, _readers in rows}), "a variable is listed twice"
    return {name: (default.strip(), readers) for name, default, readers in rows}


def readers_of(variable: str) -> set[str]:
    """Return the roles whose defaults read a variable, by themselves or through the shared defaults."""
    names, grown = {variable}, True
    while grown:
        named = re.compile(rf"\b({'|'.join(names)})\b")
        more = {shared for shared, value in SHARED.items() if named.search(str(value))}
        grown, names = not more <= names, names | more
    return {role.name for role in ROLES if named.search((role / "defaults/main.yml").read_text(encoding="utf-8"))}


def test_every_shared_variable_is_documented_with_the_roles_that_read_it_and_no_others() -> None:
    documented = {name: set(readers.split(", ")) for name, (_default, readers) in shared_variables().items()}
    read = {
        variable
        for path in ROOT.glob("roles/*/defaults/main.yml")
        for variable in re.findall(r"staging_[a-z0-9_]+\w", path.read_text(encoding="utf-8"))
    }
    # What no role reads is there for preflight alone, which judges all of them.
    assert documented == {name: readers_of(name) or {"preflight"} for name in {*documented, *read}}


def test_preflight_judges_only_variables_that_are_documented() -> None:
    sources = [ROOT / "plugins/modules/preflight_info.py", *ROOT.glob("plugins/module_utils/_preflight/*.py")]
    code = "".join(path.read_text(encoding="utf-8") for path in sources)
    assert set(re.findall(r"staging_[a-z0-9_]+\w", code)) - set(shared_variables()) == set()


def test_the_documented_default_of_a_shared_variable_is_the_real_one() -> None:
    compared = set()
    texts = [resolved(value) for role in ROLES for value in load(role / "defaults/main.yml").values()]
    for variable, (shown, _readers) in shared_variables().items():
        literal = re.fullmatch(r"`([^`]*)`|", shown)
        for text in texts:
            given = re.fullmatch(rf"\{{\{{ {variable} \| default\((.*)\) \}}\}}", text)
            rendered = strip_expressions(text) if given else None
            if literal is not None and rendered is not None and "Undefined" not in str(rendered):
                expected = yaml.safe_load(literal[1] or "''")
                # Nothing is shown for a dictionary or a list that is empty either.
                assert rendered == expected or not (rendered or expected), f"{variable}: {rendered!r}"
                compared.add(variable)
    assert len(compared) > 30


def test_a_variable_that_is_said_to_be_required_is_missed_by_preflight() -> None:
    required = {name for name, (shown, _readers) in shared_variables().items() if shown == "**required**"}
    missed = {item.variable for item in check_inputs({"staging_source_type": "in_place"}) if item.name == "missing"}
    assert required == missed


def test_preflight_takes_for_each_shared_variable_what_its_roles_take() -> None:
    taken: dict[str, set[tuple[str, tuple[str, ...]]]] = {}
    empty: dict[str, set[str]] = {}
    # What preflight itself is told is judged by Ansible when the run begins.
    for role in [role for role in ROLES if role.name != "preflight"]:
        options = options_of(role)
        for name, value in load(role / "defaults/main.yml").items():
            given = re.match(r"\{\{ (staging_\w+)( \| default\((?P<default>.*)\)(?P<or>.*))? \}\}\Z", resolved(value))
            if given:
                option = options[name]
                taken.setdefault(given[1], set()).add((option["type"], tuple(sorted(option.get("choices", ())))))
                meaning = "unset" if given["default"] == "'', true" else "none" if given["or"] else ""
                empty.setdefault(given[1], set()).add(meaning)
    judged = {name: {(kind.type, tuple(sorted(kind.choices)))} for name, kind in KINDS.items() if name in taken}
    assert judged == taken
    # An empty text, null included, is a value where the role says so; elsewhere it is a mistake.
    assert {name: {kind.empty} for name, kind in KINDS.items() if name in taken} == empty
    assert set(shared_variables()) == set(KINDS)


#: Inputs without a variable of the user's: what a playbook passes on, and what follows from other inputs.
NO_VARIABLE = {
    "backend_env_dir": "the project directory",
    "frontend_source_revision": "names a result of the role release, which exists only when the role runs",
    "preflight_node": "the program that the role runtime installs",
    "release_lock_step": "the playbook's own estimate",
    "websocket_verify_origin": "follows from the URL of the page",
    "websocket_verify_path": "follows from the URL of the WebSocket",
}


def passed_by_playbooks() -> set[str]:
    texts = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("playbooks/**/*.yml"))
    return set(re.findall(r"^\s+(\w+): ", texts, re.M))


@pytest.mark.parametrize("role", [pytest.param(role, id=role.name) for role in ROLES])
def test_every_input_that_a_user_needs_has_a_variable(role: Path) -> None:
    defaults = load(role / "defaults/main.yml")
    own = {name: resolved(value) for name, value in defaults.items()}
    without = {
        name
        for name in options_of(role)
        if "staging_" not in own.get(name, "") and "settings_" not in own.get(name, "")
    }
    listed = {name for name in NO_VARIABLE if name in options_of(role)}
    assert without - passed_by_playbooks() - listed == set()
    assert listed - without == set(), "listed although they have a variable"
