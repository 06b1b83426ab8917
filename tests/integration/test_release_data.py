"""A running application that keeps a database and uploads in its directory, over several deployments."""

from __future__ import annotations

import hashlib
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from release_site import Site

#: Each row is printed when it is committed, so that the test knows which ones must never be lost.
APPLICATION = """
import os, sqlite3, sys, time
os.makedirs("uploads", exist_ok=True)
for number in range(int(sys.argv[1])):
    path = f"uploads/{number // 100}/{number}.bin"
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(os.urandom(64) + bytes([number % 256]))
database = sqlite3.connect("app.db", isolation_level=None)
database.execute("PRAGMA journal_mode=WAL")
database.execute("CREATE TABLE IF NOT EXISTS notes (text)")
while True:
    text = f"{os.getpid()}-{time.monotonic_ns()}"
    database.execute("INSERT INTO notes VALUES (?)", (text,))
    print(text, flush=True)
    time.sleep(0.005)
"""
UPLOADS = 1000


class Application:
    """The application, started from the project's link as pm2 does."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.committed: list[str] = []
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "backend/main.py", str(UPLOADS)], cwd=self.site.project, stdout=subprocess.PIPE, text=True
        )
        self.write(1)

    def write(self, rows: int) -> None:
        """Wait until the application has committed so many more rows."""
        assert self.process.stdout is not None
        for _number in range(rows):
            line = self.process.stdout.readline()
            assert line, "the application ended"
            self.committed.append(line.strip())

    def stop(self) -> None:
        self.process.kill()
        assert self.process.stdout is not None
        # A line that the kill has cut off was committed, but is not complete.
        rest = self.process.stdout.read()
        self.committed += rest[: rest.rfind("\n") + 1].split()
        self.process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()


def digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def site(tmp_path: Path, run_module: Any) -> Site:
    return Site(tmp_path, run_module)


@pytest.fixture
def application(site: Site) -> Iterator[Application]:
    site.deploy(source(0, 0))
    running = Application(site)
    yield running
    running.process.kill()
    running.process.wait()


def source(page: int, backend: int) -> dict[str, str]:
    return {"backend/main.py": f"{APPLICATION}# {backend}\n", "web-ui/page.js": f"{page}\n", ".gitignore": "*.db\n"}


def test_a_database_and_uploads_survive_deployments_and_rollbacks(site: Site, application: Application) -> None:
    application.write(20)
    uploads = digests(site.project / "uploads")
    assert len(uploads) == UPLOADS
    refused = site.from_archive(source(1, 0))
    lines = re.search(r"`staging_shared_paths: \[(.*)\]` in the inventory", refused["msg"])
    assert lines is not None, refused
    assert lines[1] == "data, app.db, uploads"
    assert "app.db (open in python" in refused["msg"]
    shared = {"shared_paths": lines[1].split(", ")}

    def check(step: str) -> None:
        application.write(5)
        with sqlite3.connect(site.project / "app.db") as database:
            rows = {text for (text,) in database.execute("SELECT text FROM notes")}
        lost = [text for text in application.committed if text not in rows]
        assert lost == [], f"{step}: {len(lost)} of {len(application.committed)} rows are lost"
        assert digests(site.project / "uploads") == uploads, step

    def activate(step: str, *, restarts: bool) -> None:
        application.write(5)
        site.ok("activated")
        # A change of the page alone does not restart the backend: it goes on writing from the previous release.
        application.restart() if restarts else application.write(5)
        result = site.ok("committed", keep_releases=1)
        assert (result["kept_for_data"], result["warnings"]) == ({}, []), step
        check(step)

    assert not site.from_archive(source(1, 0), **shared)["failed"]
    activate("page changed", restarts=False)
    assert not site.from_archive(source(1, 1), **shared)["failed"]
    activate("backend changed", restarts=True)
    site.ok("candidate")
    activate("env changed", restarts=True)
    assert not site.from_archive(source(2, 2), **shared)["failed"]
    activate("both changed", restarts=True)
    site.ok("rolled_back", rollback_to="previous")
    application.restart()
    check("rolled back")
    assert not site.from_archive(source(3, 3), **shared)["failed"]
    activate("deployed again", restarts=True)
    assert len(list(site.releases.glob("0*"))) <= 3
    assert not list(site.releases.glob("0*/app.db-*"))
