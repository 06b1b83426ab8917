"""The pure logic of a site: place, shadow, conflicts, plan."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import config as nginx_config
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import site as nginx_site
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site import Layout, Listen, Observed, SiteError

SITES = Layout("sites", "/n/sites-available/s", "/n/sites-enabled/s")


@pytest.mark.parametrize(
    ("includes", "wanted", "expected"),
    [
        pytest.param(["/n/conf.d/*.conf", "/n/sites-enabled/*"], "auto", SITES, id="debian"),
        pytest.param(
            ["/n/sites-enabled/*.conf"],
            "auto",
            Layout("sites", "/n/sites-available/s.conf", "/n/sites-enabled/s.conf"),
            id="only-with-a-suffix",
        ),
        pytest.param(["/n/conf.d/*.conf"], "auto", Layout("conf_d", "/n/conf.d/s.conf", None), id="upstream-package"),
        pytest.param(["/n/http.d/*.conf"], "auto", Layout("conf_d", "/n/http.d/s.conf", None), id="alpine"),
        pytest.param(
            ["/n/conf.d/*.conf", "/n/sites-enabled/*"],
            "conf_d",
            Layout("conf_d", "/n/conf.d/s.conf", None),
            id="chosen",
        ),
        pytest.param(
            ["/n/modules-enabled/*.conf"], "main", Layout("main", "/n/modules-enabled/s.conf", None), id="main-context"
        ),
    ],
)
def test_the_place_of_a_site_follows_from_what_is_included(includes: list[str], wanted: str, expected: Layout) -> None:
    assert nginx_site.detect_layout(includes, "s", wanted) == expected


@pytest.mark.parametrize(
    ("includes", "wanted", "message"),
    [
        pytest.param(
            ["/n/mime.types"],
            "auto",
            "the http block includes no directory sites-enabled or conf.d that would load the site s "
            "(it includes /n/mime.types); add such an include to the main file or set another layout",
            id="none",
        ),
        pytest.param(
            [],
            "sites",
            "the http block includes no directory sites-enabled that would load the site s "
            "(it includes nothing); add such an include to the main file or set another layout",
            id="chosen-and-not-there",
        ),
    ],
)
def test_a_tree_without_a_place_is_named(includes: list[str], wanted: str, message: str) -> None:
    with pytest.raises(SiteError) as caught:
        nginx_site.detect_layout(includes, "s", wanted)
    assert str(caught.value) == message


def test_the_marker_comes_and_goes() -> None:
    text = nginx_site.with_marker("s", "\nserver {}\n\n")
    assert text == "# Managed by codeframe.staging, site s; changes by hand are replaced.\nserver {}\n"
    assert nginx_site.is_ours(text)
    assert nginx_site.without_marker(text) == "server {}\n"
    assert not nginx_site.is_ours("server {}\n" + text)


def shadow(files: dict[str, str], candidate: str | None) -> dict[str, str]:
    return dict(
        nginx_site.shadow_tree(
            "/n/nginx.conf",
            "/shadow",
            "/n/sites-enabled/s",
            candidate,
            files.__getitem__,
            lambda pattern: sorted(path for path in files if nginx_site.takes_in(pattern, path)),
        ).files
    )


def test_what_stands_elsewhere_is_left_out_of_the_copy() -> None:
    files = {"/n/nginx.conf": "http { include conf.d/*; include sites-enabled/*; }", "/n/conf.d/s.conf": "old"}
    made = nginx_site.shadow_tree(
        "/n/nginx.conf",
        "/shadow",
        "/n/sites-enabled/s",
        "new",
        files.__getitem__,
        lambda pattern: sorted(path for path in files if nginx_site.takes_in(pattern, path)),
        ["/n/conf.d/s.conf"],
    )
    assert made.files["nginx.conf"] == 'http {  include "/shadow/.candidate.s"; }'


def test_every_place_that_a_site_may_have_had_is_known() -> None:
    assert nginx_site.possible_paths(["/n/http.d/*.conf"], "/n", "s") == [
        *("/n/http.d/s.conf", "/n/http.d/s.conf.disabled"),
        *("/n/sites-enabled/s", "/n/sites-available/s", "/n/sites-enabled/s.conf", "/n/sites-available/s.conf"),
        *("/n/conf.d/s.conf", "/n/conf.d/s.conf.disabled"),
    ]


def test_only_the_way_to_the_site_is_copied_and_the_candidate_stands_in_its_order() -> None:
    files = {"/n/nginx.conf": "http {\n include mime.types;\n include sites-enabled/*;\n}", "/n/mime.types": "types {}"}
    files |= {"/n/sites-enabled/a": "", "/n/sites-enabled/z": ""}
    assert shadow(files, "new") == {
        "nginx.conf": 'http {\n include mime.types;\n include "/n/sites-enabled/a"; '
        'include "/shadow/.candidate.s"; include "/n/sites-enabled/z";\n}',
        ".candidate.s": "new",
    }


def test_the_tree_without_the_site_lacks_it() -> None:
    files = {"/n/nginx.conf": "http { include sites-enabled/*; }", "/n/sites-enabled/s": "old"}
    assert shadow(files, None) == {"nginx.conf": "http {  }"}


def test_files_on_the_way_are_copied_too() -> None:
    files = {"/n/nginx.conf": "http { include conf.d/*; }", "/n/conf.d/x": "include sites-enabled/*;"}
    assert shadow(files, "new") == {
        "nginx.conf": 'http { include "/shadow/.include.0.x"; }',
        ".include.0.x": 'include "/shadow/.candidate.s";',
        ".candidate.s": "new",
    }


def test_a_site_that_nothing_includes_cannot_be_tested() -> None:
    with pytest.raises(SiteError, match=r"nothing in /n/nginx\.conf includes /n/sites-enabled/s"):
        shadow({"/n/nginx.conf": "http {}"}, "new")


def test_messages_of_the_shadow_name_the_real_files() -> None:
    files = {"/n/nginx.conf": "http { include sites-enabled/*; }"}
    made = nginx_site.shadow_tree("/n/nginx.conf", "/sh", "/n/sites-enabled/s", "x", files.__getitem__, lambda _p: [])
    said = "nginx: [emerg] bad in /sh/.candidate.s:3\nnginx: configuration file /sh/nginx.conf test failed\n"
    told = nginx_site.real_names(said, "/sh", made)
    assert nginx_site.complaints(told) == ["bad in /n/sites-enabled/s:3"]
    assert nginx_site.complaint_place("bad in /n/sites-enabled/s:3") == ("/n/sites-enabled/s", 3)
    assert "/sh" not in told


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param(["80"], Listen("*", 80, False, False), id="port"),
        pytest.param(["[::]:80", "default_server"], Listen("[::]", 80, True, False), id="ipv6"),
        pytest.param(["127.0.0.1"], Listen("127.0.0.1", 80, False, False), id="address"),
        pytest.param(["0.0.0.0:443", "ssl", "http2"], Listen("*", 443, False, True), id="any-address"),
        pytest.param(["unix:/run/x.sock"], None, id="unix"),
        pytest.param([], None, id="nothing"),
    ],
)
def test_listen_is_read(args: list[str], expected: Listen | None) -> None:
    assert nginx_site.parse_listen(args) == expected


def servers(*texts: str) -> list[nginx_site.Server]:
    files = {f"/n/{index}": text for index, text in enumerate(texts)}
    files["/n/nginx.conf"] = "http { include *; }"
    tree = nginx_config.load_tree(
        "/n/nginx.conf", files.__getitem__, lambda _p: [f"/n/{index}" for index in range(len(texts))]
    )
    return nginx_site.servers_of(tree)


def test_a_name_that_two_files_claim_is_a_conflict_and_the_first_wins() -> None:
    seen = servers("server { server_name a b; }", "server { server_name B; }")
    assert [(each.name, each.port, each.ours_wins) for each in nginx_site.name_conflicts(seen, "/n/0")] == [
        ("b", 80, True)
    ]
    assert [(each.name, each.theirs, each.ours_wins) for each in nginx_site.name_conflicts(seen, "/n/1")] == [
        ("b", "/n/0:1", False)
    ]


def test_a_name_with_a_dot_is_the_name_and_all_below_it() -> None:
    seen = servers("server { server_name .a.b; }", "server { server_name a.b; }", "server { server_name *.a.b; }")
    assert [(each.name, each.theirs) for each in nginx_site.name_conflicts(seen, "/n/0")] == [
        ("a.b", "/n/1:1"),
        ("*.a.b", "/n/2:1"),
    ]


def test_the_same_name_on_another_port_is_no_conflict() -> None:
    assert not nginx_site.name_conflicts(
        servers("server { server_name a; }", "server { listen 81; server_name a; }"), "/n/0"
    )


def test_a_server_at_the_very_address_hides_ours() -> None:
    seen = servers("server { server_name a; }", "server { listen 10.0.0.1:80; } server { listen 10.0.0.1:81; }")
    assert nginx_site.hidden_addresses(seen, "/n/0") == [("10.0.0.1:80", "/n/1:1")]


def test_upstream_ports_are_those_that_stand_there() -> None:
    text = "upstream u { server 10.0.0.1:7; server x; } server { location / { proxy_pass http://127.0.0.1:8/x; } "
    text += "location /a { proxy_pass https://h; } location /b { proxy_pass http://$v:9; } }"
    assert nginx_site.upstream_ports(nginx_config.parse(text, "f")) == {7, 80, 8, 443}


@pytest.mark.parametrize(
    ("main", "files", "clients", "expected"),
    [
        pytest.param("worker_processes 2; events { worker_connections 100; }", None, 100, None, id="just-enough"),
        pytest.param(
            "worker_processes 2; events { worker_connections 100; }",
            None,
            101,
            "2 worker processes with worker_connections 100 carry 100 clients of the 101 wanted (2 connections each); "
            "set worker_connections to 101 or more",
            id="one-too-many",
        ),
        pytest.param(
            "events { worker_connections 4000; }",
            1024,
            1000,
            "a worker may open 1024 files and needs 2000 for its share of 1000 clients; "
            "set worker_rlimit_nofile to 2000 or more",
            id="files",
        ),
        pytest.param("worker_rlimit_nofile 9999; events { worker_connections 4000; }", 1024, 1000, None, id="rlimit"),
        pytest.param(
            "worker_processes x; events { worker_connections y; }", None, 256, None, id="nginx-s-own-complaint"
        ),
        pytest.param("worker_processes auto; events {}", None, 1024, None, id="processors-and-defaults"),
    ],
)
def test_a_number_of_clients_needs_two_connections_each(
    main: str, files: int | None, clients: int, expected: str | None
) -> None:
    tree = nginx_config.load_tree("/n/nginx.conf", lambda _path: main, lambda _pattern: [])
    assert nginx_site.too_small(tree, 4, files, clients) == expected


def observed(**changes: object) -> Observed:
    values: dict[str, object] = {
        "file_text": "text",
        "link_target": SITES.file,
        "link_is_file": False,
        "running": True,
        "newest_change": 100.0,
        "oldest_worker": 200.0,
    }
    return Observed(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "text", "enabled", "expected"),
    [
        pytest.param({}, "text", True, (False, "", False, ()), id="nothing"),
        pytest.param(
            {"file_text": "other"},
            "text",
            True,
            (True, "", True, (f"{SITES.file} differs from what is wanted",)),
            id="edit",
        ),
        pytest.param({"file_text": None}, "text", True, (True, "", True, (f"{SITES.file} is missing",)), id="missing"),
        pytest.param(
            {"mode_ok": False},
            "text",
            True,
            (True, "", True, (f"{SITES.file} has other permissions than wanted",)),
            id="mode",
        ),
        pytest.param(
            {"link_target": None},
            "text",
            True,
            (False, "make", True, (f"{SITES.link} is not a link to {SITES.file}",)),
            id="link",
        ),
        pytest.param(
            {}, "text", False, (False, "remove", True, (f"{SITES.link} is there and should not be",)), id="disabled"
        ),
        pytest.param({"file_text": None, "link_target": None}, None, True, (False, "", False, ()), id="absent-already"),
        pytest.param(
            {"newest_change": 300.0},
            "text",
            True,
            (False, "", True, ("nginx runs with workers older than the files on disk",)),
            id="not-reloaded",
        ),
        pytest.param(
            {"elsewhere": ("/n/conf.d/s.conf",)},
            "text",
            True,
            (True, "", True, ("/n/conf.d/s.conf is there and should not be",)),
            id="in-another-place-too",
        ),
        pytest.param({"newest_change": 200.01}, "text", True, (False, "", False, ()), id="within-the-clock's-grain"),
        pytest.param(
            {"newest_change": 300.0, "running": False, "oldest_worker": None},
            "text",
            True,
            (False, "", False, ()),
            id="stopped",
        ),
    ],
)
def test_the_plan_compares_what_is_with_what_should_be(
    changes: dict[str, object], text: str | None, enabled: bool, expected: tuple[object, ...]
) -> None:
    made = nginx_site.plan(observed(**changes), SITES, text, enabled, 0.02)
    assert (made.write, made.link, made.reload, made.reasons) == expected
