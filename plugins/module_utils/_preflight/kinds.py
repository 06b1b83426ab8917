# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The type of each variable. A role checks its own only when it runs, after others have changed the host."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .variables import DeploymentInputs


@dataclass(frozen=True)
class Kind:
    """What a role takes; a test compares it with the argument_specs and defaults of the roles."""

    type: str
    choices: tuple[str, ...] = ()
    empty: str = ""
    """What an empty text, or null, means: ``unset``, the same as no variable; ``none``, another value; nothing else."""


_TEXT, _OR_NONE, _OPTIONAL = Kind("str"), Kind("str", empty="none"), Kind("str", empty="unset")
_LIST, _DICT, _NUMBER, _TRUTH = Kind("list"), Kind("dict"), Kind("int"), Kind("bool")

KINDS: Mapping[str, Kind] = {
    "staging_project_dir": Kind("path"),
    "staging_create_parent": _TRUTH,
    "staging_app_name": _TEXT,
    "staging_ecosystem_file": _OPTIONAL,
    "staging_ecosystem_env": _OPTIONAL,
    "staging_node_version": _OPTIONAL,
    "staging_user": _TEXT,
    "staging_public_url": _TEXT,
    "staging_public_ws_url": _TEXT,
    "staging_public_api_url": _TEXT,
    "staging_public_env": _DICT,
    "staging_cors_origins": _LIST,
    "staging_source_type": Kind("str", ("git", "archive", "in_place")),
    "staging_git_url": _OPTIONAL,
    "staging_git_version": _TEXT,
    "staging_git_key": _OPTIONAL,
    "staging_git_key_file": Kind("path", empty="unset"),
    "staging_git_known_hosts": _LIST,
    "staging_git_token": _OPTIONAL,
    "staging_git_user": _TEXT,
    "staging_git_submodules": _TRUTH,
    "staging_git_lfs": _TRUTH,
    "staging_git_timeout": _NUMBER,
    "staging_source_dir": Kind("path", empty="unset"),
    "staging_source_exclude": _LIST,
    "staging_shared_paths": _LIST,
    "staging_leave_behind": _LIST,
    "staging_take_over": _TRUTH,
    "staging_env_file": _TEXT,
    "staging_env": _DICT,
    "staging_env_secrets": _DICT,
    "staging_env_generate": _DICT,
    "staging_env_required_keys": _LIST,
    "staging_env_allow_placeholders": _LIST,
    "staging_env_readers": Kind("list", ("bash", "dotenv", "next", "python-dotenv")),
    "staging_backend_dir": _TEXT,
    "staging_backend_install": Kind("str", ("none", "npm", "pipenv", "poetry", "project", "requirements", "uv")),
    "staging_backend_python": _TEXT,
    "staging_backend_uv_arguments": _LIST,
    "staging_backend_poetry_version": _TEXT,
    "staging_backend_poetry_arguments": _LIST,
    "staging_backend_pipenv_version": _TEXT,
    "staging_backend_pipenv_arguments": _LIST,
    "staging_backend_install_command": _LIST,
    "staging_backend_install_env": _DICT,
    "staging_backend_build_command": _LIST,
    "staging_backend_build_env": _DICT,
    "staging_backend_output_dir": _TEXT,
    "staging_backend_command": _LIST,
    "staging_backend_process_name": _TEXT,
    "staging_backend_port": _NUMBER,
    "staging_backend_socket": _OPTIONAL,
    "staging_backend_health_url": _TEXT,
    "staging_backend_before_activation": _LIST,
    "staging_backend_after_activation": _LIST,
    "staging_backend_switch": Kind("str", ("restart", "blue_green")),
    "staging_backend_green_port": _NUMBER,
    "staging_backend_drain": _NUMBER,
    "staging_frontend_dir": _TEXT,
    "staging_frontend_build_env": _DICT,
    "staging_frontend_install_env": _DICT,
    "staging_frontend_output_dir": _TEXT,
    "staging_frontend_command": _LIST,
    "staging_frontend_build_on": Kind("str", ("host", "controller")),
    "staging_frontend_url_at": Kind("str", ("build", "start")),
    "staging_frontend_serve": Kind("str", ("process", "static")),
    "staging_frontend_fallback": _OPTIONAL,
    "staging_frontend_process_name": _TEXT,
    "staging_frontend_port": _NUMBER,
    "staging_frontend_health_url": _TEXT,
    "staging_pages": _LIST,
    "staging_proxy_provider": Kind("str", ("nginx", "nginx_proxy_manager", "manual")),
    "staging_proxy_manual_for": Kind("str", ("proxy_manager", "nginx", "apache", "haproxy", "caddy", "traefik")),
    "staging_static_publish": _TRUTH,
    "staging_static_root": Kind("path"),
    "staging_static_url_path": _TEXT,
    "staging_proxy_page": _TRUTH,
    "staging_progress": _TRUTH,
    "staging_serial": Kind("raw"),
    "staging_max_fail_percentage": _NUMBER,
    "staging_proxy_address": _OPTIONAL,
    "staging_websocket_paths": _LIST,
    "staging_sse_paths": _LIST,
    "staging_api_paths": _LIST,
    "staging_tls": Kind("str", ("none", "files", "certbot", "private_ca")),
    "staging_tls_certificate": _OPTIONAL,
    "staging_tls_key": _OPTIONAL,
    "staging_tls_before_proxy": _TRUTH,
    "staging_proxy_port": _NUMBER,
    "staging_proxy_manager_api_url": _OPTIONAL,
    "staging_proxy_manager_identity": _OPTIONAL,
    "staging_proxy_manager_secret": _OPTIONAL,
    "staging_proxy_manager_token": _OPTIONAL,
    "staging_proxy_manager_api_from": Kind("str", ("controller", "host")),
    "staging_vantages": Kind("list", ("direct", "proxy", "public")),
    "staging_hold": _NUMBER,
    "staging_verify_connections": _NUMBER,
    "staging_validate_certs": _TRUTH,
    "staging_ca_path": _OPTIONAL,
    "staging_websocket_secret_headers": _DICT,
    "staging_page_secret_headers": _DICT,
    "staging_websocket_secret_query": _DICT,
    "staging_browser": Kind("str", ("auto", "required", "never")),
    "staging_browser_pages": _LIST,
    "staging_browser_console": _OPTIONAL,
    "staging_browser_ignore_console": _LIST,
    "staging_browser_hold": _NUMBER,
    "staging_report": _TRUTH,
    "staging_drift_fail_on": Kind("str", ("drifted", "never", "unknown")),
    "staging_drift_file": Kind("path", empty="unset"),
    "staging_report_dir": Kind("path"),
    "staging_report_keep": _NUMBER,
    "staging_report_metrics_dir": _OPTIONAL,
    "staging_notify_command": _LIST,
    "staging_allow_loopback": _TRUTH,
    "staging_lock_wait": _NUMBER,
    "staging_min_free_bytes": _NUMBER,
    "staging_min_memory_bytes": _NUMBER,
    "staging_preflight_levels": _DICT,
    "staging_preflight_resolve": _TRUTH,
    "staging_proxy_server_names": _LIST,
    "staging_tls_names": _LIST,
    "staging_packages": _LIST,
    "staging_npm_version": _TEXT,
    "staging_npm_registry": _TEXT,
    "staging_pm2_version": _TEXT,
    "staging_log_max_size": _TEXT,
    "staging_log_keep": _NUMBER,
    "staging_keep_releases": _NUMBER,
    "staging_lock_lease": _NUMBER,
    "staging_env_absent_keys": _LIST,
    "staging_backend_requirements": _TEXT,
    "staging_backend_uv_version": _TEXT,
    "staging_backend_install_timeout": _NUMBER,
    "staging_backend_env": _DICT,
    "staging_backend_before_activation_timeout": _NUMBER,
    "staging_backend_after_activation_timeout": _NUMBER,
    "staging_backend_health_timeout": _NUMBER,
    "staging_backend_stable": _NUMBER,
    "staging_frontend_install_command": _LIST,
    "staging_frontend_build_command": _LIST,
    "staging_frontend_build_timeout": _NUMBER,
    "staging_frontend_exclude": _LIST,
    "staging_frontend_on_override_files": Kind("str", ("refuse", "report")),
    "staging_frontend_static_dir": _TEXT,
    "staging_frontend_exec_mode": Kind("str", ("cluster", "fork")),
    "staging_frontend_env": _DICT,
    "staging_frontend_health_timeout": _NUMBER,
    "staging_frontend_stable": _NUMBER,
    "staging_proxy_backend_upstream": _TEXT,
    "staging_proxy_frontend_upstream": _TEXT,
    "staging_proxy_connect_timeout": _NUMBER,
    "staging_proxy_request_timeout": _NUMBER,
    "staging_proxy_client_max_body_size": _TEXT,
    "staging_proxy_ipv6": _TRUTH,
    "staging_tls_redirect": _TRUTH,
    "staging_tls_hsts": _NUMBER,
    "staging_tls_plain_websocket": _TRUTH,
    "staging_tls_warn_days": _NUMBER,
    "staging_tls_ca_dir": Kind("path"),
    "staging_tls_renew_days": _NUMBER,
    "staging_acme_root": _OR_NONE,
    "staging_acme_directory": _OPTIONAL,
    "staging_acme_ca_path": _OPTIONAL,
    "staging_acme_email": _OPTIONAL,
    "staging_acme_test_renewal": _TRUTH,
    "staging_websocket_idle_timeout": _NUMBER,
    "staging_forbidden_urls": _LIST,
    "staging_env_example_file": _OR_NONE,
    "staging_websocket_connections_per_address": _NUMBER,
    "staging_websocket_upstreams": _DICT,
    "staging_websocket_allow": _LIST,
    "staging_websocket_deny": _LIST,
    "staging_nginx_layout": Kind("str", ("auto", "sites", "conf_d")),
    "staging_nginx_shutdown_timeout": _NUMBER,
    "staging_nginx_clients": _NUMBER,
    "staging_proxy_manager_token_cache": _TRUTH,
    "staging_proxy_manager_api_timeout": _NUMBER,
    "staging_proxy_manager_validate_certs": _TRUTH,
    "staging_proxy_manager_ca_path": _OPTIONAL,
    "staging_proxy_manager_port": _NUMBER,
    "staging_proxy_manager_tls_port": _NUMBER,
    "staging_proxy_manager_check_wire": _TRUTH,
    "staging_proxy_manager_wire_timeout": _NUMBER,
    "staging_proxy_manager_forward": _TRUTH,
    "staging_proxy_manager_domain_names": _DICT,
    "staging_proxy_manager_certificate": _OPTIONAL,
    "staging_proxy_manager_certificate_request": _TRUTH,
    "staging_proxy_manager_access_list": _OPTIONAL,
    "staging_proxy_manager_access_list_rules": Kind("str", ("carry", "refuse")),
    "staging_proxy_manager_access_user": _OPTIONAL,
    "staging_proxy_manager_access_password": _OPTIONAL,
    "staging_proxy_manager_backup_dir": _OPTIONAL,
    "staging_proxy_manager_switches": _DICT,
    "staging_proxy_manager_replace_snippet": _TRUTH,
    "staging_verify_event_timeout": _NUMBER,
    "staging_websocket_protocol": Kind("str", ("plain", "socketio", "graphql-transport-ws")),
    "staging_websocket_send": Kind("raw", empty="none"),
    "staging_websocket_expect": Kind("raw", empty="none"),
    "staging_websocket_headers": _DICT,
}
_EXPECTED = {
    "dict": ("a dictionary of keys and values", "write KEY: value"),
    "int": ("a whole number, 0 or more", "write it in digits"),
    "bool": ("true or false", "write true or false"),
    "str": ("a text", "put it in quotes"),
    "path": ("a text", "put it in quotes"),
}
_PREFIX = "staging_"
_TRUTHS = frozenset(("true", "false", "yes", "no", "on", "off", "1", "0"))


