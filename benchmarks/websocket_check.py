# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What websocket_check costs: time for many endpoints, handshakes per second, further looks, memory per connection.

Usage: ``python benchmarks/websocket_check.py [endpoints|handshakes|looks|memory ...]``

Every figure is measured against its own server processes on loopback; handshakes against a
bare loop over the ``websockets`` asyncio client in the same run, memory through a real nginx.
The exit status is 1 when a figure misses its limit.
"""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.call import Call  # noqa: E402
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.load import (  # noqa: E402
    allow_files,
    observe_load,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.probe import (  # noqa: E402
    WebSocketProbe,
)
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.run import observe  # noqa: E402
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.settings import Settings  # noqa: E402
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import Target, parse_target  # noqa: E402

ENDPOINTS, ENDPOINT_HOLD_S, ENDPOINT_LIMIT_S = 50, 10.0, 12.0
HANDSHAKES, AT_ONCE, ROUNDS, SHARE_LIMIT = 400, 50, 7, 0.8
#: With a hold the further handshakes are made while it lasts, so they may add nothing to it.
LOOK_HOLD_S, LOOK_ROUNDS, MOST_LOOKS, LOOK_SHARE_LIMIT = 3.0, 7, 22, 1.1
HELD, HELD_LIMIT_BYTES = 2000, 16 * 1024

SERVER = """
import asyncio, logging, resource, sys
from websockets.asyncio.server import serve
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
logging.getLogger("websockets").setLevel(logging.CRITICAL)
async def echo(connection):
    async for message in connection:
        await connection.send(message)
async def main():
    async with serve(echo, "127.0.0.1", int(sys.argv[1]), ping_interval=None, compression=None, backlog=2048):
        await asyncio.get_running_loop().create_future()
