"""Sources of a build outside of its directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.outside import local_packages, named_outside

FILES = (
    *("shared/types.ts", "shared/util/deep.ts", "other/more.ts", "schema/api.json", "tsconfig.base.json"),
    *("server/index.ts", "server/routes/user.ts", "server/openapi.json", "node_modules/x/index.js", ".env"),
)


@pytest.mark.parametrize(
    ("name", "text", "directories", "files"),
    [
        pytest.param("a.ts", "import { x } from './b'", [], [], id="beside it"),
        pytest.param("src/a.ts", "import { x } from '../../shared/types'", ["shared"], [], id="a script"),
        pytest.param("a.ts", 'import("../shared/types.js")', ["shared"], [], id="named as the script it becomes"),
        pytest.param("a.ts", "import api from '../schema/api.json'", [], ["schema/api.json"], id="a file of data"),
        pytest.param("a.css", '@import "../shared/theme.css"', [], [], id="a file that is missing"),
        pytest.param("tsconfig.json", '{"paths": {"@s/*": ["../shared/*"]}}', ["shared"], [], id="a path"),
        pytest.param("tsconfig.json", '{"extends": "../tsconfig.base.json"}', [], ["tsconfig.base.json"], id="extends"),
        pytest.param("package.json", '{"dependencies": {"s": "file:../shared"}}', ["shared"], [], id="a package"),
        pytest.param("vite.config.ts", "alias: path.resolve(dir, '../shared')", ["shared"], [], id="an alias"),
        pytest.param("next.config.js", "root: path.join(__dirname, '../')", [], [], id="what is above"),
        pytest.param("a.ts", "import x from '../node_modules/x/index.js'", [], [], id="a package's file"),
        pytest.param("next.config.js", "config({ path: '../.env' })", [], [], id="an env file"),
        pytest.param("a.ts", "import x from '../../../etc/passwd'", [], [], id="outside of the application"),
        pytest.param("a.ts", "'../server'", [], [], id="the other part as a whole"),
        pytest.param("a.ts", "import '../server/openapi.json'", [], ["server/openapi.json"], id="a file of it"),
        pytest.param("a.ts", "import '../server/routes/user'", ["server/routes"], [], id="a directory of it"),
        pytest.param("a.ts", "import '../server/index'", ["server/routes"], ["server/index.ts"], id="at its top"),
        pytest.param("a.md", "'../shared/types'", [], [], id="no code"),
    ],
)
def test_what_sources_name_outside_of_their_directory(
    tmp_path: Path, name: str, text: str, directories: list[str], files: list[str]
) -> None:
    for each in FILES:
        (tmp_path / each).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / each).write_text("import './routes/user'" if each == "server/index.ts" else "")
    web = tmp_path / "web"
    (web / name).parent.mkdir(parents=True)
    (web / name).write_text(text)
    found = named_outside(str(web), str(tmp_path), [name], [str(tmp_path / "server")])
    assert found == ({str(tmp_path / each) for each in directories}, {str(tmp_path / each) for each in files})


def test_what_is_named_there_names_more(tmp_path: Path) -> None:
    for name, text in {
        "web/a.ts": "import '../shared/deep/a'",
        "shared/deep/a.ts": "import '../b'; import '../../web/a'",
        "shared/b.ts": "export * from '../more/c'",
        "more/c.ts": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = named_outside(str(tmp_path / "web"), str(tmp_path), ["a.ts"], [])
    assert found == ({str(tmp_path / "shared"), str(tmp_path / "more")}, set())


def test_a_link_to_a_directory_is_followed(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "web").mkdir()
    (tmp_path / "web/shared").symlink_to("../shared")
    assert named_outside(str(tmp_path / "web"), str(tmp_path), ["shared"], []) == ({str(tmp_path / "shared")}, set())


@pytest.mark.parametrize(
    ("package", "places"),
    [
        ({}, []),
        ({"dependencies": None}, []),
        ({"dependencies": {"next": "16.0.0", "a": "file:../a", "b": "link:./b/"}}, ["../a", "./b"]),
        ({"devDependencies": {"c": "portal:../c", "d": "../d"}}, ["../c", "../d"]),
        ({"dependencies": {"a": "file:../a-1.0.0.tgz", "b": "workspace:*", "c": "^1.2"}}, []),
    ],
)
def test_packages_that_are_named_by_their_directory(package: dict[str, Any], places: list[str]) -> None:
    assert local_packages(package) == places
