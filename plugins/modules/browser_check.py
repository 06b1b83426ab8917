#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: browser_check
short_description: Prove in a headless browser that a page opens its WebSocket
version_added: 0.1.0
description:
  - Opens a page in a headless Chromium or Chrome of its own, waits for the page's WebSocket, and checks its URL, the
    answer to the handshake, the messages, how long it stays open, the console, and the files that the page loads.
  - This is what a user's browser does, so it sees what no other check can see, such as an outdated URL in the bundle, a
    Content-Security-Policy, a WebSocket without TLS on a page with TLS, or a service worker.
  - Runs on the controller, driven over the Chrome DevTools Protocol. The browser has an empty profile, which is removed
    afterwards, and its sandbox unless it runs as root.
  - Changes nothing.
options:
  url:
    description:
      - URL of the page.
    type: str
    required: true
  websocket_url:
    description:
      - URL of the WebSocket that the page has to open. Its query does not count.
      - Without it, the first WebSocket that the page opens is taken, except those of development servers.
    type: str
  hold:
    description:
      - Seconds for which the WebSocket has to stay open.
    type: float
    default: 5
  timeout:
    description:
      - Seconds from the navigation until the WebSocket has to be open.
    type: float
    default: 30
  frames:
    description:
      - Directions in which at least one message has to pass while the page is open.
    type: list
    elements: str
    choices: [sent, received]
    default: []
  console:
    description:
      - Text that has to appear in the console, such as V(WebSocket connected).
    type: str
  ignore_console:
    description:
      - Regular expressions of console errors that do not count.
    type: list
    elements: str
    default: []
  errors:
    description:
      - Which of the other errors in the console, and of the exceptions that nothing catches, count.
      - V(without_data) leaves out answers with a status of 4xx to requests of the page's code, which depend on the
        data of the application and on a login.
      - V(deployment) counts those alone that a deployment causes, which are requests that CORS, a
        Content-Security-Policy or mixed content forbids, and requests that reach no server. A page of data that does
        not exist may show any other error.
    type: str
    choices: [all, without_data, deployment]
    default: all
  cookies:
    description:
      - Cookies for the page's origin, by name. Values are never shown.
    type: dict
  headers:
    description:
      - Headers of every request that the page makes, by name. Values are never shown.
    type: dict
  login:
    description:
      - A form to fill in and send before the page is opened.
    type: dict
    suboptions:
      url:
        description: URL of the page with the form.
        type: str
        required: true
      fields:
        description: Values to type, by CSS selector. Never shown.
        type: dict
        required: true
      submit:
        description: CSS selector of what is clicked then.
        type: str
        default: "[type=submit]"
  resolve:
    description:
      - Addresses to connect to, by host name, for names that this machine does not resolve.
    type: dict
    default: {}
  ca_path:
    description:
      - File with a certificate authority to trust beside the browser's own, as PEM. Needs C(certutil).
    type: path
  screenshot:
    description:
      - File for a picture (PNG) of the page at the moment of the verdict. It is created with mode 0600.
    type: path
  browser:
    description:
      - Program to start. By default the first of C(chromium), C(chromium-browser), C(google-chrome-stable),
        C(google-chrome), C(chrome) and C(microsoft-edge-stable) on the path.
    type: path
  fail:
    description:
      - Whether the module fails if the check fails. Where no browser is found it never does; see RV(available).
    type: bool
    default: true
attributes:
  check_mode:
    description: Changes nothing, and does the same in check mode.
    support: full
  diff_mode:
    description: Nothing is changed that could be shown.
    support: none
