"""The filter url, called and through a template."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleError, AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.filter.url import url
from rendering import render

ROOT = Path(__file__).resolve().parents[4]
EXPECTED = "expected an absolute URL such as https://app.example.com or wss://api.example.com/ws"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        pytest.param(
            "wss://API.example.com:443/ws?token=1",
            ("wss", True, "api.example.com", 443, "api.example.com", "https://api.example.com", "/ws"),
            id="default-port-and-capital-letters",
        ),
        pytest.param(
            "ws://api.example.com:8080",
            ("ws", False, "api.example.com", 8080, "api.example.com:8080", "http://api.example.com:8080", "/"),
            id="no-path",
        ),
        pytest.param(
            "http://app.example.com:14100/projects/#top",
            (
                "http",
                False,
                "app.example.com",
                14100,
                "app.example.com:14100",
                "http://app.example.com:14100",
                "/projects/",
            ),
            id="page",
        ),
        pytest.param(
            "HTTPS://[2001:DB8::1]:8443/",
            ("https", True, "2001:db8::1", 8443, "[2001:db8::1]:8443", "https://[2001:db8::1]:8443", "/"),
            id="IPv6",
        ),
        pytest.param(
            "wss://bücher.example/ws",
            (
                "wss",
                True,
                "xn--bcher-kva.example",
                443,
                "xn--bcher-kva.example",
                "https://xn--bcher-kva.example",
                "/ws",
            ),
            id="other-letters",
        ),
        pytest.param(
            "ws://b.example/",
            ("ws", False, "b.example", 80, "b.example", "http://b.example", "/"),
            id="no-port",
        ),
    ],
)
def test_a_url_is_split_and_its_addresses_are_derived(text: str, parts: tuple[Any, ...]) -> None:
    names = ("scheme", "secure", "host", "port", "authority", "origin", "path")
    assert url(text) == {**dict(zip(names, parts)), "api_url": parts[5]}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param("", f"url: '' is given, but it does not start with a scheme and ://; {EXPECTED}", id="empty"),
        pytest.param(
            "a.example.com",
            f"url: 'a.example.com' is given, but it does not start with a scheme and ://; {EXPECTED}",
            id="bare",
        ),
        pytest.param(
            "ftp://a.example.com",
            "url: 'ftp://a.example.com' is given, but the scheme is not one of http://, https://, ws://, wss://; "
            + EXPECTED,
            id="scheme",
        ),
        pytest.param(None, f"url: a value of type NoneType is given; {EXPECTED}", id="none"),
        pytest.param({"a": 1}, f"url: a value of type dict is given; {EXPECTED}", id="dict"),
    ],
)
def test_what_is_not_a_url_is_refused_with_what_was_expected(value: Any, message: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        url(value)
    assert caught.value.message == message


def test_a_password_is_not_repeated() -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        url("https://user:secret@a.example.com")
    assert "secret" not in str(caught.value)


def test_a_template_uses_the_filter_and_reports_its_error() -> None:
    variables = {"it": "ws://a.example.com/ws"}
    assert render("{{ (it | codeframe.staging.url).origin }}", variables) == "http://a.example.com"
    with pytest.raises(AnsibleError, match="expected an absolute URL"):
        render("{{ 'nonsense' | codeframe.staging.url }}", variables)


def test_ansible_finds_the_filter_by_its_full_name() -> None:
    message = "{{ ('ws://a.example.com/ws' | codeframe.staging.url).origin }}"
    done = subprocess.run(
        [
            "ansible",
            "localhost",
            "-i",
            "localhost,",
            "-c",
            "local",
            "-m",
            "ansible.builtin.debug",
            "-a",
            f"msg={message}",
        ],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
        },
    )
    assert '"msg": "http://a.example.com"' in done.stdout
