"""nginx_site, nginx_site_info and nginx_effective_info with a real nginx."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import re
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nginx_crossplane
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site import checks
from free_ports import free_port
from http_peers import Application, handshake
from nginx_tree import NGINX, NGINX_VERSION, OTHERS, SITES, Loop, Tree, get, wait_for

pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx")]


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate with its key, the key of another, and an expired certificate."""
    folder = tmp_path_factory.mktemp("certificates")
    for name in ("good", "other", "expired"):
        days = (
            ["-not_before", "20200101000000Z", "-not_after", "20200201000000Z"]
            if name == "expired"
            else ["-days", "90"]
        )
        request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=api.example.com"]
        done = subprocess.run(
            [*request, "-keyout", str(folder / f"{name}.key"), "-out", str(folder / f"{name}.pem"), *days],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0 and name == "expired":
            # OpenSSL before 3.4 has no -not_before here; `openssl ca` takes the dates.
            make_expired(folder)
        os.chmod(folder / f"{name}.key", 0o600)
    return folder


def make_expired(folder: Path) -> None:
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca=d\n[d]\nnew_certs_dir=.\ndatabase=index\nserial=serial\ndefault_md=sha256\npolicy=p\n"
        "[p]\ncommonName=supplied\n"
    )
    (folder / "index").write_text("")
    (folder / "serial").write_text("01\n")
    for command in (
        "openssl req -new -newkey rsa:2048 -nodes -subj /CN=api.example.com -keyout expired.key -out expired.csr",
        "openssl ca -batch -config ca.cnf -selfsign -keyfile expired.key -in expired.csr -out expired.pem -notext "
        "-startdate 20200101000000Z -enddate 20200201000000Z",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)


def test_a_new_site_serves_and_a_second_run_changes_nothing(tree: Tree) -> None:
    predicted = tree.site(check=True, diff=True)
    assert (predicted["changed"], predicted["reload"]) == (True, True)
    assert predicted["diff"][0]["after"].startswith("# Managed by codeframe.staging, site app-staging;")
    before = tree.snapshot()
    assert tree.ours() == (200, "others")
    with Loop(tree.port).running() as loop:
        result = tree.site()
    assert (result["changed"], result["reload"], result["layout"]) == (True, True, "sites")
    assert tree.ours() == (200, "ours")
    assert not loop.failed
    again = tree.site()
    assert (again["changed"], again["reload"], again["reasons"]) == (False, False, [])
    assert {k: v for k, v in tree.snapshot().items() if k in before} == before


def test_check_mode_leaves_the_tree_and_the_workers_alone(tree: Tree) -> None:
    before = tree.snapshot()
    workers = tree.workers()
    assert tree.site(check=True)["changed"]
    assert tree.snapshot() == before
    assert tree.workers() == workers


def test_absent_leaves_no_trace(tree: Tree) -> None:
    before = tree.snapshot()
    tree.site()
    result = tree.site(state="absent")
    assert (result["changed"], result["reload"]) == (True, True)
    assert tree.snapshot() == before
    assert tree.ours() == (200, "others")
    assert not tree.site(state="absent")["changed"]


def test_a_site_whose_link_was_removed_is_reported_and_enabled_again(tree: Tree) -> None:
    tree.site()
    tree.link.unlink()
    tree.command("-s", "reload")
    wait_for(lambda: tree.ours() == (200, "others"))
    assert "site_not_enabled" in [each["code"] for each in tree.info()["findings"]]
    assert (tree.site_info()["exists"], tree.site_info()["enabled"]) == (True, False)
    assert tree.site()["reasons"] == [f"{tree.link} is not a link to {tree.file}"]
    assert tree.ours() == (200, "ours")


def test_the_site_info_restores_a_site_byte_for_byte(tree: Tree) -> None:
    tree.site(main_content="worker_shutdown_timeout 5s;")
    before, seen = tree.snapshot(), tree.site_info()
    tree.site(content=tree.content("newer"), main_content="")
    assert tree.snapshot() != before
    tree.site(content=seen["content"], main_content=seen["main_content"])
    assert tree.snapshot() == before
    assert (seen["layout"], seen["path"], seen["version"]) == ("sites", str(tree.file), NGINX_VERSION)


def test_conf_d_is_used_where_the_main_file_includes_nothing_else(tree: Tree) -> None:
    tree.stop()
    tree.write_main(includes="include conf.d/*.conf;")
    tree.start()
    before = tree.snapshot()
    result = tree.site()
    assert (result["layout"], result["path"]) == ("conf_d", str(tree.root / "conf.d/app-staging.conf"))
    assert tree.ours() == (200, "ours")
    assert not tree.site()["changed"]
    tree.site(state="absent")
    assert tree.snapshot() == before


#: nginx refuses a zone of the same name in two files.
ZONE = "limit_conn_zone $binary_remote_addr zone=ours:1m;\n"


def test_a_site_moves_when_another_layout_is_wanted(tree: Tree) -> None:
    content = ZONE + tree.content()
    tree.site(content=content)
    before = tree.snapshot()
    with Loop(tree.port).running() as loop:
        assert tree.site(content=content, layout="conf_d", check=True)["changed"]
        result = tree.site(content=content, layout="conf_d")
    assert (result["changed"], result["reload"], result["failed"]) == (True, True, False)
    assert (tree.file.exists(), tree.link.is_symlink()) == (False, False)
    assert tree.ours() == (200, "ours")
    assert not tree.site(content=content, layout="conf_d")["changed"]
    tree.site(content=content)
    assert tree.snapshot() == before
    assert not loop.failed


