# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The message of the compiler in the output of a failed command."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._frontend.compiler_output import compiler_message


def test_the_message_of_the_compiler_is_returned() -> None:
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


def test_the_reason_of_yarn_is_returned_without_what_it_only_tells() -> None:
    output = (
        "\u27a4 YN0000: \u00b7 Yarn 4.18.1\n\u27a4 YN0000: \u250c Resolution step\n"
        "\u27a4 YN0028: \u2502 The lockfile would have been modified by this install, which is explicitly forbidden.\n"
        "\u27a4 YN0000: \u2514 Completed\n"
    )
    assert compiler_message(output)[0] == (
        "\u27a4 YN0028: \u2502 The lockfile would have been modified by this install, which is explicitly forbidden."
    )


def test_the_reason_of_pnpm_and_of_an_older_yarn_is_returned() -> None:
    pnpm = (
        "Scope: all 2 workspace projects\n"
        ' ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date\n'
    )
    assert compiler_message(pnpm)[0].startswith(" ERR_PNPM_OUTDATED_LOCKFILE  Cannot install")
    yarn = "yarn install v1.22.22\n[1/4] Resolving packages...\nerror Your lockfile needs to be updated\ninfo Visit\n"
    assert compiler_message(yarn) == ["error Your lockfile needs to be updated", "info Visit"]