def check_kinds(inputs: DeploymentInputs) -> None:
    """Whether each variable has the type that the roles take, and one of their choices.

    A variable that has a finding is left out.
    """
    for variable, kind in KINDS.items():
        if variable not in inputs.given or inputs.has_finding(variable):
            continue
        value = inputs.given[variable]
        if value is None or value == "":
            if not kind.empty:
                inputs.add("empty", variable, "a value", "write one, or remove the variable for its default")
        elif not _is(kind.type, value):
            inputs.add("type", variable, *_expected(kind.type, value), hide=kind.type == "dict")
        elif kind.choices:
            for index, entry in enumerate(value if isinstance(value, list) else [value]):
                if entry not in kind.choices:
                    where = (variable, index) if isinstance(value, list) else variable
                    inputs.add("choice", where, f"one of {', '.join(kind.choices)}", "choose one of these")


def check_unknown(inputs: DeploymentInputs) -> None:
    """Names that begin with ``staging_`` and that no role reads."""
    for variable in sorted(name for name in inputs.given if name.startswith(_PREFIX) and name not in KINDS):
        nearest = nearest_variable(variable)
        write = f"write {nearest} if that is meant" if _similarity(variable, nearest) > 1 else "remove it"
        inputs.add(
            "variable-unknown",
            variable,
            "the name of a variable that a role reads",
            f"{write}, or choose a name that does not start with {_PREFIX} for a variable of your own",
            found=f"no role reads it, and the nearest known name is {nearest}",
            hide=True,
        )


