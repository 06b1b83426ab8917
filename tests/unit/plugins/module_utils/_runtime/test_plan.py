"""What a host lacks of the runtime."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._runtime.plan import differing_files, reasons

COMPLETE: dict[str, Any] = {
    "missing_packages": [],
    "home": "/home/deploy",
    "missing_directories": [],
    "nodejs": "20.19.2",
    "npm": "/usr/local/bin/npm",
    "pm2": "7.0.4",
    "pm2_daemon": None,
    "pm2_unit_enabled": True,
    "pm2_unit_active": True,
    "pm2_unit_right": True,
    "closed_packages": [],
    "differing_files": [],
}


def found(**changes: Any) -> list[str]:
    return reasons({**COMPLETE, **changes}, user="deploy", node_version="", pm2_version="7.0.4")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, []),
        ({"missing_packages": ["git", "nodejs"]}, ["packages: git, nodejs"]),
        ({"home": None}, ["user deploy"]),
        ({"missing_directories": ["/srv/projects", "/srv/a.run"]}, ["directory /srv/projects", "directory /srv/a.run"]),
        ({"npm": None}, ["npm"]),
        ({"pm2": "6.0.0"}, ["pm2 7.0.4"]),
        ({"pm2": None}, ["pm2 7.0.4"]),
        ({"closed_packages": ["/usr/local/lib/node_modules/pm2"]}, ["modes of the programs"]),
        ({"differing_files": ["/etc/logrotate.d/pm2-app"]}, ["rotation of the logs"]),
        ({"pm2_unit_enabled": False}, ["pm2 at boot"]),
        ({"pm2_unit_right": False}, ["pm2 at boot"]),
        ({"pm2_unit_active": False}, ["pm2 at boot"]),
        # A daemon that was started manually keeps running; the unit takes over at the next boot.
        ({"pm2_unit_active": False, "pm2_daemon": 812}, []),
    ],
)
def test_each_thing_that_is_missing_is_a_reason(changes: dict[str, Any], expected: list[str]) -> None:
    assert found(**changes) == expected


def test_without_a_wanted_version_any_is_right() -> None:
    assert reasons({**COMPLETE, "pm2": None}, user="deploy", node_version="", pm2_version="") == []
    assert reasons(COMPLETE, user="deploy", node_version="24.1.0", pm2_version="") == ["Node.js 24.1.0"]


def test_a_file_is_compared_with_its_text_for_the_user() -> None:
    text = "{home}/logs {\n    su deploy {group}\n}\n"
    digest = hashlib.sha256(b"/home/deploy/logs {\n    su deploy staff\n}\n").hexdigest()
    right = {"sha256": digest, "owner": "root", "group": "root", "mode": "0644"}
    for state, expected in (({"/f": right}, []), ({}, ["/f"]), ({"/f": {**right, "mode": "0600"}}, ["/f"])):
        assert differing_files({"/f": text}, state, "/home/deploy", "staff") == expected
    assert differing_files({"/f": text}, {"/f": right}, "/home/other", "staff") == ["/f"]
