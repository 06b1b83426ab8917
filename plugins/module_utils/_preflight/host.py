# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the staging host can carry a deployment: gathers the facts and judges them, subject by subject."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._host.accounts import find_account, rights_of
from .._host.files import read_text
from .._host.programs import find_program
from .._host.sockets import Place
from .._host.url import Url, is_loopback
from . import addresses_facts
from .addresses import Addresses, judge_addresses
from .application import judge_application
from .application_facts import look_at_application, pinned_python, wanted_node, wanted_python
from .certificate import CERTIFICATE, KEY, judge_certificate
from .certificate_facts import look_at_certificate
from .conflicts import judge_checkout, judge_merge, judge_name_lengths, judge_names, judge_processes
from .conflicts_facts import claims_on, conflicts_in, long_names_on, nginx_files, uncommitted_in
from .contents import judge_env_file, judge_owners, judge_source_in_place
from .contents_facts import env_file_problem, is_filled_directory, look_at_contents
from .finding import PreflightFinding
from .listeners import judge_ports, judge_proxy_ports
from .listeners_facts import ManagedProcesses
from .machine import judge_memory, judge_node, judge_python
from .machine_facts import available_memory, ephemeral_ports, output_of, version_of
from .nginx import is_link_of_site, judge_nginx, missing_file, refused_file, refused_for_managed_site
from .reachable import judge_names_to_connect_to, names_to_connect_to
from .socket import judge_socket
from .socket_facts import look_at_socket
from .source_facts import check_repository
from .storage import judge_storage, needed_bytes
from .storage_facts import look_at_storage
from .variables import (
    API,
    BACKEND_PORT,
    CREATE_PARENT,
    FRONTEND_PORT,
    GREEN_PORT,
    PAGE,
    PROJECT_DIR,
    PROXY_PORT,
    SOCKET,
    TAKE_OVER,
    WS,
    DeploymentInputs,
)

#: The variables that a host is told. All others, the secrets among them, stay on the controller: role preflight has the
#: same list, and a test compares them.
HOST_INPUTS = (
    API,
    BACKEND_PORT,
    CREATE_PARENT,
    FRONTEND_PORT,
    GREEN_PORT,
    PAGE,
    PROJECT_DIR,
    PROXY_PORT,
    SOCKET,
    TAKE_OVER,
    WS,
    "staging_app_name",
    "staging_backend_build_command",
    "staging_backend_dir",
    "staging_backend_install",
    "staging_backend_install_command",
    "staging_backend_requirements",
    "staging_backend_switch",
    "staging_env_file",
    "staging_ecosystem_file",
    "staging_frontend_build_command",
    "staging_frontend_command",
    "staging_frontend_dir",
    "staging_frontend_install_command",
    "staging_frontend_output_dir",
    "staging_frontend_serve",
    "staging_frontend_static_dir",
    "staging_git_key_file",
    "staging_git_known_hosts",
    "staging_git_url",
    "staging_git_version",
    "staging_leave_behind",
    "staging_min_memory_bytes",
    "staging_node_version",
    "staging_proxy_address",
    "staging_proxy_manager_api_from",
    "staging_proxy_manager_api_url",
    "staging_proxy_page",
    "staging_proxy_provider",
    "staging_shared_paths",
    "staging_source_exclude",
    "staging_source_type",
    "staging_static_publish",
    "staging_static_url_path",
    "staging_tls",
    "staging_tls_before_proxy",
    "staging_tls_certificate",
    "staging_tls_key",
    "staging_tls_warn_days",
    "staging_user",
)


@dataclass(frozen=True)
class PreflightOptions:
    """What the check of a host is told beside the inputs."""

    check_mode: bool = False
    source_path: str = ""
    """Directory with the source; empty before there is one."""
    process_names: Sequence[str] = ()
    controller_addresses: Mapping[str, Any] = field(default_factory=dict)
    min_free_bytes: int | None = None
    min_memory_bytes: int = 0
    node: str = "node"
    python: str = "python3"


