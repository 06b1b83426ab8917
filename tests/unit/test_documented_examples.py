"""The examples of the README and of the pages: inventories pass preflight, and what they name exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.kinds import KINDS
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.causes import Cause
from documentation_blocks import ROOT, Block, blocks

PAGES = sorted(
    page
    for page in (ROOT / "README.md", *ROOT.glob("docs/**/*.md"), *ROOT.glob("roles/*/README.md"))
    if "site" not in page.parts and "decisions" not in page.parts
)
# Of these two, everything between them: ``-i inventory.yml deploy-staging.yml`` as well.
_PLAYBOOK = re.compile(r"ansible-playbook (?:\S+ )*?(?<!-i )([\w.-]+\.yml|codeframe\.staging\.\w+)")
_MODULE = re.compile(r"-m codeframe\.staging\.(\w+)")


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def inventories() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Each complete inventory: a block of YAML with the group ``staging``."""
    for page in PAGES:
        for block in blocks(text_of(page)):
            if block.language == "yaml" and re.search(r"^staging:$", block.text, re.MULTILINE):
                yield page, yaml.safe_load(block.text)["staging"]


def hosts_of(group: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The variables ``staging_*`` of each group that has hosts."""
    if "hosts" in group:
        yield {name: value for name, value in group.get("vars", {}).items() if name.startswith("staging_")}
    for child in group.get("children", {}).values():
        yield from hosts_of(child)


def test_the_inventory_of_the_readme_is_one_that_is_checked() -> None:
    pages = [page for page, _group in inventories()]
    assert ROOT / "README.md" in pages
    assert len(pages) >= 3


@pytest.mark.parametrize(
    ("page", "given"), [(page, given) for page, group in inventories() for given in hosts_of(group)]
)
def test_a_documented_inventory_passes_preflight(page: Path, given: dict[str, Any]) -> None:
    assert [finding.sentence for finding in check_inputs(given)] == [], page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_yaml_of_a_page_can_be_read_and_its_variables_exist(page: Path) -> None:
    text = text_of(page)
    for block in blocks(text):
        if block.language == "yaml":
            yaml.safe_load(block.text)
    assert {
        name for name in re.findall(r"\bstaging_[a-z0-9_]+[a-z0-9]\b(?!\.yml|\*|/)", text) if is_input(name)
    } <= set(KINDS)


def is_input(name: str) -> bool:
    """Whether a name is meant as a variable; playbooks and the rest of a longer name are not."""
    return not (ROOT / "playbooks" / f"{name}.yml").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_playbooks_and_modules_that_a_reader_types_exist(page: Path) -> None:
    typed = [block for block in blocks(text_of(page)) if block.language in {"shell", "console", ""}]
    inline = [Block("shell", found) for found in re.findall(r"`((?:ansible|ansible-playbook) [^`]+)`", text_of(page))]
    for block in (*typed, *inline):
        for playbook in _PLAYBOOK.findall(block.text):
            name = playbook.removeprefix("codeframe.staging.")
            place = ROOT / name if name.endswith(".yml") else ROOT / "playbooks" / f"{name}.yml"
            assert place.exists(), f"{page}: {playbook}"
        for module in _MODULE.findall(block.text):
            assert (ROOT / "plugins/modules" / f"{module}.py").exists(), f"{page}: {module}"


@pytest.mark.source
def test_the_causes_that_the_manual_procedure_is_answered_with_exist() -> None:
    text = text_of(ROOT / "docs/coming-from-the-manual-procedure.md")
    rows = re.findall(r"^\| \*\*Causes in the verdict\*\* \| (.+) \|$", text, re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert len(rows) == 4
    assert named <= {cause.value for cause in Cause}
