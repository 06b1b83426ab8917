"""Configurations with the structure of those of Nginx Proxy Manager, written independently."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proxy_manager_peer.behaviour import Behaviour

PROXY_CONF = """\
add_header X-Served-By $host;
proxy_set_header Host $host;
proxy_set_header X-Forwarded-Scheme $scheme;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Forwarded-For $remote_addr;
proxy_set_header X-Real-IP $remote_addr;
proxy_pass $forward_scheme://$server:$port$request_uri;
"""
EXPLOITS_CONF = """\
set $exploit 0;
if ($query_string ~ "union.*select.*\\(") { set $exploit 1; }
if ($exploit = 1) { return 403; }
"""
ASSETS_CONF = """\
location ~* \\.(?:css|js|png|svg|woff2)$ {
    proxy_cache assets;
    proxy_cache_valid any 1m;
    include conf.d/include/proxy.conf;
}
"""
_SWITCH = """\
proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $http_connection;
proxy_http_version 1.1;
"""


def main_conf(root: Path, address: str, port: int, tls_port: int | None) -> str:
    """The nginx.conf: the default site, and all hosts."""
    tls = ""
    if tls_port is not None:
        tls = f"    listen {address}:{tls_port} ssl default_server;\n" + _certificate(root)
    return f"""\
daemon off;
user root;
worker_processes 1;
pid {root}/nginx.pid;
error_log {root}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    server_names_hash_bucket_size 128;
    client_body_temp_path {root}/tmp/body;
    proxy_temp_path {root}/tmp/proxy;
    fastcgi_temp_path {root}/tmp/fastcgi;
    uwsgi_temp_path {root}/tmp/uwsgi;
    scgi_temp_path {root}/tmp/scgi;
    proxy_cache_path {root}/tmp/cache keys_zone=assets:1m;
    proxy_connect_timeout 90s;
    proxy_send_timeout 90s;
    proxy_read_timeout 90s;
    server {{
    listen {address}:{port} default_server;
{tls}    location / {{ return 404 "nobody is served here\\n"; }}
    }}
    include {root}/data/nginx/proxy_host/*.conf;
}}
"""


def _certificate(root: Path) -> str:
    return f"    ssl_certificate {root}/cert.pem;\n    ssl_certificate_key {root}/key.pem;\n"


def access_text(access_list: Mapping[str, Any] | None) -> str:
    """The access rules in a location of a host."""
    if access_list is None:
        return ""
    lines = []
    if access_list["items"]:
        lines += ['auth_basic "Authorization required";', f"auth_basic_user_file /data/access/{access_list['id']};"]
        if not access_list["pass_auth"]:
            lines.append('proxy_set_header Authorization "";')
    lines += [f"{client['directive']} {client['address']};" for client in access_list["clients"]]
    lines += ["deny all;", f"satisfy {'any' if access_list['satisfy_any'] else 'all'};"]
    return "\n".join([*lines, ""])


def host_conf(
    host: Mapping[str, Any],
    access_list: Mapping[str, Any] | None,
    behaviour: Behaviour,
    root: Path,
    address: str,
    port: int,
    tls_port: int | None,
) -> str:
    """The file of one proxy host, with the paths of the real program's container."""
    switch = _SWITCH if host["allow_websocket_upgrade"] else ""
    # Before 2.9.2 the switch affected no location; locations[] have it since 2.9.4.
    in_location = switch if behaviour.version >= (2, 9, 2) else ""
    in_custom = switch if behaviour.version >= (2, 9, 4) else ""
    parts = [
        f"set $forward_scheme {host['forward_scheme']};",
        f'set $server "{host["forward_host"]}";',
        f"set $port {host['forward_port']};",
        f"listen {address}:{port};",
        f"server_name {' '.join(host['domain_names'])};",
    ]
    if host["certificate_id"] and tls_port is not None:
        parts += [f"listen {address}:{tls_port} ssl;", _certificate(root)]
        if host["ssl_forced"]:
            parts.append('if ($scheme = "http") { return 301 https://$host$request_uri; }')
    if host["caching_enabled"]:
        parts.append("include conf.d/include/assets.conf;")
    if host["block_exploits"]:
        parts.append("include conf.d/include/block-exploits.conf;")
    parts += [switch, host["advanced_config"]]
    for each in host["locations"] or ():
        parts.append(_custom_location(each, in_custom, access_text(access_list), behaviour))
    if not re.search(r"location\s*/\s*\{", host["advanced_config"], re.IGNORECASE):
        parts.append(f"location / {{\n{access_text(access_list)}{in_location}include conf.d/include/proxy.conf;\n}}")
    return "server {\n" + "\n".join(parts) + "\n}\n"


def _custom_location(location: Mapping[str, Any], switch: str, access: str, behaviour: Behaviour) -> str:
    forward = (
        "proxy_set_header Host $host;\n"
        f"proxy_pass {location['forward_scheme']}://{location['forward_host']}:{location['forward_port']};\n"
    )
    own = f"{location.get('advanced_config') or ''}\n"
    parts: Sequence[str] = (own, forward) if behaviour.custom_location_text_first else (forward, own)
    return f"location {location['path']} {{\n{''.join(parts)}{access}{switch}}}"
