"""The nginx of the test server: a real one, or none for tests of the API alone."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from proxy_manager_peer.behaviour import Behaviour
from proxy_manager_peer.rendering import ASSETS_CONF, EXPLOITS_CONF, main_conf, proxy_conf


class RealNginx:
    """A separate nginx with all its files in one directory."""

    def __init__(self, root: Path, port: int, tls_port: int | None = None, address: str = "127.0.0.1") -> None:
        self.root = root
        self.address = address
        self.port = port
        self.tls_port = tls_port
        self.executable = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
        include = root / "conf.d" / "include"
        include.mkdir(parents=True)
        (root / "tmp").mkdir()
        (include / "assets.conf").write_text(ASSETS_CONF)
        (include / "block-exploits.conf").write_text(EXPLOITS_CONF)
        (root / "nginx.conf").write_text(main_conf(root, address, port, tls_port))
        if tls_port is not None:
            make_certificate(root)
        self._process: subprocess.Popen[bytes] | None = None

    def behave(self, behaviour: Behaviour) -> None:
        """Write the files that depend on the version."""
        (self.root / "conf.d" / "include" / "proxy.conf").write_text(proxy_conf(behaviour))

    def _command(self, *more: str) -> list[str]:
        assert self.executable, "nginx is not installed"
        return [self.executable, "-e", f"{self.root}/error.log", "-c", f"{self.root}/nginx.conf", *more]

    def start(self) -> None:
        self._process = subprocess.Popen(self._command())
        self._wait(lambda: bool(self.workers()))

    def _wait(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not reached():
            assert time.monotonic() < deadline, (self.root / "error.log").read_text()
            time.sleep(0.005)

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)

    def write(self, path: Path, text: str) -> None:
        """Write a file as the real program does: others can read the half that is written."""
        # /data of the real program's container is below this directory.
        content = text.replace(" /data/", f" {self.root}/data/")
        with path.open("w") as file:
            file.write(content[: len(content) // 2])
            file.flush()
            time.sleep(0.01)
            file.write(content[len(content) // 2 :])

    def test(self) -> str:
        """The error of nginx on the configuration; empty if it is valid."""
        run = subprocess.run(self._command("-t"), capture_output=True, text=True, check=False)
        return "" if run.returncode == 0 else run.stderr.replace(f"{self.root}/data/", "/data/")

    def reload(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def workers(self) -> set[str]:
        """Process ids of the workers that accept requests."""
        assert self._process is not None
        listed = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return {pid for pid in listed.split() if _title(pid) == "nginx: worker process"}

    def reload_and_wait(self) -> None:
        """Reload, and return when only new workers accept requests."""
        before = self.workers()
        self.reload()
        self._wait(lambda: bool(self.workers()) and not self.workers() & before)


def _title(pid: str) -> str:
    """The title of a process; that of a worker that shuts down differs."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
    except OSError:
        return ""


class NoNginx:
    """No nginx: a configuration that contains the word ``nonsense`` is refused."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.address = "127.0.0.1"
        self.port = 0
        self.tls_port: int | None = None

    def behave(self, _behaviour: Behaviour) -> None:
        return

    def start(self) -> None:
        return

    def stop(self) -> None:
        return

    def write(self, path: Path, text: str) -> None:
        path.write_text(text)

    def test(self) -> str:
        for path in sorted((self.root / "data" / "nginx" / "proxy_host").glob("*.conf")):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if "nonsense" in line:
                    return f'nginx: [emerg] unknown directive "nonsense" in /data/nginx/proxy_host/{path.name}:{number}'
        return ""

    def reload(self) -> None:
        return

    def reload_and_wait(self) -> None:
        return


def make_certificate(root: Path) -> None:
    """Create a self-signed certificate for localhost."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(root / "key.pem"), "-out", str(root / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
