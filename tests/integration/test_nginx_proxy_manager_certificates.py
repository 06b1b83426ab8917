"""Certificates that Nginx Proxy Manager requests from Let's Encrypt, and the host meanwhile and afterwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import acme_server
import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._host.http import request
from ansible_collections.codeframe.staging.plugins.module_utils._host.tls import client_context
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.certificate_order import CertificateOrder
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import handshake, plain
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host
from nginx_tree import wait_for
from proxy_manager_parts import RequestLoop, arguments, endpoint, running_peer
from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.certbot import CHALLENGES_FAILED, RealCertbot
from proxy_manager_peer.server import Peer

NAME = "api.test"
FORCED = {"ssl_forced": True}
pytestmark = pytest.mark.usefixtures("private_directory")
ALL_VERSIONS = [*(pytest.param(version, marks=pytest.mark.slow) for version in VERSIONS[:-1]), VERSIONS[-1]]


@pytest.fixture(params=ALL_VERSIONS)
def peer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Peer]:
    with running_peer(request.param, tmp_path, with_tls=True, save_delay_s=0.01, reload_delay_s=0.03) as peer:
        yield peer


def configure(peer: Peer, check: bool = False, **more: Any) -> dict[str, Any]:
    given = {"websocket_paths": ["/ws"], "proxy_tls_port": peer.nginx.tls_port, "certificate_request": True} | more
    return module_runner.run(nginx_proxy_manager_host, arguments(peer, NAME, **given), check=check)


def served_names(peer: Peer) -> str:
    """As a browser that trusts the certificate which signs itself."""
    where = endpoint(peer, NAME, tls=True)
    answer = request(
        where.url,
        timeout_s=5,
        connect_to=(where.address, where.port),
        context=client_context(ca_path=str(peer.live(int(peer.hosts[1]["certificate_id"])) / "cert.pem")),
    )
    return str(answer.status)


def posts(peer: Peer) -> int:
    return peer.requests.count(("POST", "/api/nginx/certificates"))


def test_a_host_gets_a_certificate_and_keeps_it(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    predicted = configure(peer, check=True, switches=FORCED)
    assert (predicted["changed"], peer.puts(), posts(peer)) == (True, 0, 0)
    why = "it has no certificate that is valid for its names, and gets one from Let's Encrypt"
    assert why in predicted["reasons"]
    done = configure(peer, switches=FORCED)
    assert not done["failed"], done["msg"]
    assert done["notes"] == ["certificate 1 of Let's Encrypt was requested, which Nginx Proxy Manager renews"]
    assert peer.certbot.orders == [((NAME,), "admin@example.com")]
    assert handshake(endpoint(peer, NAME, tls=True), "/ws").upgraded
    assert plain(endpoint(peer, NAME)).status == 301
    assert served_names(peer) == "200"
    again = configure(peer, switches=FORCED)
    assert (again["failed"], again["changed"], again["reasons"]) == (False, False, []), again["msg"]
    assert posts(peer) == 1
    back = configure(peer, state="restored", previous=done["previous"], websocket_paths=[], certificate_request=False)
    assert (back["failed"], back["changed"]) == (False, True), back["msg"]
    assert (plain(endpoint(peer, NAME)).status, peer.hosts[1]["certificate_id"]) == (200, 0)


@pytest.mark.slow
def test_all_names_of_the_host_are_in_the_certificate(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    done = configure(peer, domain_names=[NAME, "app.test"], certificate_email="ann@example.com")
    assert not done["failed"], done["msg"]
    email = "ann@example.com" if peer.behaviour.email_in_request else "admin@example.com"
    assert peer.certbot.orders == [((NAME, "app.test"), email)]


@pytest.mark.parametrize(
    "with_tls", [pytest.param(False, id="plain", marks=pytest.mark.slow), pytest.param(True, id="tls")]
)
def test_a_refused_order_leaves_the_host_as_it_was(peer: Peer, backend: int, with_tls: bool) -> None:
    """Nginx Proxy Manager itself leaves it without its access list and without TLS."""
    fields: dict[str, Any] = {"certificate_id": 7, **FORCED} if with_tls else {}
    expired = {"expires_on": "2020-01-01 00:00:00"}
    peer.certificates[7] = {"id": 7, "nice_name": "old", "domain_names": [NAME], **expired}
    list_id = peer.add_access_list("staff", "sesame")
    peer.add_host(NAME, backend, access_list_id=list_id, **fields)
    before = dict(peer.hosts[1])
    peer.certbot.error = CHALLENGES_FAILED
    refused = configure(peer)
    assert (refused["failed"], refused["changed"], refused["restored"]) == (True, False, True)
    assert refused["msg"] == (
        f"proxy host {NAME} gets no certificate: Nginx Proxy Manager at {peer.url}/api answered 500 to POST "
        "/nginx/certificates (Some challenges have failed.); a DNS record of each name must lead to Nginx Proxy "
        "Manager, and the authority must reach its port 80; the cause is in letsencrypt.log of Nginx Proxy Manager; "
        "the host serves as before"
    )
    assert {key: peer.hosts[1][key] for key in before if key != "meta"} == {
        key: before[key] for key in before if key != "meta"
    }
    assert list(peer.certificates) == [7]
    where = endpoint(peer, NAME, tls=with_tls)
    assert plain(where).status == 401
    assert plain(where, login=("ann", "sesame")).status == 200
    assert not (peer.root / "data" / "nginx" / "temp" / "letsencrypt_8.conf").exists()
    peer.certbot.error = ""
    done = configure(peer)
    assert not done["failed"], done["msg"]
    assert plain(endpoint(peer, NAME, tls=True)).status == 401
    assert handshake(endpoint(peer, NAME, tls=True), "/ws").status == 401
    assert handshake(endpoint(peer, NAME, tls=True), "/ws", login=("ann", "sesame")).upgraded


@pytest.mark.slow
def test_the_test_server_leaves_a_host_as_the_program_does(peer: Peer, backend: int) -> None:
    """Otherwise the tests above would pass without a save."""
    list_id = peer.add_access_list("staff", "sesame")
    peer.add_host(NAME, backend, access_list_id=list_id)
    peer.certbot.error = CHALLENGES_FAILED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CertificateOrder, "_save_again", lambda *_: True)
        assert configure(peer)["failed"]
        open_to_all = plain(endpoint(peer, NAME)).status == 200
        # Without the addresses and users, `deny all` is what older versions render.
        assert open_to_all is not peer.behaviour.always_denies
        peer.certbot.error = ""
        patch.setattr(CertificateOrder, "_save_again", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            configure(peer)
    assert plain(endpoint(peer, NAME)).status == 404, "no host is served: the file is there, but nginx was not reloaded"
    # The next run finishes it.
    done = configure(peer)
    assert not done["failed"], done["msg"]
    assert plain(endpoint(peer, NAME, tls=True)).status == 401
    assert len(peer.certbot.orders) == 2


def _interrupt(*_: object) -> bool:
    raise KeyboardInterrupt


def test_a_host_that_a_killed_run_left_is_saved_once_more_without_the_request(peer: Peer, backend: int) -> None:
    list_id = peer.add_access_list("staff", "sesame")
    peer.add_host(NAME, backend, access_list_id=list_id)
    assert configure(peer, certificate_request=False)["changed"]
    peer.certbot.error = CHALLENGES_FAILED
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CertificateOrder, "_save_again", _interrupt)
        with pytest.raises(KeyboardInterrupt):
            configure(peer)
    assert plain(endpoint(peer, NAME)).status != 401
    healed = configure(peer, certificate_request=False)
    assert healed["reasons"] == ["a run was interrupted before it saved the host once more"], healed["msg"]
    wait_for(lambda: plain(endpoint(peer, NAME)).status == 401)
    assert not configure(peer, certificate_request=False)["changed"]


@pytest.mark.slow
def test_a_certificate_that_nobody_waited_for_is_used(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    peer.certbot.takes_s = 3.0
    done = configure(peer, certificate_timeout=2.5)
    assert not done["failed"], done["msg"]
    assert (posts(peer), len(peer.certbot.orders)) == (1, 1)
    assert handshake(endpoint(peer, NAME, tls=True), "/ws").upgraded


@pytest.mark.slow
def test_a_request_that_failed_after_nobody_waited_any_more_is_told(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    peer.certbot.takes_s, peer.certbot.error = 3.0, CHALLENGES_FAILED
    began = time.monotonic()
    refused = configure(peer, certificate_timeout=2.0)
    assert "and the request has ended without a certificate; the cause is in the log of Nginx Proxy" in refused["msg"]
    assert refused["msg"].endswith("the host serves as before")
    assert time.monotonic() - began < 60
    assert (peer.hosts[1]["certificate_id"], peer.certificates) == (0, {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (
            "An unexpected error occurred:\nurn:ietf:params:acme:error:rateLimited :: too many certificates (5) "
            "already issued for this exact set of domains",
            "the authority's rate limit is reached: wait as long as it says",
        ),
        (
            "Another instance of Certbot is already running.",
            "run again once the other request has ended",
        ),
        ("", "a DNS record of each name must lead to Nginx Proxy Manager"),
    ],
    ids=["rate-limit", "busy", "challenges"],
)
def test_the_remedy_fits_the_cause(peer: Peer, backend: int, error: str, remedy: str) -> None:
    peer.add_host(NAME, backend)
    peer.certbot.error = error or CHALLENGES_FAILED
    assert remedy in configure(peer)["msg"]


@pytest.mark.slow
def test_a_wildcard_is_refused_before_anything_is_asked_for(peer: Peer, backend: int) -> None:
    peer.add_host("*.test", backend)
    puts = peer.puts()
    refused = configure(peer)
    assert refused["msg"] == (
        f"proxy host {NAME}: *.test is a wildcard, for which Let's Encrypt needs a DNS challenge; create the "
        "certificate on the page of Nginx Proxy Manager, and select it by certificate"
    )
    assert (posts(peer), peer.puts()) == (0, puts)


@pytest.mark.slow
def test_a_certificate_that_is_there_is_used(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    far = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 60 * 86400))
    near = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() + 5 * 86400))
    peer.certificates[7] = {"id": 7, "nice_name": "wild", "domain_names": ["*.test"], "expires_on": far}
    done = configure(peer)
    assert not done["failed"], done["msg"]
    assert (posts(peer), peer.hosts[1]["certificate_id"]) == (0, 7)
    peer.certificates[7]["expires_on"] = near
    late = configure(peer)
    assert (late["changed"], [each["kind"] for each in late["findings"]]) == (False, ["certificate_expires"])


def test_an_account_that_may_not_request_certificates_is_told_so(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    peer.accounts[0].certificates = "view"
    refused = configure(peer)
    assert "give it the permission to manage certificates" in refused["msg"]
    assert not peer.hosts[1]["certificate_id"]
    assert (plain(endpoint(peer, NAME)).status, peer.hosts[1]["advanced_config"]) == (200, "")


@pytest.mark.slow
def test_a_host_is_created_with_a_certificate_or_not_at_all(peer: Peer, backend: int) -> None:
    forward = {"forward_scheme": "http", "forward_host": "127.0.0.1", "forward_port": backend}
    peer.certbot.error = CHALLENGES_FAILED
    refused = configure(peer, **forward)
    assert refused["msg"].endswith("nothing was changed")
    assert (refused["changed"], peer.hosts, peer.certificates) == (False, {}, {})
    peer.certbot.error = ""
    done = configure(peer, switches=FORCED, **forward)
    assert not done["failed"], done["msg"]
    assert handshake(endpoint(peer, NAME, tls=True), "/ws").upgraded
    assert not configure(peer, switches=FORCED, **forward)["changed"]


@pytest.mark.slow
def test_the_name_is_away_for_as_long_as_the_order_takes_and_no_longer(peer: Peer, backend: int) -> None:
    """What docs/nginx-proxy-manager.md says of it."""
    peer.add_host(NAME, backend)
    peer.certbot.takes_s = 1.0
    with RequestLoop(endpoint(peer, NAME)) as loop:
        done = configure(peer)
    assert not done["failed"], done["msg"]
    print(f"\n{peer.version}: away for {loop.outage_s:.2f} s, {loop.lost} of {len(loop.answers)} requests lost")
    assert 0.5 < loop.outage_s < 5


@pytest.mark.slow
def test_a_certificate_is_given_or_requested(peer: Peer, backend: int) -> None:
    peer.add_host(NAME, backend)
    assert (
        configure(peer, certificate="7")["msg"] == "certificate is 7, and certificate_request is true; give one of them"
    )


@pytest.mark.slow
def test_a_real_authority_and_the_real_certbot(peer: Peer, backend: int, tmp_path: Path) -> None:
    """pebble asks for the challenge at the nginx of the test server."""
    name = "npm.acme.localhost"
    where = endpoint(peer, name, tls=True)
    # nginx's workers are another user.
    for folder in (tmp_path.parent.parent, tmp_path.parent, tmp_path):
        folder.chmod(0o755)
    acme_server.install("certbot")
    (tmp_path / "acme").mkdir()
    with acme_server.running(tmp_path / "acme", http_port=peer.nginx.port) as acme:
        peer.certbot = RealCertbot(acme.directory, acme.ca, tmp_path / "certbot")
        peer.add_host(name, backend)
        acme.lead(name, "127.0.0.98")
        refused = configure(peer, domain_name=name)
        assert "gets no certificate" in refused["msg"]
        assert "(Some challenges have failed." in refused["msg"]
        assert refused["msg"].endswith("the host serves as before")
        assert plain(endpoint(peer, name)).status == 200
        acme.lead(name)
        done = configure(peer, domain_name=name)
        assert not done["failed"], done["msg"]
        context = client_context(ca_certificates=acme.root())
        answer = request(where.url, timeout_s=5, connect_to=(where.address, where.port), context=context)
        assert answer.status == 200
        assert not configure(peer, domain_name=name)["changed"]
