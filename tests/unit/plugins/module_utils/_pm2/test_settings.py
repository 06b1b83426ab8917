"""Settings of a process, as pm2 reports them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.error import Pm2Error
from ansible_collections.codeframe.staging.plugins.module_utils._pm2.settings import (
    duration_in_ms,
    listen_timeout_s,
    normalised_settings,
    size_in_bytes,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("512M", 536870912),
        ("1G", 1073741824),
        ("2GB", 2147483648),
        (100, 100),
        ("10k", 10240),
        (None, None),
        ("", None),
    ],
)
def test_sizes(given: Any, expected: Any) -> None:
    assert size_in_bytes(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("10s", 10000), ("2m", 120000), ("1h", 3600000), (1600, 1600), (None, None), ("", None)],
)
def test_durations(given: Any, expected: Any) -> None:
    assert duration_in_ms(given) == expected


@pytest.mark.parametrize("call", [size_in_bytes, duration_in_ms])
@pytest.mark.parametrize("given", ["a lot", "-1", "1.5", "1d"])
def test_another_text_is_refused(call: Any, given: str) -> None:
    with pytest.raises(Pm2Error, match=f"is '{given}'; expected"):
        call(given)


def test_a_list_of_one_exit_code_is_what_pm2_reports() -> None:
    assert normalised_settings({"stop_exit_codes": 3}) == normalised_settings({"stop_exit_codes": [3]})


def test_defaults_and_other_keys_are_left_out() -> None:
    given = {"autorestart": True, "watch": True, "kill_timeout": "5s", "max_memory_restart": "1G", "script": "x"}
    assert normalised_settings(given) == {"kill_timeout": 5000, "max_memory_restart": 1073741824, "watch": True}


@pytest.mark.parametrize(("settings", "seconds"), [({}, 3), ({"listen_timeout": 1500}, 1.5)])
def test_how_long_pm2_waits_for_an_application_to_listen(settings: dict[str, Any], seconds: float) -> None:
    assert listen_timeout_s(settings) == seconds
