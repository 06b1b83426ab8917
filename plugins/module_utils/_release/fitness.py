# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a release can be activated: what its processes need, and may have lost since it was made."""

from __future__ import annotations

import os

from .._frontend.condition import build_damage
from .._frontend.modules import modules_damage, packages_named
from . import baseline, candidate
from .displaced import displaced
from .installed import read_record, why_damaged
from .manifest import Layout, Manifest
from .project import Project


def whole_parts(project: Project, release: str, layout: Layout) -> list[str]:
    """Return the builds, installed packages and virtual environments of a release that are not damaged."""
    directory = project.path(release)
    return [path for path in candidate.made_parts(directory, layout) if not _damage(directory, path)]


def unfit(project: Project, release: str, manifest: Manifest) -> list[str]:
    """Return what a release has lost since it was activated; empty if nothing is known to be missing.

    An edited source file is no such loss: the edit may be wanted.
    """
    directory = project.path(release)
    found = [
        f"{name} is missing"
        for name in manifest.layout.env_files
        if os.path.isfile(baseline.env_copy(project, release, name))
        and not os.path.isfile(os.path.join(directory, name))
    ]
    for path in baseline.parts(project, release):
        damage = _damage(directory, path)
        if damage:
            found.append(f"{path}: {damage}")
    own = displaced(directory, project.shared, manifest.layout, baseline.delivered(project, release) or {})
    found.extend(f"{path} is no link to the shared data, and the shared data lacks what it holds" for path in own)
    return found


def lost_environments(project: Project, release: str, layout: Layout) -> list[str]:
    """Return what the virtual environments of a release have lost that other releases use as well.

    A candidate has its own copy of all other parts. Damage to a virtual environment of the active release also damages
    the candidate that shares it.
    """
    directory, home = project.path(release), os.path.realpath(project.venvs)
    shared = [
        path
        for path in candidate.generated_parts(directory, layout)
        if os.path.dirname(os.path.realpath(os.path.join(directory, path))) == home
    ]
    found = {path: _damage(directory, path) for path in shared}
    return [f"{path}: {damage}" for path, damage in found.items() if damage]


def _damage(directory: str, path: str) -> str:
    """Return what is wrong with a build, installed packages or a virtual environment; empty if nothing is."""
    place = os.path.join(directory, path)
    if not os.path.isdir(place):
        return "it is missing"
    parent, name = os.path.split(place)
    if name == ".venv":
        return _environment_damage(place)
    if name == "node_modules":
        return packages_named(modules_damage(place) or [])
    return "; ".join(build_damage(parent, name))


def _environment_damage(place: str) -> str:
    """An edited file is no damage, and of an environment that was made manually, only the interpreter is known."""
    if not os.path.exists(os.path.join(place, "bin", "python")):
        return "it has no bin/python"
    record = read_record(place)
    return "; ".join(why_damaged(place, record, edited=False)) if record else ""
