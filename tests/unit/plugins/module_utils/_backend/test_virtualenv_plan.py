# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which virtual environment is chosen, and why."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._backend.environment import Condition
from ansible_collections.codeframe.staging.plugins.module_utils._backend.virtualenv_plan import (
    VirtualenvInputs,
    plan_virtualenv,
)

USABLE, FREE = Condition(exists=True), Condition(exists=False)
BROKEN = Condition(exists=True, damage=("its interpreter is missing or does not run",))
HALF = Condition(exists=True, interrupted=True, damage=("its installation was interrupted",))


@pytest.mark.parametrize(
    ("conditions", "linked", "expected"),
    [
        pytest.param([("d", USABLE)], "d", ("d", False, False, ()), id="linked-and-usable"),
        pytest.param([("d", USABLE)], None, ("d", False, False, ("environment d exists",)), id="only-link"),
        pytest.param([("d", FREE)], None, ("d", True, False, ("there is no environment d yet",)), id="none"),
        pytest.param(
            [("d", HALF), ("d-2", FREE)],
            None,
            ("d", True, True, ("environment d: its installation was interrupted",)),
            id="interrupted-is-created-again-in-place",
        ),
        pytest.param(
            [("d", BROKEN), ("d-2", FREE)],
            "d",
            ("d-2", True, False, ("environment d: its interpreter is missing or does not run",)),
            id="damaged-stays-for-the-processes-that-run-from-it",
        ),
        pytest.param(
            [("d", BROKEN), ("d-2", USABLE)],
            "d",
            ("d-2", False, False, ("environment d-2 exists",)),
            id="a-usable-one-beside-a-damaged-one",
        ),
    ],
)
def test_the_environment_that_is_chosen(conditions, linked, expected):
    chosen = plan_virtualenv("d", conditions, (), linked)
    assert (chosen.name, chosen.build, chosen.clear, chosen.reasons) == expected


def test_changed_inputs_are_named():
    parts = {"interpreter": "cpython 3.13.5", "uv": "0.13.9"}
    inputs = VirtualenvInputs(parts)
    assert inputs.changed_since({"interpreter": "cpython 3.13.4", "source": "x"}) == (
        "interpreter changed",
        "source changed",
        "uv changed",
    )
    assert inputs.changed_since(parts) == ()
    assert VirtualenvInputs({**parts, "uv": "0.13.8"}).digest != inputs.digest
    assert VirtualenvInputs(dict(reversed(parts.items()))).digest == inputs.digest