def nearest_variable(name: str) -> str:
    """The known name that is most similar to another one, whatever the order of its words."""
    return max(KINDS, key=lambda known: (_similarity(name, known), known))


def _similarity(name: str, known: str) -> float:
    """From 0 to 2: how much of their text, and of their words, two names share."""
    first, second = (each.removeprefix(_PREFIX).split("_") for each in (name, known))
    text, words = (
        difflib.SequenceMatcher(None, *pair).ratio()
        for pair in (("_".join(first), "_".join(second)), ("_".join(sorted(first)), "_".join(sorted(second))))
    )
    return max(text, words) + len(set(first) & set(second)) / len(set(first) | set(second))


def _expected(kind: str, value: Any) -> tuple[str, str]:
    if kind == "list":
        return "a list", "write [KEY, ...]" if isinstance(value, Mapping) else f"write [{value}]"
    return _EXPECTED[kind]


def _is(kind: str, value: Any) -> bool:
    """Whether a role takes a value, which may be a text on a command line."""
    if kind == "raw":
        return True
    if kind == "list":
        return isinstance(value, list)
    if kind == "dict":
        return isinstance(value, Mapping)
    if kind == "bool":
        return str(value).lower() in _TRUTHS
    if kind == "int":
        return not isinstance(value, bool) and re.match(r"[0-9]+(\.0)?\Z", str(value)) is not None
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)
