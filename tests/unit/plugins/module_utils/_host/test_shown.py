# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of files that are not UTF-8 can be part of a result."""

from __future__ import annotations

import os

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.shown import shown, shown_result


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("app.db", "app.db"),
        ("caf\u00e9", "caf\u00e9"),
        (os.fsdecode(b"caf\xe9"), "caf\\xe9"),
        (os.fsdecode(b"\xff\xfe\xc3\xa9"), "\\xff\\xfe\u00e9"),
        ("\ud800", "\\ud800"),
    ],
)
def test_bytes_that_are_not_utf_8_become_escapes(name: str, expected: str) -> None:
    assert shown(name) == expected
    assert shown_result({"names": (name,), name: [{"name": name}], "number": 1}) == {
        "names": [expected],
        expected: [{"name": expected}],
        "number": 1,
    }
