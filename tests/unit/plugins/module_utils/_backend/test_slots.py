# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.filter.backend_slots import backend_slots
from ansible_collections.codeframe.staging.plugins.module_utils._backend.slots import Slot, plan

A, B = 14200, 14201
ABSENT, STOPPED = {}, {"known": True}
OLD, WANTED = {"known": True, "running": True}, {"known": True, "running": True, "fits": True}


def slots(first, second):
    return [Slot("app", A, **first), Slot("app-overlap", B, **second)]


@pytest.mark.parametrize(
    ("first", "second", "proxied", "serve", "retire"),
    [
        pytest.param(ABSENT, ABSENT, None, A, [], id="nothing-yet"),
        pytest.param(ABSENT, ABSENT, B, B, [], id="nothing-runs-and-the-proxy-leads-to-the-second"),
        pytest.param(WANTED, ABSENT, A, A, [], id="as-it-should-be"),
        pytest.param(ABSENT, WANTED, B, B, [], id="as-it-should-be-in-the-second"),
        pytest.param(OLD, ABSENT, A, B, [A], id="replaced-by-the-second"),
        pytest.param(ABSENT, OLD, B, A, [B], id="replaced-by-the-first"),
        pytest.param(OLD, STOPPED, A, B, [A], id="a-stopped-one-is-taken-for-the-new-one"),
        pytest.param(STOPPED, ABSENT, A, A, [], id="stopped-one-is-started-where-it-is"),
        pytest.param(STOPPED, OLD, B, A, [B], id="old-one-serves-and-the-other-is-stopped"),
        pytest.param(OLD, WANTED, A, B, [A], id="killed-before-the-proxy-moved"),
        pytest.param(OLD, WANTED, B, B, [A], id="killed-before-the-old-one-stopped"),
        pytest.param(WANTED, OLD, A, A, [B], id="new-one-failed-and-the-former-is-wanted-again"),
        pytest.param(WANTED, OLD, B, A, [B], id="proxy-moved-and-the-former-is-wanted-again"),
        pytest.param(WANTED, WANTED, B, B, [A], id="both-fit-and-the-proxy-decides"),
        pytest.param(WANTED, WANTED, None, A, [B], id="both-fit-and-the-proxy-is-unknown"),
        pytest.param(OLD, OLD, B, A, [B], id="neither-fits-and-the-one-without-traffic-is-replaced"),
        pytest.param(OLD, ABSENT, B, B, [A], id="proxy-leads-to-nothing"),
    ],
)
def test_the_wanted_process_gets_the_slot_that_has_no_traffic(first, second, proxied, serve, retire):
    chosen = plan(slots(first, second), proxied)
    assert (chosen.serve.port, [slot.port for slot in chosen.retire]) == (serve, retire)


@pytest.mark.parametrize(
    ("first", "second", "proxied"),
    list(itertools.product([ABSENT, STOPPED, OLD, WANTED], [ABSENT, STOPPED, OLD, WANTED], [None, A, B])),
)
def test_what_has_the_traffic_is_replaced_by_no_run(first, second, proxied):
    both = slots(first, second)
    serving = next((slot for slot in both if slot.port == proxied and slot.running), None)
    chosen = plan(both, proxied)
    if serving is not None and not serving.fits:
        assert chosen.serve.port != serving.port
        assert serving in chosen.retire
    assert chosen.serve not in chosen.retire


def test_two_slots_on_one_port_are_refused():
    looked = {"status": "absent", "action": "start"}
    with pytest.raises(AnsibleFilterError, match="names and ports of their own"):
        backend_slots([{"name": "a", "port": 1}, {"name": "b", "port": 1}], [looked, looked])


@pytest.mark.parametrize(
    ("status", "action", "serve"),
    [
        pytest.param("online", "nothing", A, id="fits"),
        pytest.param("online", "replace", B, id="unhealthy"),
        pytest.param("launching", "reload", B, id="outdated"),
        pytest.param("errored", "start", A, id="crashed"),
    ],
)
def test_what_pm2_process_says_is_understood(status, action, serve):
    found = backend_slots(
        [{"name": "app", "port": A}, {"name": "app-overlap", "port": str(B)}],
        [{"status": status, "action": action}, {"status": "absent", "action": "start"}],
        A,
    )
    assert found["serve"]["port"] == serve
    assert found["retire"] == ([{"name": "app", "port": A}] if serve == B else [])
