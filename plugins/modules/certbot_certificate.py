#!/usr/bin/python
# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certbot_certificate
short_description: Get a certificate by certbot, and have it renewed through a site of nginx
version_added: "0.1.0"
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Orders a certificate with certbot, by answers to challenges (HTTP-01) in a directory that nginx serves at port 80.
    The account with the authority is created with the first order, which accepts its terms.
  - A certificate that certbot has already, and that is good for O(names), is taken over. Where its renewal would not
    work beside nginx (C(standalone), or another directory), its way of renewal is changed. No other certificate of
    certbot is touched.
  - Has the timer of certbot enabled, and nginx reloaded after each renewal, once C(nginx -t) accepts the
    configuration.
  - Orders only if there is no good certificate. One that the timer should have renewed long ago is renewed.
options:
  name:
    description:
      - Name of the site. A certificate that is ordered has the name C(codeframe-staging-<name>) in certbot.
    type: str
    required: true
  state:
    description:
      - V(absent) deletes the certificate that was ordered for the site, unless nginx still loads it, and all files
        that were added for renewals. A certificate that was taken over stays.
    type: str
    choices: [present, absent]
    default: present
  names:
    description: DNS names that the certificate is for. Required with O(state=present).
    type: list
    elements: str
    default: []
  webroot:
    description: Directory with the answers, which nginx serves at port 80 of all names. It is created if it is missing.
    type: path
    default: /var/www/html
  challenges:
    description:
      - Who answers the challenges of an order.
      - With V(webroot) nginx serves the answers from O(webroot).
      - With V(nginx_plugin) the plugin of certbot for nginx (C(python3-certbot-nginx)) adds them to the sites that
        answer for the names, unmanaged ones too, and restores these when it ends. Renewals do the same.
    type: str
    choices: [webroot, nginx_plugin]
    default: webroot
  directory:
    description: URL of the authority's ACME directory; empty for Let's Encrypt.
    type: str
    default: ""
  email:
    description: E-mail address of the account with the authority; empty for none.
    type: str
    default: ""
  authority:
    description:
      - Certificates to trust for the server of the authority itself, as PEM, beside those of the system. They are
        stored on the host, so that its renewals trust them too.
    type: str
    default: ""
  test_renewal:
    description: Test that the renewal works (C(certbot renew --dry-run)). Nothing is issued. Not done in check mode.
    type: bool
    default: false
  compare:
    description: Only compare, and change nothing, also without check mode.
    type: bool
    default: false
  timeout:
    description: Seconds within which certbot must have ended.
    type: int
    default: 300
attributes:
  check_mode:
    support: full
    description: Orders nothing. RV(reasons) are those for which the run would change something.
  diff_mode:
    support: none
    description: The reasons tell what differs.
seealso:
  - module: codeframe.staging.certificate_info
  - module: codeframe.staging.private_ca
"""

EXAMPLES = r"""
- name: Get a certificate of Let's Encrypt
  codeframe.staging.certbot_certificate:
    name: app
    names: [app.example.com, api.example.com]
    email: admin@example.com
"""

RETURN = r"""
reasons:
  description: Why something was, or would be, changed; empty for no change.
  returned: always
  type: list
  elements: str
  sample: [there is none yet]
orders:
  description: Whether a certificate was, or would be, ordered or renewed.
  returned: always
  type: bool
lineage:
  description: Name of the certificate in certbot.
  returned: always
  type: str
  sample: codeframe-staging-app
path:
  description: File of the certificate chain.
  returned: always
  type: str
  sample: /etc/letsencrypt/live/codeframe-staging-app/fullchain.pem
key:
  description: File of the private key.
  returned: always
  type: str
  sample: /etc/letsencrypt/live/codeframe-staging-app/privkey.pem
timer:
  description: Unit that renews the certificate; empty if there is none yet.
  returned: always
  type: str
  sample: certbot.timer
installed:
  description: Whether certbot is installed.
  returned: always
  type: bool
check_mode:
  description: Whether it ran in check mode, for the tasks that follow O(compare).
  returned: always
  type: bool
remaining:
  description: With O(state=absent), what stays, and why.
  returned: always
  type: list
  elements: str
