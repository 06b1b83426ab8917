"""dotenv_file on real files."""

from __future__ import annotations

import getpass
import json
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv import plan
from ansible_collections.codeframe.staging.plugins.modules import dotenv_file
from module_runner import RunModule

SECRET = "Tr0ub4dor-and-3"
KEYS = {
    "changed",
    "path",
    "keys_added",
    "keys_changed",
    "keys_removed",
    "keys_generated",
    "keys_differing",
    "attributes_changed",
    "restores",
    "example_changed",
    "diff",
}


class Run:
    """The module on one file; every success has the same keys."""

    def __init__(self, run_module: RunModule, path: Path) -> None:
        self.run_module = run_module
        self.path = path

    def __call__(self, *, check: bool = False, **args: Any) -> dict[str, Any]:
        result = self.run_module(dotenv_file, {"path": str(self.path), **args}, check=check, diff=True)
        if not result["failed"]:
            assert result.keys() >= KEYS
        return result

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()

    @property
    def mode(self) -> int:
        return stat.S_IMODE(self.path.stat().st_mode)


@pytest.fixture
def run(run_module: RunModule, tmp_path: Path) -> Iterator[Run]:
    umask = os.umask(0o022)
    yield Run(run_module, tmp_path / ".env.staging")
    os.umask(umask)


def test_a_new_file_holds_the_keys_in_order_and_is_private(run: Run) -> None:
    result = run(values={"PORT": 14200, "DEBUG": False}, secret_values={"AUTH_SECRET": SECRET})
    assert result["changed"] is True
    assert run.text == f"PORT=14200\nDEBUG=false\nAUTH_SECRET={SECRET}\n"
    assert run.mode == 0o600
    assert result["keys_added"] == ["PORT", "DEBUG", "AUTH_SECRET"]
    assert (result["keys_changed"], result["keys_removed"]) == ([], [])


def test_a_new_file_takes_its_order_and_comments_from_the_content(run: Run) -> None:
    result = run(values={"B": "2", "C": "3"}, content="# first\nA=\n# second\nB=\n")
    assert run.text == "# first\nA=\n# second\nB=2\nC=3\n"
    assert (result["keys_added"], result["keys_changed"]) == (["A", "B", "C"], [])


def test_the_content_is_not_used_for_an_existing_file(run: Run) -> None:
    run.path.write_text("B=1\n")
    run(values={"B": "2"}, content="# first\nB=\n")
    assert run.text == "B=2\n"