def test_a_site_that_nginx_refuses_in_another_layout_is_restored(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.site()
    before = tree.snapshot()
    monkeypatch.setattr(checks, "try_out", lambda *_args: (True, ""))
    result = tree.site(content="nonsense;", layout="conf_d", main_content="worker_shutdown_timeout 5s;")
    assert result["msg"] == (
        'the configuration with the site app-staging in place is refused: unknown directive "nonsense" in '
        f"{tree.root}/conf.d/app-staging.conf:2; the previous files were restored"
    )
    assert tree.snapshot() == before
    assert tree.accepted()


def test_a_path_with_dots_in_an_include_starts_at_the_main_file(tree: Tree) -> None:
    (tree.root / "beside").mkdir()
    (tree.root / "beside/more.conf").write_text(f"server {{ listen 127.0.0.1:{tree.port}; server_name more; }}\n")
    tree.write_main(includes=f"include ../nginx/beside/*.conf; {SITES}")
    assert not tree.site()["failed"]
    assert tree.ours() == (200, "ours")


def test_a_site_that_another_file_needs_is_not_removed(tree: Tree) -> None:
    tree.site(content=ZONE + tree.content())
    tree.others("zz", f"server {{ listen 127.0.0.1:{tree.port}; server_name zz; limit_conn ours 1; }}\n")
    result = tree.site(state="absent")
    assert result["msg"] == (
        "nginx accepts the present configuration, but not a copy of it without the site app-staging: "
        'zero size shared memory zone "ours"; a file that this collection does not manage needs what the site defines, '
        f"or names a file by a path with .. from {tree.root}; nothing was changed"
    )
    assert tree.ours() == (200, "ours")


def test_sites_included_by_an_included_file_are_tested_with_the_tree(tree: Tree) -> None:
    (tree.root / "conf.d/sites.conf").write_text("include sites-enabled/*;\n")
    tree.write_main(includes="include conf.d/*.conf;")
    assert "unknown directive" in tree.site(check=True, content="server { nonsense; }")["msg"]
    assert tree.site()["changed"]
    assert tree.ours() == (200, "ours")


TIMEOUT = {"main_content": "worker_shutdown_timeout 3s;"}


def test_site_and_main_context_are_changed_by_one_call_and_one_reload(tree: Tree) -> None:
    before = tree.snapshot()
    predicted, result = tree.site(**TIMEOUT, check=True), tree.site(**TIMEOUT)
    main = tree.root / "modules-enabled/app-staging.conf"
    assert main.read_text().splitlines()[1:] == ["worker_shutdown_timeout 3s;"]
    assert (predicted["reasons"], predicted["diff"]) == (result["reasons"], result["diff"])
    assert result["state_after"][str(main)] == main.read_text()
    assert result["main_path"] == str(main)
    assert tree.ours() == (200, "ours")
    assert not tree.site(**TIMEOUT)["changed"]
    # Without a value it stays, with an empty one it goes.
    assert not tree.site()["changed"]
    assert tree.site(main_content="")["reasons"] == [f"{main} exists and should not"]
    assert not main.exists()
    assert not tree.site(main_content="")["changed"]
    tree.site(**TIMEOUT)
    assert tree.site(state="absent")["changed"]
    assert tree.snapshot() == before


def test_a_mistake_in_the_main_context_is_found_before_anything_is_changed(tree: Tree) -> None:
    before = tree.snapshot()
    result = tree.site(main_content="nonsense;")
    assert result["msg"] == (
        'nginx refuses the site app-staging: unknown directive "nonsense" in '
        f"{tree.root}/modules-enabled/app-staging.conf:2; nothing was changed"
    )
    assert tree.snapshot() == before


def test_a_main_file_without_a_place_for_the_main_context_is_reported(tree: Tree) -> None:
    tree.main.write_text(tree.main.read_text().partition(";")[2])
    assert tree.site(**TIMEOUT)["msg"] == (
        "the main file includes no directory modules-enabled that would load the site app-staging (it includes "
        "nothing); add such an include to the main file; nothing was changed"
    )
    assert tree.site(main_content="")["changed"]


def test_an_unmanaged_file_in_the_main_context_is_not_replaced(tree: Tree) -> None:
    main = tree.root / "modules-enabled/app-staging.conf"
    main.write_text("worker_priority 1;\n")
    assert tree.site(**TIMEOUT)["msg"].startswith(f"{main} exists and does not have the marker of this collection")
    # It is not in the way if nothing is wanted there.
    assert not tree.site(main_content="")["failed"]
    assert not tree.site(state="absent")["failed"]
    assert main.read_text() == "worker_priority 1;\n"


def test_on_a_full_disk_the_previous_site_is_restored(mounted: Callable[[int], Path]) -> None:
    tree = Tree(mounted(1) / "nginx", free_port())
    tree.make()
    tree.start()
    try:
        tree.site()
        before = tree.snapshot()
        filler = tree.root / "run/filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as stream:
            while True:
                stream.write(b"x" * 4096)
        comment = f"# {'x' * 100}\n" * 90
        result = tree.site(content=tree.content("newer") + "\n" + comment, main_content="worker_priority 1;")
        assert result["msg"] == (
            "the site app-staging cannot be written (No space left on device); the previous files were restored"
        )
        assert not result["changed"]
        assert tree.snapshot() == before
        assert tree.ours() == (200, "ours")
        filler.unlink()
        assert tree.site()["reasons"] in ([], ["nginx runs with workers older than the files on disk"])
    finally:
        tree.stop()


@pytest.mark.slow
def test_old_workers_close_their_connections_when_the_shutdown_timeout_ends(tree: Tree) -> None:
    backend = Application()
    content = WEBSOCKET.format(port=tree.port, location="= /ws", server="", directives=GOOD, more="")
    content = content.replace("127.0.0.1:9;", f"127.0.0.1:{backend.port};")
    tree.site(content=content)
    _status, before = handshake(tree.port)
    wanted = {"content": content, "main_content": "worker_shutdown_timeout 2s;"}
    assert tree.site(**wanted, check=True)["open_websockets_on_old_workers"] == 1
    assert tree.site(**wanted)["open_websockets_on_old_workers"] == 1
    before.close()
    _status, client = handshake(tree.port)
    client.settimeout(20)
    assert tree.site(content=content + "# changed\n")["open_websockets_on_old_workers"] == 1
    assert client.recv(1) == b""
    wait_for(lambda: tree.site(content=content + "# changed\n")["open_websockets_on_old_workers"] == 0)
    backend.close()


# ------------------------------------------------------------------ drift


def delete_link(tree: Tree) -> None:
    tree.link.unlink()


def edit_file(tree: Tree) -> None:
    tree.file.write_text(tree.file.read_text().replace("ours", "edited"))


def break_file(tree: Tree) -> None:
    tree.file.write_text(tree.file.read_text() + "}")


def copy_over_the_link(tree: Tree) -> None:
    text = tree.file.read_text()
    tree.link.unlink()
    tree.link.write_text(text)


def dangle(tree: Tree) -> None:
    tree.link.unlink()
    tree.link.symlink_to(tree.root / "nothing")


def delete_file(tree: Tree) -> None:
    tree.file.unlink()


def old_file_time(tree: Tree) -> None:
    """A change whose file time is older than the workers, as ``cp -p`` and ``mv`` make it."""
    aside = tree.root / "aside"
    aside.write_text(tree.file.read_text())
    os.utime(aside, (1, 1))
    os.rename(aside, tree.file)


def test_a_file_time_in_the_future_causes_one_reload(tree: Tree) -> None:
    """As a copy that keeps the times of a machine with another clock has it."""
    tree.site()
    os.utime(tree.file, (2**32, 2**32))
    assert tree.site()["reload"]
    assert not tree.site()["changed"]
    assert not [each for each in tree.info()["findings"] if each["code"] == "not_reloaded"]


@pytest.mark.parametrize(
    "drift",
    [
        *(delete_link, edit_file, break_file, old_file_time),
        *(pytest.param(each, marks=pytest.mark.slow) for each in (copy_over_the_link, dangle, delete_file)),
    ],
)
def test_drift_is_repaired_by_the_next_run_and_not_repaired_twice(tree: Tree, drift: Callable[[Tree], None]) -> None:
    tree.site()
    good = tree.snapshot()
    time.sleep(0.05)
    drift(tree)
    with Loop(tree.port).running() as loop:
        assert tree.site()["changed"]
    assert tree.snapshot() == good
    assert tree.ours() == (200, "ours")
    assert not loop.failed
    assert not tree.site()["changed"]


def test_a_change_that_was_never_reloaded_is_put_in_force(tree: Tree) -> None:
    """The run that wrote the file died before its reload."""
    tree.site()
    time.sleep(0.05)
    tree.file.write_text(tree.file.read_text().replace("ours", "newer"))
    assert tree.ours() == (200, "ours")
    assert "not_reloaded" in [each["code"] for each in tree.info()["findings"]]
    result = tree.site(content=tree.content("newer"))
    assert (result["changed"], result["reload"]) == (True, True)
    assert result["reasons"] == ["nginx runs with workers older than the files on disk"]
    assert tree.ours() == (200, "newer")
    assert not [each for each in tree.info()["findings"] if each["code"] == "not_reloaded"]


def test_a_key_in_a_directory_that_only_root_may_enter_is_private_whatever_its_mode(
    tree: Tree, certificates: Path
) -> None:
    """As older versions of certbot leave it."""
    closed = tree.root / "live"
    closed.mkdir(mode=0o700)
    for name in ("good.pem", "good.key"):
        (closed / name).write_bytes((certificates / name).read_bytes())
        (closed / name).chmod(0o644)
    enter_by_all(tree)
    extra = f"ssl_certificate {closed}/good.pem; ssl_certificate_key {closed}/good.key;"
    content = tree.content(extra=extra, port=free_port()).replace("; server_name", " ssl; server_name", 1)
    assert not tree.site(content=content, watch=[f"{closed}/good.pem"])["failed"]
    # A renewed certificate that was not reloaded is reported too.
    time.sleep(0.05)
    (closed / "good.pem").touch()
    assert tree.info()["newer_than_running"] == [f"{closed}/good.pem"]
    assert tree.site(content=content, watch=[f"{closed}/good.pem"])["reload"]


def test_a_renewed_certificate_causes_a_reload(tree: Tree, tmp_path: Path) -> None:
    watched = tmp_path / "certificate.pem"
    watched.write_text("old")
    tree.site(watch=[str(watched)])
    time.sleep(0.05)
    watched.write_text("renewed")
    assert tree.site(watch=[str(watched)])["reload"]
    assert not tree.site(watch=[str(watched)])["changed"]


def test_a_stopped_nginx_gets_its_site_and_stays_stopped(tree: Tree) -> None:
    tree.stop()
    result = tree.site()
    assert (result["changed"], result["reload"], result["running"]) == (True, False, False)
    assert tree.pid() is None
    assert not tree.site()["changed"]
    tree.start()
    assert tree.ours() == (200, "ours")


def test_a_removed_file_that_is_still_in_force_is_reported(tree: Tree) -> None:
    tree.site()
    time.sleep(0.05)
    tree.link.unlink()
    assert tree.ours() == (200, "ours")
    found = {each["code"]: each["where"] for each in tree.info()["findings"]}
    assert found["not_reloaded"] == [str(tree.link.parent)]
    assert "site_not_enabled" in found


def test_changes_of_unmanaged_files_are_reported_and_cause_no_reload(tree: Tree) -> None:
    tree.site()
    time.sleep(0.05)
    changed = tree.others("others", OTHERS.format(port=tree.port, text="others of tomorrow"))
    result = tree.site()
    assert not result["changed"]
    assert result["warnings"] == [f"{changed} was changed after nginx loaded it; the next reload puts it in force"]
    assert get(tree.port, "others.example.com") == (200, "others")


# ------------------------------------------------------------------ refused sites


DOCS = Path(__file__).resolve().parents[2] / "docs/nginx.md"


def row_of(title: str, tree: Tree, certificates: Path | None, said: str, findings: list[dict[str, Any]]) -> str:
    """The row of docs/nginx.md for a tree, without what differs from run to run."""
    for path in (str(tree.root), str(certificates) if certificates else ""):
        said = said.replace(path, "…") if path else said
    said = re.sub(r"\bport \d+", "port 80", said.replace(f"127.0.0.1:{tree.port}", "127.0.0.1:80"))
    said = re.sub(r"taken by .* \(process \d+\)", "taken by PROGRAM (process NUMBER)", said)
    said = re.sub(r"(127\.0\.0\.1|192\.0\.2\.1):\d+", r"\1:80", said)
    said = said.replace("; nothing was changed", "").replace("|", r"\|")
    codes = dict.fromkeys(f"`{each['code']}`" for each in findings if each["level"] != "notice")
    return f"| {title} | {said} | {', '.join(codes) or 'nothing'} |"


def assert_documented(row: str) -> None:
    """The table quotes the nginx of Debian 13; messages of other versions differ."""
    if NGINX_VERSION.startswith("1.26."):
        assert row in DOCS.read_text().splitlines(), f"docs/nginx.md lacks this row:\n{row}"


@dataclass(frozen=True)
class Hostile:
    """A tree in which the site must be refused.

    ``title`` describes the tree; ``says`` are parts of the message of nginx_site; ``codes`` are findings of
    nginx_effective_info for the host name of the site afterwards.
    """

    id: str
    title: str
    make: Callable[[Tree, Path], dict[str, Any]]
    says: tuple[str, ...]
    codes: tuple[str, ...] = ("default_server",)
    broken: bool = False


def candidate(text: str) -> Callable[[Tree, Path], dict[str, Any]]:
    return lambda tree, _certificates: {"content": text.format(tree=tree, port=tree.port)}


def others(name: str, text: str) -> Callable[[Tree, Path], dict[str, Any]]:
    def make(tree: Tree, _certificates: Path) -> dict[str, Any]:
        tree.others(name, text.format(tree=tree, port=tree.port))
        return {}

    return make


def main_file(text: str) -> Callable[[Tree, Path], dict[str, Any]]:
    def make(tree: Tree, _certificates: Path) -> dict[str, Any]:
        tree.main.write_text(tree.main.read_text() + text)
        return {}

    return make


def enter_by_all(tree: Tree) -> None:
    """Other users may not enter the directories of pytest by default."""
    for folder in tree.main.parents:
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o001)


