"""Small applications of the shapes that real ones have, with frameworks at fixed versions from the npm registry."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Becomes the URL in the scripts of a page whose build ignores the public variables.
FALLBACK = "ws://localhost:14200/ws"
#: A release of rollup whose packages for all platforms are in every registry.
ROLLUP = {"rollup": "4.50.0"}
BACKEND = """
import asyncio, http, sys
from websockets.asyncio.server import serve


async def echo(connection):
    async for message in connection:
        await connection.send(message)


def answer(connection, request):
    if request.path == "/health":
        return connection.respond(http.HTTPStatus.OK, "fine")


async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), process_request=answer):
        await asyncio.Future()


asyncio.run(main())
"""


@dataclass(frozen=True)
class Shape:
    """An application.

    :param title: Its row in docs/applications.md.
    :param files: Texts by path; a mapping is written as JSON.
    :param variables: Those of the inventory that the shape needs.
    :param lock: Directory that npm locks the packages in; None if a lock file is among the files.
    :param paths: Paths of the page that must answer 200.
    :param process: Whether a process under pm2 serves the page.
    """

    name: str
    title: str
    files: Mapping[str, Any]
    variables: Mapping[str, Any]
    lock: str | None = "web"
    paths: tuple[str, ...] = ("/",)
    base: str = ""
    process: bool = True
    backend: str = "backend"
    texts: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        written = {
            name: content if isinstance(content, str) else json.dumps(content, indent=1)
            for name, content in {f"{self.backend}/server.py": BACKEND, **self.files}.items()
        }
        object.__setattr__(self, "texts", written)


def package(scripts: Mapping[str, str], packages: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {
        "name": "web",
        "version": "1.0.0",
        "private": True,
        "scripts": dict(scripts),
        "dependencies": dict(packages),
        "overrides": ROLLUP,
        **more,
    }


def under(directory: str, files: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{directory}/{name}": content for name, content in files.items()}


# --- Next.js ----------------------------------------------------------------------------------------

NEXT = {"next": "15.5.28", "react": "19.2.3", "react-dom": "19.2.3"}
NEXT_PAGE = f"""'use client'
import {{ useState }} from 'react'
const url = process.env.NEXT_PUBLIC_WS_URL || '{FALLBACK}'
export default function Page() {{
  const [n, set] = useState(0)
  return <p onClick={{() => {{ set(n + 1); new WebSocket(url + '?n=' + n) }}}}>{{n}}</p>
}}
"""
NEXT_LAYOUT = "export default function Layout({ children }) { return <html><body>{children}</body></html> }\n"


def next_files(config: str = "{}", **more: Any) -> dict[str, Any]:
    return {
        "package.json": package({"build": "next build"}, NEXT, **more),
        "next.config.mjs": f"export default {config}\n",
        "app/page.jsx": NEXT_PAGE,
        "app/layout.jsx": NEXT_LAYOUT,
        "public/robots.txt": "User-agent: *\n",
    }


# --- Vite -------------------------------------------------------------------------------------------

VITE = {"vite": "6.4.6"}
VITE_FILES = {
    "package.json": package({"build": "vite build"}, VITE),
    "index.html": '<div id="app"></div><script type="module" src="/main.js"></script>',
    "main.js": f"document.title = 'x'; new WebSocket(import.meta.env.VITE_WS_URL || '{FALLBACK}')\n",
    "public/robots.txt": "User-agent: *\n",
}
STATIC = {"staging_frontend_serve": "static"}

SHAPES = (
    Shape(
        "vite-static",
        "Vite, served by nginx, with a fallback for routes in the browser",
        under("web", VITE_FILES),
        {**STATIC, "staging_frontend_output_dir": "dist", "staging_frontend_fallback": "index.html"},
        paths=("/", "/robots.txt", "/projects/7"),
        process=False,
    ),
    Shape(
        "next-root",
        "Next.js at the root of the application, beside its backend in Python",
        {**next_files(), "requirements.txt": ""},
        {"staging_frontend_dir": ".", "staging_backend_dir": "."},
        lock=".",
        paths=("/", "/robots.txt"),
        backend=".",
    ),
    Shape(
        "next-standalone-workspace",
        "Next.js with `output: standalone`, a member of an npm workspace with a lock file at its root",
        {
            "package.json": {"name": "all", "private": True, "workspaces": ["apps/*", "packages/*"]},
            "packages/ui/package.json": {"name": "@app/ui", "version": "1.0.0", "main": "index.js"},
            "packages/ui/index.js": f"export const url = process.env.NEXT_PUBLIC_WS_URL || '{FALLBACK}'\n",
            **under(
                "apps/web",
                {
                    **next_files("{ output: 'standalone', transpilePackages: ['@app/ui'] }"),
                    "package.json": {
                        "name": "web",
                        "version": "1.0.0",
                        "private": True,
                        "scripts": {"build": "next build"},
                        "dependencies": {**NEXT, "@app/ui": "*"},
                    },
                    "app/page.jsx": NEXT_PAGE.replace(
                        f"const url = process.env.NEXT_PUBLIC_WS_URL || '{FALLBACK}'", "import { url } from '@app/ui'"
                    ),
                },
            ),
        },
        {"staging_frontend_dir": "apps/web"},
        lock=".",
        paths=("/", "/robots.txt"),
    ),
    Shape(
        "next-paths",
        "Next.js with `basePath`, `assetPrefix` and `distDir`",
        under("web", next_files("{ basePath: '/app', assetPrefix: '/app', distDir: 'build' }")),
        {"staging_frontend_output_dir": "build"},
        paths=("/app", "/app/robots.txt"),
        base="/app",
    ),
    Shape(
        "next-export",
        "Next.js with `output: export`, served by nginx",
        under(
            "web", {**next_files("{ output: 'export' }"), "app/about/page.jsx": "export default () => <p>about</p>\n"}
        ),
        {**STATIC, "staging_frontend_output_dir": "out"},
        paths=("/", "/about", "/robots.txt"),
        process=False,
    ),
    Shape(
        "next-server",
        "Next.js with a server.js of its own",
        under(
            "web",
            {
                **next_files(),
                "server.js": (
                    "const { createServer } = require('http'); const app = require('next')({ dev: false });\n"
                    "app.prepare().then(() => createServer(app.getRequestHandler()).listen(process.env.PORT))\n"
                ),
            },
        ),
        {
            "staging_frontend_command": ["server.js"],
            "staging_frontend_env": {"NODE_ENV": "production", "PORT": "{frontend_port}"},
        },
    ),
    Shape(
        "sveltekit-node",
        "SvelteKit with adapter-node",
        under(
            "web",
            {
                "package.json": package(
                    {"build": "vite build"},
                    {
                        **VITE,
                        "@sveltejs/kit": "2.49.0",
                        "svelte": "5.45.2",
                        "@sveltejs/adapter-node": "5.4.0",
                        "@sveltejs/vite-plugin-svelte": "5.1.1",
                    },
                    type="module",
                ),
                "svelte.config.js": (
                    "import adapter from '@sveltejs/adapter-node'\nexport default { kit: { adapter: adapter() } }\n"
                ),
                "vite.config.js": (
                    "import { sveltekit } from '@sveltejs/kit/vite'\nexport default { plugins: [sveltekit()] }\n"
                ),
                "src/app.html": "<html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>",
                "src/routes/+page.svelte": (
                    "<script>\nimport { onMount } from 'svelte'\nimport { PUBLIC_WS_URL } from '$env/static/public'\n"
                    "onMount(() => { new WebSocket(PUBLIC_WS_URL) })\n</script>\n<p>page</p>\n"
                ),
            },
        ),
        {
            "staging_frontend_output_dir": "build",
            "staging_frontend_static_dir": "client/_app/immutable",
            "staging_static_url_path": "/_app/immutable/",
        },
    ),
    Shape(
        "nuxt",
        "Nuxt",
        under(
            "web",
            {
                "package.json": package({"build": "nuxt build"}, {"nuxt": "3.20.1"}),
                "nuxt.config.ts": (
                    "export default defineNuxtConfig({ compatibilityDate: '2025-01-01', telemetry: false })\n"
                ),
                "app.vue": (
                    "<script setup>\nonMounted(() => { new WebSocket(import.meta.env.VITE_WS_URL) })\n</script>\n"
                    "<template><p>page</p></template>\n"
                ),
            },
        ),
        {
            "staging_frontend_output_dir": ".output",
            "staging_frontend_static_dir": "public/_nuxt",
            "staging_static_url_path": "/_nuxt/",
        },
    ),
    Shape(
        "remix",
        "Remix with remix-serve",
        under(
            "web",
            {
                "package.json": package(
                    {"build": "remix vite:build"},
                    {
                        **VITE,
                        **{f"@remix-run/{name}": "2.17.4" for name in ("dev", "node", "react", "serve")},
                        "react": "18.3.1",
                        "react-dom": "18.3.1",
                        "isbot": "4.4.0",
                    },
                    type="module",
                ),
                "vite.config.js": (
                    "import { vitePlugin as remix } from '@remix-run/dev'\nexport default { plugins: [remix()] }\n"
                ),
                "app/root.jsx": (
                    "import { Links, Meta, Outlet, Scripts } from '@remix-run/react'\n"
                    "export default function App() { return <html><head><Meta /><Links /></head>"
                    "<body><Outlet /><Scripts /></body></html> }\n"
                ),
                "app/routes/_index.jsx": (
                    "import { useEffect } from 'react'\nexport default function Index() {\n"
                    "  useEffect(() => { new WebSocket(import.meta.env.VITE_WS_URL) }, [])\n  return <p>page</p>\n}\n"
                ),
            },
        ),
        {
            "staging_frontend_output_dir": "build",
            "staging_frontend_static_dir": "client/assets",
            "staging_static_url_path": "/assets/",
        },
    ),
)
