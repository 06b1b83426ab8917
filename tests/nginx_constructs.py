"""Configurations of nginx that people write around a WebSocket, each with what a real nginx makes of a handshake.

The unit tests compare the evaluation with this table, and a slow integration test compares the table with a real nginx.
"""

from __future__ import annotations

from dataclasses import dataclass

HEADERS = (
    "proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; proxy_http_version 1.1;"
)
_UP = f"proxy_pass http://backend; {HEADERS}"
_SERVER = "server { listen @PORT@; server_name api.test; "
_HTTP = """map $http_upgrade $connection_upgrade { default upgrade; "" close; }
upstream backend { server 127.0.0.1:@BACKEND@; }
"""


@dataclass(frozen=True)
class Construct:
    """One configuration, for inside of ``http``.

    :param written: With marks: ``@UP@`` for the way to the application, ``@HEADERS@`` for its headers, ``@SERVER@`` for
        the beginning of a server, ``@PORT@`` and ``@BACKEND@`` for ports, ``@ROOT@`` for the directory of nginx. A map
        and an upstream stand before it, unless it begins with ``@WHOLE@``.
    :param opens: Whether a real nginx lets the handshake through, for a client at 127.0.0.1 without credentials.
    :param undecided: Whether the evaluation gives no verdict.
    """

    name: str
    written: str
    path: str
    opens: bool
    undecided: bool

    def text(self, port: int, backend: int, root: str) -> str:
        whole = self.written.startswith("@WHOLE@")
        text = self.written.removeprefix("@WHOLE@ ") if whole else _HTTP + self.written
        for mark, value in (
            *(("@UP@", _UP), ("@HEADERS@", HEADERS), ("@SERVER@", _SERVER)),
            *(("@PORT@", str(port)), ("@BACKEND@", str(backend)), ("@ROOT@", root)),
        ):
            text = text.replace(mark, value)
        return text


def _works(name: str, written: str, path: str = "/ws") -> Construct:
    return Construct(name, written, path, opens=True, undecided=False)


def _fails(name: str, written: str, path: str = "/ws") -> Construct:
    return Construct(name, written, path, opens=False, undecided=False)


def _depends(name: str, written: str, path: str = "/ws", *, opens: bool) -> Construct:
    """Not decided by the configuration, or not followed."""
    return Construct(name, written, path, opens, undecided=True)