def tls(certificate: str, key: str, key_mode: int = 0o600) -> Callable[[Tree, Path], dict[str, Any]]:
    def make(tree: Tree, certificates: Path) -> dict[str, Any]:
        copy = tree.root / "key.pem"
        copy.write_bytes((certificates / key).read_bytes())
        copy.chmod(key_mode)
        if key_mode & 0o007:
            enter_by_all(tree)
        extra = f"ssl_certificate {certificates / certificate}; ssl_certificate_key {copy};"
        return {"content": tree.content(extra=extra, port=free_port()).replace("; server_name", " ssl; server_name", 1)}

    return make


def dangling(tree: Tree, _certificates: Path) -> dict[str, Any]:
    (tree.root / "sites-enabled/gone").symlink_to(tree.root / "sites-available/gone")
    return {}


def our_name_taken(tree: Tree, _certificates: Path) -> dict[str, Any]:
    tree.file.write_text("# mine\n")
    return {}


def our_link_taken(tree: Tree, _certificates: Path) -> dict[str, Any]:
    mine = tree.root / "sites-available/mine"
    mine.write_text("# mine\n")
    tree.link.symlink_to(mine)
    return {}


def our_name_is_a_directory(tree: Tree, _certificates: Path) -> dict[str, Any]:
    tree.file.mkdir()
    (tree.file / "kept").write_text("")
    return {}


