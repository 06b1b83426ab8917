"""Configurations with the structure of those of Nginx Proxy Manager, written independently."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from proxy_manager_peer.behaviour import Behaviour

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


# As the program searches for a location / of the user: anchored, in the text and not in what nginx makes of it.
_OWN_DEFAULT = re.compile(r"(?:^|(?<=\r))(?:.*;)?\s*?location\s*?/\s*?\{", re.IGNORECASE | re.MULTILINE)


def proxy_conf(behaviour: Behaviour) -> str:
    """What every location that the program makes itself includes."""
    prefix = "x_forwarded_" if behaviour.trusts_forwarded_proto else ""
    return f"""\
add_header X-Served-By $host;
proxy_set_header Host $host;
proxy_set_header X-Forwarded-Scheme ${prefix}scheme;
proxy_set_header X-Forwarded-Proto ${f"{prefix}proto" if prefix else "scheme"};
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Real-IP $remote_addr;
proxy_pass $forward_scheme://$server:$port$request_uri;
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
    # Nothing resolves names there, so that a question for one is not answered.
    resolver 127.0.0.1:9 ipv6=off;
    map $http_x_forwarded_proto $x_forwarded_proto {{ http http; https https; default $scheme; }}
    map $http_x_forwarded_scheme $x_forwarded_scheme {{ http http; https https; default $scheme; }}
    server {{
    listen {address}:{port} default_server;
{tls}    location / {{ return 404 "nobody is served here\\n"; }}
    }}
    include {root}/data/nginx/proxy_host/*.conf;
    include {root}/data/nginx/temp/*.conf;
}}
"""


def _certificate(folder: Path) -> str:
    return f"    ssl_certificate {folder}/cert.pem;\n    ssl_certificate_key {folder}/key.pem;\n"


#: An access list of a host whose row was read without what belongs to it.
UNREAD_LIST: Mapping[str, Any] = {"id": 0, "items": (), "clients": (), "satisfy_any": False, "pass_auth": False}


def request_conf(names: Sequence[str], root: Path, address: str, port: int) -> str:
    """The file that serves names while a certificate for them is requested: the challenges, and nothing else."""
    return f"""\
server {{
    listen {address}:{port};
    server_name {" ".join(names)};
    location ^~ /.well-known/acme-challenge/ {{
        auth_basic off;
        allow all;
        default_type text/plain;
        root {root}/data/letsencrypt-acme-challenge;
    }}
    location / {{ return 404; }}
}}
"""


def access_text(access_list: Mapping[str, Any] | None, behaviour: Behaviour) -> str:
    """The access rules in a location of a host."""
    if access_list is None:
        return ""
    lines = []
    if access_list["items"]:
        lines += ['auth_basic "Authorization required";', f"auth_basic_user_file /data/access/{access_list['id']};"]
        if not access_list["pass_auth"]:
            lines.append('proxy_set_header Authorization "";')
    lines += [f"{client['directive']} {client['address']};" for client in access_list["clients"] if client["address"]]
    if access_list["clients"] or behaviour.always_denies:
        lines.append("deny all;")
    return "\n".join([*lines, f"satisfy {'any' if access_list['satisfy_any'] else 'all'};", ""])


def hsts_text(host: Mapping[str, Any], behaviour: Behaviour) -> str:
    """The HSTS header, which is repeated in each location that the program makes itself."""
    if not (host["certificate_id"] and host["ssl_forced"] and host["hsts_enabled"]):
        return ""
    value = "$hsts_header" if behaviour.hsts_by_scheme else f'"{_hsts_value(host)}"'
    return f"add_header Strict-Transport-Security {value} always;\n"


def _hsts_value(host: Mapping[str, Any]) -> str:
    return f"max-age=63072000;{'includeSubDomains;' if host['hsts_subdomains'] else ''} preload"


def _forced_tls(host: Mapping[str, Any], behaviour: Behaviour) -> str:
    if not (host["certificate_id"] and host["ssl_forced"]):
        return ""
    if not (behaviour.trusts_forwarded_proto and host["trust_forwarded_proto"]):
        return 'if ($scheme = "http") { return 301 https://$host$request_uri; }\n'
    return """\
set $test "";
if ($scheme = "http") { set $test H; }
if ($http_x_forwarded_proto = "https") { set $test "${test}S"; }
if ($test = H) { return 301 https://$host$request_uri; }
"""


def host_conf(
    host: Mapping[str, Any],
    access_list: Mapping[str, Any] | None,
    behaviour: Behaviour,
    address: str,
    port: int,
    tls_port: int | None,
    certificate: Path | None = None,
) -> str:
    """The file of one proxy host, with the paths of the real program's container.

    :param certificate: The directory of its certificate; ``None`` for none, also where the row was read without it.
    """
    switch = _SWITCH if host["allow_websocket_upgrade"] else ""
    # Before 2.9.2 the switch affected no location; locations[] have it since 2.9.4.
    in_location = switch if behaviour.version >= (2, 9, 2) else ""
    in_custom = switch if behaviour.version >= (2, 9, 4) else ""
    access, hsts = access_text(access_list, behaviour), hsts_text(host, behaviour)
    parts = [
        f"set $forward_scheme {host['forward_scheme']};",
        f'set $server "{host["forward_host"]}";',
        f"set $port {host['forward_port']};",
        f"listen {address}:{port};",
        f"server_name {' '.join(host['domain_names'])};",
    ]
    if certificate is not None and tls_port is not None:
        parts.append(f"listen {address}:{tls_port} ssl{' http2' if host['http2_support'] else ''};")
        parts.append(_certificate(certificate))
    if host["caching_enabled"]:
        parts.append("include conf.d/include/assets.conf;")
    if host["block_exploits"]:
        parts.append("include conf.d/include/block-exploits.conf;")
    parts += [hsts, _forced_tls(host, behaviour), switch, host["advanced_config"]]
    locations = host["locations"] or ()
    for each in locations:
        parts.append(_custom_location(each, f"{access}{hsts}{in_custom}", behaviour))
    if not _OWN_DEFAULT.search(host["advanced_config"]) and not any(each["path"] == "/" for each in locations):
        parts.append(f"location / {{\n{access}{hsts}{in_location}include conf.d/include/proxy.conf;\n}}")
    variables = ""
    if behaviour.hsts_by_scheme:
        variables = f'map $scheme $hsts_header {{ https "{_hsts_value(host)}"; }}\n'
    return variables + "server {\n" + "\n".join(parts) + "\n}\n"


def _custom_location(location: Mapping[str, Any], rules: str, behaviour: Behaviour) -> str:
    forward = (
        "proxy_set_header Host $host;\n"
        f"proxy_pass {location['forward_scheme']}://{location['forward_host']}:{location['forward_port']};\n"
    )
    own = f"{location.get('advanced_config') or ''}\n"
    parts: Sequence[str] = (own, forward) if behaviour.custom_location_text_first else (forward, own)
    return f"location {location['path']} {{\n{''.join(parts)}{rules}}}"
