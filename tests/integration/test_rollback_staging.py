"""rollback_staging.yml where the release that it activates does not work any more."""

from __future__ import annotations

import pytest
from pm2_deployments import PAGE, ROOT, Deployments


@pytest.mark.slow
def test_a_rollback_that_fails_returns_to_the_release_that_was_active(deployments: Deployments) -> None:
    first, second = deployments.deploy("one"), deployments.deploy("two")
    assert first != second
    # Rebuilt manually meanwhile, with the URL of every user's own machine.
    (first / "index.html").write_text('<script>new WebSocket("ws://localhost:8080/ws")</script>')
    done = deployments.roll_back()
    assert done.exit_code == 2, done.output
    assert "ws://api.test/ws" in done.output
    outcome = f"Release {second.name}, which was active before the rollback, is active again and verified"
    assert f"Outcome: {outcome}." in done.words
    assert deployments.project.resolve() == second
    assert "<p>two</p>" in deployments.page()

    # Both are broken: nothing is hidden.
    (second / "index.html").write_text("<p>two, broken</p>")
    done = deployments.roll_back()
    assert f"Release {second.name}, which was active before the rollback, is active again and fails" in " ".join(
        done.output.split()
    )
    assert deployments.project.resolve() == second

    # A rollback that works needs no return.
    (first / "index.html").write_text(f"{PAGE}<p>one, repaired</p>")
    done = deployments.roll_back()
    assert done.exit_code == 0, done.output
    assert deployments.project.resolve() == first
    assert "<p>one, repaired</p>" in deployments.page()


@pytest.mark.slow
def test_a_rollback_of_a_take_over_restores_the_manual_processes(deployments: Deployments) -> None:
    (deployments.project / "index.html").write_text(f"{PAGE}<p>manual</p>")
    manual = {"app-backend": "app-backend", "my-page": "my-page"}
    deployments.start_manually("app-backend", deployments.variables["staging_backend_port"])
    deployments.start_manually("my-page", deployments.port)
    assert deployments.processes() == manual

    deployments.variables["staging_take_over"] = True
    first = deployments.deploy("manual")
    assert deployments.processes() == {"app-backend": "", "app-frontend": ""}

    done = deployments.roll_back()
    assert done.exit_code == 0, done.output
    assert (deployments.processes(), deployments.project.resolve()) == (manual, first)
    assert "<p>manual</p>" in deployments.page()

    # The next deployment takes it over again.
    assert deployments.play(deployments.serve).exit_code == 0
    assert deployments.processes() == {"app-backend": "", "app-frontend": ""}


@pytest.mark.slow
def test_a_first_deployment_that_fails_is_called_no_take_over_where_nothing_ran_before(
    deployments: Deployments,
) -> None:
    (deployments.project / "index.html").write_text("<p>first</p>")
    assert deployments.play(ROOT / "playbooks/deploy_staging.yml", "--tags", "release").exit_code == 0
    assert deployments.play(deployments.serve).exit_code == 0
    done = deployments.play(ROOT / "playbooks/deploy_staging.yml", "--tags", "release,proxy,websocket_verify")
    assert done.exit_code == 2, done.output
    assert "Outcome: No state is verified yet, so there is none to roll back to." in done.words
