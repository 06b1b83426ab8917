# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables from which the role proxy sets the options of the modules, for messages (pure)."""

from __future__ import annotations

from collections.abc import Collection

from .._nginx.site_inputs import variable_to_set

#: Option of the modules to the input of the role (without ``proxy_``) and its shared variable.
_SOURCES = {
    "api_url": ("manager_api_url", "staging_proxy_manager_api_url"),
    "identity": ("manager_identity", "staging_proxy_manager_identity"),
    "secret": ("manager_secret", "staging_proxy_manager_secret"),
    "token": ("manager_token", "staging_proxy_manager_token"),
    "ca_path": ("manager_ca_path", "staging_proxy_manager_ca_path"),
    "validate_certs": ("manager_validate_certs", "staging_proxy_manager_validate_certs"),
    "proxy_address": ("manager_address", "staging_proxy_address"),
    "proxy_port": ("manager_port", "staging_proxy_manager_port"),
    "proxy_tls_port": ("manager_tls_port", "staging_proxy_manager_tls_port"),
    "access_user": ("manager_access_user", "staging_proxy_manager_access_user"),
    "access_password": ("manager_access_password", "staging_proxy_manager_access_password"),
    "backup_dir": ("manager_backup_dir", "staging_proxy_manager_backup_dir"),
    "check_wire": ("manager_check_wire", "staging_proxy_manager_check_wire"),
    "websocket_paths": ("websocket_paths", "staging_websocket_paths"),
    "forward_paths": ("api_paths", "staging_api_paths"),
    "connect_timeout": ("connect_timeout", "staging_proxy_connect_timeout"),
    "read_timeout": ("websocket_idle_timeout", "staging_websocket_idle_timeout"),
    "send_timeout": ("websocket_idle_timeout", "staging_websocket_idle_timeout"),
    "forward_host": ("manager_forward", "staging_proxy_manager_forward"),
    "forward_port": ("backend_upstream", "staging_proxy_backend_upstream"),
    "domain_names": ("manager_domain_names", "staging_proxy_manager_domain_names"),
    "certificate": ("manager_certificate", "staging_proxy_manager_certificate"),
    "certificate_request": ("manager_certificate_request", "staging_proxy_manager_certificate_request"),
    "certificate_email": ("acme_email", "staging_acme_email"),
    "access_list": ("manager_access_list", "staging_proxy_manager_access_list"),
    "access_list_rules": ("manager_access_list_rules", "staging_proxy_manager_access_list_rules"),
    "replace_snippet": ("manager_replace_snippet", "staging_proxy_manager_replace_snippet"),
}


def option_names(given: Collection[str]) -> dict[str, str]:
    """The variable for each option of the modules.

    :param given: Names of the shared variables that are set.
    """
    return {option: variable_to_set(name, given, shared) for option, (name, shared) in _SOURCES.items()}


def missing_login(api_url: str, identity: str, secret: str, token: str, given: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence for each part of the login that the provider needs and that is not set.

    :param given: Names of the shared variables that are set, by which the sentences call the inputs.
    """
    names = option_names(given)
    found = []
    if not api_url:
        found.append(
            f"{names['api_url']} is not set, expected the address of Nginx Proxy Manager such as "
            "http://proxy.example.com:81"
        )
    if not token and not (identity and secret):
        found.append(
            f"{names['identity']} and {names['secret']} are not both set, expected the login of an account of Nginx "
            f"Proxy Manager, or {names['token']}"
        )
    return tuple(found)


def backup_elsewhere(backup_dir: str, api_from: str, given: Collection[str] = ()) -> tuple[str, ...]:
    """A sentence if hosts are to be exported on the controller by a task that does not run there."""
    if not backup_dir or api_from == "controller":
        return ()
    names = option_names(given)
    source = variable_to_set("manager_api_from", given, "staging_proxy_manager_api_from")
    return (f"{names['backup_dir']} is a directory on the controller, and {source} is {api_from}; unset one of them",)