def check_host(given: Mapping[str, Any], options: PreflightOptions) -> tuple[list[PreflightFinding], Addresses]:
    """Every finding on this host, and the addresses of the public names as it sees them.

    :param given: Of these, :data:`HOST_INPUTS` are read.
    """
    inputs = DeploymentInputs({name: given[name] for name in HOST_INPUTS if name in given})
    found: list[PreflightFinding] = []
    project_dir = inputs.text(PROJECT_DIR).rstrip("/")
    urls = inputs.public_urls()
    on_nginx = inputs.provider == "nginx"
    served = {variable: url for variable, url in urls.items() if variable != PAGE or inputs.proxies_page}
    if project_dir:
        found += _check_storage(inputs, project_dir, options)
        found += _check_checkout(inputs, project_dir)
    found += _check_ports(inputs, project_dir, served if on_nginx else {}, options)
    if inputs.text(SOCKET):
        found += judge_socket(inputs, look_at_socket(inputs.text(SOCKET), inputs.text("staging_user")))
    memory = available_memory()
    if memory is not None:
        found += judge_memory(inputs, memory, options.min_memory_bytes)
    if os.path.isdir(options.source_path):
        found += _check_source(inputs, options)
    elif inputs.text("staging_source_type") == "in_place" and is_filled_directory(project_dir):
        # The programs for it may still be installed.
        with rights_of(find_account(inputs.text("staging_user"))):
            application = look_at_application(project_dir, inputs)
        found += judge_application(inputs, application)
    elif inputs.text("staging_source_type") == "git":
        found += check_repository(inputs)
    if on_nginx:
        found += _check_nginx(inputs, project_dir)
        found += _check_names(inputs, project_dir, served.values())
        found += _check_certificate(inputs, {variable: url.host for variable, url in served.items() if url.secure})
    # Another proxy has the names of what it serves; this host serves a page that the proxy does not.
    on_host = [name for name in urls if on_nginx or name not in served]
    names, answers = _check_addresses(inputs, urls, on_host, options)
    return found + names, answers


def _check_storage(inputs: DeploymentInputs, project_dir: str, options: PreflightOptions) -> list[PreflightFinding]:
    user = inputs.text("staging_user")
    contents = look_at_contents(project_dir, user)
    needed = options.min_free_bytes
    if needed is None:
        needed = needed_bytes(contents.size)
    found = judge_storage(inputs, look_at_storage(project_dir, user), needed=needed)
    found += judge_owners(inputs, contents.foreign, user_exists=find_account(user) is not None)
    if inputs.text("staging_source_type") == "in_place":
        found += judge_source_in_place(inputs, exists=is_filled_directory(project_dir))
    return found


def _check_ports(
    inputs: DeploymentInputs, project_dir: str, served: Mapping[str, Url], options: PreflightOptions
) -> list[PreflightFinding]:
    directories = [project_dir, f"{project_dir}.releases"] if project_dir else []
    processes = ManagedProcesses(directories, options.process_names, inputs.text("staging_user"))
    places: dict[str, Place] = {variable: port for variable, port in inputs.own_ports().items() if port is not None}
    if inputs.get(SOCKET) is not None:
        places[SOCKET] = inputs.text(SOCKET)
    proxy_ports = {inputs.port_at_proxy(url): variable for variable, url in served.items()}
    holders = processes.holders([*places.values(), *proxy_ports])
    found = judge_ports(inputs, places, holders, ephemeral=ephemeral_ports())
    found += judge_processes(inputs, places, options.process_names, holders, inputs.text("staging_user"))
    at_proxy = [holder for holder in holders if holder.place not in places.values()]
    return found + judge_proxy_ports(inputs, proxy_ports, at_proxy)


def _check_names(inputs: DeploymentInputs, project_dir: str, served: Iterable[Url]) -> list[PreflightFinding]:
    """Other files of nginx that answer for the public names, and names that nginx would refuse."""
    wanted = {(url.host, inputs.port_at_proxy(url)) for url in served}
    site = _site_of(inputs, project_dir)
    return [
        *judge_names(inputs, claims_on(wanted, site)),
        *judge_name_lengths(inputs, long_names_on(wanted, site)),
    ]


