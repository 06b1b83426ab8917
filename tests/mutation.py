"""Mutation testing of the pure code: does a test fail when a line of a plan is changed?

``mutmut`` makes the mutants and runs the unit tests against each. It takes a module's name from its path, so that it
gets a copy of the checkout at ``.cache/mutation/ansible_collections/codeframe/staging``. All mutants would take hours:
a sample is tested, the same for the same seed. A mutant that survives is either a gap in the tests or listed in
``tests/mutation_survivors.yml`` with the reason why no test should kill it. A mutant that none of these tests runs is
counted apart: the module and integration tests run it.

Usage: ``python tests/mutation.py [--mutants N] [--seed SEED] [--only PATTERN]``. The exit status is 1 if a mutant
survived that is not listed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).resolve().parent.parent
WORK = CHECKOUT / ".cache" / "mutation"
COLLECTION = Path("ansible_collections/codeframe/staging")
PURE_CODE = Path("plugins/module_utils")
SURVIVORS = Path("tests/mutation_survivors.yml")

IO_MODULES = frozenset(
    (
        "ansible",
        "asyncio",
        "fcntl",
        "glob",
        "grp",
        "http.client",
        "http.server",
        "multiprocessing",
        "os",
        "pathlib",
        "pwd",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "ssl",
        "subprocess",
        "tarfile",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
    )
)
"""What pure code does not import: the machine, the network, the clock, chance."""
LEXICAL = ("os.path", "pathlib.PurePath", "pathlib.PurePosixPath")
"""What it may use of them: texts in, texts out."""

CONFIGURATION = """\
[tool.mutmut]
source_paths = ["{collection}/plugins/module_utils"]
only_mutate = {modules}
also_copy = {copied}
pytest_add_cli_args_test_selection = ["{collection}/{tests}"]
pytest_add_cli_args = ["-p", "no:cacheprovider", "-c", "{collection}/pyproject.toml", "-m", "not slow and not source"]
"""
KILLED = (1, 3, 24, -24, 36, 152, 255, -9, -11)
"""Exit codes that mutmut records where a test failed, or where the mutant had to be ended (its loop had no end)."""
NO_TEST = (5, 33)


@dataclass(frozen=True)
class Survivor:
    """One mutant that no test noticed: the source, and the mutant."""

    file: str
    function: str
    source: str
    mutant: str

    def __str__(self) -> str:
        return f"{self.file}, {self.function}:\n  - {self.source}\n  + {self.mutant}"


def imported_names(source: str) -> set[str]:
    """Dotted names that a module imports or uses of its imports, relative imports aside."""
    tree = ast.parse(source)
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    # `import os` for `os.path.join` alone is lexical: the attribute counts, not the import.
    used = {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names
    }
    return {name for name in names if not any(use.startswith(f"{name}.") for use in used)} | used


def is_pure(source: str) -> bool:
    """Tell whether a module only computes: it imports nothing that reads or changes the machine."""

    def within(name: str, modules: Iterable[str]) -> bool:
        return any(name == module or name.startswith(f"{module}.") for module in modules)

    return not any(within(name, IO_MODULES) and not within(name, LEXICAL) for name in imported_names(source))


def pure_modules(checkout: Path) -> list[Path]:
    """The pure modules below ``plugins/module_utils``, relative to the checkout."""
    found = sorted((checkout / PURE_CODE).rglob("*.py"))
    return [path.relative_to(checkout) for path in found if is_pure(path.read_text())]


def sample(names: Iterable[str], seed: str, limit: int) -> list[str]:
    """Choose at most ``limit`` names by a digest of name and seed.

    A name stays chosen when mutants of other functions come or go.
    """
    digests = {name: hashlib.sha256(f"{seed} {name}".encode()).hexdigest() for name in names}
    return sorted(digests, key=digests.__getitem__)[:limit]


def survivor(name: str, diff: str) -> Survivor:
    """Read the mutant's name and its diff, as mutmut shows them.

    :param name: ``ansible_collections.codeframe.staging.<module>.x_<function>__mutmut_<number>``, or
        ``xǁ<class>ǁ<method>`` for a method.
    """
    lines = diff.splitlines()
    file = next(line[4:] for line in lines if line.startswith("--- "))
    function = name.rpartition("__mutmut_")[0].rpartition(".")[2]
    function = function[1:].strip("ǁ").replace("ǁ", ".") if "ǁ" in function else function[2:]

    def text(sign: str) -> str:
        return " ".join(line[1:].strip() for line in lines if line.startswith(sign) and not line.startswith(sign * 3))

    return Survivor(str(Path(file).relative_to(COLLECTION)), function, text("-"), text("+"))


def kept_on_purpose(checkout: Path) -> dict[Survivor, str]:
    """The survivors that stay, with the reason.

    :raises ValueError: If one is listed whose source is gone, or that has no reason.
    """
    listed: list[dict[str, Any]] = yaml.safe_load((checkout / SURVIVORS).read_text()) or []
    kept: dict[Survivor, str] = {}
    for entry in listed:
        reason = entry.pop("reason", "")
        one = Survivor(**entry)
        path = checkout / one.file
        source = " ".join(path.read_text().split()) if path.exists() else ""
        if not reason or " ".join(one.source.split()) not in source:
            raise ValueError(f"{SURVIVORS}: remove or renew the entry of {one}")
        kept[one] = reason
    return kept


def copy_checkout(checkout: Path, copy: Path) -> None:
    """Copy what git tracks, and what it does not ignore, without the link to the checkout itself."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", ".", ":!collections"],
        cwd=checkout,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (checkout / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(checkout / name, copy / name)


def make_mutants(work: Path) -> list[str]:
    """Write the mutants as ``mutmut run`` does, which then finds them made, and return their names."""
    before = Path.cwd()
    # mutmut reads its settings from the working directory, some of them on import.
    os.chdir(work)
    try:
        from mutmut.__main__ import create_mutants
        from mutmut.utils.file_utils import copy_src_dir

        copy_src_dir()
        with contextlib.redirect_stdout(io.StringIO()):
            create_mutants(os.cpu_count() or 1)
    finally:
        os.chdir(before)
    return sorted(exit_codes(work))


def exit_codes(work: Path) -> dict[str, int | None]:
    """What mutmut recorded for each mutant; ``None`` where it was not tested."""
    codes: dict[str, int | None] = {}
    for path in (work / "mutants").rglob("*.py.meta"):
        codes.update(json.loads(path.read_text())["exit_code_by_key"])
    return codes


def main() -> int:
    parser = argparse.ArgumentParser(description="Mutation testing of the pure code.")
    parser.add_argument("--mutants", type=int, default=300, help="how many are tested at most")
    parser.add_argument("--seed", default="1", help="which ones: another seed tests others")
    parser.add_argument("--only", default="*", help="modules that match this pattern, such as '*/_nginx/*'")
    parser.add_argument(
        "--tests", default="tests/unit/plugins/module_utils", help="the folder whose tests have to fail"
    )
    arguments = parser.parse_args()

    kept = kept_on_purpose(CHECKOUT)
    shutil.rmtree(WORK, ignore_errors=True)
    copy_checkout(CHECKOUT, WORK / COLLECTION)
    modules = [path for path in pure_modules(CHECKOUT) if fnmatch(str(path), arguments.only)]
    # Without the folder of the mutants, which a copy would overwrite.
    collection, plugins = WORK / COLLECTION, WORK / COLLECTION / "plugins"
    copied = [*collection.iterdir(), *plugins.iterdir()]
    copied = [path for path in copied if path not in (plugins, WORK / COLLECTION / PURE_CODE)]
    configuration = CONFIGURATION.format(
        copied=json.dumps([str(path.relative_to(WORK)) for path in copied]),
        collection=COLLECTION,
        tests=arguments.tests,
        modules=json.dumps([str(COLLECTION / path) for path in modules]),
    )
    (WORK / "pyproject.toml").write_text(configuration)
    names = make_mutants(WORK)
    chosen = sample(names, arguments.seed, arguments.mutants)
    print(f"{len(chosen)} of {len(names)} mutants of {len(modules)} pure modules, seed {arguments.seed}", flush=True)
    if not chosen:
        return 1

    mutmut = str(Path(sys.executable).with_name("mutmut"))
    with (WORK / "log").open("w") as log:
        done = subprocess.run([mutmut, "run", *chosen], cwd=WORK, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        print(f"mutmut ended with {done.returncode}; see {WORK / 'log'}", file=sys.stderr)
        return 1

    codes = exit_codes(WORK)
    survivors: dict[Survivor, bool] = {}
    for name in chosen:
        if codes[name] not in KILLED:
            shown = subprocess.run([mutmut, "show", name], cwd=WORK, capture_output=True, text=True, check=True)
            survivors[survivor(name, shown.stdout)] = codes[name] in NO_TEST
    unknown = [one for one in survivors if one not in kept and not survivors[one]]
    for one in unknown:
        print(f"survived: {one}")
    not_run = sorted({one.file for one, not_run in survivors.items() if not_run})
    killed = sum(codes[name] in KILLED for name in chosen)
    judged = killed + len(unknown)
    print(f"{killed} of {judged} mutants killed: {100 * killed / max(judged, 1):.1f} %")
    print(f"{sum(not not_run for not_run in survivors.values()) - len(unknown)} more survived on purpose ({SURVIVORS})")
    print(
        f"{sum(survivors.values())} more are run by no test in {arguments.tests}, in {', '.join(not_run) or 'no file'}"
    )
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
