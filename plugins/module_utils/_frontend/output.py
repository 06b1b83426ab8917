# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The output directory of a build: whether it is complete, and which scripts a browser loads from it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._host.files import read_text
from .._host.json_text import json_object, read_json_object
from .aside import previous_of
from .build_plan import RECORD, record_beside
from .retained import retained_files
from .routes import NextManifests, Route, next_routes, page_routes
from .sources import short_digest
from .workspace import package_names

_LASTING = (".js", ".mjs", ".cjs", ".css", ".wasm", "-manifest.json", "BUILD_ID")
_LARGEST_SCRIPT = 32 * 1024 * 1024
#: The default of Next.js, and what ``distDir`` is often set to.
_NAMES_OF_EXPORTS = ("out", "dist", "build")
_NEXT_MANIFEST = "build-manifest.json"
_REFERENCES = "_client-reference-manifest.js"


def is_next_build(package: Mapping[str, Any], output: str) -> bool:
    """Whether an output directory is the one of ``next build``, and not of its static export.

    Under a usual name of an export, only what is in the directory, or in its previous state, tells.
    """
    every = package_names(package)
    if "next" not in every:
        return False
    if os.path.basename(output) not in _NAMES_OF_EXPORTS:
        return True
    return any(os.path.isfile(os.path.join(place, _NEXT_MANIFEST)) for place in (output, previous_of(output)))


def incomplete(output: str, *, next_build: bool, whole: bool = False) -> str:
    """Return what a complete build has and this one lacks; empty if it is complete.

    :param whole: Whether the directory is served as the page.
    """
    if not os.path.isdir(output):
        return "there is no build"
    if next_build:
        # Written last, so that their absence marks a build that did not finish.
        for name in ("BUILD_ID", _NEXT_MANIFEST, "routes-manifest.json"):
            if not os.path.isfile(os.path.join(output, name)):
                return f"build incomplete: no {name}"
        return ""
    names = [name for name in os.listdir(output) if name != RECORD]
    if not names:
        return "build incomplete: the output directory is empty"
    if whole and not any(name.endswith(".html") for name in names):
        return "build incomplete: no HTML file"
    return ""


def lasting_files(output: str, *, next_build: bool) -> list[str]:
    """Return the files of a finished build that nothing writes afterwards.

    A server of Next.js goes on writing its cache and the pages that it renders again.
    """
    found = []
    for directory, names, files in os.walk(output):
        relative = os.path.relpath(directory, output)
        prefix = "" if relative == "." else relative + "/"
        if next_build and not prefix:
            names[:] = [name for name in names if name in ("server", "static", "standalone")]
        # Of a standalone output, the links to what it serves.
        links = [name for name in names if os.path.islink(os.path.join(directory, name))]
        found += [prefix + name for name in links]
        for name in files:
            if name == RECORD or (next_build and not prefix.startswith("static/") and not name.endswith(_LASTING)):
                continue
            found.append(prefix + name)
    return sorted(found)


def missing_files(files: Sequence[str], output: str) -> list[str]:
    """Return which files of a build are missing."""
    gone = [name for name in files if not os.path.exists(os.path.join(output, name))]
    more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
    return [f"build damaged: {gone[0]}{more} is missing"] if gone else []


def build_id(output: str) -> str:
    """Return the id of the build: Next.js's BUILD_ID, otherwise a digest of its page; empty if there is none."""
    text = (read_text(os.path.join(output, "BUILD_ID")) or "").strip()
    if text:
        return text
    page = os.path.join(output, "index.html")
    return short_digest(page, follow=True)[:16] if os.path.isfile(page) else ""


def client_scripts(output: str) -> dict[str, str]:
    """Return the texts of the scripts that a browser can load from a build, by path below the output directory.

    Next.js has them under ``static/``. Of any other bundler, every script counts, and those
    written into its pages. Scripts of earlier builds that were added to it do not count.
    """
    scripts: dict[str, str] = {}
    is_next = os.path.isdir(os.path.join(output, "static")) and os.path.isfile(os.path.join(output, _NEXT_MANIFEST))
    root = os.path.join(output, "static") if is_next else output
    earlier = {os.path.join(root, name) for name in retained_files(root)}
    for directory, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in ("cache", "node_modules", "server"))
        for place in (os.path.join(directory, name) for name in names):
            earlier.update(os.path.join(place, name) for name in retained_files(place))
        for name in sorted(files):
            path = os.path.join(directory, name)
            if path in earlier or not name.endswith((".js", ".mjs") if is_next else (".js", ".mjs", ".html")):
                continue
            text = read_text(path, limit=_LARGEST_SCRIPT)
            if text is not None:
                scripts[os.path.relpath(path, output)] = text
    return scripts


def server_scripts(output: str) -> dict[str, str]:
    """Return the texts of the scripts that a server of a build runs, by path below the output directory."""
    scripts: dict[str, str] = {}
    for directory, names, files in os.walk(output):
        names[:] = sorted(name for name in names if name not in ("cache", "node_modules"))
        if "server" not in os.path.relpath(directory, output).split(os.sep):
            continue
        for name in sorted(files):
            path = os.path.join(directory, name)
            text = read_text(path, limit=_LARGEST_SCRIPT) if name.endswith((".js", ".mjs", ".cjs")) else None
            if text is not None:
                scripts[os.path.relpath(path, output)] = text
    return scripts


def client_routes(output: str, scripts: Mapping[str, str]) -> tuple[Route, ...]:
    """Return the routes of a build and which scripts they load; none if the build does not say.

    :param scripts: The client scripts of the build.
    """
    if not os.path.isfile(os.path.join(output, _NEXT_MANIFEST)):
        return page_routes(scripts)
    manifests = NextManifests(
        pages=read_json_object(os.path.join(output, _NEXT_MANIFEST)),
        app=read_json_object(os.path.join(output, "app-build-manifest.json")),
        references=dict(_references(os.path.join(output, "server", "app"))),
        prerendered=read_json_object(os.path.join(output, "prerender-manifest.json")),
    )
    return next_routes(manifests, scripts)


def common_scripts(output: str) -> frozenset[str]:
    """Return the scripts that Next.js adds to the pages of every route, such as polyfills."""
    manifest = read_json_object(os.path.join(output, _NEXT_MANIFEST))
    named = [manifest.get(key) for key in ("polyfillFiles", "lowPriorityFiles")]
    return frozenset(str(name) for names in named if isinstance(names, list) for name in names)


def base_path(output: str) -> str:
    """Return the path that Next.js puts before every route; empty for none."""
    value = read_json_object(os.path.join(output, "routes-manifest.json")).get("basePath")
    return value if isinstance(value, str) else ""


def _references(root: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the assignments ``globalThis.__RSC_MANIFEST["/page"]={...};`` of the app router."""
    for directory, _names, files in os.walk(root):
        for name in files:
            if name.endswith(f"page{_REFERENCES}"):
                path = os.path.join(directory, name)
                text = read_text(path) or ""
                start = text.find("{", text.rfind("]", 0, text.find('"moduleLoading"')))
                key = "/" + os.path.relpath(path, root)[: -len(_REFERENCES)]
                yield key, json_object(text[start:].rstrip().rstrip(";"))


def record_path(output: str, *, next_build: bool) -> str:
    """Return the path of the record of a finished build.

    Next.js serves only a part of its output directory, so the record is in it. Of any other
    bundler the whole directory is served, so the record is beside it.
    """
    if next_build:
        return os.path.join(output, RECORD)
    return os.path.join(os.path.dirname(output), record_beside(output))