def test_a_second_run_changes_nothing(run: Run) -> None:
    args: dict[str, Any] = {
        "values": {"A": "x y"},
        "secret_values": {"S": SECRET},
        "generate": {"G": {}},
        "content": "# c\nG=\n",
    }
    assert run(**args)["changed"] is True
    before = run.path.stat()
    result = run(**args)
    assert result["changed"] is False
    assert (run.path.stat().st_ino, run.path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert result["diff"][0]["before"] == result["diff"][0]["after"] == ""


def test_check_mode_predicts_the_change_and_writes_nothing(run: Run, tmp_path: Path) -> None:
    run.path.write_text("A=1\n")
    before = run.path.stat()
    predicted = run(check=True, values={"A": "2"}, secret_values={"S": SECRET})
    assert predicted["changed"] is True
    assert run.text == "A=1\n"
    assert (run.path.stat().st_ino, run.path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [entry.name for entry in tmp_path.iterdir()] == [".env.staging"]
    real = run(values={"A": "2"}, secret_values={"S": SECRET})
    assert {key: real[key] for key in KEYS} == {key: predicted[key] for key in KEYS}


def test_check_mode_tolerates_a_bare_host(run_module: RunModule, tmp_path: Path) -> None:
    run = Run(run_module, tmp_path / "nowhere" / "yet" / ".env")
    result = run(check=True, values={"A": "1"}, owner="nobody-yet")
    assert (result["changed"], result["keys_added"]) == (True, ["A"])
    assert not (tmp_path / "nowhere").exists()


def test_a_missing_directory_fails_outside_check_mode(run_module: RunModule, tmp_path: Path) -> None:
    run = Run(run_module, tmp_path / "nowhere" / ".env")
    assert run(values={"A": "1"})["msg"] == (
        f"{tmp_path}/nowhere/.env cannot be written since the directory {tmp_path}/nowhere does not exist"
    )


def test_a_missing_user_fails_outside_check_mode(run: Run) -> None:
    assert run(values={"A": "1"}, owner="nobody-yet")["msg"] == (
        f"{run.path} cannot be given to the user nobody-yet, who does not exist; create the user first"
    )
    assert not run.path.exists()


def test_other_lines_stay_byte_for_byte(run: Run) -> None:
    run.path.write_bytes(b"#  manually written \t\n\n  FOREIGN = 'keep'   # why\nA=1\nGREETING=has space\n")
    result = run(values={"A": "2"})
    assert run.text == "#  manually written \t\n\n  FOREIGN = 'keep'   # why\nA=2\nGREETING=has space\n"
    assert result["keys_differing"] == ["FOREIGN", "GREETING"]
    assert result["warnings"] == [
        f"{run.path}: FOREIGN in line 3 is not read alike by bash, dotenv, next and python-dotenv: there is a space "
        "beside the equals sign, for which bash takes the rest for a command; remove the spaces around =. It was "
        "left as "
        "it is",
        f"{run.path}: GREETING in line 5 is not read alike by bash, dotenv, next and python-dotenv: its value has "
        "spaces "
        "without quotes, so that bash takes the second word for a command; put the whole value in single quotes. It "
        "was "
        "left as it is",
    ]


def test_the_diff_shows_plain_values_and_no_secret(run: Run) -> None:
    run.path.touch(0o600)
    run.path.write_text(f"URL=ws://old/ws\nTOKEN=old-{SECRET}\nGONE=also-{SECRET}\nFOREIGN=foreign-{SECRET}\n")
    result = run(values={"URL": "wss://new/ws"}, secret_values={"TOKEN": f"new-{SECRET}"}, absent_keys=["GONE"])
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == (
        "URL=ws://old/ws\nTOKEN=(hidden)\nGONE=(hidden)\n",
        "URL=wss://new/ws\nTOKEN=(hidden, changed)\n",
    )
    assert SECRET not in json.dumps(result)


def test_no_secret_is_in_a_failure(run: Run) -> None:
    result = run(secret_values={"TOKEN": f"{SECRET}$HOME", "OTHER": f"{SECRET}\r"}, values={"A": "1"})
    assert result["failed"] is True
    assert SECRET not in json.dumps(result)
    assert result["msg"] == (
        f'{run.path} was not written: TOKEN contains a "$" before a name, which next would read differently; '
        "OTHER contains a carriage return, which bash would read differently; "
        "give it another value, or leave out of staging_env_readers (readers) those that do not read this file"
    )
    assert [(entry["key"], entry["readers"]) for entry in result["refused"]] == [
        ("TOKEN", ["next"]),
        ("OTHER", ["bash"]),
    ]
    assert not run.path.exists()


def test_a_refused_value_is_written_for_readers_that_agree(run: Run) -> None:
    run(secret_values={"TOKEN": "pa$$word"}, readers=["bash", "dotenv", "python-dotenv"])
    assert run.text == "TOKEN='pa$$word'\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(
            {"values": {"A": "your-api-key-here"}},
            "{path} was not written: A has a placeholder as its value; give it another value",
            id="placeholder",
        ),
        pytest.param(
            {"secret_values": {"A": "changeme"}},
            "{path} was not written: A has a placeholder as its value; give it another value",
            id="placeholder of a secret",
        ),
        pytest.param(
            {"required_keys": ["A", "B"], "values": {"B": ""}},
            "{path} was not written: A is required but has no value; B is required but has no value; "
            "give it another value",
            id="required keys",
        ),
        pytest.param(
            {"required_keys": ["A"], "content": "A=your-token-here\n"},
            "{path} was not written: A is required but has a placeholder as its value; give it another value",
            id="required key of the template",
        ),
        pytest.param(
            {"values": {"A-B": "1"}},
            "{path} was not written: A-B is not a variable name (letters, digits and underscores, not starting with "
            "a digit); give it another value",
            id="name",
        ),
        pytest.param(
            {"values": {"A": [1]}},
            "values.A for {path} is a list; expected a text, which is all an env file holds; write it as the "
            "application "
            'reads it, such as "{{{{ list | join(\',\') }}}}" or "{{{{ list | to_json }}}}"',
            id="list",
        ),
        pytest.param(
            {"secret_values": {"A": None}},
            "secret_values.A for {path} is null; expected a text, which is all an env file holds; write an empty "
            "text, or "
            "remove the key",
            id="null",
        ),
        pytest.param(
            {"values": {"A": "1"}, "secret_values": {"A": "hunter two"}},
            "A is both in values and in secret_values for {path}; remove from one of them",
            id="twice",
        ),
        pytest.param(
            {"values": {"A": "1"}, "absent_keys": ["A"]},
            "A is both in values and in absent_keys for {path}; remove from one of them",
            id="set and removed",
        ),
        pytest.param(
            {"generate": {"A": {}}, "absent_keys": ["A"]},
            "A is both in generate and in absent_keys for {path}; remove from one of them",
            id="generated and removed",
        ),
        pytest.param(
            {"generate": {"A": {"length": 8}}},
            "for {path}, generate.A.length is 8; expected a number from 16 to 4096",
            id="short secret",
        ),
        pytest.param(
            {"generate": {"A": {"alphabet": "emoji"}}},
            "for {path}, generate.A.alphabet is 'emoji'; expected one of alphanumeric, hex, base64url",
            id="alphabet",
        ),
    ],
)
def test_bad_input_is_refused_by_key_and_nothing_is_written(run: Run, args: dict[str, Any], message: str) -> None:
    result = run(**args)
    assert result["msg"] == message.format(path=run.path)
    assert not run.path.exists()


