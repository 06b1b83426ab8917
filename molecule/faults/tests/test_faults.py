"""A proxy that is wrong in one way at a time, with the role that would repair it skipped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import testinfra.host
from deployment import Deployment
from outside import Site

Host = testinfra.host.Host


@dataclass(frozen=True)
class Fault:
    """A change of the site by ``sed``, and what the verdict must say."""

    change: str
    said: tuple[str, ...]


FAULTS = [
    pytest.param(
        Fault("/proxy_set_header Upgrade/d; /proxy_set_header Connection \\$/d", ("drops the upgrade",)),
        id="upgrade-dropped",
        marks=pytest.mark.quick,
    ),
    pytest.param(Fault("s/proxy_read_timeout 86400s/proxy_read_timeout 3s/", ("idle",)), id="idle-connections-cut"),
    pytest.param(Fault("s/127.0.0.1:14200/127.0.0.1:14299/", ("502",)), id="backend-at-another-port"),
]


@pytest.fixture
def site_file(host: Host, variables: dict[str, Any]) -> Iterator[str]:
    """The file of the site; what a test does to it is undone."""
    path = host.check_output("ls /etc/nginx/sites-available/*%s*", variables["staging_app_name"])
    with host.sudo():
        host.check_output("cp -p %s /root/site.before", path)
    yield path
    with host.sudo():
        host.check_output("cp -p /root/site.before %s && systemctl reload nginx", path)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_proxy_that_breaks_the_websocket_fails_the_run_with_the_cause(
    fault: Fault, site_file: str, host: Host, deployment: Deployment
) -> None:
    with host.sudo():
        host.check_output("sed -i %s %s && nginx -t && systemctl reload nginx", fault.change, site_file)
    outcome = deployment.run("--skip-tags", "proxy")
    assert outcome.exit_code != 0, outcome.output
    assert "websocket_verify" in outcome.failed_roles, outcome.output
    for sentence in fault.said:
        assert sentence in outcome.words, outcome.output
    assert "Direct backend connection: passed" in outcome.words, outcome.output
    assert "Connection through the proxy: failed" in outcome.words, outcome.output


def test_scripts_that_nginx_serves_with_another_url_fail_the_verification(
    host: Host, deployment: Deployment, variables: dict[str, Any]
) -> None:
    """The frontend's own process would still give the right ones; users get those of nginx."""
    url, other = variables["staging_public_ws_url"], "ws://other.example.com/ws"
    published = f"/var/lib/codeframe-staging/{variables['staging_app_name']}/files"
    with host.sudo():
        host.check_output("grep -rlF %s %s | xargs sed -i %s", url, published, f"s#{url}#{other}#")
    verified = deployment.run(playbook="verify_staging.yml")
    assert verified.exit_code != 0, verified.output
    assert f"through the proxy, {url} is in none of" in verified.words
    assert f"which contain {other}" in verified.words
    repair = deployment.run()
    assert (repair.exit_code, repair.changed_roles) == (0, {"frontend"}), repair.output


def test_where_tls_ends_before_nginx_the_proxy_is_asked_without_it(
    deployment: Deployment, variables: dict[str, Any]
) -> None:
    """Nothing ends it here, so there is no public vantage point; browsers get the public URL all the same."""
    port = urlsplit(variables["staging_public_ws_url"]).port
    public = {"page": "https://app.example.com", "websocket": "wss://api.example.com/ws"}
    given = {
        "staging_public_url": public["page"],
        "staging_public_ws_url": public["websocket"],
        "staging_tls_before_proxy": True,
        "staging_proxy_port": port,
        "staging_vantages": ["direct", "proxy"],
    }
    outcome = deployment.run(variables=[json.dumps(given)])
    assert outcome.exit_code == 0, outcome.output
    assert "Connection through the proxy: passed" in outcome.words
    assert f"through the proxy they contain {public['websocket']}" in outcome.words
    again = deployment.run(variables=[json.dumps(given)])
    assert (again.exit_code, again.changed) == (0, 0), again.output


@pytest.mark.quick
def test_the_next_whole_run_finds_the_site_as_it_should_be(deployment: Deployment, site: Site) -> None:
    outcome = deployment.run()
    assert outcome.exit_code == 0, outcome.output
    assert site.ask({"type": "ping"}) == {"type": "pong"}
