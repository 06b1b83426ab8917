"""frontend_build on real directories, with scripts in place of node and npm."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import module_runner
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend import build, commands
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.aside import previous_of
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.build_plan import RECORD
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.condition import build_damage
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.packages import manager_for
from ansible_collections.codeframe.staging.plugins.modules import frontend_build

NPM = """#!/bin/sh
echo "$*" >> "$(dirname "$0")/calls"
if [ "$1" = ci ]; then
  if [ -e "$(dirname "$0")/registry-is-dead" ]; then
    echo "npm error code ENOTFOUND"; echo "npm error network no registry"; exit 1
  fi
  mkdir -p node_modules/next && echo '{}' > node_modules/next/package.json
  echo '{"packages": {"node_modules/next": {"version": "16.0.0"}}}' > node_modules/.package-lock.json
  exit 0
fi
env | sort > "$(dirname "$0")/environment"
[ -e .next/cache ] && echo warm >> "$(dirname "$0")/calls"
mkdir -p .next/static/chunks .next/cache
echo "let u='$NEXT_PUBLIC_WS_URL'" > .next/static/chunks/a.js
grep -q BROKEN app.js && { echo "Failed to compile."; echo "Type error: BROKEN, and $TOKEN"; exit 1; }
echo '{"jsx": "preserve"}' > tsconfig.json
for f in build-manifest.json routes-manifest.json; do echo '{}' > .next/$f; done
[ -e "$(dirname "$0")/manifest" ] && cp "$(dirname "$0")/manifest" .next/build-manifest.json
echo "id-$NEXT_PUBLIC_WS_URL" > .next/BUILD_ID
"""
NODE = """#!/bin/sh
[ "$1" = -e ] || exec echo v20.1.0
[ -e "$(dirname "$0")/platform" ] && exec cat "$(dirname "$0")/platform"
echo '{"node": "20.1.0", "system": "linux-x64", "libc": "glibc"}'
"""
URL = "wss://api.example.com/ws"


@dataclass
class Site:
    path: Path
    bin: Path

    def run(self, check: bool = False, diff: bool = False, url: str = URL, **changes: Any) -> dict[str, Any]:
        options = {
            "path": str(self.path),
            "env": {"NEXT_PUBLIC_WS_URL": url},
            "expected_urls": [url],
            **changes,
        }
        return module_runner.run(frontend_build, options, check=check, diff=diff)

    def calls(self) -> list[str]:
        """The commands of npm since the last call."""
        file = self.bin / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    binaries, path = tmp_path / "bin", tmp_path / "web-ui"
    binaries.mkdir()
    monkeypatch.setattr(commands, "STANDARD_PATH", f"{binaries}:{commands.STANDARD_PATH}")
    path.mkdir()
    for name, text in (("npm", NPM), ("node", NODE)):
        (binaries / name).write_text(text)
        (binaries / name).chmod(0o755)
    (path / "package.json").write_text('{"dependencies": {"next": "16.0.0"}}')
    (path / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/next": {"version": "16.0.0"}}}')
    (path / "tsconfig.json").write_text("{}")
    (path / "app.js").write_text("fine")
    return Site(path, binaries)


INSTALL = "ci --include=dev --no-audit --no-fund"
BUILD = "run build"


def test_the_first_run_installs_and_builds_and_the_second_does_nothing(site: Site) -> None:
    first = site.run()
    assert (first["changed"], first["reasons"]) == (True, ["there is no build"])
    assert first["install"] == {"ran": True, "reasons": ["there is no node_modules"]}
    assert first["proof"] == {
        "urls": {URL: ["static/chunks/a.js"]},
        "missing": [],
        "forbidden": {},
        "chunks": 1,
        "routes": {URL: []},
    }
    assert first["build_id"] == f"id-{URL}"
    assert site.calls() == [INSTALL, BUILD]
    second = site.run()
    assert (second["changed"], second["reasons"], second["revision"]) == (False, [], first["revision"])
    assert site.calls() == []


def test_the_routes_that_load_the_url_are_returned_and_those_of_the_present_build_too(site: Site) -> None:
    (site.bin / "manifest").write_text('{"pages": {"/": [], "/live/[id]": ["static/chunks/a.js"]}}')
    assert site.run()["proof"]["routes"] == {URL: ["/live/[id]"]}
    again = site.run()
    assert (again["changed"], again["proof"]["routes"]) == (False, {URL: ["/live/[id]"]})


def test_a_url_that_no_route_loads_fails_before_the_build_replaces_the_previous_one(site: Site) -> None:
    site.run()
    (site.bin / "manifest").write_text('{"pages": {"/": ["static/chunks/b.js"]}}')
    other = "wss://other.example.com/ws"
    result = site.run(url=other)
    assert result["failed"]
    assert result["msg"] == (
        f"{other} is only in static/chunks/a.js, which no route of the new build in {site.path}/.next loads; "
        "the previous build was restored"
    )
    assert (site.path / ".next/BUILD_ID").read_text() == f"id-{URL}\n"


def test_a_build_without_the_url_fails_with_the_url_that_it_has_instead_and_its_file(site: Site) -> None:
    result = site.run(env={"NEXT_PUBLIC_WS_URL": "ws://localhost:8080/ws"}, forbidden_urls=["ws://localhost"])
    assert result["failed"]
    assert result["msg"] == (
        f"{URL} is in none of the 1 client scripts of the new build in {site.path}/.next, which contain "
        "ws://localhost:8080/ws (static/chunks/a.js); the sources do not seem to use the public variables given "
        "(NEXT_PUBLIC_WS_URL); the previous build was restored"
    )


def test_check_mode_predicts_and_writes_nothing(site: Site) -> None:
    before = sorted(site.path.rglob("*"))
    result = site.run(check=True, diff=True)
    assert (result["changed"], result["built"], result["install"]["ran"]) == (True, True, True)
    assert "build: there is no build" in result["diff"][0]["after"]
    assert sorted(site.path.rglob("*")) == before
    assert site.calls() == []


def test_check_mode_on_a_bare_host(tmp_path: Path) -> None:
    options = {"path": str(tmp_path / "none")}
    result = module_runner.run(frontend_build, options, check=True)
    assert (result["failed"], result["changed"]) == (False, True)
    assert module_runner.run(frontend_build, options)["msg"] == f"the directory {tmp_path}/none does not exist"


def test_a_changed_variable_builds_with_the_warm_cache_and_without_an_install(site: Site) -> None:
    first = site.run()
    site.calls()
    result = site.run(url="wss://new.example.com/ws", forbidden_urls=[URL])
    assert result["reasons"] == ["NEXT_PUBLIC_WS_URL changed", f"client chunks contain {URL}"]
    assert result["revision"] != first["revision"]
    assert site.calls() == [BUILD, "warm"]
    assert site.run(url="wss://new.example.com/ws", forbidden_urls=[URL])["changed"] is False


def test_the_environment_of_the_build_is_clean(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXT_PUBLIC_STRAY", "from the shell")
    monkeypatch.setenv("NODE_ENV", "development")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy")
    site.run(build_env={"BACKEND_PORT": 14200, "FLAG": True})
    env = dict(line.split("=", 1) for line in (site.bin / "environment").read_text().splitlines() if "=" in line)
    assert {
        key: env[key] for key in ("NODE_ENV", "CI", "BACKEND_PORT", "FLAG", "HTTPS_PROXY", "NEXT_PUBLIC_WS_URL")
    } == {
        "NODE_ENV": "production",
        "CI": "1",
        "BACKEND_PORT": "14200",
        "FLAG": "true",
        "HTTPS_PROXY": "http://proxy",
        "NEXT_PUBLIC_WS_URL": URL,
    }
    assert "NEXT_PUBLIC_STRAY" not in env


def test_a_failed_build_shows_the_compiler_message_hides_secrets_and_restores_the_previous_build(site: Site) -> None:
    site.run()
    (site.path / "app.js").write_text("BROKEN")
    result = site.run(build_env={"TOKEN": "s3cr3t-token"})
    assert result["failed"]
    assert "`npm run build` failed with exit code 1" in result["msg"]
    assert "Type error: BROKEN, and ********" in result["msg"]
    assert "s3cr3t" not in json.dumps({key: value for key, value in result.items() if key != "invocation"})
    assert (site.path / ".next" / "BUILD_ID").read_text().strip() == f"id-{URL}"
    assert (site.path / ".next" / "cache").is_dir()
    assert not Path(previous_of(str(site.path / ".next"))).exists()
    (site.path / "app.js").write_text("fine")
    assert site.run()["changed"] is False


def test_a_build_that_fails_for_another_reason_than_its_code_names_the_remedy(site: Site) -> None:
    npm = site.bin / "npm"
    npm.write_text(
        NPM.replace("env | sort", "echo 'Error: error:0308010C:digital envelope routines::unsupported'; exit 1")
    )
    result = site.run()
    assert result["failed"]
    assert "--openssl-legacy-provider in staging_frontend_build_env" in result["msg"]
    npm.write_text(NPM.replace("env | sort", "echo 'Type error: BROKEN'; exit 1"))
    assert "`npm run build` failed with exit code 1; nothing that was built before is lost" in site.run()["msg"]


def test_what_the_user_gives_replaces_the_variables_of_a_build(site: Site) -> None:
    def environment() -> list[str]:
        return (site.bin / "environment").read_text().splitlines()

    site.run()
    assert "TURBO_FORCE=true" in environment()
    assert site.run(build_env={"TURBO_FORCE": False})["changed"]
    assert "TURBO_FORCE=false" in environment()


def test_a_build_without_the_expected_url_is_not_kept(site: Site) -> None:
    site.run()
    result = site.run(expected_urls=["wss://elsewhere.example.com/ws"])
    assert result["failed"]
    assert "wss://elsewhere.example.com/ws is in none of the 1 client scripts" in result["msg"]
    assert "NEXT_PUBLIC_WS_URL" in result["msg"]
    assert (site.path / ".next" / RECORD).is_file()


def test_a_dead_registry_leaves_the_packages_as_they_were(site: Site) -> None:
    site.run()
    (site.bin / "registry-is-dead").touch()
    (site.path / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/next": {"version": "17.0.0"}}}')
    result = site.run()
    assert result["failed"]
    assert "npm error network no registry" in result["msg"]
    assert (site.path / "node_modules" / "next" / "package.json").is_file()


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param("rm -r .next", "there is no build", id="build-deleted"),
        pytest.param("rm .next/BUILD_ID", "build incomplete: no BUILD_ID", id="build-incomplete"),
        pytest.param(
            "echo ws://localhost:1/ws > .next/static/chunks/a.js",
            "script static/chunks/a.js was changed after the build",
            id="chunk-edited",
        ),
        pytest.param("rm .next/.staging-build.json", "the build has no record of its inputs", id="built-manually"),
        pytest.param("echo new > app.js", "source changed: app.js", id="source"),
    ],
)
def test_damage_is_named_and_built_again(site: Site, damage: str, reason: str) -> None:
    site.run()
    subprocess.run(["sh", "-c", damage], cwd=site.path, check=True)
    assert site.run(check=True)["reasons"][0] == reason
    assert site.run()["reasons"][0] == reason
    assert site.run()["changed"] is False


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param("rm -r node_modules/next", "node_modules is incomplete: next is missing", id="package-deleted"),
        pytest.param("rm -r node_modules", "there is no node_modules", id="all-deleted"),
        pytest.param("echo ' ' >> package-lock.json", "lock file changed", id="lock-changed"),
    ],
)
def test_packages_are_installed_only_if_they_differ_from_the_lock_file(site: Site, damage: str, reason: str) -> None:
    site.run()
    site.calls()
    subprocess.run(["sh", "-c", damage], cwd=site.path, check=True)
    result = site.run()
    assert result["install"] == {"ran": True, "reasons": [reason]}
    assert site.calls()[0] == INSTALL
    assert site.run()["changed"] is False


def test_a_directory_deployed_manually_keeps_its_packages(site: Site) -> None:
    site.run()
    (site.path / "node_modules" / ".staging-install.json").unlink()
    (site.path / ".next" / RECORD).unlink()
    site.calls()
    result = site.run()
    assert (result["built"], result["install"]["ran"]) == (True, False)
    assert site.calls() == [BUILD, "warm"]


def test_packages_shared_by_hard_links_are_not_written_through(site: Site) -> None:
    site.run()
    other = site.path.parent / "other-release"
    subprocess.run(["cp", "-al", site.path / "node_modules", other], check=True)
    before = {path: path.read_text() for path in other.rglob("*") if path.is_file()}
    (site.path / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/next": {"version": "16.0.0"}} }')
    assert site.run()["install"]["ran"] is True
    assert {path: path.read_text() for path in other.rglob("*") if path.is_file()} == before


def test_a_run_that_was_killed_while_building_is_cleaned_up(site: Site) -> None:
    site.run()
    previous = Path(previous_of(str(site.path / ".next")))
    (site.path / ".next").rename(previous)
    (site.path / ".next" / "cache").mkdir(parents=True)
    (previous / "cache").rmdir()
    result = site.run()
    assert (result["changed"], result["build_id"]) == (False, f"id-{URL}")
    assert not previous.exists()


def test_a_run_that_was_killed_after_building_keeps_the_new_build(site: Site) -> None:
    site.run()
    previous = Path(previous_of(str(site.path / ".next")))
    previous.mkdir()
    assert site.run()["changed"] is False
    assert not previous.exists()


def test_files_that_override_a_variable_are_reported_or_refused(site: Site) -> None:
    (site.path / ".env.local").write_text("NEXT_PUBLIC_WS_URL=ws://localhost:14200/ws\nOTHER=1\n")
    (site.path / ".env").write_text(f"NEXT_PUBLIC_WS_URL={URL}\n")
    refused = site.run(on_override_files="refuse")
    assert refused["failed"]
    assert ".env.local defines NEXT_PUBLIC_WS_URL" in refused["msg"]
    reported = site.run()
    assert reported["override_files"] == {".env.local": ["NEXT_PUBLIC_WS_URL"]}
    assert len(reported["warnings"]) == 1


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("package.json", "has no readable package.json, so there is nothing to install or build"),
        ("package-lock.json", "there is no lock file"),
    ],
)
def test_a_directory_without_a_frontend_is_refused(site: Site, missing: str, message: str) -> None:
    (site.path / missing).unlink()
    result = site.run()
    assert result["failed"]
    assert message in result["msg"]


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(("program", "lock"), [("pnpm", "pnpm-lock.yaml"), ("yarn", "yarn.lock"), ("bun", "bun.lock")])
def test_a_missing_package_manager_is_found_before_anything_is_changed(
    site: Site, program: str, lock: str, check: bool
) -> None:
    (site.path / "package-lock.json").rename(site.path / lock)
    result = site.run(check=check)
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["msg"].startswith(f"{lock} requires {program}, which is not installed (looked in {site.bin}:")
    assert result["msg"].endswith(
        f'"{program}@<version>" to package.json, and that version is used, or install {program} on the host'
    )


@pytest.mark.parametrize("check", [True, False])
def test_a_lock_file_of_a_later_yarn_than_that_of_the_host_is_found_before_anything_is_changed(
    site: Site, check: bool
) -> None:
    (site.path / "package-lock.json").unlink()
    (site.path / "yarn.lock").write_text("# generated\n\n__metadata:\n  version: 8\n")
    (site.bin / "yarn").write_text("#!/bin/sh\necho 1.22.22\n")
    (site.bin / "yarn").chmod(0o755)
    result = site.run(check=check)
    assert (result["failed"], result["changed"]) == (True, False)
    assert result["msg"].startswith(f"yarn.lock requires yarn 2 or later, but {site.bin}/yarn is yarn 1.22.22, and no ")
    assert 'add "packageManager": "yarn@<version>" to package.json' in result["msg"]


def test_an_installation_without_node_modules_is_refused(site: Site) -> None:
    result = site.run(install_command=["true"])
    assert result["failed"]
    assert f"`true` ended without an error, but there is no {site.path}/node_modules" in result["msg"]
    assert "nodeLinker: node-modules" in result["msg"]


def test_a_page_without_packages_is_installed_once(site: Site) -> None:
    (site.path / "package.json").write_text('{"name": "page"}')
    result = site.run(install_command=["true"])
    assert result["install"]["ran"] is True, result["msg"]
    assert site.run(install_command=["true"])["changed"] is False


def test_an_output_directory_elsewhere_is_refused(site: Site) -> None:
    assert "expected a directory for the build alone" in site.run(output_dir="../out")["msg"]
    assert "expected a directory for the build alone" in site.run(output_dir=".")["msg"]


def test_a_build_that_exceeds_the_timeout_is_stopped(site: Site) -> None:
    result = site.run(build_command=["sleep", "30"], timeout=1)
    assert result["failed"]
    assert "took longer than the timeout" in result["msg"]


def test_a_build_into_another_directory_is_refused(site: Site) -> None:
    result = site.run(build_command=["true"])
    assert result["failed"]
    assert "does it write to another directory (staging_frontend_output_dir)?" in result["msg"]


SERVED_AS_IT_IS: dict[str, Any] = {
    "output_dir": "dist",
    "build_command": [
        "sh",
        "-c",
        "cat app.js; mkdir dist && echo \"'$NEXT_PUBLIC_WS_URL'\" >dist/a.js; grep fine app.js",
    ],
}


@pytest.mark.parametrize(
    "killed",
    [
        pytest.param(":", id="not"),
        pytest.param("mv .dist.staging-build.json dist/.staging-build.json", id="before-the-previous-build-is-aside"),
        pytest.param(
            "mv .dist.staging-build.json dist/.staging-build.json; mv dist .dist.staging-previous; mkdir dist",
            id="while-building",
        ),
        pytest.param(
            "mkdir .dist.staging-previous; touch .dist.staging-previous/.staging-build.json", id="after-building"
        ),
    ],
)
def test_a_directory_that_is_served_completely_contains_no_record(site: Site, killed: str) -> None:
    first = site.run(**SERVED_AS_IT_IS)
    record = site.path / ".dist.staging-build.json"
    assert record.stat().st_mode & 0o777 == 0o600
    subprocess.run(["sh", "-c", killed], cwd=site.path, check=True)
    again = site.run(**SERVED_AS_IT_IS)
    assert (again["changed"], again["revision"]) == (False, first["revision"]), again["reasons"]
    assert [path.name for path in (site.path / "dist").iterdir()] == ["a.js"]
    assert record.is_file()


def test_the_record_beside_a_build_is_restored_with_it(site: Site) -> None:
    site.run(**SERVED_AS_IT_IS)
    before = (site.path / ".dist.staging-build.json").read_text()
    (site.path / "app.js").write_text("BROKEN")
    assert site.run(**SERVED_AS_IT_IS)["failed"]
    assert (site.path / ".dist.staging-build.json").read_text() == before
    (site.path / "app.js").write_text("fine")
    assert site.run(**SERVED_AS_IT_IS)["changed"] is False
    (site.path / "dist" / "a.js").unlink()
    (site.path / "dist").rmdir()
    assert site.run(**SERVED_AS_IT_IS)["reasons"] == ["there is no build"]


def test_a_previous_build_is_not_source_of_the_next(site: Site) -> None:
    site.run()
    site.run(url="wss://new.example.com/ws")
    assert ".next.staging-previous" not in (site.path / ".next" / RECORD).read_text()


def test_the_record_is_private(site: Site) -> None:
    site.run(build_env={"TOKEN": "s3cr3t-token"})
    record = site.path / ".next" / RECORD
    assert record.stat().st_mode & 0o777 == 0o600
    assert "s3cr3t" not in record.read_text()


def listed(site: Site, *names: str) -> dict[str, Any]:
    """The options for a list of the source's files, with their content as it is now."""
    path = site.path.parent / "delivered.json"
    texts = {name: site.path / name for name in names}
    content = {f"web-ui/{name}": file.read_text() if file.is_file() else "" for name, file in texts.items()}
    path.write_text(json.dumps({**content, "backend/main.py": "f:0"}))
    return {"source_list": str(path), "source_root": str(site.path.parent)}


