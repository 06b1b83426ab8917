# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site that answers ACME challenges before it has TLS."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.challenges import with_challenges

LOCATION = "    location ^~ /.well-known/acme-challenge/ {\n        root /srv/acme;\n    }\n"
PAGE = """\
server {
    listen 80;
    listen [::]:80;
    server_name app.example.com;

    location / {
        proxy_pass http://127.0.0.1:14100;
    }
}
"""
OTHER_PORT = PAGE.replace("80;", "8080;")


def added(name: str, listen: str = "    listen 80;\n    listen [::]:80;\n") -> str:
    return f"server {{\n{listen}    server_name {name};\n{LOCATION}    location / {{\n        return 404;\n    }}\n}}\n"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param("", added("app.example.com"), id="no-site-yet"),
        pytest.param(
            PAGE.rstrip("\n"),
            PAGE.replace("app.example.com;\n", f"app.example.com;\n{LOCATION}"),
            id="its-server-answers-and-goes-on",
        ),
        pytest.param(OTHER_PORT, f"{OTHER_PORT}\n{added('app.example.com')}", id="a-server-at-another-port"),
    ],
)
def test_a_name_is_answered_at_port_80(content: str, expected: str) -> None:
    assert with_challenges(content, ["app.example.com", "app.example.com"], "/srv/acme", ipv6=True) == expected


def test_what_answers_already_stays() -> None:
    once = with_challenges(PAGE, ["app.example.com", "api.example.com"], "/srv/acme", ipv6=False)
    assert once.count(LOCATION) == 2
    assert added("api.example.com", "    listen 80;\n") in once
    assert with_challenges(once, ["app.example.com", "api.example.com"], "/srv/acme", ipv6=False) == once
