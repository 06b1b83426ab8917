"""The pages, the JUnit file and the metrics."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.codeframe.staging.plugins.plugin_utils._report import render
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.document import build_document
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.junit import junit_of
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.metrics import metrics_of
from report_samples import FAILED, FAILED_PROXY, VERIFICATION

HOSTILE = "<script>alert('x')</script>\"&"


def document(**options: Any) -> dict[str, Any]:
    given = {"application": "app", "host": "web1", "verification": VERIFICATION, **options}
    return build_document(given, finished_at="2026-01-02T03:04:05Z", versions={"ansible-core": "2.19.4"})


class Page(HTMLParser):
    """Tags that are open, all tags, and the text."""

    VOID = frozenset(("meta", "img", "br"))

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.texts += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.texts)


def test_the_verdict_comes_first_and_the_page_needs_nothing_else() -> None:
    html = render.render_report(document())
    page = Page(html)
    assert page.text.index("The WebSocket works") < page.text.index("The way from the browser")
    names = {tag for tag, _attributes in page.tags}
    assert not names & {"script", "link", "iframe", "object", "form"}
    assert re.findall(r"(?:src|href|url)\s*[=(]", html) == []
    assert len(html.encode()) < 40_000


def test_a_failure_shows_cause_remedy_evidence_and_what_is_active() -> None:
    failed = document(verification=FAILED, failure="the proxy drops it", outcome="Release 0001 is active again")
    text = Page(render.render_report(failed)).text
    assert text.startswith("The deployment failed: app on web1 The deployment failed")
    for part in (
        "Failure: the proxy drops it",
        "Outcome: Release 0001 is active again",
        "Remedy: set proxy_http_version 1.1",
        "the same page is returned to a request without an upgrade",
        "failed: upgrade_not_forwarded",
        "Forbidden ws://localhost in app.js",
    ):
        assert part in text


@pytest.mark.parametrize(
    "options",
    [
        {"application": HOSTILE, "host": HOSTILE, "failure": HOSTILE, "outcome": HOSTILE},
        {"changes": {HOSTILE: [HOSTILE]}, "release": {"id": HOSTILE, "revision": HOSTILE}},
        {
            "verification": {
                **FAILED,
                "results": [{**FAILED_PROXY, "name": HOSTILE, "url": HOSTILE, "address": HOSTILE}],
            }
        },
        {
            "verification": {
                "browser": {"available": True, "passed": False, "console": [HOSTILE], "explanation": HOSTILE}
            }
        },
        {"proxy_directives": {HOSTILE: {"value": HOSTILE, "where": HOSTILE}}, "proxy_evidence": HOSTILE},
        {"steps": [{"name": HOSTILE, "seconds": 1, "outcome": HOSTILE}]},
    ],
)
def test_no_text_of_a_host_is_markup(options: dict[str, Any]) -> None:
    made = document(**options)
    for html in (render.render_report(made), render.render_index({("app", "web1"): [("app/web1/1", made)]})):
        assert "<script" not in html
        Page(html)
    assert "<script" not in junit_of(made)
    ElementTree.fromstring(junit_of(made))  # noqa: S314 - what is parsed was made here


def test_a_screenshot_is_in_the_page_unless_it_is_large() -> None:
    shown = document(verification={"browser": {"available": True, "passed": True, "screenshot": "/tmp/x.png"}})
    [(_tag, picture)] = [each for each in Page(render.render_report(shown, b"PNG")).tags if each[0] == "img"]
    assert picture["src"] == "data:image/png;base64," + base64.b64encode(b"PNG").decode()
    assert picture["alt"]
    [(_tag, picture)] = [each for each in Page(render.render_report(shown, b"x" * 700_000)).tags if each[0] == "img"]
    assert picture["src"] == "screenshot.png"


def test_a_deployment_that_was_not_verified_has_a_page_too() -> None:
    text = Page(render.render_report(document(verification={}))).text
    assert "Not verified" in text
    assert "What changed Nothing." in text


def test_round_trips_are_drawn_where_they_were_measured() -> None:
    html = render.render_report(document())
    assert html.count("<polyline") == 1
    assert 'aria-label="Round trips of WebSocket, public over 45 seconds, up to 45 ms"' in html


def test_the_index_has_the_latest_report_first_and_links_each() -> None:
    later = {**document(), "finished_at": "2026-01-03T00:00:00Z", "verdict": "failed"}
    html = render.render_index({("app", "web1"): [("app/web1/a", document()), ("app/web1/b", later)]})
    links = [attributes["href"] for tag, attributes in Page(html).tags if tag == "a"]
    assert links == ["app/web1/b/report.html", "app/web1/a/report.html"]
    assert html.count("<circle") == 2


def test_junit_has_a_case_for_each_check_and_a_failure_with_its_cause() -> None:
    suite = ElementTree.fromstring(junit_of(document(verification=FAILED)).encode())  # noqa: S314
    cases = {case.get("name"): case.find("failure") for case in suite.iter("testcase")}
    assert list(cases) == [
        "direct: WebSocket, direct",
        "proxy: WebSocket, proxy",
        "public: WebSocket, public",
        "scripts of the served page",
    ]
    assert cases["direct: WebSocket, direct"] is None
    failure = cases["proxy: WebSocket, proxy"]
    assert failure is not None
    assert failure.get("type") == "upgrade_not_forwarded"
    assert (suite.get("tests"), suite.get("failures")) == ("4", "3")


def test_junit_has_a_case_for_a_run_that_failed_before_the_checks() -> None:
    suite = ElementTree.fromstring(junit_of(document(verification={}, failure="no space")).encode())  # noqa: S314
    [case] = suite.iter("testcase")
    assert (case.get("name"), suite.get("failures")) == ("deployment", "1")


def test_metrics_can_be_scraped() -> None:
    text = metrics_of(document(application='a"b\\c'))
    assert text.endswith("\n")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    pattern = r'[a-z_]+\{(?:[a-z]+="(?:[^"\\\n]|\\.)*",?)+\} -?[0-9.e+-]+'
    assert [line for line in lines if not re.fullmatch(pattern, line)] == []
    assert lines[0] == 'codeframe_staging_finished_timestamp_seconds{application="a\\"b\\\\c",host="web1"} 1767323045'
    assert any(line.startswith("codeframe_staging_passed{") and line.endswith(" 1") for line in lines)
    assert any("certificate_expires_days" in line and line.endswith(" 61") for line in lines)
    # A type is said once for each name, before its values.
    assert len(re.findall("# TYPE", text)) == len({line.partition("{")[0] for line in lines})


def test_what_was_not_verified_has_no_verdict_among_the_metrics() -> None:
    assert "codeframe_staging_passed" not in metrics_of(document(verification={}))