"""

from datetime import datetime, timezone
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils._host.command import Ended
from ..module_utils._host.files import protected_directory
from ..module_utils._tls.certbot import (
    PREFIX,
    Lineage,
    Wanted,
    choose,
    explain,
    is_late,
    order_arguments,
    reasons_to_order,
    renewal_arguments,
)
from ..module_utils._tls.certbot_host import CertbotHost, Change
from ..module_utils._tls.renewal import through_webroot


class CertbotError(Exception):
    """certbot could not do what is wanted; the message says why and what to do."""


class Certificate:
    """The certificate of a site on this host."""

    def __init__(self, host: CertbotHost, params: dict[str, Any]) -> None:
        self.host, self.site, self.timeout_s = host, params["name"], params["timeout"]
        self.authority = params["authority"]
        self.wanted = Wanted(
            name=PREFIX + self.site,
            names=tuple(params["names"]),
            webroot=params["webroot"],
            directory=params["directory"],
            email=params["email"],
            by_nginx_plugin=params["challenges"] == "nginx_plugin",
        )
        self.look()

    def look(self) -> None:
        now = datetime.now(timezone.utc)
        self.chosen: Lineage | None = choose(self.host.lineages(), self.wanted, now)
        self.order = reasons_to_order(self.chosen, self.wanted, now)
        self.late = not self.order and self.chosen is not None and is_late(self.chosen, now)
        self.timer, self.scheduled = self.host.timer()
        self.lineage = self.wanted.name if self.order or self.chosen is None else self.chosen.name

    @property
    def authorities(self) -> list[Change]:
        return self.host.authorities(self.site, self.authority, self.host.service_of(self.timer))

    @property
    def hook(self) -> Change | None:
        return self.host.hook(self.site, self.lineage)

    @property
    def renewal(self) -> Change | None:
        """The file of the renewal, if it has to go through the site."""
        if self.order or self.chosen is None or not self.chosen.renewal.problem_with(self.wanted.webroot):
            return None
        path = self.host.renewal_path(self.chosen.name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        names = self.chosen.pair.leaf.names if self.chosen.pair.leaf else self.wanted.names
        return self.host.change_of_renewal(self.chosen.name, through_webroot(text, names, self.wanted.webroot))

    def reasons(self) -> list[str]:
        # With an order comes everything else.
        if self.order:
            return list(self.order)
        found = ["it expires soon, and was not renewed"] if self.late else []
        if self.chosen and self.renewal:
            found.append(self.chosen.renewal.problem_with(self.wanted.webroot))
        if self.hook:
            found.append(f"nginx is not reloaded after a renewal of {self.lineage}")
        if self.authorities:
            found.append("certbot trusts other authorities than wanted")
        if self.host.program() and not self.scheduled:
            found.append(f"{self.timer or 'no timer of certbot'} is not enabled and active")
        return found

    def apply(self) -> None:
        """
        :raises CertbotError: If certbot fails.
        :raises OSError: If a file cannot be written.
        """
        if self.authorities:
            for change in self.authorities:
                self.host.apply(change)
            self.host.reload_units()
        with protected_directory(self.wanted.webroot, create=0o755):
            pass
        if self.order:
            self.certbot(order_arguments(self.wanted))
            self.look()
            if self.order:
                raise CertbotError(f"certbot has ordered a certificate that is not the one wanted: {self.order[0]}")
        renewal = self.renewal
        if renewal:
            self.host.apply(renewal)
        if self.hook:
            self.host.apply(self.hook)
        if self.late and self.chosen:
            self.look()
            self.certbot(renewal_arguments(self.chosen, test=False))
        if not self.scheduled:
            problem = self.host.enable(self.timer) if self.timer else "there is none"
            if problem:
                raise CertbotError(
                    f"no timer renews the certificate ({problem}); install Debian's package certbot, which has one"
                )

    def test(self) -> None:
        """
        :raises CertbotError: If a renewal would fail.
        """
        if self.chosen:
            try:
                self.certbot(renewal_arguments(self.chosen, test=True))
            except CertbotError as error:
                raise CertbotError(f"its renewal would fail: {error}") from None

    def certbot(self, arguments: list[str]) -> None:
        if self.host.program() is None:
            raise CertbotError("certbot is not installed; install Debian's package certbot")
        ended: Ended = self.host.certbot(arguments, self.timeout_s)
        if ended.timed_out:
            raise CertbotError(f"certbot has not ended within {self.timeout_s} s: {explain(ended.output)}")
        if not ended.succeeded:
            raise CertbotError(explain(ended.output))

    def remove(self, check_mode: bool) -> tuple[list[str], list[str]]:
        """Delete what was added; return the names of what was deleted, and what stays."""
        changes = self.host.removal(self.site)
        deleted, stays = [change.path for change in changes if change.wanted is None], []
        own = next((each for each in self.host.lineages() if each.name == self.wanted.name), None)
        if own is not None and self.host.is_loaded_by_nginx(own.name):
            stays.append(f"the certificate {own.name} of certbot, which nginx still loads")
            own = None
        if not check_mode:
            for change in changes:
                self.host.apply(change)
            if changes:
                self.host.reload_units()
            if own is not None:
                self.certbot(["delete", "--non-interactive", "--cert-name", own.name])
        return [*deleted, *([f"the certificate {own.name} of certbot"] if own else [])], stays


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "names": {"type": "list", "elements": "str", "default": []},
            "webroot": {"type": "path", "default": "/var/www/html"},
            "challenges": {"type": "str", "choices": ["webroot", "nginx_plugin"], "default": "webroot"},
            "directory": {"type": "str", "default": ""},
            "email": {"type": "str", "default": ""},
            "authority": {"type": "str", "default": ""},
            "test_renewal": {"type": "bool", "default": False},
            "compare": {"type": "bool", "default": False},
            "timeout": {"type": "int", "default": 300},
        },
        required_if=[("state", "present", ["names"])],
        supports_check_mode=True,
    )
    certificate = Certificate(CertbotHost(), module.params)
    present = module.params["state"] == "present"
    reasons = certificate.reasons() if present else []
    orders = present and (bool(certificate.order) or certificate.late)
    remaining: list[str] = []
    problem = ""
    try:
        if not present:
            reasons, remaining = certificate.remove(module.check_mode)
        elif not module.check_mode and not module.params["compare"]:
            if reasons:
                certificate.apply()
            if module.params["test_renewal"]:
                certificate.test()
    except (CertbotError, OSError) as error:
        problem = str(error) if isinstance(error, CertbotError) else f"{error.filename}: {error.strerror}"
    live = f"/etc/letsencrypt/live/{certificate.lineage}"
    result = {
        "changed": bool(reasons) and (module.check_mode or not module.params["compare"]),
        "reasons": reasons,
        "orders": orders,
        "lineage": certificate.lineage,
        "path": f"{live}/fullchain.pem",
        "key": f"{live}/privkey.pem",
        "timer": certificate.timer,
        "installed": certificate.host.program() is not None,
        "remaining": remaining,
        "check_mode": module.check_mode,
    }
    if problem:
        names = ", ".join(certificate.wanted.names) or certificate.site
        module.fail_json(msg=f"no certificate for {names} by certbot: {problem}", **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
