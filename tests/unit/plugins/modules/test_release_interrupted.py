"""Runs that are killed before any of their steps: the active release stays whole, and the next run finishes.

Each case forks, and kills the child before its n-th change of the file system, as Python's own audit events tell them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Callable

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release import links
from ansible_collections.codeframe.staging.plugins.module_utils._release.archive import write_archive
from ansible_collections.codeframe.staging.plugins.module_utils._release.tree import (
    Exclusion,
    read_tree,
    tree_digest,
    walk,
)
from ansible_collections.codeframe.staging.plugins.modules import release

CHANGES = {
    *("os.rename", "os.mkdir", "os.symlink", "os.link", "os.remove", "os.rmdir", "os.chmod", "os.truncate"),
    *("subprocess.Popen", "shutil.rmtree", "os.utime"),
}
KILLED = 9
OLD = {"backend/main.py": "old\n", "web-ui/package.json": "{}\n"}
NEW = {"backend/main.py": "new\n", "web-ui/package.json": "{}\n", "added.txt": "a\n"}


def kill_before(count: int, below: Path) -> None:
    """Kill this process before its n-th change below a directory."""
    left = count

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal left
        if event == "open":
            path, _mode, flags = args
            changing = isinstance(path, str) and bool(flags & (os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_RDWR))
            relevant = changing and path.startswith(str(below))
        elif event == "subprocess.Popen":
            relevant = True
        else:
            # Deleting a tree names its files relative to an open directory.
            relative = event in ("os.remove", "os.rmdir") and isinstance(args[-1], int) and args[-1] != -1
            relevant = event in CHANGES and (relative or str(below) in str(args))
        if relevant:
            left -= 1
            if left == 0:
                os._exit(KILLED)

    sys.addaudithook(hook)


class Scene:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.project = self.home / "app"
        self.releases = self.home / "app.releases"
        self.home.mkdir(parents=True)
        self.archives: dict[str, tuple[str, str]] = {}
        for name, files in (("old", OLD), ("new", NEW)):
            tree = root / name
            write(tree, files)
            names = list(walk(str(tree), Exclusion(())))
            write_archive(str(tree), names, str(root / f"{name}.tar.gz"))
            self.archives[name] = (str(root / f"{name}.tar.gz"), tree_digest(read_tree(str(tree), names)))

    def call(self, state: str, **args: Any) -> dict[str, Any]:
        result = module_runner.run(release, {"project_dir": str(self.project), "state": state, **args})
        assert not result["failed"], result["msg"]
        return result

    def prepare(self, name: str, **args: Any) -> dict[str, Any]:
        archive, revision = self.archives[name]
        return self.call(
            "prepared",
            source_type="archive",
            archive=archive,
            revision=revision,
            shared_paths=["data"],
            env_files=[".env.staging"],
            **args,
        )

    def deploy(self, name: str) -> None:
        self.prepare(name)
        self.call("activated", records={"backend_revision": name})
        self.call("committed", keep_releases=1)

    def served(self) -> str | None:
        try:
            return (self.project / "backend/main.py").read_text().strip()
        except OSError:
            return None


def write(root: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)


def extras(root: Path) -> None:
    write(
        root,
        {
            ".env.staging": "KEY=1\n",
            "data/app.db": "rows",
            "web-ui/node_modules/p/i.js": "p",
            "web-ui/.next/BUILD_ID": "b",
            "web-ui/.next/cache/c": "c",
        },
    )


def first_deployment(scene: Scene) -> None:
    del scene


def second_deployment(scene: Scene) -> None:
    scene.deploy("old")
    extras(scene.project)


def third_deployment(scene: Scene) -> None:
    """With an old release to prune, and the candidate of an earlier run."""
    scene.deploy("old")
    extras(scene.project)
    scene.deploy("new")
    scene.deploy("old")
    scene.call("candidate")


def deployed_manually(scene: Scene) -> None:
    write(scene.project, OLD)
    extras(scene.project)


def deploy_new(scene: Scene) -> None:
    scene.deploy("new")


def change_and_restore(scene: Scene) -> None:
    """A change in a copy: discarded once, made again, activated, and rolled back."""
    scene.call("candidate")
    scene.call("discarded")
    scene.call("candidate")
    scene.call("activated")
    scene.call("rolled_back")
    scene.call("committed")


Step = Callable[[Scene], None]


def run_killed(act: Step, scene: Scene, count: int) -> bool:
    """Run in a child that is killed before its n-th change; False if it completed."""
    pid = os.fork()
    if pid == 0:
        try:
            kill_before(count, scene.root)
            act(scene)
        except BaseException:
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status in (0, KILLED), f"the run failed instead of being killed before change {count}"
    return status == KILLED


def check_rest(scene: Scene) -> None:
    """What must hold after any completed run."""
    left = {path.name for path in scene.home.iterdir()} - {"app", "app.releases"}
    assert left == set()
    manifest = json.loads((scene.releases / "manifest.json").read_text())
    directories = {path.name for path in scene.releases.iterdir() if path.name[:4].isdigit()}
    assert set(manifest["releases"]) == directories
    assert not list(scene.releases.glob(".trash-*"))
    assert not list(scene.releases.glob("**/*.to-shared"))
    assert (manifest["candidate"], manifest["taking_over"]) == (None, None)
    assert manifest["committed"] in directories
    assert {path.name for path in (scene.releases / "baselines").iterdir()} == directories


def every_step(tmp_path: Path, before: Step, act: Step, stride: int, offset: int, downtime: bool = False) -> int:
    """Kill a run before each of its changes (or each stride-th), on a fresh scene each time."""
    count = 1 + offset
    while True:
        scene = Scene(tmp_path / f"{count}")
        before(scene)
        had = scene.served()
        if not run_killed(act, scene, count):
            assert count > 20, "the run made hardly any change, so nothing was proven"
            return count
        serves = {had, "old", "new"} if had else {None, "new"}
        after_kill = scene.served()
        assert after_kill in serves | ({None} if downtime else set()), (
            f"killed before change {count}: the project serves {after_kill}"
        )
        act(scene)
        if act is deploy_new:
            assert scene.served() == "new"
            assert not scene.prepare("new")["changed"]
        else:
            assert scene.served() == had
        if had:
            assert (scene.project / ".env.staging").read_text() == "KEY=1\n"
            assert (scene.project / "data/app.db").read_text() == "rows"
            assert (scene.project / "web-ui/node_modules/p/i.js").read_text() == "p"
            assert (scene.project / "web-ui/.next/cache/c").read_text() == "c"
            assert (scene.releases / "shared/data/app.db").read_text() == "rows"
        check_rest(scene)
        count += stride


CASES = [
    pytest.param(first_deployment, deploy_new, id="first"),
    pytest.param(second_deployment, deploy_new, id="second"),
    pytest.param(third_deployment, deploy_new, id="with-leftovers"),
    pytest.param(deployed_manually, deploy_new, id="taken-over"),
    pytest.param(second_deployment, change_and_restore, id="change-and-restore"),
]


@pytest.mark.parametrize(("before", "act"), CASES)
def test_a_killed_run_leaves_a_release_active_and_is_finished_by_the_next(tmp_path, before, act):
    every_step(tmp_path, before, act, stride=31, offset=3)


def test_a_take_over_without_exchange_is_finished_by_the_next_run(tmp_path, monkeypatch):
    monkeypatch.setattr(links, "exchange", lambda _first, _second: False)
    every_step(tmp_path, deployed_manually, deploy_new, stride=31, offset=7, downtime=True)


@pytest.mark.slow
@pytest.mark.parametrize(("before", "act"), CASES)
def test_a_run_killed_before_any_single_change_is_finished_by_the_next(tmp_path, before, act):
    every_step(tmp_path, before, act, stride=1, offset=0)


@pytest.mark.slow
def test_a_take_over_without_exchange_killed_before_any_single_change(tmp_path, monkeypatch):
    monkeypatch.setattr(links, "exchange", lambda _first, _second: False)
    every_step(tmp_path, deployed_manually, deploy_new, stride=1, offset=0, downtime=True)