def nothing_included(tree: Tree, _certificates: Path) -> dict[str, Any]:
    tree.write_main(includes=f"include {tree.root}/sites-enabled/others;")
    return {}


WEBSOCKET = """
map $http_upgrade $cf_upgrade {{ default ""; websocket websocket; }}
map $http_upgrade $cf_connection {{ default ""; websocket upgrade; }}
server {{
  listen 127.0.0.1:{port}; server_name api.example.com;
  {server}
  location {location} {{
    proxy_pass http://127.0.0.1:9;
    {directives}
  }}
  {more}
}}
"""
GOOD = (
    "proxy_http_version 1.1; proxy_set_header Upgrade $cf_upgrade; proxy_set_header Connection $cf_connection; "
    "proxy_read_timeout 86400s;"
)


def websocket(name: str, text: str, port: bool = False) -> Callable[[Tree, Path], dict[str, Any]]:
    """A site with a WebSocket beside an unmanaged file; ``port``: both at a port without other sites."""

    def make(tree: Tree, _certificates: Path) -> dict[str, Any]:
        chosen = free_port() if port else tree.port
        tree.others(name, text.format(tree=tree, port=chosen))
        content = WEBSOCKET.format(port=chosen, location="= /ws", directives=GOOD, server="", more="")
        return {"content": content}

    return make


