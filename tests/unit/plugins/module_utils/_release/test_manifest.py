# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest's schema: what it holds, and what is refused by name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.errors import ReleaseError
from ansible_collections.codeframe.staging.plugins.module_utils._release.manifest import (
    Layout,
    Manifest,
    ReleaseRecord,
    checked_records,
    from_text,
    to_text,
)

RECORDS = {"backend_revision": "b1", "frontend_revision": "f1", "backend_after_activation": "b1"}


def full() -> Manifest:
    return Manifest(
        counter=3,
        candidate="0003-c",
        committed="0002-b",
        previous="0001-a",
        layout=Layout(shared_paths=["data"], exclude=["*.log"], env_files=[".env.staging"], carry=["web-ui/dist"]),
        releases={
            "0001-a": ReleaseRecord(taken_over=True),
            "0002-b": ReleaseRecord("r", "t", {"type": "git", "url": "u", "version": "v"}, RECORDS, complete=True),
            "0003-c": ReleaseRecord(repaired=["a\nb.py"], repaired_in="0003-c"),
        },
    )


def changed(*path: Any, to: Any) -> str:
    """The text of a manifest in which one field has another value."""
    document = json.loads(to_text(full()))
    place = document
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return json.dumps(document)


def test_a_manifest_survives_writing_and_reading():
    assert from_text(to_text(full()), "m") == full()
    assert from_text(to_text(Manifest()), "m") == Manifest()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("{", "it is no JSON document (Expecting property name", id="damaged"),
        pytest.param("[]", "the document is a list, expected an object;", id="no-object"),
        pytest.param('{"version": 1}', "counter is missing;", id="incomplete"),
        pytest.param(
            changed("sudo", to=True),
            "sudo is unknown, expected one of candidate, committed, counter, layout, previous, releases, taking_over;",
            id="unknown-field",
        ),
        pytest.param(changed("counter", to=-1), "counter is -1, expected a number from 0;", id="negative-counter"),
        pytest.param(changed("counter", to=True), "counter is true or false, expected a number;", id="no-number"),
        pytest.param(
            changed("candidate", to="../etc"),
            "candidate is '../etc', expected the id of a release;",
            id="path-as-id",
        ),
        pytest.param(
            changed("releases", "shared", to={}),
            "a key of releases is 'shared', expected the id of a release;",
            id="key",
        ),
        pytest.param(
            changed("releases", "0002-b", "evil", to=1),
            "releases.0002-b.evil is unknown, expected one of complete, ",
            id="unknown-field-of-a-release",
        ),
        pytest.param(
            changed("layout", "shared_paths", to=["data", "../../etc"]),
            "layout.shared_paths[1] holds '../../etc'; expected a path inside the project, relative to it;",
            id="shared-path-outside",
        ),
        pytest.param(
            changed("layout", "env_files", to=["a\nb"]), "layout.env_files[0] holds control characters;", id="control"
        ),
        pytest.param(
            changed("committed", to={"release": "0002-b", "proxy_state": {"provider": "nginx"}}),
            "committed is an object, expected text;",
            id="state-of-the-proxy",
        ),
        pytest.param(
            changed("saved_proxy_state", to={"provider": "../../tmp/x"}),
            "saved_proxy_state is unknown, ",
            id="provider",
        ),
        pytest.param(
            changed("releases", "0002-b", "records", "frontend_process", to={"static_root": "/etc"}),
            "releases.0002-b.records.frontend_process is unknown, expected one of backend_after_activation, ",
            id="process-definition",
        ),
        pytest.param(
            changed("releases", "0002-b", "records", "backend_revision", to=["x"]),
            "releases.0002-b.records.backend_revision is a list, expected text;",
            id="no-text",
        ),
    ],
)
def test_a_manifest_that_fails_the_schema_is_refused_with_the_name_of_the_field(text, why):
    with pytest.raises(ReleaseError) as problem:
        from_text(text, "m")
    assert str(problem.value).startswith(f"m is refused: {why}")
    assert str(problem.value).endswith(
        "; move it away, and it is made again from the releases beside it, without the record of which of them were "
        "verified"
    )


@pytest.mark.parametrize("text", [changed("version", to=2), changed("version", to="1"), changed("version", to=None)])
def test_a_manifest_of_another_version_is_refused(text):
    with pytest.raises(ReleaseError) as problem:
        from_text(text, "m")
    assert str(problem.value) == (
        f"m has version {json.loads(text)['version']!r}, expected 1; it was written by another version of this "
        "collection, use that one"
    )


def test_records_are_checked_before_they_are_stored():
    assert checked_records(RECORDS) == RECORDS
    with pytest.raises(ReleaseError) as problem:
        checked_records({"verification": {"url": "wss://example.com/ws"}})
    assert str(problem.value) == (
        "the records of the release are refused: records.verification is unknown, expected one of "
        "backend_after_activation, backend_revision, frontend_revision"
    )
