"""What the scripts of an application read and make in an installation."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.install_scripts import (
    inputs_of_scripts,
    steps_of,
)

SOURCE = {"app.js": "1", "patches/next+16.patch": "2", "prisma/schema.prisma": "3", "src/generated/client.js": "4"}


@pytest.mark.parametrize(
    ("package", "steps"),
    [
        pytest.param({}, (), id="none"),
        pytest.param({"scripts": {"build": "next build", "test": "vitest"}}, (), id="no script of an installation"),
        pytest.param({"scripts": {"prepare": "husky || true"}}, (), id="hooks of git"),
        pytest.param({"scripts": {"prepare": "svelte-kit sync || echo ''"}}, (), id="as SvelteKit makes it"),
        pytest.param({"scripts": {"postinstall": "nuxt prepare"}}, (), id="as Nuxt makes it"),
        pytest.param({"scripts": {"preinstall": "npx only-allow pnpm"}}, (), id="only one package manager"),
        pytest.param({"scripts": {"postinstall": "patch-package"}}, ("patch-package",), id="patches"),
        pytest.param({"scripts": {"postinstall": "npx --yes prisma generate"}}, ("prisma generate",), id="by npx"),
        pytest.param({"dependencies": {"@prisma/client": "6.0.0"}}, ("prisma generate",), id="by the client of Prisma"),
        pytest.param(
            {"scripts": {"postinstall": "npm run generate", "generate": "A=1 node gen.js && patch-package"}},
            ("node gen.js", "patch-package"),
            id="by another script",
        ),
        pytest.param({"scripts": {"prepare": "yarn build", "build": "tsc -p ."}}, ("tsc -p .",), id="by yarn"),
        pytest.param({"scripts": {"prepare": "npm run prepare"}}, ("run prepare",), id="by itself"),
        pytest.param({"scripts": ["odd"]}, (), id="no object"),
    ],
)
def test_the_steps_that_have_an_effect(package: dict[str, Any], steps: tuple[str, ...]) -> None:
    assert steps_of(package) == steps


def _inputs(script: str, **changed: str) -> str:
    packages = {".": {"scripts": {"postinstall": script}}, "docs": {}}
    return inputs_of_scripts(packages, {**SOURCE, **changed}, {"src/generated/client.js"})


@pytest.mark.parametrize(
    ("script", "read"),
    [
        ("husky", set()),
        ("patch-package", {"patches/next+16.patch"}),
        ("prisma generate", {"prisma/schema.prisma"}),
        ("patch-package && prisma generate", {"patches/next+16.patch", "prisma/schema.prisma"}),
        ("patch-package --patch-dir other", {"app.js", "patches/next+16.patch", "prisma/schema.prisma"}),
        ("tsc -p .", {"app.js", "patches/next+16.patch", "prisma/schema.prisma"}),
    ],
)
def test_only_what_the_scripts_read_is_an_input(script: str, read: set[str]) -> None:
    assert {name for name in SOURCE if _inputs(script, **{name: "other"}) != _inputs(script)} == read


def test_another_script_is_another_input() -> None:
    assert _inputs("tsc -p .") != _inputs("tsc -p . --strict")
    assert _inputs("husky") == ""


@pytest.mark.parametrize(
    ("place", "read"),
    [
        ("packages/ui", {"packages/ui/a.ts"}),
        (".", {"packages/ui/a.ts", "apps/web/b.ts"}),
        ("../shared", {"../shared/c.ts"}),
    ],
)
def test_a_script_reads_the_directory_of_its_package(place: str, read: set[str]) -> None:
    source = dict.fromkeys(("packages/ui/a.ts", "apps/web/b.ts", "../shared/c.ts"), "1")
    packages = {place: {"scripts": {"prepare": "tsc"}}}
    before = inputs_of_scripts(packages, source, ())
    assert {name for name in source if inputs_of_scripts(packages, {**source, name: "2"}, ()) != before} == read
