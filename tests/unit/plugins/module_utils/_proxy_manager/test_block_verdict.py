"""Whether a pasted block is in force."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.answer import ProxyAnswer
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block_verdict import (
    api_causes,
    judge_block,
)

NAME = "api.example.com"


@pytest.mark.parametrize(
    ("seen", "served", "kind"),
    [
        pytest.param(ProxyAnswer(101, True, "abc"), True, "in_force", id="in-force"),
        pytest.param(ProxyAnswer(502, False, "abc"), True, "in_force", id="in-force-without-application"),
        pytest.param(ProxyAnswer(101, True, "old"), True, "other_block", id="older"),
        pytest.param(ProxyAnswer(101, True), True, "upgrades_without_block", id="switch"),
        pytest.param(ProxyAnswer(426), True, "not_in_force", id="nothing-pasted"),
        pytest.param(ProxyAnswer(404), False, "not_served", id="offline"),
        pytest.param(ProxyAnswer(error="refused"), None, "no_answer", id="down"),
    ],
)
def test_the_answers_show_what_was_pasted(seen: ProxyAnswer, served: bool | None, kind: str) -> None:
    assert judge_block(NAME, "abc", {"/ws": seen}, served, asked=True).kind == kind


def test_a_host_without_a_block_is_served_or_not() -> None:
    assert judge_block(NAME, None, {}, True, asked=True).kind == "in_force"
    assert judge_block(NAME, None, {}, False, asked=True).kind == "not_served"
    assert judge_block(NAME, "abc", {}, None, asked=False).kind == "not_asked"


def test_one_path_without_the_block_is_enough() -> None:
    seen = {"/ws": ProxyAnswer(101, True, "abc"), "/live": ProxyAnswer(404)}
    verdict = judge_block(NAME, "abc", seen, True, asked=True)
    assert verdict.kind == "not_in_force"
    assert "(/live: 404)" in verdict.text
    assert judge_block(NAME, "abc", seen | {"/live": ProxyAnswer(101, True)}, True, asked=True).kind == (
        "upgrades_without_block"
    )


def test_a_cause_that_is_known_takes_the_place_of_the_usual_ones() -> None:
    seen = {"/ws": ProxyAnswer(404)}
    assert ": it is disabled; paste" in judge_block(NAME, "a", seen, True, asked=True, causes=["it is disabled"]).text
    assert ": it is disabled; look" in judge_block(NAME, "a", seen, False, asked=True, causes=["it is disabled"]).text
    seen = {"/ws": ProxyAnswer(101, True)}
    assert ": it is disabled; paste" in judge_block(NAME, "a", seen, True, asked=True, causes=["it is disabled"]).text


def test_the_usual_causes_name_the_settings_as_nginx_proxy_manager_does() -> None:
    assert judge_block(NAME, "a", {"/ws": ProxyAnswer(404)}, False, asked=True).text == (
        f"the proxy answers for {NAME} as for a host name that it does not know: there is no such proxy host, or nginx "
        "refused it and it is offline, which happens if lines of the block are outside of their location, if a snippet "
        "is at server level while Websockets Support is on, if there are two blocks, and if there is a second location "
        "of the path; look at its status in Nginx Proxy Manager and correct the Advanced tab"
    )
    assert judge_block(NAME, "a", {"/ws": ProxyAnswer(404)}, True, asked=True).text == (
        f"the block is not in force for {NAME} (/ws: 404): nothing was pasted, it was not saved, or another snippet "
        "was pasted at server level, where it has no effect while Websockets Support is off; paste the whole block, "
        "from BEGIN to END, into the Advanced tab of this host, in place of any other snippet"
    )
    assert judge_block(NAME, "a", {"/ws": ProxyAnswer(101, True)}, True, asked=True).text == (
        f"the block is not in force for {NAME}, though upgrades are forwarded, with the proxy's own idle timeout (/ws: "
        f"{ProxyAnswer(101, True)}): Websockets Support is on, or a location was added manually; paste the block into "
        "the Advanced tab, in place of what was pasted before"
    )


HOST: dict[str, Any] = {
    "findings": [],
    "allow_websocket_upgrade": False,
    "enabled": True,
    "online": True,
    "nginx_error": None,
    "block": "abc",
}


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ({}, ["its Advanced text has the block, and the running nginx has not: save it once more"]),
        ({"block": None}, ["its Advanced text does not have the block"]),
        ({"block": "old"}, ["its Advanced text has an older block, or one with other settings"]),
        (
            {"block": None, "findings": [{"text": "a snippet"}], "allow_websocket_upgrade": True, "enabled": False},
            [
                "a snippet",
                "Websockets Support is on",
                "the proxy host is disabled",
                "its Advanced text does not have the block",
            ],
        ),
        (
            {"block": None, "online": False, "nginx_error": "duplicate"},
            ["nginx refused the proxy host (duplicate)", "its Advanced text does not have the block"],
        ),
        (
            {"block": None, "online": False},
            ["nginx refused the proxy host (no reason in the API)", "its Advanced text does not have the block"],
        ),
    ],
)
def test_the_api_names_the_causes(host: dict[str, Any], expected: list[str]) -> None:
    assert list(api_causes([HOST | host], "abc")) == expected


def test_a_host_that_does_not_exist_is_a_cause() -> None:
    assert api_causes([], "abc") == ("Nginx Proxy Manager has no such proxy host, or none that this account sees",)
