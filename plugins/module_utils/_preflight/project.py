# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The project on the host: its directory, paths in it, its commands, its names and its user."""

from __future__ import annotations

import re

from .variables import PROJECT_DIR, DeploymentInputs

#: As the role proxy takes the name of its site.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}\Z")
_NAME_EXPECTED = "up to 100 letters, digits, dots, hyphens and underscores, starting with a letter or digit"
#: pm2 takes `all`, numbers and expressions between slashes for other processes than that of such a name.
_PROCESS_NAME = re.compile(r"(?!all\Z|[0-9.]+\Z)[A-Za-z0-9_@][A-Za-z0-9 ._:@+-]{0,99}\Z")
_PROCESS_NAMES = ("staging_backend_process_name", "staging_frontend_process_name")
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}\$?\Z")
_SHELL_CHARACTERS = re.compile(r"""[\s"'`$;{}\\*?<>|&()#%]""")
SYSTEM_DIRS = frozenset(
    (
        "/bin",
        "/boot",
        "/dev",
        "/etc",
        "/home",
        "/lib",
        "/lib64",
        "/media",
        "/mnt",
        "/opt",
        "/proc",
        "/root",
        "/run",
        "/sbin",
        "/srv",
        "/sys",
        "/tmp",  # noqa: S108 (a path that is judged, not used)
        "/usr",
        "/usr/local",
        "/var",
        "/var/lib",
        "/var/log",
        "/var/www",
    )
)
_TEMPORARY_DIRS = ("/tmp/", "/var/tmp/", "/run/", "/dev/")  # noqa: S108 (paths that are judged, not used)
_EXACT = r"[0-9]+\.[0-9]+\.[0-9]+"
_VERSIONS = (
    # Node.js has no other versions in the registry; npm, pm2 and uv have prereleases.
    ("staging_node_version", _EXACT, "24.21.0"),
    ("staging_npm_version", rf"{_EXACT}(-[0-9A-Za-z.-]+)?", "10.9.9"),
    ("staging_pm2_version", rf"{_EXACT}(-[0-9A-Za-z.-]+)?", "7.0.4"),
    ("staging_backend_uv_version", rf"{_EXACT}([a-z0-9.]+)?", "0.13.9"),
)
_RELATIVE = (
    "staging_frontend_dir",
    "staging_frontend_output_dir",
    "staging_backend_dir",
    "staging_env_file",
    "staging_ecosystem_file",
)


def check_paths(inputs: DeploymentInputs) -> None:
    """The project directory, and the paths inside the project."""
    if inputs.get(PROJECT_DIR) is None:
        inputs.add(
            "missing",
            PROJECT_DIR,
            "the directory of the project on the host",
            f"set {PROJECT_DIR}, for example to /home/deploy/projects/app",
        )
    path = inputs.line(PROJECT_DIR)
    if path is not None:
        _check_project_dir(inputs, path)
    for variable in _RELATIVE:
        relative = inputs.line(variable)
        if relative is not None and (relative.startswith(("/", "~")) or ".." in relative.split("/")):
            inputs.add("path-relative", variable, *_INSIDE)
    for variable in ("staging_shared_paths", "staging_leave_behind"):
        paths = inputs.get(variable)
        for index, entry in enumerate(paths if isinstance(paths, list) else ()):
            text = str(entry)
            if not text or text.startswith(("/", "~")) or ".." in text.split("/") or text.strip("/.") == "":
                inputs.add("path-relative", (variable, index), *_INSIDE)


_INSIDE = ("a path inside the project, relative to its root", "remove the leading slash or the ..")


def _check_project_dir(inputs: DeploymentInputs, path: str) -> None:
    if not path.startswith("/"):
        inputs.add("path", PROJECT_DIR, "an absolute path on the host", "start it with a slash")
    elif ".." in path.split("/") or "//" in path or "/./" in path:
        inputs.add("path", PROJECT_DIR, "a path without //, /./ and ..", "write the plain path")
    elif _SHELL_CHARACTERS.search(path):
        inputs.add(
            "path",
            PROJECT_DIR,
            "a path without spaces, quotes and shell characters",
            "use letters, digits, dots, hyphens and underscores",
            found="nginx, pm2 and systemd read it too",
        )
    elif path.rstrip("/") in SYSTEM_DIRS or path == "/" or re.match(r"/home/[^/]+/?\Z", path):
        inputs.add(
            "path",
            PROJECT_DIR,
            "a directory for the project alone, because it becomes a link to the active release",
            "add a directory, for example /home/deploy/projects/app",
        )
    elif path.endswith("/"):
        inputs.add("path", PROJECT_DIR, "no slash at the end, because the path becomes a link", "remove the slash")
    elif path.startswith(_TEMPORARY_DIRS):
        inputs.add(
            "project-dir-temporary",
            PROJECT_DIR,
            "a permanent directory",
            "use a directory below the deploy user's home or /srv",
            found="a restart or a cleanup removes what is in it",
        )


def check_names(inputs: DeploymentInputs) -> None:
    """The name of the site and of the processes, by default the last part of the project directory."""
    name, path = inputs.line("staging_app_name"), inputs.get(PROJECT_DIR)
    if name is not None and not _NAME.match(name):
        inputs.add("name", "staging_app_name", _NAME_EXPECTED, "choose such a name")
    derived = name is None and not inputs.has_finding("staging_app_name") and not inputs.has_finding(PROJECT_DIR)
    if derived and not _NAME.match(str(path).rpartition("/")[2]):
        inputs.add(
            "name",
            PROJECT_DIR,
            _NAME_EXPECTED,
            "choose another directory, or set staging_app_name",
            found="its last part cannot be the name of the site and the processes",
        )
    for variable in _PROCESS_NAMES:
        given = inputs.line(variable)
        if given is not None and not _PROCESS_NAME.match(given):
            inputs.add(
                "process-name",
                variable,
                "up to 100 letters, digits, spaces and characters of ._:@+-, starting with a letter or digit, and "
                "neither all nor a number, which pm2 takes for other processes",
                "choose another name",
            )
    backend, frontend = (inputs.get(variable) for variable in _PROCESS_NAMES)
    if backend is not None and backend == frontend:
        inputs.add(
            "process-names-equal",
            "staging_backend_process_name",
            "two different names, because pm2 tells processes apart by their names",
            "choose another name for one of them",
            found="staging_frontend_process_name is the same",
        )


def check_versions(inputs: DeploymentInputs) -> None:
    """The programs to install. What is installed is compared with the version, so a range never fits."""
    for variable, pattern, example in _VERSIONS:
        version = inputs.line(variable) if isinstance(inputs.get(variable), str) else inputs.get(variable)
        if isinstance(version, (str, int, float)) and not re.fullmatch(pattern, str(version)):
            inputs.add("version", variable, "an exact version", f"write for example {example}, in quotes")


def check_user(inputs: DeploymentInputs) -> None:
    user = inputs.line("staging_user")
    if user is None:
        return
    if not _USER.match(user):
        inputs.add(
            "user",
            "staging_user",
            "up to 32 lowercase letters, digits, hyphens and underscores, starting with a letter or underscore",
            "choose such a name",
        )
    elif user == "root":
        inputs.add(
            "user-root",
            "staging_user",
            "an unprivileged user that runs the application",
            "choose another name (the user is created if it does not exist)",
        )
