"""What the predictions for the layers mean for one another."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.prediction import (
    Changes,
    activation_reasons,
    backend_revision,
    forbidden_urls,
    frontend_revision,
    record_reasons,
)

NOTHING = Changes(release=False, env_file=False, restores=False, backend_build=False, build=False)


def changes(*names: str) -> Changes:
    return Changes(**{name: name in names for name in vars(NOTHING)})


@pytest.mark.parametrize(
    ("found", "copies", "activates"),
    [
        ((), False, False),
        (("release",), False, True),
        (("env_file",), True, True),
        (("env_file", "restores"), False, False),
        (("env_file", "restores", "build"), True, True),
        (("backend_build",), True, True),
        (("build",), True, True),
        # The new release is a candidate already.
        (("release", "build"), False, True),
    ],
)
def test_a_release_is_copied_for_what_is_in_it_and_not_for_a_restored_env_file(
    found: tuple[str, ...], copies: bool, activates: bool
) -> None:
    assert (changes(*found).copies, changes(*found).activates) == (copies, activates)
    assert bool(activation_reasons(changes(*found), "0001-a")) == copies


def test_revisions_are_those_of_the_roles() -> None:
    """The role backend has the same expression: hash of the source's and the environment's digest."""
    assert backend_revision("s", "v") == hashlib.sha256(b"s v").hexdigest()[:16]
    assert backend_revision(None, None) == hashlib.sha256(b"new ").hexdigest()[:16]
    assert [frontend_revision(*each) for each in (("f", "b"), ("f", ""), ("", "b"))] == ["f-b", "f", "b"]


def test_a_build_must_not_contain_the_verified_url_unless_that_is_wanted() -> None:
    assert forbidden_urls(["ws://localhost"], "wss://old/ws", ["wss://new/ws"]) == ["ws://localhost", "wss://old/ws"]
    assert forbidden_urls(["ws://localhost"], "wss://new/ws", ["wss://new/ws"]) == ["ws://localhost"]
    assert forbidden_urls([], "", ["wss://new/ws"]) == []


def test_records_change_with_the_revisions_that_a_deployment_would_store() -> None:
    stored = {"backend_revision": "a", "frontend_revision": "b", "backend_after_activation": "a"}
    assert record_reasons(stored, {"backend_revision": "a"}, "0001-x") == []
    assert record_reasons(stored, {"backend_revision": "c"}, "0001-x") == ["the records of release 0001-x changed"]
