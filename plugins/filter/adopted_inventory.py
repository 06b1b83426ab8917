# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: adopted_inventory
short_description: Describe a manual deployment by an inventory
version_added: 0.1.0
author:
  - The codeframe.staging contributors (@codeframe)
description:
  - Makes the text of a file of variables from what M(codeframe.staging.manual_deployment_info) has found.
  - Texts of the host that Ansible would take for a template are marked C(!unsafe) in it.
options:
  _input:
    description: RV(codeframe.staging.manual_deployment_info#module:project) of the task that has read the project.
    type: dict
    required: true
  servers:
    description: RV(codeframe.staging.manual_deployment_info#module:servers) of the task that has read nginx.
    type: list
    elements: dict
    required: true
  host:
    description: Name or address of the host.
    type: str
    required: true
  env_file:
    description: Path of the env file in the project.
    type: str
    required: true
  manager_hosts:
    description: RV(codeframe.staging.nginx_proxy_manager_info#module:hosts), if Nginx Proxy Manager was asked.
    type: list
    elements: dict
    default: []
  manager_login:
    description:
      - How Nginx Proxy Manager was asked, for the inventory, with C(api_url), C(identity), C(api_from), C(ca_path) and
        C(validate_certs). The secret is a placeholder.
    type: dict
    default: {}
positional: servers, host, env_file
"""

EXAMPLES = r"""
made: "{{ found.project | codeframe.staging.adopted_inventory(nginx.servers, inventory_hostname, '.env.staging') }}"
"""

RETURN = r"""
_value:
  description: The C(text) of the file of variables, and the C(open_questions), each as one sentence.
  type: dict
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.codeframe.staging.plugins.module_utils._adoption.inventory import AdoptedInventory, adopted

_HEAD = """\
---
# Written by adopt_staging from what was found on the host. Read it once: what is marked NOT FOUND must be replaced.
"""


class _Unsafe(str):
    """A text that is no template."""


class _Dumper(yaml.SafeDumper):
    """Writes texts of the host so that they are never evaluated."""


def _represent(dumper: yaml.SafeDumper, text: _Unsafe) -> yaml.Node:
    return dumper.represent_scalar("!unsafe", str(text), style="'" if text.isprintable() else '"')


_Dumper.add_representer(_Unsafe, _represent)


def to_yaml(made: AdoptedInventory) -> str:
    """The file of variables."""
    lines = [_HEAD]
    for name, value in made.variables.items():
        if made.comments.get(name):
            lines.append(f"# {made.comments[name]}\n")
        if name == "staging_backend_command" or isinstance(value, list):
            lines.append(_dumped(name, value, flow=True))
        else:
            lines.append(_dumped(name, value, flow=False))
    if made.secrets:
        lines.append(
            "\n# To have the secrets in the inventory, write them into a file that ansible-vault encrypts, and\n"
            "# uncomment this. "
            "Until then, their values on the host stay as they are.\n# staging_env_secrets:\n"
        )
        lines += [f'#   {key}: "{{{{ vault_{key.lower()} }}}}"\n' for key in made.secrets]
    return "".join(lines)


def _login_to_yaml(login: Mapping[str, Any]) -> str:
    """The variables of the login; a secret is no part of the inventory unless ansible-vault encrypts it."""
    lines = [_dumped(f"staging_proxy_manager_{name}", value, flow=False) for name, value in login.items()]
    lines.append("# The password of the account, from a file that ansible-vault encrypts:\n")
    lines.append('staging_proxy_manager_secret: "{{ vault_proxy_manager_secret }}"\n')
    return "".join(lines)


def _dumped(name: str, value: Any, *, flow: bool) -> str:
    style = None if flow else False
    text = yaml.dump(
        {name: _marked(value)},
        Dumper=_Dumper,
        default_flow_style=style,
        width=100_000,
        sort_keys=False,
    )
    return str(text)


def _marked(value: Any) -> Any:
    if isinstance(value, str):
        # The one template of our own is the port, in single braces.
        return _Unsafe(value) if re.search(r"\{[{%#]|[^ -~]", value) else str(value)
    if isinstance(value, list):
        return [_marked(each) for each in value]
    return value


def adopted_inventory(
    project: Mapping[str, Any],
    servers: Sequence[Mapping[str, Any]],
    host: str,
    env_file: str,
    manager_hosts: Sequence[Mapping[str, Any]] = (),
    manager_login: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe the deployment.

    :raises AnsibleFilterError: If what was found has not the form that the module returns.
    """
    try:
        manual = [each for each in servers if not each["managed"]]
        made = adopted(project, manual, host, env_file, [each for each in manager_hosts if not each["block"]])
    except (KeyError, TypeError, AttributeError, ValueError) as problem:
        raise AnsibleFilterError(
            f"adopted_inventory: the host has not returned what was expected ({problem})"
        ) from problem
    text = to_yaml(made)
    if made.variables["staging_proxy_provider"] == "nginx_proxy_manager":
        text += _login_to_yaml(manager_login or {})
    return {"text": text, "open_questions": made.open_questions}


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"adopted_inventory": adopted_inventory}
