# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server that a build brings, or that serves it: Next.js, its standalone output, and those of other frameworks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._host.json_text import object_of, read_json_object
from .aside import remove
from .errors import BuildError
from .workspace import package_names

#: Becomes the port of the frontend.
PORT = "{port}"
_NEXT_ARGUMENTS = ("start", "-H", "0.0.0.0", "-p", PORT)  # noqa: S104 - as the default of Next.js
#: What ``next build`` records of its configuration.
_SERVER_FILES = "required-server-files.json"
#: Scripts that a framework writes into its output, each with what else is there.
_SERVERS = (
    ("server/index.mjs", "nitro.json", "nitro"),
    ("index.js", "handler.js", "sveltekit"),
    ("server/entry.mjs", "client", "astro"),
)
#: Where servers listen that are told by HOST or HOSTNAME. That of SvelteKit takes its public URL for one of
#: https, and refuses forms that come from http, unless it is told which header of the proxy names the scheme.
_VARIABLES = {
    "standalone": {"HOSTNAME": "0.0.0.0"},  # noqa: S104
    "astro": {"HOST": "127.0.0.1"},
    "sveltekit": {"PROTOCOL_HEADER": "x-forwarded-proto"},
}
#: Packages whose program serves the output of a framework, with its script and its build.
_SERVING_PACKAGES = (
    ("@remix-run/serve", "dist/cli.js", "server/index.js"),
    ("@react-router/serve", "bin.js", "server/index.js"),
)


@dataclass(frozen=True)
class Server:
    """A server of a build.

    :param kind: ``next``, ``standalone``, ``nitro`` (Nuxt), ``sveltekit``, ``astro`` or ``remix``; empty if none is
        known.
    :param command: Script and arguments, relative to the frontend's directory.
    """

    kind: str = ""
    command: tuple[str, ...] = ()


def server_of(path: str, output: str, package: Mapping[str, Any], places: Sequence[str]) -> Server:
    """Return the server of a build; for Next.js also where there is no build yet.

    :param path: Directory of the frontend.
    :param package: Its ``package.json``.
    :param places: Directories whose ``node_modules`` may have its packages, the nearest first.
    """
    relative = os.path.relpath(output, path)
    script = standalone_server(output, path)
    if script:
        return Server("standalone", (os.path.relpath(script, path),))
    every = package_names(package)
    if "next" in every:
        return Server("next", (_next_program(path, places), *_NEXT_ARGUMENTS))
    for script, beside, kind in _SERVERS:
        if os.path.isfile(os.path.join(output, script)) and os.path.exists(os.path.join(output, beside)):
            return Server(kind, (os.path.join(relative, script),))
    for name, script, build in _SERVING_PACKAGES:
        found = _package_file(path, places, name, script)
        if name in every and found and os.path.isfile(os.path.join(output, build)):
            return Server("remix", (found, os.path.join(relative, build)))
    return Server()


def process_of(server: Server, port: int) -> tuple[list[str], dict[str, str]]:
    """Return the command of a server's process, and the variables that tell it where to listen and behind what.

    The servers that take no arguments read them.
    """
    command = [word.replace(PORT, str(port)) for word in server.command]
    if server.kind == "next":
        return command, {}
    return command, {"PORT": str(port), **_VARIABLES.get(server.kind, {})}


def standalone_server(output: str, path: str) -> str:
    """Return the path of the server of a standalone output of Next.js; empty if there is none."""
    recorded = read_json_object(os.path.join(output, _SERVER_FILES))
    if object_of(recorded.get("config")).get("output") != "standalone":
        return ""
    root = os.path.join(output, "standalone")
    parts = path.strip("/").split("/")
    # Of an application in a workspace, the directories below its root are repeated; older versions do not record them.
    inner = [str(recorded.get("relativeAppDir", "")), *("/".join(parts[-count:]) for count in range(1, len(parts)))]
    for script in (os.path.normpath(os.path.join(root, directory, "server.js")) for directory in inner):
        if os.path.isfile(script):
            return script
    return ""


def complete_standalone(output: str, path: str) -> None:
    """Place what the standalone server serves where it looks for it: ``public/`` and the static files.

    Links, because the static files of earlier builds are added to those of the build.

    :param path: Directory of the frontend.
    """
    script = standalone_server(output, path)
    if not script:
        return
    place = os.path.dirname(script)
    wanted = {
        os.path.join(place, os.path.relpath(output, path), "static"): os.path.join(output, "static"),
        os.path.join(place, "public"): os.path.join(path, "public"),
    }
    for link, target in wanted.items():
        if os.path.isdir(target):
            # Copies by a build command of the application's own.
            remove(link)
            os.makedirs(os.path.dirname(link), exist_ok=True)
            os.symlink(os.path.relpath(target, os.path.dirname(link)), link)


def refuse_export(output: str) -> None:
    """Make sure that the output directory of Next.js is not that of a static export.

    :raises BuildError: If it is, so that ``next start`` refuses to serve it.
    """
    config = object_of(read_json_object(os.path.join(output, _SERVER_FILES)).get("config"))
    if config.get("output") == "export":
        raise BuildError(
            f"next.config has output: export, so nothing serves {output}; set staging_frontend_serve to static and "
            "staging_frontend_output_dir to out"
        )


def _next_program(path: str, places: Sequence[str]) -> str:
    program = os.path.join("node_modules", ".bin", "next")
    for place in places:
        # With pnpm it is a shell script, which pm2 cannot run in a cluster.
        if os.path.islink(os.path.join(place, program)):
            return os.path.relpath(os.path.join(place, program), path)
    return _package_file(path, places, "next", "dist/bin/next") or program


def _package_file(path: str, places: Sequence[str], package: str, name: str) -> str:
    for place in places:
        file = os.path.join(place, "node_modules", package, name)
        if os.path.isfile(file):
            return os.path.relpath(file, path)
    return ""