SOURCES = ("package.json", "package-lock.json", "tsconfig.json", "app.js")


@pytest.mark.parametrize("name", ["prisma/dev.db", "backend/app.db-wal", "access.log"])
def test_what_the_running_application_writes_is_no_change_of_the_source(site: Site, name: str) -> None:
    site.run()
    (site.path / name).parent.mkdir(exist_ok=True)
    (site.path / name).write_text("rows")
    assert not site.run()["changed"]


def test_only_the_files_of_a_given_list_are_sources(site: Site) -> None:
    given = listed(site, *SOURCES)
    site.run(**given)
    (site.path / "uploads").mkdir()
    (site.path / "uploads/picture.png").write_text("u")
    assert not site.run(**given)["changed"]
    (site.path / "app.js").write_text("changed")
    assert site.run(check=True, **given)["reasons"] == ["source changed: app.js"]
    (site.path / "app.js").write_text("fine")
    (site.path / "more.js").write_text("more")
    assert site.run(check=True, **listed(site, *SOURCES, "more.js"))["reasons"] == ["source changed: more.js"]
    # No source contains it, and builds read it.
    (site.path / ".env.local").write_text("OTHER=1")
    assert site.run(check=True, **listed(site, *SOURCES))["reasons"] == ["source changed: .env.local"]


