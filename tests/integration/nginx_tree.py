"""A real nginx with a configuration of its own: an unmanaged site that must stay reachable, and a managed one."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import module_runner
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import workers as nginx_workers
from ansible_collections.codeframe.staging.plugins.modules import (
    nginx_effective_info,
    nginx_site,
    nginx_site_info,
)

#: TEST_NGINX names the program of another nginx than the system's.
NGINX = os.environ.get("TEST_NGINX") or shutil.which(
    "nginx", path="/usr/sbin:/usr/local/sbin:" + os.environ.get("PATH", "")
)
NGINX_VERSION = ""
if NGINX:
    NGINX_VERSION = subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr.rpartition("/")[2].strip()
#: Requests to the unmanaged site that were served and that failed during changes, for the summary.
LOOPS: list[tuple[int, int]] = []
MAIN = """include {root}/modules-enabled/*.conf; pid {root}/run/nginx.pid;
error_log {root}/logs/error.log;
worker_processes 2;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {root}/run;
    proxy_temp_path {root}/run;
    fastcgi_temp_path {root}/run;
    uwsgi_temp_path {root}/run;
    scgi_temp_path {root}/run;
    {includes}
}}
"""
SITES = "include conf.d/*.conf; include {root}/sites-enabled/*;"
OTHERS = 'server {{ listen 127.0.0.1:{port}; server_name others.example.com; return 200 "{text}"; }}\n'


def wait_for(condition: Any, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not become true in time"
        time.sleep(0.01)


@dataclass
class Loop:
    """Requests without a pause to the unmanaged site."""

    port: int
    served: int = 0
    failed: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def running(self) -> Iterator[Loop]:
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                try:
                    status, text = get(self.port, "others.example.com")
                    if (status, text) == (200, "others"):
                        self.served += 1
                    else:
                        self.failed.append(f"{status} {text}")
                except OSError as exc:
                    self.failed.append(repr(exc))
                time.sleep(0.002)

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield self
        finally:
            over.set()
            thread.join()
            LOOPS.append((self.served, len(self.failed)))


def get(port: int, host: str, path: str = "/") -> tuple[int, str]:
    """Status and body of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": host, "Connection": "close"})
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@dataclass
class Tree:
    """The configuration below ``root``, loaded by a real nginx."""

    root: Path
    port: int
    name: str = "app-staging"

    @property
    def main(self) -> Path:
        return self.root / "nginx.conf"

    @property
    def file(self) -> Path:
        return self.root / "sites-available" / self.name

    @property
    def link(self) -> Path:
        return self.root / "sites-enabled" / self.name

    def content(self, text: str = "ours", extra: str = "", port: int | None = None) -> str:
        """A valid managed site."""
        listen = f"listen 127.0.0.1:{port or self.port};"
        return f'server {{ {listen} server_name api.example.com; {extra} location / {{ return 200 "{text}"; }} }}'

    def write_main(self, includes: str = SITES) -> None:
        self.main.write_text(MAIN.format(root=self.root, includes=includes.format(root=self.root)))

    def make(self) -> None:
        for name in ("conf.d", "modules-enabled", "sites-enabled", "sites-available", "logs", "run"):
            (self.root / name).mkdir(parents=True)
        self.write_main()
        self.others("others", OTHERS.format(port=self.port, text="others"))

    def others(self, name: str, text: str) -> Path:
        """An unmanaged site."""
        path = self.root / "sites-enabled" / name
        path.write_text(text)
        return path

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [NGINX or "nginx", "-p", str(self.root), "-c", str(self.main), *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    def start(self) -> None:
        done = self.command()
        assert done.returncode == 0, done.stderr
        wait_for(lambda: len(self.workers()) == 2)

    def pid(self) -> int | None:
        try:
            return int((self.root / "run/nginx.pid").read_text())
        except (OSError, ValueError):
            return None

    def stop(self) -> None:
        pid = self.pid()
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
            wait_for(lambda: self.pid() is None)

    def accepted(self) -> bool:
        return self.command("-t").returncode == 0

    def site(self, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        options = {"name": self.name, **self.program(), **options}
        if options.get("state") != "absent":
            options.setdefault("content", self.content())
        return module_runner.run(nginx_site, options, check=check, diff=diff)

    def site_info(self) -> dict[str, Any]:
        return module_runner.run(nginx_site_info, {"name": self.name, **self.program()})

    def info(self, **options: Any) -> dict[str, Any]:
        wanted = {"host_name": "api.example.com", "port": self.port, **self.program()}
        return module_runner.run(nginx_effective_info, {**wanted, **options})

    def program(self) -> dict[str, str]:
        return {"executable": NGINX or "nginx", "config": str(self.main), "prefix": str(self.root)}

    def snapshot(self) -> dict[str, str]:
        """Everything below the root except logs and run-time files, byte for byte."""
        found = {}
        for path in sorted(self.root.rglob("*")):
            relative = str(path.relative_to(self.root))
            if relative.startswith(("logs/", "run/")) or (path.is_dir() and not path.is_symlink()):
                continue
            found[relative] = f"-> {os.readlink(path)}" if path.is_symlink() else path.read_bytes().decode("latin-1")
        return found

    def workers(self) -> list[int]:
        """Process ids of the workers that accept connections."""
        running = nginx_workers.running(str(self.root / "run/nginx.pid"))
        return [] if running is None else [worker.pid for worker in running.active]

    def ours(self) -> tuple[int, str]:
        return get(self.port, "api.example.com")
