"""Configurations of nginx around a WebSocket, generated with hypothesis from what people write."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

HOST = "api.test"
#: The way to the application that works, in parts of which some may be left out, replaced or moved.
HEADERS = (
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Connection $connection_upgrade;",
)
#: Replaced by the generated ports and directories.
MARKS = ("@PORT@", "@BACKEND@", "@ROOT@", "@OTHER@")

_MAPS = (
    'map $http_upgrade $connection_upgrade { default upgrade; "" close; }',
    'map $http_upgrade $connection_upgrade { default ""; websocket upgrade; }',
    "map $http_connection $connection_upgrade { default close; Upgrade upgrade; }",
    "map $uri $connection_upgrade { default close; ~^/ws upgrade; }",
    "map $http_upgrade$http_x_forwarded_proto $connection_upgrade { default close; ~*^(web)socket$ upgrade; }",
)
_PASSES = (
    *("proxy_pass http://backend;",) * 6,
    *("proxy_pass http://127.0.0.1:@BACKEND@;",) * 3,
    "proxy_pass http://localhost:@BACKEND@;",
    "proxy_pass http://backend/;",
    "proxy_pass http://backend/ws;",
    "proxy_pass http://backend$request_uri;",
    "proxy_pass http://backend$uri;",
    "proxy_pass https://backend;",
    "proxy_pass $scheme://backend;",
    "set $up backend; proxy_pass http://$up;",
    "set $up 127.0.0.1; proxy_pass http://$up:@BACKEND@;",
    "set $up localhost; proxy_pass http://$up:@BACKEND@;",
    "set $up no-such-name.test; proxy_pass http://$up;",
    "set $up 127.0.0.1:@BACKEND@; proxy_pass http://$up/ws;",
    "proxy_pass $no_such_scheme://backend;",
    "proxy_pass http://down;",
    "proxy_pass http://partly;",
    "proxy_pass http://unix:/no/such/socket:;",
    "proxy_pass http://$pool;",
    "proxy_pass http://backend/ws?x=1;",
    "proxy_pass http://backend; stub_status;",
    "stub_status; proxy_pass http://backend;",
    "grpc_pass grpc://backend;",
)
#: Directives that change the flow of a request, for locations.
_FLOW = (
    # Idioms of several directives, which would seldom be drawn together.
    "error_page 418 = @b; if ($http_upgrade ~* websocket) { return 418; }",
    "error_page 418 = @b; if ($http_upgrade ~* websocket) { return 418; }",
    "error_page 418 @b; if ($http_upgrade ~* websocket) { return 418; }",
    "error_page 418 =200 @b; return 418;",
    "error_page 301 =101 /b; return 301 https://other.test/;",
    "error_page 404 = @b; try_files $uri =404;",
    "error_page 403 = @b; deny all;",
    "error_page 404 = @b; root @ROOT@/files;",
    "error_page 502 = @b; proxy_connect_timeout 2s;",
    "error_page 404 426 = @b; proxy_intercept_errors on;",
    "satisfy any; allow 127.0.0.1; deny all; auth_request /auth;",
    "satisfy any; deny all; auth_request /auth;",
    "set $ws 0; if ($http_upgrade) { set $ws 1; } if ($ws = 1) { rewrite ^ /b break; }",
    "if ($uri ~ ^/(.+)$) { set $target /$1; } rewrite ^ $target break;",
    "if (!-f $document_root/there.txt) { return 503; }",
    "try_files $uri $uri/ @b;",
    "try_files $uri $uri/ @b;",
    "try_files $uri =404;",
    "try_files /there.txt @b;",
    "try_files $uri /ws;",
    "try_files $uri /b;",
    "error_page 418 = @b;",
    "error_page 418 @b;",
    "error_page 404 = @b;",
    "error_page 404 =200 /ws;",
    "error_page 403 404 418 500 502 =101 @b;",
    "error_page 502 504 = /b;",
    "error_page 301 302 = @b;",
    "recursive_error_pages on;",
    "if ($http_upgrade ~* websocket) { return 418; }",
    "if ($http_upgrade = websocket) { rewrite ^ /b last; }",
    "if ($http_upgrade = '') { return 426; }",
    "if ($http_x_forwarded_proto != 'https') { return 301 https://$host$request_uri; }",
    "if ($request_method = POST) { return 405; }",
    "if (-f $request_filename) { return 403; }",
    "if (!-e $request_filename) { rewrite ^/(.*)$ /b/$1 last; }",
    "if ($http_user_agent ~* bot) { return 403; }",
    "if ($cookie_session) { add_header X-Session yes; }",
    "if ($http_upgrade) { proxy_pass http://backend; }",
    "if ($http_upgrade) { set $flag 1; }",
    "if ($flag) { return 418; }",
    "if ($http_upgrade ~* (web)socket) { set $part $1; } if ($part = web) { break; } return 404;",
    "rewrite ^/api/(.*)$ /$1 last;",
    "rewrite ^/api/(.*)$ /$1 break;",
    "rewrite ^/api/(.*)$ /$1;",
    "rewrite ^/ws$ /api/ws last;",
    "rewrite ^/(ws)$ /$1 last;",
    "rewrite ^ https://other.test$request_uri permanent;",
    "rewrite ^/old https://other.test/ redirect;",
    "rewrite ^(.*)$ /b$1 break;",
    "return 404;",
    "return 418;",
    "return 200 ok;",
    "return 301 https://$host$request_uri;",
    "break;",
    "break; break;",
    "internal;",
    "auth_request /refuse;",
    "auth_request /fail; error_page 500 = @b;",
    "auth_request /refuse; error_page 401 403 = @b;",
    "auth_request /ask;",
    "auth_request /sets; if ($by_sub) { return 404; }",
    "satisfy any; deny all; auth_request /refuse;",
    "mirror /auth;",
    "mirror /ask;",
    "if ($near = 0) { return 403; }",
    "if ($far) { return 403; }",
    "valid_referers none server_names; if ($invalid_referer) { return 403; }",
    "if ($http_origin !~ api) { return 403; }",
    "if ($arg_token != 1) { return 401; }",
    "set $args token=1;",
    "rewrite ^/api/(w)s$ /$1s?token=1 last;",
    "rewrite ^/(w)s$ /$1s break;",
    "error_page 502 = @b; proxy_bind 198.51.100.7;",
    "proxy_bind 127.0.0.3;",
    "limit_conn by_name 5;",
    "return 444;",
    "deny all;",
    "allow 127.0.0.1; deny all;",
    "deny 127.0.0.0/8; allow all;",
    "allow 10.0.0.0/8; deny all;",
    "satisfy any;",
    'auth_basic "closed"; auth_basic_user_file @ROOT@/users;',
    "auth_basic off;",
    "auth_request /auth;",
    "limit_except POST { deny all; }",
    "limit_except GET { deny all; }",
    "root @ROOT@/files;",
    "proxy_intercept_errors on;",
)
#: Directives that change what is sent, for every level.
_SENT = (
    "proxy_set_header Host $host;",
    "proxy_set_header Host '';",
    "proxy_set_header Upgrade $http_upgrade;",
    "proxy_set_header Upgrade '';",
    "proxy_set_header Upgrade h2c;",
    "proxy_set_header Connection upgrade;",
    "proxy_set_header Connection '';",
    "proxy_set_header Connection close;",
    "proxy_set_header Connection $connection_upgrade;",
    "proxy_set_header Connection $http_connection;",
    "proxy_set_header Connection 'keep-alive, Upgrade';",
    "proxy_set_header Connection $cookie_c;",
    "proxy_set_header Sec-WebSocket-Key '';",
    "proxy_set_header Sec-WebSocket-Key $http_sec_websocket_key;",
    "proxy_set_header Sec-WebSocket-Version '';",
    "proxy_set_header Sec-WebSocket-Version 13;",
    "proxy_set_header Sec-WebSocket-Extensions '';",
    "proxy_set_header X-Real-IP $remote_addr;",
    "proxy_pass_request_headers off;",
    "proxy_method POST;",
    "proxy_hide_header Sec-WebSocket-Accept;",
    "proxy_hide_header Upgrade;",
    "proxy_hide_header X-Powered-By;",
    "proxy_pass_header Sec-WebSocket-Accept;",
    "proxy_pass_header Upgrade;",
    "proxy_ignore_headers X-Accel-Redirect;",
    "proxy_set_body $request_body;",
    "proxy_set_body x;",
    "proxy_set_header Content-Length '';",
    "proxy_set_header Upgrade ' websocket';",
    "add_header Upgrade h2c always;",
    "add_header Upgrade h2c;",
    "add_header Connection close always;",
    "chunked_transfer_encoding off;",
    "limit_rate 100k;",
    "client_header_timeout 5s;",
    "keepalive_timeout 0;",
    "proxy_buffering off;",
    "proxy_http_version 1.0;",
    "proxy_http_version 1.1;",
    "proxy_read_timeout 5s;",
    "gzip on;",
)
_LISTENS = (
    *("listen @PORT@;",) * 20,
    "listen 127.0.0.1:@PORT@;",
    "listen localhost:@PORT@;",
    "listen [::]:@PORT@ ipv6only=off;",
    "listen @PORT@ proxy_protocol;",
    "listen @PORT@ default_server;",
    "listen @PORT@ http2;",
    "listen @PORT@; listen 127.0.0.1:@OTHER@;",
)
_NAMES = (
    *("server_name api.test;",) * 6,
    "server_name _;",
    "",
    "server_name ~^(?<sub>.+)\\.test$;",
    "server_name *.test;",
)
_LOCATIONS = (
    *("/ws",) * 5,
    *("= /ws",) * 3,
    *("/",) * 4,
    *("^~ /ws", "/ws/", "/api/", "~ ^/ws", "~* ^/(WS|api/)", "~ ^/(?<rest>.+)$", "/w", "/api/ws", "= /api/ws", "/b"),
)
_OTHER_SERVERS = (
    *("",) * 20,
    "server { listen @PORT@ default_server proxy_protocol; server_name other.test; return 404; }",
    "server { listen @PORT@ default_server; server_name _; return 404; }",
    "server { listen 127.0.0.1:@PORT@; server_name other.test; return 404; }",
    "server { listen @PORT@; server_name api.test; return 404; }",
    "server { listen @OTHER@; server_name api.test; location / { proxy_pass http://localhost:@BACKEND@; } }",
    "server { listen @PORT@; server_name ~^api; location / { return 418; } }",
)
_HTTP = (
    *("deny all;", "allow 127.0.0.1; deny all;", "allow 10.0.0.0/8; deny all;", "error_page 404 = /b;"),
    *("error_page 418 404 = @b;", "resolver 127.0.0.1:1;", "proxy_intercept_errors on;", "root @ROOT@/files;"),
)


_VARIABLES = """
geo $near { default 0; 127.0.0.0/8 1; }
geo $far { default 1; 127.0.0.0/16 2; 127.0.0.0/24 0; }
map $host $pool { hostnames; default down; *.test backend; }
upstream down { server 127.0.0.1:@BACKEND@ down; server unix:/no/such/socket; }
upstream partly { ip_hash; server 127.0.0.1:@BACKEND@ down; server localhost:@BACKEND@; keepalive 4; }
limit_conn_zone $server_name zone=by_name:1m;
"""
#: Targets of subrequests.
_SUBREQUESTS = """location = /auth { return 204; } location = /refuse { internal; return 403; }
location = /fail { return 302 /; } location = /ask { proxy_pass http://backend/ask; }
location = /sets { set $by_sub 1; return 200; }"""
_PATHS = ("/ws",) * 14 + ("/api/ws",) * 4 + ("//ws", "/ws?token=1", "/ws?token=2", "/%77s", "/ws/")


@dataclass(frozen=True)
class Generated:
    """A text for inside of ``http``, with marks, and the path that a client asks for."""

    text: str
    path: str


def _once_in(draw: st.DrawFn, number: int) -> bool:
    """True for one of this number of draws; integers would be drawn at the limits too often."""
    return draw(st.sampled_from([False] * (number - 1) + [True]))


def _chosen(draw: st.DrawFn, pool: tuple[str, ...], most: int) -> list[str]:
    """Some of the pool: often none, and each directive that may stand only once is drawn once."""
    number = draw(st.sampled_from([0] * 6 + [*range(1, most + 1)]))
    return [draw(st.sampled_from(pool)) for _number in range(number)]


def _way(draw: st.DrawFn) -> list[str]:
    """A way to the application, mostly whole."""
    parts = [draw(st.sampled_from(_PASSES))]
    parts += [each for each in HEADERS if not _once_in(draw, 12)]
    if not _once_in(draw, 12):
        parts.append("proxy_http_version 1.1;")
    return parts


def _body(draw: st.DrawFn, named: bool = False) -> str:
    parts = _way(draw) if named or not _once_in(draw, 8) else []
    flow = _chosen(draw, _FLOW, 3)
    sent = _chosen(draw, _SENT, 2)
    before = draw(st.booleans())
    return " ".join([*flow, *parts, *sent] if before else [*parts, *sent, *flow])


@st.composite
def configurations(draw: st.DrawFn) -> Generated:
    """Configurations of which nginx refuses some, for example for a directive that stands twice."""
    http = [draw(st.sampled_from(_MAPS)), "upstream backend { server 127.0.0.1:@BACKEND@; }"]
    http.append(_VARIABLES)
    if _once_in(draw, 10):
        http.append(draw(st.sampled_from(_HTTP)))
    if _once_in(draw, 10):
        http.append(draw(st.sampled_from(_SENT)))
    server = [draw(st.sampled_from(_LISTENS)), draw(st.sampled_from(_NAMES))]
    if _once_in(draw, 4):
        server += _chosen(draw, _FLOW, 2)
    if _once_in(draw, 6):
        server += [*HEADERS, "proxy_http_version 1.1;"]
    if _once_in(draw, 6):
        server += _chosen(draw, _SENT, 2)
    for where in draw(st.lists(st.sampled_from(_LOCATIONS), min_size=1, max_size=4, unique=True)):
        inner = ""
        if where == "/" and _once_in(draw, 6):
            inner = f"location /ws {{ {_body(draw)} }}"
        server.append(f"location {where} {{ {_body(draw)} {inner} }}")
    server.append(f"location @b {{ {_body(draw, named=True)} }}")
    server.append(_SUBREQUESTS)
    if _once_in(draw, 8):
        server.append("merge_slashes off;")
    other = draw(st.sampled_from(_OTHER_SERVERS))
    servers = [f"server {{ {' '.join(server)} }}", other]
    if draw(st.booleans()):
        servers.reverse()
    return Generated("\n".join([*http, *servers]), draw(st.sampled_from(_PATHS)))