@pytest.mark.parametrize("content", [None, "[]", "{}"])
def test_a_list_that_cannot_be_read_is_refused(site: Site, content: str | None) -> None:
    given = listed(site, *SOURCES)
    path = Path(given["source_list"])
    path.unlink() if content is None else path.write_text(content)
    assert site.run(**given)["msg"] == f"{path} is no list of the files of a source; expected a JSON object"


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        pytest.param(lambda file: file.unlink(), "is missing", id="missing"),
        pytest.param(lambda file: file.write_text("{  }"), "was changed", id="changed"),
    ],
)
def test_damaged_packages_are_installed_again(site: Site, damage: Any, named: str) -> None:
    first = site.run()
    site.calls()
    damage(site.path / "node_modules/next/package.json")
    predicted = site.run(check=True)
    result = site.run()
    assert result["install"] == {
        "ran": True,
        "reasons": [f"node_modules is damaged: next/package.json {named}"],
    }
    assert site.calls() == [INSTALL]
    # A server keeps what it has loaded, so it is started again.
    assert first["revision"] not in (predicted["revision"], result["revision"])
    again = site.run()
    assert (again["changed"], again["revision"]) == (False, result["revision"])


def test_what_tools_write_into_packages_is_no_damage(site: Site) -> None:
    site.run()
    for name in (".cache/x", ".prisma/client/index.js", "next/added.js"):
        (site.path / "node_modules" / name).parent.mkdir(parents=True, exist_ok=True)
        (site.path / "node_modules" / name).write_text("x")
    assert not site.run()["changed"]


