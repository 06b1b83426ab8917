"""What the API says of a proxy host."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._proxy_manager.host_status import (
    is_own_fault,
    nginx_error,
    online,
    remedy,
    shown,
)


def test_an_error_of_nginx_has_its_remedy() -> None:
    text = (
        'Command failed: nginx -t\nnginx: [emerg] "proxy_http_version" directive is duplicate in '
        "/data/nginx/proxy_host/1.conf:14\nnginx: configuration file /etc/nginx/nginx.conf test failed"
    )
    error = nginx_error({"meta": {"nginx_online": False, "nginx_err": text}})
    assert error == '"proxy_http_version" directive is duplicate in /data/nginx/proxy_host/1.conf:14'
    assert remedy(error) == ('remove "proxy_http_version" from the Advanced tab, or switch Websockets Support off')


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ('duplicate location "/ws"', "remove the other location of this path from the Advanced tab or from Custom "),
        ('host not found in upstream "x"', "check the forward host"),
        ('unknown directive "nonsense"', "correct the text in the Advanced tab"),
        ('unexpected "}"', "correct the text in the Advanced tab"),
        ("", "correct the host's configuration"),
    ],
)
def test_each_error_has_its_remedy(error: str, expected: str) -> None:
    assert remedy(error).startswith(expected)


def test_an_error_without_a_level_is_shortened_to_one_line() -> None:
    assert nginx_error({"meta": {"nginx_err": "a\n b" + "c" * 400}}) == "a b" + "c" * 297
    assert nginx_error({"meta": None}) == nginx_error({}) == ""


@pytest.mark.parametrize(
    ("meta", "expected"), [({"nginx_online": 1}, True), ({"nginx_online": False}, False), ({}, None), (None, None)]
)
def test_a_host_is_online_or_not_or_unknown(meta: object, expected: bool | None) -> None:
    assert online({"meta": meta}) is expected


@pytest.mark.parametrize(
    ("error", "own"),
    [
        ("x in /data/nginx/proxy_host/7.conf:3", True),
        ("x in /data/nginx/proxy_host/71.conf:3", False),
        ("x in /data/nginx/redirection_host/2.conf:3", False),
        ("x in /data/nginx/custom/http.conf:1", True),
    ],
)
def test_a_fault_is_told_from_that_of_another_host(error: str, own: bool) -> None:
    assert is_own_fault({"id": 7, "meta": {"nginx_err": error}}) is own


def test_a_host_is_shown_alike_for_all_versions_without_its_text() -> None:
    host = {"id": 7, "domain_names": ["a"], "ssl_forced": 1, "enabled": 0, "advanced_config": "secret", "meta": {}}
    found = shown(host)
    assert (found["ssl_forced"], found["enabled"], found["online"], found["nginx_error"]) == (True, False, None, None)
    assert "secret" not in str(found)
