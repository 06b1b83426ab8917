"""The last file of the scenario, since it restarts the host."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from deployment import CHECKOUT, Deployment
from outside import Site


def test_all_services_answer_again_after_a_restart_of_the_host(site: Site, variables: dict[str, Any]) -> None:
    subprocess.run(
        [sys.executable, "-m", "stagehost", "restart", variables["inventory_hostname"]],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "molecule/shared")},
        check=True,
    )
    site.await_page(timeout_s=180)


def test_a_run_after_the_restart_changes_nothing(deployment: Deployment) -> None:
    outcome = deployment.run()
    assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
    assert "molecule-secret" not in outcome.output
