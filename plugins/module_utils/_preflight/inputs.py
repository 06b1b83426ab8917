# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the inputs of a deployment fit together, judged from the inputs alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .build import check_build
from .commands import check_commands
from .environment import check_env_file, check_public_env
from .finding import PreflightFinding
from .kinds import check_kinds, check_unknown
from .ports import check_listeners, check_ports
from .project import check_names, check_paths, check_user, check_versions
from .proxy import check_certificate, check_choices, check_routes
from .socket import check_socket
from .source import check_source
from .urls import check_cors, check_hosts, check_schemes, check_urls
from .variables import DeploymentInputs
from .verification import check_connections, check_health_urls, check_hold


def check_inputs(given: Mapping[str, Any]) -> list[PreflightFinding]:
    """Every finding on the inputs, in the order of docs/variables.md.

    :param given: The variables by the names under which the user sets them.
    """
    inputs = DeploymentInputs(given)
    check_choices(inputs)
    urls = check_urls(inputs)
    ports = check_ports(inputs)
    check_socket(inputs)
    check_routes(inputs, urls.ws)
    check_schemes(inputs, urls)
    check_hosts(inputs, urls)
    check_listeners(inputs, urls, ports)
    check_certificate(inputs, urls)
    check_cors(inputs, urls)
    check_paths(inputs)
    check_commands(inputs, ports)
    check_build(inputs)
    check_names(inputs)
    check_user(inputs)
    check_versions(inputs)
    check_source(inputs)
    check_env_file(inputs, urls.page, ports)
    check_public_env(inputs, urls.page)
    check_health_urls(inputs)
    check_hold(inputs)
    check_connections(inputs)
    # Last, because one sentence on a variable is enough.
    check_kinds(inputs)
    check_unknown(inputs)
    return inputs.findings
