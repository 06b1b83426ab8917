"""Which package may import which, and that the machine is reached through ``_host`` alone.

Read from the syntax trees of all plugins, so that an import inside a function counts as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = pytest.mark.source

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
_COLLECTION = "ansible_collections.codeframe.staging.plugins."

#: Names that reach the machine, with what offers the same in ``_host``.
DOORS = {
    "subprocess": "_host.command",
    "os.fork": "_host.command",
    "os.system": "_host.command",
    "os.rename": "_host.files",
    "os.replace": "_host.files",
    "os.fsync": "_host.files",
    "tempfile.mkstemp": "_host.files",
    "tempfile.NamedTemporaryFile": "_host.files",
    "/proc": "_host.proc, _host.sockets",
    "http.client": "_host.http",
    "urllib.request": "_host.http",
    "socket.create_connection": "_host.sockets",
    "ssl.create_default_context": "_host.http",
    "ssl._ssl": "_host.x509",
    "urllib.parse.urlsplit": "_host.url",
    "urllib.parse.urlparse": "_host.url",
}
#: What must differ: the file below plugins/ and the name, with the reason.
ALLOWED: Mapping[tuple[str, str], str] = {
    ("module_utils/_backend/virtualenv.py", "os.rename"): "a directory in place of the link moves aside",
    ("module_utils/_frontend/aside.py", "os.rename"): "directories move aside and back",
    ("module_utils/_frontend/aside.py", "os.replace"): "an existing marker moves with its directory",
    ("module_utils/_nginx/site/files.py", "os.rename"): "a removed file moves aside until nginx is reloaded",
    ("module_utils/_preflight/addresses_facts.py", "/proc"): "the addresses of the host, which nothing else reads",
    ("module_utils/_preflight/machine_facts.py", "/proc"): "memory and ephemeral ports, which nothing else reads",
    ("module_utils/_preflight/project.py", "/proc"): "a path that is judged, not opened",
    ("module_utils/_release/pruning.py", "os.rename"): "a release gets another name before it is deleted",
    ("module_utils/_release/removal.py", "os.rename"): "an env file moves out of a release before it is deleted",
    ("module_utils/_release/shared.py", "os.rename"): "existing data moves between a release and the shared directory",
    ("module_utils/_release/takeover.py", "os.rename"): "the project directory becomes the first release",
    ("plugin_utils/_lock_guard.py", "os.fork"): "a process that outlives the worker of Ansible",
    ("plugin_utils/_terminal.py", "/proc"): "whether the parent process writes to a terminal",
}


def sources() -> list[Path]:
    return sorted(PLUGINS.rglob("*.py"))


def module_name(path: Path) -> str:
    """``module_utils._pm2.plan`` for the file of that module."""
    return ".".join(path.relative_to(PLUGINS).with_suffix("").parts)


def imported(tree: ast.AST, name: str) -> Iterator[str]:
    """Modules of the collection that a module imports, as far as the syntax tells: a name may also be one inside."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith(_COLLECTION):
                    yield alias.name[len(_COLLECTION) :]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = name.split(".")[: -node.level]
                base = ".".join([*above, *([node.module] if node.module else [])])
            elif base.startswith(_COLLECTION):
                base = base[len(_COLLECTION) :]
            else:
                continue
            yield base
            for alias in node.names:
                yield f"{base}.{alias.name}"


def graph(trees: Mapping[str, ast.AST]) -> dict[str, set[str]]:
    """By module, the modules of the collection that it imports."""
    return {
        name: {found for found in imported(tree, name) if found in trees and found != name}
        for name, tree in trees.items()
    }


