"""Names of options in messages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ansible_collections.codeframe.staging.plugins.doc_fragments.nginx_proxy_manager import ModuleDocFragment
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.messages import name_options
from ansible_collections.codeframe.staging.plugins.modules import nginx_proxy_manager_host, nginx_proxy_manager_info

PACKAGE = Path(__file__).resolve().parents[5] / "plugins/module_utils/_proxy_manager"


def test_a_message_calls_an_option_by_the_user_s_name() -> None:
    text = "check O(api_url), O(identity) and location ~ (x)"
    assert name_options(text, {}) == "check api_url, identity and location ~ (x)"
    assert name_options(text, {"api_url": "staging_proxy_manager_api_url"}) == (
        "check staging_proxy_manager_api_url, identity and location ~ (x)"
    )


@pytest.mark.source
def test_every_option_in_a_message_exists() -> None:
    documented = set()
    for text in (
        nginx_proxy_manager_host.DOCUMENTATION,
        nginx_proxy_manager_info.DOCUMENTATION,
        *(value for value in vars(ModuleDocFragment).values() if isinstance(value, str) and "options:" in value),
    ):
        documented |= set(yaml.safe_load(text)["options"])
    named = {name for path in PACKAGE.glob("*.py") for name in re.findall(r"O\((\w+)\)", path.read_text())}
    assert {"api_url", "proxy_address"} <= named
    assert named - documented == set()
