"""frontend_bundle_info against a server on loopback."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import module_runner
import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.bundle_fetch import Limits
from ansible_collections.codeframe.staging.plugins.modules import frontend_bundle_info

URL = "wss://api.example.com/ws"
NEXT_PAGE = (
    '<script src="/_next/static/chunks/main.js" async></script>'
    '<script>self.__next_f.push([1,"[\\"static/chunks/page.js\\"]"])</script>'
)


class Site:
    """A server with pages of ours; says which paths were asked for and with which host."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.pages: dict[str, Any] = {}
        self.asked: list[str] = []
        self.hosts: set[str] = set()
        self.passwords: list[str | None] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                site.asked.append(self.path)
                site.hosts.add(self.headers["Host"])
                site.passwords.append(self.headers["Authorization"])
                answer = site.pages.get(self.path)
                headers = {}
                status = 200
                if callable(answer):
                    answer = answer()
                if isinstance(answer, tuple):
                    status, headers, answer = answer
                elif answer is None:
                    status, answer = 404, ""
                body = answer.encode() if isinstance(answer, str) else answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):
                    self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def run(self, path: str = "/", host: str = "127.0.0.1", **options: Any) -> dict[str, Any]:
        given = {"url": f"http://{host}:{self.port}{path}", "expected_urls": [URL], **options}
        return module_runner.run(frontend_bundle_info, given)


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_the_scripts_of_a_next_page_are_followed(site: Site) -> None:
    site.pages = {"/": NEXT_PAGE, "/_next/static/chunks/main.js": "1", "/_next/static/chunks/page.js": f"'{URL}'"}
    result = site.run()
    base = f"http://127.0.0.1:{site.port}"
    assert result["passed"] is True
    assert result["found"] == {URL: [f"{base}/_next/static/chunks/page.js"]}
    assert f"{base}/#script-1" in result["scripts"]


def test_the_imports_of_a_vite_page_are_followed_once_each(site: Site) -> None:
    site.pages = {
        "/": '<script type="module" src="/assets/index.js"></script>',
        "/assets/index.js": 'import("./page.js");import("./page.js")',
        "/assets/page.js": f'import"./index.js";x="{URL}"',
    }
    assert site.run()["passed"] is True
    assert site.asked == ["/", "/assets/index.js", "/assets/page.js"]


SVELTEKIT_PAGE = """<body><script>
{
  __sveltekit_1 = { base: new URL(".", location).pathname.slice(0, -1) };
  const element = document.currentScript.parentElement;
  Promise.all([
    import("./_app/immutable/entry/start.1.js"),
    import("./_app/immutable/entry/app.2.js")
  ]).then(([kit, app]) => { kit.start(app, element) });
}
</script></body>"""


def test_the_imports_of_a_script_in_the_page_are_followed(site: Site) -> None:
    site.pages = {
        "/shop/": SVELTEKIT_PAGE,
        "/shop/_app/immutable/entry/start.1.js": "1",
        "/shop/_app/immutable/entry/app.2.js": 'import("../nodes/2.3.js")',
        "/shop/_app/immutable/nodes/2.3.js": f"new WebSocket('{URL}')",
    }
    result = site.run("/shop/")
    assert result["passed"] is True
    assert result["found"] == {URL: [f"http://127.0.0.1:{site.port}/shop/_app/immutable/nodes/2.3.js"]}


def test_what_only_looks_like_an_import_is_no_failure(site: Site) -> None:
    site.pages = {
        "/": f"""<script src="/a.js"></script><script>data = ["import('./example.js')"]; x = '{URL}'</script>""",
        "/a.js": "1",
    }
    result = site.run()
    assert (result["passed"], result["failures"]) == (True, {})


def test_a_stale_bundle_is_named(site: Site) -> None:
    site.pages = {"/": "<script src='/a.js'></script>", "/a.js": "'ws://localhost:14200/ws'"}
    result = site.run(forbidden_urls=["ws://localhost:14200/ws"], fail=True)
    page = f"http://127.0.0.1:{site.port}/"
    assert result["failed"]
    assert result["msg"] == (
        f"{URL} is in none of the 1 client scripts of {page}, which contain ws://localhost:14200/ws ({page}a.js)"
    )


def test_a_script_that_cannot_be_loaded_is_a_broken_page(site: Site) -> None:
    site.pages = {"/": f"<script>'{URL}'</script><script src='/gone.js'></script>"}
    result = site.run()
    assert result["passed"] is False
    assert result["complaint"].endswith(f"/gone.js, but http://127.0.0.1:{site.port}/gone.js answers 404")


