"""Manual changes in Nginx Proxy Manager: predicted, repaired or left alone, and nothing to do for the next run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import split_text
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.probe import handshake, plain
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host
from proxy_manager_parts import arguments, endpoint, running_peer
from proxy_manager_peer.server import Peer

NAME = "api.test"
THEIRS = "client_max_body_size 20m;\n"
pytestmark = pytest.mark.usefixtures("private_directory")


@pytest.fixture
def peer(tmp_path: Path, backend: int) -> Iterator[Peer]:
    with running_peer("2.15.1", tmp_path, save_delay_s=0.1) as peer:
        peer.add_host(NAME, backend, advanced_config=THEIRS)
        yield peer


def configure(peer: Peer, backend: int, check: bool = False) -> dict[str, Any]:
    wanted = {"websocket_paths": ["/ws"], "forward_host": "127.0.0.1", "forward_port": backend}
    return module_runner.run(nginx_proxy_manager_host, arguments(peer, NAME, **wanted), check=check)


def saved(peer: Peer, **fields: Any) -> None:
    """Save fields as a person does in the user interface."""
    peer.hosts[1].update(fields)
    peer._configure(1)
    peer.nginx.reload_and_wait()


def text_of(peer: Peer) -> str:
    return str(peer.hosts[1]["advanced_config"])


def outside_of_block(peer: Peer) -> str:
    text = split_text(text_of(peer))
    return (text.before + text.after).strip()


@dataclass(frozen=True)
class Drift:
    """A manual change; ``repaired`` or left alone."""

    change: Callable[[Peer], None]
    repaired: bool = True


DRIFTS = [
    pytest.param(Drift(lambda peer: saved(peer, advanced_config=text_of(peer).replace("86400s", "3s"))), id="edited"),
    pytest.param(Drift(lambda peer: saved(peer, advanced_config=THEIRS)), id="block-deleted"),
    pytest.param(Drift(lambda peer: saved(peer, advanced_config="")), id="text-deleted"),
    pytest.param(
        Drift(lambda peer: saved(peer, advanced_config=f"{text_of(peer)}\nclient_body_timeout 30s;\n"), repaired=False),
        id="text-added",
    ),
    pytest.param(Drift(lambda peer: saved(peer, forward_port=9)), id="forward-port"),
    pytest.param(
        Drift(lambda peer: saved(peer, allow_websocket_upgrade=not peer.hosts[1]["allow_websocket_upgrade"]), False),
        id="switch-toggled",
    ),
    pytest.param(Drift(lambda peer: saved(peer, caching_enabled=True), repaired=False), id="caching-switched-on"),
]


@pytest.mark.parametrize("drift", DRIFTS)
def test_a_manual_change_is_predicted_and_repaired_or_left_alone(drift: Drift, peer: Peer, backend: int) -> None:
    first = configure(peer, backend)
    assert (first["failed"], first["changed"]) == (False, True), first["msg"]
    drift.change(peer)
    theirs = outside_of_block(peer)
    puts = peer.puts()

    predicted = configure(peer, backend, check=True)
    assert (predicted["failed"], predicted["changed"]) == (False, drift.repaired), predicted["msg"]
    assert peer.puts() == puts
    repaired = configure(peer, backend)
    assert (repaired["failed"], repaired["changed"]) == (False, drift.repaired), repaired["msg"]
    assert peer.puts() == puts + drift.repaired

    where = endpoint(peer, NAME)
    assert handshake(where, "/ws").upgraded
    assert plain(where, "/").status == 200
    assert outside_of_block(peer) == theirs
    again = configure(peer, backend)
    assert (again["failed"], again["changed"]) == (False, False), again["msg"]


@pytest.mark.parametrize("check", [True, False], ids=["check", "run"])
def test_a_host_that_was_disabled_stays_disabled_and_is_named(peer: Peer, backend: int, check: bool) -> None:
    """Only a person knows why; the verification that follows fails."""
    assert configure(peer, backend)["changed"]
    peer.hosts[1]["enabled"] = False
    peer.conf(1).unlink()
    peer.nginx.reload_and_wait()
    puts = peer.puts()
    found = configure(peer, backend, check=check)
    assert (found["failed"], found["changed"], peer.puts()) == (False, False, puts), found["msg"]
    assert "the host is disabled, so that the proxy cannot be asked" in str(found)
    assert not handshake(endpoint(peer, NAME), "/ws").upgraded
