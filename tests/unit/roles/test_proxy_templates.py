"""The templates of the role proxy render a plan and nothing else."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import jinja2
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import site_inputs
from jinja2 import meta, nodes

TEMPLATES = Path(__file__).resolve().parents[3] / "roles/proxy/templates"


def parsed(name: str) -> nodes.Template:
    return jinja2.Environment().parse((TEMPLATES / name).read_text())  # noqa: S701 - no HTML


@pytest.mark.parametrize(("name", "variables"), [("site.conf.j2", {"__proxy_plan"}), ("macros.j2", {"inputs", "site"})])
def test_a_site_is_rendered_from_its_plan_alone(name: str, variables: set[str]) -> None:
    assert meta.find_undeclared_variables(parsed(name)) == variables


def test_every_input_in_a_site_is_validated() -> None:
    rendered = {
        node.attr
        for name in ("site.conf.j2", "macros.j2")
        for node in parsed(name).find_all(nodes.Getattr)
        if isinstance(node.node, nodes.Name) and node.node.name == "inputs"
    }
    assert {"tls_certificate", "connect_timeout"} < rendered
    assert rendered <= {field.name for field in fields(site_inputs.SiteInputs)} <= set(site_inputs._RULES)
