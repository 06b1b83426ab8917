# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where frameworks put what they build, unless the application says otherwise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from .workspace import package_names


@dataclass(frozen=True)
class Framework:
    """A framework of pages.

    :param package: Its package, of which a ``package.json`` that uses it has the name.
    :param output_dir: Directory of its build, relative to that of the frontend.
    :param static_dir: In this, files whose names change with their content; empty if they are among others.
    :param static_url_path: The URL path of these.
    :param server: Whether a build may have a server, or a package of its own has one.
    :param page_dir: Directory of the whole page, where the build has one and it is another one.
    :param problem: Why a build of it can be of no use, and what to do; empty for none.
    """

    package: str
    name: str
    output_dir: str
    static_dir: str
    static_url_path: str
    server: bool = True
    page_dir: str = ""
    problem: str = ""


#: The first that an application has counts, since many of them use Vite.
FRAMEWORKS = (
    Framework("next", "Next.js", ".next", "static", "/_next/static/", page_dir="out"),
    Framework("nuxt", "Nuxt", ".output", "public/_nuxt", "/_nuxt/", page_dir=".output/public"),
    Framework("@sveltejs/kit", "SvelteKit", "build", "client/_app/immutable", "/_app/immutable/"),
    Framework("astro", "Astro", "dist", "client/_astro", "/_astro/"),
    Framework("@remix-run/dev", "Remix", "build", "client/assets", "/assets/", page_dir="build/client"),
    Framework("@react-router/dev", "React Router", "build", "client/assets", "/assets/", page_dir="build/client"),
    Framework("@solidjs/start", "SolidStart", ".output", "public/_build", "/_build/", page_dir=".output/public"),
    Framework("react-scripts", "Create React App", "build", "static", "/static/", server=False),
    Framework("@vue/cli-service", "Vue CLI", "dist", "", "", server=False),
    Framework("gatsby", "Gatsby", "public", "", "", server=False),
    Framework("@docusaurus/core", "Docusaurus", "build", "assets", "/assets/", server=False),
    Framework("vitepress", "VitePress", "<sources>/.vitepress/dist", "assets", "/assets/", server=False),
    Framework("@11ty/eleventy", "Eleventy", "_site", "", "", server=False),
    Framework("@ionic/angular", "Ionic", "www", "", "", server=False),
    Framework("@quasar/app-vite", "Quasar", "dist/spa", "assets", "/assets/", server=False),
    Framework("expo", "Expo", "dist", "_expo/static", "/_expo/static/", server=False),
    Framework("@angular/core", "Angular", "dist/<project>/browser", "", "", server=False),
    Framework("@rsbuild/core", "Rsbuild", "dist", "static", "/static/", server=False),
    Framework("parcel", "Parcel", "dist", "", "", server=False),
    Framework("vite", "Vite", "dist", "assets", "/assets/", server=False),
)
#: Of a page that is made with none of them.
UNKNOWN = Framework("", "", "", "", "")
_ADAPTER = re.compile(r"(?:@[\w.-]+/|svelte-)adapter-[\w-]+\Z")
#: In a line of its own, or in an object in one line; what is chosen by a condition is not known.
_EXPORT = re.compile(r"(?m)^[^/\n*?&|]*\boutput:\s*([\"'])export\1\s*,?\s*[})]*\s*(?:as\s+const\b.*)?(?://.*)?;?$")
_AUTO = "@sveltejs/adapter-auto"
#: Packages without which there is no server.
_SERVERS = {
    "astro": "@astrojs/node",
    "@remix-run/dev": "@remix-run/serve",
    "@react-router/dev": "@react-router/serve",
}
#: Those that use one of the above, but have other directories.
_OTHERS = frozenset(
    {
        *("@angular/ssr", "@analogjs/platform", "@builder.io/qwik-city", "@qwik.dev/router", "@storybook/cli"),
        *("@tanstack/react-start", "@tanstack/solid-start", "@tanstack/start", "electron-vite", "vike", "vinxi"),
        *("waku", "wxt", "@redwoodjs/core"),
    }
)


def framework_of(package: Mapping[str, Any]) -> Framework:
    """Return the framework of a frontend, or ``UNKNOWN``.

    :param package: Its ``package.json``.
    """
    names = package_names(package)
    if names & _OTHERS:
        return UNKNOWN
    found = next((framework for framework in FRAMEWORKS if framework.package in names), UNKNOWN)
    adapters = {name for name in names if _ADAPTER.match(name)} if found.package == "@sveltejs/kit" else set()
    if adapters == {_AUTO}:
        return replace(
            found,
            problem="@sveltejs/adapter-auto, which makes nothing for a server of one's own; use "
            "@sveltejs/adapter-node, or @sveltejs/adapter-static with staging_frontend_serve: static",
        )
    static = "@sveltejs/adapter-static" in adapters and not adapters - {"@sveltejs/adapter-static", _AUTO}
    without = bool(found.package) and _SERVERS.get(found.package, found.package) not in names
    return replace(found, server=False) if static or without else found


def exports_pages(config: str) -> bool:
    """Whether a configuration of Next.js always makes a static export.

    :param config: The text of ``next.config``.
    """
    return _EXPORT.search(config) is not None
