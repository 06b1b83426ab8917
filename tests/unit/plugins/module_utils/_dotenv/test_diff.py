"""The change of an env file as it is shown."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.change import change_keys
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.diff import diff_lines
from ansible_collections.codeframe.staging.plugins.module_utils._dotenv.options import EnvFileOptions


@pytest.mark.parametrize(
    ("before", "plain", "secret", "absent", "left", "right"),
    [
        pytest.param(None, {"A": "1"}, {"S": "x"}, (), [], ["A=1", "S=(hidden, added)"], id="added"),
        pytest.param(
            "A=0\nS=y\n",
            {"A": "1"},
            {"S": "x"},
            (),
            ["A=0", "S=(hidden)"],
            ["A=1", "S=(hidden, changed)"],
            id="changed",
        ),
        pytest.param("A=1\n", {}, {}, ("A",), ["A=(hidden)"], [], id="removed, whatever it was"),
        pytest.param("A=x#y\n", {"A": "x#y"}, {}, (), ["A=(read differently)"], ["A=x#y"], id="read differently"),
        pytest.param("A=1\n", {"A": "two\nlines"}, {}, (), ["A=1"], ["A=two\\nlines"], id="newline"),
        pytest.param("A=1\n", {"A": "1"}, {}, (), [], [], id="nothing"),
        pytest.param("", {"A": ""}, {}, (), [], ["A="], id="empty"),
    ],
)
def test_only_plain_values_are_shown(
    before: str | None,
    plain: dict[str, str],
    secret: dict[str, str],
    absent: tuple[str, ...],
    left: list[str],
    right: list[str],
) -> None:
    request = EnvFileOptions("/app/.env", plain=plain, secret=secret, absent=absent)
    change = change_keys(before or "", request.given, absent)
    assert diff_lines(request, before, change) == (left, right)


def test_a_change_without_a_changed_key_is_named() -> None:
    change = change_keys("A=1\n", {"A": "1"})
    assert diff_lines(EnvFileOptions("/app/.env", plain={"A": "1"}), "A=1\nA=1\n", change) == (
        [],
        ["# order, comments or spelling"],
    )