def test_a_placeholder_may_be_allowed_by_key(run: Run) -> None:
    assert run(values={"A": "changeme"}, allow_placeholders=["A"], required_keys=["A"])["changed"] is True


def test_a_file_that_cannot_be_parsed_is_refused_with_its_line(run: Run) -> None:
    run.path.write_text(f"A=1\nB='{SECRET}\n")
    result = run(values={"A": "2"})
    assert result["msg"] == (
        f"{run.path}:2: the quote ' is never closed; close it, or put a value that holds one in quotes of the other "
        "kind; nothing was changed"
    )
    assert result["line"] == 2
    assert run.text == f"A=1\nB='{SECRET}\n"


def test_a_file_that_is_not_text_is_refused_with_its_line(run: Run) -> None:
    run.path.write_bytes(b"A=1\nB=\xff\n")
    assert run(values={"A": "2"})["msg"] == (f"{run.path}:2: this is not UTF-8 text; save the file as UTF-8")
    run.path.write_bytes("A=1\n".encode("utf-16"))
    assert run(values={"A": "2"})["msg"] == f"{run.path}:1: this is UTF-16 text; save the file as UTF-8"


def test_one_warning_names_all_lines_with_one_cause_and_another_those_that_are_there_twice(run: Run) -> None:
    run.path.write_bytes(b"A=1\r\nB=2\r\nC='x'\nC='y'\n")
    assert run(values={"PORT": "1"})["warnings"] == [
        f"{run.path}: A in line 1 and B in line 2 are not read alike by bash, dotenv, next and python-dotenv: its "
        "line ends "
        "with CRLF, of which bash keeps the carriage return in the value; convert the file (sed -i 's/\\r$//'). It "
        "was left "
        "as it is",
        f"{run.path}: C is in the lines 3 and 4, of which the last one counts; remove the others",
    ]


def test_a_secret_is_generated_once_and_stays(run: Run) -> None:
    first = run(generate={"AUTH_SECRET": {"length": 64, "alphabet": "hex"}})
    assert first["keys_generated"] == ["AUTH_SECRET"]
    value = run.text.partition("=")[2].strip()
    assert len(value) == 64
    assert value not in json.dumps(first)
    assert run(generate={"AUTH_SECRET": {"length": 32}})["changed"] is False
    assert run(generate={"AUTH_SECRET": {}}, values={"A": "1"})["keys_generated"] == []
    assert run.text == f"AUTH_SECRET={value}\nA=1\n"


