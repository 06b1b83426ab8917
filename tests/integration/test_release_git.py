# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A private repository that is read by SSH, from a real OpenSSH server."""

from __future__ import annotations

import getpass
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from release_site import SOURCE, Site, git


@dataclass(frozen=True)
class SshServer:
    """A server that accepts one key.

    :param known_host: Its line of known_hosts.
    """

    url: str
    key: Path
    known_host: str


def create_key(path: Path) -> str:
    """Create a key without a passphrase; returns its public half."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_name(path.name + ".pub").read_text()


@pytest.fixture
def site(tmp_path: Path, run_module: Any, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    return Site(tmp_path, run_module)


@pytest.fixture
def server(site: Site, tmp_path: Path) -> Iterator[SshServer]:
    site.commit(SOURCE)
    public = create_key(tmp_path / "deploy-key")
    host_key = create_key(tmp_path / "host-key")
    (tmp_path / "authorized").write_text(public)
    port = free_port()
    settings = {
        "Port": port,
        "ListenAddress": "127.0.0.1",
        "HostKey": tmp_path / "host-key",
        "AuthorizedKeysFile": tmp_path / "authorized",
        "PidFile": "none",
        "StrictModes": "no",
        "UsePAM": "no",
        "PermitRootLogin": "yes",
        "PasswordAuthentication": "no",
        "KbdInteractiveAuthentication": "no",
    }
    config = tmp_path / "sshd_config"
    config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
    Path("/run/sshd").mkdir(exist_ok=True)
    running = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", config], stderr=(tmp_path / "sshd.log").open("w"))
    deadline = time.monotonic() + 20
    while "Server listening" not in (tmp_path / "sshd.log").read_text():
        assert time.monotonic() < deadline, (tmp_path / "sshd.log").read_text()
        time.sleep(0.05)
    try:
        yield SshServer(
            f"ssh://{getpass.getuser()}@127.0.0.1:{port}{site.repository}",
            tmp_path / "deploy-key",
            f"[127.0.0.1]:{port} {host_key.strip()}",
        )
    finally:
        running.terminate()
        running.wait()


def left_of(text: str, *places: Path) -> list[str]:
    found = subprocess.run(["grep", "-rlF", text, *places], capture_output=True, text=True, check=False)
    return found.stdout.splitlines()


def test_a_deploy_key_reads_the_repository_and_is_left_nowhere(site, server, tmp_path):
    key = server.key.read_text()
    secret = key.splitlines()[2]
    server.key.unlink()
    # As it comes out of a form: other line ends, and none at the end.
    pasted = key.strip().replace("\n", "\r\n")
    result = site.from_git(git_url=server.url, git_key=pasted, git_known_hosts=[server.known_host])
    assert not result["failed"], result["msg"]
    assert (Path(result["path"]) / "backend/main.py").read_text() == "print('one')\n"
    assert secret not in json.dumps({name: value for name, value in result.items() if name != "invocation"})
    assert left_of(secret, tmp_path, Path("/tmp")) == []
    assert list(Path("/tmp").glob("staging-git-*")) == []
    agents = subprocess.run(["pgrep", "-fa", "ssh-agent -D"], capture_output=True, text=True, check=False)
    assert agents.stdout == ""
    site.ok("activated")
    assert not site.from_git(git_url=server.url, git_key=pasted, git_known_hosts=[server.known_host])["changed"]


def test_a_key_file_on_the_host_reads_the_repository(site, server):
    result = site.from_git(git_url=server.url, git_key_file=str(server.key), git_known_hosts=[server.known_host])
    assert not result["failed"], result["msg"]


@pytest.mark.parametrize(
    ("case", "reason", "remedy"),
    [
        pytest.param("nothing", "Host key verification failed.", "to staging_git_known_hosts", id="unknown-server"),
        pytest.param("no-key", "Permission denied (publickey).", "set staging_git_key", id="no-key"),
        pytest.param("other-key", "Permission denied (publickey).", "set staging_git_key", id="other-key"),
        pytest.param("other-server", "Host key verification failed.", "has another key", id="changed-server"),
        pytest.param("no-repository", "does not appear to be a git repository", "correct the URL", id="wrong-path"),
    ],
)
def test_the_reason_of_ssh_is_in_the_message_with_its_remedy(case, reason, remedy, site, server, tmp_path):
    create_key(tmp_path / "other")
    known = [server.known_host]
    if case == "nothing":
        known = []
    elif case == "other-server":
        known = [f"{server.known_host.split()[0]} {(tmp_path / 'other.pub').read_text()}"]
    args: dict[str, Any] = {"git_url": server.url, "git_known_hosts": known}
    if case == "no-repository":
        args["git_url"] += "-not"
    if case not in ("nothing", "no-key"):
        args["git_key"] = (tmp_path / "other" if case == "other-key" else server.key).read_text()
    result = site.from_git(**args)
    assert result["failed"]
    assert result["msg"].startswith(f"the git repository {args['git_url']} cannot be read: ")
    assert reason in result["msg"]
    assert remedy in result["msg"]
    assert not site.releases.exists()


def test_submodules_are_fetched_with_the_same_key(site, server, tmp_path):
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q", "-b", "main")
    (library / "lib.py").write_text("lib\n")
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "lib")
    git(site.repository, "update-index", "--add", "--cacheinfo", f"160000,{git(library, 'rev-parse', 'HEAD')},lib")
    (site.repository / ".gitmodules").write_text('[submodule "lib"]\n\tpath = lib\n\turl = ../library\n')
    git(site.repository, "add", ".gitmodules")
    git(site.repository, "commit", "-q", "-m", "a submodule")
    args = {"git_key": server.key.read_text(), "git_known_hosts": [server.known_host]}
    result = site.from_git(git_url=server.url, **args)
    assert not result["failed"], result["msg"]
    assert (Path(result["path"]) / "lib/lib.py").read_text() == "lib\n"


@pytest.mark.slow
def test_files_in_git_lfs_are_fetched_and_kept_for_the_next_release(site, server, tmp_path):
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-y", "-qq", "git-lfs"], check=True, capture_output=True)
    git(site.repository, "lfs", "install", "--local")
    git(site.repository, "lfs", "track", "*.bin")
    site.commit({"models/one.bin": "one\n"})
    # A server of files is a bare repository, with the objects of LFS in it.
    served = tmp_path / "served.git"
    git(tmp_path, "clone", "-q", "--bare", str(site.repository), str(served))
    git(site.repository, "remote", "add", "served", f"file://{served}")
    git(site.repository, "lfs", "push", "--all", "served")
    args: dict[str, Any] = {"git_key": server.key.read_text(), "git_known_hosts": [server.known_host]}
    url = f"file://{served}"
    result = site.from_git(git_url=url, **args)
    assert not result["failed"], result["msg"]
    release = Path(result["path"])
    assert (release / "models/one.bin").read_text() == "one\n"
    assert git(release, "status", "--porcelain") == ""
    site.ok("activated")
    site.ok("committed")
    assert not site.from_git(git_url=url, **args)["changed"]
    # A second release has the file from beside the releases.
    (served / "lfs/objects").rename(tmp_path / "gone")
    site.commit({"backend/main.py": "two\n"})
    git(site.repository, "push", "-q", "--no-verify", "served", "main")
    second = site.from_git(git_url=url, **args)
    assert not second["failed"], second["msg"]
    assert (Path(second["path"]) / "models/one.bin").read_text() == "one\n"