def with_script(site: Site, script: str, does: str) -> None:
    """Give the application a script of the installation, which npm runs."""
    package = json.loads((site.path / "package.json").read_text())
    (site.path / "package.json").write_text(json.dumps({**package, "scripts": {"postinstall": script}}))
    (site.bin / "npm").write_text(NPM.replace("  exit 0\n", f"  {does}\n  exit 0\n", 1))


@pytest.mark.parametrize(
    ("script", "name"),
    [("patch-package", "patches/next+16.0.0.patch"), ("prisma generate", "prisma/schema.prisma")],
)
def test_what_the_scripts_of_an_installation_read_installs_again(site: Site, script: str, name: str) -> None:
    (site.path / name).parent.mkdir()
    (site.path / name).write_text("one")
    with_script(site, script, "true")
    site.run()
    (site.path / "app.js").write_text("changed")
    assert site.run(check=True)["install"]["reasons"] == []
    site.run()
    (site.path / name).write_text("two")
    site.calls()
    assert site.run()["install"]["reasons"] == [
        "files that the scripts of an installation read, such as postinstall, were changed"
    ]
    assert site.calls() == [INSTALL, BUILD, "warm"]
    assert site.run()["changed"] is False


def test_what_a_script_of_an_installation_makes_is_made_in_each_release(site: Site) -> None:
    with_script(site, "node generate.js", "mkdir -p src/generated && cp app.js src/generated/client.js")
    given = listed(site, *SOURCES)
    site.run(**given)
    assert site.run(**given)["changed"] is False
    # Another URL is no input of the script, although the build has changed tsconfig.json.
    assert site.run(url=f"{URL}/2", **given)["install"]["ran"] is False
    shutil.rmtree(site.path / "src")
    assert site.run(**given)["install"]["reasons"] == [
        "src/generated/client.js, which a script of an installation makes, is missing"
    ]
    assert site.run(**given)["changed"] is False
    (site.path / "app.js").write_text("changed")
    assert site.run(**listed(site, *SOURCES))["install"]["ran"] is True
    assert (site.path / "src/generated/client.js").read_text() == "changed"
    assert site.run(**given)["changed"] is False


def test_what_a_script_of_an_installation_makes_is_no_change_without_a_list_of_the_sources(site: Site) -> None:
    with_script(site, "node generate.js", "mkdir -p src/generated && cp app.js src/generated/client.js")
    site.run()
    assert site.run()["changed"] is False
    (site.path / "app.js").write_text("changed")
    assert site.run()["install"]["ran"] is True
    assert site.run()["changed"] is False


def test_a_library_that_an_installation_builds_is_made_in_each_release(member: Site) -> None:
    root = member.path.parents[1]
    (root / "packages/ui/package.json").write_text('{"name": "ui", "scripts": {"prepare": "tsc"}}')
    made = "mkdir -p packages/ui/dist && echo built > packages/ui/dist/index.js"
    (member.bin / "npm").write_text(NPM.replace("  exit 0\n", f"  {made}\n  exit 0\n", 1))
    member.run(**of_workspace(member))
    assert member.run(**of_workspace(member))["changed"] is False
    shutil.rmtree(root / "packages/ui/dist")
    assert member.run(**of_workspace(member))["install"]["reasons"] == [
        "packages/ui/dist/index.js, which a script of an installation makes, is missing"
    ]
    (root / "packages/ui/index.ts").write_text("more")
    assert member.run(**of_workspace(member))["install"]["ran"] is True
    (root / "apps/docs/page.js").write_text("more")
    assert member.run(**of_workspace(member))["changed"] is False


def install_manually(site: Site) -> None:
    """As npm does, without a list of the files, and without one of them."""
    subprocess.run([site.bin / "npm", "ci"], cwd=site.path, check=True)
    site.calls()


def build_needs(site: Site, name: str) -> None:
    npm = site.bin / "npm"
    npm.write_text(npm.read_text().replace("mkdir -p .next", f"[ -e node_modules/{name} ] || exit 3\nmkdir -p .next"))


def test_a_build_that_fails_with_packages_of_unknown_state_is_made_again_with_new_ones(site: Site) -> None:
    install_manually(site)
    npm = site.bin / "npm"
    npm.write_text(npm.read_text().replace("&& echo '{}' >", "&& touch node_modules/next/index.js && echo '{}' >"))
    build_needs(site, "next/index.js")
    result = site.run()
    assert not result["failed"], result["msg"]
    assert site.calls() == [BUILD, INSTALL, BUILD]
    assert result["install"]["reasons"] == ["the build failed, and its packages were not installed by this module"]
    assert result["warnings"] == [
        "The build failed, and its packages were not installed by this module, so they were installed again."
    ]


def test_a_build_that_fails_again_is_not_tried_a_third_time(site: Site) -> None:
    install_manually(site)
    build_needs(site, "never")
    assert site.run()["failed"]
    assert site.calls() == [BUILD, INSTALL, BUILD]
    assert site.run()["failed"]
    assert site.calls() == [BUILD]


def test_a_build_that_fails_with_packages_in_order_installs_nothing(site: Site) -> None:
    site.run()
    site.calls()
    (site.path / "app.js").write_text("BROKEN")
    assert site.run()["failed"]
    assert INSTALL not in site.calls()


def test_packages_that_cannot_be_installed_again_leave_the_error_of_the_build(site: Site) -> None:
    install_manually(site)
    build_needs(site, "never")
    (site.bin / "registry-is-dead").write_text("")
    result = site.run()
    assert result["msg"].startswith("`npm run build` failed with exit code 3")
    assert (site.path / "node_modules/next/package.json").is_file()


@pytest.mark.parametrize("name", ["BUILD_ID", "static/chunks/a.js", "server/page.js"])
def test_a_build_that_lost_a_file_is_made_again(site: Site, name: str) -> None:
    npm = site.bin / "npm"
    npm.write_text(
        npm.read_text() + "mkdir -p .next/server; echo 1 > .next/server/page.js; echo 1 > .next/server/p.html\n"
    )
    site.run()
    (site.path / ".next/server/p.html").unlink()
    assert not site.run()["changed"]
    (site.path / ".next" / name).unlink()
    result = site.run()
    assert name in result["reasons"][0]
    assert (site.path / ".next" / name).is_file()


def test_a_frontend_that_can_be_served_has_no_damage(site: Site) -> None:
    site.run()
    assert build_damage(str(site.path), ".next") == []


