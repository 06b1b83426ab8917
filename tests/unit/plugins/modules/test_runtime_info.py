"""What a host has of the runtime, as this machine has it."""

from __future__ import annotations

import grp
import os
import pwd

from ansible_collections.codeframe.staging.plugins.modules import runtime_info


def test_a_user_has_a_home_and_a_primary_group_which_may_have_another_name(run_module):
    account = pwd.getpwnam("sync")
    found = run_module(runtime_info, {"user": account.pw_name})
    assert not found["changed"]
    assert (found["home"], found["group"]) == (account.pw_dir, grp.getgrgid(account.pw_gid).gr_name)
    assert found["group"] != account.pw_name
    own = run_module(runtime_info, {"user": pwd.getpwuid(os.getuid()).pw_name})
    assert own["group"] == grp.getgrgid(pwd.getpwuid(os.getuid()).pw_gid).gr_name


def test_a_user_who_is_not_there_has_neither(run_module):
    found = run_module(runtime_info, {"user": "nobody-of-this-name"})
    assert (found["home"], found["group"], found["pm2_daemon"]) == (None, None, None)
