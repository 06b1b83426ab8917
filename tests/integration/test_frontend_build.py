"""frontend_build with a real Node.js, npm, Next.js and Vite."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend import commands
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.commands import clean_env
from ansible_collections.codeframe.staging.plugins.modules import frontend_build, frontend_bundle_info
from free_ports import free_port

REPOSITORY = Path(__file__).resolve().parents[2]
SAMPLE = REPOSITORY / "examples" / "sample_app" / "web-ui"
pytestmark = pytest.mark.skipif(not shutil.which("npm"), reason="needs Node.js and npm")

ONE, TWO = "ws://api.one.test/ws", "ws://api.two.test/ws"
FALLBACK = "ws://localhost:14200/ws"
PAGE = """'use client'
import { useState } from 'react'
const url = process.env.NEXT_PUBLIC_WS_URL || '%s'
export default function Page() {
  const [n, set] = useState(0)
  return <p onClick={() => { set(n + 1); new WebSocket(url + '?n=' + n) }}>{n}</p>
}
"""
LAYOUT = "export default function Layout({ children }) { return <html><body>{children}</body></html> }\n"


@dataclass
class Frontend:
    path: Path
    key: str = "NEXT_PUBLIC_WS_URL"
    options: dict[str, Any] = field(default_factory=dict)

    def run(self, url: str = ONE, check: bool = False, **changes: Any) -> dict[str, Any]:
        options = {
            "path": str(self.path),
            "env": {self.key: url},
            "expected_urls": [url],
            "forbidden_urls": [FALLBACK, TWO if url == ONE else ONE],
            "timeout": 300,
            **self.options,
            **changes,
        }
        return module_runner.run(frontend_build, options, check=check)

    def ok(self, **changes: Any) -> dict[str, Any]:
        result = self.run(**changes)
        assert not result["failed"], result["msg"]
        return result


def project(path: Path, files: dict[str, str], packages: dict[str, str], scripts: dict[str, str]) -> None:
    """Write a project and let npm lock its packages."""
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    package = {"name": "web", "version": "1.0.0", "private": True, "scripts": scripts, "dependencies": packages}
    # A release of rollup whose packages for all platforms are in every registry.
    package["overrides"] = {"rollup": "4.50.0"}
    (path / "package.json").write_text(json.dumps(package))
    command = ["npm", "install", "--package-lock-only", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=path, env=clean_env(), check=True)


def next_project(path: Path, version: str, react: str) -> Frontend:
    files = {"app/page.jsx": PAGE % FALLBACK, "app/layout.jsx": LAYOUT}
    packages = {"next": version, "react": react, "react-dom": react}
    project(path, files, packages, {"build": "next build"})
    return Frontend(path)


def served(frontend: Frontend, command: list[str], url: str) -> dict[str, Any]:
    """Serve the build and look at the page as a browser gets it."""
    port = free_port()
    env = clean_env()
    process = subprocess.Popen([*command, str(port)], cwd=frontend.path, env=env, start_new_session=True)
    try:
        options = {"url": f"http://127.0.0.1:{port}/", "expected_urls": [url], "forbidden_urls": [FALLBACK]}
        deadline = time.monotonic() + 120
        while True:
            result = module_runner.run(frontend_bundle_info, options)
            if "refused" not in result["complaint"] or time.monotonic() > deadline:
                return result
            time.sleep(0.2)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def cycle(frontend: Frontend, serve: list[str]) -> None:
    """Build, do nothing, build with another URL without an install, and prove each on the wire."""
    first = frontend.ok()
    assert (first["built"], first["install"]["ran"]) == (True, True)
    assert list(first["proof"]["urls"]) == [ONE]
    assert served(frontend, serve, ONE)["complaint"] == ""
    second = frontend.ok()
    assert (second["changed"], second["reasons"], second["revision"]) == (False, [], first["revision"])
    predicted = frontend.run(url=TWO, check=True)
    third = frontend.ok(url=TWO)
    assert predicted["reasons"] == third["reasons"]
    assert third["reasons"] == [f"{frontend.key} changed", f"client chunks contain {ONE}"]
    assert third["install"]["ran"] is False
    assert third["revision"] == predicted["revision"] != first["revision"]
    assert served(frontend, serve, TWO)["complaint"] == ""
    assert frontend.ok(url=TWO)["changed"] is False


def marked(path: Path) -> list[str]:
    """The processes that build in a directory."""
    found = []
    for environ in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"STAGING_BUILD_DIR={path}" in environ.read_text().split("\0"):
                found.append(environ.parent.name)
    return found


NEXT = ["node_modules/.bin/next", "start", "-p"]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Frontend:
    """The sample application, built once."""
    path = tmp_path_factory.mktemp("sample") / "web-ui"
    shutil.copytree(SAMPLE, path, ignore=shutil.ignore_patterns("node_modules", ".next"))
    frontend = Frontend(path, options={"build_env": {"BACKEND_PORT": "14200"}})
    frontend.ok()
    return frontend


def test_the_sample_application_is_built_again_only_when_something_moved(sample: Frontend) -> None:
    first = sample.ok()
    assert first["changed"] is False
    other = sample.ok(url=TWO)
    assert other["reasons"][0] == "NEXT_PUBLIC_WS_URL changed"
    assert other["install"]["ran"] is False
    back = sample.ok()
    assert back["revision"] == first["revision"]
    assert served(sample, NEXT, ONE)["complaint"] == ""


def test_a_variable_without_the_public_prefix_counts(sample: Frontend) -> None:
    sample.ok()
    result = sample.run(check=True, build_env={"BACKEND_PORT": "14201"})
    assert result["reasons"] == ["BACKEND_PORT changed"]


def test_an_error_in_a_page_is_shown_and_the_previous_build_stays(sample: Frontend) -> None:
    before = sample.ok()
    broken = sample.path / "app" / "broken" / "page.js"
    broken.parent.mkdir()
    broken.write_text("import './no-such-module'\nexport default () => null\n")
    try:
        result = sample.run()
    finally:
        shutil.rmtree(broken.parent)
    assert result["failed"]
    assert "no-such-module" in result["msg"]
    assert "broken/page.js" in result["msg"]
    assert "npm error Lifecycle" not in result["msg"]
    after = sample.ok()
    assert (after["changed"], after["build_id"]) == (False, before["build_id"])


def test_a_killed_build_leaves_the_previous_one(sample: Frontend) -> None:
    before = sample.ok()
    child = (
        "import sys, module_runner\n"
        "from ansible_collections.codeframe.staging.plugins.modules import frontend_build\n"
        "module_runner.run(frontend_build, eval(sys.argv[1]))\n"
    )
    options = {"path": str(sample.path), "env": {"NEXT_PUBLIC_WS_URL": TWO}, "build_env": {"BACKEND_PORT": "14200"}}
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", child, repr(options)], env=env, start_new_session=True)
    previous = sample.path / ".next.staging-previous"
    deadline = time.monotonic() + 180
    # npm is killed with the run; its children are not.
    while not (previous.exists() and len(marked(sample.path)) > 1) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert previous.exists()
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    # The build, in a session of its own, outlives the run.
    assert marked(sample.path)
    after = sample.ok()
    assert (after["changed"], after["build_id"]) == (False, before["build_id"])
    assert not previous.exists()
    assert not marked(sample.path)


VITE_PAGE = {
    "index.html": '<div id="app"></div><script type="module" src="/main.js"></script>',
    "main.js": "document.title = 'x'; import('./socket.js').then((m) => m.open())",
    "socket.js": f"export const open = () => new WebSocket(import.meta.env.VITE_WS_URL || '{FALLBACK}')",
}


def test_a_vite_project(tmp_path: Path) -> None:
    project(tmp_path, VITE_PAGE, {"vite": "6.4.6"}, {"build": "vite build"})
    frontend = Frontend(tmp_path, "VITE_WS_URL", {"output_dir": "dist"})
    cycle(frontend, ["node_modules/.bin/vite", "preview", "--port"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "react"), [("14.2.8", "18.3.1"), ("15.5.28", "19.2.3"), ("16.4.5", "19.3.1")], ids=["14", "15", "16"]
)
def test_every_supported_next(tmp_path: Path, version: str, react: str) -> None:
    cycle(next_project(tmp_path, version, react), NEXT)


@pytest.fixture(scope="module")
def managers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Directories with a real pnpm, an old yarn and a new one, from the npm registry."""
    found = {}
    for name, package in (
        ("pnpm", "pnpm@9.15.9"),
        ("yarn-1", "yarn@1.22.22"),
        ("yarn-4", "@yarnpkg/cli-dist@4.18.1"),
    ):
        prefix = tmp_path_factory.mktemp(name)
        command = ["npm", "install", "--no-audit", "--no-fund", f"--prefix={prefix}", package]
        subprocess.run(command, capture_output=True, check=True, timeout=300)
        found[name] = str(prefix / "node_modules/.bin")
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("manager", "lock", "command"),
    [
        ("pnpm", "pnpm-lock.yaml", ["pnpm", "install", "--lockfile-only"]),
        ("yarn-1", "yarn.lock", ["yarn", "install", "--ignore-scripts"]),
        ("yarn-4", "yarn.lock", ["yarn", "install", "--mode=update-lockfile"]),
    ],
    ids=["pnpm", "yarn-1", "yarn-4"],
)
def test_every_package_manager(
    tmp_path: Path,
    managers: dict[str, str],
    manager: str,
    lock: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = tmp_path / "page"
    monkeypatch.setattr(commands, "STANDARD_PATH", f"{managers[manager]}:{commands.STANDARD_PATH}")
    path.mkdir()
    project(path, VITE_PAGE, {}, {"build": "vite build"})
    (path / "package-lock.json").unlink()
    package = json.loads((path / "package.json").read_text())
    rollup = {"rollup": "4.50.0"}
    package.update(devDependencies={"vite": "6.4.6"}, resolutions=rollup, pnpm={"overrides": rollup})
    if manager == "yarn-4":
        package["packageManager"] = "yarn@4.18.1"
        (path / ".yarnrc.yml").write_text("nodeLinker: node-modules\nenableTelemetry: false\n")
    (path / "package.json").write_text(json.dumps(package))
    # An installation on a build machine refuses to write a lock file.
    env = {**clean_env(), "CI": "", "YARN_ENABLE_IMMUTABLE_INSTALLS": "0"}
    subprocess.run(command, cwd=path, env=env, capture_output=True, check=True)
    shutil.rmtree(path / "node_modules", ignore_errors=True)
    assert (path / lock).is_file()
    frontend = Frontend(path, "VITE_WS_URL", {"output_dir": "dist"})
    first = frontend.ok()
    assert first["install"] == {"ran": True, "reasons": ["there is no node_modules"]}
    assert frontend.ok()["changed"] is False
    # A release is a copy with hard links to the packages.
    release = Frontend(tmp_path / "release", frontend.key, frontend.options)
    shutil.copytree(path, release.path, symlinks=True, copy_function=os.link)
    (release.path / "package.json").unlink()
    shutil.copy(path / "package.json", release.path)
    second = release.ok(url=TWO)
    assert (second["built"], second["install"]["ran"]) == (True, False)
    (release.path / "node_modules/vite").rename(tmp_path / "vite")
    repaired = release.ok(url=TWO)
    assert repaired["install"] == {"ran": True, "reasons": ["node_modules is incomplete: vite is missing"]}
    assert release.ok(url=TWO)["changed"] is False
    (release.path / lock).write_text((release.path / lock).read_text() + "\n# changed\n")
    assert release.run(url=TWO, check=True)["install"]["reasons"] == ["lock file changed"]


@pytest.mark.slow
def test_a_full_disk_is_named_and_the_previous_build_stays(mounted: Callable[[int], Path]) -> None:
    path = mounted(150)
    project(path, VITE_PAGE, {"vite": "6.4.6"}, {"build": "vite build"})
    frontend = Frontend(path, "VITE_WS_URL", {"output_dir": "dist"})
    first = frontend.ok()
    filler = path / "node_modules" / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            file.write(b"x" * 65536)
    full = frontend.run(url=TWO)
    assert full["failed"]
    assert "ENOSPC: no space left on device" in full["msg"]
    assert "nothing that was built before is lost" in full["msg"]
    after = frontend.ok()
    assert (after["changed"], after["build_id"]) == (False, first["build_id"])
    filler.unlink()
    assert frontend.ok(url=TWO)["built"] is True


@pytest.mark.slow
def test_a_type_error_is_shown(tmp_path: Path) -> None:
    files = {
        "app/page.tsx": "const n: number = 'text'\nexport default function Page() { return <p>{n}</p> }\n",
        "app/layout.tsx": (
            "export default function Layout({ children }: { children: React.ReactNode })"
            " { return <html><body>{children}</body></html> }\n"
        ),
    }
    packages = {"next": "15.5.28", "react": "19.2.3", "react-dom": "19.2.3"}
    packages.update({"typescript": "5.9.3", "@types/react": "19.3.0", "@types/node": "22.20.5"})
    project(tmp_path, files, packages, {"build": "next build"})
    result = Frontend(tmp_path).run()
    assert result["failed"]
    assert "Type error: Type 'string' is not assignable to type 'number'." in result["msg"]
    assert "app/page.tsx" in result["msg"]


@pytest.mark.slow
def test_development_packages_are_installed_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_ENV", "production")
    monkeypatch.setenv("npm_config_omit", "dev")
    files = {"index.html": f"<script>'{ONE}'</script>"}
    project(tmp_path, files, {}, {"build": "vite build"})
    package = json.loads((tmp_path / "package.json").read_text())
    package["devDependencies"] = {"vite": "6.4.6"}
    project(tmp_path, files, {}, {"build": "vite build"})
    (tmp_path / "package.json").write_text(json.dumps(package))
    env = clean_env()
    subprocess.run(["npm", "install", "--package-lock-only", "--no-audit"], cwd=tmp_path, env=env, check=True)
    assert Frontend(tmp_path, "VITE_WS_URL", {"output_dir": "dist"}).ok()["built"] is True
