# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scripts of an application that run in an installation: what they read, and what they make beside the packages."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from .._host.json_text import object_of
from .build_plan import digest
from .workspace import package_names

#: Those of the application itself that npm, pnpm, yarn or bun runs when it installs the packages.
_SCRIPTS = ("preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare")
_MANAGERS = ("npm", "pnpm", "yarn", "bun")
_RUNNERS = ("npx", "bunx", "pnpx", "exec", "dlx", "x", "cross-env", "--", "--yes", "-y", "--no-install", "--silent")
#: Programs that make nothing that a build or a server reads, or that the build itself runs.
_WITHOUT_EFFECT = frozenset(
    {
        *("husky", "lefthook", "simple-git-hooks", "is-ci", "is-ci-cli", "only-allow", "corepack", "opencollective"),
        *("opencollective-postinstall", "cypress", "playwright", "echo", "true", ":", "exit", "test", "[", "git"),
    }
)
#: The same of programs that have other commands, too.
_COMMANDS_WITHOUT_EFFECT = frozenset(
    {
        *(("nuxt", "prepare"), ("nuxi", "prepare"), ("svelte-kit", "sync"), ("astro", "sync"), ("wxt", "prepare")),
        *(("react-router", "typegen"), ("next", "typegen")),
    }
)
#: What these read, by the path of a source.
_READ = {"patch-package": r"(?:^|/)patches/", "prisma": r"\.prisma\Z"}
_DEPTH = 4


def steps_of(package: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the commands of the scripts that run in an installation and have an effect on a build or a server.

    :param package: A ``package.json`` of the application.
    """
    known = object_of(package.get("scripts"))
    steps = [step for name in _SCRIPTS for step in _steps(str(known.get(name) or ""), known, _DEPTH)]
    # Its own package generates the client, too.
    client = ["prisma generate"] if "@prisma/client" in package_names(package) else []
    return tuple(dict.fromkeys([*steps, *client]))


def inputs_of_scripts(
    packages: Mapping[str, Mapping[str, Any]], source: Mapping[str, str], made: Collection[str]
) -> str:
    """Return a digest of what the scripts of an installation read; empty if there are none.

    Where that is not known, every source in the directory of the package counts.

    :param packages: Each ``package.json`` of the application whose scripts run, by its directory.
    :param source: Digests of the sources by path, relative to the same directory as these.
    :param made: Files that such scripts have made, which are no sources.
    """
    steps = {place: steps_of(package) for place, package in packages.items() if steps_of(package)}
    if not steps:
        return ""
    read = [
        (name, value)
        for name, value in sorted(source.items())
        if name not in made
        and any(re.search(_read_by(step), name) for place in steps if _below(name, place) for step in steps[place])
    ]
    return digest(json.dumps([steps, read], sort_keys=True))


def _below(name: str, place: str) -> bool:
    return not name.startswith("../") if place == "." else name.startswith(f"{place}/")


def files_beside(base: str, excluded: Collection[str]) -> set[str]:
    """Return the files of a directory, by relative path; hidden ones are the state of tools.

    :param excluded: Names of directories that are not looked at.
    """
    found: set[str] = set()
    for directory, names, files in os.walk(base):
        names[:] = [name for name in names if name not in excluded and not name.startswith(".")]
        found.update(os.path.relpath(os.path.join(directory, name), base) for name in files if name[0] != ".")
    return {name for name in found if not name.endswith(".tsbuildinfo")}


def _read_by(step: str) -> str:
    """Return a pattern of the paths that a command reads."""
    words = step.split()
    program = os.path.basename(words[0])
    if "--patch-dir" in words or (program == "prisma" and words[1:2] != ["generate"]):
        return ""
    return _READ.get(program, "")


def _steps(script: str, scripts: Mapping[str, Any], depth: int) -> Iterator[str]:
    """Return the commands of a script, and those of the scripts that it runs."""
    for command in re.split(r"&&|\|\||[;|&\n]", script):
        words = command.split()
        manager = bool(words) and words[0] in _MANAGERS
        while words and (words[0] in (*_RUNNERS, *_MANAGERS) or re.match(r"\w+=", words[0])):
            words = words[1:]
        runs = manager and bool(words) and words[0] in ("run", "run-script")
        name = words[1] if runs and len(words) > 1 else words[0] if manager and words else ""
        if name in scripts and depth:
            yield from _steps(str(scripts[name]), scripts, depth - 1)
        elif words and not _without_effect(words):
            yield " ".join(words)


def _without_effect(words: Sequence[str]) -> bool:
    program = os.path.basename(words[0])
    return program in _WITHOUT_EFFECT or (program, *words[1:2]) in _COMMANDS_WITHOUT_EFFECT
