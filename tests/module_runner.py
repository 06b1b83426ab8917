"""Run the real ``main()`` of a module inside the test's process."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import tempfile
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Protocol
from unittest import mock

from ansible.module_utils.common import warnings as ansible_warnings
from ansible.module_utils.testing import patch_module_args


class RunModule(Protocol):
    """The type of the ``run_module`` fixture."""

    def __call__(
        self, module: ModuleType, args: dict[str, Any], check: bool = False, diff: bool = False
    ) -> dict[str, Any]: ...


@contextlib.contextmanager
def process_of_a_module() -> Iterator[None]:
    """Give the code inside the state that ansible-core keeps in a process of a module's own.

    A test's process shares it with other modules and with filters, whose imports turn it into a controller's:
    from then on warnings are printed instead of being part of the result.
    """
    for name in ("_global_warnings", "_global_deprecations"):
        recorded = getattr(ansible_warnings, name, None)
        if recorded is not None:
            recorded.clear()
    try:
        internal = importlib.import_module("ansible.module_utils._internal")
    except ImportError:  # ansible-core before 2.19 makes no difference between the two
        yield
        return
    with mock.patch.object(internal, "is_controller", False):
        yield


def run(module: ModuleType, args: dict[str, Any], check: bool = False, diff: bool = False) -> dict[str, Any]:
    """Return the result that the module printed, always with ``changed``, ``failed`` and ``warnings``.

    :param module: The imported Python module; its ``main()`` is called.
    :param args: Module arguments, as a task would give them.
    :raises AssertionError: If the module neither succeeded nor failed properly.
    """
    with process_of_a_module(), tempfile.TemporaryDirectory(prefix="ansible-module-") as tmpdir:
        arguments = {
            **args,
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
            "_ansible_tmpdir": tmpdir,
            "_ansible_module_name": module.__name__.rpartition(".")[2],
        }
        printed = io.StringIO()
        exit_code: object = None
        with patch_module_args(arguments), contextlib.redirect_stdout(printed):
            try:
                module.main()
            except SystemExit as stop:
                exit_code = stop.code
    lines = [line for line in printed.getvalue().splitlines() if line.startswith("{")]
    assert lines, f"{module.__name__} ended without a result; it printed {printed.getvalue()!r}"
    result: dict[str, Any] = json.loads(lines[-1])
    # Modules hand warnings over as typed objects; a test wants their text.
    for kind in ("warnings", "deprecations"):
        result[kind] = [entry["event"]["msg"] if isinstance(entry, dict) else entry for entry in result.get(kind, [])]
    result.setdefault("changed", False)
    result.setdefault("failed", False)
    assert bool(exit_code) is bool(result["failed"]), f"exit code {exit_code!r} does not fit the result {result!r}"
    return result
