"""A real ACME authority for tests: Debian's pebble, and the DNS server that comes with it, on this machine."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import websocket_peers as peers
from free_ports import free_port

#: A name for which this authority issues no certificate.
REFUSED = "refused.acme.localhost"


@dataclass(frozen=True)
class AcmeServer:
    """A running authority.

    :param ca: File with the authority of its own server (``staging_acme_ca_path``).
    """

    directory: str
    ca: Path
    management: str
    dns_management: str

    def root(self) -> str:
        """The certificate that issues, as PEM; it is another one after each start."""
        context = ssl.create_default_context(cafile=str(self.ca))
        with urllib.request.urlopen(f"{self.management}/roots/0", context=context, timeout=30) as answer:  # noqa: S310 - an address of this server
            return str(answer.read().decode())

    def lead(self, name: str, address: str = "127.0.0.1") -> None:
        """Let a name lead to an address, which is that of this machine for all other names."""
        # Another address is added to those that there are.
        self._tell("clear-a", {"host": name})
        self._tell("add-a", {"host": name, "addresses": [address]})

    def _tell(self, what: str, values: dict[str, object]) -> None:
        request = urllib.request.Request(  # noqa: S310 - an address of this server
            f"{self.dns_management}/{what}", json.dumps(values).encode(), method="POST"
        )
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - an address of this server


def install(*more: str) -> None:
    """Install Debian's packages, which need a package archive.

    :param more: Packages beside the authority.
    """
    packages = ["apt-get", "install", "-qqy", "--no-install-recommends", "pebble", *more]
    for command in (["apt-get", "update", "-qq"], packages):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=300)


@contextlib.contextmanager
def running(folder: Path, *, valid_s: int = 90 * 86400, http_port: int = 80) -> Iterator[AcmeServer]:
    """Run an authority that connects to a port of the names.

    :param valid_s: For how many seconds its certificates are valid.
    :param http_port: The port, in place of 80.
    """
    authority = peers.make_authority(folder)
    certificate, key = authority.issue("localhost")
    ports = [free_port() for _ in range(4)]
    listen, management, dns, dns_management = (f"127.0.0.1:{port}" for port in ports)
    configuration = {
        "listenAddress": listen,
        "managementListenAddress": management,
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": http_port,
        "tlsPort": 443,
        "certificateValidityPeriod": valid_s,
        "domainBlocklist": [REFUSED],
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": configuration}))
    names = ["pebble-challtestsrv", "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "", "-dns01", dns]
    names += ["-management", dns_management, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", ""]
    # It would refuse some of the nonces and wait at random, which says nothing here.
    environment = {"PATH": "/usr/bin:/bin", "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
    with contextlib.ExitStack() as stack, (folder / "pebble.log").open("w") as log:
        for command in (names, ["pebble", "-config", str(folder / "pebble.json"), "-dnsserver", dns]):
            process = subprocess.Popen(
                command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
        server = AcmeServer(
            f"https://localhost:{ports[0]}/dir",
            folder / "ca.pem",
            f"https://localhost:{ports[1]}",
            f"http://{dns_management}",
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                server.root()
                break
            except OSError:
                assert time.monotonic() < deadline, (folder / "pebble.log").read_text()
                time.sleep(0.1)
        yield server