NAMED = 'server {{ listen 127.0.0.1:{port}; server_name api.example.com; return 200 "taken"; }}\n'
HOSTILE = [
    Hostile(
        "unknown-directive",
        "an unknown directive in the site",
        candidate("server {{ nonsense on; }}"),
        ('unknown directive "nonsense"', "{tree.link}:2"),
    ),
    Hostile(
        "directive-twice",
        "the same directive twice",
        candidate(
            "server {{ listen 127.0.0.1:{port}; location / {{ proxy_http_version 1.1;\nproxy_http_version 1.1; }} }}"
        ),
        ('"proxy_http_version" directive is duplicate', "{tree.link}:3"),
    ),
    Hostile(
        "brace-missing",
        "a brace missing",
        candidate("server {{ listen 127.0.0.1:{port};"),
        ('unexpected end of file, expecting "}}"',),
    ),
    Hostile(
        "breaks-out-of-the-block",
        "a brace too many, breaking out of the block",
        candidate("server {{ listen 127.0.0.1:{port}; }} }}"),
        ('unexpected "}}"',),
    ),
    Hostile("quote-open", "an open quote", candidate('server {{ server_name "x; }}'), ("unexpected end of file",)),
    Hostile(
        "upstream-unknown",
        "an upstream whose name does not resolve",
        candidate("server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass http://no.such.name.invalid; }} }}"),
        ('host not found in upstream "no.such.name.invalid"',),
    ),
    Hostile(
        "address-not-here",
        "an address that the host does not have",
        candidate("server {{ listen 192.0.2.1:{port}; server_name api.example.com; }}"),
        ("bind() to 192.0.2.1:{tree.port} failed (99: ",),
    ),
    Hostile(
        "variable-unknown",
        "a variable that does not exist",
        candidate('server {{ listen 127.0.0.1:{port}; location / {{ return 200 "$no_such"; }} }}'),
        ('unknown "no_such" variable',),
    ),
    Hostile(
        "second-default-server",
        "a second default server",
        lambda tree, certs: (
            others("default", "server {{ listen 127.0.0.1:{port} default_server; return 404; }}\n")(tree, certs)
            or {"content": tree.content().replace("; server_name", " default_server; server_name", 1)}
        ),
        ("a duplicate default server for 127.0.0.1:{tree.port}",),
    ),
    Hostile(
        "others-broken",
        "an unmanaged file with a missing semicolon",
        others("zz", "server {{ listen 127.0.0.1:{port} }}\n"),
        (
            "refuses the configuration without the site",
            "{tree.root}/sites-enabled/zz",
            "which this collection does not manage",
        ),
        ("refused",),
        broken=True,
    ),
    Hostile(
        "others-unknown-directive",
        "an unmanaged file with an unknown directive",
        others("aa", "server {{ listen 127.0.0.1:{port};\n  ssl_nonsense on; }}\n"),
        ("refuses the configuration without the site", "repair {tree.root}/sites-enabled/aa first"),
        ("refused",),
        broken=True,
    ),
    Hostile(
        "others-include-missing",
        "an unmanaged file that includes a missing one",
        others("aa", "include {tree.root}/no-such-file;\n"),
        ("refuses the configuration without the site", "no-such-file", "repair {tree.root}/sites-enabled/aa first"),
        ("refused",),
        broken=True,
    ),
    Hostile(
        "others-certificate-missing",
        "an unmanaged server with a missing certificate",
        others(
            "aa", "server {{ listen 127.0.0.1:1 ssl; ssl_certificate /no/cert.pem; ssl_certificate_key /no/key.pem; }}"
        ),
        ("refuses the configuration without the site", "/no/cert.pem", "repair {tree.root}/sites-enabled/aa first"),
        ("refused",),
        broken=True,
    ),
    Hostile(
        "others-link-dangles",
        "a dangling link in `sites-enabled`",
        dangling,
        ("refuses the configuration without the site", "repair {tree.root}/sites-enabled/gone first"),
        ("refused",),
        broken=True,
    ),
    Hostile(
        "others-directory",
        "a directory in `sites-enabled`",
        lambda tree, _certificates: (tree.root / "sites-enabled/folder").mkdir() or {},
        ("refuses the configuration without the site", "repair {tree.root}/sites-enabled/folder first"),
        ("refused",),
        broken=True,
    ),
    Hostile(
        "main-file-broken",
        "`nginx.conf` with a block that is not closed",
        main_file("http {\n"),
        ("refuses the configuration without the site", "{tree.main}"),
        ("refused",),
        broken=True,
    ),
    Hostile(
        "our-name-taken",
        "an unmanaged file with the name of the site",
        our_name_taken,
        ("{tree.file} exists and does not have the marker",),
    ),
    Hostile(
        "our-link-taken",
        "a link with the name of the site to another file",
        our_link_taken,
        ("{tree.link} exists and does not have the marker",),
    ),
    Hostile(
        "our-name-is-a-directory",
        "a directory with the name of the site",
        our_name_is_a_directory,
        ("{tree.file} exists and does not have the marker",),
    ),
    Hostile(
        "nothing-included",
        "a main file that includes no directory for sites",
        nothing_included,
        ("includes no directory sites-enabled or conf.d",),
    ),
    Hostile(
        "host-name-taken-before-us",
        "the host name in a file that is loaded before the site",
        others("aa", NAMED),
        ("{tree.root}/sites-enabled/aa:1 answers for api.example.com", "nginx would ignore the site"),
        ("server_returns",),
    ),
    Hostile(
        "host-name-taken-with-a-dot",
        "the host name and all below it (`.api.example.com`) in a file that is loaded before the site",
        others("aa", NAMED.replace("api.", ".api.")),
        ("{tree.root}/sites-enabled/aa:1 answers for api.example.com", "nginx would ignore the site"),
        ("server_returns",),
    ),
    Hostile(
        "host-name-taken-after-us",
        "the host name in a file that is loaded after the site",
        others("zz", NAMED),
        ("{tree.root}/sites-enabled/zz:1 already answers for api.example.com", "would take the name away from it"),
        ("server_returns",),
    ),
    Hostile(
        "host-name-too-long",
        "a host name that is too long for the buckets of nginx",
        lambda tree, _certificates: {"content": tree.content().replace("api.example.com", f"{'a' * 47}.example.com")},
        (
            f"{'a' * 47}.example.com has 59 characters, and nginx takes at most 46",
            "set server_names_hash_bucket_size 128 in the http block of nginx.conf",
        ),
    ),
    Hostile(
        "denied-to-all",
        "a `deny all` for all sites in an unmanaged file",
        websocket("aa", "deny all;\n"),
        (
            "no WebSocket of the site app-staging would work",
            "denies all in {tree.root}/sites-enabled/aa:1",
            "repair that file",
        ),
    ),
    Hostile(
        "proxy-protocol-of-another",
        "an unmanaged default server with `proxy_protocol` at the port of the site",
        websocket("aa", "server {{ listen 127.0.0.1:{port} default_server proxy_protocol; return 404; }}\n", port=True),
        (
            "no WebSocket of the site app-staging would work",
            "because of listen ... proxy_protocol in {tree.root}/sites-enabled/aa:1",
        ),
    ),
    Hostile(
        "certificate-expired", "an expired certificate", tls("expired.pem", "expired.key"), ("expired on 2020-02-01",)
    ),
    Hostile("key-of-another", "the key of another certificate", tls("good.pem", "other.key"), ("key values mismatch",)),
    Hostile(
        "key-open-to-all",
        "a private key that everybody may read",
        tls("good.pem", "good.key", 0o644),
        ("every user of this host may read or change the private key", "mode 0644"),
    ),
    Hostile(
        "certificate-missing",
        "a certificate that does not exist",
        tls("none.pem", "good.key"),
        ("none.pem", "No such file"),
    ),
    Hostile(
        "too-few-connections",
        "too few connections for the number of clients",
        lambda _tree, _certificates: {"clients": 1000},
        ("2 worker processes with worker_connections 128 serve 128 clients of the 1000 wanted", "to 1000 or more"),
    ),
    Hostile(
        "name-is-a-path",
        "a site name that is a path",
        lambda _tree, _certificates: {"name": "../nginx.conf"},
        ("name is '../nginx.conf'",),
    ),
]


