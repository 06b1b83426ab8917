# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One call of the module that reads proxy hosts: list them, render a block, ask whether it is in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .advanced_text import split_text
from .block import Block, no_headers, render
from .block_verdict import api_causes, judge_block
from .clash import find_clashes
from .headers import hsts_directive, repeated_headers
from .host_status import shown
from .lookup import access_rules
from .options import ProxyOptions, client_of, parse_name, parse_timeouts
from .paths import BlockError, BlockPath, parse_paths
from .plan import find_host
from .probe import ProxyProbe, is_served
from .version import Version, flag


def describe_host(host: Mapping[str, Any], paths: Sequence[BlockPath]) -> dict[str, Any]:
    """A host with what its Advanced text means for WebSockets."""
    out = shown(host)
    try:
        text = split_text(str(host.get("advanced_config") or ""))
    except BlockError as exc:
        broken = {"kind": "broken_markers", "text": str(exc)}
        return {**out, "block": None, "created": False, "findings": [broken]}
    switch_on = flag(host.get("allow_websocket_upgrade"))
    clashes = find_clashes(text.unmanaged, host.get("locations") or (), paths, switch_on, text.line_of)
    return {
        **out,
        "block": text.revision,
        "created": text.created_by_us,
        "findings": [{"kind": each.kind, "text": each.text} for each in clashes],
    }


def _headers(host: Mapping[str, Any], version: Version) -> Callable[[str], tuple[str, ...]]:
    """The response headers that a block of the host repeats."""
    try:
        unmanaged = split_text(str(host.get("advanced_config") or "")).unmanaged
    except BlockError:
        unmanaged = ""
    return repeated_headers(unmanaged, host.get("locations") or (), hsts_directive(host, version))


def read_info(params: Mapping[str, Any], result: dict[str, Any]) -> None:
    """Fill the result of the module.

    :raises ApiError: If the API does not answer as it should.
    :raises PlanError: If the rules of an access list cannot be read.
    :raises ValueError: One sentence on an option that cannot be used.
    """
    name = params["domain_name"] and parse_name(params["domain_name"])
    paths = parse_paths(params["websocket_paths"], params["forward_paths"])
    timeouts = parse_timeouts(params)
    hosts: list[dict[str, Any]] = []
    access, created = None, False
    headers: Callable[[str], tuple[str, ...]] = no_headers
    if params["api_url"]:
        client = client_of(params)
        result["version"] = str(client.version)
        hosts = client.hosts()
        if name:
            hosts = [host for host in (find_host(hosts, name, wildcards=True),) if host]
            for host in hosts:
                headers = _headers(host, client.version)
                list_id = int(host.get("access_list_id") or 0)
                access = access_rules(client, name, list_id) if paths and list_id else None
        result["hosts"] = [describe_host(host, paths) for host in hosts]
        created = bool(name) and any(each["created"] for each in result["hosts"])
    block: Block | None = None
    if paths or created:
        block = render(paths, timeouts, access, created, headers)
        result["block"], result["revision"] = block.text, block.revision
    proxy = ProxyOptions.of(params)
    has_certificate = any(each.get("certificate_id") for each in hosts)
    endpoint = proxy.endpoint(name, has_certificate) if proxy.address and name else None
    seen = ProxyProbe(endpoint).ask([each.path for each in paths])
    result["wire"] = {path: each.as_result() for path, each in seen.items()}
    served = is_served(endpoint) if endpoint else None
    causes = api_causes(result["hosts"], result["revision"]) if params["api_url"] else ()
    verdict = judge_block(name, result["revision"] or None, seen, served, asked=endpoint is not None, causes=causes)
    result["verdict"], result["msg"] = verdict.kind, verdict.text