asyncio.run(main())
"""

NGINX = """
daemon off; pid {directory}/pid; error_log {directory}/error.log; worker_processes 1; worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location / {{
      proxy_pass http://127.0.0.1:{backend}; proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;
    }}
  }}
}}
"""


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


@contextmanager
def backend() -> Iterator[int]:
    port = free_port()
    with running([sys.executable, "-c", SERVER, str(port)], port):
        yield port


@contextmanager
def nginx_before(backend_port: int) -> Iterator[int]:
    executable = shutil.which("nginx") or "/usr/sbin/nginx"
    port = free_port()
    with tempfile.TemporaryDirectory() as directory:
        configuration = Path(directory) / "nginx.conf"
        configuration.write_text(NGINX.format(directory=directory, port=port, backend=backend_port))
        with running([executable, "-p", directory, "-c", str(configuration)], port):
            yield port


def target_for(port: int, name: str = "bench") -> Target:
    return parse_target({"name": name, "url": f"ws://127.0.0.1:{port}/ws"})


def resident_bytes() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def bench_endpoints() -> bool:
    """Many endpoints, each held: the call must take as long as one of them."""
    with backend() as port:
        targets = tuple(target_for(port, f"endpoint {n}") for n in range(ENDPOINTS))
        call = Call(Settings(hold_s=ENDPOINT_HOLD_S), targets, {target.name: None for target in targets})
        began = time.monotonic()
        seen = asyncio.run(observe(call))
        took = time.monotonic() - began
    passed = sum(one.fault is None for one in seen)
    print(
        f"endpoints: {passed} of {ENDPOINTS} held {ENDPOINT_HOLD_S:g} s in {took:.2f} s (limit {ENDPOINT_LIMIT_S:g} s)"
    )
    return passed == ENDPOINTS and took < ENDPOINT_LIMIT_S


async def _rate(one: Any) -> float:
    slots = asyncio.Semaphore(AT_ONCE)

    async def bounded() -> None:
        async with slots:
            await one()

    began = time.perf_counter()
    await asyncio.gather(*(bounded() for _ in range(HANDSHAKES)))
    return HANDSHAKES / (time.perf_counter() - began)


def bench_handshakes() -> bool:
    """Open and close, against the library's own client at the same concurrency; median of interleaved rounds."""
    from websockets.asyncio.client import connect

    with backend() as port:
        target, settings = target_for(port), Settings()

        async def bare() -> None:
            async with connect(f"ws://127.0.0.1:{port}/ws", compression=None, ping_interval=None, proxy=None):
                pass

        async def checked() -> None:
            seen = await WebSocketProbe(target, None, settings).run()
            assert seen.fault is None, seen.fault

        async def measure() -> tuple[list[float], list[float]]:
            bare_rates, checked_rates = [], []
            await _rate(bare)
            await _rate(checked)
            for _ in range(ROUNDS):
                bare_rates.append(await _rate(bare))
                checked_rates.append(await _rate(checked))
            return sorted(bare_rates), sorted(checked_rates)

        bare_rates, checked_rates = asyncio.run(measure())
    theirs, mine = bare_rates[ROUNDS // 2], checked_rates[ROUNDS // 2]
    share = mine / theirs
    print(
        f"handshakes: {mine:.0f}/s against {theirs:.0f}/s of the bare client at {AT_ONCE} at once: "
        f"{share:.2f} (limit {SHARE_LIMIT})"
    )
    return share >= SHARE_LIMIT


def bench_looks() -> bool:
    """The handshakes in the forms of browsers, which are added to the one that is checked, through nginx."""
    with backend() as backend_port, nginx_before(backend_port) as port:
        target = parse_target({"name": "proxy", "url": f"ws://127.0.0.1:{port}/ws", "vantage": "proxy"})

        def took(hold_s: float, further: bool) -> tuple[float, int]:
            call = Call(Settings(hold_s=hold_s, further_handshakes=further), (target,), {target.name: None})
            began = time.perf_counter()
            (seen,) = asyncio.run(observe(call))
            assert seen.fault is None, seen.fault
            return time.perf_counter() - began, len(seen.further)

        took(0, True)
        rounds = [(took(0, False)[0], *took(0, True)) for _ in range(LOOK_ROUNDS)]
        alone, together = (sorted(each[number] for each in rounds)[LOOK_ROUNDS // 2] for number in (0, 1))
        made = max(each[2] for each in rounds)
        held, held_together = took(LOOK_HOLD_S, False)[0], took(LOOK_HOLD_S, True)[0]
    share = held_together / held
    print(
        f"looks: {made} further handshakes (limit {MOST_LOOKS}) take {together - alone:.3f} s beside {alone:.3f} s of "
        f"the one that is checked; with a hold of {LOOK_HOLD_S:g} s the check takes {share:.2f} times as long as "
        f"without them (limit {LOOK_SHARE_LIMIT})"
    )
    return made <= MOST_LOOKS and share <= LOOK_SHARE_LIMIT


def bench_memory() -> bool:
    """Connections held through nginx: growth of this process's resident memory, per connection."""
    allow_files(HELD)
    with backend() as backend_port, nginx_before(backend_port) as port:
        target = target_for(port)

        async def measure() -> tuple[int, Any]:
            # What is imported and allocated once is not a connection's.
            await observe_load(target, None, Settings(connections=20, hold_s=0.1))
            gc.collect()
            before, peak = resident_bytes(), 0
            load = asyncio.ensure_future(observe_load(target, None, Settings(connections=HELD, hold_s=4.0)))
            while not load.done():
                await asyncio.sleep(0.25)
                peak = max(peak, resident_bytes())
            return peak - before, await load

        grown, seen = asyncio.run(measure())
    each = grown / HELD
    load = seen.load
    print(
        f"memory: {load.held} of {load.asked} connections held through nginx, opened in {load.opened_s:.1f} s, "
        f"{each / 1024:.1f} KiB each (limit {HELD_LIMIT_BYTES / 1024:.0f} KiB)"
    )
    return bool(load.held == HELD and each < HELD_LIMIT_BYTES)


def main() -> int:
    benches = {
        "endpoints": bench_endpoints,
        "handshakes": bench_handshakes,
        "looks": bench_looks,
        "memory": bench_memory,
    }
    wanted = sys.argv[1:] or list(benches)
    # Every figure is wanted, also after one that missed its limit.
    outcomes = [benches[name]() for name in wanted]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