def test_redirections_and_further_pages(site: Site) -> None:
    site.pages = {
        "/": (307, {"Location": "/en"}, ""),
        "/en": "<p>nothing here</p>",
        "/chat": f"<script>'{URL}'</script>",
    }
    assert site.run()["passed"] is False
    result = site.run(pages=["/chat"])
    assert result["passed"] is True
    assert result["pages"] == [f"http://127.0.0.1:{site.port}/en", f"http://127.0.0.1:{site.port}/chat"]


def test_a_name_below_localhost_leads_to_loopback_and_connect_to_leads_anywhere(site: Site) -> None:
    site.pages = {"/": f"<script>'{URL}'</script>"}
    assert site.run(host="app.localhost")["passed"] is True
    assert site.run(host="app.example.com", connect_to="127.0.0.1")["passed"] is True
    assert site.hosts == {f"app.localhost:{site.port}", f"app.example.com:{site.port}"}
    direct = {"url": "http://app.example.com/", "connect_to": f"127.0.0.1:{site.port}", "expected_urls": [URL]}
    assert module_runner.run(frontend_bundle_info, direct)["passed"] is True


def test_scripts_of_other_sites_are_not_fetched(site: Site) -> None:
    site.pages = {"/": f"<script>'{URL}'</script><script src='http://127.0.0.2:{site.port}/x.js'></script>"}
    assert site.run()["passed"] is True
    assert site.asked == ["/"]


def test_a_certificate_is_checked_against_the_authorities_that_are_given(tmp_path: Path) -> None:
    authority = peers.make_authority(tmp_path)
    site = Site(authority.server_context("app.example.com"))
    site.pages = {"/": f"<script>'{URL}'</script>"}
    page = {"url": f"https://app.example.com:{site.port}/", "connect_to": "127.0.0.1", "expected_urls": [URL]}
    trusted = Path(authority.ca_path).read_text()
    try:
        assert module_runner.run(frontend_bundle_info, {**page, "ca_certificates": trusted})["passed"] is True
        assert module_runner.run(frontend_bundle_info, {**page, "validate_certs": False})["passed"] is True
        unknown = module_runner.run(frontend_bundle_info, page)
        assert unknown["passed"] is False
        assert "unable to get local issuer certificate" in unknown["complaint"]
        unreadable = module_runner.run(frontend_bundle_info, {**page, "ca_certificates": "none"})
        assert unreadable["complaint"] == "ca_certificates cannot be read as certificates (PEM)"
    finally:
        site.server.shutdown()
        site.server.server_close()


def test_secret_headers_go_to_the_origin_of_the_page_alone(site: Site) -> None:
    secret = {"secret_headers": {"Authorization": "Basic cGxhbnRlZA=="}}
    site.pages = {"/": f"<script>'{URL}'</script><script src='/a.js'></script>", "/a.js": "1"}
    result = site.run(**secret)
    assert (result["passed"], site.passwords) == (True, ["Basic cGxhbnRlZA=="] * 2)
    assert "cGxhbnRlZA==" not in repr({name: value for name, value in result.items() if name != "invocation"})
    other = Site()
    other.pages = {"/": f"<script>'{URL}'</script>"}
    site.pages = {"/": (307, {"Location": f"http://127.0.0.1:{other.port}/"}, "")}
    assert site.run(**secret)["passed"] is True
    assert other.passwords == [None]
    other.server.shutdown()
    other.server.server_close()


def test_compressed_answers_are_read(site: Site) -> None:
    page = gzip.compress(f"<script>'{URL}'</script>".encode())
    site.pages = {"/": (200, {"Content-Encoding": "gzip"}, page)}
    assert site.run()["passed"] is True


def test_an_endless_bomb_is_refused(site: Site) -> None:
    site.pages = {"/": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * (17 * 1024 * 1024)))}
    assert "larger than the limit" in site.run()["complaint"]


def test_a_circle_of_redirections_ends(site: Site) -> None:
    site.pages = {"/": (302, {"Location": "/"}, "")}
    assert site.run()["complaint"].endswith("redirects in a circle")


@pytest.mark.parametrize("location", ["http://[app/", "http://127.0.0.1:many/"])
def test_a_redirection_to_what_is_no_url_is_quoted(site: Site, location: str) -> None:
    site.pages = {"/": (302, {"Location": location}, "")}
    assert f"redirects to {location}, which is no URL" in site.run()["complaint"]


