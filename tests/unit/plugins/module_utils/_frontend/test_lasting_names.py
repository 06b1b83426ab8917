# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that change with the content of their files."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.lasting_names import is_lasting


@pytest.mark.parametrize(
    "path",
    [
        "assets/index-BvX3k9Qz.js",
        "assets/logo-CwXy_-aB.svg",
        "assets/fonts/inter-D1qF8x2a.woff2",
        "static/js/main.8a7b6c5d.js",
        "static/js/787.8a7b6c5d.chunk.js.map",
        "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.svg",
        "main-5LKXGH2V.js",
        "styles-ABCD2345.css",
        "chunk-ABCDEFGH.js",
        "_next/static/chunks/app/page.js",
        "app/_next/static/abc/_buildManifest.js",
        "_app/immutable/entry/start.js",
        "_nuxt/entry.css",
    ],
)
def test_lasting(path: str) -> None:
    assert is_lasting(path)


@pytest.mark.parametrize(
    "path",
    [
        "index.html",
        "about/index.html",
        "sw.js",
        "service-worker.js",
        "my-favorite.js",
        "assets/logo.png",
        "assets/my-favorite.png",
        "photo-20240101.jpg",
        "Annual-Report24.pdf",
        "robots.txt",
        "static/manifest.json",
        "_app/version.json",
    ],
)
def test_not_lasting(path: str) -> None:
    assert not is_lasting(path)
