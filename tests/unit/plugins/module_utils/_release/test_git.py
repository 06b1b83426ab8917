# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How the output of git is read; the module's tests run git itself."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.git import choose_reference


@pytest.mark.parametrize(
    ("listing", "commit"),
    [
        pytest.param("b\trefs/heads/v1\n", "b", id="branch"),
        pytest.param("b\trefs/heads/v1\nt\trefs/tags/v1\n", "t", id="tag-before-branch"),
        pytest.param("t\trefs/tags/v1\nc\trefs/tags/v1^{}\n", "c", id="annotated"),
        pytest.param("x\trefs/heads/feature/v1\n", None, id="tail-of-another-branch"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_the_reference_of_a_version(listing, commit):
    assert choose_reference(listing, "v1") == commit