def test_a_script_whose_address_is_no_url_is_left_out_as_browsers_do(site: Site) -> None:
    site.pages = {"/": f"<script src='http://[app/x.js'></script><script>'{URL}'</script>"}
    assert site.run()["passed"] is True


def test_a_slow_page_ends_at_the_time_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, ended = threading.Event(), threading.Event()

    def slow() -> str:
        looked.wait(60)
        ended.set()
        return ""

    site.pages = {"/": slow}
    monkeypatch.setattr(frontend_bundle_info, "Limits", lambda: Limits(timeout_s=1))
    assert site.run()["complaint"].endswith("cannot be fetched (no answer in time)")
    assert not ended.is_set(), "it has waited for the page"
    looked.set()


def test_nothing_listens(site: Site) -> None:
    site.server.shutdown()
    site.server.server_close()
    result = site.run()
    assert (result["failed"], result["passed"]) == (False, False)
    assert "connection refused" in result["complaint"]


def test_a_malformed_url_is_refused() -> None:
    result = module_runner.run(frontend_bundle_info, {"url": "app.example.com"})
    assert "expected a URL such as http://app.example.com/" in result["complaint"]


class Build:
    """A site of Next.js: its output directory, and the pages that serve it."""

    def __init__(self, site: Site, directory: Path, routes: dict[str, str], base: str = "") -> None:
        self.site, self.directory, self.base = site, directory, base
        self.write("build-manifest.json", json.dumps({"pages": {n: [f] for n, f in routes.items()}, **COMMON}))
        self.write("routes-manifest.json", json.dumps({"basePath": base}))
        self.script("static/polyfills.js", "1")

    def write(self, name: str, text: str) -> None:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def script(self, name: str, text: str) -> None:
        self.write(name, text)
        self.site.pages[f"{self.base}/_next/{quote(name)}"] = text

    def page(self, path: str, *scripts: str) -> None:
        sources = ("static/polyfills.js", *scripts)
        self.site.pages[self.base + path] = "".join(
            f'<script src="{self.base}/_next/{quote(name)}"></script>' for name in sources
        )

    def read(self, **options: Any) -> dict[str, Any]:
        return self.site.run(self.base + "/", build_dir=str(self.directory), **options)


COMMON = {"polyfillFiles": ["static/polyfills.js"]}
HOME, LIVE = "static/chunks/home.js", "static/chunks/[id].js"


@pytest.fixture
def build(site: Site, tmp_path: Path) -> Build:
    """``/`` has no WebSocket, ``/live/[id]`` has one."""
    made = Build(site, tmp_path / ".next", {"/": HOME, "/live/[id]": LIVE})
    made.script(HOME, "1")
    made.script(LIVE, f"'{URL}'")
    made.page("/", HOME)
    return made


def test_the_route_that_has_the_url_is_found_and_read(site: Site, build: Build) -> None:
    build.page("/live/1", LIVE)
    result = build.read()
    base = f"http://127.0.0.1:{site.port}"
    assert (result["passed"], result["complaint"]) == (True, "")
    assert result["routes"] == [
        {
            "route": "/live/[id]",
            "page": f"{base}/live/1",
            "scripts": [f"{base}/_next/{quote(LIVE)}"],
            "unanswered": "",
        }
    ]
    assert result["evidence"] == f"those of /live/[id] (read at /live/1) contain {URL}"
    assert site.run()["passed"] is False


def test_given_pages_fill_the_dynamic_segments(site: Site, build: Build) -> None:
    build.page("/live/seven", LIVE)
    result = build.read(pages=["/live/seven"])
    assert result["evidence"] == f"those of /live/[id] (read at /live/seven) contain {URL}"
    assert "/live/1" not in site.asked


def test_a_second_placeholder_is_tried(build: Build) -> None:
    build.page("/live/a", LIVE)
    assert build.read()["evidence"] == f"those of /live/[id] (read at /live/a) contain {URL}"


def test_the_first_page_is_enough_if_it_has_the_url(site: Site, build: Build) -> None:
    build.script(HOME, f"'{URL}'")
    assert build.read()["evidence"] == f"those of / contain {URL}"
    assert not [path for path in site.asked if path.startswith("/live")]


