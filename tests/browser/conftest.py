"""What the tests of browser_check share: a browser, the module, and a site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._browser.launch import find_browser
from ansible_collections.codeframe.staging.plugins.modules import browser_check
from module_runner import run
from site_peer import Check, Site, running


@pytest.fixture(autouse=True, scope="session")
def browser() -> str:
    """`make browser` installs one; without it these tests prove nothing, so they fail."""
    program = find_browser()
    assert program, "no Chromium found; `make browser` installs it"
    return program


@pytest.fixture(name="check")
def fixture_check() -> Check:
    def check(url: str, **options: Any) -> dict[str, Any]:
        return run(browser_check, {"url": url, "hold": 1, "timeout": 20, "fail": False, **options})

    return check


@pytest.fixture(name="site")
def fixture_site() -> Iterator[Site]:
    with running(Site()) as site:
        yield site
