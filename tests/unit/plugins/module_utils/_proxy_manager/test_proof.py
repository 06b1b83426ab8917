"""What the answers of the proxy prove of a save."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.advanced_text import LoadedState
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.answer import ProxyAnswer
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.proof import Proof, judge_save

NONE, ONE, TWO = LoadedState(None, ("/ws",)), LoadedState("1" * 12, ("/ws",)), LoadedState("2" * 12, ("/ws",))
LOADED = "the running nginx has loaded this save: "
FIELD = {"caching_enabled": True}


@pytest.mark.parametrize(
    ("body", "before", "after", "page", "names", "expected"),
    [
        pytest.param(
            FIELD, ONE, TWO, None, (), Proof((LOADED + "it returns the new revision of the block",)), id="block"
        ),
        pytest.param(
            FIELD, ONE, NONE, None, (), Proof((LOADED + "it does not return the block any more",)), id="no-block"
        ),
        pytest.param(FIELD, ONE, ONE, None, (), Proof((), ("caching_enabled",)), id="field-alone"),
        pytest.param(FIELD, NONE, NONE, None, (), Proof((), ("caching_enabled",)), id="field-without-a-block"),
        pytest.param(
            {"advanced_config": ""},
            ONE,
            ONE,
            None,
            (),
            Proof((LOADED + "it returns the revision of the block",)),
            id="saved-again",
        ),
        pytest.param({"advanced_config": ""}, NONE, NONE, None, (), Proof((), ("the Advanced text",)), id="text"),
        pytest.param(
            {"certificate_id": 0, **FIELD},
            NONE,
            NONE,
            (301, 200),
            (),
            Proof((LOADED + "its answer to GET / was 301 and is 200",)),
            id="tls",
        ),
        pytest.param(
            {"certificate_id": 0}, NONE, NONE, (200, 200), (), Proof((), ("certificate_id",)), id="tls-that-shows-not"
        ),
        pytest.param(
            {"domain_names": ["a.test", "b.test"]},
            ONE,
            ONE,
            None,
            ("b.test",),
            Proof((LOADED + "it serves b.test",)),
            id="name",
        ),
    ],
)
def test_one_visible_difference_proves_the_save(
    body: dict[str, Any],
    before: LoadedState,
    after: LoadedState,
    page: tuple[int, int] | None,
    names: tuple[str, ...],
    expected: Proof,
) -> None:
    answers = (ProxyAnswer(page[0]), ProxyAnswer(page[1])) if page else None
    assert judge_save(body, before, after, answers, names) == expected
