# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private repositories, submodules and Git LFS, with real git and a real server for HTTPS."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from git_https_server import GitServer, git_https_server
from release_site import SOURCE, Site, git

TOKEN = "glpat-planted-secret"


@pytest.fixture
def site(tmp_path: Path, run_module: Any, monkeypatch: pytest.MonkeyPatch) -> Site:
    # The tests do not read the user's own configuration.
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return Site(tmp_path, run_module)


@pytest.fixture
def server(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    site.commit(SOURCE)
    with git_https_server(tmp_path, tmp_path, "oauth2", TOKEN) as running:
        monkeypatch.setenv("GIT_SSL_CAINFO", str(running.certificate))
        yield running


def test_a_token_reads_a_private_repository_and_is_left_nowhere(site, server, tmp_path):
    # A helper of the host's that would store whatever it is told.
    (tmp_path / "gitconfig").write_text(f"[credential]\n\thelper = store --file={tmp_path}/stored\n")
    result = site.from_git(git_url=f"{server.url}/origin", git_token=TOKEN)
    assert not result["failed"], result["msg"]
    assert (Path(result["path"]) / "backend/main.py").read_text() == "print('one')\n"
    assert f"oauth2:{TOKEN}" in server.seen
    assert TOKEN not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
    assert not (tmp_path / "stored").exists()
    left = subprocess.run(["grep", "-rl", TOKEN, tmp_path], capture_output=True, text=True, check=False)
    assert left.stdout == ""


@pytest.mark.parametrize("token", [None, "glpat-another"])
def test_a_repository_that_wants_another_token_is_named_with_its_remedy(site, server, token):
    result = site.from_git(git_url=f"{server.url}/origin", **({"git_token": token} if token else {}))
    reason = "fatal: Authentication failed for" if token else "fatal: could not read Username for"
    assert result["failed"]
    assert result["msg"].startswith(f"the git repository {server.url}/origin cannot be read: {reason}")
    assert result["msg"].endswith(
        "; set staging_git_token to a token that may read the repository and has not expired, and staging_git_user if "
        "the server wants a certain user name with it"
    )
    assert not site.releases.exists()


def test_a_token_is_sent_to_no_other_server(site, server, tmp_path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    git(tmp_path, "clone", "-q", "--bare", str(site.repository), "elsewhere/lib.git")
    with git_https_server(other, other, "oauth2", TOKEN) as elsewhere:
        # One file with both certificates.
        both = server.certificate.read_text() + elsewhere.certificate.read_text()
        server.certificate.write_text(both)
        (site.repository / ".gitmodules").write_text(
            f'[submodule "lib"]\n\tpath = lib\n\turl = {elsewhere.url}/lib.git\n'
        )
        commit = git(site.repository, "rev-parse", "HEAD")
        git(site.repository, "update-index", "--add", "--cacheinfo", f"160000,{commit},lib")
        git(site.repository, "add", ".gitmodules")
        git(site.repository, "commit", "-q", "-m", "a submodule elsewhere")
        result = site.from_git(git_url=f"{server.url}/origin", git_token=TOKEN)
        assert result["failed"]
        assert "fetching the submodules of" in result["msg"]
        assert set(elsewhere.seen) == {None}


def test_a_token_for_another_protocol_is_refused(site):
    site.commit(SOURCE)
    result = site.from_git(git_token=TOKEN)
    assert result["msg"] == (
        "staging_git_token is set, but staging_git_url does not begin with https://; a token is sent by HTTPS only"
    )


def with_submodule(site: Site, url: str) -> str:
    """Commit a submodule, with one inside it, to the site's repository; returns the commit of the outer one."""
    base = site.repository.parent
    for name, file in (("inner", "core.py"), ("library", "lib.py")):
        (base / name).mkdir()
        git(base / name, "init", "-q", "-b", "main")
        (base / name / file).write_text(f"{name}\n")
        if name == "library":
            (base / name / ".gitmodules").write_text(f'[submodule "inner"]\n\tpath = inner\n\turl = {url}/inner\n')
            inner = git(base / "inner", "rev-parse", "HEAD")
            git(base / name, "update-index", "--add", "--cacheinfo", f"160000,{inner},inner")
            git(base / name, "add", ".gitmodules", file)
        else:
            git(base / name, "add", "-A")
        git(base / name, "commit", "-q", "-m", name)
    commit = git(base / "library", "rev-parse", "HEAD")
    git(site.repository, "update-index", "--add", "--cacheinfo", f"160000,{commit},vendor/lib")
    (site.repository / ".gitmodules").write_text('[submodule "lib"]\n\tpath = vendor/lib\n\turl = ../library\n')
    git(site.repository, "add", ".gitmodules")
    git(site.repository, "commit", "-q", "-m", "a submodule")
    return commit


def test_submodules_are_fetched_with_their_own_and_are_source(site, server):
    with_submodule(site, server.url)
    args = {"git_url": f"{server.url}/origin", "git_token": TOKEN}
    result = site.from_git(**args)
    assert not result["failed"], result["msg"]
    library = Path(result["path"]) / "vendor/lib"
    assert ((library / "lib.py").read_text(), (library / "inner/core.py").read_text()) == ("library\n", "inner\n")
    listed = Path(result["source_list"]).read_text()
    assert '"vendor/lib/lib.py"' in listed
    assert '"vendor/lib/inner/core.py"' in listed
    site.ok("activated")
    site.ok("committed")
    again = site.from_git(**args)
    assert (again["changed"], again["unshared_data"]) == (False, [])
    # An edited file of a submodule is damage as any other.
    (site.project / "vendor/lib/inner/core.py").write_text("edited\n")
    repaired = site.from_git(**args)
    assert repaired["damage"] == ["vendor/lib/inner/core.py was edited"]
    assert (Path(repaired["path"]) / "vendor/lib/inner/core.py").read_text() == "inner\n"


def test_a_submodule_that_cannot_be_fetched_stops_the_run_or_is_left_out(site, server):
    with_submodule(site, server.url)
    os.rename(site.repository.parent / "library", site.repository.parent / "moved")
    args = {"git_url": f"{server.url}/origin", "git_token": TOKEN}
    result = site.from_git(**args)
    assert result["msg"].startswith(f"fetching the submodules of {server.url}/origin failed: ")
    assert "/library/' not found" in result["msg"]
    assert result["msg"].endswith("or set staging_git_submodules to false to deploy without them")
    assert site.manifest()["candidate"] is None
    without = site.from_git(git_submodules=False, **args)
    assert not without["failed"], without["msg"]
    assert not (Path(without["path"]) / "vendor/lib/lib.py").exists()


def test_files_in_git_lfs_are_refused_by_name_without_git_lfs(site, monkeypatch, tmp_path):
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    site.commit(
        {**SOURCE, "models/.gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "models/a.bin": pointer}
    )
    # Only git and what it needs itself: no git-lfs, wherever the tests run.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("git", "sh", "cp"):
        (programs / name).symlink_to(subprocess.run(["which", name], capture_output=True, text=True).stdout.strip())
    monkeypatch.setenv("PATH", str(programs))
    result = site.from_git()
    assert result["msg"] == (
        f"files of {site.repository} are in Git LFS (models/a.bin), and git-lfs is not installed on the host; add "
        "git-lfs to staging_packages, or set staging_git_lfs to false to deploy the pointers instead of the files"
    )
    assert site.manifest()["candidate"] is None
    without = site.from_git(git_lfs=False)
    assert not without["failed"], without["msg"]
    assert (Path(without["path"]) / "models/a.bin").read_text() == pointer


def test_a_key_that_is_none_or_has_a_passphrase_is_refused(site, tmp_path):
    site.commit(SOURCE)
    result = site.from_git(git_key="-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----")
    assert result["msg"].startswith("ssh-add does not take the key in staging_git_key: Error loading key")
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", tmp_path / "key"], check=True, capture_output=True
    )
    result = site.from_git(git_key=(tmp_path / "key").read_text())
    assert result["msg"] == (
        "the key in staging_git_key has a passphrase, which nobody can enter during a deployment; create a deploy key "
        "without one"
    )
