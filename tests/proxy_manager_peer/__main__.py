"""Run the test server as a program, for Nginx Proxy Manager on a separate machine."""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from proxy_manager_peer.behaviour import VERSIONS
from proxy_manager_peer.nginx import RealNginx
from proxy_manager_peer.server import Account, Peer


def main() -> None:
    parser = argparse.ArgumentParser(prog="proxy_manager_peer")
    parser.add_argument("--version", choices=VERSIONS, default=VERSIONS[-1])
    parser.add_argument("--root", type=Path, required=True, help="directory for its files, which must not exist")
    parser.add_argument("--address", default="127.0.0.1", help="address that API and proxy listen on")
    parser.add_argument("--api-port", type=int, required=True)
    parser.add_argument("--proxy-port", type=int, required=True)
    parser.add_argument("--identity", default="admin@example.com")
    parser.add_argument("--secret-file", type=Path, required=True)
    arguments = parser.parse_args()
    arguments.root.mkdir(parents=True)
    nginx = RealNginx(arguments.root, arguments.proxy_port, address=arguments.address)
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    peer = Peer(
        arguments.version,
        arguments.root,
        nginx,
        api_port=arguments.api_port,
        request_log=arguments.root / "requests.log",
        save_delay_s=0.1,
        accounts=[Account(arguments.identity, arguments.secret_file.read_text().strip())],
    )
    with peer:
        ended.wait()


if __name__ == "__main__":
    main()
