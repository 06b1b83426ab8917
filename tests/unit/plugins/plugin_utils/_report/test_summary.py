"""The summary of a run, from its document."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.document import build_document
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.summary import summary_lines
from ansible_collections.codeframe.staging.plugins.plugin_utils._report.variable_names import (
    user_variables,
    with_user_variables,
)
from report_samples import DIAGNOSIS, FAILED, VERIFICATION

LINES = [
    "Direct backend connection: passed (handshake 4 ms, held 65.0 s)",
    "Connection through the proxy: passed (handshake 5 ms, held 65.0 s)",
]
FAILED_LINES = [
    LINES[0],
    "Connection through the proxy: failed (upgrade_not_forwarded): the proxy does not forward the upgrade",
]
PASSED = {**VERIFICATION, "lines": LINES}
BROKEN = {**FAILED, "lines": FAILED_LINES}
RELEASE = {"id": "0002-aa", "revision": "a" * 40}
STEPS = [
    {"name": "Prepare the runtime", "seconds": 4.2, "outcome": "ok"},
    {"name": "Build the frontend", "seconds": 61.2, "outcome": "changed"},
    {"name": "Take the lock", "seconds": 0.4, "outcome": "ok"},
]


def summary(width: int = 120, report: str = "", problem: str = "", **options: Any) -> list[str]:
    given = {"application": "app", "host": "web1", "release": RELEASE, **options}
    document = build_document(given, finished_at="2026-01-02T03:04:05Z", versions={})
    return summary_lines(document, width=width, report_path=report, report_problem=problem)


def test_where_tls_ends_and_what_to_trust_is_told_after_the_urls() -> None:
    told = summary(verification=PASSED, proxy_tls=["ends at nginx on this host", "each device must trust ca.pem"])
    assert told[2:5] == [
        "WebSocket: wss://api.example.com/ws",
        "TLS:       ends at nginx on this host",
        "TLS:       each device must trust ca.pem",
    ]


def test_a_deployment_that_works_says_so_first_and_then_where_and_what_was_proven() -> None:
    told = summary(verification=PASSED, steps=STEPS, duration_s=70.3, report="/tmp/report.html")
    assert told == [
        "Verdict:   the WebSocket works",
        "Page:      https://app.example.com",
        "WebSocket: wss://api.example.com/ws",
        "Release:   0002-aa, source revision aaaaaaaaaaaa",
        "Changed:   nothing",
        "Proven:",
        *[f"  {line}" for line in LINES],
        "Time:      70 s: Build the frontend 61 s, Prepare the runtime 4 s",
        "Report:    /tmp/report.html",
    ]


def test_a_failure_that_was_rolled_back_is_a_failure_and_tells_the_state_that_failed() -> None:
    told = summary(
        verification=BROKEN,
        restored=PASSED,
        failure=BROKEN["message"],
        failed_step="Verify the WebSocket",
        outcome="Release 0001-bb, the last verified one, is active again and verified",
        changes={"proxy": ["the map is missing"], "backend": []},
    )
    assert told == [
        'Verdict:   FAILED, the deployment stopped in "Verify the WebSocket" (upgrade_not_forwarded)',
        "Page:      https://app.example.com",
        "WebSocket: wss://api.example.com/ws",
        "Why:       the proxy does not forward the upgrade.",
        f"To do:     {DIAGNOSIS['remedy']}.",
        "Seen:      the same page is returned to a request without an upgrade",
        "Outcome:   Release 0001-bb, the last verified one, is active again and verified.",
        "Release:   0002-aa, source revision aaaaaaaaaaaa",
        "Changed before the failure:",
        "  proxy: the map is missing",
        "Checked:",
        f"  {LINES[0]}",
        "  Connection through the proxy: failed (upgrade_not_forwarded)",
        "After the rollback:",
        *[f"  {line}" for line in LINES],
    ]
    assert "\n".join(told).lower().count("the proxy does not forward the upgrade") == 1


def test_a_failure_before_the_verification_gives_its_message_once_and_wrapped() -> None:
    message = "the build failed: " + "module not found " * 90 + "\n  at line 3"
    told = summary(failure=message, failed_step="Build the frontend", outcome="nothing was activated", width=80)
    assert told[0] == 'Verdict:   FAILED, the deployment stopped in "Build the frontend"'
    assert max(len(line) for line in told) <= 80
    assert " ".join(" ".join(told).split()).lower().count("the build failed:") == 1
    assert "             at line 3." in told or "             at line 3" in "\n".join(told)


@pytest.mark.parametrize(
    ("options", "verdict"),
    [
        ({"verification": PASSED}, "the WebSocket works"),
        (
            {"verification": PASSED, "changes": {"proxy": ["a"]}},
            "the WebSocket works now; the state after the changes is only predicted",
        ),
        (
            {"verification": BROKEN, "changes": {"proxy": ["a"]}},
            "none, since a state that is only predicted cannot be verified",
        ),
        ({}, "none, the verification was left out"),
        (
            {"verification": BROKEN, "failure": BROKEN["message"]},
            "FAILED, the deployment stopped (upgrade_not_forwarded)",
        ),
    ],
)
def test_the_verdict_in_check_mode_fails_only_if_the_run_does(options: dict[str, Any], verdict: str) -> None:
    told = summary(check_mode=True, **options)
    assert told[0] == f"Verdict:   {verdict}"
    assert ("Would change:" in told) is ("changes" in options)


def test_a_report_that_was_not_written_is_told_with_its_reason() -> None:
    assert summary(problem="no space")[-1] == "Report:    none, no space"
    assert not summary()[-1].startswith("Report")


def test_data_and_downtime_are_told() -> None:
    shared = ["/srv/app.releases/shared/data", "/srv/app.releases/shared/uploads"]
    told = summary(kept_for_data={"0001-bb": ["data/a.db"]}, shared_data=shared, downtime_s={"backend": 1.25})
    assert f"Data:      what outlives releases is in {', '.join(shared)}" in told
    assert "Downtime:  the backend refused connections for 1.25 s while its process was replaced" in told
    assert any("release 0001-bb is old and not deleted" in line and "data/a.db" in line for line in told)


def test_a_verification_says_nothing_about_changes() -> None:
    assert not [line for line in summary(kind="verification", verification=PASSED) if line.startswith("Changed")]


def test_messages_name_the_variable_that_a_user_sets() -> None:
    defaults = {
        "settings_hold": "{{ staging_hold | default(65) }}",
        "websocket_verify_hold": "{{ settings_hold }}",
        "proxy_port": "{{ settings_a if staging_b is defined else staging_c }}",
        "backend_retries": 3,
    }
    variables = user_variables(defaults)
    assert variables["websocket_verify_hold"] == "staging_hold"
    assert not {"proxy_port", "backend_retries"} & set(variables)
    told = with_user_variables("websocket_verify_hold is 5, not_websocket_verify_hold and proxy_port stay", variables)
    assert told == "staging_hold is 5, not_websocket_verify_hold and proxy_port stay"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (
            "Proxy: passed (handshake 5 ms, 12 further handshakes, reply 1 ms, held 65.0 s, longest silence 65.0 s, "
            "idle timeout 86400 s by /etc/nginx/sites-enabled/a:31, median round trip 2 ms)",
            "Proxy: passed (handshake 5 ms, reply 1 ms, held 65.0 s in silence, idle timeout 86400 s, "
            "median round trip 2 ms)",
        ),
        (
            "Direct: passed (held 65.0 s, longest silence 20.0 s)",
            "Direct: passed (held 65.0 s, longest silence 20.0 s)",
        ),
        (
            "Public: failed (a): held 1.0 s, longest silence 1.0 s",
            "Public: failed (a): held 1.0 s, longest silence 1.0 s",
        ),
    ],
)
def test_the_line_of_a_check_that_passed_is_short(line: str, told: str) -> None:
    [shown] = [each for each in summary(width=300, verification={**PASSED, "lines": [line]}) if each.startswith("  ")]
    assert shown == f"  {told}"


def test_a_diagnosis_tells_the_cause_and_what_was_seen_in_few_lines() -> None:
    findings = {"Environment": [f"KEY{number}: digest d" for number in range(12)], "Proxy": ["line 3 drops it"]}
    told = summary(kind="diagnosis", verification=BROKEN, findings=findings)
    assert told[0] == "Verdict:   FAILED, the WebSocket does not work (upgrade_not_forwarded)"
    start = told.index("Environment:")
    assert told[start + 10 : start + 14] == [
        "  KEY9: digest d",
        "  2 more lines are in the report",
        "Proxy:",
        "  line 3 drops it",
    ]
    assert not any(line.startswith("Changed") for line in told)


def test_no_planted_secret_is_in_the_summary() -> None:
    secret = "planted-secret-value"
    told = summary(
        secrets=[secret],
        failure=f"token {secret} refused",
        outcome=secret,
        verification={
            **BROKEN,
            "message": secret,
            "lines": [secret],
            "diagnosis": {"cause": "a", "explanation": secret},
        },
        restored={"passed": True, "lines": [secret]},
        findings={"Log": [f"token={secret}"]},
        changes={"env file": [secret]},
    )
    assert secret not in "\n".join(told)
    assert sum("********" in line for line in told) >= 5
