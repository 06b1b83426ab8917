"""The layers that belong to root."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._deployment.root_look import content_for

CONTENTS = {"0": "listen 443 ssl http2", "1.25.1": "http2 on"}


@pytest.mark.parametrize(
    ("version", "text"),
    [
        ("1.22.1", CONTENTS["0"]),
        ("1.25.0", CONTENTS["0"]),
        ("1.25.1", CONTENTS["1.25.1"]),
        ("1.26.3", CONTENTS["1.25.1"]),
        ("1.100.0", CONTENTS["1.25.1"]),
        # Without an nginx, the newest is predicted.
        ("", CONTENTS["1.25.1"]),
    ],
)
def test_the_text_is_the_one_for_the_version_of_nginx(version: str, text: str) -> None:
    assert content_for(CONTENTS, version) == text