#: Trees that nginx refuses for the same reason as another one of the list.
ALIKE = {
    *("brace-missing", "quote-open", "upstream-unknown", "variable-unknown", "second-default-server"),
    *("others-unknown-directive", "others-include-missing", "our-name-is-a-directory", "certificate-missing"),
}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.id, marks=[pytest.mark.slow] if case.id in ALIKE else []) for case in HOSTILE],
)
def test_a_site_that_is_refused_changes_nothing(tree: Tree, certificates: Path, case: Hostile) -> None:
    # So that a file that is written now is newer than the workers.
    time.sleep(0.05)
    options = case.make(tree, certificates)
    before = tree.snapshot()
    workers = tree.workers()
    with Loop(tree.port).running() as loop:
        predicted = tree.site(check=True, **options)
        result = tree.site(**options)
        info = tree.info()
    assert result["failed"], result
    assert predicted == result
    for part in case.says:
        assert part.format(tree=tree) in result["msg"]
    assert not result["changed"]
    assert tree.snapshot() == before
    assert tree.accepted() is not case.broken
    assert (loop.failed, loop.served > 0) == ([], True)
    assert tree.workers() == workers
    codes = [each["code"] for each in info["findings"]]
    assert [code for code in case.codes if code not in codes] == []
    assert_documented(row_of(case.title, tree, certificates, result["msg"], info["findings"]))


