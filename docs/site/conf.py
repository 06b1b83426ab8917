# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx settings of the documentation site, which .ci/docs builds from a copy of the pages of this repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes

HERE = Path(__file__).resolve().parent
GALAXY = yaml.safe_load((HERE / "galaxy.yml").read_text(encoding="utf-8"))

project = f"{GALAXY['namespace']}.{GALAXY['name']}"
author = "The codeframe.staging contributors"
version = release = GALAXY["version"]
html_title = f"{project} {release}"
project_copyright = author

extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "index"
exclude_patterns: list[str] = []
myst_enable_extensions = ["colon_fence"]
# Anchors are those of GitHub, where the same pages are read.
myst_heading_anchors = 4
nitpicky = True
highlight_language = "text"
# Jinja in YAML, and nginx with "..." in place of directives.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_theme_options = {"source_repository": GALAXY["repository"], "source_branch": "main", "source_directory": ""}

_LINK = re.compile(r"(?<!!)\]\(([^)\s#]+)(#[^)\s]*)?\)")


def link_to_repository(_app: object, page: str, content: list[str]) -> None:
    """Let a link to a file that is no page of the site lead to the repository."""
    directory = (HERE / page).parent

    def target(found: re.Match[str]) -> str:
        path = found[1]
        if re.match(r"[a-z]+:", path):
            return found[0]
        there = (directory / path).resolve()
        if there.suffix == ".md" and there.exists():
            return found[0]
        kind = "tree" if path.endswith("/") else "blob"
        return f"]({GALAXY['repository']}/{kind}/main/{there.relative_to(HERE)}{found[2] or ''})"

    content[0] = _LINK.sub(target, content[0])


ANSIBLE = "https://docs.ansible.com/ansible/latest/"
ANSIBLE_PAGES = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "callback_plugins": "plugins/callback.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def list_other_pages(_app: object, page: str, content: list[str]) -> None:
    """Put the pages of docs that the first page of the site does not name where it says OTHER PAGES."""
    if page == root_doc:
        names = sorted(f"docs/{path.stem}" for path in (HERE / "docs").glob("*.md"))
        others = [name for name in names if not re.search(rf"^{name}$", content[0], re.MULTILINE)]
        content[0] = content[0].replace("OTHER PAGES", "\n".join(others))


def link_to_ansible(_app: object, _env: object, node: nodes.Element, content: nodes.Node) -> nodes.reference | None:
    """Resolve what the generated reference refers to in Ansible's own documentation."""
    target = str(node["reftarget"])
    builtin = re.fullmatch(r"ansible_collections\.ansible\.builtin\.(\w+)", target)
    if builtin:
        page = f"collections/ansible/builtin/{builtin[1]}.html"
    elif node["reftype"] == "envvar" and target.startswith("ANSIBLE_"):
        page = f"reference_appendices/config.html#envvar-{target}"
    elif target in ANSIBLE_PAGES:
        page = ANSIBLE_PAGES[target]
    else:
        return None
    return nodes.reference("", "", content, refuri=ANSIBLE + page, internal=False)


def setup(app: Any) -> None:
    """Connect the functions above with Sphinx."""
    app.connect("source-read", link_to_repository)
    app.connect("source-read", list_other_pages)
    app.connect("missing-reference", link_to_ansible)
