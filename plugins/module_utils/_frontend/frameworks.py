# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where frameworks put what they build, unless the application says otherwise."""

from __future__ import annotations

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
    """

    package: str
    name: str
    output_dir: str
    static_dir: str
    static_url_path: str
    server: bool = True


#: The first that an application has counts, since many of them use Vite.
FRAMEWORKS = (
    Framework("next", "Next.js", ".next", "static", "/_next/static/"),
    Framework("nuxt", "Nuxt", ".output", "public/_nuxt", "/_nuxt/"),
    Framework("@sveltejs/kit", "SvelteKit", "build", "client/_app/immutable", "/_app/immutable/"),
    Framework("astro", "Astro", "dist", "client/_astro", "/_astro/"),
    Framework("@remix-run/dev", "Remix", "build", "client/assets", "/assets/"),
    Framework("@react-router/dev", "React Router", "build", "client/assets", "/assets/"),
    Framework("@solidjs/start", "SolidStart", ".output", "public/_build", "/_build/"),
    Framework("react-scripts", "Create React App", "build", "static", "/static/", server=False),
    Framework("@vue/cli-service", "Vue CLI", "dist", "", "", server=False),
    Framework("gatsby", "Gatsby", "public", "", "", server=False),
    Framework("@angular/core", "Angular", "dist/<project>/browser", "", "", server=False),
    Framework("vite", "Vite", "dist", "assets", "/assets/", server=False),
)
_ADAPTERS = {"@sveltejs/adapter-static", "@sveltejs/adapter-node", "@sveltejs/adapter-auto"}
#: Packages without which there is no server.
_SERVERS = {
    "astro": "@astrojs/node",
    "@remix-run/dev": "@remix-run/serve",
    "@react-router/dev": "@react-router/serve",
}
#: Those that use one of the above, but have other directories.
_OTHERS = frozenset(
    {
        *("@angular/ssr", "@analogjs/platform", "@builder.io/qwik-city", "@quasar/app-vite", "@storybook/cli"),
        *("@tanstack/react-start", "@tanstack/start", "electron-vite", "vike", "vinxi", "vitepress", "waku", "wxt"),
    }
)


def framework_of(package: Mapping[str, Any]) -> Framework | None:
    """Return the framework of a frontend, if it is known.

    :param package: Its ``package.json``.
    """
    names = package_names(package)
    if names & _OTHERS:
        return None
    found = next((framework for framework in FRAMEWORKS if framework.package in names), None)
    if found is None:
        return None
    static = found.package == "@sveltejs/kit" and {"@sveltejs/adapter-static"} == names & _ADAPTERS
    return replace(found, server=False) if static or _SERVERS.get(found.package, found.package) not in names else found
