"""What only the controller can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight import addresses_facts
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.controller import check_controller
from bad_inputs import GOOD


def test_the_source_of_an_archive_is_looked_at(tmp_path: Path) -> None:
    given = {**GOOD, "staging_source_type": "archive", "staging_source_dir": str(tmp_path / "none")}
    ((found,), _addresses) = check_controller(given, resolve=False)
    assert (found.name, found.level) == ("source-dir-missing", "error")
    assert found.sentence == (
        f'staging_source_dir is "{tmp_path}/none", but there is no such directory; expected a directory on the '
        "controller; correct the path, which is relative to the directory of the command unless it is absolute"
    )
    (tmp_path / "web-ui").mkdir()
    (tmp_path / "web-ui/package.json").write_text('{"scripts": {}}')
    given["staging_source_dir"] = str(tmp_path)
    found = check_controller(given, resolve=False)[0]
    assert [item.name for item in found] == ["lock-file-missing", "build-script-missing", "backend-packages"]
    assert check_controller({**given, "staging_source_type": "git"}, resolve=False)[0] == []


@pytest.mark.parametrize("source", [None, "", 5, "/x\n"])
def test_a_source_that_the_inputs_refuse_is_not_looked_at(source: object) -> None:
    given = {**GOOD, "staging_source_type": "archive", "staging_source_dir": source}
    assert check_controller(given, resolve=False) == ([], {})


def test_names_are_resolved_where_that_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses_facts, "resolve", lambda hosts: dict.fromkeys(hosts))
    found, addresses = check_controller(GOOD, resolve=True)
    assert [(item.name, item.variable) for item in found] == [
        ("host-unresolved", "staging_public_url"),
        ("host-unresolved", "staging_public_ws_url"),
    ]
    assert addresses == {"app.example.com": None, "api.example.com": None}
    assert check_controller(GOOD, resolve=False) == ([], {})
