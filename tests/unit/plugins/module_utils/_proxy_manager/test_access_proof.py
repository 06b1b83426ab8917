"""Who is let in, before a save and afterwards."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.access_proof import (
    GET,
    HANDSHAKE,
    WITH_CREDENTIALS,
    AccessRequest,
    Expectation,
    find_difference,
    lost_headers,
    requests,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.answer import ProxyAnswer, is_denial

ASK = AccessRequest(GET, "/ws")
PAGE = AccessRequest(GET, "/")
OPEN = ProxyAnswer(404)
LOGIN = ProxyAnswer(401, denied=True)
DENIED = ProxyAnswer(403, denied=True)
#: 403 of the application.
REFUSED = ProxyAnswer(403)
UPGRADED = ProxyAnswer(101, upgraded=True)
SILENT = ProxyAnswer(error="no answer in time")


@pytest.mark.parametrize(
    ("before", "after", "difference"),
    [
        pytest.param(OPEN, OPEN, "", id="open"),
        pytest.param(LOGIN, LOGIN, "", id="protected"),
        pytest.param(OPEN, UPGRADED, "", id="upgraded-now"),
        pytest.param(OPEN, REFUSED, "", id="refused-by-the-application"),
        pytest.param(REFUSED, UPGRADED, "", id="application-alone"),
        pytest.param(LOGIN, DENIED, "answers 403 to GET /ws without credentials, and answered 401 before", id="locked"),
        pytest.param(LOGIN, OPEN, "answers 404 to GET /ws without credentials, and answered 401 before", id="opened"),
        pytest.param(OPEN, DENIED, "answers 403 to GET /ws without credentials, and answered 404 before", id="closed"),
        pytest.param(
            UPGRADED, OPEN, "answers 404 to GET /ws without credentials, and answered 101 before", id="no-websocket"
        ),
        pytest.param(
            OPEN,
            SILENT,
            "answers no answer in time to GET /ws without credentials, and answered 404 before",
            id="no-answer",
        ),
        pytest.param(SILENT, OPEN, "", id="unknown-before"),
    ],
)
def test_whoever_was_let_in_before_is_let_in(before: ProxyAnswer, after: ProxyAnswer, difference: str) -> None:
    assert find_difference(Expectation({ASK: before}), {PAGE: OPEN, ASK: after}) == difference


@pytest.mark.parametrize(
    ("page", "after", "difference"),
    [
        pytest.param(LOGIN, LOGIN, "", id="both-protected"),
        pytest.param(OPEN, UPGRADED, "", id="both-open"),
        pytest.param(OPEN, REFUSED, "", id="refused-by-the-application"),
        pytest.param(
            LOGIN, UPGRADED, "answers 101 to GET /ws without credentials, and 401 to GET /", id="more-than-the-page"
        ),
        pytest.param(
            LOGIN, DENIED, "answers 403 to GET /ws without credentials, and 401 to GET /", id="less-than-the-page"
        ),
    ],
)
def test_without_an_answer_before_the_page_is_compared(page: ProxyAnswer, after: ProxyAnswer, difference: str) -> None:
    assert find_difference(Expectation(None), {PAGE: page, ASK: after}) == difference
    assert find_difference(Expectation(None, own_page=False), {PAGE: page, ASK: after}) == ""


def test_a_header_of_the_page_is_missed() -> None:
    hsts = ProxyAnswer(404, headers=frozenset({"strict-transport-security"}))
    assert find_difference(Expectation(None), {PAGE: hsts, ASK: OPEN}) == (
        "sends the header Strict-Transport-Security to GET / and not to GET /ws without credentials"
    )
    assert find_difference(Expectation(None), {PAGE: hsts, ASK: hsts}) == ""
    team = ProxyAnswer(404, headers=frozenset({"x-team"}))
    expected = Expectation({ASK: team}, headers=("X-Team",))
    assert find_difference(expected, {PAGE: OPEN, ASK: OPEN}) == (
        "does not send the header X-Team to GET /ws without credentials any more"
    )
    assert find_difference(expected, {PAGE: OPEN, ASK: team}) == ""


@pytest.mark.parametrize(
    ("expected", "proof"),
    [
        (Expectation({ASK: OPEN}), "the same access as before"),
        (Expectation(None), "the same access as for /"),
        (Expectation(None, own_page=False), ""),
    ],
)
def test_what_was_compared_is_said(expected: Expectation, proof: str) -> None:
    assert expected.proof == proof


def test_the_requests_are_those_of_everybody_and_of_a_user() -> None:
    assert requests(("/ws", "/"), with_credentials=False) == (PAGE, ASK, AccessRequest(HANDSHAKE, "/ws"))
    both = requests(("/ws",), with_credentials=True)
    assert [str(each) for each in both[3:]] == [
        "GET / with the credentials of O(access_user)",
        "GET /ws with the credentials of O(access_user)",
        "the handshake on /ws with the credentials of O(access_user)",
    ]
    assert both[3].client == WITH_CREDENTIALS


NGINX = "<html><body><center><h1>403 Forbidden</h1></center><hr><center>nginx/1.22.1</center></body></html>"


@pytest.mark.parametrize(
    ("status", "challenge", "page", "denied"),
    [
        pytest.param(403, "", NGINX, True, id="nginx"),
        pytest.param(403, "", NGINX.replace("nginx/1.22.1", "openresty"), True, id="openresty"),
        pytest.param(403, "", "Forbidden", False, id="application"),
        pytest.param(401, 'Basic realm="Authorization required"', "own page", True, id="access-list-with-an-own-page"),
        pytest.param(401, 'Basic realm="app"', "", False, id="login-of-the-application"),
        pytest.param(404, "", NGINX, False, id="not-found"),
    ],
)
def test_a_refusal_of_the_proxy_is_told_from_one_of_the_application(
    status: int, challenge: str, page: str, denied: bool
) -> None:
    assert is_denial(status, challenge, page) is denied


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        pytest.param({"x-team", "date"}, {"date"}, "the header x-team, which", id="one"),
        pytest.param({"x-team", "x-frame-options"}, set(), "the headers x-frame-options, x-team, which", id="two"),
        pytest.param({"etag", "x-served-by", "content-length"}, set(), "", id="what-changes-anyway"),
        pytest.param(set(), {"x-team"}, "", id="more"),
    ],
)
def test_headers_that_an_include_or_another_location_added_are_told(
    before: set[str], after: set[str], told: str
) -> None:
    expected = Expectation({ASK: ProxyAnswer(404, headers=frozenset(before))})
    found = lost_headers(expected, {ASK: ProxyAnswer(404, headers=frozenset(after))})
    assert (told in found) if told else found == ""
    assert lost_headers(expected, {ASK: ProxyAnswer(200, headers=frozenset(after))}) == ""
    assert lost_headers(Expectation(None), {ASK: ProxyAnswer(404)}) == ""
