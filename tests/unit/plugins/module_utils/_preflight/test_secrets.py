"""Which values among the inputs must not be shown."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.secrets import secrets_in


@pytest.mark.parametrize(
    ("inputs", "secrets"),
    [
        pytest.param({"staging_env_secrets": {"A": "one", "B": {"C": ["two", 3]}}}, {"one", "two", "3"}, id="deep"),
        pytest.param({"staging_proxy_manager_token": "one", "db_PASSWORD": "two"}, {"one", "two"}, id="by name"),
        pytest.param({"staging_git_url": "https://me:one@example.com/x"}, {"one"}, id="password of a URL"),
        pytest.param({"a": [{"b": "x https://me:one@a y ws://:two@b"}]}, {"one", "two"}, id="URLs anywhere"),
        pytest.param({"staging_env": {"A": "one"}, "staging_git_url": "https://me@example.com"}, set(), id="plain"),
        pytest.param({"a_secret": "", "b_secret": None, "c_secret": True, "d_secret": []}, set(), id="none"),
    ],
)
def test_the_secrets_of_inputs(inputs: dict[str, Any], secrets: set[str]) -> None:
    assert secrets_in(inputs) == secrets