@pytest.mark.parametrize(
    ("damage", "found"),
    [
        (".next/BUILD_ID", "build incomplete: no BUILD_ID"),
        (".next/static/chunks/a.js", "build damaged: static/chunks/a.js is missing"),
    ],
)
def test_what_keeps_a_frontend_from_being_served_is_named(site: Site, damage: str, found: str) -> None:
    site.run()
    (site.path / damage).unlink()
    assert build_damage(str(site.path), ".next") == [found]


def test_a_changed_client_script_keeps_a_frontend_from_being_served(site: Site) -> None:
    site.run()
    (site.path / ".next/static/chunks/a.js").write_text("edited")
    assert build_damage(str(site.path), ".next") == ["script static/chunks/a.js was changed after the build"]


# --- workspaces, and a frontend beside its backend --------------------------------------------------


@pytest.fixture
def member(site: Site) -> Site:
    """The site as the member apps/web of a workspace with a library that it needs and a page that it does not."""
    root = site.path.parent / "app"
    (root / "apps").mkdir(parents=True)
    site.path.rename(root / "apps/web")
    web = Site(root / "apps/web", site.bin)
    (web.path / "package-lock.json").rename(root / "package-lock.json")
    for name, package in {
        "": {"workspaces": ["apps/*", "packages/*"]},
        "apps/web": {"name": "web", "dependencies": {"next": "16.0.0", "ui": "*"}},
        "apps/docs": {"name": "docs"},
        "packages/ui": {"name": "ui"},
    }.items():
        (root / name).mkdir(parents=True, exist_ok=True)
        (root / name / "package.json").write_text(json.dumps(package))
    (root / "api").mkdir()
    (root / "api/main.py").write_text("one")
    return web


def of_workspace(member: Site) -> dict[str, Any]:
    return {"source_root": str(member.path.parents[1]), "backend_dir": "api"}


def test_packages_of_a_workspace_are_installed_at_its_root(member: Site) -> None:
    root = member.path.parents[1]
    first = member.run(**of_workspace(member))
    assert not first["failed"], first["msg"]
    assert (root / "node_modules/next").is_dir()
    assert not (member.path / "node_modules").exists()
    assert member.calls() == [INSTALL, BUILD]
    assert f"PATH={member.path}/node_modules/.bin:{root}/node_modules/.bin:" in (member.bin / "environment").read_text()
    assert member.run(**of_workspace(member))["changed"] is False
    alone = member.run()
    assert "there is no lock file" in alone["msg"]


@pytest.mark.parametrize(
    ("file", "reasons"),
    [
        ("packages/ui/index.js", ["source changed: packages/ui/index.js"]),
        ("apps/web/page.js", ["source changed: apps/web/page.js"]),
        ("turbo.json", ["source changed: turbo.json"]),
        ("apps/docs/page.js", []),
        ("api/main.py", []),
        ("package-lock.json", ["lock file changed"]),
    ],
)
def test_only_what_a_member_needs_is_an_input_of_its_build(member: Site, file: str, reasons: list[str]) -> None:
    member.run(**of_workspace(member))
    path = member.path.parents[1] / file
    path.write_text((path.read_text() if path.exists() else "") + "\n ")
    assert member.run(check=True, **of_workspace(member))["reasons"] == reasons


@pytest.mark.parametrize("has_list", [True, False], ids=["listed", "not listed"])
def test_two_parts_of_one_workspace_install_their_packages_once(member: Site, has_list: bool) -> None:
    root = member.path.parents[1]
    (root / "package.json").write_text('{"workspaces": ["apps/*", "packages/*"], "scripts": {"postinstall": "make"}}')
    names = (
        "package.json",
        "apps/web/app.js",
        "apps/web/package.json",
        "apps/docs/package.json",
        "packages/ui/package.json",
    )
    options: dict[str, Any] = {"source_root": str(root)}
    if has_list:
        (root.parent / "delivered.json").write_text(json.dumps({name: (root / name).read_text() for name in names}))
        options["source_list"] = str(root.parent / "delivered.json")
    (root / "apps/docs/app.js").write_text("fine")
    other = Site(root / "apps/docs", member.bin)
    assert member.run(**options)["install"]["ran"] is True
    assert other.run(**options)["install"]["ran"] is False
    assert member.run(**options)["changed"] is False
    (root / "apps/web/app.js").write_text("changed")
    if has_list:
        (root.parent / "delivered.json").write_text(json.dumps({name: (root / name).read_text() for name in names}))
    assert member.run(**options)["install"]["ran"] is True
    assert other.run(**options)["install"]["ran"] is False
    assert member.run(**options)["changed"] is False


@pytest.fixture
def beside(site: Site) -> Site:
    """The site beside a directory that its sources name, and others that they do not."""
    root = site.path.parent / "app"
    root.mkdir()
    web = Site(site.path.rename(root / "web"), site.bin)
    (web.path / "types.ts").write_text("export * from '../shared/types'")
    for name in ("shared/types.ts", "docs/index.ts", "api/main.py"):
        (root / name).parent.mkdir()
        (root / name).write_text("one")
    return web


@pytest.mark.parametrize("has_list", [True, False], ids=["listed", "not listed"])
@pytest.mark.parametrize(
    ("file", "reasons"),
    [
        ("shared/types.ts", ["source changed: ../shared/types.ts"]),
        ("shared/new.ts", ["source changed: ../shared/new.ts"]),
        ("docs/index.ts", []),
        ("api/main.py", []),
    ],
)
def test_what_sources_name_outside_of_their_directory_is_source(
    beside: Site, file: str, reasons: list[str], has_list: bool
) -> None:
    root = beside.path.parent
    options = {"source_root": str(root), "backend_dir": "api"}
    names = [f"web/{name}" for name in (*SOURCES, "types.ts")] + [file, "shared/types.ts", "docs/index.ts"]
    source_list = root.parent / "delivered.json"
    source_list.write_text(json.dumps(dict.fromkeys(names, "f:0")))
    if has_list:
        options["source_list"] = str(source_list)
    first = beside.run(**options)
    assert not first["failed"], first["msg"]
    assert beside.run(**options)["changed"] is False
    (root / "shared/written-by-the-application.txt").write_text("x")
    assert not has_list or beside.run(**options)["changed"] is False
    (root / "shared/written-by-the-application.txt").unlink()
    (root / file).write_text("two")
    assert beside.run(check=True, **options)["reasons"] == reasons


def test_a_build_outside_of_the_frontend_is_no_source(beside: Site) -> None:
    root = beside.path.parent
    (beside.path / "vite.config.js").write_text("export default { build: { outDir: '../shared/page' } }")
    (beside.bin / "npm").write_text(NPM.replace(".next/", "../shared/page/").replace("-p .next", "-p ../shared/page"))
    options = {"source_root": str(root), "output_dir": "../shared/page"}
    first = beside.run(**options)
    assert not first["failed"], first["msg"]
    assert beside.run(**options)["changed"] is False


@pytest.mark.parametrize(("lock", "ran"), [("package-lock.json", False), ("yarn.lock", True)])
def test_a_package_that_is_copied_from_the_source_is_installed_again(beside: Site, lock: str, ran: bool) -> None:
    (beside.path / "package-lock.json").rename(beside.path / lock)
    package = {"dependencies": {"next": "16.0.0", "shared": "file:../shared"}}
    (beside.path / "package.json").write_text(json.dumps(package))
    (beside.bin / "yarn").write_text("#!/bin/sh\nmkdir -p node_modules/next node_modules/shared\n")
    (beside.bin / "yarn").chmod(0o755)
    options = {"source_root": str(beside.path.parent)}
    first = beside.run(**options)
    assert not first["failed"], first["msg"]
    assert beside.run(**options)["changed"] is False
    (beside.path.parent / "shared/types.ts").write_text("two")
    assert beside.run(**options)["install"]["ran"] is ran
    assert beside.run(**options)["changed"] is False


