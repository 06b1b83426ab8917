"""Inputs that cannot fit together, each with the whole sentence that the user reads: the variables that are changed
against good ones, and the message. Used on the pure checks, and on the whole play (molecule/inputs).
"""

from __future__ import annotations

from typing import Any

GOOD: dict[str, Any] = {
    "staging_public_url": "http://app.example.com",
    "staging_public_ws_url": "ws://api.example.com/ws",
    "staging_backend_command": [".venv/bin/python", "-m", "app"],
    "staging_backend_port": 14200,
    "staging_frontend_port": 14100,
    "staging_project_dir": "/home/deploy/projects/app",
    "staging_user": "deploy",
    "staging_source_type": "git",
    "staging_git_url": "https://example.com/app.git",
    "staging_git_version": "main",
}
CERTBOT: dict[str, Any] = {
    "staging_public_url": "https://app.example.com",
    "staging_public_ws_url": "wss://api.example.com/ws",
    "staging_tls": "certbot",
}
TLS: dict[str, Any] = {
    "staging_public_url": "https://app.example.com",
    "staging_public_ws_url": "wss://api.example.com/ws",
    "staging_tls_certificate": "/etc/ssl/a.pem",
    "staging_tls_key": "/etc/ssl/a.key",
}
AT_SOCKET: dict[str, Any] = {
    "staging_backend_socket": "/srv/app.sock",
    "staging_backend_command": [".venv/bin/python", "-m", "app", "--uds", "{socket}"],
}

