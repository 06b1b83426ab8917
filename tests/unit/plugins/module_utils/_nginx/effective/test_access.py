"""Access rules."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.config import parse
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.effective.access import access


@pytest.mark.parametrize(
    ("rules", "client", "allowed", "line"),
    [
        pytest.param("", None, True, None, id="no-rules"),
        pytest.param("deny all;", None, False, 1, id="nobody"),
        pytest.param("allow all;\ndeny all;", None, True, 1, id="everybody"),
        pytest.param("deny 10.0.0.1;\ndeny all;", None, False, 2, id="nobody-in-two-rules"),
        pytest.param("allow 10.0.0.0/8;\ndeny all;", None, None, 2, id="some-and-the-client-is-unknown"),
        pytest.param("deny 10.0.0.1;", None, None, 1, id="all-but-one-and-the-client-is-unknown"),
        pytest.param("deny 10.0.0.1;\nallow all;", None, None, 1, id="all-but-one-then-everybody"),
        pytest.param("allow 10.0.0.0/8;", None, True, None, id="without-a-last-rule-everybody"),
        pytest.param("allow 10.0.0.0/8;\ndeny all;", "10.1.2.3", True, 1, id="one-of-those-allowed"),
        pytest.param("allow 10.0.0.0/8;\ndeny all;", "192.0.2.1", False, 2, id="none-of-those-allowed"),
        pytest.param("deny all;\nallow 10.0.0.0/8;", "10.1.2.3", False, 1, id="the-first-rule-decides"),
        pytest.param("allow 10.0.0.1;\ndeny all;", "::ffff:10.0.0.1", True, 1, id="ipv4-through-ipv6"),
        pytest.param("allow 2001:db8::/32;\ndeny all;", "2001:db8::1", True, 1, id="ipv6"),
        pytest.param("allow unix:;\ndeny all;", "10.0.0.1", False, 2, id="no-socket-file"),
    ],
)
def test_the_first_rule_that_covers_the_client_decides(
    rules: str, client: str | None, allowed: bool | None, line: int | None
) -> None:
    found = access(parse(rules, "f"), client)
    assert (found.allowed, found.rule.line if found.rule else None) == (allowed, line)
