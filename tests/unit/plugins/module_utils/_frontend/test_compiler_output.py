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
