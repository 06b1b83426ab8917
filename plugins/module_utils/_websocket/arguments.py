# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of websocket_check."""

from __future__ import annotations

from typing import Any

from .._host.progress import OPTION as PROGRESS_OPTION

ENDPOINT_SPEC: dict[str, Any] = {
    "name": {"type": "str", "required": True},
    "url": {"type": "str", "required": True},
    "vantage": {"type": "str", "choices": ["direct", "proxy", "public"], "default": "direct"},
    "transport": {"type": "str", "choices": ["websocket", "sse"], "default": "websocket"},
    "origin": {"type": "str"},
    "public_url": {"type": "str"},
    "subprotocols": {"type": "list", "elements": "str", "default": []},
    "headers": {"type": "dict", "default": {}},
    "secret_headers": {"type": "dict", "default": {}, "no_log": True},
    "secret_query": {"type": "dict", "default": {}, "no_log": True},
    "connect_to": {"type": "str"},
    "validate_certs": {"type": "bool", "default": True},
    "ca_path": {"type": "path"},
    "ca_certificates": {"type": "str"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path", "no_log": False},
    "configured_idle_timeout": {"type": "float"},
    "configured_idle_timeout_from": {"type": "str"},
    "message_timeout": {"type": "float"},
}

ARGUMENT_SPEC: dict[str, Any] = {
    "endpoints": {"type": "list", "elements": "dict", "required": True, "options": ENDPOINT_SPEC},
    "handshake_timeout": {"type": "float", "default": 10},
    "protocol": {"type": "str", "choices": ["plain", "socketio", "graphql-transport-ws"], "default": "plain"},
    "send": {"type": "raw"},
    "expect": {"type": "raw"},
    "message_timeout": {"type": "float", "default": 10},
    "hold": {"type": "float", "default": 0},
    "hold_mode": {"type": "str", "choices": ["quiet", "ping", "message"], "default": "quiet"},
    "interval": {"type": "float", "default": 10},
    "connections": {"type": "int", "default": 1},
    "further_handshakes": {"type": "bool", "default": True},
    "expected_idle_timeout": {"type": "float"},
    "max_message_size": {"type": "int", "default": 1048576},
    "timeout": {"type": "float"},
    "earlier_results": {"type": "list", "elements": "dict", "default": []},
    "fail_on": {"type": "str", "choices": ["any", "public", "never"], "default": "any"},
    PROGRESS_OPTION: {"type": "path"},
}
