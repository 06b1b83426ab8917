"""The public URLs against one another; whole sentences are in the table of tests/bad_inputs.py."""

from __future__ import annotations

from ansible_collections.codeframe.staging.plugins.module_utils._preflight.inputs import check_inputs
from bad_inputs import GOOD, TLS


def test_an_api_on_another_host_than_the_websocket_is_doubtful_where_the_page_is_not_listed() -> None:
    given = {
        **GOOD,
        "staging_public_api_url": "http://rest.example.com",
        "staging_cors_origins": ["http://b.example.com"],
    }
    found = check_inputs(given)
    assert [(item.name, item.level) for item in found] == [
        ("cors-page-missing", "error"),
        ("hosts-of-api-and-websocket-differ", "warning"),
    ]
    assert found[0].found == "staging_public_api_url and staging_public_ws_url have other origins than the page"
    assert found[1].sentence == (
        'staging_public_ws_url is "ws://api.example.com/ws", but the host of staging_public_api_url is '
        "rest.example.com, and staging_cors_origins does not contain the page's origin; expected the same host for "
        "both; use one host, or make sure that the backend accepts the page's origin on both"
    )
    assert check_inputs({**given, "staging_cors_origins": ["http://app.example.com"]}) == []


def test_an_internal_host_is_said_once() -> None:
    given = {**GOOD, "staging_public_url": "http://staging", "staging_public_ws_url": "ws://staging/ws"}
    assert [(item.name, item.variable) for item in check_inputs(given)] == [("name-internal", "staging_public_url")]


def test_the_page_need_not_be_named_where_the_proxy_does_not_serve_it() -> None:
    given = {**GOOD, **TLS, "staging_proxy_server_names": ["api.example.com"], "staging_tls_names": ["api.example.com"]}
    assert [item.variable for item in check_inputs(given)] == ["staging_public_url", "staging_public_url"]
    page = {"staging_proxy_page": False, "staging_proxy_provider": "manual"}
    assert check_inputs({**given, **page}) == []
