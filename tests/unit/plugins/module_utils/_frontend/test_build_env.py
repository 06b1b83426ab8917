# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables by which frameworks and task runners build as they do where the application is developed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.build_env import build_variables

ALWAYS = {"NODE_ENV": "production", "TURBO_FORCE": "true", "NX_SKIP_NX_CACHE": "true"}


@pytest.mark.parametrize(
    ("package", "more"),
    [
        pytest.param({}, {}, id="any"),
        pytest.param({"dependencies": {"next": "16"}}, {}, id="next"),
        pytest.param({"dependencies": {"react-scripts": "5"}}, {"CI": "false"}, id="create-react-app"),
        pytest.param({"devDependencies": {"react-scripts": "5"}}, {"CI": "false"}, id="for-development"),
    ],
)
def test_the_variables_of_a_build(package: dict[str, Any], more: dict[str, str]) -> None:
    assert build_variables(package) == {**ALWAYS, **more}
