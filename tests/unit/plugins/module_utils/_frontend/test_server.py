# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server of a build, on real files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.errors import BuildError
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.server import (
    Server,
    complete_standalone,
    refuse_export,
    server_of,
)

NEXT = {"dependencies": {"next": "16.0.0"}}
ARGUMENTS = ("start", "-H", "0.0.0.0", "-p", "{port}")


def touched(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")


def configured(output: Path, **values: Any) -> None:
    output.mkdir(parents=True, exist_ok=True)
    (output / "required-server-files.json").write_text(json.dumps(values))


def found(path: Path, output: str, package: dict[str, Any], *places: Path) -> Server:
    return server_of(str(path), str(path / output), package, [str(place) for place in (path, *places)])


def test_next_before_its_first_installation(tmp_path: Path) -> None:
    assert found(tmp_path, ".next", NEXT) == Server("next", ("node_modules/.bin/next", *ARGUMENTS))


def test_next_at_the_root_of_a_workspace(tmp_path: Path) -> None:
    touched(tmp_path, "node_modules/next/dist/bin/next", "node_modules/.bin/x")
    (tmp_path / "node_modules/.bin/next").symlink_to("../next/dist/bin/next")
    path = tmp_path / "apps/web"
    assert found(path, ".next", NEXT, tmp_path).command == ("../../node_modules/.bin/next", *ARGUMENTS)


def test_the_shell_script_of_pnpm_is_passed_over(tmp_path: Path) -> None:
    touched(tmp_path, "node_modules/next/dist/bin/next", "node_modules/.bin/next")
    assert found(tmp_path, ".next", NEXT).command == ("node_modules/next/dist/bin/next", *ARGUMENTS)


@pytest.mark.parametrize(
    ("files", "package", "output", "server"),
    [
        pytest.param(
            ("server/index.mjs", "nitro.json"), {}, ".output", Server("nitro", (".output/server/index.mjs",)), id="nuxt"
        ),
        pytest.param(
            ("server/entry.mjs", "client/x.js"), {}, "dist", Server("astro", ("dist/server/entry.mjs",)), id="astro"
        ),
        pytest.param(("server/entry.mjs",), {}, "dist", Server(), id="another-entry"),
        pytest.param(("index.js", "handler.js"), {}, "build", Server("sveltekit", ("build/index.js",)), id="sveltekit"),
        pytest.param(("index.js",), {}, "build", Server(), id="some-script"),
        pytest.param(
            ("server/index.js", "../node_modules/@remix-run/serve/dist/cli.js"),
            {"dependencies": {"@remix-run/serve": "2"}},
            "build",
            Server("remix", ("node_modules/@remix-run/serve/dist/cli.js", "build/server/index.js")),
            id="remix",
        ),
        pytest.param(("index.html",), {}, "dist", Server(), id="static"),
    ],
)
def test_other_frameworks(
    tmp_path: Path, files: tuple[str, ...], package: dict[str, Any], output: str, server: Server
) -> None:
    (tmp_path / output).mkdir()
    touched(tmp_path / output, *files)
    assert found(tmp_path, output, package) == server


@pytest.mark.parametrize("recorded", [{"relativeAppDir": "apps/web"}, {}], ids=["recorded", "found"])
def test_a_standalone_output_in_a_workspace_is_completed(tmp_path: Path, recorded: dict[str, str]) -> None:
    path = tmp_path / "apps/web"
    configured(path / ".next", config={"output": "standalone"}, **recorded)
    touched(path / ".next", "standalone/apps/web/server.js", "static/chunks/a.js")
    touched(path, "public/robots.txt")
    # A copy that the application's own build command made.
    touched(path / ".next/standalone/apps/web/.next/static", "chunks/a.js")
    assert found(path, ".next", NEXT) == Server("standalone", (".next/standalone/apps/web/server.js",))
    for _ in range(2):
        complete_standalone(str(path / ".next"), str(path))
    served = path / ".next/standalone/apps/web"
    assert (served / ".next/static").is_symlink()
    assert (served / ".next/static/chunks/a.js").is_file()
    assert (served / "public/robots.txt").is_file()


def test_a_standalone_output_without_public_files(tmp_path: Path) -> None:
    configured(tmp_path / ".next", config={"output": "standalone"}, relativeAppDir="")
    touched(tmp_path / ".next", "standalone/server.js", "static/a.js")
    complete_standalone(str(tmp_path / ".next"), str(tmp_path))
    assert sorted(path.name for path in (tmp_path / ".next/standalone").iterdir()) == [".next", "server.js"]


def test_an_output_that_is_not_standalone_is_left_alone(tmp_path: Path) -> None:
    configured(tmp_path / ".next", config={"output": None})
    touched(tmp_path / ".next", "standalone/server.js", "static/a.js")
    complete_standalone(str(tmp_path / ".next"), str(tmp_path))
    assert not (tmp_path / ".next/standalone/.next").exists()
    assert found(tmp_path, ".next", NEXT).kind == "next"


def test_a_static_export_is_no_output_that_next_serves(tmp_path: Path) -> None:
    configured(tmp_path / ".next", config={"output": "export"})
    with pytest.raises(BuildError, match="staging_frontend_serve to static and staging_frontend_output_dir to out"):
        refuse_export(str(tmp_path / ".next"))
