# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: acme_challenges
short_description: Let a site of nginx answer ACME challenges
version_added: 0.1.0
description:
  - Adds the location of the challenges to the servers of a site at port 80, and a server for each name that has none.
    Everything else of the site stays.
positional: _input, names, root, ipv6
options:
  _input:
    description: Text of a site that this collection has rendered; empty if there is none.
    type: str
    required: true
  names:
    description: Host names that are challenged.
    type: list
    elements: str
    required: true
  root:
    description: Directory with the answers.
    type: path
    required: true
  ipv6:
    description: Whether a server that is added listens on IPv6 too.
    type: bool
    default: true
author:
  - The codeframe.staging contributors (@codeframe)
seealso:
  - module: codeframe.staging.certbot_certificate
"""

EXAMPLES = r"""
content: "{{ site.content | codeframe.staging.acme_challenges(['app.example.com'], '/var/www/html') }}"
"""

RETURN = r"""
_value:
  description: The text of the site.
  type: str
"""

from collections.abc import Sequence
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._nginx.challenges import with_challenges
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site_inputs import truth


def acme_challenges(content: str, names: Sequence[str], root: str, ipv6: object = True) -> str:
    """As :func:`with_challenges`, with the values of a template."""
    return with_challenges(str(content), [str(name) for name in names], str(root), truth(ipv6))


class FilterModule:
    """Entry point."""

    def filters(self) -> dict[str, Any]:
        return {"acme_challenges": acme_challenges}
