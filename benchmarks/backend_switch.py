# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
r"""Handshakes through the proxy while the backend is replaced, with `restart` and `blue_green`.

Runs the playbook against a host that the application is already deployed to. Each deployment changes one value of the
environment file, so that only the backend is replaced. Usage:

    python benchmarks/backend_switch.py --inventory INVENTORY \
        --address 127.0.0.1:8080 --host api.codeframe.localhost:8080

Prints the number of handshakes, how many failed, and the longest time between two successful ones.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "collections"))

from ansible_collections.codeframe.staging.plugins.module_utils._websocket.handshake import open_once  # noqa: E402
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.target import (  # noqa: E402
    Target,
    parse_target,
)


@dataclass
class Client:
    """A client that opens WebSockets one after the other until it is stopped."""

    target: Target
    pause_s: float = 0.02
    passed: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stop.is_set():
            seen = open_once(self.target, 5)
            if seen.opened:
                self.passed.append(time.monotonic())
            else:
                self.failures[seen.detail] += 1
            time.sleep(self.pause_s)

    @property
    def longest_downtime_s(self) -> float:
        return max((b - a for a, b in zip(self.passed, self.passed[1:], strict=False)), default=0.0)


def deploy(arguments: argparse.Namespace, mode: str, value: str) -> None:
    """Deploy with another value in the environment file.

    :raises SystemExit: If the deployment fails.
    """
    variables = {"staging_backend_switch": mode, "staging_env": {"BENCHMARK": value}}
    command = ["ansible-playbook", "-i", arguments.inventory, "-e", json.dumps(variables)]
    done = subprocess.run(
        [*command, str(CHECKOUT / "playbooks/deploy_staging.yml")],
        cwd=CHECKOUT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        sys.exit(f"the deployment with {mode} failed:\n{done.stdout[-4000:]}{done.stderr[-1000:]}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--inventory", required=True)
    parser.add_argument("--address", required=True, help="address and port of the proxy")
    parser.add_argument("--host", required=True, help="host name (and port) of the API")
    parser.add_argument("--path", default="/ws")
    parser.add_argument("--modes", nargs="+", default=["restart", "blue_green", "blue_green", "restart"])
    arguments = parser.parse_args()
    endpoint = {"name": "public", "url": f"ws://{arguments.host}{arguments.path}", "connect_to": arguments.address}
    target = parse_target(endpoint)
    print("mode       handshakes  failed  downtime  deployment")
    for number, mode in enumerate(arguments.modes):
        client = Client(target)
        thread = threading.Thread(target=client.run)
        began = time.monotonic()
        thread.start()
        try:
            deploy(arguments, mode, f"{number}-{time.time():.0f}")
        finally:
            client.stop.set()
            thread.join()
        failed = sum(client.failures.values())
        total = len(client.passed) + failed
        took_s = time.monotonic() - began
        print(f"{mode:10} {total:10}  {failed:6}  {client.longest_downtime_s:6.2f} s  {took_s:8.0f} s")
        for why, count in client.failures.most_common(3):
            print(f"           {count} x {why}")


if __name__ == "__main__":
    main()
