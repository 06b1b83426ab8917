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
    may_be_empty: bool = False
    """Whether an empty text, or null, means the same as a variable that is not set."""


_TEXT, _OPTIONAL = Kind("str"), Kind("str", may_be_empty=True)
_LIST, _DICT, _NUMBER, _TRUTH = Kind("list"), Kind("dict"), Kind("int"), Kind("bool")

KINDS: Mapping[str, Kind] = {
    "staging_project_dir": Kind("path"),
    "staging_app_name": _TEXT,
    "staging_ecosystem_file": _OPTIONAL,
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
    "staging_git_timeout": _NUMBER,
    "staging_source_dir": Kind("path", may_be_empty=True),
    "staging_source_exclude": _LIST,
    "staging_shared_paths": _LIST,
    "staging_env_file": _TEXT,
    "staging_env": _DICT,
    "staging_env_secrets": _DICT,
    "staging_env_generate": _DICT,
    "staging_env_required_keys": _LIST,
    "staging_env_allow_placeholders": _LIST,
    "staging_env_readers": Kind("list", ("bash", "dotenv", "next", "python-dotenv")),
    "staging_backend_dir": _TEXT,
    "staging_backend_install": Kind("str", ("none", "project", "requirements", "uv")),
    "staging_backend_python": _TEXT,
    "staging_backend_uv_arguments": _LIST,
    "staging_backend_command": _LIST,
    "staging_backend_process_name": _TEXT,
    "staging_backend_port": _NUMBER,
    "staging_backend_health_url": _TEXT,
    "staging_backend_before_activation": _LIST,
    "staging_backend_after_activation": _LIST,
    "staging_backend_switch": Kind("str", ("restart", "blue_green")),
    "staging_backend_green_port": _NUMBER,
    "staging_backend_drain": _NUMBER,
    "staging_frontend_dir": _TEXT,
    "staging_frontend_build_env": _DICT,
    "staging_frontend_output_dir": _TEXT,
    "staging_frontend_command": _LIST,
    "staging_frontend_process_name": _TEXT,
    "staging_frontend_port": _NUMBER,
    "staging_frontend_health_url": _TEXT,
    "staging_pages": _LIST,
    "staging_proxy_provider": Kind("str", ("nginx", "nginx_proxy_manager", "manual")),
    "staging_static_publish": _TRUTH,
    "staging_static_root": Kind("path"),
    "staging_static_url_path": _TEXT,
    "staging_proxy_page": _TRUTH,
    "staging_progress": _TRUTH,
    "staging_proxy_address": _OPTIONAL,
    "staging_websocket_paths": _LIST,
    "staging_sse_paths": _LIST,
    "staging_api_paths": _LIST,
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
    "staging_allow_loopback": _TRUTH,
    "staging_lock_wait": _NUMBER,
    "staging_min_free_bytes": _NUMBER,
    "staging_min_memory_bytes": _NUMBER,
    "staging_preflight_levels": _DICT,
    "staging_proxy_server_names": _LIST,
    "staging_tls_names": _LIST,
}
_EXPECTED = {
    "dict": ("a dictionary of keys and values", "write KEY: value"),
    "int": ("a whole number, 0 or more", "write it in digits"),
    "bool": ("true or false", "write true or false"),
    "str": ("a text", "put it in quotes"),
    "path": ("a text", "put it in quotes"),
}
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
            if not kind.may_be_empty:
                inputs.add("empty", variable, "a value", "write one, or remove the variable for its default")
        elif not _is(kind.type, value):
            inputs.add("type", variable, *_expected(kind.type, value), hide=kind.type == "dict")
        elif kind.choices:
            for index, entry in enumerate(value if isinstance(value, list) else [value]):
                if entry not in kind.choices:
                    where = (variable, index) if isinstance(value, list) else variable
                    inputs.add("choice", where, f"one of {', '.join(kind.choices)}", "choose one of these")


def check_unknown(inputs: DeploymentInputs) -> None:
    """Names that no role reads and that resemble one that is read; others may be the user's own."""
    for variable in sorted(set(inputs.given) - set(KINDS)):
        for meant in difflib.get_close_matches(variable, KINDS, n=1, cutoff=0.88):
            inputs.add(
                "variable-unknown",
                variable,
                "the name of a variable that a role reads",
                f"write {meant} if that is meant",
                found=f"no role reads it, and {meant} has a similar name",
                hide=True,
            )


def _expected(kind: str, value: Any) -> tuple[str, str]:
    if kind == "list":
        return "a list", "write [KEY, ...]" if isinstance(value, Mapping) else f"write [{value}]"
    return _EXPECTED[kind]


def _is(kind: str, value: Any) -> bool:
    """Whether a role takes a value, which may be a text on a command line."""
    if kind == "list":
        return isinstance(value, list)
    if kind == "dict":
        return isinstance(value, Mapping)
    if kind == "bool":
        return str(value).lower() in _TRUTHS
    if kind == "int":
        return not isinstance(value, bool) and re.match(r"[0-9]+(\.0)?\Z", str(value)) is not None
    return isinstance(value, (str, int, float)) and not isinstance(value, bool)