def test_a_generated_secret_is_the_same_in_a_release_that_did_not_have_it(run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "generated.env"
    args: dict[str, Any] = {"generate": {"AUTH_SECRET": {}, "OTHER": {}}, "generated_path": str(kept)}
    assert run(check=True, **args)["keys_generated"] == ["AUTH_SECRET", "OTHER"]
    assert not kept.exists()
    run(**args)
    made = run.text
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert kept.read_text() == plan.GENERATED_HEADER + made
    run.path.write_text("URL=of-a-previous-release\n")
    result = run(**args)
    assert (result["keys_added"], result["keys_generated"]) == (["AUTH_SECRET", "OTHER"], [])
    assert run.text == "URL=of-a-previous-release\n" + made
    assert made.partition("=")[2].split()[0] not in json.dumps(result)
    run.path.write_text("OTHER=set-manually\nAUTH_SECRET=set-manually-too\n")
    assert run(**args)["changed"] is False


def test_a_missing_example_alone_is_not_drift_of_the_file(run: Run, tmp_path: Path) -> None:
    snapshot, example = tmp_path / "snapshot", tmp_path / "example"
    snapshot.write_text("A=1\n")
    run.path.write_text("A=1\n")
    run.path.chmod(0o600)
    result = run(check=True, values={"A": "1"}, snapshot_path=str(snapshot), example_path=str(example))
    assert (result["changed"], result["restores"]) == (True, False)


def test_a_placeholder_is_replaced_by_a_generated_secret(run: Run) -> None:
    run.path.write_text("AUTH_SECRET=changeme\n")
    assert run(generate={"AUTH_SECRET": None})["keys_generated"] == ["AUTH_SECRET"]
    assert len(run.text.strip()) == len("AUTH_SECRET=") + 48


def test_a_given_secret_takes_precedence_over_a_generated_one(run: Run) -> None:
    assert run(generate={"S": {}}, secret_values={"S": SECRET})["keys_generated"] == []
    assert run.text == f"S={SECRET}\n"


def test_drift_of_the_file_is_distinguished_from_new_values(run: Run, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.write_text("URL=right\nFOREIGN=1\n")
    run.path.write_text("URL=edited manually\nFOREIGN=1\n")
    assert run(check=True, values={"URL": "right"}, snapshot_path=str(snapshot))["restores"] is True
    assert run(check=True, values={"URL": "new"}, snapshot_path=str(snapshot))["restores"] is False
    assert run(values={"URL": "right"}, snapshot_path=str(snapshot))["restores"] is True
    result = run(values={"URL": "right"}, snapshot_path=str(snapshot))
    assert (result["changed"], result["restores"]) == (False, False)
    assert snapshot.read_text() == "URL=right\nFOREIGN=1\n"


def test_a_lost_file_is_restored_from_the_snapshot_with_its_generated_secret(run: Run, tmp_path: Path) -> None:
    snapshot = tmp_path / "snapshot"
    snapshot.write_text("# c\nFOREIGN=1\nSECRET=generated-before\nURL=right\n")
    result = run(
        values={"URL": "right"}, generate={"SECRET": {}}, snapshot_path=str(snapshot), content="# template\nURL=\n"
    )
    assert run.text == "# c\nFOREIGN=1\nSECRET=generated-before\nURL=right\n"
    assert (result["restores"], result["keys_generated"]) == (True, [])
    assert run.mode == 0o600


def test_a_missing_snapshot_restores_nothing(run: Run, tmp_path: Path) -> None:
    assert run(values={"A": "1"}, snapshot_path=str(tmp_path / "none" / "x"))["restores"] is False


def test_a_wrong_mode_is_a_change_and_is_corrected_in_place(run: Run) -> None:
    run.path.write_text("A=1\n")
    run.path.chmod(0o644)
    before = run.path.stat().st_ino
    predicted = run(check=True, values={"A": "1"})
    assert (predicted["changed"], predicted["attributes_changed"], run.mode) == (True, ["mode"], 0o644)
    result = run(values={"A": "1"})
    assert (result["attributes_changed"], run.mode, run.path.stat().st_ino) == (["mode"], 0o600, before)
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == ("# mode 0644\n", "# mode 0600\n")
    assert run(values={"A": "1"})["changed"] is False


def test_a_link_is_refused_and_its_target_untouched(run: Run, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("A=1\n")
    run.path.symlink_to(target)
    assert run(values={"A": "2"})["msg"] == (
        f"{run.path} is a symbolic link to {target}, not a regular file; replace the link with a copy of that file "
        f"(cp --remove-destination {target} {run.path})"
    )
    assert target.read_text() == "A=1\n"


def test_links_above_the_file_are_followed(run_module: RunModule, tmp_path: Path) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "app").symlink_to(tmp_path / "releases")
    Run(run_module, tmp_path / "app" / ".env")(values={"A": "1"})
    assert (tmp_path / "releases" / ".env").read_text() == "A=1\n"


def test_a_directory_in_place_of_the_file_is_refused(run: Run) -> None:
    run.path.mkdir()
    assert run(values={"A": "1"})["msg"] == f"{run.path} is not a regular file; move it away or choose another path"


def test_a_fifo_in_place_of_the_file_is_refused_without_waiting(run: Run) -> None:
    os.mkfifo(run.path)
    assert run(values={"A": "1"})["msg"] == f"{run.path} is not a regular file; move it away or choose another path"


def test_no_file_is_left_behind_when_writing_fails(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run.path.write_text("A=1\n")

    def full(_source: str, _target: str, **_directories: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "rename", full)
    result = run(values={"A": "2"})
    assert result["msg"] == f"{run.path} cannot be written: No space left on device"
    assert (run.text, [entry.name for entry in tmp_path.iterdir()]) == ("A=1\n", [".env.staging"])


def test_the_new_content_is_never_in_a_file_that_others_may_read(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    modes = []
    real = os.open

    def spy(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        if flags & os.O_CREAT and str(path).startswith(str(run.path.parent)):
            modes.append((oct(mode), bool(flags & os.O_EXCL), bool(flags & os.O_NOFOLLOW)))
        return real(path, flags, mode, **more)

    os.umask(0)
    monkeypatch.setattr(os, "open", spy)
    run(secret_values={"S": SECRET})
    assert modes == [("0o600", True, True)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_an_existing_file_keeps_its_owner_unless_another_one_is_given(run: Run) -> None:
    run.path.write_text("A=1\n")
    os.chown(run.path, 12345, 23456)
    run(values={"A": "2"})
    assert (run.path.stat().st_uid, run.path.stat().st_gid) == (12345, 23456)
    result = run(values={"A": "2"}, owner="12346")
    assert (result["attributes_changed"], run.path.stat().st_uid, run.path.stat().st_gid) == (["owner"], 12346, 23456)
    run(values={"A": "3"}, owner=getpass.getuser())
    assert run.path.stat().st_uid == os.geteuid()


def test_an_example_lists_keys_and_comments_and_no_values(run: Run, tmp_path: Path) -> None:
    example = tmp_path / ".env.staging.example"
    args: dict[str, Any] = {
        "values": {"URL": "wss://a/ws"},
        "secret_values": {"S": SECRET},
        "generate": {"G": {}},
        "content": "# Baked into the page.\nURL=unset # a URL\n",
        "example_path": str(example),
    }
    assert run(check=True, **args)["example_changed"] is True
    assert not example.exists()
    assert run(**args)["example_changed"] is True
    assert example.read_text() == plan.EXAMPLE_HEADER + "# Baked into the page.\n# a URL\nURL=\nS=\nG=\n"
    assert stat.S_IMODE(example.stat().st_mode) == 0o644
    assert run(**args)["changed"] is False
    example.unlink()
    result = run(**args)
    assert (result["changed"], result["example_changed"], result["keys_changed"]) == (True, True, [])
    example.write_text("# the source's own\n")
    assert run(**args)["changed"] is False
    assert example.read_text() == "# the source's own\n"


def test_bash_reads_what_was_written(run: Run) -> None:
    run(values={"TEXT": "two\nlines and 'quotes'", "URL": "wss://a/ws?x=1&y=2"})
    out = subprocess.run(
        ["bash", "-c", 'source "$1" && printf "%s|%s" "$TEXT" "$URL"', "bash", str(run.path)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert out == "two\nlines and 'quotes'|wss://a/ws?x=1&y=2"
