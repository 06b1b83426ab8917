# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of certbot on a host, below another directory."""

from __future__ import annotations

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import websocket_peers as peers
from ansible_collections.codeframe.staging.plugins.module_utils._tls.certbot_host import CertbotHost

OWN, OTHER = "-----BEGIN CERTIFICATE-----\nown\n", "-----BEGIN CERTIFICATE-----\nother\n"
SERVICE = "certbot.service"


@pytest.fixture
def host(tmp_path: Path) -> CertbotHost:
    return CertbotHost(str(tmp_path))


def lineage(tmp_path: Path, name: str) -> None:
    certificate, key = peers.make_authority(tmp_path).issue(name)
    live = tmp_path / "etc/letsencrypt/live" / name
    live.mkdir(parents=True)
    shutil.copy(certificate, live / "fullchain.pem")
    shutil.copy(key, live / "privkey.pem")
    renewal = tmp_path / "etc/letsencrypt/renewal"
    renewal.mkdir(exist_ok=True)
    (renewal / f"{name}.conf").write_text("[renewalparams]\nauthenticator = nginx\nserver = https://ca.example.com\n")


def test_certificates_are_read_with_the_way_of_their_renewal(host: CertbotHost, tmp_path: Path) -> None:
    assert host.lineages() == []
    lineage(tmp_path, "app.example.com")
    live = tmp_path / "etc/letsencrypt/live"
    (live / "README").write_text("certbot's own")
    (live / "broken.example.com").mkdir()
    good, broken = host.lineages()
    assert (good.name, good.pair.problem, good.renewal.authenticator) == ("app.example.com", "", "nginx")
    assert good.pair.leaf is not None
    assert good.pair.leaf.names == ("app.example.com",)
    assert broken.pair.problem == f"there is no file {live}/broken.example.com/fullchain.pem"


def test_the_hook_is_written_once_and_acts_on_its_certificate_alone(host: CertbotHost, tmp_path: Path) -> None:
    change = host.hook("app", "codeframe-staging-app")
    assert change is not None
    host.apply(change)
    path = tmp_path / "etc/letsencrypt/renewal-hooks/deploy/codeframe-staging-app"
    assert stat.S_IMODE(path.stat().st_mode) == 0o755
    assert host.hook("app", "codeframe-staging-app") is None
    assert host.hook("app", "app.example.com") is not None

    # nginx and systemctl of this machine are not touched: the programs are those of a directory of its own.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, code in (("nginx", 0), ("systemctl", 0)):
        (programs / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/calls\nexit {code}\n')
        (programs / name).chmod(0o755)

    def renewed(name: str) -> tuple[int, str]:
        (tmp_path / "calls").write_text("")
        environment = {"PATH": f"{programs}:/bin:/usr/bin", "RENEWED_LINEAGE": f"/etc/letsencrypt/live/{name}"}
        code = subprocess.run([path], env=environment, check=False).returncode
        return code, (tmp_path / "calls").read_text()

    assert renewed("codeframe-staging-app") == (0, "nginx -t -q\nsystemctl reload nginx\n")
    assert renewed("another") == (0, "")
    (programs / "nginx").write_text("#!/bin/sh\nexit 1\n")
    assert renewed("codeframe-staging-app") == (1, ""), "nginx was reloaded although it refuses its configuration"


def test_the_authorities_of_several_applications_are_trusted_together(host: CertbotHost, tmp_path: Path) -> None:
    def apply(site: str, pem: str) -> list[str]:
        changes = host.authorities(site, pem, SERVICE)
        for change in changes:
            host.apply(change)
        return [Path(change.path).name for change in changes]

    bundle = tmp_path / "etc/ssl/codeframe-staging/acme-authorities.pem"
    unit = tmp_path / "etc/systemd/system/certbot.service.d/codeframe-staging.conf"
    assert apply("app", "") == []
    assert apply("app", OWN) == ["app.pem", "acme-authorities.pem", "codeframe-staging.conf"]
    assert apply("app", OWN) == []
    assert unit.read_text().endswith(f"Environment=REQUESTS_CA_BUNDLE={bundle}\n")
    assert host.environment()["REQUESTS_CA_BUNDLE"] == str(bundle)
    assert apply("second", OTHER) == ["second.pem", "acme-authorities.pem"]
    assert bundle.read_text().endswith(OWN + OTHER)
    # The one that is no longer needed is removed alone, and the last one with everything.
    assert apply("app", "") == ["app.pem", "acme-authorities.pem"]
    assert bundle.read_text().endswith(OTHER)
    assert OWN not in bundle.read_text()
    assert apply("second", "") == ["second.pem", "acme-authorities.pem", "codeframe-staging.conf"]
    assert not bundle.exists()
    assert not unit.exists()


def test_a_removal_names_only_what_was_added(host: CertbotHost) -> None:
    assert host.removal("app") == []
    hook = host.hook("app", "codeframe-staging-app")
    assert hook is not None
    host.apply(hook)
    assert [change.path for change in host.removal("app")] == [hook.path]
    for change in host.removal("app"):
        host.apply(change)
    assert host.removal("app") == []
