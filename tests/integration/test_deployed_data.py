"""An application that keeps a database and uploads in its directory, deployed four times by the playbooks."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from deployed_application import DeployedApplication, machine_of
from playbook_runs import PlaybookRun
from small_application import variables, write_source

USER, HOST = "keeper", "keeper.test"
#: Writes uploads once and a row every few milliseconds; what is committed is told in a file of its own.
WRITER = """
import os, sqlite3, threading, time
for number in range(1000):
    path = f"uploads/{number // 100}/{number}.bin"
    if not os.path.exists(path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(os.urandom(64) + bytes([number % 256]))


def write():
    database = sqlite3.connect("app.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE IF NOT EXISTS notes (text)")
    with open(os.path.expanduser("~/committed"), "a", buffering=1) as committed:
        while True:
            text = f"{os.getpid()}-{time.monotonic_ns()}"
            database.execute("INSERT INTO notes VALUES (?)", (text,))
            committed.write(text + "\\n")
            time.sleep(0.01)


threading.Thread(target=write, daemon=True).start()
"""


class Application(DeployedApplication):
    """The application, with what it has committed."""

    def __init__(self, folder: Path) -> None:
        own = {**variables(), "staging_public_ws_url": "", "staging_keep_releases": 1}
        super().__init__("notes", folder, USER, HOST, own)
        self.variables["staging_public_ws_url"] = f"ws://{HOST}:{self.port}/ws"
        self.source = folder / "source"
        self.project = Path(self.variables["staging_project_dir"])
        write_source(self.source, WRITER)

    def change(self, name: str, text: str) -> None:
        with (self.source / name).open("a") as file:
            file.write(text)

    def deploy(self) -> PlaybookRun:
        done = self.play("deploy_staging")
        assert done.exit_code == 0, done.output
        return done

    def uploads(self) -> dict[str, str]:
        place = self.project / "backend/uploads"
        return {
            str(path.relative_to(place)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in place.rglob("*")
            if path.is_file()
        }

    def committed(self) -> list[str]:
        # A line that a restart has cut off was committed, but is not complete.
        text = Path(f"/home/{USER}/committed").read_text()
        return [line for line in text[: text.rfind("\n") + 1].split() if re.fullmatch(r"\d+-\d{6,}", line)]

    def lost(self) -> list[str]:
        """The rows that were committed and are not in the database that the application has now."""
        time.sleep(0.1)
        committed = self.committed()
        with sqlite3.connect(self.project / "backend/app.db") as database:
            rows = {text for (text,) in database.execute("SELECT text FROM notes")}
        return [text for text in committed if text not in rows]


@pytest.fixture
def application(tmp_path: Path) -> Iterator[Application]:
    with machine_of(USER, HOST):
        application = Application(tmp_path)
        yield application
        application.remove()


@pytest.mark.slow
def test_data_outlive_four_deployments_and_a_rollback(application: Application) -> None:
    application.deploy()
    uploads = application.uploads()
    assert len(uploads) == 1000
    first = os.readlink(application.project)

    application.change("web/build.js", "// second\n")
    refused = application.play("deploy_staging")
    assert refused.exit_code != 0
    lines = re.search(r"`staging_shared_paths: \[(.*?)\]` in the inventory", refused.words)
    assert lines is not None, refused.output
    assert lines[1] == "backend/app.db, backend/uploads", lines[1]
    assert os.readlink(application.project) == first
    assert (application.lost(), application.uploads()) == ([], uploads)

    application.variables["staging_shared_paths"] = lines[1].split(", ")
    shared = f"{application.project}.releases/shared"
    steps = {
        "the page": lambda: application.change("web/build.js", "// third\n"),
        "the backend": lambda: application.change("backend/server.py", "# third\n"),
        "the environment": lambda: application.variables.update(staging_env={"LIMIT": "3"}),
        "both": lambda: [application.change(name, "\n") for name in ("web/build.js", "backend/server.py")],
    }
    for step, change in steps.items():
        change()
        done = application.deploy()
        assert f"Data: what outlives releases is in {shared}/backend/app.db, {shared}/backend/uploads" in done.words
        assert (application.lost(), application.uploads()) == ([], uploads), step
    assert len(application.committed()) > 500
    rolled_back = application.play("rollback_staging")
    assert rolled_back.exit_code == 0, rolled_back.output
    assert (application.lost(), application.uploads()) == ([], uploads)
    assert application.changes() > 0
    assert application.changes() == 0
    assert (application.lost(), application.uploads()) == ([], uploads)
