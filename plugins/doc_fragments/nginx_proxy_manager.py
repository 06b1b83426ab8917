# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that the modules for Nginx Proxy Manager share."""

from __future__ import annotations


class ModuleDocFragment:
    """The login to the API."""

    DOCUMENTATION = r"""
options:
  identity:
    description:
      - E-mail address of the account that logs in. Needs O(secret).
      - An account with two-factor login cannot be used. Create a separate account for deployments.
    type: str
  secret:
    description:
      - Password of the account.
    type: str
  token:
    description:
      - A token instead of O(identity) and O(secret).
    type: str
  token_cache:
    description:
      - Store the token of a login in a file that only the user of this task can read, so that the tasks of a run log in
        once.
    type: bool
    default: true
  validate_certs:
    description:
      - Whether the certificate of O(api_url) is verified.
    type: bool
    default: true
  ca_path:
    description:
      - Certificates to trust for O(api_url) instead of those of the system.
    type: path
  api_timeout:
    description:
      - Seconds for one request to the API.
    type: float
    default: 30
  option_names:
    description:
      - Names by which messages call the options, such as C(api_url=staging_proxy_manager_api_url). For a role that sets
        the options from variables of its own.
    type: dict
    default: {}
"""

    # What the managed block is made of.
    BLOCK = r"""
options:
  websocket_paths:
    description:
      - Paths of WebSockets. Each is a path, or a mapping of C(path), C(prefix) and C(upstream).
      - A path is matched exactly. As a prefix, C(/ws) covers C(/ws) and all below C(/ws/), but not C(/wsx).
      - C(upstream) is a host and a port, for a path that is not forwarded to the forward address of the host.
      - Without any path there is no block, except for the mark of a host that was created.
    type: list
    elements: raw
    default: []
  forward_paths:
    description:
      - Ordinary paths of the block, such as those of an API that shares its host name with the page. Their form is that
        of O(websocket_paths). C(buffering=false) is for Server-Sent Events.
    type: list
    elements: raw
    default: []
  connect_timeout:
    description:
      - Seconds within which the application must accept a connection.
    type: int
    default: 60
  read_timeout:
    description:
      - Seconds without a byte in either direction after which a WebSocket is closed.
    type: int
    default: 86400
  send_timeout:
    description:
      - Seconds that the application may take to accept data.
    type: int
    default: 86400
"""

    # How the proxy itself is asked.
    PROXY = r"""
options:
  proxy_address:
    description:
      - Address of the proxy. By default the host of O(api_url); without both, the proxy is not asked.
    type: str
  proxy_port:
    description:
      - Port of the proxy. By default 443 if it uses TLS, else 80.
    type: int
  proxy_tls_port:
    description:
      - Port of the proxy with TLS, if O(proxy_port) is the one without.
    type: int
  proxy_tls:
    description:
      - Whether the proxy uses TLS on that port. By default it does for a host with a certificate.
    type: bool
"""
