# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The UNIX socket of the backend: its path, what is told of it, and what the host has there."""

from __future__ import annotations

import os
from dataclasses import dataclass

from .._host.sockets import LONGEST_PATH, PLAIN_PATH
from .finding import PreflightFinding
from .variables import PROJECT_DIR, SOCKET, DeploymentInputs

#: Emptied by a restart or a cleanup; services may have directories of their own in place of the first two.
_TEMPORARY = ("/tmp/", "/var/tmp/", "/run/", "/var/run/", "/dev/")  # noqa: S108 (paths that are judged, not used)
_PLACEHOLDER = "{socket}"


def check_socket(inputs: DeploymentInputs) -> None:
    """Whether the backend can listen on the socket, and the proxy use it."""
    path = inputs.line(SOCKET)
    words = _words(inputs)
    if path is None:
        if _PLACEHOLDER in words and not inputs.has_finding(SOCKET):
            inputs.add(
                "missing",
                SOCKET,
                "the path of a UNIX socket",
                "set it, or write {port}",
                found="staging_backend_command or staging_backend_env has {socket}",
            )
        return
    _check_path(inputs, path)
    if inputs.provider == "nginx_proxy_manager" or _is_elsewhere(inputs):
        inputs.add(
            "socket-without-nginx",
            SOCKET,
            "a port",
            "remove it, and let the backend listen on staging_backend_port",
            found="only nginx on the same host can connect to it",
        )
    if inputs.blue_green:
        inputs.add(
            "socket-blue-green",
            SOCKET,
            "a port for each of the two instances",
            "remove it, or write staging_backend_switch: restart",
            found="staging_backend_switch is blue_green, and two processes cannot listen on one socket",
        )
    if inputs.get("staging_ecosystem_file") is None and _PLACEHOLDER not in words and path not in words:
        inputs.add(
            "socket-unused",
            SOCKET,
            "{socket} in staging_backend_command or staging_backend_env",
            "add it, such as --uds {socket} for uvicorn",
            found="the command of the backend does not name it",
        )


def _check_path(inputs: DeploymentInputs, path: str) -> None:
    size = len(os.fsencode(path))
    project = str(inputs.get(PROJECT_DIR) or "").rstrip("/")
    if not path.startswith("/"):
        inputs.add("path", SOCKET, "an absolute path on the host", "start it with a slash")
    elif not PLAIN_PATH.match(path):
        inputs.add(
            "path",
            SOCKET,
            "a path without spaces, quotes, shell characters, //, /./ and ..",
            "use letters, digits, dots, hyphens and underscores",
            found="nginx reads it too",
        )
    elif size > LONGEST_PATH:
        inputs.add(
            "socket-length",
            SOCKET,
            f"at most {LONGEST_PATH} bytes",
            "choose a shorter path",
            found=f"it has {size} bytes, and the kernel takes no longer one for a socket",
        )
    elif project and path.startswith((f"{project}/", f"{project}.releases/")):
        inputs.add(
            "socket-in-release",
            SOCKET,
            "a path outside of the project",
            f"write for example {project}.run/backend.sock",
            found="each release has its own directory, and the proxy would look in that of another one",
        )
    elif path.startswith(_TEMPORARY):
        inputs.add(
            "socket-temporary",
            SOCKET,
            "a directory that a restart keeps",
            f"write for example {project or '/srv/projects/app'}.run/backend.sock, or have the directory made at the "
            "start of the host (tmpfiles.d)",
            found="a restart or a cleanup removes its directory, and a service may have a directory of its own there",
        )


def _words(inputs: DeploymentInputs) -> str:
    command = inputs.texts("staging_backend_command")
    return "\n".join([*command, *(str(value) for value in inputs.mapping("staging_backend_env").values())])


def _is_elsewhere(inputs: DeploymentInputs) -> bool:
    """Whether the user configures a proxy that is not an nginx of this host."""
    if inputs.provider != "manual":
        return False
    local = inputs.get("staging_proxy_address") in (None, "127.0.0.1", "localhost", "[::1]")
    return not local or inputs.get("staging_proxy_manual_for") != "nginx"


@dataclass(frozen=True)
class SocketPlace:
    """What the host has where the socket is to be.

    :param other_file: Whether a file that is no socket has its path.
    :param unwritable: The directory in which the deploy user may not make it; empty if that is possible.
    :param closed_to_proxy: The directory that nginx may not enter; empty if there is none.
    :param proxy_user: The user of nginx.
    """

    other_file: bool = False
    unwritable: str = ""
    closed_to_proxy: str = ""
    proxy_user: str = ""


def judge_socket(inputs: DeploymentInputs, place: SocketPlace) -> list[PreflightFinding]:
    """Whether the backend can make the socket, and nginx get to it."""
    found = []
    if place.other_file:
        found.append(
            inputs.finding(
                "socket-file",
                SOCKET,
                "a path without a file, or that of a socket",
                "delete that file, or choose another path",
                found="it is a file that is no socket",
            )
        )
    if place.unwritable:
        user = inputs.text("staging_user")
        found.append(
            inputs.finding(
                "socket-unwritable",
                SOCKET,
                f"a directory in which {user} may create files",
                f"choose another directory, or create it for {user}",
                found=f"{user} may not write to {place.unwritable}",
            )
        )
    if place.closed_to_proxy:
        found.append(
            inputs.finding(
                "socket-closed",
                SOCKET,
                f"a path whose directories {place.proxy_user} may enter",
                f"choose another directory, or open that one (chmod o+x {place.closed_to_proxy})",
                found=f"{place.closed_to_proxy} is closed to {place.proxy_user}, as whom nginx connects to it",
            )
        )
    return found
