# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file in which certbot keeps how it renews a certificate."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._tls.renewal import (
    Renewal,
    read_renewal,
    through_webroot,
)

#: As certbot 4.0 writes it.
WEBROOT = """\
# renew_before_expiry = 30 days
version = 4.0.0
archive_dir = /etc/letsencrypt/archive/app
cert = /etc/letsencrypt/live/app/cert.pem

# Options used in the renewal process
[renewalparams]
account = e9983f97a6492ee85d3ae4258c8dc275
server = https://acme-v02.api.letsencrypt.org/directory
authenticator = webroot
webroot_path = /var/www/html,
key_type = ecdsa
[[webroot_map]]
api.example.com = /var/www/html
app.example.com = /var/www/html
"""
STANDALONE = """\
version = 2.1.0
archive_dir = /etc/letsencrypt/archive/app
[renewalparams]
account = e9983f97a6492ee85d3ae4258c8dc275
pre_hook = systemctl stop nginx
post_hook = systemctl start nginx
authenticator = standalone
server = https://acme-v02.api.letsencrypt.org/directory
http01_port = 80
key_type = rsa
"""


def test_server_and_way_are_read() -> None:
    server = "https://acme-v02.api.letsencrypt.org/directory"
    assert read_renewal(WEBROOT) == Renewal(server, "webroot", ("/var/www/html",))
    assert read_renewal(STANDALONE) == Renewal(server, "standalone", ())
    assert read_renewal("") == Renewal()
    assert read_renewal("[renewalparams]\nwebroot_path = /a, /b,\n").webroots == ("/a", "/b")


@pytest.mark.parametrize(
    ("renewal", "problem"),
    [
        pytest.param(Renewal("", "webroot", ("/var/www/html/",)), "", id="through-the-site"),
        pytest.param(Renewal("", "nginx"), "", id="by-the-plugin-of-nginx"),
        pytest.param(Renewal("", "dns-rfc2136"), "", id="by-the-dns"),
        pytest.param(
            Renewal("", "standalone"),
            "it is renewed by a server of certbot's own at port 80, where nginx listens",
            id="standalone",
        ),
        pytest.param(
            Renewal("", "webroot", ("/srv/a", "/srv/b")),
            "it is renewed through /srv/a, /srv/b, and the site answers from /var/www/html",
            id="another-directory",
        ),
    ],
)
def test_a_way_that_does_not_work_beside_nginx_is_named(renewal: Renewal, problem: str) -> None:
    assert renewal.problem_with("/var/www/html") == problem


@pytest.mark.parametrize("text", [WEBROOT, STANDALONE], ids=["webroot", "standalone"])
def test_a_renewal_is_led_through_another_directory(text: str) -> None:
    changed = through_webroot(text, ["app.example.com", "api.example.com"], "/srv/acme")
    assert read_renewal(changed) == Renewal("https://acme-v02.api.letsencrypt.org/directory", "webroot", ("/srv/acme",))
    assert changed.endswith("[[webroot_map]]\napp.example.com = /srv/acme\napi.example.com = /srv/acme\n")
    # nginx would be stopped for a server that no longer starts.
    assert "nginx" not in changed
    assert "account = e9983f97a6492ee85d3ae4258c8dc275\n" in changed
    assert changed.splitlines()[0] == text.splitlines()[0]
    assert through_webroot(changed, ["app.example.com", "api.example.com"], "/srv/acme") == changed
