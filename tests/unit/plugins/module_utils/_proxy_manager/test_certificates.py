"""Which certificate a host gets, and what is said of a request that failed."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.certificates import (
    expires,
    late_renewal,
    request_remedy,
    require_http_challenge,
    usable_certificate,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.client import failed_command
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.plan import PlanError

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
FAR, FARTHER, PAST = "2026-05-01 00:00:00", "2026-05-02T00:00:00.000Z", "2026-02-01 00:00:00"


def certificate(number: int, *names: str, until: str | None = FAR, provider: str = "letsencrypt") -> dict[str, Any]:
    return {"id": number, "domain_names": list(names), "expires_on": until, "provider": provider}


@pytest.mark.parametrize(
    ("known", "present", "chosen"),
    [
        pytest.param([], 0, None, id="none"),
        pytest.param([certificate(1, "a.test", "b.test")], 0, 1, id="both-names"),
        pytest.param([certificate(1, "a.test")], 0, None, id="one-name-alone"),
        pytest.param([certificate(1, "*.test")], 0, 1, id="wildcard"),
        pytest.param([certificate(1, "A.test", "B.TEST")], 0, 1, id="upper-case"),
        pytest.param([certificate(1, "*.test", until=PAST)], 1, None, id="expired-though-selected"),
        pytest.param([certificate(1, "*.test", until="2026-03-01 23:00:00")], 0, None, id="request-under-way"),
        pytest.param([certificate(1, "*.test", until=None)], 0, 1, id="without-a-date"),
        pytest.param([certificate(1, "*.test"), certificate(2, "*.test", until=FARTHER)], 0, 2, id="lasts-longest"),
        pytest.param([certificate(1, "*.test"), certificate(2, "*.test", until=FARTHER)], 1, 1, id="present-one-stays"),
        pytest.param(
            [certificate(1, "*.test"), certificate(2, "*.test", until=FARTHER, provider="other")], 0, 1, id="renewed"
        ),
        pytest.param([certificate(1, "*.test", until=FAR, provider="other")], 1, 1, id="own-one-stays"),
    ],
)
def test_the_certificate_is_one_for_all_names(known: list[dict[str, Any]], present: int, chosen: int | None) -> None:
    found = usable_certificate(known, ["a.test", "B.test"], present, NOW)
    assert (found["id"] if found else None) == chosen


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-05-01 00:00:00", datetime(2026, 5, 1, tzinfo=timezone.utc)),
        ("2026-05-01T00:00:00.000Z", datetime(2026, 5, 1, tzinfo=timezone.utc)),
        ("soon", None),
        (None, None),
    ],
)
def test_a_date_is_read_in_the_forms_of_all_versions(text: str | None, moment: datetime | None) -> None:
    assert expires({"expires_on": text}) == moment


@pytest.mark.parametrize(
    ("until", "sentence"),
    [
        (FAR, ""),
        ("2026-03-15 12:00:01", ""),
        (
            "2026-03-15 12:00:00",
            "certificate 1 expires at 2026-03-15 12:00, though Nginx Proxy Manager renews 30 days before: look into "
            "its log",
        ),
        (None, ""),
    ],
)
def test_a_certificate_that_was_not_renewed_is_told(until: str | None, sentence: str) -> None:
    assert late_renewal(certificate(1, "a.test", until=until), NOW) == sentence


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("*.example.com", "is a wildcard, for which Let's Encrypt needs a DNS challenge"),
        ("192.0.2.1", "is an address, for which Let's Encrypt issues no such certificate"),
        ("2001:db8::1", "is an address, for which Let's Encrypt issues no such certificate"),
    ],
)
def test_a_name_without_http_challenge_is_refused(name: str, words: str) -> None:
    with pytest.raises(PlanError) as caught:
        require_http_challenge("api.example.com", ["app.example.com", name])
    assert str(caught.value) == (
        f"proxy host api.example.com: {name} {words}; create the certificate on the page of Nginx Proxy Manager, and "
        "select it by O(certificate)"
    )


def test_names_with_digits_are_no_addresses() -> None:
    require_http_challenge("1.example.com", ["1.example.com", "example.com"])


FRAMES = ["    at exithandler (node:child_process:402:5)", "    at emit (node:events:520:35)"]


@pytest.mark.parametrize(
    ("stack", "said"),
    [
        pytest.param(
            [
                "CommandError: Saving debug log to /data/logs/letsencrypt.log",
                "Some challenges have failed.",
                "Ask for help or search for solutions at https://community.letsencrypt.org.",
                *FRAMES,
            ],
            "Some challenges have failed.",
            id="since-2.11",
        ),
        pytest.param(
            [
                'Error: Command failed: certbot certonly --email "ann@example.com" --domains "a.test" ',
                "Saving debug log to /tmp/letsencrypt.log",
                "Another instance of Certbot is already running.",
                *FRAMES,
            ],
            "Another instance of Certbot is already running.",
            id="before",
        ),
        pytest.param(["Error", *FRAMES], "", id="no-reason"),
        pytest.param(["PermissionError: Permission Denied", *FRAMES], "Permission Denied", id="not-a-command"),
        pytest.param(None, "", id="no-stack"),
    ],
)
def test_what_certbot_said_is_told_from_the_rest(stack: list[str] | None, said: str) -> None:
    assert failed_command({"error": {"message": "Internal Error"}, "debug": {"stack": stack}}) == said


@pytest.mark.parametrize("answer", [None, [], {"debug": "x"}, {"error": {"message": "no"}}])
def test_any_other_answer_has_no_command(answer: object) -> None:
    assert failed_command(answer) == ""


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        ("Some challenges have failed.", "a DNS record of each name must lead to"),
        ("too many failed authorizations (5) for a.test", "the authority's rate limit is reached"),
        ("rateLimited :: too many certificates already issued", "the authority's rate limit is reached"),
        ("A valid email address must be set on your user account", "give O(certificate_email), and the account"),
        (
            "rejectedIdentifier :: the name has no valid public suffix",
            "issue certificates for such a name",
        ),
        (
            "ConnectionError: Max retries exceeded with url: /directory",
            "does not reach the authority",
        ),
        ("Internal Error", "the cause is in the log of Nginx Proxy Manager"),
    ],
)
def test_the_remedy_fits_the_cause(error: str, remedy: str) -> None:
    assert remedy in request_remedy(error)
