# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of private_ca on the controller, where the authority is: the module on the host reads and writes a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ansible.plugins.action import ActionBase
from ansible_collections.codeframe.staging.plugins.module_utils._tls import authority_store
from ansible_collections.codeframe.staging.plugins.module_utils._tls.authority import (
    AUTHORITY_DAYS,
    HAS_CRYPTOGRAPHY,
    Authority,
    AuthorityError,
    issue,
    reasons_to_issue,
    utc_now,
)

_LARGEST_CERTIFICATE = 65536


class ActionModule(ActionBase):  # type: ignore[misc]
    """Issue a certificate if the host needs one; its key is in no result."""

    _requires_connection = True
    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Return why a certificate was issued. Check mode creates and issues nothing."""
        super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(
            argument_spec={
                "directory": {"type": "path", "required": True},
                "names": {"type": "list", "elements": "str", "required": True},
                "path": {"type": "str", "required": True},
                "authority_name": {"type": "str", "default": "codeframe.staging private CA"},
                "valid_days": {"type": "int", "default": 397},
                "renew_days": {"type": "int", "default": 60},
            }
        )
        if not HAS_CRYPTOGRAPHY:
            return {
                "failed": True,
                "msg": "the Python of Ansible on the controller has no cryptography; install it there",
            }
        if not options["names"]:
            return {"failed": True, "msg": "names is empty, expected the names that the certificate is for"}
        found = self._on_host(options, task_vars)
        if found.get("failed"):
            return {"failed": True, "msg": str(found.get("msg") or "the host cannot be asked for its certificate")}
        try:
            return self._give(options, found, task_vars)
        except AuthorityError as error:
            msg = (
                f"the private authority in {options['directory']} {error}; repair it, or move its files away for a new"
            )
            return {"failed": True, "msg": f"{msg} one, which all devices must then trust"}

    def _give(
        self, options: Mapping[str, Any], found: Mapping[str, Any], task_vars: dict[str, Any] | None
    ) -> dict[str, Any]:
        authority, created = self._authority(options)
        reasons = _reasons(authority, options, found)
        result: dict[str, Any] = {
            "changed": bool(reasons),
            "reasons": reasons,
            "not_after": "",
            "ca_path": os.path.join(options["directory"], authority_store.CERTIFICATE),
            "ca_fingerprint": authority.fingerprint if authority else "",
            "ca_created": created,
        }
        days = authority.days_left(utc_now()) if authority else AUTHORITY_DAYS
        if days < options["valid_days"]:
            result["warnings"] = [
                f"the private authority in {options['directory']} expires in {days} days; move its files away before,"
                " so that the next run creates a new one, and trust that on all devices"
            ]
        if reasons and authority and not self._task.check_mode:
            issued = issue(authority, options["names"], utc_now(), options["valid_days"])
            written = self._on_host(options, task_vars, content=issued.certificate_pem + issued.key_pem)
            if written.get("failed"):
                return {"failed": True, "msg": str(written.get("msg", "the certificate cannot be written"))}
            result["not_after"] = issued.not_after.strftime("%Y-%m-%dT%H:%M:%SZ")
        return result

    def _authority(self, options: Mapping[str, Any]) -> tuple[Authority | None, bool]:
        """The authority, None where check mode would create it, and whether it was, or would be, created."""
        if self._task.check_mode:
            found = authority_store.find(options["directory"])
            return found, found is None
        with authority_store.locked(options["directory"]) as directory:
            authority = authority_store.read(directory)
            if authority is not None:
                return authority, False
            return authority_store.create(directory, options["authority_name"], utc_now()), True

    def _on_host(
        self, options: Mapping[str, Any], task_vars: dict[str, Any] | None, content: str | None = None
    ) -> dict[str, Any]:
        arguments = {**options, **({} if content is None else {"content": content})}
        result: dict[str, Any] = self._execute_module(
            module_name="codeframe.staging.private_ca", module_args=arguments, task_vars=task_vars
        )
        return result


def _reasons(authority: Authority | None, options: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """:param found: What the host says of its file."""
    if not found.get("exists"):
        return ["there is none yet"]
    problem, pem = str(found.get("problem", "")), str(found.get("pem", ""))[:_LARGEST_CERTIFICATE]
    if problem:
        return [problem]
    if authority is None:
        return ["another authority has issued it"]
    return list(reasons_to_issue(authority, pem, options["names"], utc_now(), options["renew_days"]))