requirements:
  - Chromium or Chrome on the machine that runs the module
  - websockets >= 12 (Python library)
  - certutil (Debian's package libnss3-tools), for O(ca_path)
author:
  - The codeframe.staging contributors (@codeframe)
seealso:
  - module: codeframe.staging.websocket_check
"""

EXAMPLES = r"""
- name: Prove that the dashboard opens its WebSocket
  codeframe.staging.browser_check:
    url: https://app.example.com/projects/1
    websocket_url: wss://api.example.com/ws
    console: WebSocket connected
    hold: 10
  delegate_to: localhost
  become: false

- name: Check a page behind a login
  codeframe.staging.browser_check:
    url: https://app.example.com/dashboard
    login:
      url: https://app.example.com/login
      fields:
        "#email": check@example.com
        "#password": "{{ vault_check_password }}"
    frames: [sent, received]
  delegate_to: localhost
  become: false
"""

RETURN = r"""
available:
  description: Whether a browser was found. If not, nothing was checked.
  returned: always
  type: bool
passed:
  description: Whether everything that is expected was seen.
  returned: always
  type: bool
cause:
  description: One of the causes of the catalogue in C(docs/diagnosis.md); V(none) if the check passed.
  returned: when a browser was found
  type: str
  sample: stale_bundle
explanation:
  description: The cause in one sentence.
  returned: always
  type: str
remedy:
  description: What to do.
  returned: always
  type: str
evidence:
  description: What else was seen - redirects, WebSockets, files that did not load, errors of the console.
  returned: when a browser was found
  type: list
  elements: str
page:
  description: URL at which the browser arrived, and the status of its answer.
  returned: when a browser was found
  type: dict
  sample: {url: "https://app.example.com/projects/1", status: 200}
websocket:
  description:
    - The WebSocket that counted, or V(null) - its C(url), the C(status) of the handshake, seconds until it was open
      (C(opened_s)), for which it was held (C(held_s)), and the numbers of messages C(sent) and C(received).
  returned: when a browser was found
  type: dict
console:
  description: Lines of the console, at most 50.
  returned: when a browser was found
  type: list
  elements: str
screenshot:
  description: Where the picture was written; empty if there is none.
  returned: when a browser was found
  type: str
"""

import os
import re
from typing import Any

from ansible.module_utils.basic import AnsibleModule, missing_required_lib

from ..module_utils._browser.devtools import HAS_WEBSOCKETS
from ..module_utils._browser.follow_up import ask_again
from ..module_utils._browser.launch import PROGRAMS, BrowserError, find_browser
from ..module_utils._browser.report import page_result
from ..module_utils._browser.verdict import Expected, judge
from ..module_utils._browser.visit import Login, Visit, visit
from ..module_utils._host.files import write_atomic
from ..module_utils._host.url import UrlError, parse_url, without_userinfo


def _wanted(params: dict[str, Any]) -> tuple[Visit, Expected]:
    """Translate the options.

    :raises ValueError: If one of them cannot be used; the message names it.
    """
    for option, schemes in (("url", ("http", "https")), ("websocket_url", ("ws", "wss"))):
        value = params[option]
        expected = f"expected a URL that begins with {schemes[0]}:// or {schemes[1]}://"
        if not value:
            continue
        try:
            scheme = parse_url(value, lenient=True).scheme
        except UrlError as error:
            raise ValueError(f"{option} is {without_userinfo(value)}, but {error}; {expected}") from None
        if scheme not in schemes:
            raise ValueError(f"{option} is {value}; {expected}")
    for pattern in params["ignore_console"]:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"ignore_console has {pattern!r}, which is no regular expression ({error})") from None
    for option in ("hold", "timeout"):
        if params[option] < 0:
            raise ValueError(f"{option} is {params[option]}, expected 0 or more seconds")
    login = params["login"]
    return (
        Visit(
            params["url"],
            timeout_s=params["timeout"],
            cookies=_texts(params["cookies"]),
            headers=_texts(params["headers"]),
            resolve=_texts(params["resolve"]),
            login=Login(login["url"], _texts(login["fields"]), login["submit"]) if login else None,
            ca_path=params["ca_path"] or "",
            screenshot=bool(params["screenshot"]),
        ),
        Expected(
            websocket_url=params["websocket_url"] or "",
            hold_s=params["hold"],
            frames=tuple(params["frames"]),
            console=params["console"] or "",
            ignore_console=tuple(params["ignore_console"]),
            errors=params["errors"],
        ),
    )


def _texts(values: dict[str, Any] | None) -> dict[str, str]:
    return {str(name): str(value) for name, value in (values or {}).items()}


def _secrets(params: dict[str, Any]) -> list[str]:
    login = params["login"] or {}
    groups = (params["cookies"], params["headers"], login.get("fields"))
    return [value for group in groups for value in _texts(group).values() if value]


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "websocket_url": {"type": "str"},
            "hold": {"type": "float", "default": 5},
            "timeout": {"type": "float", "default": 30},
            "frames": {"type": "list", "elements": "str", "choices": ["sent", "received"], "default": []},
            "console": {"type": "str"},
            "ignore_console": {"type": "list", "elements": "str", "default": []},
            "errors": {"type": "str", "choices": ["all", "without_data", "deployment"], "default": "all"},
            # Not no_log as a whole: equal parts of the result would be blanked. The values are removed below.
            "cookies": {"type": "dict", "no_log": False},
            "headers": {"type": "dict", "no_log": False},
            "login": {
                "type": "dict",
                "options": {
                    "url": {"type": "str", "required": True},
                    "fields": {"type": "dict", "required": True, "no_log": False},
                    "submit": {"type": "str", "default": "[type=submit]"},
                },
            },
            "resolve": {"type": "dict", "default": {}},
            "ca_path": {"type": "path"},
            "screenshot": {"type": "path"},
            "browser": {"type": "path"},
            "fail": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    # In the log, in the invocation and in the result.
    module.no_log_values.update(_secrets(module.params))
    try:
        wanted, expected = _wanted(module.params)
    except ValueError as error:
        module.fail_json(msg=str(error), available=True, passed=False)
    if not HAS_WEBSOCKETS:
        module.fail_json(msg=missing_required_lib("websockets"), available=False, passed=False)
    program = find_browser(module.params["browser"] or "")
    if program is None:
        missing = module.params["browser"] or ", ".join(PROGRAMS)
        module.exit_json(
            changed=False,
            available=False,
            passed=False,
            explanation=f"no browser was found ({missing}), so the page was not opened in one",
            remedy="install Debian's package chromium where ansible-playbook runs, or name a program",
        )
        return
    try:
        seen = visit(program, wanted, expected)
    except BrowserError as error:
        module.fail_json(msg=f"{wanted.url}: {error}", available=True, passed=False)
    verdict = judge(seen.page, expected, ask_again(seen.page, expected, wanted.resolve))
    screenshot = ""
    if seen.screenshot:
        screenshot = os.path.abspath(module.params["screenshot"])
        write_atomic(screenshot, seen.screenshot, mode=0o600)
    result = page_result(seen.page, verdict, expected, screenshot)
    if module.params["fail"] and not verdict.passed:
        module.fail_json(msg=f"{verdict.explanation}; {verdict.remedy}", **result)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
