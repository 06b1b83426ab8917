"""Hosts as they are: a closed umask, a user and a parent directory that are still to be created, files of root's."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from deployed_application import DeployedApplication, machine_of
from playbook_runs import PlaybookRun
from small_application import variables, write_source

USER, HOST = "newcomer", "newcomer.test"
PM2 = Path("/usr/local/lib/node_modules/pm2")


class Application(DeployedApplication):
    def __init__(self, folder: Path, **own: Any) -> None:
        super().__init__("fresh", folder, USER, HOST, {**variables(), **own})
        self.variables["staging_public_ws_url"] = f"ws://{HOST}:{self.port}/ws"
        self.project = Path(self.variables["staging_project_dir"])
        write_source(folder / "source")

    def refused(self) -> PlaybookRun:
        """A run that changes nothing."""
        done = self.play("deploy_staging")
        assert done.exit_code != 0, done.output
        assert re.search(r"changed=0\b", done.output), done.output
        return done

    def assert_deployed(self) -> None:
        assert self.changes() > 0
        assert "new WebSocket" in self.text("/assets/app.js")
        assert self.changes() == 0


@pytest.fixture
def machine() -> Iterator[None]:
    """A machine without the user."""
    with machine_of(USER, HOST):
        yield
        for place in (*Path("/srv").glob("newcomers*"), *Path("/etc/nginx").glob("sites-*/fresh*")):
            shutil.rmtree(place) if place.is_dir() else place.unlink()


@pytest.fixture
def closed_by_default() -> Iterator[None]:
    """``UMASK 077`` in login.defs, and the same for the processes of root."""
    settings = Path("/etc/login.defs")
    before, umask = settings.read_text(), os.umask(0o077)
    settings.write_text(re.sub(r"(?m)^(UMASK|HOME_MODE)\b.*\n", "", before) + "UMASK 077\n")
    shutil.rmtree(PM2)
    yield
    settings.write_text(before)
    os.umask(umask)


@pytest.mark.slow
@pytest.mark.usefixtures("machine", "closed_by_default")
def test_a_host_with_a_closed_umask(tmp_path: Path) -> None:
    Application(tmp_path).assert_deployed()


@pytest.mark.slow
@pytest.mark.usefixtures("machine")
def test_a_user_and_a_parent_directory_that_do_not_exist_yet(tmp_path: Path) -> None:
    application = Application(tmp_path, staging_project_dir="/srv/newcomers/team/app")
    done = application.refused()
    assert "staging_create_parent" in done.words, done.output
    assert not Path("/srv/newcomers").exists()
    with pytest.raises(KeyError):
        pwd.getpwnam(USER)
    application.variables["staging_create_parent"] = True
    application.assert_deployed()
    assert Path("/srv/newcomers/team").owner() == USER


#: What work as root leaves in a directory that was deployed manually.
LEFTOVERS = {
    "env file": (".env.staging", "NEXT_PUBLIC_WS_URL=ws://old.test/ws\n"),
    "cache of the build": ("web/dist/cache/page", "x"),
    "packages": ("web/node_modules/left/index.js", "module.exports = 1\n"),
    "source": ("backend/left.py", "LEFT = 1\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("leftover", LEFTOVERS)
@pytest.mark.usefixtures("machine")
def test_files_of_root_in_a_directory_that_is_taken_over(leftover: str, tmp_path: Path) -> None:
    application = Application(tmp_path, staging_take_over=True)
    subprocess.run(["useradd", "--create-home", USER], check=True)
    shutil.copytree(application.folder / "source", application.project)
    subprocess.run(["chown", "-R", f"{USER}:", str(application.project)], check=True)
    name, text = LEFTOVERS[leftover]
    place = application.project / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    place.chmod(0o600)
    done = application.refused()
    advice = re.search(rf"run (chown -Rh {USER} \S+?)\.? ", done.words)
    assert advice is not None, done.output
    assert not application.project.is_symlink()
    subprocess.run(advice[1].split(), check=True)
    application.assert_deployed()
