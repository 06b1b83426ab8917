# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reasons to build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.build_plan import (
    BuildRecord,
    Inputs,
    changed_chunks,
    read_record,
    reasons_to_build,
    sources_before_build,
)

INPUTS = Inputs(
    source={"package.json": "1", "app/page.js": "2", "tsconfig.json": "3"},
    lock="L",
    install_command=("npm", "ci"),
    build_command=("npm", "run", "build"),
    node_version="v20.1.0",
    env={"NEXT_PUBLIC_WS_URL": "e"},
    build_env={"BACKEND_PORT": "b"},
)
RECORD = BuildRecord(INPUTS, {"tsconfig.json": "3-rewritten"}, {"static/a.js": "x"}, "id", INPUTS.fingerprint())


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        pytest.param({}, [], id="nothing"),
        pytest.param({"env": {"NEXT_PUBLIC_WS_URL": "f"}}, ["NEXT_PUBLIC_WS_URL changed"], id="public-variable"),
        pytest.param({"env": {}}, ["NEXT_PUBLIC_WS_URL removed"], id="public-variable-removed"),
        pytest.param({"build_env": {"BACKEND_PORT": "b", "X": "1"}}, ["X added"], id="build-variable"),
        pytest.param({"lock": "M"}, ["lock file changed"], id="lock"),
        pytest.param({"node_version": "v22.0.0"}, ["Node.js is v22.0.0, the build was made with v20.1.0"], id="node"),
        pytest.param({"build_command": ("make",)}, ["build command changed"], id="build-command"),
        pytest.param({"install_command": ("make",)}, ["install command changed"], id="install-command"),
        pytest.param({"source_revision": "r2"}, ["source revision changed from none to r2"], id="revision"),
        pytest.param({"source": {**INPUTS.source, "app/page.js": "9"}}, ["source changed: app/page.js"], id="source"),
        pytest.param(
            {"source": {"package.json": "1"}}, ["source changed: app/page.js and 1 more"], id="source-removed"
        ),
        pytest.param({"source": {**INPUTS.source, "tsconfig.json": "3-rewritten"}}, [], id="rewritten-by-the-build"),
    ],
)
def test_reasons_to_build(changes: dict[str, Any], reasons: list[str]) -> None:
    assert reasons_to_build(RECORD, replace(INPUTS, **changes)) == reasons


@pytest.mark.parametrize(
    ("changes", "before"),
    [
        pytest.param({}, {}, id="as before the build"),
        pytest.param({"tsconfig.json": "3-rewritten", "made.ts": "new"}, {}, id="as after it"),
        pytest.param(
            {"tsconfig.json": "4", "made.ts": "5"}, {"tsconfig.json": "4", "made.ts": "5"}, id="changed since"
        ),
    ],
)
def test_what_a_build_changed_in_its_sources_is_told_apart(changes: dict[str, str], before: dict[str, str]) -> None:
    record = replace(RECORD, source_after={"tsconfig.json": "3-rewritten", "made.ts": "new"})
    assert sources_before_build(record, {**INPUTS.source, **changes}) == {**INPUTS.source, **before}


def test_without_a_record_the_build_is_made() -> None:
    assert reasons_to_build(None, INPUTS) == ["the build has no record of its inputs"]


def test_a_record_survives_writing_and_a_damaged_one_is_ignored() -> None:
    assert read_record(RECORD.to_json()) == RECORD
    for text in (
        "",
        "{}",
        "[]",
        "null",
        RECORD.to_json()[:-5],
        RECORD.to_json().replace('"version": 1', '"version": 99'),
    ):
        assert read_record(text) is None


def test_the_fingerprint_depends_on_each_input() -> None:
    others = [
        replace(INPUTS, lock="M"),
        replace(INPUTS, env={}),
        replace(INPUTS, source={}),
        replace(INPUTS, node_version=""),
    ]
    assert len({inputs.fingerprint() for inputs in [INPUTS, *others]}) == 5
    assert replace(INPUTS).fingerprint() == INPUTS.fingerprint()


def test_client_scripts_that_changed_after_the_build() -> None:
    assert changed_chunks(RECORD, {"static/a.js": "x"}) == []
    assert changed_chunks(RECORD, {}) == ["script static/a.js is missing"]
    assert changed_chunks(RECORD, {"static/a.js": "y", "static/b.js": "z"}) == [
        "script static/a.js was changed after the build, and 1 more differ"
    ]
