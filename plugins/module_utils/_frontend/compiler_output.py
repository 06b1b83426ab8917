# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of a failed command's output that names the cause."""

from __future__ import annotations

import re

_COLOURS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ERROR_STARTS = re.compile(
    r"^\s*(?:Failed to compile|Build failed|Type error:|Error:|SyntaxError|ReferenceError|TypeError|.*\berror TS[0-9]+:"
    r"|.*\[vite[^\]]*\].*(?:error|fail)|error during build|\u2a2f |.*ENOSPC|FATAL ERROR|npm error code|npm ERR! code"
    r"|> Build error occurred|.*Module not found|ERR_PNPM|error "
    # Codes of yarn's errors; those of its warnings and information are others.
    r"|\u27a4 YN00(?:01|09|18|20|27|28|35|41|66|78|82):)",
    re.IGNORECASE,
)
_NPM_NOISE = re.compile(
    r"^(?:npm (?:error|ERR!)\s+(?:Lifecycle script|A complete log|path |workspace |location |command |code [0-9]|errno)"
    r"|npm (?:error|ERR!)\s*$"
    r"|npm (?:warn|notice)|\s+at .*(?:node_modules|node:internal)|Next\.js build worker exited|\s*$)"
)

_NPM_USAGE = re.compile(r"^npm (?:error|ERR!) (?:Clean install a project|Usage:)")


def compiler_message(output: str, limit: int = 25) -> list[str]:
    """Return the compiler's message in the output of a failed command.

    It begins at the first line that looks like an error; without one, the last lines are returned.
    """
    lines = [_COLOURS.sub("", line).rstrip()[:400] for line in output.splitlines()]
    lines = [line for line in lines if not _NPM_NOISE.match(line)]
    usage = next((at for at, line in enumerate(lines) if _NPM_USAGE.match(line)), len(lines))
    del lines[usage:]
    start = next((at for at, line in enumerate(lines) if _ERROR_STARTS.match(line)), None)
    if start is None:
        return lines[-limit:]
    return lines[start : start + limit]
