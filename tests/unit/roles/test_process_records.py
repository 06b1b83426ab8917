# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process definitions of the roles and the schema under which ``release`` stores them name the same fields."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.module_utils._release.manifest import (
    BACKEND_PROCESS,
    FRONTEND_PROCESS,
    RECORDS,
)
from ansible_collections.codeframe.staging.plugins.modules import release

ROLES = Path(__file__).parents[3] / "roles"


@pytest.mark.parametrize(("role", "schema"), [("backend", BACKEND_PROCESS), ("frontend", FRONTEND_PROCESS)])
def test_a_process_definition_has_the_fields_of_its_schema(role, schema):
    variables = yaml.safe_load((ROLES / role / "vars/main.yml").read_text())
    assert sorted(variables[f"__{role}_definition"]) == sorted(schema)


def test_the_module_documents_the_records_of_the_schema():
    documented = yaml.safe_load(release.DOCUMENTATION)["options"]["records"]["suboptions"]
    # What backend_hook stores itself.
    assert sorted(documented) == sorted(set(RECORDS) - {"backend_after_activation"})
