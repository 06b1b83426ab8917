from __future__ import annotations

import pytest
from deployment import read_outcome

OUTPUT = """
PLAY [Deploy the application and prove its WebSocket] ****

TASK [codeframe.staging.preflight : Validate the inputs] ****
ok: [demo]

TASK [codeframe.staging.proxy : site | Install the site] ****
changed: [demo]

TASK [codeframe.staging.frontend : process | Run the frontend under pm2] ****
changed: [demo]

PLAY RECAP ****
demo                       : ok=3    changed=2    unreachable=0    failed=0    skipped=0    rescued=0    ignored=0
"""


def test_changed_tasks_are_named_with_their_role() -> None:
    outcome = read_outcome(0, OUTPUT)
    assert (outcome.exit_code, outcome.changed) == (0, 2)
    assert outcome.changed_tasks == (
        ("proxy", "site | Install the site"),
        ("frontend", "process | Run the frontend under pm2"),
    )
    assert outcome.changed_roles == {"proxy", "frontend"}
    assert outcome.failed_tasks == ()


def test_the_task_that_failed_is_named() -> None:
    outcome = read_outcome(
        2,
        "TASK [codeframe.staging.preflight : Validate the inputs] ***\nfatal: [demo]: FAILED! =>\n    msg: x\n"
        "demo : ok=0    changed=0    unreachable=0    failed=1\n",
    )
    assert outcome.failed_tasks == (("preflight", "Validate the inputs"),)


def test_a_successful_run_without_a_recap_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^no recap"):
        read_outcome(0, "nothing ran\n")


def test_a_run_that_did_not_start_is_reported_with_its_output() -> None:
    outcome = read_outcome(4, "ERROR! the playbook could not be found\n")
    assert (outcome.exit_code, outcome.changed, outcome.changed_tasks) == (4, 0, ())
