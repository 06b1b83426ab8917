"""nginx_site takes over the sites of a host that was deployed manually, with a real nginx."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from nginx_tree import NGINX, Loop, Tree, wait_for

pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx")]


def manual(tree: Tree, text: str | None = None, name: str = "manual-api") -> Path:
    """A manual site for the name of the managed one: a file in sites-available and a link with a relative target."""
    file = tree.root / "sites-available" / name
    file.write_text(text or tree.content("manual"))
    link = tree.root / "sites-enabled" / name
    link.symlink_to(f"../sites-available/{name}")
    reload(tree)
    return link


def reload(tree: Tree) -> None:
    before = set(tree.workers())
    tree.command("-s", "reload")
    wait_for(lambda: tree.workers() and not before & set(tree.workers()))


def test_the_manual_site_is_disabled_in_the_reload_that_enables_the_site(tree: Tree) -> None:
    link = manual(tree)
    assert tree.ours() == (200, "manual")
    before = tree.snapshot()
    predicted = tree.site(check=True, take_over=True)
    assert (predicted["changed"], predicted["taken_over"], tree.snapshot()) == (True, [str(link)], before)
    workers = set(tree.workers())
    with Loop(tree.port).running() as loop:
        result = tree.site(take_over=True)
    kept = tree.root / "taken-over" / tree.name / str(link).lstrip("/")
    assert result["reasons"][0] == (
        f"{link}:1 answers for api.example.com on port {tree.port}; it is taken over and kept as {kept}"
    )
    assert result["reasons"] == predicted["reasons"]
    assert (result["taken_over"], tree.site_info()["taken_over"]) == ([str(link)], [str(link)])
    assert tree.ours() == (200, "ours")
    assert not loop.failed
    assert not workers & set(tree.workers())
    assert not os.path.lexists(link)
    assert os.readlink(kept) == str(tree.root / "sites-available/manual-api")
    assert not tree.site(take_over=True)["changed"]
    assert not tree.site()["changed"]


def test_the_removal_of_the_site_restores_the_manual_one(tree: Tree) -> None:
    link = manual(tree)
    before = tree.snapshot()
    tree.site(take_over=True)
    with Loop(tree.port).running() as loop:
        result = tree.site(state="absent")
    assert f"{link} was taken over and is restored" in result["reasons"]
    assert result["taken_over"] == []
    assert tree.ours() == (200, "manual")
    assert not loop.failed
    # The link has an absolute target by now.
    assert tree.snapshot() == {**before, "sites-enabled/manual-api": f"-> {tree.root}/sites-available/manual-api"}
    assert not (tree.root / "taken-over").exists()
    assert not tree.site(state="absent")["changed"]


def test_no_request_for_the_name_fails_while_the_site_is_taken_over_and_restored(tree: Tree) -> None:
    manual(tree)
    answers: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                status, text = tree.ours()
                answers.append(text if status == 200 else str(status))
            except OSError as exc:
                answers.append(f"failed: {exc}")

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for options in ({"take_over": True}, {"state": "absent"}):
            assert tree.site(**options)["changed"]
            time.sleep(0.3)
    finally:
        over.set()
        thread.join()
    assert set(answers) == {"manual", "ours"}


def test_a_file_keeps_its_content_and_mode(tree: Tree) -> None:
    file = tree.root / "conf.d" / "manual.conf"
    file.write_text(tree.content("manual \xe9"))
    file.chmod(0o640)
    reload(tree)
    before = file.read_bytes()
    tree.site(take_over=True)
    kept = tree.root / "taken-over" / tree.name / str(file).lstrip("/")
    assert (kept.read_bytes(), kept.stat().st_mode & 0o777, file.exists()) == (before, 0o640, False)
    tree.site(state="absent")
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (before, 0o640)


def test_an_unmanaged_site_with_the_same_paths_is_taken_over_and_restored(tree: Tree) -> None:
    manual(tree, name=tree.name)
    before = tree.snapshot()
    assert "does not have the marker" in tree.site()["msg"]
    result = tree.site(take_over=True)
    assert tree.ours() == (200, "ours")
    assert str(tree.link) in result["taken_over"]
    tree.site(state="absent")
    assert tree.ours() == (200, "manual")
    assert tree.snapshot() == before


@pytest.mark.parametrize(
    ("extra", "found"),
    [
        pytest.param(
            "server { listen 127.0.0.1:{port}; server_name shop.example.com; }", "shop.example.com", id="name"
        ),
        pytest.param(
            "server { listen 127.0.0.1:1; server_name api.example.com; }", "api.example.com on port 1", id="port"
        ),
        pytest.param("server { listen 127.0.0.1:{port}; server_name _; }", "other names on port", id="catch-all"),
    ],
)
def test_a_file_that_answers_for_more_is_refused(tree: Tree, extra: str, found: str) -> None:
    text = tree.content("manual") + "\n" + extra.replace("{port}", str(tree.port))
    file = tree.others("manual", text)
    before = tree.snapshot()
    result = tree.site(take_over=True)
    assert result["failed"]
    assert f"{file}:1 answers for api.example.com on port {tree.port}, and {file} cannot be taken over" in result["msg"]
    assert found in result["msg"]
    assert tree.snapshot() == before


def test_a_server_in_the_main_file_is_refused(tree: Tree) -> None:
    tree.main.write_text(
        tree.main.read_text().replace("sites-enabled/*;", f"sites-enabled/*; {tree.content('manual')}")
    )
    assert "it is the main file, or is included by its own name" in tree.site(take_over=True)["msg"]


def test_a_site_that_nginx_refuses_leaves_the_manual_one(tree: Tree) -> None:
    manual(tree)
    before = tree.snapshot()
    result = tree.site(take_over=True, content=tree.content(extra="no_such_directive on;"))
    assert (result["failed"], tree.snapshot(), tree.ours()) == (True, before, (200, "manual"))


def test_a_manual_site_that_others_need_stays(tree: Tree) -> None:
    """Another file uses an upstream that the manual one defines."""
    manual(tree, "upstream shared { server 127.0.0.1:9; }\n" + tree.content("manual"))
    tree.others(
        "zz", f"server {{ listen 127.0.0.1:{tree.port}; server_name zz; location / {{ proxy_pass http://shared; }} }}"
    )
    before = tree.snapshot()
    result = tree.site(take_over=True)
    assert (result["failed"], tree.snapshot(), tree.ours()) == (True, before, (200, "manual"))


def test_what_has_taken_the_place_meanwhile_stays(tree: Tree) -> None:
    link = manual(tree)
    tree.site(take_over=True)
    link.write_text("# something new\n")
    time.sleep(0.05)
    result = tree.site(state="absent")
    assert (link.read_text(), result["taken_over"]) == ("# something new\n", [str(link)])
