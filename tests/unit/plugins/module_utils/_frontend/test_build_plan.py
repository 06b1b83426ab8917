"""Reasons to install and to build."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.build_plan import (
    BuildError,
    Inputs,
    Record,
    changed_chunks,
    compiler_message,
    manager_for,
    read_record,
    reasons_to_build,
    reasons_to_install,
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
RECORD = Record(INPUTS, {"tsconfig.json": "3-rewritten"}, {"static/a.js": "x"}, "id", INPUTS.fingerprint())


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
def test_reasons_to_build_in_words(changes: dict[str, Any], reasons: list[str]) -> None:
    assert reasons_to_build(RECORD, replace(INPUTS, **changes)) == reasons


def test_without_a_record_the_build_is_made() -> None:
    assert reasons_to_build(None, INPUTS) == ["the build has no record of what it was made from"]


def test_a_record_survives_being_written_and_damage_is_noticed() -> None:
    assert read_record(RECORD.to_json()) == RECORD
    for text in (
        "",
        "{}",
        "[]",
        "null",
        RECORD.to_json()[:-5],
        RECORD.to_json().replace('"schema": 1', '"schema": 99'),
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
    assert changed_chunks(RECORD, {}) == ["client script static/a.js is missing"]
    assert changed_chunks(RECORD, {"static/a.js": "y", "static/b.js": "z"}) == [
        "client script static/a.js was changed after the build, and 1 more differ"
    ]


LOCK = {
    "packages": {
        "": {"name": "app"},
        "node_modules/next": {"version": "16.0.0", "integrity": "sha512-a"},
        "node_modules/@x/darwin": {"version": "1.0.0", "optional": True},
    }
}
INSTALLED = {"packages": {"node_modules/next": {"version": "16.0.0", "integrity": "sha512-a"}}}


@pytest.mark.parametrize(
    ("installed", "present", "reason"),
    [
        pytest.param(INSTALLED, {"node_modules/next"}, "", id="as-locked"),
        pytest.param(INSTALLED, set(), "node_modules is incomplete: next is missing", id="directory-gone"),
        pytest.param({"packages": {}}, set(), "next is not installed", id="not-installed"),
        pytest.param(
            {"packages": {"node_modules/next": {"version": "15.0.0"}}},
            {"node_modules/next"},
            "next is 15.0.0 instead of 16.0.0",
            id="another-version",
        ),
        pytest.param(
            {"packages": {**INSTALLED["packages"], "node_modules/z": {}}},
            {"node_modules/next"},
            "z is not in it",
            id="extra",
        ),
        pytest.param({}, set(), "does not say what was installed", id="no-record-of-npm"),
    ],
)
def test_reasons_to_install(installed: dict[str, Any], present: set[str], reason: str) -> None:
    found = reasons_to_install(LOCK, installed, present)
    assert (found == []) if not reason else found[0].endswith(reason)


@pytest.mark.parametrize(
    ("files", "package", "command"),
    [
        (["package-lock.json"], {}, "npm ci --include=dev --no-audit --no-fund"),
        (["npm-shrinkwrap.json", "yarn.lock"], {}, "npm ci --include=dev --no-audit --no-fund"),
        (["pnpm-lock.yaml"], {}, "pnpm install --frozen-lockfile --prod=false"),
        (["yarn.lock"], {}, "yarn install --frozen-lockfile --production=false"),
        (["yarn.lock"], {"packageManager": "yarn@1.22.22"}, "yarn install --frozen-lockfile --production=false"),
        (["yarn.lock"], {"packageManager": "yarn@4.1.0"}, "yarn install --immutable"),
        (["yarn.lock", ".yarnrc.yml"], {}, "yarn install --immutable"),
    ],
)
def test_the_lock_file_names_the_package_manager(files: list[str], package: dict[str, Any], command: str) -> None:
    assert " ".join(manager_for(files, package).install_command) == command


def test_no_lock_file_is_refused() -> None:
    with pytest.raises(BuildError, match="there is no lock file; expected package"):
        manager_for(["package.json"], {})


def test_the_compilers_own_message_is_picked() -> None:
    output = (
        "> web@1.0.0 build\n> next build\n\n   Creating an optimized production build ...\n"
        "\x1b[31mFailed to compile.\x1b[39m\n\n./app/page.tsx:3:7\nType error: Type 'string' is not assignable\n\n"
        "npm error Lifecycle script `build` failed with error:\nnpm error code 1\nnpm error path /srv/app\n"
    )
    assert compiler_message(output) == [
        "Failed to compile.",
        "./app/page.tsx:3:7",
        "Type error: Type 'string' is not assignable",
    ]
    assert compiler_message("a\nb\nc\n", limit=2) == ["b", "c"]
    assert compiler_message("") == []