ERRORS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "page URL missing",
        {"staging_public_url": None},
        (
            "staging_public_url is null; expected the URL under which users open the page; set "
            "staging_public_url, for example to https://app.example.com"
        ),
    ),
    (
        "page URL empty",
        {"staging_public_url": ""},
        (
            "staging_public_url is empty; expected the URL under which users open the page; set "
            "staging_public_url, for example to https://app.example.com"
        ),
    ),
    (
        "WebSocket URL missing",
        {"staging_public_ws_url": None},
        (
            "staging_public_ws_url is null; expected the URL at which the page opens its WebSocket; set "
            "staging_public_ws_url, for example to wss://api.example.com/ws"
        ),
    ),
    (
        "page URL without a scheme",
        {"staging_public_url": "app.example.com"},
        (
            'staging_public_url is "app.example.com", but it does not start with a scheme and ://; expected a '
            "plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "page URL with ws",
        {"staging_public_url": "ws://app.example.com"},
        (
            'staging_public_url is "ws://app.example.com"; expected a URL that starts with http:// or https://; '
            "write http://app.example.com"
        ),
    ),
    (
        "page URL with ftp",
        {"staging_public_url": "ftp://app.example.com"},
        (
            'staging_public_url is "ftp://app.example.com"; expected a URL that starts with http:// or https://; '
            "write http:// or https://"
        ),
    ),
    (
        "WebSocket URL with http and an IPv6 address",
        {"staging_public_ws_url": "http://[2001:db8::1]:8080/ws"},
        (
            'staging_public_ws_url is "http://[2001:db8::1]:8080/ws"; expected a URL that starts with ws:// or wss://; '
            "write ws://[2001:db8::1]:8080/ws"
        ),
    ),
    (
        "WebSocket URL with http",
        {"staging_public_ws_url": "http://api.example.com/ws"},
        (
            'staging_public_ws_url is "http://api.example.com/ws"; expected a URL that starts with ws:// or '
            "wss://; write ws://api.example.com/ws"
        ),
    ),
    (
        "WebSocket URL with https",
        {"staging_public_ws_url": "https://api.example.com:8443/ws"},
        (
            'staging_public_ws_url is "https://api.example.com:8443/ws"; expected a URL that starts with ws:// or'
            " wss://; write wss://api.example.com:8443/ws"
        ),
    ),
    (
        "API URL with ws",
        {"staging_public_api_url": "ws://api.example.com"},
        (
            'staging_public_api_url is "ws://api.example.com"; expected a URL that starts with http:// or '
            "https://; write http://api.example.com"
        ),
    ),
    (
        "URL that is a number",
        {"staging_public_url": 8080},
        ("staging_public_url is 8080; expected a text; put it in quotes"),
    ),
    (
        "newline in a URL",
        {"staging_public_ws_url": "ws://api.example.com/ws\nX-Evil: 1"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws\\nX-Evil: 1"; expected one line without control '
            "characters; remove the control characters"
        ),
    ),
    (
        "space at the end of a URL",
        {"staging_public_url": "http://app.example.com "},
        ('staging_public_url is "http://app.example.com "; expected no space at the start or end; remove the space'),
    ),
    (
        "space in a URL",
        {"staging_public_url": "http://app example.com"},
        (
            'staging_public_url is "http://app example.com", but it contains a space or a backslash; expected a '
            "plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "backslash in a URL",
        {"staging_public_ws_url": "ws://api.example.com\\ws"},
        (
            'staging_public_ws_url is "ws://api.example.com\\\\ws", but it contains a space or a backslash; '
            "expected a plain absolute URL; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "scheme in capitals",
        {"staging_public_url": "HTTP://app.example.com"},
        (
            'staging_public_url is "HTTP://app.example.com", but its scheme is not in lower case; expected a '
            "plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "IPv6 address with a zone",
        {"staging_public_url": "http://[fe80::1%25eth0]"},
        (
            'staging_public_url is "http://[fe80::1%25eth0]", but its IPv6 address has a zone, which is valid on '
            "one machine only; expected a plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "no host",
        {"staging_public_url": "http://"},
        (
            'staging_public_url is "http://", but it has no host name after ://; expected a plain absolute URL; '
            "write it as http://host.example.com"
        ),
    ),
    (
        "no host but a port",
        {"staging_public_url": "http://:8080"},
        (
            'staging_public_url is "http://:8080", but it has no host name after ://; expected a plain absolute '
            "URL; write it as http://host.example.com"
        ),
    ),
    (
        "user and password in a URL",
        {"staging_public_url": "http://me:pw@app.example.com"},
        (
            'staging_public_url is "http://***@app.example.com", but it contains a user name or a password; '
            "expected a plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "port of a URL not a number",
        {"staging_public_url": "http://app.example.com:http"},
        (
            'staging_public_url is "http://app.example.com:http", but its port is not a number from 1 to 65535; '
            "expected a plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "port of a URL zero",
        {"staging_public_ws_url": "ws://api.example.com:0/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:0/ws", but its port is not a number from 1 to 65535; '
            "expected a plain absolute URL; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "port of a URL too large",
        {"staging_public_ws_url": "ws://api.example.com:65536/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:65536/ws", but its port is not a number from 1 to '
            "65535; expected a plain absolute URL; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "two dots in a host name",
        {"staging_public_url": "http://app..example.com"},
        (
            'staging_public_url is "http://app..example.com", but its host name does not consist of letters, '
            "digits, hyphens and single dots between them; expected a plain absolute URL; write it as "
            "http://host.example.com"
        ),
    ),
    (
        "underscore in a host name",
        {"staging_public_url": "http://my_app.example.com"},
        (
            'staging_public_url is "http://my_app.example.com", but its host name does not consist of letters, '
            "digits, hyphens and single dots between them; expected a plain absolute URL; write it as "
            "http://host.example.com"
        ),
    ),
    (
        "hyphen at the end of a label",
        {"staging_public_url": "http://app-.example.com"},
        (
            'staging_public_url is "http://app-.example.com", but its host name does not consist of letters, '
            "digits, hyphens and single dots between them; expected a plain absolute URL; write it as "
            "http://host.example.com"
        ),
    ),
    (
        "dot at the end of a host name",
        {"staging_public_url": "http://app.example.com."},
        (
            'staging_public_url is "http://app.example.com.", but its host name ends with a dot, unlike the names'
            " of certificates; expected a plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "letters beyond ASCII in a host name",
        {"staging_public_url": "http://bücher.example"},
        (
            'staging_public_url is "http://bücher.example", but its host name is not in its ASCII form (xn--...);'
            " expected a plain absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "malformed IPv4 address",
        {"staging_public_url": "http://10.0.0.256"},
        (
            'staging_public_url is "http://10.0.0.256", but its IPv4 address is malformed; expected a plain '
            "absolute URL; write it as http://host.example.com"
        ),
    ),
    (
        "IPv6 address without brackets",
        {"staging_public_ws_url": "ws://2001:db8::1/ws"},
        (
            'staging_public_ws_url is "ws://2001:db8::1/ws", but its IPv6 address is not in brackets, before the '
            "port; expected a plain absolute URL; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "malformed IPv6 address",
        {"staging_public_ws_url": "ws://[2001:::1]/ws"},
        (
            'staging_public_ws_url is "ws://[2001:::1]/ws", but its IPv6 address is malformed; expected a plain '
            "absolute URL; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "query in a WebSocket URL",
        {"staging_public_ws_url": "ws://api.example.com/ws?token=x"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws?token=x", but it has a query; expected a URL that '
            "ends with its path; remove ?token=x"
        ),
    ),
    (
        "fragment in a page URL",
        {"staging_public_url": "http://app.example.com#top"},
        (
            'staging_public_url is "http://app.example.com#top", but it has a fragment; expected a URL that ends '
            "with its path; remove #top"
        ),
    ),
    (
        "double slash in a path",
        {"staging_public_ws_url": "ws://api.example.com//ws"},
        (
            'staging_public_ws_url is "ws://api.example.com//ws"; expected a path without empty parts; write // '
            "in the path as /"
        ),
    ),
    (
        "no path in a WebSocket URL",
        {"staging_public_ws_url": "ws://api.example.com"},
        (
            'staging_public_ws_url is "ws://api.example.com"; expected a path after the host name; add the path '
            "of the endpoint, for example /ws"
        ),
    ),
    (
        "localhost as the page's host",
        {"staging_public_url": "http://localhost:8080"},
        (
            'staging_public_url is "http://localhost:8080", but localhost is each user\'s own machine; expected a '
            "name under which users reach the host; write that name, or set staging_allow_loopback: true for a "
            "demo on one machine"
        ),
    ),
    (
        "loopback address in a WebSocket URL",
        {"staging_public_ws_url": "ws://127.0.0.1:8080/ws"},
        (
            'staging_public_ws_url is "ws://127.0.0.1:8080/ws", but 127.0.0.1 is each user\'s own machine; '
            "expected a name under which users reach the host; write that name, or set staging_allow_loopback: "
            "true for a demo on one machine"
        ),
    ),
    (
        "IPv6 loopback in a WebSocket URL",
        {"staging_public_ws_url": "ws://[::1]/ws"},
        (
            'staging_public_ws_url is "ws://[::1]/ws", but ::1 is each user\'s own machine; expected a name under '
            "which users reach the host; write that name, or set staging_allow_loopback: true for a demo on one "
            "machine"
        ),
    ),
    (
        "name below localhost",
        {"staging_public_ws_url": "ws://api.localhost/ws"},
        (
            'staging_public_ws_url is "ws://api.localhost/ws", but api.localhost is each user\'s own machine; '
            "expected a name under which users reach the host; write that name, or set staging_allow_loopback: "
            "true for a demo on one machine"
        ),
    ),
    (
        "any address as a host",
        {"staging_public_url": "http://0.0.0.0"},
        (
            'staging_public_url is "http://0.0.0.0", but 0.0.0.0 is each user\'s own machine; expected a name '
            "under which users reach the host; write that name, or set staging_allow_loopback: true for a demo on"
            " one machine"
        ),
    ),
    (
        "port that browsers refuse",
        {"staging_public_url": "http://app.example.com:6000"},
        (
            'staging_public_url is "http://app.example.com:6000", but browsers refuse port 6000; expected a port '
            "that browsers open; choose another port"
        ),
    ),
    (
        "ws for an https page",
        {**TLS, "staging_public_ws_url": "ws://api.example.com/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws", but from a page of https:// '
            "(https://app.example.com) browsers refuse ws://; expected a URL that starts with wss://; write "
            "wss://api.example.com/ws, or serve the page over http://"
        ),
    ),
    (
        "http API for an https page",
        {**TLS, "staging_public_api_url": "http://api.example.com"},
        (
            'staging_public_api_url is "http://api.example.com", but from a page of https:// '
            "(https://app.example.com) browsers refuse http://; expected a URL that starts with https://; write "
            "https://api.example.com, or serve the page over http://"
        ),
    ),
    (
        "https on port 80",
        {**TLS, "staging_public_url": "https://app.example.com:80"},
        (
            'staging_public_url is "https://app.example.com:80", but port 80 is that of plain HTTP; expected a '
            "port that fits the scheme; leave the port out, or write the other scheme"
        ),
    ),
    (
        "http on port 443",
        {"staging_public_url": "http://app.example.com:443"},
        (
            'staging_public_url is "http://app.example.com:443", but port 443 is that of TLS; expected a port '
            "that fits the scheme; leave the port out, or write the other scheme"
        ),
    ),
    (
        "TLS without a certificate",
        {"staging_public_url": "https://app.example.com", "staging_public_ws_url": "wss://api.example.com/ws"},
        (
            "staging_tls_certificate is not set, but staging_public_url and staging_public_ws_url use TLS; "
            "expected a certificate and a key for nginx; set staging_tls to certbot or private_ca, or "
            "staging_tls_certificate and staging_tls_key, or staging_tls_before_proxy where TLS ends before nginx"
        ),
    ),
    (
        "files without a certificate",
        {
            "staging_public_url": "https://app.example.com",
            "staging_public_ws_url": "wss://api.example.com/ws",
            "staging_tls": "files",
        },
        (
            'staging_tls is "files", but neither is set; expected files that are named by staging_tls_certificate and '
            "staging_tls_key; set both"
        ),
    ),
    (
        "a certificate that is not used",
        {**TLS, "staging_tls": "private_ca"},
        (
            'staging_tls is "private_ca", but staging_tls_certificate or staging_tls_key is set; expected files, for a '
            "certificate that is set; remove staging_tls, or staging_tls_certificate and staging_tls_key"
        ),
    ),
    (
        "an unknown source of the certificate",
        {"staging_tls": "letsencrypt"},
        ('staging_tls is "letsencrypt"; expected one of none, files, certbot, private_ca; choose one of these'),
    ),
    (
        "an address that no authority certifies",
        {
            "staging_public_url": "https://9.9.9.9",
            "staging_public_ws_url": "wss://9.9.9.9/ws",
            "staging_tls": "certbot",
        },
        (
            'staging_public_url is "https://9.9.9.9", but certbot gets no certificate for 9.9.9.9; expected a name; '
            "set staging_tls to private_ca"
        ),
    ),
    (
        "an ACME directory without TLS",
        {**CERTBOT, "staging_acme_directory": "http://ca.example.com/acme"},
        (
            'staging_acme_directory is "http://ca.example.com/acme"; expected a URL with https://; write the one that '
            "the authority names"
        ),
    ),
    (
        "challenges without a directory",
        {**CERTBOT, "staging_acme_root": ""},
        (
            "staging_acme_root is empty, but staging_tls is certbot, which answers challenges from it; expected a "
            "directory; remove the variable"
        ),
    ),
    (
        "challenges without port 80",
        {**CERTBOT, "staging_tls_redirect": False},
        (
            "staging_tls_redirect is false, but staging_tls is certbot, which answers challenges at port 80, where no "
            "server would listen; expected true; remove the variable"
        ),
    ),
    (
        "an order where TLS ends before nginx",
        {**CERTBOT, "staging_tls_before_proxy": True},
        (
            'staging_tls is "certbot", but staging_tls_before_proxy says that TLS ends before nginx; expected no '
            "certificate for nginx; remove one of the two variables"
        ),
    ),
    (
        "a private authority where TLS ends before nginx",
        {
            "staging_public_url": "https://app.example.com",
            "staging_public_ws_url": "wss://api.example.com/ws",
            "staging_tls": "private_ca",
            "staging_tls_before_proxy": True,
        },
        (
            'staging_tls is "private_ca", but staging_tls_before_proxy says that TLS ends before nginx; expected no '
            "certificate for nginx; remove one of the two variables"
        ),
    ),
    (
        "a private authority without nginx",
        {
            "staging_public_url": "https://app.example.com",
            "staging_public_ws_url": "wss://api.example.com/ws",
            "staging_tls": "private_ca",
            "staging_proxy_provider": "manual",
        },
        (
            'staging_tls is "private_ca", but staging_proxy_provider is manual, which has its own certificates; '
            "expected nginx as the proxy; remove it, and configure the certificate in that proxy"
        ),
    ),
    (
        "certificate where TLS ends before nginx",
        {
            "staging_public_url": "https://app.example.com",
            "staging_public_ws_url": "wss://api.example.com/ws",
            "staging_tls_before_proxy": True,
            "staging_tls_certificate": "/etc/ssl/app.pem",
            "staging_tls_key": "/etc/ssl/app.key",
        },
        (
            'staging_tls_certificate is "/etc/ssl/app.pem", but staging_tls_before_proxy says that TLS ends '
            "before nginx; expected no certificate for nginx; remove one of the two variables"
        ),
    ),
    (
        "port of nginx that is the backend's",
        {
            "staging_proxy_port": 14200,
            "staging_proxy_page": False,
            "staging_public_url": "http://app.example.com:14100",
        },
        (
            'staging_public_ws_url is "ws://api.example.com/ws", but nginx would have to listen on port 14200, '
            "which is that of the backend (staging_backend_port); expected a port that the application does not "
            "use; leave the port out for 80 and 443, or choose another port for the backend"
        ),
    ),
    (
        "port of nginx that is none",
        {"staging_proxy_port": 99999},
        (
            "staging_proxy_port is 99999; expected a port from 1 to 65535, or 0 for the port of the public URLs; "
            "remove it for the port of the public URLs"
        ),
    ),
    (
        "certificate without a key",
        {**TLS, "staging_tls_key": None},
        (
            "staging_tls_key is null, but staging_tls_certificate is set; expected both, because nginx needs "
            "both; set staging_tls_key"
        ),
    ),
    (
        "key without a certificate",
        {**TLS, "staging_tls_certificate": None},
        (
            "staging_tls_certificate is null, but staging_tls_key is set; expected both, because nginx needs "
            "both; set staging_tls_certificate"
        ),
    ),
    (
        "relative path of a certificate",
        {**TLS, "staging_tls_certificate": "a.pem"},
        ('staging_tls_certificate is "a.pem"; expected an absolute path on the host; start it with a slash'),
    ),
    (
        "host that the certificate does not name",
        {**TLS, "staging_tls_names": ["app.example.com"]},
        (
            'staging_public_ws_url is "wss://api.example.com/ws", but staging_tls_names does not contain its '
            "host; expected a host that the certificate names; add api.example.com to staging_tls_names, or "
            "change the URL"
        ),
    ),
    (
        "host that the certificate of a proxy elsewhere does not name",
        {
            "staging_public_ws_url": "wss://api.example.com/ws",
            "staging_proxy_provider": "manual",
            "staging_tls_names": ["app.example.com"],
        },
        (
            'staging_public_ws_url is "wss://api.example.com/ws", but staging_tls_names does not contain its '
            "host; expected a host that the certificate names; add api.example.com to staging_tls_names, or "
            "change the URL"
        ),
    ),
    (
        "server names of the proxy as a text",
        {"staging_proxy_server_names": "api.example.com"},
        ('staging_proxy_server_names is "api.example.com"; expected a list; write [api.example.com]'),
    ),
    (
        "host that the proxy does not serve",
        {"staging_proxy_server_names": ["app.example.com", "*.api.example.com"]},
        (
            'staging_public_ws_url is "ws://api.example.com/ws", but staging_proxy_server_names does not contain '
            "its host; expected a host that the proxy serves; add api.example.com to staging_proxy_server_names, "
            "or change the URL"
        ),
    ),
    (
        "WebSocket path that is not routed",
        {"staging_websocket_paths": ["/socket"]},
        (
            'staging_public_ws_url is "ws://api.example.com/ws", but the proxy routes WebSockets for /socket only'
            " (staging_websocket_paths); expected a routed path (a route that ends with a slash includes the "
            "paths below it); add /ws to staging_websocket_paths, or correct the path of the URL"
        ),
    ),
    (
        "WebSocket path below a route without a slash at its end",
        {"staging_public_ws_url": "ws://api.example.com/ws/v2", "staging_websocket_paths": ["/ws"]},
        (
            'staging_public_ws_url is "ws://api.example.com/ws/v2", but the proxy routes WebSockets for /ws only '
            "(staging_websocket_paths); expected a routed path (a route that ends with a slash includes the paths"
            " below it); add /ws/v2 to staging_websocket_paths, or correct the path of the URL"
        ),
    ),
    (
        "characters in a WebSocket path that would break out of a directive",
        {"staging_public_ws_url": "ws://api.example.com/ws;x"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws;x", but the configuration of the proxy cannot '
            "contain its path; expected a path of letters, digits and . _ ~ + , = : @ / - only, without . and .. "
            "as parts; choose another path"
        ),
    ),
    (
        "route without a slash",
        {"staging_websocket_paths": ["ws"]},
        (
            'staging_websocket_paths[0] is "ws"; expected a path that starts with a slash, without spaces, %, '
            "patterns, and . or .. as parts; write it as /ws, or as /ws/ for all paths below it"
        ),
    ),
    (
        "route with a pattern",
        {"staging_sse_paths": ["^/api/.*$"]},
        (
            'staging_sse_paths[0] is "^/api/.*$"; expected a path that starts with a slash, without spaces, %, '
            "patterns, and . or .. as parts; write it as /ws, or as /ws/ for all paths below it"
        ),
    ),
    (
        "route with a pattern to the API",
        {"staging_api_paths": ["/api/*"]},
        (
            'staging_api_paths[0] is "/api/*"; expected a path that starts with a slash, without spaces, %, '
            "patterns, and . or .. as parts; write it as /ws, or as /ws/ for all paths below it"
        ),
    ),
    (
        "route that nginx never compares",
        {"staging_websocket_paths": ["/ws", "/a/../ws%20x"]},
        (
            'staging_websocket_paths[1] is "/a/../ws%20x"; expected a path that starts with a slash, without '
            "spaces, %, patterns, and . or .. as parts; write it as /ws, or as /ws/ for all paths below it"
        ),
    ),
    (
        "route that is no text",
        {"staging_websocket_paths": [{"path": "/ws"}]},
        (
            'staging_websocket_paths[0] is {"path": "/ws"}; expected a path that starts with a slash, without '
            "spaces, %, patterns, and . or .. as parts; write it as /ws, or as /ws/ for all paths below it"
        ),
    ),
    (
        "route in two lists",
        {"staging_websocket_paths": ["/ws"], "staging_sse_paths": ["/ws"]},
        (
            'staging_sse_paths[0] is "/ws", but staging_websocket_paths has it already; expected each path once; '
            "remove one of the two"
        ),
    ),
    (
        "routes as a text",
        {"staging_websocket_paths": "/ws"},
        ('staging_websocket_paths is "/ws"; expected a list of paths; write [/ws]'),
    ),
    (
        "no routes",
        {"staging_websocket_paths": []},
        ("staging_websocket_paths is []; expected at least one path; list the path of the WebSocket"),
    ),
    (
        "unknown provider",
        {"staging_proxy_provider": "apache"},
        ('staging_proxy_provider is "apache"; expected one of nginx, nginx_proxy_manager, manual; choose one of these'),
    ),
    (
        "truth value as a text",
        {"staging_proxy_page": "no"},
        ('staging_proxy_page is "no"; expected true or false; write it without quotes'),
    ),
    (
        "equal ports",
        {"staging_backend_port": 14100},
        (
            "staging_backend_port is 14100, but staging_frontend_port is 14100 too; expected a port of its own "
            "for each process; choose another port for one of them"
        ),
    ),
    (
        "equal ports, one a text",
        {"staging_backend_port": "14100"},
        (
            'staging_backend_port is "14100", but staging_frontend_port is 14100 too; expected a port of its own '
            "for each process; choose another port for one of them"
        ),
    ),
    (
        "both instances of the backend have the same port",
        {"staging_backend_switch": "blue_green", "staging_backend_green_port": 14200},
        (
            "staging_backend_green_port is 14200, but staging_backend_port is 14200 too; expected a port of its "
            "own for each process; choose another port for one of them"
        ),
    ),
    (
        "the backend's green port, by default, is the frontend's",
        {"staging_backend_switch": "blue_green", "staging_frontend_port": 14201},
        (
            "staging_backend_green_port is 14201 by default, but staging_frontend_port is 14201 too; expected a "
            "port of its own for each process; choose another port for one of them"
        ),
    ),
    (
        "the backend's green port is no port",
        {"staging_backend_switch": "blue_green", "staging_backend_green_port": "next"},
        ('staging_backend_green_port is "next"; expected a port from 1 to 65535; choose a free port above 1023'),
    ),
    (
        "WebSocket URL at the backend's green port",
        {"staging_backend_switch": "blue_green", "staging_public_ws_url": "ws://api.example.com:14201/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:14201/ws", but nginx would have to listen on port '
            "14201, which is that of the backend (staging_backend_green_port); expected a port that the "
            "application does not use; leave the port out for 80 and 443, or choose another port for the backend"
        ),
    ),
    (
        "unknown way to replace a process",
        {"staging_backend_switch": "blue-green"},
        ('staging_backend_switch is "blue-green"; expected one of restart, blue_green; choose one of these'),
    ),
    (
        "blue-green behind a proxy of another machine",
        {"staging_backend_switch": "blue_green", "staging_proxy_provider": "manual"},
        (
            'staging_backend_switch is "blue_green", but staging_proxy_provider is manual, and only nginx on the '
            "same host can switch between two instances; expected restart; write restart"
        ),
    ),
    (
        "nothing that starts the backend",
        {"staging_backend_command": None},
        (
            "staging_backend_command is null; expected the command that starts the backend; set "
            "staging_backend_command, or name an ecosystem file in staging_ecosystem_file"
        ),
    ),
    (
        "a command in one text",
        {"staging_backend_command": "python -m app"},
        (
            'staging_backend_command is "python -m app"; expected a list of the program and its arguments; write '
            "each of them as an entry of its own"
        ),
    ),
    (
        "an ecosystem file outside of the project",
        {"staging_ecosystem_file": "/etc/ecosystem.config.js"},
        (
            'staging_ecosystem_file is "/etc/ecosystem.config.js"; expected a path inside the project, relative '
            "to its root; remove the leading slash or the .."
        ),
    ),
    (
        "port zero",
        {"staging_backend_port": 0},
        ("staging_backend_port is 0; expected a port from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "port too large",
        {"staging_frontend_port": 70000},
        ("staging_frontend_port is 70000; expected a port from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "port not a number",
        {"staging_backend_port": "http"},
        ('staging_backend_port is "http"; expected a port from 1 to 65535; choose a free port above 1023'),
    ),
    (
        "negative port",
        {"staging_backend_port": -1},
        ("staging_backend_port is -1; expected a port from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "port true",
        {"staging_backend_port": True},
        ("staging_backend_port is true; expected a port from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "privileged port",
        {"staging_frontend_port": 443},
        (
            "staging_frontend_port is 443, but only root can listen on a port below 1024; expected a port above "
            "1023; choose a free port above 1023"
        ),
    ),
    (
        "WebSocket URL at the frontend's port",
        {"staging_public_ws_url": "ws://app.example.com:14100/ws"},
        (
            'staging_public_ws_url is "ws://app.example.com:14100/ws", but port 14100 is that of the page\'s own '
            "server (staging_frontend_port), which has no such endpoint; expected the host and port of the proxy,"
            " which routes to the backend; write the URL that the proxy serves"
        ),
    ),
    (
        "WebSocket URL at the backend's port behind nginx",
        {"staging_public_ws_url": "ws://api.example.com:14200/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:14200/ws", but nginx would have to listen on port '
            "14200, which is that of the backend (staging_backend_port); expected a port that the application "
            "does not use; leave the port out for 80 and 443, or choose another port for the backend"
        ),
    ),
    (
        "page at the backend's port",
        {"staging_public_url": "http://app.example.com:14200"},
        (
            'staging_public_url is "http://app.example.com:14200", but port 14200 is that of the backend '
            "(staging_backend_port), which serves no page; expected the host and port under which users open the "
            "page; write the URL of the page"
        ),
    ),
    (
        "page at the frontend's port though proxied",
        {"staging_public_url": "http://app.example.com:14100"},
        (
            'staging_public_url is "http://app.example.com:14100", but nginx would have to listen on port 14100, '
            "which is that of the page's own server (staging_frontend_port); expected a port that the application"
            " does not use; write the port of the proxy, or set staging_proxy_page: false if the page is served "
            "without it"
        ),
    ),
    (
        "page at a port that nothing serves",
        {"staging_proxy_page": False},
        (
            'staging_public_url is "http://app.example.com", but staging_proxy_page is false; expected port '
            "14100, on which the page is served without the proxy (staging_frontend_port); write "
            "http://app.example.com:14100, or set staging_proxy_page: true"
        ),
    ),
    (
        "CORS origins as a text",
        {"staging_cors_origins": "http://app.example.com"},
        (
            'staging_cors_origins is "http://app.example.com"; expected a list of origins; write '
            "[http://app.example.com]"
        ),
    ),
    (
        "CORS origin with a slash",
        {"staging_cors_origins": ["http://app.example.com/"]},
        (
            'staging_cors_origins[0] is "http://app.example.com/", but it does not end after host and port; '
            "expected an origin as a browser sends it; write it as http://app.example.com"
        ),
    ),
    (
        "CORS origin without a scheme",
        {"staging_cors_origins": ["app.example.com"]},
        (
            'staging_cors_origins[0] is "app.example.com", but it does not start with a scheme and ://; expected '
            "an origin as a browser sends it; write it as https://host.example.com"
        ),
    ),
    (
        "CORS origin with its default port",
        {"staging_cors_origins": ["http://app.example.com:80"]},
        (
            'staging_cors_origins[0] is "http://app.example.com:80", but browsers write the same origin in '
            "another way; expected an origin as a browser sends it; write it as http://app.example.com"
        ),
    ),
    (
        "CORS origin in capitals",
        {"staging_cors_origins": ["http://App.example.com"]},
        (
            'staging_cors_origins[0] is "http://App.example.com", but browsers write the same origin in another '
            "way; expected an origin as a browser sends it; write it as http://app.example.com"
        ),
    ),
    (
        "CORS origin that is no text",
        {"staging_cors_origins": [None]},
        (
            "staging_cors_origins[0] is null, but it does not start with a scheme and ://; expected an origin as "
            "a browser sends it; write it as https://host.example.com"
        ),
    ),
    (
        "page missing among the CORS origins",
        {"staging_cors_origins": ["http://other.example.com"]},
        (
            'staging_cors_origins is ["http://other.example.com"], but staging_public_ws_url has another origin '
            "than the page; expected the page's origin in this list; add http://app.example.com"
        ),
    ),
    (
        "project directory missing",
        {"staging_project_dir": None},
        (
            "staging_project_dir is null; expected the directory of the project on the host; set "
            "staging_project_dir, for example to /home/deploy/projects/app"
        ),
    ),
    (
        "relative project directory",
        {"staging_project_dir": "projects/app"},
        ('staging_project_dir is "projects/app"; expected an absolute path on the host; start it with a slash'),
    ),
    (
        "project directory with ..",
        {"staging_project_dir": "/home/deploy/../app"},
        ('staging_project_dir is "/home/deploy/../app"; expected a path without //, /./ and ..; write the plain path'),
    ),
    (
        "project directory with a space",
        {"staging_project_dir": "/home/deploy/my app"},
        (
            'staging_project_dir is "/home/deploy/my app", but nginx, pm2 and systemd read it too; expected a '
            "path without spaces, quotes and shell characters; use letters, digits, dots, hyphens and underscores"
        ),
    ),
    (
        "project directory with a newline",
        {"staging_project_dir": "/home/deploy/app\n"},
        (
            'staging_project_dir is "/home/deploy/app\\n"; expected one line without control characters; remove '
            "the control characters"
        ),
    ),
    (
        "project directory that is the system's",
        {"staging_project_dir": "/srv"},
        (
            'staging_project_dir is "/srv"; expected a directory for the project alone, because it becomes a link'
            " to the active release; add a directory, for example /home/deploy/projects/app"
        ),
    ),
    (
        "project directory that is a home",
        {"staging_project_dir": "/home/deploy"},
        (
            'staging_project_dir is "/home/deploy"; expected a directory for the project alone, because it '
            "becomes a link to the active release; add a directory, for example /home/deploy/projects/app"
        ),
    ),
    (
        "project directory with a slash at the end",
        {"staging_project_dir": "/home/deploy/app/"},
        (
            'staging_project_dir is "/home/deploy/app/"; expected no slash at the end, because the path becomes a'
            " link; remove the slash"
        ),
    ),
    (
        "frontend directory outside of the project",
        {"staging_frontend_dir": "../web-ui"},
        (
            'staging_frontend_dir is "../web-ui"; expected a path inside the project, relative to its root; '
            "remove the leading slash or the .."
        ),
    ),
    (
        "absolute backend directory",
        {"staging_backend_dir": "/srv/backend"},
        (
            'staging_backend_dir is "/srv/backend"; expected a path inside the project, relative to its root; '
            "remove the leading slash or the .."
        ),
    ),
    (
        "shared path outside of the project",
        {"staging_shared_paths": ["data", "/var/data"]},
        (
            'staging_shared_paths[1] is "/var/data"; expected a path inside the project, relative to its root; '
            "remove the leading slash or the .."
        ),
    ),
    (
        "path to leave behind outside of the project",
        {"staging_leave_behind": ["../cache"]},
        (
            'staging_leave_behind[0] is "../cache"; expected a path inside the project, relative to its root; '
            "remove the leading slash or the .."
        ),
    ),
    (
        "user with capitals",
        {"staging_user": "Deploy"},
        (
            'staging_user is "Deploy"; expected up to 32 lowercase letters, digits, hyphens and underscores, '
            "starting with a letter or underscore; choose such a name"
        ),
    ),
    (
        "root as the user",
        {"staging_user": "root"},
        (
            'staging_user is "root"; expected an unprivileged user that runs the application; choose another name'
            " (the user is created if it does not exist)"
        ),
    ),
    (
        "unknown source type",
        {"staging_source_type": "svn"},
        ('staging_source_type is "svn"; expected one of git, archive, in_place; choose one of these'),
    ),
    (
        "git without a URL",
        {"staging_source_type": "git", "staging_git_url": None},
        (
            "staging_git_url is null, but staging_source_type is git; expected the URL of the repository; set "
            "staging_git_url"
        ),
    ),
    (
        "source type that is null",
        {"staging_source_type": None},
        ("staging_source_type is null; expected a value; write one, or remove the variable for its default"),
    ),
    (
        "port that is an empty text",
        {"staging_frontend_port": ""},
        ("staging_frontend_port is empty; expected a value; write one, or remove the variable for its default"),
    ),
    (
        "environment that is null",
        {"staging_env": None},
        ("staging_env is null; expected a value; write one, or remove the variable for its default"),
    ),
    (
        "vantage point that is none",
        {"staging_vantages": ["direct", "outside"]},
        ('staging_vantages[1] is "outside"; expected one of direct, proxy, public; choose one of these'),
    ),
    (
        "way of installing that is none",
        {"staging_backend_install": "conda"},
        (
            'staging_backend_install is "conda"; expected one of none, npm, pipenv, poetry, project, requirements, uv; '
            "choose one of these"
        ),
    ),
    (
        "pages as a text",
        {"staging_pages": "/about"},
        ('staging_pages is "/about"; expected a list; write [/about]'),
    ),
    (
        "headers as a text",
        {"staging_websocket_secret_headers": "X-Token: planted"},
        (
            "staging_websocket_secret_headers is a text (not shown); expected a dictionary of keys and values; "
            "write KEY: value"
        ),
    ),
    (
        "drain that is no number",
        {"staging_backend_drain": "a minute"},
        ('staging_backend_drain is "a minute"; expected a whole number, 0 or more; write it in digits'),
    ),
    (
        "more connections than a check can open",
        {"staging_verify_connections": 10001},
        ("staging_verify_connections is 10001; expected a number from 1 to 10000; remove it for the default"),
    ),
    (
        "hold in parts of a second",
        {"staging_hold": 70.5},
        ("staging_hold is 70.5; expected a whole number, 0 or more; write it in digits"),
    ),
    (
        "truth that is none",
        {"staging_validate_certs": "maybe"},
        ('staging_validate_certs is "maybe"; expected true or false; write true or false'),
    ),
    (
        "name with a space",
        {"staging_app_name": "my app"},
        (
            'staging_app_name is "my app"; expected up to 100 letters, digits, dots, hyphens and underscores, '
            "starting with a letter or digit; choose such a name"
        ),
    ),
    (
        "project directory that gives no name",
        {"staging_project_dir": "/home/deploy/projects/my+app"},
        (
            'staging_project_dir is "/home/deploy/projects/my+app", but its last part cannot be the name of the '
            "site and the processes; expected up to 100 letters, digits, dots, hyphens and underscores, starting "
            "with a letter or digit; choose another directory, or set staging_app_name"
        ),
    ),
    (
        "a name that stands for all processes",
        {"staging_backend_process_name": "all"},
        (
            'staging_backend_process_name is "all"; expected up to 100 letters, '
            "digits, spaces and characters of ._:@+-, "
            "starting with a letter or digit, and neither all nor a number, "
            "which pm2 takes for other processes; choose another name"
        ),
    ),
    (
        "a number as the name of a process",
        {"staging_backend_process_name": "0"},
        (
            'staging_backend_process_name is "0"; expected up to 100 letters, '
            "digits, spaces and characters of ._:@+-, "
            "starting with a letter or digit, and neither all nor a number, "
            "which pm2 takes for other processes; choose another name"
        ),
    ),
    (
        "a path as the name of a process",
        {"staging_backend_process_name": "../backend"},
        (
            'staging_backend_process_name is "../backend"; expected up to 100 letters, '
            "digits, spaces and characters of ._:@+-, "
            "starting with a letter or digit, and neither all nor a number, "
            "which pm2 takes for other processes; choose another name"
        ),
    ),
    (
        "an option as the name of a process",
        {"staging_backend_process_name": "--all"},
        (
            'staging_backend_process_name is "--all"; expected up to 100 letters, '
            "digits, spaces and characters of ._:@+-, "
            "starting with a letter or digit, and neither all nor a number, "
            "which pm2 takes for other processes; choose another name"
        ),
    ),
    (
        "one name for two processes",
        {"staging_backend_process_name": "app", "staging_frontend_process_name": "app"},
        (
            'staging_backend_process_name is "app", but staging_frontend_process_name is the same; expected two '
            "different names, because pm2 tells processes apart by their names; choose another name for one of "
            "them"
        ),
    ),
    (
        "git URL without a protocol",
        {"staging_git_url": "github.com/x/y"},
        (
            'staging_git_url is "github.com/x/y"; expected the URL of a repository; write https://..., ssh://... '
            "or user@host:path"
        ),
    ),
    (
        "git URL that is an option",
        {"staging_git_url": "--upload-pack=touch /tmp/x"},
        (
            'staging_git_url is "--upload-pack=touch /tmp/x"; expected the URL of a repository; write '
            "https://..., ssh://... or user@host:path"
        ),
    ),
    (
        "password in a git URL",
        {"staging_git_url": "https://me:pw-of-mine@example.com/x.git"},
        (
            'staging_git_url is "https://***@example.com/x.git", but the configuration of the repository would '
            "contain the password; expected a URL without a password; move it to staging_git_token, and the user name "
            "to staging_git_user"
        ),
    ),
    (
        "path instead of a git key",
        {"staging_git_url": "git@example.com:x/y.git", "staging_git_key": "~/.ssh/id_ed25519"},
        (
            "staging_git_key is a text (not shown); expected the whole text of a private key, which begins with "
            "-----BEGIN ... PRIVATE KEY-----; write it in full, for example with lookup('ansible.builtin.file', ...), "
            "or set staging_git_key_file to a path on the host"
        ),
    ),
    (
        "git key for HTTPS",
        {"staging_git_key_file": "/home/deploy/.ssh/id"},
        (
            'staging_git_key_file is "/home/deploy/.ssh/id", but staging_git_url is none, so the key is not used; '
            "expected a URL of SSH in staging_git_url; write ssh://... or user@host:path there, or remove "
            "staging_git_key_file"
        ),
    ),
    (
        "two git keys",
        {
            "staging_git_url": "git@example.com:x/y.git",
            "staging_git_key": "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n",
            "staging_git_key_file": "/home/deploy/.ssh/id",
        },
        (
            'staging_git_key_file is "/home/deploy/.ssh/id", but staging_git_key is set too; expected one key; remove '
            "one of staging_git_key and staging_git_key_file"
        ),
    ),
    (
        "git token for SSH",
        {"staging_git_url": "ssh://git@example.com/x.git", "staging_git_token": "glpat-example"},
        (
            "staging_git_token is a text (not shown), but staging_git_url is none, and a token is sent by HTTPS only; "
            "expected a URL that begins with https:// in staging_git_url; write https://... there, or remove "
            "staging_git_token"
        ),
    ),
    (
        "known host without a key",
        {"staging_git_url": "git@example.com:x/y.git", "staging_git_known_hosts": ["example.com"]},
        (
            'staging_git_known_hosts[0] is "example.com"; expected a line of known_hosts: names, type of the key, key; '
            "write a line that ssh-keyscan prints"
        ),
    ),
    (
        "git version with a space",
        {"staging_git_version": "main branch"},
        (
            'staging_git_version is "main branch"; expected the name of a branch or tag, or a commit; write for '
            "example main, v1.2.3 or a full commit id"
        ),
    ),
    (
        "git version that is an option",
        {"staging_git_version": "--force"},
        (
            'staging_git_version is "--force"; expected the name of a branch or tag, or a commit; write for '
            "example main, v1.2.3 or a full commit id"
        ),
    ),
    (
        "archive without a directory",
        {"staging_source_type": "archive"},
        (
            "staging_source_dir is not set, but staging_source_type is archive; expected a directory on the "
            "controller; set staging_source_dir"
        ),
    ),
    (
        "env key that is no name",
        {"staging_env": {"MY-KEY": "1"}},
        (
            'staging_env.MY-KEY is "1", but MY-KEY is not a variable name (letters, digits and underscores, not '
            "starting with a digit); expected the name of a variable; choose another name"
        ),
    ),
    (
        "env key that bash sets itself",
        {"staging_env": {"UID": "1"}},
        (
            'staging_env.UID is "1", but UID is a variable of bash itself, which a file cannot set; expected the '
            "name of a variable; choose another name"
        ),
    ),
    (
        "env value that is a list",
        {"staging_env": {"A": [1]}},
        (
            "staging_env.A is [1]; expected a text, because an env file contains nothing else; write it as one text as "
            'the application reads it, such as "{{ ... | join(\',\') }}" or "{{ ... | to_json }}"'
        ),
    ),
    (
        "env value null",
        {"staging_env": {"A": None}},
        (
            "staging_env.A is null; expected a text, because an env file contains nothing else; write an empty "
            "text, or "
            "remove the key"
        ),
    ),
    (
        "env value that the readers differ on",
        {"staging_env": {"A": "p$HOME"}},
        (
            'staging_env.A is "p$HOME", but it contains a "$" before a name, which next would read differently; '
            "expected a value that all readers of the env file read alike; choose another value, or set "
            "staging_env_readers to those that read your file"
        ),
    ),
    (
        "env as a text",
        {"staging_env": "A=1"},
        ("staging_env is a text (not shown); expected a dictionary of keys and values; write KEY: value"),
    ),
    (
        "placeholder in the env",
        {"staging_env": {"OPENAI_API_KEY": "your-key-here"}},
        (
            'staging_env.OPENAI_API_KEY is "your-key-here", but it is a placeholder; expected the real value; '
            "write it, or add the key to staging_env_allow_placeholders"
        ),
    ),
    (
        "placeholder in a secret",
        {"staging_env_secrets": {"OPENAI_API_KEY": "changeme"}},
        (
            "staging_env_secrets.OPENAI_API_KEY is a text (not shown), but it is a placeholder; expected the real"
            " value; write it, or add the key to staging_env_allow_placeholders"
        ),
    ),
    (
        "empty secret",
        {"staging_env_secrets": {"AUTH_SECRET": ""}},
        ("staging_env_secrets.AUTH_SECRET is empty; expected a secret; set it, or remove the key"),
    ),
    (
        "secret that the readers differ on",
        {"staging_env_secrets": {"AUTH_SECRET": "hunter$two"}},
        (
            'staging_env_secrets.AUTH_SECRET is a text (not shown), but it contains a "$" before a name, which '
            "next would read differently; expected a value that all readers of the env file read alike; choose "
            "another value, or set staging_env_readers to those that read your file"
        ),
    ),
    (
        "key both plain and secret",
        {"staging_env": {"A": "1"}, "staging_env_secrets": {"A": "hunter2"}},
        (
            "staging_env.A is a text (not shown), but staging_env_secrets.A is set too; expected each key in one "
            "of the two; remove one of them"
        ),
    ),
    (
        "secret with the public prefix",
        {"staging_env_secrets": {"NEXT_PUBLIC_KEY": "hunter2"}},
        (
            "staging_env_secrets.NEXT_PUBLIC_KEY is a text (not shown), but the build puts variables that start "
            "with NEXT_PUBLIC_ into the page, where everybody can read them; expected a name without that prefix;"
            " rename it and read it on the server, or move it to staging_env if it is no secret"
        ),
    ),
    (
        "secret that Vite puts into the page",
        {"staging_env_secrets": {"VITE_KEY": "hunter2"}},
        (
            "staging_env_secrets.VITE_KEY is a text (not shown), but the build puts variables that start with "
            "VITE_ into the page, where everybody can read them; expected a name without that prefix; rename it "
            "and read it on the server, or move it to staging_env if it is no secret"
        ),
    ),
    (
        "backend port that differs in the env",
        {"staging_env": {"BACKEND_PORT": 8000}},
        (
            "staging_env.BACKEND_PORT is 8000, but staging_backend_port is 14200; expected the same port; write "
            "14200, or remove the key"
        ),
    ),
    (
        "backend port that differs in the build",
        {"staging_frontend_build_env": {"BACKEND_PORT": "8080"}},
        (
            'staging_frontend_build_env.BACKEND_PORT is "8080", but staging_backend_port is 14200; expected the '
            "same port; write 14200, or remove the key"
        ),
    ),
    (
        "localhost in a public variable",
        {"staging_env": {"NEXT_PUBLIC_API_URL": "http://localhost:14200"}},
        (
            'staging_env.NEXT_PUBLIC_API_URL is "http://localhost:14200", but localhost is each user\'s own '
            "machine; expected a name under which users reach the host; write that name"
        ),
    ),
    (
        "malformed public variable",
        {"staging_public_env": {"NEXT_PUBLIC_DOCS_URL": "http://"}},
        (
            'staging_public_env.NEXT_PUBLIC_DOCS_URL is "http://", but it has no host name after ://; expected a '
            "plain absolute URL; correct the URL"
        ),
    ),
    (
        "public WebSocket URL that differs",
        {"staging_public_env": {"NEXT_PUBLIC_WS_URL": "ws://old.example.com/ws"}},
        (
            'staging_public_env.NEXT_PUBLIC_WS_URL is "ws://old.example.com/ws", but staging_public_ws_url is '
            '"ws://api.example.com/ws"; expected the same URL; remove the key, because it is derived, or write '
            "the same URL"
        ),
    ),
    (
        "plain URL in a public variable of an https page",
        {**TLS, "staging_public_env": {"NEXT_PUBLIC_API_URL": "http://api.example.com"}},
        (
            'staging_public_env.NEXT_PUBLIC_API_URL is "http://api.example.com", but from a page of https:// '
            "(https://app.example.com) browsers refuse http://; expected a URL that starts with https:// or "
            "wss://; write it with TLS"
        ),
    ),
    (
        "health URL without a scheme",
        {"staging_backend_health_url": "127.0.0.1:{port}/health"},
        (
            'staging_backend_health_url is "127.0.0.1:{port}/health", but it does not start with a scheme and '
            "://; expected an http:// or https:// URL on the host; write it as http://127.0.0.1:{port}/health"
        ),
    ),
    (
        "port in the frontend's health URL",
        {"staging_frontend_health_url": "http://127.0.0.1:{port}/"},
        (
            'staging_frontend_health_url is "http://127.0.0.1:{port}/", but its port is not a number from 1 to '
            "65535; expected an http:// or https:// URL on the host; write it as http://127.0.0.1:14100/"
        ),
    ),
    (
        "health URL of a WebSocket",
        {"staging_backend_health_url": "ws://127.0.0.1:14200/ws"},
        (
            'staging_backend_health_url is "ws://127.0.0.1:14200/ws"; expected an http:// or https:// URL on the '
            "host; write it as http://127.0.0.1:{port}/health"
        ),
    ),
    (
        "hold not a number",
        {"staging_hold": "long"},
        ('staging_hold is "long"; expected a number of seconds from 0 to 86400; remove it for the default'),
    ),
    (
        "negative hold",
        {"staging_hold": -1},
        ("staging_hold is -1; expected a number of seconds from 0 to 86400; remove it for the default"),
    ),
    (
        "hold of more than a day",
        {"staging_hold": 100000},
        ("staging_hold is 100000; expected a number of seconds from 0 to 86400; remove it for the default"),
    ),
    (
        "generated secret too short",
        {"staging_env_generate": {"AUTH_SECRET": {"length": 8}}},
        (
            'staging_env_generate.AUTH_SECRET is {"length": 8}; expected a length of 16 to 4096 characters; write'
            " for example {length: 48}"
        ),
    ),
    (
        "generated secret of unknown characters",
        {"staging_env_generate": {"AUTH_SECRET": {"alphabet": "emoji"}}},
        (
            'staging_env_generate.AUTH_SECRET is {"alphabet": "emoji"}; expected one of the alphabets '
            "alphanumeric, hex, base64url; choose one, or leave it out"
        ),
    ),
    (
        "generated secret for the page",
        {"staging_env_generate": {"NEXT_PUBLIC_KEY": {}}},
        (
            "staging_env_generate.NEXT_PUBLIC_KEY is {}, but the build puts variables that start with "
            "NEXT_PUBLIC_ into the page, where everybody can read them; expected a name without that prefix; "
            "rename it and read it on the server"
        ),
    ),
    (
        "generated secret with a name that bash keeps",
        {"staging_env_generate": {"UID": {}}},
        (
            "staging_env_generate.UID is {}, but UID is a variable of bash itself, which a file cannot set; "
            "expected the name of a variable; choose another name"
        ),
    ),
    (
        "unknown reader of the env file",
        {"staging_env_readers": ["bash", "ruby"]},
        ('staging_env_readers[1] is "ruby"; expected one of bash, dotenv, next, python-dotenv; choose one of these'),
    ),
    (
        "required key that is empty",
        {"staging_env": {"STRIPE_KEY": ""}, "staging_env_required_keys": ["STRIPE_KEY"]},
        (
            "staging_env.STRIPE_KEY is empty, but staging_env_required_keys contains it; expected a value; set "
            "it, or remove the key"
        ),
    ),
    (
        "required key that no file can hold",
        {"staging_env_required_keys": ["STRIPE-KEY"]},
        (
            'staging_env_required_keys[0] is "STRIPE-KEY", but it is not a variable name (letters, digits and '
            "underscores, not starting with a digit); expected the name of a variable; correct the name"
        ),
    ),
    (
        "required keys as a text",
        {"staging_env_required_keys": "AUTH_SECRET"},
        ('staging_env_required_keys is "AUTH_SECRET"; expected a list; write [AUTH_SECRET]'),
    ),
    (
        "version of Node.js that is a range",
        {"staging_node_version": "24"},
        ('staging_node_version is "24"; expected an exact version; write for example 24.21.0, in quotes'),
    ),
    (
        "version of pm2 that is a tag",
        {"staging_pm2_version": "latest"},
        ('staging_pm2_version is "latest"; expected an exact version; write for example 7.0.4, in quotes'),
    ),
    (
        "version of npm that is a number",
        {"staging_npm_version": 10.9},
        ("staging_npm_version is 10.9; expected an exact version; write for example 10.9.9, in quotes"),
    ),
    (
        "name with letters swapped",
        {"staging_backend_prot": 14300},
        (
            "staging_backend_prot is a number (not shown), but no role reads it, and the nearest known name is "
            "staging_backend_port; expected the name of a variable that a role reads; write staging_backend_port if "
            "that is meant, or choose a name that does not start with staging_ for a variable of your own"
        ),
    ),
    (
        "name with words swapped",
        {"staging_timeout_backend_health": 90},
        (
            "staging_timeout_backend_health is a number (not shown), but no role reads it, and the nearest known name "
            "is staging_backend_health_timeout; expected the name of a variable that a role reads; write "
            "staging_backend_health_timeout if that is meant, or choose a name that does not start with staging_ for "
            "a variable of your own"
        ),
    ),
    (
        "name like no other",
        {"staging_vault_password": "hunter2"},
        (
            "staging_vault_password is a text (not shown), but no role reads it, and the nearest known name is "
            "staging_proxy_manager_access_password; expected the name of a variable that a role reads; remove it, or "
            "choose a name that does not start with staging_ for a variable of your own"
        ),
    ),
    (
        "socket with a relative path",
        {**AT_SOCKET, "staging_backend_socket": "app.sock"},
        ('staging_backend_socket is "app.sock"; expected an absolute path on the host; start it with a slash'),
    ),
    (
        "socket with a space",
        {**AT_SOCKET, "staging_backend_socket": "/srv/my app/a.sock"},
        (
            'staging_backend_socket is "/srv/my app/a.sock", but nginx reads it too; expected a path without spaces, '
            "quotes, shell characters, //, /./ and ..; use letters, digits, dots, hyphens and underscores"
        ),
    ),
    (
        "socket with a long path",
        {**AT_SOCKET, "staging_backend_socket": "/srv/" + "x" * 103},
        (
            f'staging_backend_socket is "/srv/{"x" * 103}", but it has 108 bytes, and the kernel takes no longer one '
            "for a socket; expected at most 107 bytes; choose a shorter path"
        ),
    ),
    (
        "socket in a release",
        {**AT_SOCKET, "staging_backend_socket": "/home/deploy/projects/app/run/a.sock"},
        (
            'staging_backend_socket is "/home/deploy/projects/app/run/a.sock", but each release has its own '
            "directory, and the proxy would look in that of another one; expected a path outside of the project; "
            "write for example /home/deploy/projects/app.run/backend.sock"
        ),
    ),
    (
        "socket behind Nginx Proxy Manager",
        {**AT_SOCKET, "staging_proxy_provider": "nginx_proxy_manager"},
        (
            'staging_backend_socket is "/srv/app.sock", but only nginx on the same host can connect to it; expected a '
            "port; remove it, and let the backend listen on staging_backend_port"
        ),
    ),
    (
        "socket behind a proxy that the user configures",
        {**AT_SOCKET, "staging_proxy_provider": "manual", "staging_proxy_manual_for": "caddy"},
        (
            'staging_backend_socket is "/srv/app.sock", but only nginx on the same host can connect to it; expected a '
            "port; remove it, and let the backend listen on staging_backend_port"
        ),
    ),
    (
        "one socket for two instances",
        {**AT_SOCKET, "staging_backend_switch": "blue_green"},
        (
            'staging_backend_socket is "/srv/app.sock", but staging_backend_switch is blue_green, and two processes '
            "cannot listen on one socket; expected a port for each of the two instances; remove it, or write "
            "staging_backend_switch: restart"
        ),
    ),
    (
        "socket that is not set",
        {"staging_backend_env": {"UDS": "{socket}"}},
        (
            "staging_backend_socket is not set, but staging_backend_command or staging_backend_env has {socket}; "
            "expected the path of a UNIX socket; set it, or write {port}"
        ),
    ),
    (
        "static page behind Nginx Proxy Manager",
        {"staging_frontend_serve": "static", "staging_proxy_provider": "nginx_proxy_manager"},
        (
            'staging_frontend_serve is "static", but staging_proxy_provider is nginx_proxy_manager; expected nginx on '
            "the host, which serves the files; write process, and serve the page by staging_frontend_command, or let "
            "nginx serve it"
        ),
    ),
    (
        "static page that the proxy does not serve",
        {"staging_frontend_serve": "static", "staging_proxy_page": False},
        (
            'staging_frontend_serve is "static", but staging_proxy_page is false; expected nginx on the host, which '
            "serves the files; write process, and serve the page by staging_frontend_command, or let nginx serve it"
        ),
    ),
    (
        "build of a source that only the host has",
        {"staging_frontend_build_on": "controller", "staging_source_type": "in_place"},
        (
            'staging_frontend_build_on is "controller", but staging_source_type is in_place, so that only the host '
            "has the source; expected host, or a source that the controller can take; write host, or set "
            "staging_source_type to git or archive"
        ),
    ),
    (
        "build of a backend in Python",
        {"staging_backend_build_command": ["npm", "run", "build"]},
        (
            'staging_backend_build_command is ["npm", "run", "build"], but staging_backend_install is requirements, '
            "which builds nothing; expected a backend for Node.js; set staging_backend_install: npm, or run the "
            "command by staging_backend_before_activation"
        ),
    ),
    (
        "command in one entry",
        {"staging_backend_command": ["uvicorn app:app"]},
        (
            'staging_backend_command is ["uvicorn app:app"], but its first entry is taken for the name of the '
            "program, which has a space; expected a list of the program and its arguments; write each of them as "
            "an entry of its own"
        ),
    ),
    (
        "build command in one entry",
        {"staging_frontend_build_command": ["npm run build"]},
        (
            'staging_frontend_build_command is ["npm run build"], but its first entry is taken for the name of '
            "the program, which has a space; expected a list of the program and its arguments; write each of them"
            " as an entry of its own"
        ),
    ),
    (
        "variable before the program",
        {"staging_backend_command": ["PORT=14200", "node", "server.js"]},
        (
            'staging_backend_command is ["PORT=14200", "node", "server.js"], but no shell sets PORT; expected the'
            " program as the first entry; set the variable in staging_backend_env"
        ),
    ),
    (
        "two programs in a command",
        {"staging_frontend_build_command": ["npx", "prisma", "generate", "&&", "next", "build"]},
        (
            'staging_frontend_build_command is ["npx", "prisma", "generate", "&&", "next", "build"], but no shell'
            " reads it, so that the program gets && as it is; expected a program and its arguments; write {port} "
            "for a port, or let a shell run it: [sh, -c, the whole command]"
        ),
    ),
    (
        "variable of a shell in a command",
        {"staging_backend_command": ["uvicorn", "app:app", "--port", "$PORT"]},
        (
            'staging_backend_command is ["uvicorn", "app:app", "--port", "$PORT"], but no shell reads it, so that'
            " the program gets $PORT as it is; expected a program and its arguments; write {port} for a port, "
            "or let a shell run it: [sh, -c, the whole command]"
        ),
    ),
    (
        "command in the background",
        {"staging_backend_command": [".venv/bin/gunicorn", "app:app", "--daemon"]},
        (
            'staging_backend_command is [".venv/bin/gunicorn", "app:app", "--daemon"], but --daemon lets gunicorn'
            " end while another process goes on, which pm2 does not know; expected a program that stays in the "
            "foreground; remove it"
        ),
    ),
    (
        "another port in a command",
        {"staging_backend_command": ["uvicorn", "app:app", "--port", "8000"]},
        (
            'staging_backend_command is ["uvicorn", "app:app", "--port", "8000"], but the process would listen on'
            " 8000; expected the port 14200 (staging_backend_port); write {port}, or set staging_backend_port: "
            "8000"
        ),
    ),
    (
        "one port for both instances",
        {"staging_backend_command": ["uvicorn", "app:app", "--port", "14200"], "staging_backend_switch": "blue_green"},
        (
            'staging_backend_command is ["uvicorn", "app:app", "--port", "14200"], but with '
            "staging_backend_switch: blue_green, the other instance listens on staging_backend_green_port; "
            "expected {port}, which is that of the instance; write {port} in place of 14200"
        ),
    ),
)

WARNINGS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "command for development",
        {"staging_backend_command": ["uvicorn", "app:app", "--reload"]},
        (
            'staging_backend_command is ["uvicorn", "app:app", "--reload"], but --reload is for development: it '
            "watches the files, or builds when it is asked; expected a server for production; start the "
            "application as in production"
        ),
    ),
    (
        "internal name",
        {"staging_public_url": "http://app.home.example.net"},
        (
            'staging_public_url is "http://app.home.example.net", but app.home.example.net is known in one '
            "network only; expected a public name; make sure that all users are in that network, or write a "
            "public name"
        ),
    ),
    (
        "name of one label",
        {"staging_public_url": "http://staging"},
        (
            'staging_public_url is "http://staging", but staging is known in one network only; expected a public '
            "name; make sure that all users are in that network, or write a public name"
        ),
    ),
    (
        "private address",
        {"staging_public_url": "http://10.0.0.5"},
        (
            'staging_public_url is "http://10.0.0.5", but 10.0.0.5 is known in one network only; expected a '
            "public name; make sure that all users are in that network, or write a public name"
        ),
    ),
    (
        "slash at the end of a page URL",
        {"staging_public_url": "http://app.example.com/"},
        (
            'staging_public_url is "http://app.example.com/"; expected no slash at the end, because paths are '
            "appended to it; write http://app.example.com"
        ),
    ),
    (
        "CORS for everybody",
        {"staging_cors_origins": ["*"]},
        (
            'staging_cors_origins[0] is "*", but every page on the web may call the API then; expected the origin'
            " of the page; write http://app.example.com"
        ),
    ),
    (
        "WebSockets on every path",
        {"staging_websocket_paths": ["/"]},
        (
            'staging_websocket_paths[0] is "/", but this route matches every request of the host; expected the '
            "path of the WebSocket alone; list that path, for example /ws"
        ),
    ),
    (
        "certificate that nothing uses",
        {"staging_tls_certificate": "/etc/ssl/a.pem", "staging_tls_key": "/etc/ssl/a.key"},
        (
            'staging_tls_certificate is "/etc/ssl/a.pem", but no public URL uses TLS; expected a public URL with '
            "https:// or wss://; write the URLs with https:// and wss://, or remove the certificate"
        ),
    ),
    (
        "hold within the idle cut",
        {"staging_hold": 10},
        (
            "staging_hold is 10, but the proxy closes idle connections after 60 s by default, which a shorter "
            "hold does not detect; expected more than 60 seconds; write 65, or accept that the verification "
            "proves less"
        ),
    ),
    (
        "hold within Nginx Proxy Manager's idle cut",
        {"staging_hold": 65, "staging_proxy_provider": "nginx_proxy_manager"},
        (
            "staging_hold is 65, but the proxy closes idle connections after 90 s by default, which a shorter "
            "hold does not detect; expected more than 90 seconds; write 95, or accept that the verification "
            "proves less"
        ),
    ),
    (
        "WebSocket URL at the backend's port, proxy elsewhere",
        {"staging_proxy_provider": "manual", "staging_public_ws_url": "ws://api.example.com:14200/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:14200/ws", but port 14200 is that of the backend '
            "(staging_backend_port), so users bypass the proxy; expected the host and port of the proxy; write "
            "the URL that the proxy serves"
        ),
    ),
    (
        "git without encryption",
        {"staging_git_url": "http://example.com/x.git"},
        (
            'staging_git_url is "http://example.com/x.git", but whoever is between host and server can change the'
            " source, which is executed; expected a protocol that authenticates the server; write https:// or "
            "ssh://"
        ),
    ),
    (
        "git's own protocol",
        {"staging_git_url": "git://example.com/x.git"},
        (
            'staging_git_url is "git://example.com/x.git", but whoever is between host and server can change the'
            " source, which is executed; expected a protocol that authenticates the server; write https:// or "
            "ssh://"
        ),
    ),
    (
        "project directory that is temporary",
        {"staging_project_dir": "/tmp/app"},
        (
            'staging_project_dir is "/tmp/app", but a restart or a cleanup removes what is in it; expected a '
            "permanent directory; use a directory below the deploy user's home or /srv"
        ),
    ),
    (
        "variable that is not baked in",
        {"staging_public_env": {"API_URL": "x"}},
        (
            'staging_public_env.API_URL is "x", but the build puts only variables with such a name into the page;'
            " expected a name that starts with NEXT_PUBLIC_ (Next.js), VITE_ (Vite) or another framework's prefix; "
            "rename it, or move it to staging_frontend_build_env"
        ),
    ),
    (
        "NODE_ENV in the build",
        {"staging_frontend_build_env": {"NODE_ENV": "development"}},
        (
            'staging_frontend_build_env.NODE_ENV is "development"; expected production, as next build needs it; '
            "remove the key"
        ),
    ),
    (
        "socket below /run",
        {**AT_SOCKET, "staging_backend_socket": "/run/app/backend.sock"},
        (
            'staging_backend_socket is "/run/app/backend.sock", but a restart or a cleanup removes its directory, and '
            "a service may have a directory of its own there; expected a directory that a restart keeps; write for "
            "example /home/deploy/projects/app.run/backend.sock, or have the directory made at the start of the host "
            "(tmpfiles.d)"
        ),
    ),
    (
        "socket that the command does not name",
        {"staging_backend_socket": "/srv/app.sock"},
        (
            'staging_backend_socket is "/srv/app.sock", but the command of the backend does not name it; expected '
            "{socket} in staging_backend_command or staging_backend_env; add it, such as --uds {socket} for uvicorn"
        ),
    ),
    (
        "URL at the start of a static page",
        {"staging_frontend_serve": "static", "staging_frontend_url_at": "start"},
        (
            'staging_frontend_url_at is "start", but staging_frontend_serve is static, so that no process gives the '
            "page a URL when it starts; expected build; remove it, or write staging_frontend_serve: process"
        ),
    ),
)