def _check_checkout(inputs: DeploymentInputs, project_dir: str) -> list[PreflightFinding]:
    """Work in a directory that is to be taken over; of one that is deployed as it is, only a merge that stopped.

    Of a directory that is no release yet, also an environment file that cannot be read.
    """
    user, env_file = inputs.text("staging_user"), inputs.text("staging_env_file") or ".env.staging"
    manual = os.path.isdir(project_dir) and not os.path.islink(project_dir)
    found = judge_env_file(inputs, env_file_problem(os.path.join(project_dir, env_file), user)) if manual else []
    if inputs.text("staging_source_type") == "in_place":
        return found + judge_merge(inputs, project_dir, conflicts_in(project_dir, user))
    if not manual:
        return []
    files = uncommitted_in(
        project_dir,
        user,
        shared=[*inputs.texts("staging_shared_paths"), *inputs.texts("staging_leave_behind")],
        env_file=env_file,
        exclude=inputs.texts("staging_source_exclude"),
    )
    return found + judge_checkout(inputs, project_dir, files)


def _check_source(inputs: DeploymentInputs, options: PreflightOptions) -> list[PreflightFinding]:
    """The source belongs to the deploy user, and the Python may be a program of his: root reads and runs neither."""
    source, account = options.source_path, find_account(inputs.text("staging_user"))
    node_version, python_version = version_of(options.node, account), version_of(options.python, account)
    with rights_of(account):
        application = look_at_application(source, inputs)
        node_ranges, python_ranges = wanted_node(source, inputs), wanted_python(source, inputs)
        pinned = pinned_python(source, inputs)
    node = judge_node(inputs, node_version, node_ranges, required=not options.check_mode)
    return [
        *judge_application(inputs, application),
        *node,
        *judge_python(inputs, python_version, python_ranges, pinned),
    ]


def _site_of(inputs: DeploymentInputs, project_dir: str) -> str:
    return inputs.text("staging_app_name") or os.path.basename(project_dir)


def _check_nginx(inputs: DeploymentInputs, project_dir: str) -> list[PreflightFinding]:
    path = find_program("nginx")
    ended = output_of(path, "-t") if path else None
    if ended is None or ended.succeeded:
        return []
    missing = missing_file(ended.output)
    target = os.path.join(os.path.dirname(missing), os.readlink(missing)) if os.path.islink(missing) else ""
    if target and is_link_of_site(missing, target, _site_of(inputs, project_dir)):
        return []
    place = refused_file(ended.output)
    # A file that cannot be parsed is not among those of the configuration.
    files = {**nginx_files(), **({place: read_text(place) or ""} if place else {})}
    return [] if refused_for_managed_site(ended.output, files) else [judge_nginx(inputs, ended.output)]


def _check_certificate(inputs: DeploymentInputs, hosts: Mapping[str, str]) -> list[PreflightFinding]:
    certificate, key = inputs.text(CERTIFICATE), inputs.text(KEY)
    if not certificate or not key or inputs.tls != "files":
        return []
    return judge_certificate(inputs, look_at_certificate(certificate, key), hosts)


def _check_addresses(
    inputs: DeploymentInputs, urls: Mapping[str, Url], on_host: Sequence[str], options: PreflightOptions
) -> tuple[list[PreflightFinding], Addresses]:
    """The public names as this host sees them, and as the controller does where that differs."""
    hosts = {variable: url.host for variable, url in urls.items()}
    needed = names_to_connect_to(inputs, on_host=True)
    answers = addresses_facts.resolve([*hosts.values(), *needed.values()])
    local = addresses_facts.local_addresses()
    # Debian's installer gives the host's own name the address 127.0.1.1.
    seen = {address for addresses in answers.values() for address in addresses or ()}
    here = local | {address for address in seen if is_loopback(address)}
    found = judge_addresses(inputs, hosts, answers, here, vantage="the staging host", on_host=on_host)
    found += judge_names_to_connect_to(inputs, needed, answers, vantage="the staging host")
    elsewhere = {
        host: addresses
        for host, addresses in options.controller_addresses.items()
        if addresses and host in answers and set(addresses) != set(answers[host] or ())
    }
    found += judge_addresses(inputs, hosts, elsewhere, local, vantage="the controller", on_host=on_host)
    return found, answers
