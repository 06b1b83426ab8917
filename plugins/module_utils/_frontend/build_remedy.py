# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user can do about a build that failed for another reason than its own code."""

from __future__ import annotations

import re

_ENV = "staging_frontend_build_env (staging_backend_build_env for the backend)"
_OTHER_PLATFORM = "|".join(
    (
        r"npm has a bug related to optional dependencies",
        r"The package \"@esbuild/\S+\" could not be found",
        r"Failed to load SWC binary for linux",
        r"Cannot find (?:module|native binding)\b.{0,80}(?:linux-(?:x64|arm64)|lightningcss|oxide)",
    )
)
_NODE = "|".join(
    (
        r"You are using Node\.js \d\S*",
        r"Vite requires Node\.js",
        r"requires a minimum Node\.js version",
        r"Node\.js v?\d\S* is not supported",
        r"Node\.js version \S+ (?:detected|is required)",
    )
)
_NO_SCRIPT = r"Missing script: \"|Command \"[\w:-]+\" not found\.|Script not found \"|ERR_PNPM_NO_SCRIPT"
_NO_VARIABLE = "|".join(
    (
        r"Invalid environment variables",
        r"Environment variable not found: \w+",
        r"Missing required environment variables?",
        r"is not exported by \"(?:virtual:env|\$env|\\0virtual:env)",
    )
)
#: A failure has consequences that look like another one, so the order matters.
_REMEDIES = (
    (r"ENOSPC|No space left on device", "free space in the file system of staging_project_dir"),
    (
        r"JavaScript heap out of memory",
        "Node.js has reached its own limit, which it derives from the memory of the host: add memory, or give "
        f"NODE_OPTIONS: --max-old-space-size=4096 (MiB) in {_ENV}, for which swap suffices",
    ),
    (
        r"digital envelope routines::unsupported|ERR_OSSL_EVP_UNSUPPORTED",
        "its bundler is too old for this Node.js: take webpack 5, or give NODE_OPTIONS: --openssl-legacy-provider in "
        f"{_ENV}",
    ),
    (
        _OTHER_PLATFORM,
        "the lock file has not the packages of this platform, because it was written on another one: delete "
        "node_modules and the lock file where you develop, install the packages again, and commit the lock file",
    ),
    (_NODE, "set staging_node_version to a version that the framework allows"),
    (
        _NO_SCRIPT,
        "name a script of package.json in staging_frontend_build_command (staging_backend_build_command for the "
        "backend)",
    ),
    (
        r"(?m)^(?:/bin/)?(?:ba)?sh: (?:line )?(?:\d+: )?\S+: (?:command )?not found$",
        "its package is not installed: add it to package.json, and commit the lock file",
    ),
    (
        r"Treating warnings as errors because process\.env\.CI",
        f'repair what it warns of, or give CI: "false" in {_ENV}',
    ),
    (
        r"@prisma/client did not initialize yet|Cannot find module '\.prisma/client",
        "run prisma generate before the build, for example in the script build",
    ),
    (
        _NO_VARIABLE,
        f"a build gets neither the env file nor the variables of a shell: add the variable to {_ENV}, or to "
        "staging_public_env if the page needs it",
    ),
    (
        r"Failed to fetch `[^`]+` from Google Fonts|fonts\.(?:googleapis|gstatic)\.com",
        "the host must be able to connect to Google Fonts during the build, or the page must use a font of its own",
    ),
    (
        r"\b(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)\b",
        "the build asks a server that does not answer: pages that are rendered in the build cannot use the API of this "
        "deployment; render them when they are asked for (in Next.js with dynamic = 'force-dynamic')",
    ),
    (r"\bEACCES\b", "a file belongs to another user: give the project to the deploy user (chown -R)"),
)


def build_remedy_for(output: str) -> str:
    """Return what the user can do; empty if nothing is known, as for an error in the code.

    :param output: What the build printed.
    """
    return next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, output)), "")
