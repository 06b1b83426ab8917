# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When certbot orders a certificate, for which one, and what its failures mean."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.x509 import Certificate
from ansible_collections.codeframe.staging.plugins.module_utils._tls.certbot import (
    LETS_ENCRYPT,
    Lineage,
    Wanted,
    choose,
    explain,
    is_late,
    order_arguments,
    reasons_to_order,
    renewal_arguments,
)
from ansible_collections.codeframe.staging.plugins.module_utils._tls.pair import Pair
from ansible_collections.codeframe.staging.plugins.module_utils._tls.renewal import Renewal

NOW = datetime(2030, 6, 1, tzinfo=timezone.utc)
NAMES = ("app.example.com", "api.example.com")
WANTED = Wanted("codeframe-staging-app", NAMES, "/var/www/html")
TEST_SERVER = "https://acme-staging-v02.api.letsencrypt.org/directory"


def lineage(
    name: str = WANTED.name,
    *,
    names: tuple[str, ...] = NAMES,
    days: int = 60,
    age: int = 30,
    problem: str = "",
    server: str = LETS_ENCRYPT,
) -> Lineage:
    leaf = Certificate(names[0], "R11", names, NOW - timedelta(days=age), NOW + timedelta(days=days))
    return Lineage(name, Pair(problem, ("",), leaf), Renewal(server, "webroot"))


@pytest.mark.parametrize(
    ("chosen", "reasons"),
    [
        pytest.param(None, ["there is none yet"], id="none"),
        pytest.param(lineage(), [], id="good"),
        pytest.param(lineage(names=("*.example.com",)), [], id="wildcard"),
        pytest.param(lineage(names=("app.example.com",)), ["it does not name api.example.com"], id="a-name-is-missing"),
        pytest.param(lineage(days=0), ["it has expired"], id="expires-now"),
        pytest.param(lineage(age=-1), ["it is not valid yet"], id="not-yet"),
        pytest.param(lineage(problem="there is no file /x"), ["there is no file /x"], id="damaged"),
        pytest.param(
            lineage(server=TEST_SERVER), [f"it is of {TEST_SERVER}, not of {LETS_ENCRYPT}"], id="of-the-test-server"
        ),
    ],
)
def test_a_certificate_is_ordered_only_with_a_reason(chosen: Lineage | None, reasons: list[str]) -> None:
    assert list(reasons_to_order(chosen, WANTED, NOW)) == reasons


def test_the_users_own_certificate_is_taken_over_while_it_is_good() -> None:
    other, own = lineage("app.example.com"), lineage()
    assert choose([other, own], WANTED, NOW) is own
    assert choose([other], WANTED, NOW) is other
    assert choose([other, lineage(days=-1)], WANTED, NOW) is other
    broken = lineage(names=("old.example.com",))
    # What is not good for all names is not touched: another one is ordered, under the own name.
    assert choose([lineage("app.example.com", names=("app.example.com",)), broken], WANTED, NOW) is broken
    assert choose([lineage("app.example.com", days=-1)], WANTED, NOW) is None
    assert choose([lineage("app.example.com", server=TEST_SERVER)], WANTED, NOW) is None
    assert choose([], WANTED, NOW) is None


def test_of_another_public_authority_a_certificate_is_taken_over_unless_one_is_given() -> None:
    other = lineage("app.example.com", server="https://acme.zerossl.com/v2/DV90")
    assert choose([other], WANTED, NOW) is other
    given = Wanted(WANTED.name, NAMES, "/var/www/html", "https://ca.example.com/acme/directory")
    assert choose([other], given, NOW) is None
    assert reasons_to_order(lineage(server=given.server), given, NOW) == ()


@pytest.mark.parametrize(("days", "late"), [(30, False), (16, False), (14, True), (1, True)])
def test_a_certificate_that_the_timer_has_missed_is_late(days: int, late: bool) -> None:
    assert is_late(lineage(days=days, age=90 - days), NOW) is late


def test_an_order_names_authority_directory_and_names() -> None:
    assert order_arguments(WANTED) == [
        *("certonly", "--non-interactive", "--agree-tos", "--register-unsafely-without-email"),
        *("--server", LETS_ENCRYPT, "--webroot", "--webroot-path", "/var/www/html"),
        *("--cert-name", "codeframe-staging-app", "--renew-with-new-domains", "--force-renewal"),
        *("--domain", "app.example.com", "--domain", "api.example.com"),
    ]
    mailed = order_arguments(Wanted("a", ("b",), "/w", "https://ca.example.com/dir", "me@example.com"))
    assert mailed[3:7] == ["--email", "me@example.com", "--no-eff-email", "--server"]
    assert mailed[7] == "https://ca.example.com/dir"
    assert order_arguments(replace(WANTED, by_nginx_plugin=True))[6:8] == ["--nginx", "--cert-name"]