def test_paths_to_exclude_are_those_of_the_member(member: Site) -> None:
    options = {**of_workspace(member), "exclude": ["data/live", "notes"]}
    member.run(**options)
    for name in ("data/live", "notes"):
        (member.path / name).mkdir(parents=True)
        (member.path / name / "now.txt").write_text("x")
    assert member.run(check=True, **options)["reasons"] == []


def test_the_packages_in_members_are_restored_after_a_failed_installation_and_repaired_when_lost(member: Site) -> None:
    root = member.path.parents[1]
    npm = member.bin / "npm"
    npm.write_text(
        NPM.replace(
            "  exit 0\n", "  mkdir -p apps/web/node_modules/own && echo {} > apps/web/node_modules/own/a\n  exit 0\n", 1
        )
    )
    options = of_workspace(member)
    member.run(**options)
    own = member.path / "node_modules/own/a"
    assert own.is_file()
    (member.bin / "registry-is-dead").touch()
    (root / "package-lock.json").write_text('{"packages": {"node_modules/next": {"version": "17.0.0"}}}')
    failed = member.run(**options)
    assert "no registry" in failed["msg"]
    assert own.is_file()
    (root / "package-lock.json").write_text('{"packages": {"": {}, "node_modules/next": {"version": "16.0.0"}}}')
    (member.bin / "registry-is-dead").unlink()
    assert member.run(**options)["changed"] is False
    own.unlink()
    assert member.run(check=True, **options)["install"]["reasons"] == [
        "node_modules is damaged: apps/web: own/a is missing"
    ]
    own.parent.rmdir()
    (member.path / "node_modules/.staging-modules.json").unlink()
    (member.path / "node_modules").rmdir()
    assert member.run(**options)["install"]["reasons"] == ["node_modules is damaged: apps/web/node_modules is missing"]
    assert own.is_file()


def test_an_installation_of_a_workspace_that_was_killed_is_undone(member: Site) -> None:
    root = member.path.parents[1]
    options = of_workspace(member)
    member.run(**options)
    (member.path / "node_modules").mkdir()
    (member.path / "node_modules/half").touch()
    Path(previous_of(str(root / "node_modules"))).mkdir()
    (root / "node_modules").rename(root / "half")
    Path(previous_of(str(root / "node_modules"))).rmdir()
    (root / "half").rename(previous_of(str(root / "node_modules")))
    (member.path / "node_modules").rename(previous_of(str(member.path / "node_modules")))
    (root / "node_modules").mkdir()
    assert member.run(**options)["changed"] is False
    assert (member.path / "node_modules/half").is_file()
    assert (root / "node_modules/next").is_dir()


@pytest.mark.parametrize("path", ["", "/.", "/"])
def test_a_frontend_at_the_root_of_the_application(site: Site, path: str) -> None:
    (site.path / "api").mkdir()
    (site.path / "api/main.py").write_text("one")
    options = {"path": f"{site.path}{path}", "source_root": str(site.path), "backend_dir": "api"}
    first = site.run(**options)
    assert not first["failed"], first["msg"]
    assert first["server"] == {
        "kind": "next",
        "command": ["node_modules/.bin/next", "start", "-H", "0.0.0.0", "-p", "{port}"],
    }
    (site.path / "api/main.py").write_text("two")
    assert site.run(**options)["changed"] is False
    assert site.run(check=True, **{**options, "backend_dir": None})["reasons"] == ["source changed: api/main.py"]


def test_the_output_of_next_may_have_the_name_of_an_export(site: Site) -> None:
    npm = site.bin / "npm"
    npm.write_text(NPM.replace(".next", "build"))
    first = site.run(output_dir="build")
    assert not first["failed"], first["msg"]
    assert (site.path / "build" / RECORD).is_file()
    assert list(first["proof"]["urls"]) == [URL]
    site.calls()
    other = "wss://other.example.com/ws"
    assert site.run(output_dir="build", url=other)["reasons"] == ["NEXT_PUBLIC_WS_URL changed"]
    assert site.calls() == [BUILD, "warm"]
    assert build_damage(str(site.path), "build") == []


def test_a_program_of_the_packages_builds(site: Site) -> None:
    site.run()
    program = site.path / "node_modules/.bin/turbo"
    program.parent.mkdir()
    program.symlink_to(site.bin / "npm")
    for command in (["node_modules/.bin/turbo", "run", "build"], ["turbo", "run", "build"]):
        result = site.run(build_command=command)
        assert not result["failed"], result["msg"]
        assert result["reasons"] == ["build command changed"]
    missing = site.run(build_command=["node_modules/.bin/none"])
    assert "the program node_modules/.bin/none is not installed (no such file)" in missing["msg"]


# --- declared package managers, and the environment of the installation ---------------------------------

#: Packs and installs a pnpm that reports its version and installs as the npm of this file does.
REGISTRY = """
if [ "$1" = pack ]; then
  for word; do case $word in --pack-destination=*) echo "package $2" > "${word#*=}/p.tgz";; esac; done; exit 0
fi
if [ "$1" = install ]; then
  env | sort > "$(dirname "$0")/install-environment"
  mkdir -p node_modules/.bin
  printf '#!/bin/sh\\n[ "$1" = --version ] && echo 9.15.9 && exit\\n' > node_modules/.bin/pnpm
  printf 'echo "pnpm $*" >> BIN/calls\\n' >> node_modules/.bin/pnpm
  printf 'mkdir -p node_modules/next; echo {} > node_modules/next/package.json\\n' >> node_modules/.bin/pnpm
  sed -i "s:BIN:$(dirname "$0"):" node_modules/.bin/pnpm; chmod +x node_modules/.bin/pnpm; exit 0
fi
if [ "$1" = ci ]; then env | sort > "$(dirname "$0")/install-environment"; fi
"""
PACKED = "package pnpm@9.15.9\n"
PNPM_INSTALL = "pnpm install --frozen-lockfile --prod=false"