def test_without_an_answered_page_the_scripts_of_the_route_are_read(site: Site, build: Build) -> None:
    result = build.read()
    base = f"http://127.0.0.1:{site.port}"
    assert result["passed"] is True
    assert result["evidence"] == (
        f"those of /live/[id] contain {URL}, but no page of it was read: {base}/live/a answers 404; "
        "name one in staging_pages"
    )
    site.pages[f"/_next/{quote(LIVE)}"] = None
    result = build.read()
    assert result["passed"] is False
    assert f"{base}/_next/{quote(LIVE)} answers 404" in result["complaint"]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        pytest.param((302, {"Location": "/"}, ""), "redirects to", id="redirected"),
        pytest.param(None, "answers with the scripts of another page", id="login under the same address"),
    ],
)
def test_a_page_that_needs_a_login_is_not_the_page_of_its_route(build: Build, answer: Any, why: str) -> None:
    for path in ("/live/1", "/live/a"):
        build.page(path, HOME)
        if answer:
            build.site.pages[path] = answer
    result = build.read()
    assert result["passed"] is True
    assert why in result["routes"][0]["unanswered"]
    assert "name one in staging_pages" in result["evidence"]


def test_a_page_of_an_earlier_build_is_a_failure_even_if_its_scripts_are_still_there(build: Build) -> None:
    build.script("static/chunks/earlier.js", "'ws://old.example.com/ws'")
    build.page("/live/1", "static/chunks/earlier.js")
    result = build.read()
    assert result["passed"] is False
    assert "/_next/static/chunks/earlier.js, which is no script of the build in" in result["complaint"]
    assert result["complaint"].endswith("the server seems to deliver an earlier build")


def test_a_script_that_is_loaded_later_counts(build: Build) -> None:
    build.script(LIVE, 'e.v(t=>Promise.all(["static/chunks/later.js"].map(t=>e.l(t))))')
    build.script("static/chunks/later.js", f"'{URL}'")
    build.page("/live/1", LIVE)
    result = build.read()
    assert result["routes"][0]["scripts"][0].endswith("/_next/static/chunks/later.js")
    assert result["evidence"] == f"those of /live/[id] (read at /live/1) contain {URL}"


def test_a_build_without_the_url_in_any_route_is_named(site: Site, build: Build) -> None:
    build.script(LIVE, "'ws://localhost:8080/ws'")
    result = build.read()
    assert result["complaint"] == (
        f"{URL} is in none of the 2 client scripts of http://127.0.0.1:{site.port}/; "
        f"no route of the build in {build.directory} has it, and its scripts contain ws://localhost:8080/ws ({LIVE})"
    )


def test_another_url_in_the_first_page_is_named_once(build: Build) -> None:
    for name in (HOME, LIVE):
        build.script(name, "'ws://localhost:8080/ws'")
    assert build.read()["complaint"].count("ws://localhost:8080/ws") == 1


def test_a_forbidden_url_of_a_route_that_is_read_counts(build: Build) -> None:
    build.script(LIVE, f"'{URL}';'ws://localhost:14200/ws'")
    build.page("/live/1", LIVE)
    assert "contain ws://localhost:14200/ws" in build.read(forbidden_urls=["ws://localhost:14200/ws"])["complaint"]


def test_routes_are_below_the_base_path(site: Site, tmp_path: Path) -> None:
    build = Build(site, tmp_path / ".next", {"/": HOME, "/live/[id]": LIVE}, base="/app")
    build.script(HOME, "1")
    build.script(LIVE, f"'{URL}'")
    build.page("/", HOME)
    build.page("/live/1", LIVE)
    assert build.read()["evidence"] == f"those of /live/[id] (read at /app/live/1) contain {URL}"


def test_another_page_of_a_static_build_is_found(site: Site, tmp_path: Path) -> None:
    files = {
        "index.html": "<script src='/assets/home.js'></script>",
        "live/index.html": "<script src='/assets/live.js'></script>",
        "assets/home.js": "1",
        "assets/live.js": f"'{URL}'",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        site.pages["/" + name.replace("index.html", "")] = text
    result = site.run(build_dir=str(tmp_path))
    assert result["evidence"] == f"those of /live/ contain {URL}"
    del site.pages["/live/"]
    assert site.run(build_dir=str(tmp_path))["complaint"].endswith(
        f"/live/ of the build in {tmp_path} has it, but no page of it was read: "
        f"http://127.0.0.1:{site.port}/live/ answers 404"
    )


def test_without_a_build_only_the_pages_are_read(site: Site, tmp_path: Path) -> None:
    site.pages = {"/": f"<script>'{URL}'</script>"}
    result = site.run(build_dir=str(tmp_path / "none"))
    assert (result["passed"], result["routes"], result["evidence"]) == (True, [], "")