def by_package(modules: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The same by package of module_utils."""
    packages: dict[str, set[str]] = {}
    for name, targets in modules.items():
        if name.startswith("module_utils."):
            own = name.split(".")[1]
            found = packages.setdefault(own, set())
            found |= {target.split(".")[1] for target in targets if target.startswith("module_utils.")} - {own}
    return packages


def cycle(edges: Mapping[str, set[str]]) -> list[str]:
    """One cycle of a graph, in order and with its first node repeated at the end; empty if there is none."""
    done: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str]:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in done:
            return []
        for target in sorted(edges.get(node, ())):
            found = visit(target, [*path, node])
            if found:
                return found
        done.add(node)
        return []

    return next((found for node in sorted(edges) if (found := visit(node, []))), [])


def doors_used(tree: ast.AST) -> set[str]:
    """Which of the names that reach the machine a module uses."""
    names: dict[str, str] = {}
    used: set[str] = set()
    documentation = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }
    documentation |= {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("DOCUMENTATION", "EXAMPLES", "RETURN")
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
                used |= {door for door in DOORS if alias.name == door}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                names[alias.asname or alias.name] = full
                used |= {door for door in DOORS if door in (node.module, full)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            full = _dotted(node, names)
            used |= {door for door in DOORS if full == door or full.startswith(f"{door}.")}
        elif isinstance(node, ast.Constant) and id(node) not in documentation and _is_below_proc(node.value):
            used.add("/proc")
    return used


def _is_below_proc(value: object) -> bool:
    return isinstance(value, str) and (value == "/proc" or value.startswith("/proc/"))


def _dotted(node: ast.expr, names: Mapping[str, str]) -> str:
    if isinstance(node, ast.Attribute):
        inner = _dotted(node.value, names)
        return f"{inner}.{node.attr}" if inner else ""
    return names.get(node.id, "") if isinstance(node, ast.Name) else ""


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.AST]:
    return {module_name(path): ast.parse(path.read_text(encoding="utf-8")) for path in sources()}


def test_the_tree_is_looked_at(trees: Mapping[str, ast.AST]) -> None:
    found = graph(trees)
    assert len(trees) > 100
    assert "module_utils._host.proc" in found["module_utils._host.sockets"]
    assert "module_utils._dotenv.plan" in found["modules.dotenv_file"]


def test_host_imports_no_other_package(trees: Mapping[str, ast.AST]) -> None:
    assert by_package(graph(trees))["_host"] == set()


def test_no_packages_import_one_another_in_a_circle(trees: Mapping[str, ast.AST]) -> None:
    assert cycle(by_package(graph(trees))) == []


def test_no_modules_import_one_another_in_a_circle(trees: Mapping[str, ast.AST]) -> None:
    assert cycle(graph(trees)) == []


def test_modules_of_the_collection_import_no_other_and_no_package_imports_one(trees: Mapping[str, ast.AST]) -> None:
    wrong = {
        f"{name} imports {target}"
        for name, targets in graph(trees).items()
        for target in targets
        if target.startswith("modules.") and (name.startswith(("modules.", "module_utils.")))
    }
    assert wrong == set()


def test_packages_do_not_know_the_module_framework() -> None:
    wrong = [
        path.name for path in sources() if "module_utils" in path.parts and "ansible.module_utils" in path.read_text()
    ]
    assert wrong == []


def test_the_machine_is_reached_through_host_alone(trees: Mapping[str, ast.AST]) -> None:
    found = {
        (name.replace(".", "/") + ".py", door)
        for name, tree in trees.items()
        if not name.startswith("module_utils._host.")
        for door in doors_used(tree)
    }
    assert sorted(f"{path} uses {door} instead of {DOORS[door]}" for path, door in found - ALLOWED.keys()) == []
    assert sorted(ALLOWED.keys() - found) == [], "allowed, but not used any more"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("import subprocess", {"subprocess"}, id="import"),
        pytest.param("from subprocess import run", {"subprocess"}, id="from"),
        pytest.param("import os\nos.rename('a', 'b')", {"os.rename"}, id="attribute"),
        pytest.param("import os as o\no.replace('a', 'b')", {"os.replace"}, id="alias"),
        pytest.param("from os import fsync as f", {"os.fsync"}, id="from with an alias"),
        pytest.param("text.replace('a', 'b')", set(), id="another replace"),
        pytest.param("import dataclasses\ndataclasses.replace(a)", set(), id="another module's replace"),
        pytest.param("import http.client\nhttp.client.HTTPConnection()", {"http.client"}, id="submodule"),
        pytest.param("from http.client import HTTPException", {"http.client"}, id="from a submodule"),
        pytest.param("open('/proc/self/stat')", {"/proc"}, id="path"),
        pytest.param("open(f'/proc/{pid}/stat')", {"/proc"}, id="formatted path"),
        pytest.param("'''Reads /proc.'''\n'/processes'", set(), id="documentation and another path"),
        pytest.param("import ssl\nssl._ssl._test_decode_cert(x)", {"ssl._ssl"}, id="private part"),
        pytest.param("def f():\n    import subprocess", {"subprocess"}, id="inside a function"),
    ],
)
def test_a_name_that_reaches_the_machine_is_noticed(text: str, expected: set[str]) -> None:
    assert doors_used(ast.parse(text)) == expected


@pytest.mark.parametrize(
    ("edges", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"b"}}, ["b", "c", "b"]),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
    ],
)
def test_a_circle_is_noticed(edges: Iterable[str], expected: list[str]) -> None:
    assert cycle(dict(edges)) == expected  # type: ignore[call-overload]


def test_relative_and_absolute_imports_are_followed() -> None:
    texts = {
        "module_utils._a.one": "def f():\n    from .two import x",
        "module_utils._a.two": "from .._b import three as other",
        "module_utils._b.three": f"from {_COLLECTION}module_utils._a.one import y",
        "modules.four": "from ..module_utils._b.three import z",
    }
    found = graph({name: ast.parse(text) for name, text in texts.items()})
    assert found == {
        "module_utils._a.one": {"module_utils._a.two"},
        "module_utils._a.two": {"module_utils._b.three"},
        "module_utils._b.three": {"module_utils._a.one"},
        "modules.four": {"module_utils._b.three"},
    }
    assert by_package(found) == {"_a": {"_b"}, "_b": {"_a"}}
