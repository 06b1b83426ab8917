"""The plan of a site: states in, steps and reasons out."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.layout import SiteLayout
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.plan import (
    File,
    Freshness,
    Link,
    SiteState,
    WantedSite,
    plan,
    steps,
)

SITES = SiteLayout("sites", "/n/sites-available/s", "/n/sites-enabled/s")
CONF_D = SiteLayout("conf_d", "/n/conf.d/s.conf")
MAIN = SiteLayout("main", "/n/modules-enabled/s.conf")
FILE, LINK = SITES.file, "/n/sites-enabled/s"
TOLERANCE_S = 0.02
FRESH = Freshness(oldest_worker=200.0, newest_change=100.0)
WANTED = WantedSite(SITES, "text")
ABSENT = WantedSite(SITES, None)
BEFORE: SiteState = {FILE: File("text"), LINK: Link(FILE)}


def test_the_wanted_state_has_a_file_and_a_link() -> None:
    assert WANTED.state() == BEFORE
    assert WANTED.changes() == {LINK: "text"}


def test_files_and_links_are_shown_by_what_they_hold() -> None:
    assert (str(File("text")), str(Link("/x"))) == ("text", "-> /x")


def test_a_site_that_is_not_wanted_has_neither() -> None:
    assert ABSENT.state() == {FILE: None, LINK: None}
    assert ABSENT.changes() == {LINK: None}


def test_the_file_of_the_main_context_and_other_layouts_are_part_of_the_state() -> None:
    wanted = WantedSite(CONF_D, "text", MAIN, "main", elsewhere=(LINK, FILE))
    assert wanted.state() == {LINK: None, FILE: None, CONF_D.file: File("text"), MAIN.file: File("main")}
    assert wanted.changes() == {LINK: None, FILE: None, CONF_D.file: "text", MAIN.file: "main"}


@pytest.mark.parametrize(
    ("changes", "wanted", "reasons"),
    [
        pytest.param({}, WANTED, (), id="nothing"),
        pytest.param({FILE: File("x")}, WANTED, (f"{FILE} has another content than wanted",), id="edited"),
        pytest.param({FILE: None}, WANTED, (f"{FILE} does not exist",), id="missing"),
        pytest.param({FILE: File("text", 0o600)}, WANTED, (f"{FILE} has mode 0600, expected 0644",), id="mode"),
        pytest.param({FILE: Link("/x")}, WANTED, (f"{FILE} has another content than wanted",), id="link-for-a-file"),
        pytest.param({LINK: None}, WANTED, (f"{LINK} is not a link to {FILE}",), id="link-missing"),
        pytest.param({LINK: Link("/x")}, WANTED, (f"{LINK} is not a link to {FILE}",), id="link-to-another-file"),
        pytest.param({LINK: File("text")}, WANTED, (f"{LINK} is not a link to {FILE}",), id="copy-for-a-link"),
        pytest.param({}, ABSENT, (f"{FILE} exists and should not", f"{LINK} exists and should not"), id="absent"),
        pytest.param({FILE: None, LINK: None}, ABSENT, (), id="absent-already"),
        pytest.param(
            {CONF_D.file: File("old")},
            WantedSite(SITES, "text", elsewhere=(CONF_D.file,)),
            (f"{CONF_D.file} exists and should not",),
            id="in-another-layout-too",
        ),
        pytest.param(
            {MAIN.file: None},
            WantedSite(SITES, "text", MAIN, "main"),
            (f"{MAIN.file} does not exist",),
            id="main-file-missing",
        ),
        pytest.param({MAIN.file: None}, WantedSite(SITES, "text", MAIN), (), id="main-file-neither-wanted-nor-there"),
    ],
)
def test_each_difference_has_its_reason_and_needs_a_reload(
    changes: SiteState, wanted: WantedSite, reasons: tuple[str, ...]
) -> None:
    made = plan({**BEFORE, **changes}, wanted.state(), FRESH, TOLERANCE_S)
    assert made.reasons == reasons
    assert (made.writes, made.reload, made.changes) == (bool(reasons),) * 3


@pytest.mark.parametrize(
    ("running", "reload"),
    [
        pytest.param(Freshness(200.0, 200.03), True, id="not-reloaded"),
        pytest.param(Freshness(200.0, 200.01), False, id="within-the-grain-of-the-clocks"),
        pytest.param(Freshness(200.0, None), False, id="no-file"),
        pytest.param(Freshness(None, 300.0), False, id="no-worker"),
        pytest.param(None, False, id="stopped"),
    ],
)
def test_files_newer_than_the_workers_need_a_reload(running: Freshness | None, reload: bool) -> None:
    made = plan(BEFORE, WANTED.state(), running, TOLERANCE_S)
    assert (made.writes, made.reload, made.changes) == (False, reload, reload)
    assert made.reasons == (("nginx runs with workers older than the files on disk",) if reload else ())


def test_a_stopped_nginx_is_not_reloaded() -> None:
    made = plan({FILE: None, LINK: None}, WANTED.state(), None, TOLERANCE_S)
    assert (made.writes, made.reload, made.changes) == (True, False, True)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({FILE: None, LINK: None}, BEFORE, [FILE, LINK], id="new"),
        pytest.param(BEFORE, {FILE: None, LINK: None}, [LINK, FILE], id="absent"),
        pytest.param(BEFORE, {FILE: File("x"), LINK: Link(FILE)}, [FILE], id="edited"),
        pytest.param(
            {CONF_D.file: None, **BEFORE},
            {CONF_D.file: File("text"), FILE: None, LINK: None},
            [LINK, FILE, CONF_D.file],
            id="to-another-layout",
        ),
        pytest.param(
            {CONF_D.file: File("text"), FILE: None, LINK: None},
            {CONF_D.file: None, **BEFORE},
            [CONF_D.file, FILE, LINK],
            id="and-back",
        ),
        pytest.param({**BEFORE, LINK: File("copy")}, BEFORE, [LINK], id="copy-for-a-link"),
        pytest.param({LINK: None, FILE: None}, {LINK: Link(FILE), FILE: File("x")}, [FILE, LINK], id="new-swapped"),
        pytest.param(BEFORE, BEFORE, [], id="nothing"),
    ],
)
def test_links_are_removed_before_their_files_and_made_after_them(
    before: SiteState, after: SiteState, expected: list[str]
) -> None:
    assert steps(before, after) == [(path, after[path]) for path in expected]
