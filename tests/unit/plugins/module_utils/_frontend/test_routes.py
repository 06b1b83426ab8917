"""Which routes load which scripts; the manifests are excerpts of real builds."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.bundle import search
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.routes import (
    NextManifests,
    Route,
    holding,
    next_routes,
    page_routes,
    unloaded,
)

URL = "wss://api.example.com/ws"


def scripts_of(routes: tuple[Route, ...]) -> dict[str, set[str]]:
    return {route.name: {name.rpartition("/")[2] for name in route.scripts} for route in routes}


#: next build, 14.2 with webpack: one entry for each page and each layout, lazy chunks by number.
WEBPACK = NextManifests(
    pages={
        "rootMainFiles": ["static/chunks/webpack-1.js", "static/chunks/main-app-2.js"],
        "pages": {
            "/_app": ["static/chunks/pages/_app-3.js"],
            "/old/[id]": ["static/chunks/pages/old/[id]-4.js"],
        },
    },
    app={
        "pages": {
            "/layout": ["static/chunks/app/layout-5.js"],
            "/page": ["static/chunks/app/page-6.js"],
            "/(group)/about/page": ["static/chunks/app/(group)/about/page-7.js"],
            "/(group)/layout": ["static/chunks/app/(group)/layout-12.js"],
            "/projects/[projectId]/page": ["static/chunks/app/projects/[projectId]/page-8.js"],
            "/projects/layout": ["static/chunks/app/projects/layout-9.js", "static/css/10.css"],
        }
    },
    references={"/page": {"clientModules": {"list.jsx": {"chunks": ["8", "static/chunks/app/projects/layout-9.js"]}}}},
    prerendered={"routes": {"/about": {"srcRoute": "/about"}, "/": {"srcRoute": "/"}}},
)
WEBPACK_SCRIPTS = {
    "static/chunks/webpack-1.js": 'd.u=function(e){return"static/chunks/"+e+"."+({610:"7a"})[e]+".js"}',
    "static/chunks/main-app-2.js": "",
    "static/chunks/pages/_app-3.js": "",
    "static/chunks/pages/old/[id]-4.js": "(self.webpackChunk_N_E=[]).push([[237],{}])",
    "static/chunks/app/layout-5.js": "",
    "static/chunks/app/page-6.js": "(self.webpackChunk_N_E=[]).push([[931],{}])",
    "static/chunks/app/(group)/about/page-7.js": "",
    "static/chunks/app/(group)/layout-12.js": "",
    "static/chunks/app/projects/[projectId]/page-8.js": 't.e(610).then(t.bind(t,3610));t.tu(t.u("w"));x.e(931)',
    "static/chunks/app/projects/layout-9.js": "",
    "static/chunks/610.7a.js": '"use strict";(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([[610],{3610:1}])',
    "static/chunks/w.8b.js": '(self.webpackChunk_N_E=self.webpackChunk_N_E||[]).push([["w",11],{}])',
    "static/chunks/left-over.js": "",
}


def test_routes_of_webpack_have_the_scripts_of_their_layouts_and_what_is_loaded_later() -> None:
    root = {"webpack-1.js", "main-app-2.js", "layout-5.js"}
    assert scripts_of(next_routes(WEBPACK, WEBPACK_SCRIPTS)) == {
        "/": {*root, "page-6.js"},
        "/about": {*root, "layout-12.js", "page-7.js"},
        "/old/[id]": {"_app-3.js", "[id]-4.js"},
        "/projects/[projectId]": {*root, "layout-9.js", "page-8.js", "610.7a.js", "w.8b.js"},
    }


def test_routes_of_turbopack_come_from_its_client_references() -> None:
    manifests = NextManifests(
        pages={"rootMainFiles": ["static/chunks/turbopack-1.js"], "pages": {"/_error": ["static/chunks/2.js"]}},
        references={
            "/live/[id]/page": {
                "moduleLoading": {"prefix": ""},
                "clientModules": {
                    "[project]/src/live.jsx": {"id": 1, "chunks": ["/_next/static/chunks/3.js"], "async": False}
                },
                "ssrModuleMapping": {"1": {"*": {"chunks": ["server/chunks/ssr/9.js"]}}},
                "entryJSFiles": {"[project]/src/app/layout": ["static/chunks/4.js"]},
            },
        },
    )
    scripts = {f"static/chunks/{name}.js": "" for name in ("turbopack-1", "2", "4", "5")}
    scripts["static/chunks/3.js"] = 'e.v(t=>Promise.all(["static/chunks/5.js"].map(t=>e.l(t))).then(()=>t(1)))'
    assert scripts_of(next_routes(manifests, scripts)) == {
        "/_error": {"2.js"},
        "/live/[id]": {"turbopack-1.js", "3.js", "4.js", "5.js"},
    }


@pytest.mark.parametrize(
    "manifests",
    [
        pytest.param(NextManifests(), id="nothing"),
        pytest.param(NextManifests(pages={"pages": [], "rootMainFiles": {}}, app={"pages": 7}), id="other kinds"),
        pytest.param(NextManifests(pages={"pages": {"/a": [1, None]}}, references={"/x": {}}), id="other contents"),
    ],
)
def test_manifests_of_an_unknown_form_name_no_script(manifests: NextManifests) -> None:
    assert not any(route.scripts for route in next_routes(manifests, {"static/a.js": ""}))


def test_routes_of_pages_follow_what_their_scripts_import_whatever_the_base_path() -> None:
    scripts = {
        "index.html": '<script type="module" src="/base/assets/index-1.js"></script>',
        "docs/index.html": '<script src="../assets/docs-2.js"></script>',
        "about.html": "<script>1</script>",
        "assets/index-1.js": 'import("./live-3.js");x=["assets/deps-4.js"]',
        "assets/docs-2.js": "",
        "assets/live-3.js": 'import"./index-1.js"',
        "assets/deps-4.js": "",
        "assets/none-5.js": "",
    }
    assert scripts_of(page_routes(scripts)) == {
        "/": {"index.html", "index-1.js", "live-3.js", "deps-4.js"},
        "/docs/": {"index.html", "docs-2.js"},
        "/about.html": {"about.html"},
    }


@pytest.mark.parametrize(
    ("name", "path", "expected"),
    [
        pytest.param("/", "/", True, id="home"),
        pytest.param("/", "/a", False, id="not home"),
        pytest.param("/projects/[projectId]", "/projects/7", True, id="dynamic"),
        pytest.param("/projects/[projectId]", "/projects/7/?tab=1#x", True, id="with a query"),
        pytest.param("/projects/[projectId]", "/projects", False, id="segment missing"),
        pytest.param("/projects/[projectId]", "/projects/7/edit", False, id="segment too many"),
        pytest.param("/docs/[...slug]", "/docs/a/b", True, id="rest"),
        pytest.param("/docs/[...slug]", "/docs", False, id="rest needs one"),
        pytest.param("/docs/[[...slug]]", "/docs", True, id="optional rest"),
        pytest.param("/[[...slug]]", "/", True, id="optional rest of everything"),
        pytest.param("/a+b/[x]", "/a%2Bb/c", True, id="encoded"),
    ],
)
def test_a_path_belongs_to_a_route(name: str, path: str, expected: bool) -> None:
    assert Route(name, frozenset()).holds(path) is expected


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        pytest.param(Route("/", frozenset()), ("/",), id="home"),
        pytest.param(Route("/docs/", frozenset()), ("/docs/",), id="a directory"),
        pytest.param(Route("/a b", frozenset()), ("/a%20b",), id="encoded"),
        pytest.param(Route("/projects/[id]/x", frozenset()), ("/projects/1/x", "/projects/a/x"), id="placeholder"),
        pytest.param(
            Route("/blog/[slug]", frozenset(), ("/blog/first",)), ("/blog/first", "/blog/1", "/blog/a"), id="rendered"
        ),
        pytest.param(Route("/docs/[[...slug]]", frozenset()), ("/docs",), id="optional rest"),
        pytest.param(Route("/feed/(..)photo/[id]", frozenset()), (), id="intercepting"),
    ],
)
def test_the_paths_of_a_route(route: Route, expected: tuple[str, ...]) -> None:
    assert route.paths() == expected


def test_a_url_that_no_route_loads_is_named_with_its_script() -> None:
    routes = next_routes(WEBPACK, WEBPACK_SCRIPTS)

    def result(*names: str) -> str:
        return unloaded(search(dict.fromkeys(names, f"'{URL}'"), [URL], ()), routes, "the build")

    assert result("static/chunks/left-over.js") == (
        f"{URL} is only in static/chunks/left-over.js, which no route of the build loads"
    )
    assert result("static/chunks/left-over.js", "static/chunks/610.7a.js") == ""
    assert unloaded(search({"a.js": URL}, [URL], ()), (), "the build") == ""


def test_pages_for_errors_are_no_routes_of_a_user() -> None:
    routes = (Route("/_not-found", frozenset({"a.js"})), Route("/a", frozenset({"a.js"})))
    assert [route.name for route in holding(routes, ["a.js"])] == ["/a"]
