"""README, CONTRIBUTING and the pages of docs: their links lead somewhere, and the list of modules is complete."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    page
    for page in (
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("roles/*/README.md"),
        *ROOT.glob("benchmarks/*.md"),
        *ROOT.glob("examples/*/README.md"),
    )
    # Its links are those of the site, which .ci/docs builds.
    if "site" not in page.parts
)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def anchor(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def broken_links(page: Path) -> list[str]:
    """The relative links of a page whose file or heading does not exist."""
    broken = []
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, fragment = link.partition("#")
        target = page.parent / path if path else page
        if not target.exists() or (
            fragment and fragment not in {anchor(text) for text in _HEADING.findall(target.read_text(encoding="utf-8"))}
        ):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_links_of_a_page_lead_to_a_file_and_heading(page: Path) -> None:
    assert broken_links(page) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "# The `first` part\n[a](page.md#the-first-part) [b](gone.md) [c](#gone) [d](https://example.com)\n"
    )
    assert broken_links(page) == ["gone.md", "#gone"]


def documentation(module: Path) -> dict[str, Any]:
    blocks = (
        ast.literal_eval(node.value)
        for node in ast.parse(module.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "DOCUMENTATION"
    )
    found: dict[str, Any] = yaml.safe_load(next(blocks))
    return found


def test_the_readme_lists_every_module_with_its_short_description() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (.+) \|$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    modules = sorted((ROOT / "plugins/modules").glob("*.py"))
    assert listed == [(module.stem, documentation(module)["short_description"]) for module in modules]


def test_the_readme_lists_exactly_the_roles_that_the_playbook_runs() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(roles/\1/README\.md\)", (ROOT / "README.md").read_text(encoding="utf-8"), re.M)
    paths = [ROOT / "playbooks/deploy_staging.yml", *(ROOT / "playbooks/tasks").glob("*.yml")]
    called = {
        name
        for path in paths
        for name in re.findall(r"name: codeframe\.staging\.(\w+)", path.read_text(encoding="utf-8"))
    }
    assert sorted(listed) == sorted(called)


@pytest.mark.parametrize("module", sorted((ROOT / "plugins/modules").glob("*.py")), ids=lambda path: path.stem)
def test_all_documentation_of_a_module_is_yaml(module: Path) -> None:
    text = module.read_text(encoding="utf-8")
    blocks = dict(re.findall(r'^(DOCUMENTATION|EXAMPLES|RETURN) = r"""\n(.*?)^"""', text, re.MULTILINE | re.DOTALL))
    assert set(blocks) == {"DOCUMENTATION", "EXAMPLES", "RETURN"}
    for block in blocks.values():
        yaml.safe_load(block)


DOCUMENTED = sorted([*ROOT.glob("plugins/*/*.py"), *ROOT.glob("roles/*/meta/argument_specs.yml")])


@pytest.mark.parametrize("path", DOCUMENTED, ids=lambda path: str(path.relative_to(ROOT)))
def test_plugins_are_named_in_documentation_as_its_markup_requires(path: Path) -> None:
    """ansible-doc prints anything; the documentation site is not built from it."""
    text = path.read_text(encoding="utf-8")
    modules = re.findall(r"\bM\(([^)]+)\)", text)
    assert [name for name in modules if not re.fullmatch(r"\w+\.\w+\.\w+", name)] == []
    plugins = re.findall(r"\bP\(([^)]+)\)", text)
    assert [name for name in plugins if not re.fullmatch(r"\w+\.\w+\.\w+#\w+", name)] == []
