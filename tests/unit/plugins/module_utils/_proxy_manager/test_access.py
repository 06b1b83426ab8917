"""The rules of an access list as directives."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.access import (
    AccessRules,
    parse_access_list,
)
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.paths import BlockError
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.version import LATEST, Version

USERS = [{"username": "ann"}]


@pytest.mark.parametrize(
    ("access_list", "expected"),
    [
        pytest.param({}, AccessRules(3, has_users=False), id="empty"),
        pytest.param({"items": USERS, "pass_auth": 1}, AccessRules(3, has_users=True, pass_auth=True), id="users"),
        pytest.param({"satisfy_any": True}, AccessRules(3, has_users=False, satisfy_any=True), id="any"),
        pytest.param({"satisfy_any": "no"}, AccessRules(3, has_users=False), id="not-a-boolean"),
        pytest.param(
            {
                "clients": [
                    {"directive": "deny", "address": " 192.0.2.1 "},
                    {"directive": "allow", "address": "2001:db8::/32"},
                    {"directive": "allow", "address": ""},
                    {"directive": "deny", "address": "all"},
                ]
            },
            AccessRules(
                3, has_users=False, clients=(("deny", "192.0.2.1"), ("allow", "2001:db8::/32"), ("deny", "all"))
            ),
            id="addresses-in-their-order",
        ),
    ],
)
def test_a_list_is_read_as_the_api_returns_it(access_list: dict[str, object], expected: AccessRules) -> None:
    assert parse_access_list({"id": "3", **access_list}, Version(2, 14, 0)) == expected


NO_ADDRESS = [{"directive": "allow", "address": ""}]


@pytest.mark.parametrize(
    "version", [Version(2, 9, 19), Version(2, 11, 3), Version(2, 14, 0), Version(2, 15, 0), LATEST]
)
@pytest.mark.parametrize("clients", [[], NO_ADDRESS, [{"directive": "allow", "address": "192.0.2.1"}]])
def test_since_2_15_others_are_denied_only_if_the_list_has_addresses(version: Version, clients: list[object]) -> None:
    rules = parse_access_list({"id": 3, "items": USERS, "clients": clients}, version)
    assert ("deny all;" in rules.directives) is (bool(clients) or version < (2, 15, 0))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(AccessRules(3, has_users=False), ("deny all;", "satisfy all;"), id="empty"),
        pytest.param(
            AccessRules(3, has_users=True, satisfy_any=True),
            (
                'auth_basic "Authorization required";',
                "auth_basic_user_file /data/access/3;",
                'proxy_set_header Authorization "";',
                "deny all;",
                "satisfy any;",
            ),
            id="users",
        ),
        pytest.param(
            AccessRules(4, has_users=True, clients=(("allow", "192.0.2.1"),), pass_auth=True),
            (
                'auth_basic "Authorization required";',
                "auth_basic_user_file /data/access/4;",
                "allow 192.0.2.1;",
                "deny all;",
                "satisfy all;",
            ),
            id="login-for-the-application-too",
        ),
    ],
)
def test_a_location_has_the_rules_of_the_list(rules: AccessRules, expected: tuple[str, ...]) -> None:
    assert rules.directives == expected


@pytest.mark.parametrize(
    ("directive", "address"),
    [("allow", "all; deny all"), ("allow", "192.0.2.0/33"), ("return", "192.0.2.1"), ("deny", "a.example.com")],
)
def test_a_rule_that_could_be_something_else_is_refused(directive: str, address: str) -> None:
    with pytest.raises(BlockError) as caught:
        parse_access_list({"id": 1, "items": [], "clients": [{"directive": directive, "address": address}]})
    assert str(caught.value) == (
        f"access list 1 has the rule {directive!r} {address!r}; expected allow or deny and an address or network"
    )
