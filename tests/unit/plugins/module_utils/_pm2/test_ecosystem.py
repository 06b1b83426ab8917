"""A user's own ecosystem file."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.ecosystem import (
    ecosystem_application,
    read_ecosystem,
)
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error

NODE = shutil.which("node")
ENV = {"PATH": os.environ["PATH"]}
needs_node = pytest.mark.skipif(not NODE, reason="needs Node.js")


def application(path: Path, name: str = "web") -> dict[str, Any]:
    return ecosystem_application(str(path), name, NODE or "node", ENV)


@pytest.mark.parametrize("value", [{"apps": [{"name": "web"}]}, [{"name": "web"}], {"apps": {"name": "web"}}])
def test_json_needs_no_node(tmp_path: Path, value: Any) -> None:
    file = tmp_path / "ecosystem.json"
    file.write_text(json.dumps(value))
    assert read_ecosystem(str(file), "/nonexistent", ENV) == [{"name": "web"}]


@pytest.mark.parametrize("value", ["text", {"apps": "text"}, {"apps": ["web"]}, {}])
def test_a_file_without_a_list_of_applications_is_refused(tmp_path: Path, value: Any) -> None:
    file = tmp_path / "ecosystem.json"
    file.write_text(json.dumps(value))
    with pytest.raises(Pm2Error, match="contains no list of applications"):
        read_ecosystem(str(file), "node", ENV)


def test_malformed_json_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ecosystem.json"
    file.write_text("{")
    with pytest.raises(Pm2Error, match="is not valid JSON"):
        read_ecosystem(str(file), "node", ENV)


def test_the_directory_of_the_file_is_the_working_directory_unless_it_names_one(tmp_path: Path) -> None:
    file = tmp_path / "ecosystem.json"
    file.write_text('{"apps": [{"name": "web"}, {"name": "api", "cwd": "/srv"}]}')
    assert application(file)["cwd"] == str(tmp_path)
    assert application(file, "api")["cwd"] == "/srv"
    with pytest.raises(Pm2Error) as error:
        application(file, "third")
    assert str(error.value) == f"{file} defines no application named third (it defines: web, api)"


@needs_node
def test_node_evaluates_the_file_through_the_link(tmp_path: Path) -> None:
    release = tmp_path / "releases/0001"
    release.mkdir(parents=True)
    (tmp_path / "app").symlink_to(release)
    (release / "ecosystem.config.js").write_text(
        "console.log('[a banner]');\n"
        "module.exports = {apps: [{name: 'web', script: require('fs').realpathSync(__dirname) + '/server.js',"
        f" out_file: '{release}-logs/out', args: [__dirname], env: {{A: process.env.STRAY || 'none', N: 1}}}}]}}"
    )
    found = application(tmp_path / "app/ecosystem.config.js")
    assert found["script"] == f"{tmp_path}/app/server.js"
    assert found["args"] == [f"{tmp_path}/app"]
    # Another directory that begins alike stays.
    assert found["out_file"] == f"{release}-logs/out"
    assert found["env"] == {"A": "none", "N": 1}


@needs_node
def test_the_reason_of_node_is_said(tmp_path: Path) -> None:
    file = tmp_path / "ecosystem.config.js"
    file.write_text("throw new Error('no such thing')")
    with pytest.raises(Pm2Error) as error:
        application(file)
    assert str(error.value) == f"Node.js cannot evaluate {file}: Error: no such thing"


@needs_node
def test_a_module_that_only_its_resolved_path_finds(tmp_path: Path) -> None:
    (tmp_path / "store/a").mkdir(parents=True)
    (tmp_path / "store/node_modules/b").mkdir(parents=True)
    (tmp_path / "store/node_modules/b/index.js").write_text("module.exports = 'found'")
    (tmp_path / "store/a/index.js").write_text("module.exports = require('b')")
    (tmp_path / "app/node_modules").mkdir(parents=True)
    (tmp_path / "app/node_modules/a").symlink_to(tmp_path / "store/a")
    file = tmp_path / "app/ecosystem.config.js"
    file.write_text("module.exports = [{name: 'web', script: require('a')}]")
    assert application(file)["script"] == "found"


def test_without_node_a_javascript_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "ecosystem.config.js"
    file.write_text("")
    with pytest.raises(Pm2Error, match="cannot be evaluated: /nonexistent/node: No such file or directory"):
        read_ecosystem(str(file), "/nonexistent/node", ENV)


@needs_node
@pytest.mark.parametrize("text", ["module.exports = {apps: [{name: 'web'}]}", "export default {apps: []}"])
def test_a_file_that_node_takes_for_a_module_is_refused_with_the_name_that_it_needs(tmp_path: Path, text: str) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    file = tmp_path / "ecosystem.config.js"
    file.write_text(text)
    with pytest.raises(
        Pm2Error, match=r"give the file a name that ends in \.cjs, and write that into staging_ecosystem"
    ):
        read_ecosystem(str(file), NODE or "node", ENV)
    file = file.rename(tmp_path / "ecosystem.config.cjs")
    file.write_text("module.exports = {apps: [{name: 'web'}]}")
    assert read_ecosystem(str(file), NODE or "node", ENV) == [{"name": "web"}]


@needs_node
def test_a_package_that_the_file_needs_is_named(tmp_path: Path) -> None:
    file = tmp_path / "ecosystem.config.js"
    file.write_text("require('dotenv').config()")
    with pytest.raises(Pm2Error, match="the file needs dotenv, which is not installed beside it"):
        read_ecosystem(str(file), NODE or "node", ENV)