@pytest.fixture
def declared(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site with pnpm's lock file and version, on a host without pnpm."""
    npm = site.bin / "npm"
    first, rest = NPM.split("\n", 1)
    npm.write_text(first + REGISTRY + rest)
    (site.path / "package-lock.json").rename(site.path / "pnpm-lock.yaml")
    declare(site, "pnpm@9.15.9")
    home = site.path.parent / "home"
    home.mkdir()
    real = commands.clean_env
    monkeypatch.setattr(build, "clean_env", lambda: {**real(), "HOME": str(home)})
    return site


def declare(site: Site, manager: str) -> None:
    package = {"packageManager": manager, "dependencies": {"next": "16.0.0"}}
    (site.path / "package.json").write_text(json.dumps(package))


def npm_calls(site: Site) -> list[str]:
    return [call.partition(" --pack-destination")[0] for call in site.calls()]


def test_the_declared_package_manager_is_taken_from_the_registry_once(declared: Site) -> None:
    first = declared.run()
    assert not first["failed"], first["msg"]
    assert npm_calls(declared) == [PNPM_INSTALL, BUILD]
    (declared.path / "pnpm-lock.yaml").write_text("other")
    second = declared.run()
    assert second["install"]["reasons"] == ["lock file changed"]
    assert npm_calls(declared) == [PNPM_INSTALL, BUILD, "warm"]
    places = list((declared.path.parent / "home/.cache/codeframe-staging/package-managers").iterdir())
    assert [place.name for place in places] == ["pnpm-9.15.9"]
    assert f"PATH={declared.path}" in (declared.bin / "environment").read_text()
    assert f"{places[0]}/node_modules/.bin:" in (declared.bin / "environment").read_text()


@pytest.mark.parametrize("algorithm", ["sha512", "sha1"])
def test_the_declared_checksum_is_compared(declared: Site, algorithm: str) -> None:
    right = hashlib.new(algorithm, PACKED.encode()).hexdigest()
    declare(declared, f"pnpm@9.15.9+{algorithm}.{'0' * len(right)}")
    refused = declared.run()
    assert refused["msg"] == (
        f"pnpm@9.15.9 from the registry has the {algorithm} {right}, but package.json declares {'0' * len(right)}; "
        "it was not installed"
    )
    assert not (declared.path / "node_modules").exists()
    declare(declared, f"pnpm@9.15.9+{algorithm}.{right}")
    assert not declared.run()["failed"]


def test_another_version_of_the_package_manager_installs_again(declared: Site) -> None:
    declared.run()
    record = declared.path / "node_modules/.staging-install.json"
    record.write_text(record.read_text().replace("pnpm@9.15.9", "pnpm@8.0.0"))
    assert declared.run()["install"]["reasons"] == ["packageManager changed from pnpm@8.0.0 to pnpm@9.15.9"]


def test_an_installed_package_manager_of_the_declared_version_is_used(declared: Site) -> None:
    program = declared.bin / "pnpm"
    program.write_text(
        '#!/bin/sh\n[ "$1" = --version ] && echo 9.15.9 && exit\n'
        "mkdir -p node_modules/next; touch node_modules/next/x\n"
    )
    program.chmod(0o755)
    result = declared.run()
    assert not result["failed"], result["msg"]
    assert not (declared.path.parent / "home/.cache").exists()


@pytest.mark.parametrize(
    ("manager", "message"),
    [
        (
            "yarn@4.1.0",
            "package.json declares packageManager yarn@4.1.0, but there is pnpm-lock.yaml instead of yarn.lock; "
            "commit the lock file of yarn, or correct packageManager",
        ),
        (
            "pnpm@^9",
            "package.json declares packageManager 'pnpm@^9', which is no exact version of npm, pnpm, yarn or bun; "
            "correct it, for example as pnpm@9.15.9",
        ),
        (
            "cnpm@9.0.0",
            "package.json declares packageManager 'cnpm@9.0.0', which is no exact version of npm, pnpm, yarn or bun; "
            "correct it, for example as pnpm@9.15.9",
        ),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused_by_name(declared: Site, manager: str, message: str) -> None:
    declare(declared, manager)
    for check in (True, False):
        result = declared.run(check=check)
        assert result["msg"] == f"the packages of {declared.path} cannot be installed: {message}"


def test_a_yarn_in_the_source_is_run_by_node() -> None:
    manager = manager_for(["yarn.lock", ".yarnrc.yml"], {}, 'yarnPath: ".yarn/releases/yarn-4.1.0.cjs"\n')
    assert manager.install_command == ("node", ".yarn/releases/yarn-4.1.0.cjs", "install", "--immutable")


TOKEN = "npm_0123456789abcdef"


def test_the_variables_of_the_installation_are_those_of_the_installation_alone(declared: Site) -> None:
    (declared.path / "pnpm-lock.yaml").rename(declared.path / "package-lock.json")
    (declared.path / "package.json").write_text('{"dependencies": {"next": "16.0.0"}}')
    result = declared.run(install_env={"NPM_TOKEN": TOKEN, "LEVEL": 1})
    assert not result["failed"], result["msg"]
    environment = (declared.bin / "install-environment").read_text().splitlines()
    assert {f"NPM_TOKEN={TOKEN}", "LEVEL=1"} <= set(environment)
    # Hooks of git are for those who develop.
    assert "HUSKY=0" in environment
    assert "NPM_TOKEN=" in (declared.bin / "environment").read_text().splitlines()
    assert TOKEN not in json.dumps(result)
    written = [path for path in declared.path.rglob("*") if path.is_file() and TOKEN in path.read_text()]
    assert written == []
    other = declared.run(install_env={"NPM_TOKEN": f"{TOKEN}2"})
    assert other["changed"] is False


def test_a_secret_of_the_installation_is_not_in_its_message(declared: Site) -> None:
    (declared.path / "pnpm-lock.yaml").rename(declared.path / "package-lock.json")
    (declared.path / "package.json").write_text('{"dependencies": {"next": "16.0.0"}}')
    npm = declared.bin / "npm"
    npm.write_text('#!/bin/sh\necho "npm error code E401"; echo "npm error $NPM_TOKEN is wrong"; exit 1\n')
    result = declared.run(install_env={"NPM_TOKEN": TOKEN})
    assert "npm error code E401\nnpm error ******** is wrong" in result["msg"]
    assert TOKEN not in json.dumps(result)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param("kill -9 $$", id="killed"),
        pytest.param("exit 137", id="killed-below-a-shell"),
        pytest.param("echo 'build worker exited with code: null and signal: SIGKILL'; exit 1", id="killed-worker"),
    ],
)
def test_a_build_that_the_kernel_kills_is_said_to_lack_memory(site: Site, script: str) -> None:
    site.run()
    (site.bin / "npm").write_text(f"#!/bin/sh\n{script}\n")
    result = site.run(url="wss://other.example.com/ws")
    assert "probably because memory ran out (it was killed); add memory or swap to the host" in result["msg"]


HOST = {"node": "20.19.2", "system": "linux-x64", "libc": "glibc"}


@pytest.fixture
def packed(site: Site, tmp_path: Path) -> Path:
    """The archive of a build that the controller made for a host."""
    archive = tmp_path / "controller" / "build.tar.gz"
    result = site.run(for_platform=HOST, pack_to=str(archive))
    assert result["built"]
    assert archive.stat().st_mode & 0o777 == 0o600
    return archive


def test_a_due_build_of_the_controller_tells_what_it_must_fit(site: Site) -> None:
    result = site.run(check=True, build_on="controller")
    assert result["built"]
    assert result["platform"] == {"node": "20.1.0", "system": "linux-x64", "libc": "glibc"}
    assert site.run()["platform"] == {}
    assert site.run(check=True, build_on="controller")["platform"] == {}


def test_a_host_uses_the_build_of_the_controller(site: Site, packed: Path) -> None:
    (site.path / ".next").rename(packed.parent / "made")
    site.calls()
    (site.bin / "npm").write_text("#!/bin/sh\nexit 1\n")
    result = site.run(archive=str(packed), build_on="controller")
    assert result["built"]
    assert result["build_id"] == f"id-{URL}"
    assert site.calls() == []
    assert not (site.path / ".next/cache").exists()
    again = site.run(build_on="controller")
    assert not again["changed"]


def test_the_build_of_the_controller_must_pass_the_proof_of_the_host(site: Site, packed: Path) -> None:
    other = "wss://other.example.com/ws"
    result = site.run(url=other, archive=str(packed), build_on="controller")
    assert result["failed"]
    assert other in result["msg"]
    assert (site.path / ".next/BUILD_ID").read_text() == f"id-{URL}\n", "the previous build was restored"


def test_a_damaged_archive_restores_the_previous_build(site: Site, packed: Path) -> None:
    packed.write_bytes(packed.read_bytes()[:100])
    result = site.run(url="wss://other.example.com/ws", archive=str(packed), build_on="controller")
    assert result["failed"]
    assert "cannot be unpacked" in result["msg"]
    assert (site.path / ".next/BUILD_ID").exists()


@pytest.mark.parametrize(
    ("differing", "said"),
    [
        ({"node": "22.3.0"}, "Node.js 20.1.0 instead of 22"),
        ({"system": "linux-arm64"}, "linux-x64 instead of linux-arm64"),
        ({"libc": "musl"}, "glibc instead of musl"),
        ({"libc": None, "node": None}, "Node.js 20.1.0 instead of an unknown version"),
    ],
)
def test_a_build_for_another_platform_is_refused_before_it_is_made(
    site: Site, differing: dict[str, Any], said: str
) -> None:
    target = {key: value for key, value in {**HOST, **differing}.items() if value is not None}
    result = site.run(for_platform=target)
    assert result["failed"]
    assert said in result["msg"]
    assert "staging_frontend_build_on" in result["msg"]
    assert site.calls() == []


def test_a_node_that_does_not_tell_its_platform_is_reported(site: Site) -> None:
    (site.bin / "platform").write_text("no report\n")
    result = site.run(for_platform=HOST)
    assert result["failed"]
    assert "no report" in result["msg"]


def test_a_build_that_needs_more_memory_than_the_host_has_is_announced(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.run()
    record = site.path / ".next" / RECORD
    record.write_text(json.dumps({**json.loads(record.read_text()), "memory": 1500 * 1024 * 1024}))
    monkeypatch.setattr(build, "available_memory", lambda: 700 * 1024 * 1024)
    other = "wss://other.example.com/ws"
    warnings = site.run(check=True, url=other)["warnings"]
    assert any("1500 MiB" in each and "700 MiB" in each and "staging_frontend_build_on" in each for each in warnings)
    assert not site.run(check=True, url=other, build_on="controller").get("warnings")
    assert not site.run(check=True).get("warnings"), "no build is due"


def test_a_lock_file_of_another_package_manager_is_announced(site: Site) -> None:
    (site.path / "yarn.lock").write_text("")
    said = (
        f"{site.path} has yarn.lock beside package-lock.json, by which npm installs the packages. Delete what is left "
        "over from another package manager, or declare the right one as packageManager in package.json."
    )
    assert said in site.run(check=True)["warnings"]
    site.run()
    assert not site.run(check=True).get("warnings"), "nothing is to be installed"


def test_a_url_that_only_the_server_writes_into_its_pages_is_told_apart(site: Site) -> None:
    (site.path / "package.json").write_text('{"dependencies": {"astro": "5.0.0"}}')
    (site.path / "make.sh").write_text(
        f"mkdir -p dist/server dist/client && echo 'page({URL})' > dist/server/entry.mjs && echo > dist/client/a.js\n"
    )
    made: dict[str, Any] = {"output_dir": "dist", "build_command": ["sh", "make.sh"]}
    result = site.run(**made)
    assert result["failed"]
    assert (
        "only the code of its server has the URL: if that writes it into the pages, set staging_frontend_url_at to "
        "start, which proves the page that is served"
    ) in result["msg"]
    assert site.run(**made, expected_urls=[])["changed"]


def test_a_page_without_scripts_is_no_fault_where_no_url_is_expected(site: Site) -> None:
    (site.path / "package.json").write_text('{"dependencies": {"astro": "5.0.0"}}')
    (site.path / "make.sh").write_text("mkdir -p dist/server dist/client && echo > dist/server/entry.mjs\n")
    made: dict[str, Any] = {"output_dir": "dist", "build_command": ["sh", "make.sh"]}
    assert site.run(**made, expected_urls=[])["changed"]
    assert site.run(**made, expected_urls=[])["changed"] is False
    assert "has no client scripts; the sources do not seem to use" in site.run(**made)["msg"]


def test_a_build_may_be_beside_the_frontend_inside_the_application(site: Site) -> None:
    root = str(site.path.parent)
    (site.bin / "npm").write_text(NPM.replace(".next", "../dist/.next").replace("../dist/.next/", "../dist/"))
    (site.path / "package.json").write_text('{"dependencies": {"vite": "6.0.0"}}')
    result = site.run(output_dir="../dist", source_root=root)
    assert result["built"]
    assert result["proof"]["chunks"] == 1
    assert not site.run(output_dir="../dist", source_root=root)["changed"]
    for outside in ("../../dist", "..", "../web-ui"):
        assert site.run(output_dir=outside, source_root=root)["failed"]


def test_the_directory_that_a_build_wrote_instead_is_named(site: Site) -> None:
    (site.path / "make.sh").write_text("mkdir -p build && echo > build/index.html; echo ready\n")
    result = site.run(output_dir="dist", build_command=["sh", "make.sh"])
    assert result["failed"]
    assert "it wrote build: set staging_frontend_output_dir to that directory" in result["msg"]


def test_a_build_that_is_served_as_the_page_has_an_html_file_at_its_top(site: Site) -> None:
    (site.path / "package.json").write_text('{"dependencies": {"@angular/core": "20.0.0"}}')
    (site.path / "make.sh").write_text(
        'mkdir -p dist/web/browser && echo "$NG_APP_WS_URL" > dist/web/browser/index.html\n'
    )
    options: dict[str, Any] = {"build_command": ["sh", "make.sh"], "expected_urls": []}
    refused = site.run(output_dir="dist", whole=True, **options)
    assert refused["failed"]
    assert "build incomplete: no HTML file in" in refused["msg"]
    assert "it wrote dist/web/browser: set staging_frontend_output_dir to that directory" in refused["msg"]
    assert not site.run(output_dir="dist/web/browser", whole=True, **options)["failed"]
    assert not site.run(output_dir="dist/web/browser", whole=True, **options)["changed"]
    (site.path / "dist/web/browser/index.html").unlink()
    assert (
        "build incomplete" in site.run(output_dir="dist/web/browser", whole=True, check=True, **options)["reasons"][0]
    )


@pytest.fixture
def no_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Takes the programs away."""
    return lambda: monkeypatch.setattr(commands, "STANDARD_PATH", str(tmp_path / "nothing"))


def test_without_node_check_mode_predicts_the_first_build(site: Site, no_node: Any) -> None:
    no_node()
    result = site.run(check=True)
    assert (result["changed"], result["reasons"]) == (True, ["Node.js is not installed yet"])


def test_without_node_a_build_is_compared_with_all_that_it_was_made_of(site: Site, no_node: Any) -> None:
    """Another layer installs Node.js again, and then the build is the same."""
    built = site.run()
    no_node()
    same = site.run(check=True)
    assert (same["changed"], same["reasons"], same["revision"]) == (False, [], built["revision"])
    (site.path / "app.js").write_text("other")
    other = site.run(check=True)
    assert (other["changed"], other["reasons"]) == (True, ["source changed: app.js"])
    assert "Node.js is not installed (looked for node in" in site.run()["msg"]


def test_without_node_a_build_for_another_platform_is_not_compared_with_this_one(site: Site, no_node: Any) -> None:
    site.run()
    no_node()
    (site.path / "app.js").write_text("other")
    result = site.run(check=True, build_on="controller")
    assert (result["failed"], result["changed"]) == (False, True)
