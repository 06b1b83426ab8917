"""A reboot of the host; the last file of the scenario, because the other tests need the running host."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from deployment import CHECKOUT, Deployment
from outside import Site


def test_page_and_websocket_answer_again_after_a_reboot(site: Site, variables: dict[str, Any]) -> None:
    subprocess.run(
        [sys.executable, "-m", "stagehost", "restart", variables["inventory_hostname"]],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT / "molecule/shared")},
        check=True,
    )
    site.await_page(timeout_s=180)


def test_a_run_after_the_reboot_changes_nothing(deployment: Deployment) -> None:
    outcome = deployment.run()
    assert (outcome.exit_code, outcome.changed) == (0, 0), outcome.output
