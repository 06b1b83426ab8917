# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The remedy for a build that failed for another reason than its own code."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.build_remedy import build_remedy_for


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        pytest.param("Error: ENOSPC: no space left on device, write", "free space", id="disk"),
        pytest.param(
            "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
            "--max-old-space-size",
            id="heap",
        ),
        pytest.param(
            "Error: error:0308010C:digital envelope routines::unsupported\n  code: 'ERR_OSSL_EVP_UNSUPPORTED'",
            "--openssl-legacy-provider",
            id="webpack-4",
        ),
        pytest.param(
            "Error: Cannot find module @rollup/rollup-linux-x64-gnu. npm has a bug related to optional dependencies",
            "written on another one",
            id="rollup-of-another-platform",
        ),
        pytest.param(
            "Error: Cannot find module '../lightningcss.linux-x64-gnu.node'\nRequire stack:",
            "written on another one",
            id="lightningcss-of-another-platform",
        ),
        pytest.param(
            'Error: The package "@esbuild/linux-x64" could not be found, and is needed by esbuild.',
            "written on another one",
            id="esbuild-of-another-platform",
        ),
        pytest.param("Error: Cannot find native binding.", "", id="some-binding"),
        pytest.param(
            'You are using Node.js 18.20.4. For Next.js, Node.js version ">=20.9.0" is required.',
            "staging_node_version",
            id="node-of-next",
        ),
        pytest.param(
            "You are using Node.js 18.19.0. Vite requires Node.js version 20.19+ or 22.12+. Please upgrade",
            "staging_node_version",
            id="node-of-vite",
        ),
        pytest.param(
            "Node.js version v18.20.4 detected.\nThe Angular CLI requires a minimum Node.js version of v20.19.",
            "staging_node_version",
            id="node-of-angular",
        ),
        pytest.param("Node.js v18.20.4 is not supported by Astro!", "staging_node_version", id="node-of-astro"),
        pytest.param('npm error Missing script: "build"', "staging_frontend_build_command", id="script-of-npm"),
        pytest.param('error Command "build" not found.', "staging_frontend_build_command", id="script-of-yarn"),
        pytest.param(
            " ERR_PNPM_NO_SCRIPT  Missing script: build", "staging_frontend_build_command", id="script-of-pnpm"
        ),
        pytest.param("sh: 1: vite: not found\n", "its package is not installed", id="program"),
        pytest.param("/bin/sh: line 1: vite: command not found", "its package is not installed", id="program-of-bash"),
        pytest.param("Page /sh: 1: x: not found in index", "", id="no-program"),
        pytest.param(
            "Treating warnings as errors because process.env.CI = true.", 'CI: "false"', id="warnings-in-react-scripts"
        ),
        pytest.param(
            'Error: @prisma/client did not initialize yet. Please run "prisma generate"', "prisma generate", id="prisma"
        ),
        pytest.param(
            "Invalid environment variables: { DATABASE_URL: [ 'Required' ] }", "staging_frontend_build_env", id="t3-env"
        ),
        pytest.param(
            "PrismaClientInitializationError: error: Environment variable not found: DATABASE_URL.",
            "staging_frontend_build_env",
            id="prisma-variable",
        ),
        pytest.param(
            '"PUBLIC_API" is not exported by "virtual:env/static/public", imported by "src/routes/+page.svelte".',
            "staging_public_env",
            id="variable-of-sveltekit",
        ),
        pytest.param(
            "Failed to fetch `Inter` from Google Fonts.\n  code: 'ETIMEDOUT'", "Google Fonts", id="google-fonts"
        ),
        pytest.param(
            "TypeError: fetch failed\n  [cause]: Error: connect ECONNREFUSED 127.0.0.1:14200",
            "force-dynamic",
            id="api-while-building",
        ),
        pytest.param("EACCES: permission denied, unlink '/srv/app/.next/x'", "chown -R", id="owner"),
        pytest.param("Failed to compile.\nType error: Property 'x' does not exist on type '{}'.", "", id="its-code"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_the_remedy(output: str, remedy: str) -> None:
    found = build_remedy_for(output)
    assert remedy in found
    assert bool(found) is bool(remedy)