CONSTRUCTS = (
    _works("plain", "@SERVER@location /ws { @UP@ } }"),
    _works("nested", "@SERVER@location / { return 404; location /ws { @UP@ } } }"),
    _fails("nested-regex", "@SERVER@location /ws { @UP@ location ~ s$ { return 403; } } }"),
    _fails("nested-no-pass", "@SERVER@location / { @UP@ location /ws { proxy_read_timeout 1h; } } }"),
    _works(
        "nested-own-pass-inherits-headers",
        "@SERVER@location / { @UP@ location /ws { proxy_pass http://backend; } } }",
    ),
    _fails(
        "nested-own-header",
        "@SERVER@location / { @UP@ location /ws { proxy_pass http://backend; proxy_set_header Host $host; } } }",
    ),
    _fails("slash", "@SERVER@location /ws/ { @UP@ } }"),
    _works(
        "map-pool",
        "map $http_upgrade $pool { default nobody; websocket backend; } upstream nobody { server "
        "127.0.0.1:1; }\n@SERVER@location /ws { proxy_pass http://$pool; @HEADERS@ } }",
    ),
    _fails(
        "map-pool2",
        "map $http_upgrade $pool { default backend; websocket backend:@BACKEND@; }\n@SERVER@location /ws { "
        "proxy_pass http://$pool; @HEADERS@ } }",
    ),
    _depends(
        "map-capture",
        "map $uri $x { ~^/api/(?<rest>.+)$ $rest; } \n@SERVER@location /api/ { proxy_pass "
        "http://backend/$rest; @HEADERS@ } }",
        "/api/ws",
        opens=False,
    ),
    _works(
        "map-capture-used",
        "map $uri $x { ~^/api/(?<rest>.+)$ $rest; } \n@SERVER@location /api/ { set $y $x; proxy_pass "
        "http://backend/$y; @HEADERS@ } }",
        "/api/ws",
    ),
    _works(
        "map-numbered",
        "map $uri $x { ~^/api/(.+)$ $1; } \n@SERVER@location /api/ { proxy_pass http://backend/$x; @HEADERS@ } }",
        "/api/ws",
    ),
    _works(
        "map-hostnames",
        "map $host $pool { hostnames; default nobody; *.test backend; } upstream nobody { server "
        "127.0.0.1:1; }\n@SERVER@location /ws { proxy_pass http://$pool; @HEADERS@ } }",
    ),
    _works(
        "map-hostnames2",
        "map $host $ok { hostnames; default 0; .api.test 1; }\n@SERVER@if ($ok = 0) { return 403; } "
        "location /ws { @UP@ } }",
    ),
    _works(
        "geo-allow",
        "geo $ok { default 0; 127.0.0.0/8 1; }\n@SERVER@if ($ok = 0) { return 403; } location /ws { @UP@ } }",
    ),
    _fails(
        "geo-deny",
        "geo $ok { default 0; 10.0.0.0/8 1; }\n@SERVER@if ($ok = 0) { return 403; } location /ws { @UP@ } }",
    ),
    _fails(
        "geo-longest",
        "geo $ok { default 1; 127.0.0.0/8 1; 127.0.0.1 0; }\n@SERVER@if ($ok = 0) { return 403; } location "
        "/ws { @UP@ } }",
    ),
    _fails(
        "geo-of-var",
        "geo $http_x_forwarded_for $ok { default 0; 10.0.0.0/8 1; }\n@SERVER@if ($ok = 0) { return 403; } "
        "location /ws { @UP@ } }",
    ),
    _works(
        "geo-ranges",
        "geo $ok { ranges; default 0; 127.0.0.0-127.255.255.255 1; }\n@SERVER@if ($ok = 0) { return 403; } "
        "location /ws { @UP@ } }",
    ),
    _depends(
        "split",
        'split_clients "$remote_addr" $p { * backend; }\n@SERVER@location /ws { proxy_pass http://$p; @HEADERS@ } }',
        opens=True,
    ),
    _works(
        "limit_conn",
        "limit_conn_zone $binary_remote_addr zone=a:1m;\n@SERVER@location /ws { limit_conn a 1; @UP@ } }",
    ),
    _works(
        "limit_req",
        "limit_req_zone $binary_remote_addr zone=a:1m rate=1r/m;\n@SERVER@location /ws { limit_req zone=a; @UP@ } }",
    ),
    _fails("return-444", "@SERVER@location /ws { return 444; @UP@ } }"),
    _fails("444-error_page", "@SERVER@location /ws { error_page 444 = @b; return 444; } location @b { @UP@ } }"),
    _fails("return-101", "@SERVER@location /ws { return 101; } }"),
    _works(
        "headers-off-all-set",
        "@SERVER@location /ws { proxy_pass_request_headers off; @UP@ proxy_set_header Sec-WebSocket-Key "
        "$http_sec_websocket_key; proxy_set_header Sec-WebSocket-Version 13; } }",
    ),
    _fails("hide-upgrade", "@SERVER@location /ws { @UP@ proxy_hide_header Upgrade; } }"),
    _works(
        "hide-and-pass-upgrade",
        "@SERVER@location /ws { @UP@ proxy_hide_header Upgrade; proxy_pass_header Upgrade; } }",
    ),
    _works(
        "hide-accept-pass-in-server",
        "@SERVER@proxy_pass_header Sec-WebSocket-Accept; location /ws { @UP@ proxy_hide_header "
        "Sec-WebSocket-Accept; } }",
    ),
    _works(
        "hide-server-location-hides-other",
        "@SERVER@proxy_hide_header Sec-WebSocket-Accept; location /ws { @UP@ proxy_hide_header X-A; } }",
    ),
    _works("chunked-off", "@SERVER@chunked_transfer_encoding off; location /ws { @UP@ } }"),
    _works(
        "keepalive",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server 127.0.0.1:@BACKEND@; keepalive 8; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works("proxy_bind", "@SERVER@location /ws { @UP@ proxy_bind 127.0.0.2; } }"),
    _fails("bind-wrong", "@SERVER@location /ws { @UP@ proxy_bind 198.51.100.7; } }"),
    _works("bind-off", "@SERVER@proxy_bind 198.51.100.7; location /ws { @UP@ proxy_bind off; } }"),
    _fails("grpc", "@SERVER@location /ws { grpc_pass grpc://backend; } }"),
    _fails("fastcgi", "@SERVER@location /ws { fastcgi_pass backend; } }"),
    _works(
        "satisfy-any-basic",
        "@SERVER@location /ws { satisfy any; allow 127.0.0.1; deny all; auth_basic x; auth_basic_user_file "
        "@ROOT@/users; @UP@ } }",
    ),
    _depends(
        "satisfy-any-basic-deny",
        "@SERVER@location /ws { satisfy any; allow 10.0.0.1; deny all; auth_basic x; auth_basic_user_file "
        "@ROOT@/users; @UP@ } }",
        opens=False,
    ),
    _fails("satisfy-any-no-auth", "@SERVER@location /ws { satisfy any; deny all; @UP@ } }"),
    _fails(
        "merge_slashes-off",
        "@SERVER@merge_slashes off; location /ws { @UP@ } location / { return 404; } }",
        "//ws",
    ),
    _fails("merge_slashes", "@SERVER@location /ws { @UP@ } location / { return 404; } }", "//ws"),
    _works("set_body", "@SERVER@location /ws { @UP@ proxy_set_body $request_body; } }"),
    _fails("set_body-x", "@SERVER@location /ws { @UP@ proxy_set_body x; } }"),
    _works("pass_body-off", "@SERVER@location /ws { @UP@ proxy_pass_request_body off; } }"),
    _works(
        "content-length",
        "@SERVER@location /ws { @UP@ proxy_pass_request_body off; proxy_set_header Content-Length ''; } }",
    ),
    _works(
        "cache",
        "proxy_cache_path @ROOT@/run/cache keys_zone=z:1m;\n@SERVER@location /ws { @UP@ proxy_cache z; "
        "proxy_cache_valid any 1m; } }",
    ),
    _works(
        "cache-use-stale-lock",
        "proxy_cache_path @ROOT@/run/cache keys_zone=z:1m;\n@SERVER@location /ws { @UP@ proxy_cache z; "
        "proxy_cache_lock on; proxy_cache_valid 101 1m; } }",
    ),
    _works("store", "@SERVER@location /ws { @UP@ proxy_store on; root @ROOT@/run; } }"),
    _depends(
        "mirror",
        "@SERVER@location /ws { @UP@ mirror /m; } location = /m { internal; proxy_pass http://backend/ws; "
        "@HEADERS@ } }",
        opens=False,
    ),
    _works("mirror-return", "@SERVER@location /ws { @UP@ mirror /m; } location = /m { internal; return 204; } }"),
    _works("auth-200", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 200; } }"),
    _works("auth-204", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 204; } }"),
    _fails("auth-401", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 401; } }"),
    _fails("auth-403", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 403; } }"),
    _fails(
        "auth-302-http-x",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 302 http://x/; } }",
    ),
    _fails("auth-404", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 404; } }"),
    _fails("auth-500", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 500; } }"),
    _fails(
        "auth-301-http-x",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; return 301 http://x/; } }",
    ),
    _fails(
        "auth-error-page-to-login",
        "@SERVER@location /ws { auth_request /a; error_page 401 = @l; @UP@ } location = /a { internal; "
        "return 401; } location @l { return 302 http://login/; } }",
    ),
    _works(
        "auth-error-page-to-up",
        "@SERVER@location /ws { auth_request /a; error_page 401 = @l; @UP@ } location = /a { internal; "
        "return 401; } location @l { @UP@ } }",
    ),
    _fails(
        "auth-server-error-page",
        "@SERVER@error_page 401 = @l; location /ws { auth_request /a; @UP@ } location = /a { internal; "
        "return 401; } location @l { return 302 http://login/; } }",
    ),
    _works(
        "auth-server-error-page-to-204",
        "@SERVER@error_page 401 = @l; location /ws { auth_request /a; @UP@ } location = /a { internal; "
        "return 401; } location @l { return 204; } }",
    ),
    _fails("auth-missing-location", "@SERVER@location /ws { auth_request /none; @UP@ } }"),
    _works(
        "auth-deny-in-target",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; deny all; return 204; } }",
    ),
    _works(
        "auth-deny-in-target-static",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; deny all; root "
        "@ROOT@/files; try_files /there.txt =404; } }",
    ),
    _works(
        "auth-static-there",
        "@SERVER@location /ws { auth_request /there.txt; @UP@ } location = /there.txt { root @ROOT@/files; } }",
    ),
    _depends(
        "auth-proxied",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { internal; proxy_pass http://backend/ok; } }",
        opens=False,
    ),
    _depends(
        "auth-proxied-with-upgrade",
        "@SERVER@@HEADERS@ location /ws { auth_request /a; proxy_pass http://backend; } location = /a { "
        "internal; proxy_pass http://backend/ws; } }",
        opens=False,
    ),
    _works(
        "auth-off",
        "@SERVER@auth_request /a; location /ws { auth_request off; @UP@ } location = /a { internal; return 403; } }",
    ),
    _fails(
        "auth-server-level",
        "@SERVER@auth_request /a; location /ws { @UP@ } location = /a { internal; return 403; } }",
    ),
    _works(
        "auth-server-level-if",
        "@SERVER@if ($http_upgrade) { set $w 1; } auth_request /a; location /ws { @UP@ } location = /a { "
        "internal; if ($w) { return 204; } return 403; } }",
    ),
    _works(
        "auth-to-named-error",
        "@SERVER@location /ws { auth_request /a; error_page 403 = @b; @UP@ } location = /a { internal; "
        "return 403; } location @b { @UP@ } }",
    ),
    _works(
        "auth-rewrite-server",
        "@SERVER@rewrite ^/a$ /b last; location /ws { auth_request /a; @UP@ } location = /a { internal; "
        "return 403; } location = /b { return 204; } }",
    ),
    _works(
        "auth-set",
        "@SERVER@location /ws { auth_request /a; auth_request_set $u $upstream_http_x; @UP@ "
        "proxy_set_header X-U $u; } location = /a { internal; return 204; } }",
    ),
    _works(
        "auth-satisfy-any-deny-204",
        "@SERVER@location /ws { satisfy any; deny all; auth_request /a; @UP@ } location = /a { return 204; } }",
    ),
    _fails(
        "auth-satisfy-any-deny-403",
        "@SERVER@location /ws { satisfy any; deny all; auth_request /a; @UP@ } location = /a { return 403; } }",
    ),
    _fails(
        "auth-satisfy-any-deny-500",
        "@SERVER@location /ws { satisfy any; deny all; auth_request /a; @UP@ } location = /a { return 500; } }",
    ),
    _works(
        "auth-403-allowed",
        "@SERVER@location /ws { satisfy any; allow all; auth_request /a; @UP@ } location = /a { return 403; } }",
    ),
    _works("host-cond", "@SERVER@if ($host != api.test) { return 444; } location /ws { @UP@ } }"),
    _fails("http_host-cond", "@SERVER@if ($http_host != api.test) { return 444; } location /ws { @UP@ } }"),
    _works("origin-cond", "@SERVER@if ($http_origin !~ api) { return 403; } location /ws { @UP@ } }"),
    _works(
        "valid_referers-none",
        "@SERVER@location /ws { valid_referers none server_names; if ($invalid_referer) { return 403; } @UP@ } }",
    ),
    _fails(
        "valid_referers",
        "@SERVER@location /ws { valid_referers server_names; if ($invalid_referer) { return 403; } @UP@ } }",
    ),
    _fails("rewrite-loop", "@SERVER@location /ws { rewrite ^ /ws last; @UP@ } }"),
    _works("capture-followed-by-word", "@SERVER@location / { rewrite ^/(x)?ws$ /$1ws break; @UP@ } }"),
    _fails("capture-followed-by-digit", "@SERVER@location / { rewrite ^/v(1)/ws$ /$10/ws break; @UP@ } }", "/v1/ws"),
    _works(
        "capture-word-location",
        "@SERVER@location ~ ^/(w)s$ { proxy_pass http://127.0.0.1:@BACKEND@/$1s; @HEADERS@ } }",
    ),
    _fails(
        "all-down",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server 127.0.0.1:@BACKEND@ down; server 127.0.0.1:1 down; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "some-down",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server 127.0.0.1:1 down; server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _fails(
        "single-down",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server 127.0.0.1:@BACKEND@ down; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "backup",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server 127.0.0.1:1; server 127.0.0.1:@BACKEND@ backup; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "down-and-backup",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server 127.0.0.1:1 down; server 127.0.0.1:@BACKEND@ backup; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "ip_hash",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "ip_hash; server 127.0.0.1:@BACKEND@ max_fails=0; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "zone-hash",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "zone u 64k; hash $remote_addr consistent; server 127.0.0.1:@BACKEND@ weight=3 max_conns=9; }\n"
        "@SERVER@location /ws { @UP@ } }",
    ),
    _fails("pass-then-stub", "@SERVER@location /ws { @UP@ stub_status; } }"),
    _works("stub-then-pass", "@SERVER@location /ws { stub_status; @UP@ } }"),
    _fails("pass-then-fastcgi", "@SERVER@location /ws { @UP@ fastcgi_pass backend; } }"),
    _works("fastcgi-then-pass", "@SERVER@location /ws { fastcgi_pass backend; @UP@ } }"),
    _works("empty_gif-then-pass", "@SERVER@location /ws { empty_gif; @UP@ } }"),
    _works("server-hostname-var", "server { listen @PORT@; server_name $hostname api.test; location /ws { @UP@ } }"),
    _works(
        "break-with-uri",
        "@SERVER@location /api/ws { break; proxy_pass http://backend/ws; @HEADERS@ } }",
        "/api/ws",
    ),
    _works(
        "break-in-if-with-uri",
        "@SERVER@location /api/ws { if ($http_upgrade) { break; } proxy_pass http://backend/ws; @HEADERS@ } }",
        "/api/ws",
    ),
    _works(
        "rewrite-then-break",
        "@SERVER@location /api/ws { rewrite ^ /ws; break; proxy_pass http://backend/other; @HEADERS@ } }",
        "/api/ws",
    ),
    _works("server-break", "@SERVER@break; location /api/ws { proxy_pass http://backend/ws; @HEADERS@ } }", "/api/ws"),
    _fails(
        "server-rewrite-break",
        "@SERVER@rewrite ^/api/ws$ /b break; location /b { proxy_pass http://backend/ws; @HEADERS@ } }",
        "/api/ws",
    ),
    _works(
        "server-rewrite-nomatch",
        "@SERVER@rewrite ^/api/ws$ /b; location /b { proxy_pass http://backend/ws; @HEADERS@ } }",
        "/api/ws",
    ),
    _fails("two-maps", "map $http_upgrade $connection_upgrade { default close; }\n@SERVER@location /ws { @UP@ } }"),
    _works(
        "two-maps-reverse",
        "@WHOLE@ map $http_upgrade $connection_upgrade { default close; } map $http_upgrade "
        '$connection_upgrade { default upgrade; "" close; }\nupstream backend { server '
        "127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _fails("set-over-map", "@SERVER@set $connection_upgrade close; location /ws { @UP@ } }"),
    _fails(
        "set-over-map2",
        "@SERVER@location /ws { if ($connection_upgrade = upgrade) { set $connection_upgrade close; } @UP@ } }",
    ),
    _works("static-path-args", "@SERVER@location /ws { proxy_pass http://backend/ws?x=1; @HEADERS@ } }"),
    _works("pass-var-url", "@SERVER@location /ws { set $u http://127.0.0.1:@BACKEND@; proxy_pass $u; @HEADERS@ } }"),
    _fails("pass-var-slash", "@SERVER@location /ws { set $u http://127.0.0.1:@BACKEND@; proxy_pass $u/; @HEADERS@ } }"),
    _works(
        "pass-var-with-uri-break",
        "@SERVER@location /api/ { set $u http://127.0.0.1:@BACKEND@; rewrite ^/api(.*)$ $1 break; "
        "proxy_pass $u; @HEADERS@ } }",
        "/api/ws",
    ),
    _works("pass-args-var", "@SERVER@location / { proxy_pass http://backend/ws$is_args$args; @HEADERS@ } }", "/ws?a=b"),
    _fails("arg-token-missing", "@SERVER@if ($arg_token = '') { return 401; } location /ws { @UP@ } }"),
    _works("arg-token", "@SERVER@if ($arg_token = '') { return 401; } location /ws { @UP@ } }", "/ws?token=1"),
    _fails("args-cond", "@SERVER@if ($args ~ token) { return 401; } location /ws { @UP@ } }", "/ws?token=1"),
    _works("method-cond", "@SERVER@if ($request_method !~ ^(GET|HEAD|POST)$ ) { return 444; } location /ws { @UP@ } }"),
    _works(
        "quoted-regex-name",
        'server { listen @PORT@; server_name "~^api\\.test$"; location /ws { @UP@ } }\nserver { listen '
        "@PORT@ default_server; return 404; }",
    ),
    _fails(
        "address-listen-takes",
        "@SERVER@location /ws { @UP@ } }\nserver { listen 127.0.0.1:@PORT@; server_name x; return 404; }",
    ),
    _works(
        "listen-options",
        "server { listen @PORT@ reuseport so_keepalive=on backlog=64 deferred; server_name api.test; "
        "location /ws { @UP@ } }",
    ),
    _works(
        "listen-star",
        "server { listen *:@PORT@; listen [::]:@PORT@; server_name api.test; location /ws { @UP@ } }",
    ),
    _works("possessive", "@SERVER@location ~ ^/w++s$ { @UP@ } }"),
    _works("backslash-z", "@SERVER@location ~ ^/ws\\z { @UP@ } }"),
    _works("backslash-z-2", "@SERVER@location ~ ^/ws\\Z { @UP@ } }"),
    _depends("brace-literal", '@SERVER@location ~ "^/ws{,3}$" { return 404; } location /ws { @UP@ } }', opens=True),
    _works("brace-literal2", '@SERVER@location ~ "^/ws{0,3}$" { @UP@ } }'),
    _depends("inline-i", "@SERVER@location ~ ^/(?i)WS$ { @UP@ } }", opens=True),
    _depends("q-e", "@SERVER@location ~ ^\\Q/ws\\E$ { @UP@ } }", opens=True),
    _depends("encoded-path", "@SERVER@location /ws { @UP@ } }", "/%77s", opens=False),
    _works("encoded-path-to-uri", "@SERVER@location /ws { proxy_pass http://backend/ws; @HEADERS@ } }", "/%77s"),
    _fails("dots", "@SERVER@location /ws { @UP@ } }", "/a/../ws"),
    _fails("dots-uri", "@SERVER@location / { rewrite ^ /a/../ws break; @UP@ } }"),
    _fails("internal-direct", "@SERVER@location /ws { internal; @UP@ } }"),
    _works("internal-via-rewrite", "@SERVER@rewrite ^/api/ws$ /ws last; location /ws { internal; @UP@ } }", "/api/ws"),
    _works(
        "internal-via-try_files",
        "@SERVER@location /api { try_files /none /ws; } location /ws { internal; @UP@ } }",
        "/api/ws",
    ),
    _works("try-args", "@SERVER@location / { try_files $uri $uri/ /ws?$args; } location /ws { @UP@ } }", "/api/ws?x=1"),
    _works(
        "try-in-nested",
        "@SERVER@location / { root @ROOT@/files; try_files $uri @b; location ~ \\.txt$ { return 404; } } "
        "location @b { @UP@ } }",
    ),
    _fails(
        "try-dir-trailing",
        "@SERVER@location / { root @ROOT@; try_files $uri/ @b; } location @b { @UP@ } }",
        "/files",
    ),
    _depends(
        "try-with-alias",
        "@SERVER@location /ws { alias @ROOT@/files; try_files $uri @b; } location @b { @UP@ } }",
        opens=True,
    ),
    _depends(
        "alias-regex-try",
        "@SERVER@location ~ ^/(ws)$ { alias @ROOT@/files/$1; try_files '' @b; } location @b { @UP@ } }",
        opens=True,
    ),
    _works(
        "error_page-404-server",
        "@SERVER@error_page 404 = @b; root @ROOT@/files; location / { } location @b { @UP@ } }",
    ),
    _fails("error_page-405-static", "@SERVER@error_page 405 = @b; root @ROOT@/files; location @b { @UP@ } }"),
    _fails(
        "error_page-code-change",
        "@SERVER@location /ws { error_page 418 =502 @b; return 418; } location @b { @UP@ } }",
    ),
    _fails("error_page-url", "@SERVER@location /ws { error_page 418 http://x/; return 418; } }"),
    _fails(
        "error_page-chain",
        "@SERVER@location /ws { error_page 418 = @b; return 418; } location @b { error_page 419 = @d; "
        "return 419; } location @d { @UP@ } }",
    ),
    _works(
        "error_page-chain-rec",
        "@SERVER@recursive_error_pages on; location /ws { error_page 418 = @b; return 418; } location @b { "
        "error_page 419 = @d; return 419; } location @d { @UP@ } }",
    ),
    _fails(
        "error_page-inherit-none",
        "@SERVER@error_page 418 = @b; location /ws { error_page 500 /x; return 418; } location @b { @UP@ } }",
    ),
    _works("limit_except-get", "@SERVER@location /ws { limit_except GET { deny all; } @UP@ } }"),
    _fails("limit_except-post", "@SERVER@location /ws { limit_except POST { deny all; } @UP@ } }"),
    _works(
        "limit_except-post-allow",
        "@SERVER@location /ws { limit_except POST { allow 127.0.0.1; deny all; } @UP@ } }",
    ),
    _works("limit_except-own-pass", "@SERVER@location /ws { limit_except POST { proxy_pass http://backend; } @UP@ } }"),
    _works("deny-http-allow-location", "deny all;\n@SERVER@location /ws { allow all; @UP@ } }"),
    _works("deny-server-location-has-other-allow", "@SERVER@deny all; location /ws { allow 127.0.0.1; @UP@ } }"),
    _works(
        "realip",
        "@SERVER@set_real_ip_from 127.0.0.1; real_ip_header X-Forwarded-For; allow 127.0.0.1; deny all; "
        "location /ws { @UP@ } }",
    ),
    _fails(
        "http10",
        "@SERVER@location /ws { proxy_pass http://backend; proxy_set_header Upgrade $http_upgrade; "
        "proxy_set_header Connection $connection_upgrade; } }",
    ),
    _works(
        "conn-http_connection",
        "@SERVER@location /ws { proxy_pass http://backend; proxy_set_header Upgrade $http_upgrade; "
        "proxy_set_header Connection $http_connection; proxy_http_version 1.1; } }",
    ),
    _fails(
        "conn-empty-keepalive",
        "@SERVER@location /ws { proxy_pass http://backend; proxy_set_header Upgrade $http_upgrade; "
        "proxy_set_header Connection ''; proxy_http_version 1.1; } }",
    ),
    _works(
        "upgrade-hard",
        "@SERVER@location /ws { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header "
        "Upgrade websocket; proxy_set_header Connection Upgrade; } }",
    ),
    _works(
        "upgrade-hard-case",
        "@SERVER@location /ws { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header "
        "upgrade WebSocket; proxy_set_header CONNECTION 'keep-alive, Upgrade'; } }",
    ),
    _works(
        "extra-spaces",
        "@SERVER@location /ws { proxy_pass http://backend; proxy_http_version 1.1; proxy_set_header "
        "Upgrade ' websocket '; proxy_set_header Connection ' upgrade '; } }",
    ),
    _depends(
        "host-two",
        "@SERVER@location /ws { @UP@ proxy_set_header Host $host; proxy_set_header Host x; } }",
        opens=True,
    ),
    _fails("transfer-encoding-set", "@SERVER@location /ws { @UP@ proxy_set_header Transfer-Encoding chunked; } }"),
    _fails("content-length-set", "@SERVER@location /ws { @UP@ proxy_set_header Content-Length 3; } }"),
    _works("accept_mutex-slow", "@SERVER@location /ws { @UP@ client_max_body_size 1; } }"),
    _works("post_action", "@SERVER@location /ws { @UP@ post_action /m; } location = /m { internal; return 204; } }"),
    _depends(
        "proxy_buffer-small",
        "@SERVER@location /ws { @UP@ proxy_buffer_size 100; proxy_buffers 2 100; proxy_busy_buffers_size 100; } }",
        opens=False,
    ),
    _fails("proxy_pass-unix-missing", "@SERVER@location /ws { proxy_pass http://unix:/nonexistent.sock; @HEADERS@ } }"),
    _fails(
        "proxy_pass-unix-var-missing",
        "@SERVER@location /ws { set $s /nonexistent.sock; proxy_pass http://unix:$s; @HEADERS@ } }",
    ),
    _works("underscore", "@SERVER@underscores_in_headers on; location /ws { @UP@ } }"),
    _works("if-negative", "@SERVER@if ($http_upgrade !~* websocket) { return 404; } location /ws { @UP@ } }"),
    _works("if-eq-case", "@SERVER@if ($http_upgrade = WebSocket) { return 404; } location /ws { @UP@ } }"),
    _works("if-conn-regex", "@SERVER@if ($http_connection !~* upgrade) { return 426; } location /ws { @UP@ } }"),
    _fails(
        "if-scheme",
        "@SERVER@if ($scheme = http) { return 301 https://$host$request_uri; } location /ws { @UP@ } }",
    ),
    _fails(
        "if-https-off",
        "@SERVER@if ($https != on) { return 301 https://$host$request_uri; } location /ws { @UP@ } }",
    ),
    _fails(
        "if-ssl_protocol",
        "@SERVER@if ($ssl_protocol = '') { return 301 https://$host$request_uri; } location /ws { @UP@ } }",
    ),
    _fails(
        "if-server_port",
        "@SERVER@if ($server_port != 443) { return 301 https://$host$request_uri; } location /ws { @UP@ } }",
    ),
    _works("if-http2", "@SERVER@if ($http2 != '') { return 400; } location /ws { @UP@ } }"),
    _works("if-server_protocol", "@SERVER@if ($server_protocol = HTTP/1.0) { return 400; } location /ws { @UP@ } }"),
    _fails("if-request", "@SERVER@if ($request ~ ws) { return 400; } location /ws { @UP@ } }"),
    _depends("if-request_id", "@SERVER@if ($request_id = '') { return 400; } location /ws { @UP@ } }", opens=True),
    _depends("if-cookie", "@SERVER@if ($http_cookie !~ session) { return 403; } location /ws { @UP@ } }", opens=False),
    _depends(
        "if-ua",
        "@SERVER@if ($http_user_agent ~* (bot|curl)) { return 403; } location /ws { @UP@ } }",
        opens=True,
    ),
    _fails(
        "if-nested-set",
        "@SERVER@set $a ''; if ($http_upgrade) { set $a 1; } if ($http_origin) { set $a '${a}1'; } if ($a "
        "= 11) { return 418; } location /ws { @UP@ } }",
    ),
    _fails("if-uri", "@SERVER@location / { if ($uri ~ ^/ws) { proxy_pass http://backend; } @HEADERS@ return 404; } }"),
    _works(
        "if-before-return",
        "@SERVER@location / { @HEADERS@ if ($uri ~ ^/ws) { proxy_pass http://backend; break; } return 404; } }",
    ),
    _works(
        "if-break-pass-after",
        "@SERVER@location / { @HEADERS@ proxy_pass http://backend; if ($uri ~ ^/ws) { break; } return 404; } }",
    ),
    _fails(
        "named-chooses",
        "@SERVER@location /ws { try_files /none @b; } location @b { rewrite ^ /api/ws last; } location "
        "/api { proxy_pass http://backend/; @HEADERS@ } }",
    ),
    _fails("return-in-named", "@SERVER@location /ws { try_files /none @b; } location @b { return 418; } }"),
    _works(
        "proxy_next",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server 127.0.0.1:1; server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ "
        "proxy_next_upstream error timeout http_404; } }",
    ),
    _works("location-quoted", '@SERVER@location "/ws" { @UP@ } }'),
    _works("location-exact-quoted", '@SERVER@location = "/ws" { @UP@ } }'),
    _works("location-glued", "@SERVER@location =/ws { @UP@ } }"),
    _works("location-tilde-glued", "@SERVER@location ~^/ws { @UP@ } }"),
    _fails("location-case", "@SERVER@location /WS { @UP@ } }"),
    _works(
        "server-empty-name",
        'server { listen @PORT@; server_name ""; location /ws { @UP@ } }\nserver { listen @PORT@; '
        "server_name z; return 404; }",
    ),
    _fails(
        "trailing-dot-name",
        "server { listen @PORT@; server_name api.test.; location /ws { @UP@ } }\nserver { listen @PORT@ "
        "default_server; server_name z; return 404; }",
    ),
    _fails("tls-upstream", "@SERVER@location /ws { proxy_pass https://backend; @HEADERS@ } }"),
    _fails("rewrite-absolute", "@SERVER@location /ws { rewrite ^ $scheme://x/ ; @UP@ } }"),
    _fails("rewrite-to-var", "@SERVER@location /ws { set $t /api; rewrite ^ $t/ws break; @UP@ } }"),
    _works("rewrite-args", "@SERVER@location /api { rewrite ^/api/(.*)$ /$1?x=1? break; @UP@ } }", "/api/ws?y=2"),
    _fails("rewrite-empty", "@SERVER@location /api { rewrite ^/api/ws() $1 break; @UP@ } }", "/api/ws"),
    _fails("rewrite-noslash", "@SERVER@location /api { rewrite ^/api/(.*)$ $1 break; @UP@ } }", "/api/ws"),
    _fails("return-url", "@SERVER@location /ws { return https://x/; } }"),
    _fails("return-200-var", "@SERVER@location /ws { return 200 $uri; } }"),
    _fails(
        "absent-upgrade-server-level-only-map",
        "@SERVER@proxy_set_header Upgrade $http_upgrade; location /ws { proxy_pass http://backend; "
        "proxy_http_version 1.1; proxy_set_header Connection upgrade; } }",
    ),
    _works("include", "@SERVER@location /ws { proxy_pass http://backend; include @ROOT@/inc/*.conf; } }"),
    _works("ssi", "@SERVER@ssi on; location /ws { @UP@ } }"),
    _works("sub_filter", "@SERVER@sub_filter a b; sub_filter_types *; location /ws { @UP@ } }"),
    _works("gunzip", "@SERVER@gunzip on; gzip_static always; location /ws { @UP@ } }"),
    _works("dav", "@SERVER@location /ws { @UP@ dav_methods PUT; } }"),
    _works("autoindex", "@SERVER@location /ws { @UP@ autoindex on; index x.html; } }"),
    _works("trailing-slash-index", "@SERVER@location / { root @ROOT@/files; index ws; } location = /ws { @UP@ } }"),
    _depends("limit-rate-one", "@SERVER@location /ws { @UP@ limit_rate 1; limit_rate_after 1; } }", opens=False),
    _works(
        "proxy_cookie",
        "@SERVER@location /ws { @UP@ proxy_cookie_path / /x; proxy_redirect off; proxy_ignore_headers "
        "X-Accel-Redirect; } }",
    ),
    _works("scheme-upper", "@SERVER@location /ws { proxy_pass HTTP://backend; @HEADERS@ } }"),
    _works(
        "regexp-named-captures-in-proxy",
        "@SERVER@location ~ ^/(?<svc>w)(?<rest>.*)$ { proxy_pass http://127.0.0.1:@BACKEND@/$svc$rest; @HEADERS@ } }",
    ),
    _fails(
        "server-regex-capture-root",
        "server { listen @PORT@; server_name ~^api\\.(?<sub>.+)$; location /ws { proxy_pass "
        "http://backend/$sub; @HEADERS@ } }",
    ),
    _fails(
        "location-regex-resets-captures",
        "@SERVER@location ~ ^/(ws)$ { if ($http_upgrade ~ (sock)) { set $z 1; } proxy_pass "
        "http://127.0.0.1:@BACKEND@/$1; @HEADERS@ } }",
    ),
    _works("body-var", "@SERVER@location /ws { @UP@ proxy_set_body '$request_body'; } }"),
    _fails("fixed-path-twice", "@SERVER@location /ws { proxy_pass http://backend/$request_uri; @HEADERS@ } }"),
    _works(
        "uri-is_args",
        "@SERVER@location /ws { proxy_pass http://127.0.0.1:@BACKEND@$uri$is_args$args; @HEADERS@ } }",
        "/ws?a=1",
    ),
    _works("loc-slash-to-ws", "@SERVER@location /ws/ { proxy_pass http://backend/ws; @HEADERS@ } }", "/ws/"),
    _fails("client-slash", "@SERVER@location /ws { @UP@ } }", "/ws/"),
    _fails("two-slashes-uri", "@SERVER@location /api { proxy_pass http://backend/; @HEADERS@ } }", "/api/ws"),
    _works("api-slash-both", "@SERVER@location /api/ { proxy_pass http://backend/; @HEADERS@ } }", "/api/ws"),
    _works("quoted-braces", '@SERVER@location / { rewrite "^/w{1}s$" /ws break; @UP@ } }'),
    _works("ci-rewrite", "@SERVER@location / { rewrite (?i)^/WS$ /ws break; @UP@ } }"),
    _fails("ci-if", '@SERVER@if ($uri ~* "/WS") { return 403; } location /ws { @UP@ } }'),
    _works(
        "rewrite-server-last",
        "@SERVER@if ($http_upgrade ~* ^websocket$) { rewrite ^(.*)$ /b$1 last; } location /b/ { proxy_pass "
        "http://backend/; @HEADERS@ } location / { return 404; } }",
    ),
    _works(
        "set-args",
        "@SERVER@location /ws { set $args x=1; proxy_pass http://backend/ws$is_args$args; @HEADERS@ } }",
    ),
    _works(
        "set-args-cond",
        "@SERVER@set $args ''; if ($args ~ tok) { return 401; } location /ws { @UP@ } }",
        "/ws?tok=1",
    ),
    _fails(
        "set-args-arg",
        "@SERVER@set $args tok=2; if ($arg_tok = 2) { return 401; } location /ws { @UP@ } }",
        "/ws?tok=1",
    ),
    _fails(
        "rewrite-args-arg",
        "@SERVER@rewrite ^/api/ws$ /ws?tok=2?; if ($arg_tok = 2) { return 401; } location /ws { @UP@ } }",
        "/api/ws",
    ),
    _depends(
        "error_page-401-basic",
        "@SERVER@location /ws { auth_basic x; auth_basic_user_file @ROOT@/users; error_page 401 = @b; @UP@ "
        "} location @b { @UP@ } }",
        opens=True,
    ),
    _works("basic-no-file", "@SERVER@location /ws { auth_basic x; @UP@ } }"),
    _works(
        "basic-off",
        "@SERVER@auth_basic x; auth_basic_user_file @ROOT@/users; location /ws { auth_basic off; @UP@ } }",
    ),
    _works(
        "basic-var-off",
        "map $uri $realm { default x; /ws off; }\n@SERVER@auth_basic $realm; auth_basic_user_file "
        "@ROOT@/users; location /ws { @UP@ } }",
    ),
    _depends(
        "basic-var-on",
        "map $uri $realm { default x; /other off; }\n@SERVER@auth_basic $realm; auth_basic_user_file "
        "@ROOT@/users; location /ws { @UP@ } }",
        opens=False,
    ),
    _fails("add_header-upgrade", "@SERVER@location /ws { @UP@ add_header Upgrade h2c always; } }"),
    _works("add_header-not-always", "@SERVER@location /ws { @UP@ add_header Upgrade h2c; } }"),
    _works("add_header-connection", "@SERVER@location /ws { @UP@ add_header Connection close always; } }"),
    _fails("add_header-accept", "@SERVER@location /ws { @UP@ add_header Sec-WebSocket-Accept x always; } }"),
    _fails("add_header-accept-server", "@SERVER@add_header Sec-WebSocket-Accept x always; location /ws { @UP@ } }"),
    _works(
        "add_header-accept-shadow",
        "@SERVER@add_header Sec-WebSocket-Accept x always; location /ws { @UP@ add_header X-A b; } }",
    ),
    _works("add_header-empty", "@SERVER@location /ws { @UP@ add_header Sec-WebSocket-Accept '' always; } }"),
    _works("protocol-removed", "@SERVER@location /ws { @UP@ proxy_set_header Sec-WebSocket-Protocol ''; } }"),
    _works("origin-removed", "@SERVER@location /ws { @UP@ proxy_set_header Origin ''; } }"),
    _fails("d-dir", "@SERVER@if (-d @ROOT@/files) { return 503; } location /ws { @UP@ } }"),
    _fails("e-none", "@SERVER@if (!-e @ROOT@/none) { return 503; } location /ws { @UP@ } }"),
    _works("f-maint", "@SERVER@if (-f @ROOT@/maintenance) { return 503; } location /ws { @UP@ } }"),
    _depends("x", "@SERVER@if (-x @ROOT@/files) { return 503; } location /ws { @UP@ } }", opens=False),
    _works(
        "try-html",
        "@SERVER@location / { root @ROOT@/files; try_files $uri $uri.html $uri/index.html @b; } location @b { @UP@ } }",
    ),
    _works("try-200", "@SERVER@location /ws { root @ROOT@/files; try_files /there.txt =404; @UP@ } }"),
    _works(
        "map-volatile",
        "@WHOLE@ map $http_upgrade $connection_upgrade { volatile; default upgrade; '' close; }\nupstream "
        "backend { server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "map-of-map",
        "map $u $v { default $u; } map $http_upgrade $u { default $http_upgrade; }\n@SERVER@location /ws { "
        "proxy_pass http://backend; proxy_set_header Upgrade $u; proxy_set_header Connection "
        "$connection_upgrade; proxy_http_version 1.1; } }",
    ),
    _works(
        "map-conn-regex",
        "@WHOLE@ map $http_connection $connection_upgrade { default close; ~*upgrade upgrade; }\nupstream "
        "backend { server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _fails(
        "map-conn-exact-ff",
        "@WHOLE@ map $http_connection $connection_upgrade { default close; 'keep-alive, Upgrade' upgrade; "
        "}\nupstream backend { server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "map-host-default",
        "map $host $p { api.test backend; default 127.0.0.1:1; }\n@SERVER@location /ws { proxy_pass "
        "http://$p; @HEADERS@ } }",
    ),
    _fails(
        "map-http_host",
        "map $http_host $p { api.test backend; default nope; }\n@SERVER@location /ws { proxy_pass "
        "http://$p; @HEADERS@ } }",
    ),
    _works(
        "map-quoted-default",
        '@WHOLE@ map $http_upgrade $connection_upgrade { "default" close; websocket upgrade; }\nupstream '
        "backend { server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _fails(
        "map-regex-order",
        "@WHOLE@ map $http_upgrade $connection_upgrade { ~* close; ~*websocket upgrade; }\nupstream "
        "backend { server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "map-empty-regex",
        "@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; ~^$ close; }\nupstream backend { "
        "server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "upstream-two-pools-server",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server localhost:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "upstream-ipv6-only",
        '@WHOLE@ map $http_upgrade $connection_upgrade { default upgrade; "" close; }\nupstream backend { '
        "server [::1]:1 down; server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "pass-in-limit_except",
        "@SERVER@location /ws { limit_except POST { proxy_pass http://backend; } @HEADERS@ } }",
    ),
    _works(
        "nested-exact",
        "@SERVER@location / { @HEADERS@ location = /ws { proxy_pass http://backend; } proxy_pass "
        "http://127.0.0.1:1; } }",
    ),
    _works("nested-caret", "@SERVER@location ^~ / { location /ws { @UP@ } } location ~ ws { return 404; } }"),
    _fails("nested-caret2", "@SERVER@location / { location ^~ /ws { @UP@ } } location ~ ws { return 404; } }"),
    _fails("regex-beats", "@SERVER@location /ws { @UP@ } location ~* \\.(js|ws)|s$ { return 404; } }"),
    _works(
        "return-after-rewrite-last",
        "@SERVER@location /ws { rewrite ^ /b last; return 404; } location /b { rewrite ^ /ws break; @UP@ } }",
    ),
    _fails("rewrite-if-last-loop", "@SERVER@location /ws { if ($http_upgrade) { rewrite ^ /ws last; } @UP@ } }"),
    _fails(
        "named-from-error-with-uri",
        "@SERVER@location /ws { error_page 404 @b; return 404; } location @b { @UP@ } }",
    ),
    _fails(
        "error_page-named-=200",
        "@SERVER@location /ws { error_page 404 =200 @b; return 404; } location @b { @UP@ } }",
    ),
    _works(
        "error_page-to-uri-=",
        "@SERVER@location /api { error_page 404 = /ws; return 404; } location /ws { @UP@ } }",
        "/api/ws",
    ),
    _works(
        "error_page-502-other",
        "@SERVER@location /ws { proxy_pass http://127.0.0.1:@BACKEND@; @HEADERS@ error_page 502 = @b; } "
        "location @b { return 503; } }",
    ),
    _works(
        "error_page-dead-upstream",
        "upstream dead { server 127.0.0.1:1 down; }\n@SERVER@location /ws { proxy_pass http://dead; "
        "@HEADERS@ error_page 502 = @b; } location @b { @UP@ } }",
    ),
    _fails("satisfy-any-deny-geo", "@SERVER@location /ws { satisfy any; deny all; auth_basic off; @UP@ } }"),
    _fails("allow-v6", "@SERVER@location /ws { allow ::1; deny all; @UP@ } }"),
    _fails("allow-unix", "@SERVER@location /ws { allow unix:; deny all; @UP@ } }"),
    _works("deny-after-allow-all", "@SERVER@location /ws { allow all; deny 127.0.0.1; @UP@ } }"),
    _fails("deny-net", "@SERVER@location /ws { deny 127.0.0.1/32; @UP@ } }"),
    _fails("server-if-is_args", "@SERVER@if ($is_args) { return 400; } location /ws { @UP@ } }", "/ws?x"),
    _works("arg-empty", "@SERVER@if ($arg_x) { return 400; } location /ws { @UP@ } }", "/ws?x="),
    _works("arg-zero", "@SERVER@if ($arg_x) { return 400; } location /ws { @UP@ } }", "/ws?x=0"),
    _fails("arg-case", "@SERVER@if ($arg_X) { return 400; } location /ws { @UP@ } }", "/ws?x=1"),
    _works("arg-twice", "@SERVER@if ($arg_x = 2) { return 400; } location /ws { @UP@ } }", "/ws?x=1&x=2"),
    _works("arg-encoded", "@SERVER@if ($arg_x = 'a b') { return 400; } location /ws { @UP@ } }", "/ws?x=a%20b"),
    _fails(
        "request_uri-enc",
        "@SERVER@if ($request_uri ~ %77) { return 400; } location /ws { proxy_pass http://backend/ws; @HEADERS@ } }",
        "/%77s",
    ),
    _works("remote_addr", "@SERVER@if ($remote_addr != 127.0.0.1) { return 400; } location /ws { @UP@ } }"),
    _depends("remote_port", "@SERVER@if ($remote_port = 1) { return 400; } location /ws { @UP@ } }", opens=True),
    _fails("server_addr", "@SERVER@if ($server_addr = 127.0.0.1) { return 400; } location /ws { @UP@ } }"),
    _works("server_name-var", "@SERVER@if ($server_name != api.test) { return 400; } location /ws { @UP@ } }"),
    _depends("hostname-var", "@SERVER@if ($hostname = '') { return 400; } location /ws { @UP@ } }", opens=True),
    _fails("http_unknown-header", "@SERVER@if ($http_cf_connecting_ip = '') { return 403; } location /ws { @UP@ } }"),
    _works("http_content_length", "@SERVER@if ($http_content_length) { return 403; } location /ws { @UP@ } }"),
    _depends("cookie_x", "@SERVER@if ($cookie_x) { return 403; } location /ws { @UP@ } }", opens=True),
    _works("sent-http", "@SERVER@location /ws { @UP@ add_header X-A $sent_http_upgrade; } }"),
    _works("tcp_nodelay", "@SERVER@tcp_nodelay on; location /ws { @UP@ keepalive_timeout 0; } }"),
    _works("keepalive-req", "@SERVER@keepalive_requests 1; keepalive_disable msie6; location /ws { @UP@ } }"),
    _works("regex-named-shadow", "@SERVER@location ~ ^/(?P<p>ws)$ { proxy_pass http://backend/$p; @HEADERS@ } }"),
    _works("regex-lookbehind", "@SERVER@location ~ (?<=/)ws$ { @UP@ } }"),
    _works("regex-lookahead", "@SERVER@location ~ ^/(?!api) { @UP@ } }"),
    _fails("regex-not-api", "@SERVER@location ~ ^/(?!ws) { @UP@ } }"),
    _works("regex-posix", "@SERVER@location ~ ^/[[:alpha:]]+$ { @UP@ } }"),
    _works("regex-hex", "@SERVER@location ~ ^/\\x77s$ { @UP@ } }"),
    _works("regex-unicode", "@SERVER@location ~ ^/\\w+$ { @UP@ } }"),
    _depends("regex-h", "@SERVER@location ~ ^/\\H+$ { @UP@ } }", opens=True),
    _works("regex-escaped-slash", "@SERVER@location ~ ^\\/ws$ { @UP@ } }"),
    _works("regex-quoted-dollar", '@SERVER@location ~ "^/ws$" { @UP@ } }'),
    _works("regex-alternation", "@SERVER@location ~ ^/(api|ws)(/|$) { @UP@ } }"),
    _works(
        "default_server-other-addr",
        "@SERVER@location /ws { @UP@ } }\nserver { listen 127.0.0.2:@PORT@ default_server; server_name "
        "api.test; return 404; }",
    ),
    _works(
        "specific-addr-own",
        "server { listen 127.0.0.1:@PORT@; server_name api.test; location /ws { @UP@ } }\n@SERVER@return 404; }",
    ),
    _works(
        "wild-server",
        "server { listen @PORT@; server_name *.test; location /ws { @UP@ } }\nserver { listen @PORT@; "
        "server_name api.*; return 404; }",
    ),
    _works(
        "regex-server-vs-wild",
        "server { listen @PORT@; server_name api.*; location /ws { @UP@ } }\nserver { listen @PORT@; "
        "server_name ~^api; return 404; }",
    ),
    _works("two-servers-dup", "@SERVER@location /ws { @UP@ } }\n@SERVER@return 404; }"),
    _works(
        "default-first",
        "server { listen @PORT@; server_name other; location /ws { @UP@ } }\nserver { listen @PORT@; "
        "server_name third; return 404; }",
    ),
    _fails("http-auth_request", "auth_request /a;\n@SERVER@location /ws { @UP@ } location = /a { return 401; } }"),
    _fails(
        "auth-nested-loc",
        "@SERVER@location / { auth_request /a; location /ws { @UP@ } } location = /a { return 401; } }",
    ),
    _fails(
        "auth-args",
        "@SERVER@location /ws { auth_request /a?x=1; @UP@ } location = /a { if ($arg_x = 1) { return 204; "
        "} return 403; } }",
    ),
    _fails(
        "auth-arg-orig",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { if ($arg_token = 1) { return 204; "
        "} return 403; } }",
        "/ws?token=1",
    ),
    _works(
        "auth-requri",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { if ($request_uri ~ token=1) { "
        "return 204; } return 403; } }",
        "/ws?token=1",
    ),
    _works(
        "auth-uri-cond",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { if ($uri = /a) { return 204; } return 403; } }",
    ),
    _works(
        "auth-server-return",
        "@SERVER@if ($http_upgrade) { set $q 1; } location /ws { auth_request /a; @UP@ } location = /a { "
        "set $r 1; return 204; } }",
    ),
    _fails(
        "auth-set-by-sub",
        "upstream nobody { server 127.0.0.1:1 down; }\n@SERVER@location /ws { auth_request /a; set $v "
        "backend; proxy_pass http://$v; @HEADERS@ } location = /a { set $v nobody; return 204; } }",
    ),
    _fails("auth-deny-own", "@SERVER@location /ws { auth_request /a; deny all; @UP@ } location = /a { return 204; } }"),
    _fails("auth-444", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { return 444; } }"),
    _fails("auth-401-with-text", "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { return 401 no; } }"),
    _fails(
        "auth-200-page",
        "@SERVER@error_page 401 /p; location /ws { auth_request /a; @UP@ } location = /a { return 401; } "
        "location = /p { return 200 ok; } }",
    ),
    _works(
        "auth-200-page-=",
        "@SERVER@error_page 401 = /p; location /ws { auth_request /a; @UP@ } location = /a { return 401; } "
        "location = /p { return 200 ok; } }",
    ),
    _works(
        "auth-200-page-=200",
        "@SERVER@error_page 401 =200 /p; location /ws { auth_request /a; @UP@ } location = /a { return "
        "401; } location = /p { return 200 ok; } }",
    ),
    _works(
        "auth-rewrite-break-static",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { root @ROOT@/files; rewrite ^ "
        "/there.txt break; } }",
    ),
    _depends("auth-to-itself", "@SERVER@location /ws { auth_request /ws; @UP@ } }", opens=False),
    _fails(
        "auth-dead",
        "upstream dead { server 127.0.0.1:1 down; }\n@SERVER@location /ws { auth_request /a; @UP@ } "
        "location = /a { proxy_pass http://dead; } }",
    ),
    _depends(
        "auth-fastcgi",
        "@SERVER@location /ws { auth_request /a; @UP@ } location = /a { fastcgi_pass 127.0.0.1:1; } }",
        opens=False,
    ),
    _works("mirror-off", "@SERVER@mirror /m; location /ws { mirror off; @UP@ } location = /m { @UP@ } }"),
    _works(
        "mirror-plain",
        "@SERVER@location /ws { @UP@ mirror /m; } location = /m { internal; proxy_pass http://backend/m; } }",
    ),
    _works(
        "mirror-empty-upgrade",
        "@SERVER@location /ws { @UP@ mirror /m; } location = /m { internal; proxy_pass http://backend/ws; "
        "proxy_set_header Upgrade ''; } }",
    ),
    _works(
        "if-satisfy",
        "@SERVER@satisfy any; location /ws { deny all; auth_request /a; @UP@ } location = /a { return 204; } }",
    ),
    _works(
        "limit_conn-zero-page",
        "limit_conn_zone $server_name zone=a:1m;\n@SERVER@limit_conn a 1; limit_conn_status 429; location "
        "/ws { @UP@ } }",
    ),
    _works(
        "limit_req-delay",
        "limit_req_zone $server_name zone=a:1m rate=1r/s;\n@SERVER@location /ws { limit_req zone=a burst=5 "
        "nodelay; @UP@ } }",
    ),
    _depends(
        "secure_link",
        "@SERVER@location /ws { secure_link $arg_md5; secure_link_md5 x; if ($secure_link = '') { return "
        "403; } @UP@ } }",
        opens=False,
    ),
    _works("connection-pool", "@SERVER@large_client_header_buffers 4 1k; location /ws { @UP@ } }"),
    _works("client_header_timeout", "@SERVER@client_header_timeout 1s; location /ws { @UP@ } }"),
    _works(
        "proxy-next",
        "@SERVER@location /ws { @UP@ proxy_next_upstream off; proxy_connect_timeout 1s; proxy_send_timeout 1s; } }",
    ),
    _works(
        "x-accel",
        "@SERVER@location /ws { @UP@ proxy_ignore_headers X-Accel-Redirect; proxy_hide_header Server; } }",
    ),
    _works("expires-and-etag", "@SERVER@location /ws { @UP@ expires 1d; etag off; } }"),
    _works(
        "regex-dup-upgrade",
        "@SERVER@location /ws { @UP@ proxy_set_header Upgrade ''; proxy_set_header Connection ''; } }",
    ),
    _depends("upgrade-dup", "@SERVER@location /ws { @UP@ proxy_set_header Upgrade websocket; } }", opens=False),
    _works(
        "conn-default-close",
        "@WHOLE@ map $http_upgrade $connection_upgrade { default close; websocket upgrade; }\nupstream "
        "backend { server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
    _works(
        "conn-map-case",
        "@WHOLE@ map $http_upgrade $connection_upgrade { default close; WebSocket Upgrade; }\nupstream "
        "backend { server 127.0.0.1:@BACKEND@; }\n@SERVER@location /ws { @UP@ } }",
    ),
)
