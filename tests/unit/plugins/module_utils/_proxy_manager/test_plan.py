"""From a host as it is to what has to be written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.access import AccessRules
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import LoadedState
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.block import Timeouts, render
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.certificate_field import NEW_CERTIFICATE
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import BlockPath
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.plan import (
    SWITCHES,
    PlanError,
    WantedHost,
    find_host,
    plan_creation,
    plan_host,
    plan_restoration,
    resume_interrupted,
    same,
    saved_state,
    wanted_state,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.version import Version

NAME = "api.example.com"
WS = (BlockPath("/ws"),)
BLOCK = render(WS, Timeouts())


def host(**fields: Any) -> dict[str, Any]:
    return {
        "id": 1,
        "domain_names": [NAME],
        "forward_scheme": "http",
        "forward_host": "192.0.2.1",
        "forward_port": 14200,
        "advanced_config": "",
        "allow_websocket_upgrade": 0,
        "certificate_id": 0,
        "enabled": 1,
        "locations": None,
    } | fields


def test_only_what_differs_is_written() -> None:
    made = plan_host(host(), WantedHost(NAME, WS, fields={"forward_port": 14200, "allow_websocket_upgrade": True}))
    assert made.body == {"allow_websocket_upgrade": True, "advanced_config": BLOCK.text}
    assert made.previous == {"allow_websocket_upgrade": False, "advanced_config": ""}
    assert made.reasons == ("allow_websocket_upgrade is False, wanted True", "the managed block is missing")


@pytest.mark.parametrize("value", [0, False], ids=["before-2.12", "since-2.12"])
def test_a_switch_is_the_same_in_all_versions(value: object) -> None:
    made = plan_host(host(allow_websocket_upgrade=value), WantedHost(NAME, fields={"allow_websocket_upgrade": False}))
    assert not made.body


def test_a_certificate_that_is_to_be_requested_counts_as_one() -> None:
    """The host answers with TLS afterwards, and may have the switches that need it."""
    switches = {"ssl_forced": True, "http2_support": True, "hsts_enabled": True}
    made = plan_host(host(), WantedHost(NAME, WS, fields={"certificate_id": NEW_CERTIFICATE, **switches}))
    assert {key: made.body[key] for key in ("certificate_id", *switches)} == {"certificate_id": "new", **switches}
    assert made.reasons[0] == "it has no certificate that is valid for its names, and gets one from Let's Encrypt"
    assert made.served.tls
    assert "add_header Strict-Transport-Security" in made.body["advanced_config"]


def test_a_restoration_undoes_a_plan_with_a_snippet() -> None:
    text = "a 1;\nproxy_http_version 1.1;\nproxy_set_header Upgrade $http_upgrade;\nb 2;"
    before = host(advanced_config=text)
    made = plan_host(before, WantedHost(NAME, WS, fields={"forward_port": 80}, replace_snippet=True))
    after = before | made.body
    assert after["advanced_config"] == BLOCK.text + "a 1;\nb 2;"
    back = plan_restoration(after, saved_state(made), NAME)
    assert back.body == {"forward_port": 14200, "advanced_config": text}
    edited = plan_restoration(after | {"advanced_config": BLOCK.text + "c 3;"}, saved_state(made), NAME)
    assert edited.body == {"forward_port": 14200, "advanced_config": "c 3;"}
    assert [each.kind for each in edited.clashes] == ["text_edited"]


def test_a_location_that_was_added_later_does_not_stop_an_unchanged_host() -> None:
    text = BLOCK.text + "location /ws { }"
    assert not plan_host(host(advanced_config=text), WantedHost(NAME, WS)).body


@pytest.mark.parametrize(
    ("text", "fields", "message"),
    [
        pytest.param(
            "location = /ws { return 410; }",
            {},
            f"proxy host {NAME}: line 1 of the Advanced text has a location = /ws of its own, which nginx would refuse "
            "as a duplicate; remove it there",
            id="other-location",
        ),
        pytest.param(
            "",
            {"ssl_forced": True},
            f"proxy host {NAME}: ssl_forced needs a certificate, and the host has none; give O(certificate), "
            "or leave it out",
            id="no-certificate",
        ),
        pytest.param(
            "",
            {"hsts_enabled": True},
            f"proxy host {NAME}: hsts_enabled needs ssl_forced, or leave it out",
            id="not-forced",
        ),
        pytest.param(
            "",
            {"certificate_id": 7, "ssl_forced": True, "hsts_subdomains": True},
            f"proxy host {NAME}: hsts_subdomains needs hsts_enabled, or leave it out",
            id="no-hsts",
        ),
    ],
)
def test_what_prevents_the_change_stops_the_plan_host(text: str, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        plan_host(host(advanced_config=text), WantedHost(NAME, WS, fields=fields))
    assert str(caught.value) == message


def test_a_host_is_created_only_with_all_that_it_needs() -> None:
    with pytest.raises(PlanError, match="O\\(forward_host\\) is not given to create one"):
        plan_creation(WantedHost(NAME, WS, fields={"forward_scheme": "http", "forward_port": 80}))


@pytest.mark.parametrize(
    ("current", "wanted", "equal"),
    [(1, True, True), (0, True, False), ("", None, True), (["a"], ["a"], True), (80, 81, False)],
)
def test_values_are_compared_whatever_their_type(current: object, wanted: object, equal: bool) -> None:
    assert same(current, wanted) is equal


def test_a_host_is_found_by_any_of_its_names() -> None:
    hosts = [host(id=1), host(id=2, domain_names=["a.example.com", "B.example.com"])]
    assert find_host(hosts, "b.EXAMPLE.com") == hosts[1]
    assert find_host(hosts, "c.example.com") is None
    assert find_host([{"domain_names": None}], NAME) is None


def test_a_host_is_found_by_another_of_its_names_or_by_a_wildcard() -> None:
    hosts = [host(id=1, domain_names=["old.example.com"]), host(id=2, domain_names=["*.example.com"])]
    assert find_host(hosts, NAME, ["api.example.com", "OLD.example.com"]) == hosts[0]
    assert find_host(hosts, NAME) is None
    assert find_host(hosts, NAME, wildcards=True) == hosts[1]
    assert find_host(hosts, "a.b.example.com", wildcards=True) == hosts[1]
    assert find_host(hosts, "example.com", wildcards=True) is None
    exact = host(id=3, domain_names=[NAME])
    assert find_host([*hosts, exact], NAME, ["old.example.com"], wildcards=True) == exact


def test_switches_that_a_save_turns_off_are_part_of_the_plan() -> None:
    """Nginx Proxy Manager turns them off by itself, and a restoration has to turn them on again."""
    tls = {"ssl_forced": 1, "http2_support": 1, "hsts_enabled": 1, "hsts_subdomains": 0}
    made = plan_host(host(certificate_id=7, **tls), WantedHost(NAME, fields={"certificate_id": 0}))
    assert made.body == {"certificate_id": 0, "ssl_forced": False, "http2_support": False, "hsts_enabled": False}
    assert made.previous == {"certificate_id": 7, "ssl_forced": True, "http2_support": True, "hsts_enabled": True}
    assert made.served.tls is False
    after = host(certificate_id=0, ssl_forced=0, http2_support=0, hsts_enabled=0)
    back = plan_restoration(after, saved_state(made), NAME)
    assert back.body == made.previous
    assert back.served.tls is True
    unforced = plan_host(host(certificate_id=7, **tls), WantedHost(NAME, fields={"ssl_forced": False}))
    assert unforced.body == {"ssl_forced": False, "hsts_enabled": False}


def test_a_switch_of_a_later_version_is_refused() -> None:
    fields = {"trust_forwarded_proto": True}
    with pytest.raises(PlanError) as caught:
        plan_host(host(), WantedHost(NAME, fields=fields, version=Version(2, 13, 5)))
    assert str(caught.value) == (
        f"proxy host {NAME}: trust_forwarded_proto needs Nginx Proxy Manager 2.14.0 or newer, and this is 2.13.5; "
        "leave it out"
    )
    assert plan_host(host(trust_forwarded_proto=False), WantedHost(NAME, fields=fields)).body == fields
    off = WantedHost(NAME, fields={"trust_forwarded_proto": False}, version=Version(2, 13, 5))
    assert not plan_host(host(), off).body


def test_a_restoration_gives_an_older_block_the_headers_of_today() -> None:
    tls = {"certificate_id": 7, "ssl_forced": True, "hsts_enabled": True}
    text = plan_restoration(host(**tls), {"block": BLOCK.text}, NAME).body["advanced_config"]
    assert text.count("    add_header Strict-Transport-Security $hsts_header always;\n") == 1
    assert plan_restoration(host(), {"block": text}, NAME).body == {"advanced_config": BLOCK.text}


def test_the_running_nginx_shows_the_block_before_and_after() -> None:
    added = plan_host(host(), WantedHost(NAME, WS))
    assert (added.loaded_before, added.loaded_after) == (
        LoadedState(None, ("/ws",)),
        LoadedState(BLOCK.revision, ("/ws",)),
    )
    removed = plan_host(host(advanced_config=BLOCK.text), WantedHost(NAME, present=False))
    assert (removed.loaded_before, removed.loaded_after) == (
        LoadedState(BLOCK.revision, ("/ws",)),
        LoadedState(None, ("/ws",)),
    )
    assert added.probed_paths == removed.probed_paths == ("/ws",)
    nothing = plan_host(host(), WantedHost(NAME, present=False))
    assert (nothing.loaded_before, nothing.loaded_after) == (LoadedState(None, ()), LoadedState(None, ()))


def test_a_wanted_state_is_the_same_in_every_run_that_wants_it() -> None:
    wanted = WantedHost(NAME, WS, fields={"forward_port": 80, "ssl_forced": False, "certificate_id": 3})
    first, second = plan_host(host(), wanted), plan_host(host(advanced_config=BLOCK.text, forward_port=80), wanted)
    assert wanted_state(wanted, first.block) == wanted_state(wanted, second.block)
    assert wanted_state(wanted, first.block) == {
        "created": False,
        "fields": {"forward_port": 80, "ssl_forced": False},
        "block": BLOCK.text,
        "removed": [],
        "unmanaged_digest": "",
    }
    assert plan_restoration(host(advanced_config=BLOCK.text), wanted_state(wanted, None), NAME).body == {
        "advanced_config": "",
        "forward_port": 80,
    }


def test_a_wanted_state_keeps_the_forward_address_and_the_switches() -> None:
    kept = {"forward_scheme": "https", "forward_host": "192.0.2.2", "forward_port": 80}
    kept |= dict.fromkeys(SWITCHES, True)
    given = kept | {"certificate_id": 3, "access_list_id": 4, "domain_names": [NAME]}
    assert wanted_state(WantedHost(NAME, fields=given), None)["fields"] == kept


def test_a_restoration_gives_an_older_block_the_rules_of_today() -> None:
    rules = AccessRules(3, has_users=True)
    plan = plan_restoration(host(), {"block": BLOCK.text}, NAME, rules)
    assert plan.body == {"advanced_config": render(WS, Timeouts(), rules).text}
    assert plan.reasons == ("the managed block was another one",)


OFFLINE = host(advanced_config="bad", forward_port=81)


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        pytest.param(({}, {}), ({"forward_port": 80}, {"forward_port": 81}), id="nothing-was-interrupted"),
        pytest.param(
            ({"advanced_config": "bad", "forward_port": 81}, {"advanced_config": "good", "forward_port": 14200}),
            (
                {"advanced_config": "bad", "forward_port": 80},
                {"advanced_config": "good", "forward_port": 14200},
            ),
            id="interrupted",
        ),
        pytest.param(
            ({"advanced_config": "other"}, {"advanced_config": "good"}),
            ({"forward_port": 80}, {"forward_port": 81}),
            id="changed-by-others-since",
        ),
    ],
)
def test_an_interrupted_save_is_finished_or_undone(
    pending: tuple[dict[str, Any], dict[str, Any]], expected: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    plan = {"forward_port": 80}, {"forward_port": 81}
    assert resume_interrupted(OFFLINE, plan, pending) == expected
