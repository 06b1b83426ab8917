"""Servers and locations as nginx_effective_info tells them and as nginx chooses them, for configurations by chance."""

from __future__ import annotations

import http.client
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import config as nginx_config
from ansible_collections.codeframe.staging.plugins.module_utils._nginx import effective as nginx_effective
from ansible_collections.codeframe.staging.plugins.modules import nginx_effective_info
from free_ports import free_port
from nginx_tree import NGINX, NGINX_VERSION, Tree

pytestmark = [pytest.mark.skipif(not NGINX, reason="needs nginx")]

#: Parts that meet each other often: prefixes of each other, the same in other letters, with and without a slash.
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
    """Servers and locations that each answer with a number of their own."""

    def __init__(self, seed: int, echo: int) -> None:
        self.random = random.Random(seed)
        self.echo = echo
        self.last = 0

    def path(self, below: str = "") -> str:
        words = self.random.choices(WORDS, k=self.random.randint(0, 2))
        return (below.rstrip("/") or "") + "/" + "/".join(words) + self.random.choice(["", "", "/" if words else ""])

    def answer(self) -> str:
        """A directive by which a location is known, by itself or through another server."""
        self.last += 1
        if self.random.random() < 0.3:
            return f"proxy_set_header X-Number {self.last}; proxy_pass http://127.0.0.1:{self.echo};"
        return f'return 200 "{self.last}";'

    def locations(self, below: str, depth: int) -> str:
        """Locations inside of one; of one with a regular expression, nginx compares its text with theirs."""
        taken: set[tuple[str, str]] = set()
        text = ""
        for _number in range(self.random.randint(0, 5)):
            modifier = self.random.choice(["", "", "^~ ", "= ", "=", "~ ", "~* ", "~"])
            regex = modifier.startswith("~") or (below != "" and not below.startswith("/"))
            modifier = "~ " if regex and not modifier.startswith("~") else modifier
            where = self.random.choice(PATTERNS) if regex else self.path(below)
            # nginx refuses two prefixes alike, whatever their modifiers, and two exact ones.
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


def asked(port: int, address: str, name: str, path: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection(address, port, timeout=30)
    try:
        connection.request("GET", path, headers={"Host": name, "Connection": "close"})
        answer = connection.getresponse()
        body = answer.read().decode()
        return answer.status, body if answer.status == 200 else ""
    finally:
        connection.close()


def told(read: nginx_config.Tree, port: int, address: str, name: str, path: str) -> tuple[int, str]:
    """Status and number that the module expects."""
    request = nginx_effective.Request(name, port, False, nginx_effective.normal_path(path), address)
    answer = nginx_effective.explain(read, request, NGINX_VERSION)
    codes = [each.code for each in answer.findings]
    if "redirected" in codes:
        return 301, ""
    for each in answer.location.block or () if answer.location else ():
        if each.name == "return":
            return 200, each.args[1]
        if each.name == "proxy_set_header":
            return 200, each.args[1]
    return 404, ""


def directives(read: nginx_config.Tree) -> list[tuple[str, tuple[str, ...], str]]:
    return [(each.name, each.args, each.where) for each in nginx_config.walk(read.directives)]


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Tree]:
    made = Tree(tmp_path / "nginx", free_port())
    made.make()
    yield made
    made.stop()


@pytest.mark.parametrize("seed", [0, *(pytest.param(number, marks=pytest.mark.slow) for number in range(1, 40))])
def test_the_server_and_the_location_told_are_those_that_nginx_chooses(tree: Tree, seed: int) -> None:
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
    read = nginx_effective_info.tree_of_dump(dump, nginx_config.parse)
    crossed = nginx_effective_info.tree_of_dump(dump, nginx_effective_info.parse_by_crossplane)
    assert directives(read) == directives(crossed)
    paths = {"/", "/ws", "/ws/", "/w", "/wsx", "/a/ws", "/a", "/api/ws/", "/none", "/%77s", "/a//ws", "/a/../ws?x=/a"}
    paths |= {generator.path() for _number in range(12)}
    different = [
        f"{address} {name} {path}: nginx {does}, told {says}"
        for address in addresses
        for name in NAMES
        for path in sorted(paths)
        if (does := asked(tree.port, address, name, path)) != (says := told(read, tree.port, address, name, path))
    ]
    assert not different, "\n".join(different)
