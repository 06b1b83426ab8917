# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Link a release to the virtual environment that fits its requirements, and create that if there is none."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

from .._host.files import link_atomic, sweep
from .._host.progress import Say, unwatched
from .._release.copying import remove_tree
from .._release.errors import ReleaseError
from .._release.installed import distributions, read_record
from .environment import Condition, examine
from .installer import Installer
from .interpreter import Interpreter, ask
from .virtualenv_inputs import VirtualenvOptions, read_inputs
from .virtualenv_plan import names_for, plan_virtualenv

_LINK = ".venv"


@dataclass(frozen=True)
class Virtualenv:
    """The environment of a backend; the fields are the results of the module.

    :param linked: Name of the environment that was linked before.
    """

    link: str
    changed: bool = True
    built: bool = True
    digest: str | None = None
    path: str | None = None
    python: str | None = None
    reasons: Sequence[str] = ("the virtual environment is not known before its Python and its source exist",)
    distributions: Sequence[str] = ()
    linked: str | None = None


def provide(options: VirtualenvOptions, *, predicting: bool, say: Say = unwatched) -> Virtualenv:
    """Link the wanted environment into the release.

    :param predicting: Change nothing; Python and the source may not exist yet.
    :param say: Told what is being done.
    :raises ReleaseError: If something is missing, or an installation fails.
    """
    for name, path in (("path", options.path), ("venvs_dir", options.venvs_dir)):
        if not os.path.isabs(path):
            raise ReleaseError(f"{name} is {path!r}; expected an absolute path")
    link = os.path.join(options.path, _LINK)
    python = ask(options.python)
    if predicting and (python is None or not os.path.isdir(options.path)):
        return Virtualenv(link)
    python = _usable(python, options, predicting)
    if not os.path.isdir(options.path):
        raise ReleaseError(f"path {options.path} is not a directory; expected that of the backend in a release")
    inputs = read_inputs(options, python)
    linked = _linked(link, options.venvs_dir)
    record = read_record(os.path.join(options.venvs_dir, linked)) if linked else None
    previous = (record or {}).get("inputs", {})
    changes = inputs.changed_since(previous) if previous else ()
    plan = plan_virtualenv(inputs.digest, _conditions(options, inputs.digest, python, linked), changes, linked)
    changed = plan.build or linked != plan.name
    reasons = plan.reasons if changed else ()
    if changed and not plan.build and not changes:
        reasons = (f"{link} does not link to environment {plan.name}",)
    directory = os.path.join(options.venvs_dir, plan.name)
    if changed and not predicting:
        installer = Installer(options, say)
        if plan.build:
            installer.build(plan, inputs, python)
        _point(link, directory)
        installer.compile(directory, options.path, attempt="compiling the source of the backend")
    return Virtualenv(
        link=link,
        changed=changed,
        built=plan.build,
        digest=inputs.digest,
        path=directory,
        python=python.identity,
        reasons=reasons,
        distributions=distributions(directory),
        linked=linked,
    )


def _usable(python: Interpreter | None, options: VirtualenvOptions, predicting: bool) -> Interpreter:
    if python is None:
        raise ReleaseError(
            f"the interpreter {options.python} does not exist or does not run, and the virtual environment is to be "
            "created with it; install it or choose another one"
        )
    if not python.venv and not predicting:
        raise ReleaseError(
            f"{options.python} cannot create virtual environments, because its modules venv and ensurepip are not "
            "installed; install python3-venv"
        )
    return python


def _linked(link: str, venvs: str) -> str | None:
    """Return the name of the environment that is linked now."""
    if not os.path.islink(link):
        return None
    target = os.path.realpath(link)
    return os.path.basename(target) if os.path.dirname(target) == os.path.realpath(venvs) else None


def _conditions(
    options: VirtualenvOptions, digest: str, python: Interpreter, linked: str | None
) -> list[tuple[str, Condition]]:
    """Examine the environments of a digest up to the first that is usable, and the first free name.

    The linked one is examined first: one with an earlier name may have been damaged, and is deleted later.
    """
    names = names_for(digest)
    existing = [name for name in names if os.path.lexists(os.path.join(options.venvs_dir, name))]
    free = [name for name in names if name not in existing][:1]
    found = {}
    for name in [*sorted(existing, key=lambda each: each != linked), *free]:
        directory = os.path.join(options.venvs_dir, name)
        found[name] = examine(directory, python, ask(os.path.join(directory, "bin", "python")))
        if found[name].usable:
            break
    return [(name, found[name]) for name in names if name in found]


def _point(link: str, directory: str) -> None:
    """Let the release's link point to an environment; a directory in its place is replaced."""
    target = os.path.relpath(os.path.realpath(directory), os.path.realpath(os.path.dirname(link)))
    sweep(os.path.dirname(link), of=_LINK)
    aside = f"{link}.replaced"
    if os.path.lexists(aside):
        remove_tree(aside)
    if os.path.isdir(link) and not os.path.islink(link):
        os.rename(link, aside)
    link_atomic(link, target)
    if os.path.lexists(aside):
        remove_tree(aside)
