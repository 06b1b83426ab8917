# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The names of public variables."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.public_env import (
    public_prefixes,
    with_prefixes,
)


@pytest.mark.parametrize(
    ("package", "prefix"),
    [
        pytest.param({}, "NEXT_PUBLIC_", id="unknown"),
        pytest.param({"dependencies": {"next": "1"}, "devDependencies": {"vite": "1"}}, "NEXT_PUBLIC_", id="next"),
        pytest.param({"devDependencies": {"vite": "1"}}, "VITE_", id="vite"),
        pytest.param({"devDependencies": {"vite": "1", "@sveltejs/kit": "1"}}, "PUBLIC_", id="sveltekit"),
        pytest.param({"dependencies": {"react-scripts": "1"}}, "REACT_APP_", id="create-react-app"),
        pytest.param({"dependencies": {"@angular/core": "1"}, "devDependencies": None}, "NG_APP_", id="angular"),
        pytest.param({"dependencies": {"nuxt": "1"}}, "VITE_ NUXT_PUBLIC_", id="nuxt"),
        pytest.param({"dependencies": {"@angular/core": "1", "@analogjs/platform": "1"}}, "VITE_", id="analog"),
        pytest.param({"dependencies": {"@solidjs/start": "1"}}, "VITE_", id="solid-start"),
        pytest.param({"devDependencies": {"vitepress": "1"}}, "VITE_", id="vitepress"),
        pytest.param({"devDependencies": {"@builder.io/qwik-city": "1", "vite": "1"}}, "PUBLIC_", id="qwik-city"),
        pytest.param({"devDependencies": {"@rsbuild/core": "1"}}, "PUBLIC_", id="rsbuild"),
        pytest.param({"devDependencies": {"@qwik.dev/router": "2", "vite": "1"}}, "PUBLIC_", id="qwik-router"),
        pytest.param({"dependencies": {"@umijs/max": "4"}}, "UMI_APP_", id="umi"),
        pytest.param({"devDependencies": {"preact-cli": "3"}}, "PREACT_APP_", id="preact-cli"),
        pytest.param({"dependencies": {"vinxi": "0", "@tanstack/start": "1"}}, "VITE_", id="tanstack-start"),
        pytest.param({"dependencies": {"expo": "1"}}, "EXPO_PUBLIC_", id="expo"),
        pytest.param({"dependencies": {"waku": "1", "vite": "1"}}, "WAKU_PUBLIC_", id="waku"),
        pytest.param(
            {"dependencies": {"@remix-run/react": "1"}, "devDependencies": {"vite": "1"}}, "VITE_", id="remix"
        ),
    ],
)
def test_prefix(package: dict[str, Any], prefix: str) -> None:
    assert public_prefixes(package) == tuple(prefix.split())


def test_variables_of_other_names_stay() -> None:
    given = {"NEXT_PUBLIC_WS_URL": "a", "OTHER": "b"}
    assert with_prefixes(given, ["VITE_"]) == {**given, "VITE_WS_URL": "a"}
    assert with_prefixes({**given, "VITE_WS_URL": "c"}, ["VITE_"]) == {**given, "VITE_WS_URL": "c"}
    assert with_prefixes(given, ["NEXT_PUBLIC_"]) == given
    two = {**given, "VITE_WS_URL": "a", "NUXT_PUBLIC_WS_URL": "a"}
    assert with_prefixes(given, ["VITE_", "NUXT_PUBLIC_"]) == two
