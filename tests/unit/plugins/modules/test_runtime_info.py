"""runtime_info on this machine; how the facts are gathered is tested in module_utils/_runtime."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from ansible_collections.codeframe.staging.plugins.modules import runtime_info
from module_runner import RunModule


def test_the_facts_of_this_machine(run_module: RunModule, tmp_path: Path) -> None:
    args = {"user": "sync", "packages": ["no-such-package"], "files": {str(tmp_path / "none"): "text"}}
    found = run_module(runtime_info, args)
    assert not found["changed"]
    assert found == {**found, **run_module(runtime_info, args, check=True)}
    # The primary group of a user need not have the user's name.
    assert (found["home"], found["group"], found["pm2_daemon"]) == (pwd.getpwnam("sync").pw_dir, "nogroup", None)
    assert (found["missing_packages"], found["differing_files"]) == (["no-such-package"], [str(tmp_path / "none")])
    assert (found["machine"], found["pm2_unit_enabled"]) == (os.uname().machine, False)


def test_a_user_that_does_not_exist_has_neither_home_nor_group(run_module: RunModule) -> None:
    found = run_module(runtime_info, {"user": "nobody-of-this-name"})
    assert (found["home"], found["group"], found["pm2_daemon"]) == (None, None, None)
