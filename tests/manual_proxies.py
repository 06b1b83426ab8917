# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The block that the role proxy prints for a proxy that is configured manually."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
from ansible.plugins.filter import core, mathstuff
from ansible_collections.codeframe.staging.plugins.filter.proxy_plan import proxy_plan

_TEMPLATES = Path(__file__).resolve().parents[1] / "roles/proxy/templates"


def printed(kind: str, inputs: dict[str, Any]) -> str:
    """The whole text.

    :param kind: A choice of ``proxy_manual_for`` other than ``proxy_manager``.
    :param inputs: As the filter ``proxy_plan`` takes them.
    """
    environment = jinja2.Environment(  # noqa: S701 - no HTML
        loader=jinja2.FileSystemLoader(_TEMPLATES), trim_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(core.FilterModule().filters())
    environment.filters.update(mathstuff.FilterModule().filters(), unique=environment.filters["unique"])
    variables = {
        "__proxy_plan": proxy_plan({"static_root": "/x", "static_publish": False, **inputs}),
        "__proxy_http2_by_listen": True,
        "proxy_manual_for": kind,
        "proxy_site_name": inputs["site_name"],
        "__proxy_format": "yaml",
    }
    return environment.get_template("manual.j2").render(variables)


def block(kind: str, inputs: dict[str, Any]) -> str:
    """The lines to paste."""
    text = printed(kind, inputs)
    return text[text.index("# BEGIN ") :]
