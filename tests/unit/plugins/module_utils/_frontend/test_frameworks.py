# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The framework of a page, and where it puts what it builds."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.frameworks import exports_pages, framework_of
from application_shapes import SHAPES, Shape


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ({"dependencies": {"next": "16"}, "devDependencies": {"vite": "7"}}, "Next.js"),
        ({"devDependencies": {"@sveltejs/kit": "2", "vite": "7"}}, "SvelteKit"),
        ({"devDependencies": {"@react-router/dev": "7", "vite": "7"}}, "React Router"),
        ({"devDependencies": {"vite": "7"}}, "Vite"),
        ({"devDependencies": {"vite": "7", "vitepress": "1"}}, "VitePress"),
        ({"dependencies": {"@angular/core": "20"}}, "Angular"),
        ({"dependencies": {"@angular/core": "20", "@angular/ssr": "20"}}, ""),
        ({"dependencies": {"@angular/core": "20", "@ionic/angular": "8"}}, "Ionic"),
        ({"devDependencies": {"vite": "7", "@tanstack/react-start": "1"}}, ""),
        ({"dependencies": {"@docusaurus/core": "3"}}, "Docusaurus"),
        ({"dependencies": {"express": "5"}}, ""),
        ({}, ""),
    ],
)
def test_the_framework(package: dict[str, Any], name: str) -> None:
    assert framework_of(package).name == name


@pytest.mark.parametrize(
    ("names", "server"),
    [
        (["next"], True),
        (["vite"], False),
        (["astro", "vite"], False),
        (["astro", "@astrojs/node"], True),
        (["@sveltejs/kit", "@sveltejs/adapter-static"], False),
        (["@sveltejs/kit", "@sveltejs/adapter-static", "@sveltejs/adapter-node"], True),
        (["@sveltejs/kit", "@sveltejs/adapter-static", "svelte-adapter-bun"], True),
        (["@sveltejs/kit", "@sveltejs/adapter-auto"], True),
        (["@react-router/dev", "@react-router/serve"], True),
        (["@react-router/dev", "express"], False),
    ],
)
def test_whether_its_build_has_a_server(names: list[str], server: bool) -> None:
    found = framework_of({"dependencies": dict.fromkeys(names, "1")})
    assert found.server is server


@pytest.mark.parametrize(
    ("adapters", "problem"),
    [
        (["auto"], True),
        (["auto", "node"], False),
        (["auto", "static"], False),
        (["auto", "vercel"], False),
        ([], False),
    ],
)
def test_an_adapter_that_makes_nothing_is_a_problem(adapters: list[str], problem: bool) -> None:
    names = ["@sveltejs/kit", *(f"@sveltejs/adapter-{each}" for each in adapters)]
    assert bool(framework_of({"devDependencies": dict.fromkeys(names, "1")}).problem) is problem


@pytest.mark.parametrize(
    ("config", "exports"),
    [
        ("export default { output: 'export' }", True),
        ('const config = {\n  output: "export",\n  trailingSlash: true,\n}\n', True),
        ("const config = {\n  output: 'export', // for nginx\n}\n", True),
        ("const config: NextConfig = { output: 'export' };", True),
        ("module.exports = {\n  // output: 'export',\n}\n", False),
        ("const config = {\n  output: isStatic ? 'export' : undefined,\n}\n", False),
        ("const config = {\n  ...(isProd && { output: 'export' })\n}\n", False),
        ("if (process.env.STATIC) config.output = 'export'\n", False),
        ("export default { output: 'standalone' }", False),
        ("", False),
    ],
)
def test_a_configuration_that_always_exports(config: str, exports: bool) -> None:
    assert exports_pages(config) is exports


@pytest.mark.parametrize(
    "shape",
    [pytest.param(shape, id=shape.name) for shape in SHAPES if "staging_frontend_static_dir" in shape.variables],
)
def test_the_directories_are_those_of_the_applications_that_are_deployed(shape: Shape) -> None:
    found = framework_of(shape.package)
    variables = shape.variables
    assert (found.output_dir, found.static_dir, found.static_url_path) == (
        variables["staging_frontend_output_dir"],
        variables["staging_frontend_static_dir"],
        variables["staging_static_url_path"],
    )
