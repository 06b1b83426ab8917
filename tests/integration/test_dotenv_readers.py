"""Values in an env file against the four real readers: bash, npm dotenv, @next/env and python-dotenv.

What a reader needs is looked for in the directories that the environment names: DOTENV_READERS_NODE (a directory with
node_modules/dotenv and node_modules/@next/env, /opt/tests/node by default) and DOTENV_READERS_PYTHON (a Python with
python-dotenv, /opt/tests/bin/python by default).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv import encoding as _dotenv
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv import readers as _dotenv_readers

NODE = Path(os.environ.get("DOTENV_READERS_NODE", "/opt/tests/node"))
PYTHON = os.environ.get("DOTENV_READERS_PYTHON", "/opt/tests/bin/python")
SEED = int(os.environ.get("DOTENV_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
VALUES = int(os.environ.get("DOTENV_VALUES", "2000"))
REFUSED = int(os.environ.get("DOTENV_REFUSED", "150"))

# Some forms are shell code, so there is nothing that they could run. Some end the subshell that reads them (a bad
# substitution does): the last one's status says nothing about the loop, the number of its answers does.
_BASH = r"""
PATH=/nonexistent
exec 9< "$1"
set --
while IFS= read -r file <&9; do
  printf 'FILE\0'
  ( source "$file" >/dev/null 2>&1 </dev/null
    for key in __BEFORE THE_KEY __AFTER; do
      if [ -n "${!key+x}" ]; then printf '%s=%s\0' "$key" "${!key}"; fi
    done ) 9<&-
