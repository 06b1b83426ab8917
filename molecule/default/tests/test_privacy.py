"""Who may read what."""

from __future__ import annotations

from typing import Any

import testinfra.host

Host = testinfra.host.Host


def test_the_env_file_is_private_to_the_deploy_user(host: Host, variables: dict[str, Any]) -> None:
    with host.sudo():
        env = host.file(f"{variables['staging_project_dir']}/.env.staging")
        assert (env.mode, env.user) == (0o600, variables["staging_user"])


def test_the_releases_are_closed_to_others(host: Host, variables: dict[str, Any]) -> None:
    releases = f"{variables['staging_project_dir']}.releases"
    with host.sudo():
        assert host.file(releases).mode & 0o007 == 0
        assert host.file(f"{releases}/manifest.json").mode == 0o600


def test_what_pm2_saves_is_closed_to_others(host: Host, variables: dict[str, Any]) -> None:
    with host.sudo():
        dump = host.file(f"/home/{variables['staging_user']}/.pm2/dump.pm2")
        assert dump.exists
        assert dump.mode & 0o077 == 0


def test_an_ordinary_user_reads_nothing_of_the_application(host: Host, variables: dict[str, Any]) -> None:
    assert host.run("cat %s/.env.staging", variables["staging_project_dir"]).rc != 0
    assert host.run("ls %s.releases", variables["staging_project_dir"]).rc != 0


def test_no_process_shows_a_secret_in_its_arguments(host: Host) -> None:
    with host.sudo():
        listed = host.check_output("ps -eo args")
    assert "molecule-secret" not in listed
