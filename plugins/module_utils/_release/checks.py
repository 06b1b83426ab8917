# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What makes releases impossible at a place, found before anything is changed."""

from __future__ import annotations

import os
import pwd
import stat

from .errors import ReleaseError
from .plan import Found
from .project import Project


def refuse_malformed(project: Project) -> None:
    """Check the path itself.

    :raises ReleaseError: If it is no path for a project.
    """
    link = project.link
    if not os.path.isabs(link) or os.path.normpath(link) != link or link == "/":
        raise ReleaseError(f"project_dir is {link!r}; expected an absolute path without '..' below a directory")
    if os.path.lexists(link) and not os.path.islink(link) and not os.path.isdir(link):
        raise ReleaseError(f"project_dir {link} is a file; expected a directory, a link to a release, or nothing")


def refuse_impossible(project: Project, *, predicting: bool = False) -> None:
    """Check everything that releases need.

    :param predicting: Nothing will be written, perhaps by another user than the one who will.
    :raises ReleaseError: For the first thing that is missing.
    """
    refuse_malformed(project)
    if project.find()[0] is Found.UNMANAGED_LINK:
        raise ReleaseError(
            f"project_dir {project.link} is a symbolic link to {os.readlink(project.link)}, which is not one of its "
            f"releases in {project.directory}; name the directory itself, or remove the link"
        )
    existing = project.parent
    while not os.path.lexists(existing):
        existing = os.path.dirname(existing)
    if not os.path.isdir(existing):
        raise ReleaseError(f"project_dir {project.link} cannot be created, because {existing} is not a directory")
    _refuse_unusable_directory(project)
    if not os.access(existing, os.W_OK | os.X_OK) and not (predicting and existing != project.parent):
        raise ReleaseError(
            f"the directory {existing} cannot be written by {_user()}, and the link {project.link} is below it; "
            f"{_owner(existing)}"
        )
    if not os.path.isdir(project.parent):
        return
    device = os.stat(project.parent).st_dev
    if os.path.isdir(project.directory) and os.stat(project.directory).st_dev != device:
        raise ReleaseError(
            f"{project.directory} is on another file system than {project.parent}; releases are activated by renames "
            "and share files by hard links, so both must be on one"
        )
    if project.find()[0] is Found.DIRECTORY:
        _refuse_directory_that_cannot_be_taken_over(project, device)


def _refuse_unusable_directory(project: Project) -> None:
    if os.path.isdir(project.directory):
        if not os.access(project.directory, os.R_OK | os.W_OK | os.X_OK):
            raise ReleaseError(
                f"the releases directory {project.directory} cannot be written by {_user()}; "
                f"{_owner(project.directory)}"
            )
    elif os.path.lexists(project.directory):
        raise ReleaseError(f"{project.directory} is not a directory; expected the directory of releases, or nothing")


def _refuse_directory_that_cannot_be_taken_over(project: Project, device: int) -> None:
    if not os.access(project.link, os.R_OK | os.W_OK | os.X_OK):
        raise ReleaseError(
            f"the directory {project.link} was deployed manually and cannot be taken over by {_user()}, because "
            f"{_owner(project.link)}; give it to {_user()} (chown -R), or deploy as its owner"
        )
    if os.stat(project.link).st_dev != device:
        raise ReleaseError(
            f"{project.link} is a mount point and cannot be renamed; expected an ordinary directory, so choose one "
            "inside that file system as project_dir"
        )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _owner(path: str) -> str:
    status = os.stat(path)
    try:
        owner = pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        owner = str(status.st_uid)
    return f"it belongs to {owner} with mode {stat.S_IMODE(status.st_mode):04o}"
