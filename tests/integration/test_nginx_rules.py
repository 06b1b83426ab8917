"""The servers and locations of nginx_effective_info are those that nginx chooses, for generated configurations."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator
from pathlib import Path

import nginx_crossplane
import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import Tree as ConfigTree
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.dump import split_dump, tree_of_files
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.evaluation import evaluate
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.request import HttpRequest, normal_path
from free_ports import free_port
from nginx_tree import NGINX, NGINX_VERSION, Tree

pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx")]

#: Parts that collide often: prefixes of each other, in another case, with and without a slash.
WORDS = ["ws", "w", "wsx", "WS", "a", "api", "x.y"]
PATTERNS = [
    "^/w",
    "^/ws$",
    "/ws",
    "ws/?$",
    "WS",
    "a",
    "^/a/(?<rest>.*)$",
    "x.y$",
    "[[:upper:]]",
    "^/$",
    "(?i)api",
    r"\.y",
]
NAMES = ["a.test", "b.test", "x.a.test", "y.x.a.test", "a.other", "A.test", "none"]
SERVER_NAMES = [
    *("a.test", "b.test", "x.a.test", "A.TEST", "*.a.test", ".a.test", "*.test", "a.*", "x.a.*", ".x.a.test"),
    *(r"~^a\.", "~other$", r"~^(?<sub>.+)\.a\.test$", "~A", "_", '""'),
]


class Generator:
    """Servers and locations that each answer with another number."""

    def __init__(self, seed: int, echo: int) -> None:
        self.random = random.Random(seed)
        self.echo = echo
        self.last = 0

    def path(self, below: str = "") -> str:
        words = self.random.choices(WORDS, k=self.random.randint(0, 2))
        return (below.rstrip("/") or "") + "/" + "/".join(words) + self.random.choice(["", "", "/" if words else ""])

    def answer(self) -> str:
        """Directives that answer with a number, directly or through another server."""
        self.last += 1
        if self.random.random() < 0.3:
            return f"proxy_set_header X-Number {self.last}; proxy_pass http://127.0.0.1:{self.echo};"
        return f'return 200 "{self.last}";'

    def locations(self, below: str, depth: int) -> str:
        """Locations inside of another one, whose text or regular expression is ``below``."""
        taken: set[tuple[str, str]] = set()
        text = ""
        for _number in range(self.random.randint(0, 5)):
            modifier = self.random.choice(["", "", "^~ ", "= ", "=", "~ ", "~* ", "~"])
            regex = modifier.startswith("~") or (below != "" and not below.startswith("/"))
            modifier = "~ " if regex and not modifier.startswith("~") else modifier
            where = self.random.choice(PATTERNS) if regex else self.path(below)
            # nginx refuses two equal prefixes, whatever their modifiers, and two equal exact paths.
            kind = "~" if regex else modifier.strip() if modifier.startswith("=") else ""
            if not regex and (kind, where) in taken:
                continue
            taken.add((kind, where))
            inner = ""
            if depth and not modifier.startswith("=") and self.random.random() < 0.4:
                inner = self.locations(where, depth - 1)
            text += f"location {modifier}{where} {{ {self.answer()} {inner} }}\n"
        return text

    def servers(self, address: str, port: int) -> str:
        text = ""
        default = self.random.choice([None, 0, 1, 2])
        for number in range(self.random.randint(1, 4)):
            names = self.random.sample(SERVER_NAMES, self.random.randint(0, 3))
            marked = " default_server" if number == default else ""
            text += f"server {{ listen {address}:{port}{marked};\n"
            text += f"server_name {' '.join(names)};\n" if names else ""
            text += f"root /no/such/place/{self.last}; {self.locations('', 2)} }}\n"
        return text


def answer_of_nginx(port: int, address: str, name: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": name, "Connection": "close"})
        answer = connection.getresponse()
        body = answer.read().decode()
        return answer.status, body if answer.status == 200 else ""
    finally:
        connection.close()


def answer_evaluated(read: ConfigTree, port: int, address: str, name: str, path: str) -> tuple[int, str]:
    """Status and number that the evaluation expects."""
    evaluation = evaluate(read, HttpRequest(name, port, False, normal_path(path), address), NGINX_VERSION)
    if "redirected" in [each.code for each in evaluation.findings]:
        return 301, ""
    for each in evaluation.location.block or () if evaluation.location else ():
        if each.name in ("return", "proxy_set_header"):
            return 200, each.args[1]
    return 404, ""


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "nginx", free_port())
    made.make()
    yield made
    made.stop()


@pytest.mark.parametrize("seed", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 40))])
def test_the_server_and_the_location_are_those_that_nginx_chooses(tree: Tree, seed: int) -> None:
    echo = free_port()
    (tree.root / "conf.d/echo.conf").write_text(
        f"server {{ listen 127.0.0.1:{echo}; location / {{ return 200 $http_x_number; }} }}\n"
    )
    generator = Generator(seed, echo)
    addresses = []
    for number in range(10):
        address = f"127.0.2.{number + 1}"
        file = tree.root / f"conf.d/{number:02}.conf"
        file.write_text(generator.servers(address, tree.port))
        if tree.accepted():
            addresses.append(address)
        else:
            file.unlink()
    assert len(addresses) >= 5
    tree.start()
    dump = tree.command("-T").stdout
    read = tree_of_files(split_dump(dump))
    for file, text in split_dump(dump).items():
        nginx_crossplane.assert_parsed_alike(text, file)
    paths = {"/", "/ws", "/ws/", "/w", "/wsx", "/a/ws", "/a", "/api/ws/", "/none", "/%77s", "/a//ws", "/a/../ws?x=/a"}
    paths |= {generator.path() for _number in range(12)}
    different = []
    for address in addresses:
        for name in NAMES:
            for path in sorted(paths):
                real = answer_of_nginx(tree.port, address, name, path)
                expected = answer_evaluated(read, tree.port, address, name, path)
                if real != expected:
                    different.append(f"{address} {name} {path}: nginx {real}, evaluation {expected}")
    assert not different, "\n".join(different)
