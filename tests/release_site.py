"""A project on a host with its releases, and where its source comes from."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._release.archive import write_archive
from ansible_collections.codeframe.staging.plugins.module_utils._release.tree import (
    Exclusion,
    read_tree,
    tree_digest,
    walk,
)
from ansible_collections.codeframe.staging.plugins.modules import release, release_info

GIT_IDENTITY = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": "/dev/null",
}


def git(directory: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(directory), *arguments],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **GIT_IDENTITY},
    )
    return done.stdout.strip()


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


SOURCE = {
    "backend/main.py": "print('one')\n",
    "backend/requirements.txt": "\n",
    "web-ui/package.json": "{}\n",
    "web-ui/package-lock.json": "{}\n",
    "web-ui/tsconfig.json": "{}\n",
    ".gitignore": ".env.staging\nnode_modules\n.next\ndata/\n",
}


class Site:
    """A project on a host, and where its source comes from."""

    def __init__(self, tmp_path: Path, run_module: Any) -> None:
        self.run_module = run_module
        self.home = tmp_path / "home"
        self.home.mkdir()
        self.project = self.home / "app"
        self.releases = self.home / "app.releases"
        self.repository = tmp_path / "origin"
        self.uploads = tmp_path / "uploads"
        self.uploads.mkdir()

    def commit(self, files: dict[str, str], message: str = "change") -> str:
        if not self.repository.exists():
            self.repository.mkdir()
            git(self.repository, "init", "-q", "-b", "main")
        write(self.repository, files)
        git(self.repository, "add", "-A")
        git(self.repository, "commit", "-q", "-m", message)
        return git(self.repository, "rev-parse", "HEAD")

    def archive(self, files: dict[str, str], name: str = "source") -> tuple[Path, str]:
        tree = self.uploads / name
        write(tree, files)
        names = list(walk(str(tree), Exclusion(())))
        path = self.uploads / f"{name}.tar.gz"
        write_archive(str(tree), names, str(path))
        return path, tree_digest(read_tree(str(tree), names))

    def call(self, state: str, check: bool = False, diff: bool = False, **args: Any) -> dict[str, Any]:
        arguments = {"project_dir": str(self.project), "state": state, **args}
        result: dict[str, Any] = self.run_module(release, arguments, check=check, diff=diff)
        return result

    def ok(self, state: str, check: bool = False, **args: Any) -> dict[str, Any]:
        result = self.call(state, check, **args)
        assert not result["failed"], result["msg"]
        return result

    def from_git(self, check: bool = False, **args: Any) -> dict[str, Any]:
        defaults = {
            "source_type": "git",
            "git_url": str(self.repository),
            "version": "main",
            "env_files": [".env.staging"],
            "shared_paths": ["data"],
        }
        return self.call("prepared", check, **{**defaults, **args})

    def from_archive(self, files: dict[str, str], check: bool = False, **args: Any) -> dict[str, Any]:
        path, digest = self.archive(files, f"source-{len(list(self.uploads.iterdir()))}")
        defaults = {
            "source_type": "archive",
            "archive": str(path),
            "revision": digest,
            "env_files": [".env.staging"],
            "shared_paths": ["data"],
        }
        return self.call("prepared", check, **{**defaults, **args})

    def deploy(self, files: dict[str, str], **args: Any) -> dict[str, Any]:
        """Prepare, switch and verify."""
        prepared = self.from_archive(files, **args)
        assert not prepared["failed"], prepared["msg"]
        self.ok("activated")
        return self.ok("committed")

    def manifest(self) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((self.releases / "manifest.json").read_text())
        return data

    def info(self, **args: Any) -> dict[str, Any]:
        result: dict[str, Any] = self.run_module(release_info, {"project_dir": str(self.project), **args})
        assert not result["failed"], result["msg"]
        return result