done
exit 0
"""

_NODE = r"""
const fs = require("fs");
const [kind, list] = process.argv.slice(1);
const dotenv = kind === "dotenv" ? require("dotenv") : null;
const next = kind === "next" ? require("@next/env") : null;
const clean = { ...process.env };
const answers = fs.readFileSync(list, "utf8").split("\n").filter(Boolean).map((file) => {
  const text = fs.readFileSync(file, "utf8");
  if (dotenv) return dotenv.parse(text);
  for (const key of Object.keys(process.env)) if (!(key in clean)) delete process.env[key];
  const answer = next.processEnv([{ path: file, contents: text, env: {} }], "/", console, true);
  if (Array.isArray(answer)) return answer[1];
  // Up to Next.js 14 only the process's environment tells.
  const added = Object.entries(process.env).filter(([key]) => !(key in clean) && key !== "__NEXT_PROCESSED_ENV");
  return Object.fromEntries(added);
});
process.stdout.write(JSON.stringify(answers));
"""

_PYTHON = r"""
import json, logging, sys
logging.disable(logging.CRITICAL)
from dotenv import dotenv_values
print(json.dumps([dotenv_values(name) for name in open(sys.argv[1], encoding="utf-8").read().split("\n") if name]))
"""


Answers = dict[str, list[Mapping[str, Optional[str]]]]
"""By reader, what it makes of each text."""


def _environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", "NODE_ENV": "production"}


def _run(arguments: list[str], cwd: Path | None = None) -> bytes:
    done = subprocess.run(arguments, capture_output=True, env=_environment(), cwd=cwd, timeout=300, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def read_all(texts: list[str], directory: Path) -> Answers:
    """The values that each real reader returns for each text; one process for each reader."""
    files = []
    for number, text in enumerate(texts):
        path = directory / f"{number}.env"
        path.write_bytes(text.encode())
        files.append(str(path))
    names = directory / "names"
    names.write_text("".join(f"{name}\n" for name in files), encoding="utf-8")
    bash: list[Mapping[str, str | None]] = []
    for block in _run(["bash", "--norc", "-c", _BASH, "bash", str(names)], directory).split(b"FILE\0")[1:]:
        entries = [entry.partition(b"=") for entry in block.split(b"\0") if entry]
        bash.append({key.decode(): value.decode(errors="replace") for key, _equals, value in entries})
    assert len(bash) == len(texts)
    return {
        "bash": bash,
        "dotenv": json.loads(_run(["node", "-e", _NODE, "dotenv", str(names)], NODE)),
        "next": json.loads(_run(["node", "-e", _NODE, "next", str(names)], NODE)),
        "python-dotenv": json.loads(_run([PYTHON, "-c", _PYTHON, str(names)])),
    }


_PIECES = (
    *"abzAZ019_-./:@%+,=~!^*?[]{}()<>|&;#$'\"`\\ \t\n",
    *(
        "$HOME",
        "${HOME}",
        "$$",
        "$1",
        "$(id)",
        "`id`",
        "\\n",
        "\\r",
        "\\t",
        "\\$",
        "\\'",
        '\\"',
        "\\\\",
        "\\u0041",
        "\\x41",
    ),
    *(
        " #",
        "#",
        "# x",
        "''",
        '""',
        "'\\''",
        "=",
        "==",
        "export X=1",
        "\nTHE_KEY=evil",
        "\n\n",
        "\r",
        "\r\n",
        "  ",
        "${:-x}",
    ),
    *(
        "é",
        "ß",
        "漢",
        "🦀",
        "\u00a0",
        "\u2028",
        "\u2029",
        "\ufeff",
        "\u0085",
        "\x1c",
        "\x01",
        "\x7f",
        "\x0b",
        "\x0c",
        "\u200b",
    ),
    *("http://a.b/c?d=e&f=g#h", "postgres://u:p@h:5432/db", '{"a": [1, "b"]}', "p@ss w0rd!", "!!", "!x", "%s", "$'x'"),
)


def values(source: random.Random, number: int) -> list[str]:
    """Short values of awkward pieces, random secrets, and each piece alone, at both ends and inside."""
    found = ["", *_PIECES, *(f"{piece}x" for piece in _PIECES), *(f"x{piece}" for piece in _PIECES)]
    found += [f"a{piece}b" for piece in _PIECES]
    printable = "".join(map(chr, range(32, 127)))
    while len(found) < number:
        if source.random() < 0.3:
            found.append("".join(source.choices(printable, k=source.randint(8, 64))))
        else:
            found.append("".join(source.choices(_PIECES, k=source.randint(1, 6))))
    return found[:number]


@functools.cache
def judged() -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """The values of this run: those accepted with their form, those refused with the readers that differ."""
    accepted, refused = [], []
    for value in values(random.Random(SEED), VALUES):
        try:
            accepted.append((value, _dotenv.encode("THE_KEY", value)))
        except _dotenv.ValueRefusedError as error:
            refused.append((value, error.differing))
    return tuple(accepted), tuple(refused)


def _text(form: str) -> str:
    return f"__BEFORE='x'\nTHE_KEY={form}\n__AFTER='y'\n"


def versions() -> str:
    """The readers that are asked, as they call themselves."""
    bash = _run(["bash", "-c", "printf %s $BASH_VERSION"])
    script = 'process.stdout.write(require(process.argv[1] + "/package.json").version)'
    dotenv, following = (_run(["node", "-e", script, name], NODE) for name in ("dotenv", "@next/env"))
    python = _run([PYTHON, "-c", "from importlib.metadata import version as v; print(end=v('python-dotenv'))"])
    named = zip(("bash", "dotenv", "@next/env", "python-dotenv"), (bash, dotenv, following, python))
    return ", ".join(f"{name} {version.decode()}" for name, version in named)


def test_every_accepted_value_comes_back_from_all_four_readers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accepted, refused = judged()
    with capsys.disabled():
        print(f"\nDOTENV_SEED={SEED}: {len(accepted)} values accepted, {len(refused)} refused; {versions()}")
    seen = read_all([_text(form) for _value, form in accepted], tmp_path)
    wrong = [
        (value, form, readers)
        for number, (value, form) in enumerate(accepted)
        if (readers := differing(seen, number, value))
    ]
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(accepted)}, such as {wrong[:5]}"
    assert len(accepted) > VALUES // 4


def differing(seen: Answers, number: int, value: str) -> tuple[str, ...]:
    """The readers that do not return the value of this text, or lose a line beside it."""
    wanted = {"__BEFORE": "x", "THE_KEY": value, "__AFTER": "y"}
    return tuple(reader for reader, answers in seen.items() if answers[number] != wanted)


def test_a_refused_value_has_no_form_that_all_four_readers_return(tmp_path: Path) -> None:
    _accepted, refused = judged()
    sample = random.Random(SEED).sample(refused, min(len(refused), REFUSED))
    tried = [(value, form) for value, _readers in sample for form in more_forms(value)]
    seen = read_all([_text(form) for _value, form in tried], tmp_path)
    found: dict[str, set[tuple[str, ...]]] = {}
    for number, (value, _form) in enumerate(tried):
        found.setdefault(value, set()).add(differing(seen, number, value))
    needless = [value for value, readers in found.items() if () in readers]
    assert not needless, f"seed {SEED}: {len(needless)} values need not be refused, such as {needless[:5]}"
    # What all readers refuse alike (a byte that no environment holds) has no form to be told by.
    told = [(value, readers) for value, readers in sample if len(readers) < len(seen)]
    wrong = [(value, readers, found[value]) for value, readers in told if readers not in found[value]]
    assert not wrong, f"seed {SEED}: {len(wrong)} refusals name other readers than those that differ: {wrong[:3]}"
    assert told


def test_a_value_is_returned_by_fewer_readers_where_these_are_chosen(tmp_path: Path) -> None:
    source = random.Random(SEED)
    chosen: list[tuple[str, str, list[str]]] = []
    for value, _readers in judged()[1]:
        readers = sorted(source.sample(_dotenv_readers.READERS, source.randint(1, 3)))
        with contextlib.suppress(_dotenv.ValueRefusedError):
            chosen.append((value, _dotenv.encode("THE_KEY", value, readers), readers))
    seen = read_all([_text(form) for _value, form, _readers in chosen], tmp_path)
    wrong = [
        (value, form, readers)
        for number, (value, form, readers) in enumerate(chosen)
        if set(differing(seen, number, value)) & set(readers)
    ]
    assert not wrong, f"seed {SEED}: {len(wrong)} of {len(chosen)}, such as {wrong[:5]}"
    assert len(chosen) > VALUES // 20


def more_forms(value: str) -> list[str]:
    """Forms that a person might try, beyond those that the module knows."""
    escaped = "".join(f"\\{char}" if not char.isalnum() and char != "\n" else char for char in value)
    quoted_dollar = value.replace("$", "'$'")
    found = [
        *_dotenv.forms(value),
        escaped,
        f'"{escaped}"',
        f"'{escaped}'",
        quoted_dollar,
        f" '{value}'",
        f"$'{value}'",
    ]
    return [form for form in dict.fromkeys(found) if "\0" not in form]


def test_the_rules_of_the_module_are_those_of_the_readers(tmp_path: Path) -> None:
    """Whole files of pieces: where the module says that it knows a value, the reader returns just that."""
    source = random.Random(SEED)
    forms = [form for value in values(source, 600)[300:] for form in source.sample(_dotenv.forms(value), 2)]
    texts = [_text(form) for form in forms]
    seen = read_all(texts, tmp_path)
    wrong = []
    for reader, read in _dotenv_readers.READ.items():
        for number, text in enumerate(texts):
            try:
                expected = read(text)
            except _dotenv_readers.UnreadableError:
                continue
            for key in ("__BEFORE", "THE_KEY", "__AFTER"):
                value = expected.get(key)
                if value is not None and seen[reader][number].get(key) != value:
                    wrong.append((reader, text, key, value, seen[reader][number].get(key)))
    assert not wrong, f"seed {SEED}: {len(wrong)}, such as {wrong[:5]}"


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        pytest.param(
            "p$HOME-x", {"bash": "p/nonexistent-x", "dotenv": "p$HOME-x", "next": "p/nonexistent-x"}, id="dollar"
        ),
        pytest.param("val#nocomment", {"bash": "val#nocomment", "dotenv": "val", "next": "val"}, id="hash"),
        pytest.param("'sq $HOME'", {"bash": "sq $HOME", "dotenv": "sq $HOME", "next": "sq /nonexistent"}, id="single"),
    ],
)
def test_the_real_readers_disagree(tmp_path: Path, form: str, expected: dict[str, str]) -> None:
    seen = read_all([_text(form)], tmp_path)
    assert {reader: seen[reader][0]["THE_KEY"] for reader in expected} == expected


def test_a_whole_file_written_by_the_module_is_read_alike(tmp_path: Path, run_module) -> None:
    from ansible_collections.codeframe.staging.plugins.modules import dotenv_file

    path = tmp_path / ".env.staging"
    path.write_bytes(b"# written manually\nFOREIGN=keep me # really\nURL='old' # the URL\nexport TEXT=1\n")
    wanted = {"URL": "wss://api.example.com/ws?a=b#c", "TEXT": "two\nlines 'and' more", "EMPTY": "", "N": "14200"}
    result = run_module(dotenv_file, {"path": str(path), "values": wanted})
    assert result["changed"] is True, result
    for reader, answers in read_all([path.read_text(encoding="utf-8")], tmp_path).items():
        if reader != "bash":
            assert {key: answers[0].get(key) for key in wanted} == wanted, reader
    shell = _run(["bash", "-c", 'source "$1"; printf "%s|" "$URL" "$TEXT" "${EMPTY-unset}" "$N"', "bash", str(path)])
    assert shell.decode() == "|".join([*wanted.values(), ""])
