"""Names of tasks and entry points: an imperative verb and its object, short and in plain terms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from role_files import PLAYBOOKS, ROOT, files_of, load, roles, tasks_in

MOST = 60
"""Characters that a name must stay below, so that it fits a line of the output beside the role."""
# Words that say nothing of what is done, and the terms of the style that they stand for.
FORBIDDEN = re.compile(
    r"^(Keep|Say|Let|Remember|Be sure|Have|Look|See|Put|Give|Bring|Switch)\b|\bways? back\b|\bformer\b"
)
ROLES = roles()
NAMES = [
    pytest.param(task["name"], path, id=f"{path.relative_to(ROOT)}: {task['name']}")
    for owner in [*ROLES, PLAYBOOKS]
    for path in files_of(owner)
    if path.parent.name in ("tasks", PLAYBOOKS)
    for task in tasks_in(load(path))
    if "name" in task
]


@pytest.mark.parametrize(("name", "path"), NAMES)
def test_the_name_of_a_task_is_short_and_begins_with_a_verb_that_says_what_is_done(name: str, path: Path) -> None:
    prefix, _, action = name.rpartition(" | ")
    assert len(name) < MOST, f"{len(name)} characters"
    assert action[0].isupper(), "an imperative begins with a capital letter"
    assert not FORBIDDEN.search(action), "not in the field's terms"
    assert not action.endswith(".")
    assert prefix in ("", path.stem), "the prefix is the name of the file"


@pytest.mark.parametrize("role", [role for role in ROLES if (ROOT / "roles" / role / "tasks").is_dir()])
def test_entry_points_are_described_in_one_short_line(role: str) -> None:
    specs = load(ROOT / f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    readme = (ROOT / f"roles/{role}/README.md").read_text(encoding="utf-8")
    for name, entry in specs.items():
        described = entry["short_description"]
        assert len(described) < 80, described
        assert not FORBIDDEN.search(described), described
        if len(specs) > 1:
            assert f"| `{name}` | {described} |" in readme


def test_the_scenarios_wait_for_tasks_that_exist() -> None:
    """A scenario that reads the output for a task of an earlier name fails after minutes."""
    names = {str(each.values[0]) for each in NAMES}
    awaited = {
        found
        for path in [*ROOT.glob("molecule/*/tests/*.py"), *ROOT.glob("benchmarks/*.py")]
        for found in re.findall(r"\"TASK \[(?:codeframe\.staging\.\w+ : )?([^\"\]]+)", path.read_text(encoding="utf-8"))
    }
    assert awaited
    assert [each for each in awaited if not any(name.startswith(each) for name in names)] == []
