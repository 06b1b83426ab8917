"""Manual changes that are no row of drifts.yml: several at once, and those that need a look at the values."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import testinfra.host
from deployment import Deployment
from outside import Site

Host = testinfra.host.Host


SIX = {
    "runtime": ("root", "echo '# an edit' >> /etc/logrotate.d/pm2-{app}-backend"),
    "env_file": (
        "deploy",
        "sed -i 's#^NEXT_PUBLIC_WS_URL=.*#NEXT_PUBLIC_WS_URL=ws://other.example.com/ws#' {project}/.env.staging",
    ),
    "backend": ("deploy", "pm2 stop {app}-backend"),
    "frontend": ("deploy", "pm2 delete {app}-frontend"),
    "static_files": ("root", "find /var/lib/codeframe-staging/{app}/files -name '*.js' | head -1 | xargs rm"),
    "proxy": ("root", "sed -i '/proxy_set_header Upgrade/d' {site} && systemctl reload nginx"),
}
"""Six layers, each with a user and a command after which it differs."""


def test_one_look_names_six_drifts_and_the_run_changes_just_those(
    host: Host, deployment: Deployment, site: Site, variables: dict[str, Any], tmp_path: Path
) -> None:
    """Check mode predicts the same, and the next run changes nothing."""
    places = {
        "site": host.check_output("ls /etc/nginx/sites-available/*%s*", variables["staging_app_name"]),
        "project": variables["staging_project_dir"],
        "app": variables["staging_app_name"],
    }
    for user, command in SIX.values():
        with host.sudo(user):
            done = host.run("bash -lc %s", command.format(**places))
        assert done.rc == 0, done.stderr

    file = tmp_path / "drift.json"
    wanted = [f"staging_drift_file={file}", "staging_drift_fail_on=drifted"]
    looked = deployment.run(playbook="drift_staging.yml", variables=wanted)
    assert (looked.exit_code, looked.changed) == (2, 0), looked.output
    (found,) = json.loads(file.read_text())["hosts"].values()
    assert not found["in_sync"]
    states = {layer["layer"]: layer["state"] for layer in found["layers"]}
    assert {name for name, state in states.items() if state == "drifted"} == set(SIX), found
    assert "unknown" not in states.values()

    predicted = deployment.run("--check")
    assert predicted.exit_code == 0, predicted.output
    repair = deployment.run()
    assert repair.exit_code == 0, repair.output
    changed = {"runtime", "app_env", "backend", "frontend", "proxy"}
    assert (predicted.changed_roles, repair.changed_roles) == (changed, changed), repair.changed_tasks
    assert site.ask({"type": "ping"}) == {"type": "pong"}

    looked = deployment.run(playbook="drift_staging.yml", variables=wanted)
    assert (looked.exit_code, looked.changed) == (0, 0), looked.output
    again = deployment.run()
    assert (again.exit_code, again.changed) == (0, 0), again.output


@pytest.mark.parametrize("part", ["backend", "frontend"])
def test_a_process_that_runs_with_old_values_is_found_and_started_with_those_of_the_file(
    part: str, host: Host, deployment: Deployment, site: Site, variables: dict[str, Any]
) -> None:
    """Its environment is compared with the env file, so it does not matter who started it, when, and from what."""
    name = f"{variables['staging_app_name']}-{part}"

    def runs_with() -> str:
        look = f"""tr '\\0' '\\n' < /proc/$(pm2 pid {name})/environ | grep -o 'SAMPLE_TOKEN[=":]*[a-z-]*'"""
        with host.sudo(variables["staging_user"]):
            return host.check_output("bash -lc %s", look)

    assert "molecule-secret-value" in runs_with()
    with host.sudo(variables["staging_user"]):
        host.check_output("bash -lc %s", f"SAMPLE_TOKEN=old-value pm2 restart {name} --update-env")
    assert "old-value" in runs_with()

    repair = deployment.run("-v", "--diff")
    assert repair.exit_code == 0, repair.output
    assert repair.changed_roles == {part}, repair.changed_tasks
    assert "SAMPLE_TOKEN" in repair.words
    assert "old-value" not in repair.output
    assert "molecule-secret-value" not in repair.output
    assert "old-value" not in runs_with()
    assert "molecule-secret-value" in runs_with()
    assert site.ask({"type": "ping"}) == {"type": "pong"}

    again = deployment.run()
    assert (again.exit_code, again.changed) == (0, 0), again.output


def test_check_mode_predicts_another_url_and_the_rollback_and_changes_nothing(
    host: Host, deployment: Deployment, site: Site, variables: dict[str, Any]
) -> None:
    def state() -> str:
        with host.sudo(variables["staging_user"]):
            look = "readlink {0}; ls {0}.releases; cat {0}/.env.staging; pm2 -s jlist | grep -o '\"pid\":[0-9]*'"
            return host.check_output("bash -lc %s", look.format(variables["staging_project_dir"]))

    url = variables["staging_public_ws_url"].replace("//api.", "//live.")
    before = state()
    predicted = deployment.run("--check", "--diff", variables=[f"staging_public_ws_url={url}"])
    assert predicted.exit_code == 0, predicted.output
    assert "NEXT_PUBLIC_WS_URL changed" in predicted.words, predicted.output
    assert state() == before

    done = deployment.run(variables=[f"staging_public_ws_url={url}"])
    assert done.exit_code == 0, done.output
    assert predicted.changed_roles == done.changed_roles, (predicted.changed_tasks, done.changed_tasks)
    assert url in site.scripts()
    again = deployment.run("--check", variables=[f"staging_public_ws_url={url}"])
    assert (again.exit_code, again.changed) == (0, 0), again.output

    before = state()
    # The inventory of whoever goes back still names the URL that they go back from.
    inventory = [f"staging_public_ws_url={url}"]
    predicted = deployment.run("--check", playbook="rollback_staging.yml", variables=inventory)
    assert predicted.exit_code == 0, predicted.output
    assert {"release", "backend", "frontend"} <= predicted.changed_roles, predicted.changed_tasks
    assert state() == before
    back = deployment.run(playbook="rollback_staging.yml", variables=inventory)
    assert back.exit_code == 0, back.output
    assert f"WebSocket: {variables['staging_public_ws_url']}" in back.words, back.output
    assert url not in site.scripts()
    again = deployment.run()
    assert (again.exit_code, again.changed) == (0, 0), again.output


def test_check_mode_predicts_the_repair_of_an_edited_release_whose_env_file_changes_too(
    host: Host, deployment: Deployment, site: Site, variables: dict[str, Any]
) -> None:
    project = variables["staging_project_dir"]
    with host.sudo(variables["staging_user"]):
        host.check_output(
            "sh -c %s", f"echo '# an edit' >> {project}/backend/app/main.py; echo A=1 >> {project}/.env.staging"
        )
    more = [json.dumps({"staging_env": {"FEATURE": "on"}})]
    predicted = deployment.run("--check", variables=more)
    assert predicted.exit_code == 0, predicted.output
    assert {"release", "app_env"} <= predicted.changed_roles, predicted.changed_tasks
    done = deployment.run(variables=more)
    assert done.exit_code == 0, done.output
    assert {"release", "app_env"} <= done.changed_roles, done.changed_tasks
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    assert deployment.run().exit_code == 0


def test_files_of_root_stop_the_run_before_anything_is_changed(
    host: Host, deployment: Deployment, site: Site, variables: dict[str, Any]
) -> None:
    """Manual work as root; the message has the command that repairs it."""
    env_file = f"{variables['staging_project_dir']}/.env.staging"
    with host.sudo():
        host.check_output("sh -c %s", f"chown root: {env_file} && chmod 0600 {env_file}")
        for arguments in ((), ("--check",)):
            refused = deployment.run(*arguments)
            assert refused.failed_roles == {"preflight"}, refused.output
            assert refused.changed == 0, refused.output
        command = re.search(r"run (chown -Rh \S+ \S+)", refused.words)
        assert command is not None, refused.output
        host.run_expect([0], command[1])
    assert site.ask({"type": "ping"}) == {"type": "pong"}
    again = deployment.run()
    assert (again.exit_code, again.changed) == (0, 0), again.output
