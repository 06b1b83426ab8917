"""The forms of a handshake, compared with what browsers were recorded to send to a page's other host."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._websocket.header_form import (
    Handshake,
    HeaderForm,
    header_fields,
)

# From Debian's packages chromium 156.0.8078.108 and firefox-esr 153.7.0, headless, over plain HTTP.
RECORDED = {
    HeaderForm.CHROMIUM: """\
Host: api.localhost:35549
Connection: Upgrade
Pragma: no-cache
Cache-Control: no-cache
User-Agent: Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/156.0.0.0
Upgrade: websocket
Origin: http://app.localhost:35549
Sec-WebSocket-Version: 13
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9
Sec-WebSocket-Key: 0sm8mILbq19BUg5+jRYgUg==
Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits
Sec-WebSocket-Protocol: v1, v2
""",
    HeaderForm.FIREFOX: """\
Host: api.localhost:43905
User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0
Accept: */*
Accept-Language: en-US,en;q=0.9
Accept-Encoding: gzip, deflate, br, zstd
Sec-WebSocket-Version: 13
Origin: http://app.localhost:43905
Sec-WebSocket-Protocol: v1, v2
Sec-WebSocket-Extensions: permessage-deflate
Sec-WebSocket-Key: +c7fWluvRI0/ePfYOXgeZA==
Sec-Fetch-Storage-Access: none
Connection: Upgrade
Sec-Fetch-Dest: empty
Sec-Fetch-Mode: websocket
Sec-Fetch-Site: cross-site
Pragma: no-cache
Cache-Control: no-cache
Upgrade: websocket
""",
}
# Said otherwise on purpose: the list of older versions, which proxies trip over; same-site, as a page and its API are.
DIFFERS = {
    HeaderForm.CHROMIUM: {},
    HeaderForm.FIREFOX: {
        "Connection": ("Upgrade", "keep-alive, Upgrade"),
        "Sec-Fetch-Site": ("cross-site", "same-site"),
        "Sec-Fetch-Storage-Access": ("none", None),
    },
}


@pytest.mark.parametrize("form", RECORDED)
def test_a_form_is_what_the_browser_sends(form: HeaderForm) -> None:
    recorded = [(name, value) for name, _, value in (line.partition(": ") for line in RECORDED[form].splitlines())]
    values = dict(recorded)
    handshake = Handshake(
        values["Host"], values["Sec-WebSocket-Key"], values["Origin"], values["User-Agent"], ("v1", "v2")
    )
    for name, (browsers, _) in DIFFERS[form].items():
        assert values[name] == browsers
    expected = [(name, DIFFERS[form].get(name, (None, value))[1]) for name, value in recorded]
    assert header_fields(form, handshake) == [(name, value) for name, value in expected if value is not None]
