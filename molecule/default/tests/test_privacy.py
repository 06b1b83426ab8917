"""Access to the files of the application."""

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


def test_the_process_list_saved_by_pm2_is_private(host: Host, variables: dict[str, Any]) -> None:
    with host.sudo():
        dump = host.file(f"/home/{variables['staging_user']}/.pm2/dump.pm2")
        assert dump.exists
        assert dump.mode & 0o077 == 0


def test_another_user_cannot_read_the_application(host: Host, variables: dict[str, Any]) -> None:
    project = variables["staging_project_dir"]
    for command in (f"cat {project}/.env.staging", f"ls {project}.releases"):
        with host.sudo():
            assert host.check_output(command)
        refused = host.run(f"LC_ALL=C {command}")
        assert (refused.stdout, refused.stderr.strip().endswith("Permission denied")) == ("", True), refused
