# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""adopt_staging, status_staging and remove_staging on a host that was really deployed, with real pm2 processes."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from free_ports import free_port
from pm2_deployments import ROOT, Deployments
from proxy_manager_parts import PASSWORD, running_peer
from proxy_manager_peer.pasted import SNIPPET
from proxy_manager_peer.server import Account


def tree(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


@pytest.mark.slow
def test_a_manual_deployment_is_adopted_and_its_secrets_stay_on_the_host(deployments: Deployments) -> None:
    secret = "do-not-show-7361"
    (deployments.project / ".env.staging").write_text(f"API_SECRET={secret}\nBACKEND_PORT=14200\n")
    deployments.start_manually("app-backend", deployments.variables["staging_backend_port"])
    written = deployments.root / "adopted"
    book = ROOT / "playbooks/adopt_staging.yml"

    done = deployments.play(book)
    assert done.exit_code == 2, done.output
    assert "expected a directory on the controller that does not exist yet" in done.output

    before = tree(deployments.project)
    done = deployments.play(book, "-e", f"adopt_inventory={written}")
    assert done.exit_code == 0, done.output
    assert tree(deployments.project) == before
    variables = yaml.safe_load((written / "group_vars/staging.yml").read_text())
    assert variables["staging_project_dir"] == str(deployments.project)
    assert variables["staging_backend_process_name"] == "app-backend"
    assert variables["staging_backend_command"] == ["/usr/bin/python3", "-m", "http.server", "{port}"]
    assert variables["staging_env_required_keys"] == ["API_SECRET"]
    assert (written / "group_vars/staging.yml").stat().st_mode & 0o777 == 0o600
    everything = "".join(path.read_text() for path in written.rglob("*.yml"))
    assert secret not in everything + done.output

    done = deployments.play(book, "-e", f"adopt_inventory={written}")
    assert done.exit_code == 2, "an inventory is not overwritten"


@pytest.mark.slow
def test_a_deployment_behind_nginx_proxy_manager_is_adopted_by_an_account_that_may_only_view(
    deployments: Deployments, tmp_path: Path
) -> None:
    deployments.start_manually("app-backend", deployments.variables["staging_backend_port"])
    with running_peer("2.15.1", tmp_path / "manager") as peer:
        peer.accounts.append(Account("view@example.com", PASSWORD, may="view"))
        peer.add_host("api.test", deployments.variables["staging_backend_port"], advanced_config=SNIPPET)
        peer.add_host("other.test", free_port())
        before = peer.hosts
        deployments.variables |= {
            "staging_proxy_manager_api_url": peer.url,
            "staging_proxy_manager_identity": "view@example.com",
            "staging_proxy_manager_secret": PASSWORD,
        }
        written = deployments.root / "adopted"
        done = deployments.play(ROOT / "playbooks/adopt_staging.yml", "-e", f"adopt_inventory={written}")
        assert done.exit_code == 0, done.output
        assert peer.hosts == before
        refused = deployments.play(
            ROOT / "playbooks/adopt_staging.yml",
            *("-e", f"adopt_inventory={written}2", "-e", "staging_proxy_manager_secret=wrong"),
        )
        assert refused.exit_code == 2, refused.output
        assert "staging_proxy_manager_secret" in refused.output
    text = (written / "group_vars/staging.yml").read_text()
    assert PASSWORD not in text + done.output + refused.output
    variables = yaml.safe_load(text)
    assert variables["staging_proxy_provider"] == "nginx_proxy_manager"
    assert variables["staging_public_ws_url"] == "ws://api.test/ws"
    assert variables["staging_proxy_manager_replace_snippet"] is True


@pytest.mark.slow
def test_what_is_deployed_is_shown_and_removed(deployments: Deployments) -> None:
    status, remove = ROOT / "playbooks/status_staging.yml", ROOT / "playbooks/remove_staging.yml"
    first, between, second = (deployments.deploy(each) for each in ("one", "two", "three"))
    shared = first.parent / "shared"
    (shared / "data").mkdir()
    (shared / "data/app.db").write_text("rows\n")

    shown = deployments.play(status)
    assert shown.exit_code == 0, shown.output
    assert f"Release:     {second.name}" in shown.output
    assert " UTC" in shown.output
    assert "app-backend: online" in shown.output
    assert f"-e rollback_release={between.name}" in shown.output
    assert "changed=0" in shown.output

    refused = deployments.play(remove)
    assert refused.exit_code == 2
    assert "-e remove_application=app" in refused.output
    predicted = deployments.play(remove, "--check")
    assert predicted.exit_code == 0, predicted.output
    for part in ("Would remove:", "process app-backend", "process app-frontend", between.name):
        assert part in predicted.output
    assert deployments.project.resolve() == second
    assert set(deployments.processes()) == {"app-backend", "app-frontend"}

    done = deployments.play(remove, "-e", "remove_application=app")
    assert done.exit_code == 0, done.output
    assert deployments.processes() == {}
    assert (shared / "data/app.db").read_text() == "rows\n"
    # The source type is in_place, so that the active release is the user's own directory. The first was taken over.
    assert deployments.project.resolve() == second
    assert first.exists()
    assert not between.exists()
    assert str(shared / "data") in done.output

    again = deployments.play(remove, "-e", "remove_application=app")
    assert again.exit_code == 0, again.output
    assert "changed=0" in again.output
    assert "nothing, because no deployment is left" in again.output
