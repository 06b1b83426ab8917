# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import itertools

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.filter.blue_green import blue_green
from ansible_collections.codeframe.staging.plugins.module_utils._backend.blue_green import (
    Instance,
    plan_blue_green,
)

A, B = 14200, 14201
ABSENT, STOPPED = {}, {"known": True}
OLD, WANTED = {"known": True, "running": True}, {"known": True, "running": True, "fits": True}


def instances(blue, green):
    return [Instance("app", A, **blue), Instance("app-green", B, **green)]


@pytest.mark.parametrize(
    ("blue", "green", "proxied", "serve", "retire"),
    [
        pytest.param(ABSENT, ABSENT, None, A, [], id="no-process"),
        pytest.param(ABSENT, ABSENT, B, B, [], id="no-process-and-the-proxy-routes-to-green"),
        pytest.param(WANTED, ABSENT, A, A, [], id="blue-is-the-wanted-one"),
        pytest.param(ABSENT, WANTED, B, B, [], id="green-is-the-wanted-one"),
        pytest.param(OLD, ABSENT, A, B, [A], id="blue-is-replaced-by-green"),
        pytest.param(ABSENT, OLD, B, A, [B], id="green-is-replaced-by-blue"),
        pytest.param(OLD, STOPPED, A, B, [A], id="a-stopped-green-gets-the-new-process"),
        pytest.param(STOPPED, ABSENT, A, A, [], id="stopped-blue-is-started-in-place"),
        pytest.param(STOPPED, OLD, B, A, [B], id="green-is-outdated-and-blue-is-stopped"),
        pytest.param(OLD, WANTED, A, B, [A], id="killed-before-the-proxy-was-switched"),
        pytest.param(OLD, WANTED, B, B, [A], id="killed-before-the-old-one-stopped"),
        pytest.param(WANTED, OLD, A, A, [B], id="rollback-before-the-proxy-was-switched"),
        pytest.param(WANTED, OLD, B, A, [B], id="rollback-after-the-proxy-was-switched"),
        pytest.param(WANTED, WANTED, B, B, [A], id="both-fit-and-the-proxy-decides"),
        pytest.param(WANTED, WANTED, None, A, [B], id="both-fit-and-the-proxy-is-unknown"),
        pytest.param(OLD, OLD, B, A, [B], id="both-are-outdated-and-the-one-without-traffic-is-replaced"),
        pytest.param(OLD, ABSENT, B, B, [A], id="the-proxy-routes-to-a-port-without-a-process"),
    ],
)
def test_the_wanted_process_gets_the_instance_without_traffic(blue, green, proxied, serve, retire):
    chosen = plan_blue_green(instances(blue, green), proxied)
    assert (chosen.serve.port, [instance.port for instance in chosen.retire]) == (serve, retire)


@pytest.mark.parametrize(
    ("blue", "green", "proxied"),
    list(itertools.product([ABSENT, STOPPED, OLD, WANTED], [ABSENT, STOPPED, OLD, WANTED], [None, A, B])),
)
def test_the_instance_with_the_traffic_is_never_replaced(blue, green, proxied):
    both = instances(blue, green)
    serving = next((instance for instance in both if instance.port == proxied and instance.running), None)
    chosen = plan_blue_green(both, proxied)
    if serving is not None and not serving.fits:
        assert chosen.serve.port != serving.port
        assert serving in chosen.retire
    assert chosen.serve not in chosen.retire


def test_two_instances_on_one_port_are_refused():
    process = {"status": "absent", "action": "start"}
    with pytest.raises(AnsibleFilterError, match="a name and a port of its own"):
        blue_green([{"name": "a", "port": 1}, {"name": "b", "port": 1}], [process, process])


@pytest.mark.parametrize(
    ("status", "action", "serve"),
    [
        pytest.param("online", "nothing", A, id="fits"),
        pytest.param("online", "replace", B, id="unhealthy"),
        pytest.param("launching", "reload", B, id="outdated"),
        pytest.param("errored", "start", A, id="crashed"),
    ],
)
def test_the_results_of_pm2_process_are_understood(status, action, serve):
    found = blue_green(
        [{"name": "app", "port": A}, {"name": "app-green", "port": str(B)}],
        [{"status": status, "action": action}, {"status": "absent", "action": "start"}],
        A,
    )
    assert found["serve"]["port"] == serve
    assert found["retire"] == ([{"name": "app", "port": A}] if serve == B else [])
