# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names of public variables: each framework builds only those with its prefix into the bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .workspace import package_names

#: The prefix by a package of the frontend; the first package that it has counts, since many frameworks use Vite.
_PREFIXES = (
    ("next", "NEXT_PUBLIC_"),
    ("@sveltejs/kit", "PUBLIC_"),
    ("astro", "PUBLIC_"),
    ("react-scripts", "REACT_APP_"),
    ("@analogjs/platform", "VITE_"),
    ("@angular/core", "NG_APP_"),
    ("@vue/cli-service", "VUE_APP_"),
    ("gatsby", "GATSBY_"),
    ("expo", "EXPO_PUBLIC_"),
    ("@builder.io/qwik-city", "PUBLIC_"),
    ("@qwik.dev/router", "PUBLIC_"),
    ("@rsbuild/core", "PUBLIC_"),
    ("waku", "WAKU_PUBLIC_"),
    ("@umijs/max", "UMI_APP_"),
    ("umi", "UMI_APP_"),
    ("preact-cli", "PREACT_APP_"),
    # The client code of Nuxt, Remix and React Router is built by Vite.
    ("nuxt", "VITE_"),
    ("@solidjs/start", "VITE_"),
    ("vinxi", "VITE_"),
    ("vitepress", "VITE_"),
    ("vite", "VITE_"),
)
_DEFAULT = "NEXT_PUBLIC_"
#: Read by the configuration of Nuxt (``runtimeConfig.public``), from which the pages are rendered in the build.
_OF_CONFIGURATION = {"nuxt": "NUXT_PUBLIC_"}


def public_prefixes(package: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the prefixes of the public variables of a frontend.

    :param package: Its ``package.json``.
    """
    every = package_names(package)
    built = next((prefix for name, prefix in _PREFIXES if name in every), _DEFAULT)
    return (built, *(prefix for name, prefix in _OF_CONFIGURATION.items() if name in every))


def with_prefixes(env: Mapping[str, Any], prefixes: Sequence[str]) -> dict[str, Any]:
    """Return variables, and those of Next.js under the names of another framework, too, unless these are given."""
    ends = {name[len(_DEFAULT) :]: value for name, value in env.items() if name.startswith(_DEFAULT)}
    return {**{prefix + end: value for prefix in prefixes for end, value in ends.items()}, **env}
