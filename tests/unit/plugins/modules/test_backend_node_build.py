"""backend_node_build on real directories, with scripts in place of node and npm."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend import commands
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.condition import build_damage
from ansible_collections.codeframe.staging.plugins.module_utils._release.copying import share_directory
from ansible_collections.codeframe.staging.plugins.modules import backend_node_build

NPM = """#!/bin/sh
here="$(dirname "$0")"
echo "$*" >> "$here/calls"
if [ "$1" = ci ]; then
  if [ "$TOKEN" = revoked ]; then
    echo "npm error code E401"
    echo "npm error Unable to authenticate, your authentication token $TOKEN seems to be invalid."
    exit 1
  fi
  mkdir -p node_modules/ws && echo "module.exports = {}" > node_modules/ws/index.js
  echo '{"packages": {"node_modules/ws": {"version": "8.0.0"}}}' > node_modules/.package-lock.json
  exit 0
fi
grep -q BROKEN src/main.ts && { echo "src/main.ts(1,1): error TS2304: Cannot find name 'BROKEN'."; exit 2; }
mkdir -p dist && cp src/main.ts dist/main.js
"""
INSTALL, BUILD = "ci --include=dev --no-audit --no-fund", "run build"
BUILT = {"build_command": ["npm", "run", "build"]}


@dataclass
class Server:
    path: Path
    bin: Path

    def run(self, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
        return module_runner.run(backend_node_build, {"path": str(self.path), **options}, check=check, diff=diff)

    def calls(self) -> list[str]:
        """The commands of npm since the last call."""
        file = self.bin / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    binaries, path = tmp_path / "bin", tmp_path / "release/server"
    binaries.mkdir()
    monkeypatch.setattr(commands, "STANDARD_PATH", f"{binaries}:{commands.STANDARD_PATH}")
    (path / "src").mkdir(parents=True)
    for name, text in (("npm", NPM), ("node", "#!/bin/sh\necho v20.1.0\n")):
        (binaries / name).write_text(text)
        (binaries / name).chmod(0o755)
    (path / "package.json").write_text('{"dependencies": {"ws": "8.0.0"}}')
    (path / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/ws": {"version": "8.0.0"}}}')
    (path / "src/main.ts").write_text("fine")
    return Server(path, binaries)


def test_without_a_build_command_packages_are_installed_once_and_sources_do_not_matter(server: Server) -> None:
    before = sorted(server.path.rglob("*"))
    predicted = server.run(check=True)
    assert (predicted["changed"], predicted["reasons"]) == (True, ["there is no node_modules"])
    assert sorted(server.path.rglob("*")) == before
    first = server.run()
    assert (first["installed"], first["built"], server.calls()) == (True, False, [INSTALL])
    (server.path / "src/main.ts").write_text("changed")
    for check in (True, False):
        again = server.run(check=check)
        assert (again["changed"], again["reasons"], again["digest"]) == (False, [], first["digest"])
    assert server.calls() == []


def test_a_build_is_made_again_when_its_source_its_output_or_its_variables_change(server: Server) -> None:
    first = server.run(**BUILT)
    assert server.calls() == [INSTALL, BUILD]
    assert (server.path / "dist/main.js").read_text() == "fine"
    assert not server.run(**BUILT)["changed"]
    (server.path / "src/main.ts").write_text("newer")
    assert server.run(**BUILT)["reasons"] == ["source changed: src/main.ts"]
    assert (server.path / "dist/main.js").read_text() == "newer"
    (server.path / "dist/main.js").write_text("edited")
    damage = build_damage(str(server.path), "dist")
    assert damage == ["script main.js was changed after the build"]
    assert server.run(**BUILT)["reasons"] == damage
    changed = server.run(**BUILT, build_env={"MODE": "staging"})
    assert changed["reasons"] == ["MODE added"]
    assert changed["digest"] != first["digest"]
    assert server.calls() == [BUILD, BUILD, BUILD]


def test_damaged_packages_are_installed_into_new_files_which_other_releases_do_not_share(server: Server) -> None:
    first = server.run()
    other = server.path.parent.parent / "other/node_modules"
    other.parent.mkdir()
    share_directory(str(server.path / "node_modules"), str(other))
    assert os.stat(other / "ws/index.js").st_nlink == 2
    (server.path / "node_modules/ws/index.js").unlink()
    assert server.run(check=True)["reasons"] == ["node_modules is damaged: ws/index.js is missing"]
    repaired = server.run()
    # The process keeps what it has loaded, so it has to be started again.
    assert repaired["digest"] not in (None, first["digest"])
    assert os.stat(other / "ws/index.js").st_nlink == 1
    assert not server.run()["changed"]


def test_a_failed_build_names_the_compilers_message_and_keeps_the_previous_one(server: Server) -> None:
    server.run(**BUILT)
    (server.path / "src/main.ts").write_text("BROKEN")
    failed = server.run(**BUILT)
    assert failed["failed"]
    assert failed["msg"] == (
        "`npm run build` failed with exit code 2; nothing that was built before is lost; its output:\n"
        "src/main.ts(1,1): error TS2304: Cannot find name 'BROKEN'."
    )
    assert (server.path / "dist/main.js").read_text() == "fine"


def test_a_failed_installation_quotes_npm_without_the_token(server: Server) -> None:
    failed = server.run(install_env={"TOKEN": "revoked"})
    assert failed["failed"]
    assert "Unable to authenticate, your authentication token" in failed["msg"]
    assert "revoked" not in str(failed)
    assert not (server.path / "node_modules").exists()


def test_what_another_part_of_the_application_has_is_no_source(server: Server) -> None:
    (server.path / "web-ui").mkdir()
    options = {**BUILT, "source_root": str(server.path), "frontend_dir": "web-ui"}
    server.run(**options)
    (server.path / "web-ui/app.js").write_text("page")
    assert not server.run(**options)["changed"]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        pytest.param(
            "package.json", "has no readable package.json, so there is nothing to install or build", id="none"
        ),
        pytest.param(
            "package-lock.json",
            "cannot be installed: there is no lock file; expected package-lock.json, pnpm-lock.yaml, yarn.lock or "
            "bun.lock beside package.json",
            id="no-lock-file",
        ),
    ],
)
def test_what_cannot_be_installed_is_named(server: Server, missing: str, expected: str) -> None:
    (server.path / missing).unlink()
    failed = server.run()
    assert failed["failed"]
    assert failed["msg"].endswith(expected)


def test_before_there_is_a_source_check_mode_predicts_and_the_digest_is_unknown(server: Server) -> None:
    predicted = server.run(check=True, path=str(server.path / "none"))
    assert (predicted["changed"], predicted["digest"]) == (True, None)


@pytest.mark.parametrize("options", [pytest.param({}, id="packages-alone"), pytest.param(BUILT, id="with-a-build")])
def test_without_node_check_mode_compares_with_what_is_installed(
    server: Server, options: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another layer installs Node.js again, and then nothing differs."""
    first = server.run(**options)
    monkeypatch.setattr(commands, "STANDARD_PATH", str(tmp_path / "nothing"))
    same = server.run(check=True, **options)
    assert (same["changed"], same["reasons"], same["digest"]) == (False, [], first["digest"])
    (server.path / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/ws": {"version": "8.0.1"}}}')
    assert server.run(check=True, **options)["changed"]