def test_a_renewal_is_tested_where_it_will_be_asked_for() -> None:
    common = ["renew", "--non-interactive", "--no-random-sleep-on-renew", "--cert-name", WANTED.name]
    # By default certbot tests with the test server of Let's Encrypt, and knows none of another authority.
    assert renewal_arguments(lineage(), test=True) == [*common, "--dry-run"]
    own = lineage(server="https://ca.example.com/dir")
    assert renewal_arguments(own, test=True) == [*common, "--dry-run", "--server", "https://ca.example.com/dir"]
    assert renewal_arguments(own, test=False) == [*common, "--force-renewal"]


def failed(kind: str, detail: str, name: str = "app.example.com") -> str:
    """As certbot prints it."""
    return (
        "Requesting a certificate for app.example.com\n\nCertbot failed to authenticate some domains (authenticator: "
        f"webroot). The Certificate Authority reported these problems:\n  Domain: {name}\n  Type:   {kind}\n"
        f"  Detail: {detail}\n\nHint: The Certificate Authority failed to download the temporary challenge files.\n\n"
        "Some challenges have failed.\nAsk for help or search for solutions at https://community.letsencrypt.org.\n"
    )


def unexpected(text: str) -> str:
    return f"Saving debug log to /var/log/letsencrypt/letsencrypt.log\nAn unexpected error occurred:\n{text}\nAsk for"


@pytest.mark.parametrize(
    ("output", "explained"),
    [
        pytest.param(
            failed("dns", "DNS problem: NXDOMAIN looking up A for app.example.com; check the record"),
            "the authority finds no address of app.example.com (DNS problem: NXDOMAIN looking up A for app.example.com;"
            " check the record); create the DNS record, or use staging_tls: private_ca for a name of one"
            " network",
            id="no-record",
        ),
        pytest.param(
            failed("connection", "192.0.2.7: Fetching http://app.example.com/x: Timeout during connect"),
            "the authority cannot connect to port 80 of app.example.com (192.0.2.7: Fetching http://app.example.com/x:"
            " Timeout during connect); let the DNS record point to this host, and open port 80 to it",
            id="port-80-closed",
        ),
        pytest.param(
            failed("unauthorized", "192.0.2.7: Invalid response from http://app.example.com/x: 404"),
            "app.example.com leads to another server, whose answer to the challenge is not that of this host"
            " (192.0.2.7: Invalid response from http://app.example.com/x: 404); let the DNS record point to this host,"
            " its IPv6 record too",
            id="leads-elsewhere",
        ),
        pytest.param(
            failed("caa", "CAA record for example.com prevents issuance"),
            "a CAA record of the domain of app.example.com forbids this authority (CAA record for example.com prevents"
            " issuance); add the authority to the record",
            id="caa",
        ),
        pytest.param(
            unexpected(
                "There were too many requests of a given type :: too many certificates (5) already issued for this "
                "exact set of identifiers in the last 168h0m0s, retry after 2030-06-02 01:02:03 UTC"
            ),
            "the authority's rate limit is reached (There were too many requests of a given type :: too many"
            " certificates (5) already issued for this exact set of identifiers in the last 168h0m0s, retry after"
            " 2030-06-02 01:02:03 UTC); wait as long as it says, and try with the authority's test server"
            " (staging_acme_directory) meanwhile",
            id="rate-limit",
        ),
        pytest.param(
            unexpected('Order included an identifier for which issuance is forbidden by policy: "app.lan"'),
            "the authority does not issue certificates for such a name (Order included an identifier for which issuance"
            ' is forbidden by policy: "app.lan"); use staging_tls: private_ca for a name of one network',
            id="refused-name",
        ),
        pytest.param(
            unexpected("requests.exceptions.SSLError: ... [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"),
            "the certificate of the authority's own server is not trusted (requests.exceptions.SSLError: ... [SSL:"
            " CERTIFICATE_VERIFY_FAILED] certificate verify failed); name a file with its authority by"
            " staging_acme_ca_path",
            id="untrusted-server",
        ),
        pytest.param(
            unexpected("ValueError: Requesting ca.example.com/dir: Connection refused"),
            "the authority's server cannot be reached from this host (ValueError: Requesting ca.example.com/dir:"
            " Connection refused); correct staging_acme_directory, or open the way to it",
            id="unreachable-server",
        ),
        pytest.param(
            unexpected("acme.errors.ClientError: <Response [404]>"),
            "the address of the authority is not that of an ACME directory (acme.errors.ClientError: <Response [404]>);"
            " correct staging_acme_directory",
            id="no-directory",
        ),
        pytest.param(
            "Another instance of Certbot is already running.\n",
            "another certbot runs; run the deployment again later",
            id="two-at-once",
        ),
        pytest.param(
            "something else\n\x1b[31mred\n",
            "certbot failed (?[31mred); see its log in /var/log/letsencrypt",
            id="unknown",
        ),
        pytest.param("", "certbot failed (without a word); see its log in /var/log/letsencrypt", id="silent"),
    ],
)
def test_a_failure_is_named_with_what_to_do(output: str, explained: str) -> None:
    assert explain(output) == explained
