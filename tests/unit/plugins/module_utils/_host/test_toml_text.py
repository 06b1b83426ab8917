# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of a TOML document."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.toml_text import table_of, text_in

_DOCUMENT = """\
top = "1"

[project]  # of the package
name = "app"
dependencies = [
  "a",
]
[ tool . uv ]
name = 'uv'
[[source]]
name = "index"
[empty]
"""


@pytest.mark.parametrize(
    ("table", "text"),
    [("", "1"), ("project", "app"), ("tool.uv", "uv"), ("source", "index"), ("empty", ""), ("absent", "")],
)
def test_a_setting_is_that_of_its_table(table: str, text: str) -> None:
    assert text_in(_DOCUMENT, table, "name" if table else "top") == text


def test_an_empty_table_differs_from_one_that_is_not_there() -> None:
    assert table_of(_DOCUMENT, "empty") is not None
    assert table_of(_DOCUMENT, "absent") is None
