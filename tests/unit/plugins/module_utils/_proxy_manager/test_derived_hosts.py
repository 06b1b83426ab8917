"""Proxy hosts that follow from the public URLs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site_inputs import read_inputs
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.derived_hosts import (
    DerivedHost,
    HostPath,
    plan_hosts,
)

GOOD: dict[str, Any] = {
    "site_name": "app",
    "page_url": "http://app.example.com",
    "ws_url": "ws://api.example.com/ws",
    "backend_upstream": "192.0.2.1:14200",
    "frontend_upstream": "192.0.2.1:14100",
    "static_root": "/var/lib/app",
}
ONE = {"ws_url": "ws://app.example.com/ws"}
API = DerivedHost("api.example.com", "192.0.2.1", 14200, (HostPath("/ws"),), ())
PAGE = DerivedHost("app.example.com", "192.0.2.1", 14100, (), ())


def planned(forward: bool = False, **changes: Any) -> list[DerivedHost]:
    return list(plan_hosts(read_inputs({**GOOD, **changes}), forward))


@pytest.mark.parametrize(
    ("changes", "forward", "expected"),
    [
        pytest.param({}, False, [API], id="page-needs-nothing"),
        pytest.param({}, True, [API, PAGE], id="page-needs-its-forward-address"),
        pytest.param({"page": False}, True, [API], id="page-on-its-own-port"),
        pytest.param(
            {"sse_paths": ["/e/", "/ws"], "api_paths": ["/api/"]},
            False,
            [
                DerivedHost(
                    "api.example.com", "192.0.2.1", 14200, (HostPath("/ws"),), (HostPath("/e/", buffering=False),)
                )
            ],
            id="events-are-not-buffered",
        ),
        pytest.param(
            {**ONE, "sse_paths": ["/e", "/e"], "api_paths": ["/ws", "/e", "/api/", "/api/"]},
            False,
            [
                DerivedHost(
                    "app.example.com",
                    "192.0.2.1",
                    14100,
                    (HostPath("/ws", "192.0.2.1:14200"),),
                    (HostPath("/e", "192.0.2.1:14200", buffering=False), HostPath("/api/", "192.0.2.1:14200")),
                )
            ],
            id="one-name-leads-each-path-to-the-backend-once",
        ),
        pytest.param(
            {"websocket_paths": ["/ws", "/other"], "websocket_upstreams": {"/other": "192.0.2.1:1"}},
            False,
            [
                DerivedHost(
                    "api.example.com", "192.0.2.1", 14200, (HostPath("/ws"), HostPath("/other", "192.0.2.1:1")), ()
                )
            ],
            id="upstream-of-its-own",
        ),
        pytest.param(
            {"api_url": "http://other.example.com", "sse_paths": ["/ws"]},
            False,
            [API, DerivedHost("other.example.com", "192.0.2.1", 14200, (), (HostPath("/ws", buffering=False),))],
            id="a-path-of-another-name-is-another-path",
        ),
        pytest.param(
            {"backend_upstream": "[2001:db8::1]:14200"},
            False,
            [DerivedHost("api.example.com", "[2001:db8::1]", 14200, (HostPath("/ws"),), ())],
            id="ipv6",
        ),
    ],
)
def test_each_host_name_that_needs_something_has_a_host(
    changes: dict[str, Any], forward: bool, expected: list[DerivedHost]
) -> None:
    assert planned(forward, **changes) == expected


def test_a_host_is_told_in_the_options_of_the_module() -> None:
    [found] = planned(**ONE, sse_paths=["/e/"])
    assert found.as_dict() == {
        "name": "app.example.com",
        "forward_host": "192.0.2.1",
        "forward_port": 14100,
        "websocket_paths": [{"path": "/ws", "prefix": False, "upstream": "192.0.2.1:14200"}],
        "forward_paths": [
            {"path": "/e/", "prefix": True, "upstream": "192.0.2.1:14200", "buffering": False},
            {"path": "/api/", "prefix": True, "upstream": "192.0.2.1:14200", "buffering": True},
        ],
        "domain_names": [],
    }


ONE_HOST = {"app.example.com": ["app.example.com", "API.example.com"]}


def test_names_of_one_proxy_host_are_one_entry() -> None:
    """Otherwise each would remove the block of the other."""
    inputs = read_inputs({**GOOD, "sse_paths": ["/e/"], "api_paths": ["/api/"]})
    (host,) = plan_hosts(inputs, True, ONE_HOST)
    assert host == DerivedHost(
        "api.example.com",
        "192.0.2.1",
        14100,
        (HostPath("/ws", "192.0.2.1:14200"),),
        (HostPath("/e/", "192.0.2.1:14200", buffering=False), HostPath("/api/", "192.0.2.1:14200")),
        ("app.example.com", "API.example.com"),
    )
    apart = plan_hosts(inputs, True, {"api.example.com": ["api.example.com", "old.example.com"]})
    assert [(each.name, each.domain_names) for each in apart] == [
        ("api.example.com", ("api.example.com", "old.example.com")),
        ("app.example.com", ()),
    ]
    other = read_inputs({**GOOD, "api_url": "http://rest.example.com", "page": False, "sse_paths": ["/e/"]})
    assert [each.name for each in plan_hosts(other, False)] == ["api.example.com", "rest.example.com"]
    (both,) = plan_hosts(other, False, {"x.example.com": ["api.example.com", "rest.example.com"]})
    assert ([each.path for each in both.websocket_paths], [each.path for each in both.forward_paths]) == (
        ["/ws"],
        ["/e/"],
    )


@pytest.mark.parametrize("forward", [False, True])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="a-name-of-its-own"),
        pytest.param({**ONE, "api_paths": ["/api/"]}, id="one-name"),
        pytest.param({"page": False}, id="no-page"),
    ],
)
def test_a_backend_at_a_socket_has_no_proxy_host(changes: dict[str, Any], forward: bool) -> None:
    assert planned(forward, backend_upstream="unix:/srv/app.run/backend.sock", **changes) == []
