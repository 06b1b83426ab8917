"""The files of the harness, all below ``.cache/`` in the checkout."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stagehost.progress import note


@dataclass(frozen=True)
class Workspace:
    """The paths of one checkout; nothing is written outside :attr:`cache`."""

    checkout: Path

    @property
    def cache(self) -> Path:
        return self.checkout / ".cache"

    @property
    def containers_conf(self) -> Path:
        return self.cache / "containers.conf"

    @property
    def private_key(self) -> Path:
        return self.cache / "ssh" / "id_ed25519"

    @property
    def public_key(self) -> Path:
        return self.cache / "ssh" / "id_ed25519.pub"

    @property
    def known_hosts(self) -> Path:
        return self.cache / "ssh" / "known_hosts"

    @property
    def logs(self) -> Path:
        return self.cache / "logs"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the checkout's lock, so that two runs do not build the same image or key concurrently."""
        self.cache.mkdir(exist_ok=True)
        with (self.cache / "stagehost.lock").open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                note("waiting for another run of stagehost in this checkout")
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def ensure_key(self) -> None:
        """Generate the controller's SSH key pair, once per checkout."""
        if self.private_key.exists():
            return
        self.private_key.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "stagehost", "-f", str(self.private_key)],
            check=True,
        )

    def record_host_key(self, address: str, port: int, key: str) -> None:
        """Set the known host key of ``[address]:port`` to ``key`` (``type base64``)."""
        name = f"[{address}]:{port}"
        known = self.known_hosts.read_text().splitlines() if self.known_hosts.exists() else []
        kept = [line for line in known if line.split(" ", 1)[0] != name]
        self.known_hosts.write_text("\n".join([*kept, f"{name} {key}"]) + "\n")