def test_the_documentation_lists_exactly_these_trees() -> None:
    table = DOCS.read_text().partition("### Sites that are refused")[2].partition("\n#")[0]
    rows = [line.split(" | ")[0].removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    wanted = [*(case.title for case in HOSTILE), PORT_TAKEN, PORT_TAKEN_LATE]
    assert sorted(rows[1:]) == sorted(wanted)


PORT_TAKEN = "a port of another program"
PORT_TAKEN_LATE = "a port that is taken between the test and the reload"


def test_a_port_of_another_program_is_named_with_its_holder(tree: Tree) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        result = tree.site(content=tree.content(port=port))
        assert result["failed"]
        assert f"port {port} of the site app-staging is taken by" in result["msg"]
        assert f"(process {os.getpid()})" in result["msg"]
        assert not tree.file.exists()
        assert_documented(row_of(PORT_TAKEN, tree, None, result["msg"], tree.info()["findings"]))


def test_after_a_refused_reload_the_previous_files_are_restored(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken between the test and the reload: nginx reports it in its log alone."""
    tree.site()
    good = tree.snapshot()
    monkeypatch.setattr(checks, "port_holder", lambda *_args: None)
    with socket.socket() as sock, Loop(tree.port).running() as loop:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        result = tree.site(content=tree.content("newer") + tree.content("newer", port=port))
    assert result["failed"]
    assert f"bind() to 127.0.0.1:{port} failed (98: Address" in result["msg"]
    assert "the previous configuration stays active" in result["msg"]
    assert_documented(row_of(PORT_TAKEN_LATE, tree, None, result["msg"], tree.info()["findings"]))
    assert tree.snapshot() == good
    assert tree.ours() == (200, "ours")
    assert not loop.failed
    assert not tree.site()["changed"]


def test_an_unmanaged_site_that_claims_the_name_later_is_reported_and_stays(tree: Tree) -> None:
    tree.site()
    extra = tree.others("zz", NAMED.format(port=tree.port))
    tree.command("-s", "reload")
    result = tree.site()
    assert not result["failed"]
    assert any(f"{extra}:1 claims api.example.com" in each for each in result["warnings"])
    assert extra.exists()
    assert "duplicate_name" in [each["code"] for each in tree.info()["findings"]]


def test_an_unmanaged_site_that_takes_the_host_name_is_an_error(tree: Tree) -> None:
    tree.site()
    extra = tree.others("aa", NAMED.format(port=tree.port))
    result = tree.site()
    assert result["failed"]
    assert f"{extra}:1 answers for api.example.com on port {tree.port} before the site" in result["msg"]
    assert extra.exists()


def test_a_configuration_broken_later_is_reported_while_nginx_runs(tree: Tree) -> None:
    tree.site()
    tree.others("zz", "nonsense;\n")
    result = tree.site()
    assert not result["changed"]
    assert any("nginx refuses the configuration on disk" in each and "/zz:1" in each for each in result["warnings"])
    tree.stop()
    assert "nginx does not run and refuses the configuration" in tree.site()["msg"]


def test_a_server_on_the_exact_address_is_reported(tree: Tree) -> None:
    port = free_port()
    tree.others("aa", f"server {{ listen 127.0.0.1:{port}; server_name other; return 404; }}\n")
    result = tree.site(content=f"server {{ listen {port}; server_name api.example.com; return 200 x; }}")
    assert result["changed"]
    expected = f"connections to 127.0.0.1:{port} never reach the site app-staging, since {tree.root}/sites-enabled/aa:1"
    assert any(each.startswith(expected) for each in result["warnings"])


# ------------------------------------------------------------------ killed runs


def run_and_die(tree: Tree, calls: int, options: dict[str, Any]) -> None:
    """Run the module in this process and exit at the nth change of the file system."""
    left = calls

    def dying(function: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            if str(tree.root) in str(args[0]) and "/run/" not in str(args[0]):
                left -= 1
                if left < 0:
                    os._exit(9)
            return function(*args, **kwargs)

        return call

    for name in ("rename", "unlink", "symlink"):
        setattr(os, name, dying(getattr(os, name)))
    tree.site(**options)
    os._exit(0)


#: What is there before, and what the killed run wants.
KILLED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "new": ({"state": "absent"}, {}),
    "changed": ({}, {"content": "newer"}),
    "absent": (TIMEOUT, {"state": "absent"}),
    "main-added": ({"main_content": ""}, TIMEOUT),
    "main-removed": (TIMEOUT, {"main_content": ""}),
    "moved": ({}, {"layout": "conf_d"}),
}


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, marks=[] if case == "main-removed" else pytest.mark.slow) for case in KILLED],
)
def test_after_a_run_killed_at_any_step_nginx_accepts_the_tree_and_the_next_run_finishes_it(
    tree: Tree, case: str
) -> None:
    before, wanted = ({**each} for each in KILLED[case])
    if "content" in wanted:
        wanted["content"] = tree.content("newer")
    tree.site(**wanted)
    finished, served = tree.snapshot(), tree.ours()
    fork = multiprocessing.get_context("fork")
    steps = 0
    while True:
        tree.site(**before)
        time.sleep(0.05)
        workers = set(tree.workers())
        process = fork.Process(target=run_and_die, args=(tree, steps, wanted))
        process.start()
        process.join(120)
        assert tree.accepted()
        if process.exitcode == 0:
            break
        assert process.exitcode == 9
        tree.site(**wanted)
        assert tree.ours() == served
        # What the killed run removed or wrote is in force: the workers are those of a reload.
        assert not workers & set(tree.workers())
        assert tree.snapshot() == finished
        steps += 1
    assert steps >= 2


# ------------------------------------------------------------------ effective


#: Only the upgrade is proxied; the location itself answers everything else.
IF_PROXIES = 'if ($http_upgrade = "websocket") { proxy_pass http://127.0.0.1:9; }'
OUTER_SET = (
    "set $u websocket; location = /ws { proxy_pass http://127.0.0.1:9; proxy_http_version 1.1; "
    "proxy_set_header Upgrade $u; proxy_set_header Connection upgrade; proxy_read_timeout 1d; }"
)
EFFECTIVE = [
    ("good", {}, []),
    ("no-upgrade", {"directives": "proxy_http_version 1.1; proxy_read_timeout 86400s;"}, ["upgrade_missing"]),
    ("http-1.0", {"directives": GOOD.replace("proxy_http_version 1.1; ", "")}, ["http_version"]),
    ("default-timeout", {"directives": GOOD.replace("proxy_read_timeout 86400s;", "")}, ["idle_timeout"]),
    (
        "inherited-whole",
        {"server": GOOD, "directives": ""},
        [],
    ),
    (
        "inheritance-trap",
        {"server": GOOD, "directives": "proxy_set_header Host $host;"},
        ["header_shadowed"],
    ),
    ("connection-fixed", {"directives": GOOD.replace("$cf_connection", '"upgrade"')}, ["connection_fixed"]),
    (
        "connection-missing",
        {"directives": GOOD.replace("proxy_set_header Connection $cf_connection; ", "")},
        ["connection_missing"],
    ),
    ("connection-wrong", {"directives": GOOD.replace("$cf_connection", '"close"')}, ["connection_wrong"]),
    ("every-upgrade", {"directives": GOOD.replace("$cf_upgrade", "$http_upgrade")}, ["every_upgrade"]),
    (
        "caught-by-a-regex",
        {"location": "/ws", "directives": GOOD, "more": "location ~ ^/w { proxy_pass http://127.0.0.1:9; }"},
        ["upgrade_missing", "other_location", "http_version", "idle_timeout"],
    ),
    ("not-caught-with-hat", {"location": "^~ /ws", "directives": GOOD, "more": "location ~ ^/w { return 404; }"}, []),
    ("slash-redirects", {"location": "/ws/", "directives": GOOD}, ["redirected"]),
    ("server-returns", {"server": "return 301 https://api.example.com;", "directives": GOOD}, ["server_returns"]),
    (
        "certbot-returns",
        {"server": "if ($host = api.example.com) { return 301 https://$host$request_uri; }", "directives": GOOD},
        ["server_returns"],
    ),
    ("certbot-of-another", {"server": "if ($host = x.example.com) { return 404; }", "directives": GOOD}, []),
    ("if-that-proxies", {"directives": "} location / { " + GOOD + IF_PROXIES, "location": "/none"}, []),
    ("outer-set-is-not-inherited", {"location": "/", "directives": OUTER_SET}, ["upgrade_wrong", "connection_fixed"]),
    (
        "location-returns",
        {"more": "location = /ws { return 404; }", "location": "/"},
        ["location_returns", "other_location"],
    ),
    (
        "set-in-if",
        {
            "directives": GOOD.replace("$cf_upgrade", "$u").replace("$cf_connection", "$c")
            + 'set $u ""; set $c ""; if ($http_upgrade ~* ^websocket$) { set $u websocket; set $c upgrade; }'
        },
        [],
    ),
]


#: Since 1.29.7 nginx speaks HTTP/1.1 to the upstream by default.
NEW_DEFAULTS = tuple(int(part) for part in NGINX_VERSION.split(".") if part) >= (1, 29, 7)


@pytest.mark.parametrize(("parts", "codes"), [case[1:] for case in EFFECTIVE], ids=[case[0] for case in EFFECTIVE])
def test_the_evaluation_agrees_with_a_handshake(tree: Tree, parts: dict[str, str], codes: list[str]) -> None:
    backend = Application()
    wanted = {"location": "= /ws", "directives": GOOD, "server": "", "more": "", **parts}
    content = WEBSOCKET.format(port=tree.port, **wanted).replace("127.0.0.1:9;", f"127.0.0.1:{backend.port};")
    result = tree.site(content=content)
    assert not result.get("failed"), result
    info = tree.info()
    if NEW_DEFAULTS:
        codes = [code for code in codes if code != "http_version"]
    # These sites are about the upgrade alone. What an application is told of its name is compared elsewhere.
    found = [each["code"] for each in info["findings"] if not each["code"].startswith("host_")]
    assert found == codes, info["findings"]
    for file in (tree.main, tree.link):
        nginx_crossplane.assert_parsed_alike(file.read_text(), str(file))
    if "server_returns" not in codes and "redirected" not in codes and "location_returns" not in codes:
        # The proof on the wire: status 101 exactly where no error is found.
        assert (handshake(tree.port)[0] == 101) is info["ok"], info["findings"]
    backend.close()


def test_the_inheritance_trap_names_both_places(tree: Tree) -> None:
    tree.site(
        content=WEBSOCKET.format(
            port=tree.port, location="/", server=f"{GOOD}\n", directives="proxy_set_header Host x;", more=""
        )
    )
    finding = tree.info()["findings"][0]
    file = str(tree.link)
    assert finding["message"] == (
        f"location / in {file}:8 sets proxy_set_header Host in {file}:10 and so drops Upgrade set in {file}:6"
    )
    assert finding["where"] == [f"{file}:10", f"{file}:6"]


def test_a_dump_is_evaluated_like_the_host(tree: Tree) -> None:
    tree.site(
        content=WEBSOCKET.format(port=tree.port, location="/", server=GOOD, directives="proxy_set_header A b;", more="")
    )
    dump = tree.command("-T").stdout
    here, there = tree.info(), tree.info(dump=dump, nginx_version="1.26.3")
    for key in ("server", "location", "effective", "headers", "findings"):
        assert here[key] == there[key]


def test_a_comment_that_looks_like_the_next_file_of_a_dump_is_ignored(tree: Tree) -> None:
    tree.site()
    file = tree.others("aa", f"# configuration file {tree.link}:\n{OTHERS.format(port=tree.port, text='x')}")
    file.write_text(file.read_text().replace("others.example", "aa.example"))
    assert tree.info(host_name="aa.example.com")["server"]["where"] == f"{file}:2"
    assert tree.info()["server"]["where"] == f"{tree.link}:2"


def test_open_websockets_are_counted_before_and_after_the_reload(tree: Tree) -> None:
    backend = Application()
    content = WEBSOCKET.format(port=tree.port, location="= /ws", server="", directives=GOOD, more="")
    content = content.replace("127.0.0.1:9;", f"127.0.0.1:{backend.port};")
    tree.site(content=content)
    clients = [handshake(tree.port)[1] for _number in range(3)]
    changed = content + "# changed\n"
    assert tree.site(content=changed, check=True)["open_websockets_on_old_workers"] == 3
    result = tree.site(content=changed)
    assert result["open_websockets_on_old_workers"] == 3
    assert result["warnings"] == [
        "3 open WebSockets stay with workers of the previous configuration after the reload, until they close or "
        "worker_shutdown_timeout ends"
    ]
    for each in clients:
        each.sendall(b"still here")
    assert [each.recv(100) for each in clients] == [b"still here"] * 3
    for each in clients:
        each.close()
    wait_for(lambda: tree.site(content=changed)["open_websockets_on_old_workers"] == 0)
    backend.close()
