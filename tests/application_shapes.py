"""Small applications of the shapes that real ones have, with frameworks at fixed versions from the npm registry."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

#: Becomes the URL in the scripts of a page whose build ignores the public variables.
FALLBACK = "ws://localhost:14200/ws"
#: The package that only the private registry of the tests has.
PRIVATE = "@private/socket"
#: A release of rollup whose packages for all platforms are in every registry.
ROLLUP = {"rollup": "4.50.0"}
BACKEND = """
import asyncio, http, sys
from websockets.asyncio.server import serve


async def echo(connection):
    async for message in connection:
        await connection.send('{"type": "pong"}' if "ping" in message else message)


def answer(connection, request):
    if request.path == "/health":
        return connection.respond(http.HTTPStatus.OK, "fine")


async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), process_request=answer):
        await asyncio.Future()


asyncio.run(main())
"""


@dataclass(frozen=True)
class Locker:
    """A package manager at a fixed version that writes the lock file of an application.

    :param command: With the package ahead that npx runs it from; npm's own needs none.
    """

    file: str
    command: tuple[str, ...]


#: Older ones lock the packages of Nuxt in a way that they refuse themselves.
NPM_11 = Locker(
    "package-lock.json",
    ("npx", "--yes", "npm@11.19.1", "install", "--package-lock-only", "--no-audit", "--no-fund"),
)
NPM = Locker("package-lock.json", ("npm", "install", "--package-lock-only", "--no-audit", "--no-fund"))
PNPM = Locker("pnpm-lock.yaml", ("npx", "--yes", "pnpm@9.15.9", "install", "--lockfile-only"))
YARN = Locker("yarn.lock", ("npx", "--yes", "yarn@1.22.22", "install", "--ignore-scripts"))
YARN_BERRY = Locker(
    "yarn.lock", ("npx", "--yes", "--package=@yarnpkg/cli-dist@4.9.2", "yarn", "install", "--mode=update-lockfile")
)
BUN = Locker("bun.lock", ("npx", "--yes", "bun@1.2.20", "install", "--lockfile-only"))


@dataclass(frozen=True)
class Shape:
    """An application.

    :param title: Its row in docs/applications.md.
    :param files: Texts by path; a mapping is written as JSON. ``{registry}`` becomes the address of a private registry.
    :param variables: Those of the inventory that the shape needs. ``{frontend_port}`` becomes the port of the page,
        ``{token}`` the token of the private registry.
    :param lock: Directory that the packages are locked in.
    :param paths: Paths of the page that must answer 200.
    :param form: Path that takes a form; empty for none.
    :param process: Whether a process under pm2 serves the page.
    """

    name: str
    title: str
    files: Mapping[str, Any]
    variables: Mapping[str, Any]
    lock: str = "web"
    locker: Locker = NPM
    paths: tuple[str, ...] = ("/",)
    base: str = ""
    form: str = ""
    process: bool = True
    backend: str = "backend"
    texts: Mapping[str, str] = field(init=False)

    def __post_init__(self) -> None:
        written = {
            name: content if isinstance(content, str) else json.dumps(content, indent=1)
            for name, content in {f"{self.backend}/server.py": BACKEND, **self.files}.items()
        }
        object.__setattr__(self, "texts", written)

    @property
    def digest(self) -> str:
        """Changes with everything that the application consists of."""
        parts = [dict(self.texts), dict(self.variables), self.lock, asdict(self.locker), self.paths, self.base]
        parts += [self.form] if self.form else []
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def package(self) -> dict[str, Any]:
        """The ``package.json`` of the page."""
        place = self.variables.get("staging_frontend_dir", "web")
        text: dict[str, Any] = json.loads(self.texts["package.json" if place == "." else f"{place}/package.json"])
        return text

    @property
    def versions(self) -> str:
        """The framework and the declared package manager, with their versions."""
        packages = [json.loads(text) for name, text in self.texts.items() if name.endswith("package.json")]
        found = {name: version for each in packages for name, version in each.get("dependencies", {}).items()}
        named = [f"{label} {found[name]}" for name, label in _FRAMEWORKS if name in found][:1]
        declared = [each["packageManager"].replace("@", " ") for each in packages if "packageManager" in each]
        return ", ".join([*named, *declared])


#: The first that an application has is the framework that its row names.
_FRAMEWORKS = (
    *(
        ("next", "Next.js"),
        ("nuxt", "Nuxt"),
        ("@sveltejs/kit", "SvelteKit"),
        ("@remix-run/serve", "Remix"),
        ("astro", "Astro"),
    ),
    *(("react-router", "React Router"), ("@angular/core", "Angular"), ("react-scripts", "react-scripts")),
    ("vite", "Vite"),
)


def package(scripts: Mapping[str, str], packages: Mapping[str, str], **more: Any) -> dict[str, Any]:
    return {
        "name": "web",
        "version": "1.0.0",
        "private": True,
        "scripts": dict(scripts),
        "dependencies": dict(packages),
        # Each package manager reads its own.
        "overrides": ROLLUP,
        "resolutions": ROLLUP,
        "pnpm": {"overrides": ROLLUP},
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
VITE_STATIC = {**STATIC, "staging_frontend_output_dir": "dist", "staging_frontend_fallback": "index.html"}


def vite_managed(declared: str) -> dict[str, Any]:
    """Vite with a declared package manager."""
    return {**VITE_FILES, "package.json": package({"build": "vite build"}, VITE, packageManager=declared)}


SVELTE = {
    **VITE,
    "@sveltejs/kit": "2.49.0",
    "svelte": "5.45.2",
    "@sveltejs/vite-plugin-svelte": "5.1.1",
}


def svelte_files(adapter: str, version: str, **more: str) -> dict[str, Any]:
    return {
        "package.json": package({"build": "vite build"}, {**SVELTE, adapter: version}, type="module"),
        "svelte.config.js": f"import adapter from '{adapter}'\nexport default {{ kit: {{ adapter: adapter() }} }}\n",
        "vite.config.js": "import { sveltekit } from '@sveltejs/kit/vite'\nexport default { plugins: [sveltekit()] }\n",
        "src/app.html": "<html><head>%sveltekit.head%</head><body>%sveltekit.body%</body></html>",
        "src/routes/+page.svelte": (
            "<script>\nimport { onMount } from 'svelte'\nimport { PUBLIC_WS_URL } from '$env/static/public'\n"
            "onMount(() => { new WebSocket(PUBLIC_WS_URL) })\n</script>\n<p>page</p>\n"
        ),
        **more,
    }


ENV_SCRIPT_FILES = {
    "package.json": package({"build": "vite build"}, VITE),
    "index.html": '<script src="/env.js"></script><script type="module" src="/main.js"></script>',
    "main.js": "new WebSocket(window.ENV.WS_URL)\n",
    "server.js": (
        "const fs = require('fs')\n"
        "const env = `window.ENV = ${JSON.stringify({ WS_URL: process.env.NEXT_PUBLIC_WS_URL })}`\n"
        "require('http').createServer(({ url }, response) => {\n"
        "  const name = url === '/' ? 'index.html' : url.slice(1)\n"
        "  response.setHeader('Content-Type', name.endsWith('.js') ? 'text/javascript' : 'text/html')\n"
        "  if (url !== '/env.js' && !fs.existsSync(`dist/${name}`)) response.statusCode = 404\n"
        "  response.end(url === '/env.js' ? env : response.statusCode === 404 ? '' : fs.readFileSync(`dist/${name}`))\n"
        "}).listen(process.env.PORT, '127.0.0.1')\n"
    ),
}

SHAPES = (
    Shape(
        "vite-static",
        "Vite, served by nginx, with a fallback for routes in the browser",
        under("web", VITE_FILES),
        VITE_STATIC,
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
            svelte_files(
                "@sveltejs/adapter-node",
                "5.4.0",
                **{"src/routes/+page.server.js": "export const actions = { default: async () => ({ sent: true }) }\n"},
            ),
        ),
        {
            "staging_frontend_output_dir": "build",
            "staging_frontend_static_dir": "client/_app/immutable",
            "staging_static_url_path": "/_app/immutable/",
        },
        form="/",
    ),
    Shape(
        "astro-node",
        "Astro with @astrojs/node",
        under(
            "web",
            {
                "package.json": package(
                    {"build": "astro build"},
                    {**VITE, "astro": "5.16.0", "@astrojs/node": "9.5.1"},
                    overrides={**ROLLUP, **VITE},
                    type="module",
                ),
                "astro.config.mjs": (
                    "import { defineConfig } from 'astro/config'\nimport node from '@astrojs/node'\n"
                    "export default defineConfig({ output: 'server', adapter: node({ mode: 'standalone' }),\n"
                    "  vite: { build: { assetsInlineLimit: 0 } } })\n"
                ),
                "src/pages/index.astro": (
                    "<html><body><p>page</p>"
                    "<script>new WebSocket(import.meta.env.PUBLIC_WS_URL)</script></body></html>\n"
                ),
            },
        ),
        {
            "staging_frontend_output_dir": "dist",
            "staging_frontend_static_dir": "client/_astro",
            "staging_static_url_path": "/_astro/",
        },
        form="/",
    ),
    Shape(
        "nuxt",
        "Nuxt, with the npm that it declares in `packageManager`",
        under(
            "web",
            {
                "package.json": package({"build": "nuxt build"}, {"nuxt": "3.20.1"}, packageManager="npm@11.19.1"),
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
        locker=NPM_11,
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
    Shape(
        "next-standalone-env",
        "Next.js with `output: standalone` chosen by a variable of the build, in next.config.ts",
        under(
            "web",
            {
                **{name: text for name, text in next_files().items() if name != "next.config.mjs"},
                "package.json": package(
                    {"build": "next build"},
                    {**NEXT, "next": "16.4.5"},
                    devDependencies={
                        "typescript": "5.9.3",
                        "@types/react": "19.2.7",
                        "@types/node": "22.19.1",
                    },
                ),
                "next.config.ts": (
                    "import type { NextConfig } from 'next'\n"
                    "const config: NextConfig = { output: process.env.NEXT_OUTPUT as 'standalone' | undefined }\n"
                    "export default config\n"
                ),
            },
        ),
        {"staging_frontend_build_env": {"NEXT_OUTPUT": "standalone"}},
        paths=("/", "/robots.txt"),
    ),
    Shape(
        "vite-controller",
        "Vite, built on the controller",
        under("web", VITE_FILES),
        {**VITE_STATIC, "staging_frontend_build_on": "controller"},
        paths=("/", "/robots.txt"),
        process=False,
    ),
    Shape(
        "vite-pnpm-turbo",
        "Vite in a workspace of pnpm, built by turborepo",
        {
            "package.json": {
                "name": "all",
                "private": True,
                "packageManager": "pnpm@9.15.9",
                "devDependencies": {"turbo": "2.5.8"},
                "pnpm": {"overrides": ROLLUP},
            },
            "pnpm-workspace.yaml": "packages:\n  - apps/*\n  - packages/*\n",
            "turbo.json": {"tasks": {"build": {"dependsOn": ["^build"], "outputs": ["dist/**"]}}},
            "packages/ui/package.json": {"name": "@app/ui", "version": "1.0.0", "main": "index.js"},
            "packages/ui/index.js": "export const open = (url) => new WebSocket(url)\n",
            **under(
                "apps/web",
                {
                    **VITE_FILES,
                    "package.json": {
                        "name": "web",
                        "version": "1.0.0",
                        "private": True,
                        "scripts": {"build": "vite build"},
                        "dependencies": {**VITE, "@app/ui": "workspace:*"},
                    },
                    "main.js": (
                        f"import {{ open }} from '@app/ui'\nopen(import.meta.env.VITE_WS_URL || '{FALLBACK}')\n"
                    ),
                },
            ),
        },
        {
            **VITE_STATIC,
            "staging_frontend_dir": "apps/web",
            "staging_frontend_build_command": ["turbo", "run", "build", "--filter=web"],
        },
        lock=".",
        locker=PNPM,
        paths=("/", "/robots.txt"),
        process=False,
    ),
    Shape(
        "vite-yarn",
        "Vite with yarn 1, declared in `packageManager`",
        under("web", vite_managed("yarn@1.22.22")),
        VITE_STATIC,
        locker=YARN,
        process=False,
    ),
    Shape(
        "vite-yarn-berry",
        "Vite with yarn 4, declared in `packageManager`, with Plug'n'Play where it is developed",
        under("web", vite_managed("yarn@4.9.2")),
        VITE_STATIC,
        locker=YARN_BERRY,
        process=False,
    ),
    Shape(
        "vite-bun",
        "Vite with bun, declared in `packageManager`",
        under("web", vite_managed("bun@1.2.20")),
        VITE_STATIC,
        locker=BUN,
        process=False,
    ),
    Shape(
        "vite-private",
        "Vite with a package of a private registry, whose token `.npmrc` takes from a variable",
        under(
            "web",
            {
                **VITE_FILES,
                "package.json": package({"build": "vite build"}, {**VITE, f"{PRIVATE}": "1.0.0"}),
                ".npmrc": "@private:registry={registry}/\n{registry_name}/:_authToken=${NPM_TOKEN}\n",
                "main.js": (f"import {{ open }} from '{PRIVATE}'\nopen(import.meta.env.VITE_WS_URL || '{FALLBACK}')\n"),
            },
        ),
        {**VITE_STATIC, "staging_frontend_install_env": {"NPM_TOKEN": "{token}"}},
        process=False,
    ),
    Shape(
        "sveltekit-static",
        "SvelteKit with adapter-static, served by nginx",
        under(
            "web",
            svelte_files(
                "@sveltejs/adapter-static", "3.0.10", **{"src/routes/+layout.js": "export const prerender = true\n"}
            ),
        ),
        {**STATIC, "staging_frontend_output_dir": "build"},
        process=False,
    ),
    Shape(
        "react-router",
        "React Router with react-router-serve",
        under(
            "web",
            {
                "package.json": package(
                    {"build": "react-router build"},
                    {
                        **VITE,
                        **dict.fromkeys(
                            ("react-router", "@react-router/dev", "@react-router/node", "@react-router/serve"), "7.9.6"
                        ),
                        "react": "19.2.3",
                        "react-dom": "19.2.3",
                        "isbot": "5.1.32",
                    },
                    type="module",
                ),
                "vite.config.js": (
                    "import { reactRouter } from '@react-router/dev/vite'\n"
                    "export default { plugins: [reactRouter()] }\n"
                ),
                "app/root.jsx": (
                    "import { Links, Meta, Outlet, Scripts } from 'react-router'\n"
                    "export default function App() { return <html><head><Meta /><Links /></head>"
                    "<body><Outlet /><Scripts /></body></html> }\n"
                ),
                "app/routes.js": (
                    "import { index } from '@react-router/dev/routes'\nexport default [index('home.jsx')]\n"
                ),
                "app/home.jsx": (
                    "import { useEffect } from 'react'\nexport default function Home() {\n"
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
    Shape(
        "angular",
        "Angular, served by nginx",
        under(
            "web",
            {
                "package.json": package(
                    {"build": "ng build --define \"WS_URL='$NG_APP_WS_URL'\""},
                    {
                        **{
                            f"@angular/{name}": "20.3.15"
                            for name in ("core", "common", "compiler", "platform-browser", "compiler-cli")
                        },
                        **{f"@angular/{name}": "20.3.13" for name in ("build", "cli")},
                        "rxjs": "7.8.2",
                        "tslib": "2.8.1",
                        "typescript": "5.9.3",
                    },
                    overrides={},
                ),
                "angular.json": {
                    "version": 1,
                    "cli": {"analytics": False},
                    "projects": {
                        "web": {
                            "projectType": "application",
                            "root": "",
                            "sourceRoot": "src",
                            "architect": {
                                "build": {
                                    "builder": "@angular/build:application",
                                    "options": {
                                        "browser": "src/main.ts",
                                        "index": "src/index.html",
                                        "tsConfig": "tsconfig.json",
                                        "outputHashing": "all",
                                        "assets": [{"glob": "**/*", "input": "public"}],
                                    },
                                }
                            },
                        }
                    },
                },
                "tsconfig.json": {
                    "compilerOptions": {
                        "target": "ES2022",
                        "module": "preserve",
                        "moduleResolution": "bundler",
                        "experimentalDecorators": True,
                        "skipLibCheck": True,
                    },
                    "files": ["src/main.ts"],
                },
                "src/index.html": "<html><head><base href='/'></head><body><app-root></app-root></body></html>",
                "src/main.ts": (
                    "import { Component, provideZonelessChangeDetection } from '@angular/core'\n"
                    "import { bootstrapApplication } from '@angular/platform-browser'\n"
                    "declare const WS_URL: string\n"
                    "@Component({ selector: 'app-root', template: '<p>page</p>' })\n"
                    "class App { socket = new WebSocket(WS_URL) }\n"
                    "bootstrapApplication(App, { providers: [provideZonelessChangeDetection()] })\n"
                ),
                "public/robots.txt": "User-agent: *\n",
            },
        ),
        {
            **STATIC,
            "staging_frontend_output_dir": "dist/web/browser",
            "staging_frontend_fallback": "index.html",
        },
        paths=("/", "/robots.txt", "/projects/7"),
        process=False,
    ),
    Shape(
        "url-at-start",
        "Vite, with a server that writes the URL into a script when it starts",
        under("web", ENV_SCRIPT_FILES),
        {
            "staging_frontend_url_at": "start",
            "staging_frontend_output_dir": "dist",
            "staging_frontend_command": ["server.js"],
            "staging_static_publish": False,
        },
        paths=("/", "/env.js"),
    ),
    Shape(
        "create-react-app",
        "Create React App, served by nginx",
        under(
            "web",
            {
                "package.json": package(
                    {"build": "react-scripts build"},
                    {"react-scripts": "5.0.1", "react": "18.3.1", "react-dom": "18.3.1"},
                    # Packages that accept any version would get one that react-scripts refuses.
                    devDependencies={"typescript": "4.9.5"},
                    overrides={},
                    browserslist=["last 1 chrome version"],
                ),
                "public/index.html": "<html><body><div id='root'></div></body></html>",
                "public/robots.txt": "User-agent: *\n",
                "src/index.js": (
                    "import { createRoot } from 'react-dom/client'\n"
                    f"const url = process.env.REACT_APP_WS_URL || '{FALLBACK}'\n"
                    "createRoot(document.getElementById('root')).render("
                    "<p onClick={() => new WebSocket(url)}>page</p>)\n"
                ),
            },
        ),
        {**STATIC, "staging_frontend_output_dir": "build", "staging_frontend_fallback": "index.html"},
        paths=("/", "/robots.txt"),
        process=False,
    ),
)
