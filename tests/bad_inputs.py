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
TLS: dict[str, Any] = {
    "staging_public_url": "https://app.example.com",
    "staging_public_ws_url": "wss://api.example.com/ws",
    "staging_tls_certificate": "/etc/ssl/a.pem",
    "staging_tls_key": "/etc/ssl/a.key",
}

ERRORS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "page URL missing",
        {"staging_public_url": None},
        (
            "staging_public_url is missing, but the URL under which users open the page is needed; set "
            "staging_public_url"
        ),
    ),
    (
        "page URL empty",
        {"staging_public_url": ""},
        (
            "staging_public_url is missing, but the URL under which users open the page is needed; set "
            "staging_public_url"
        ),
    ),
    (
        "WebSocket URL missing",
        {"staging_public_ws_url": None},
        (
            "staging_public_ws_url is missing, but the URL that the page opens its WebSocket to is needed; "
            "set staging_public_ws_url"
        ),
    ),
    (
        "page URL without a scheme",
        {"staging_public_url": "app.example.com"},
        (
            'staging_public_url is "app.example.com", but a URL starts with its scheme and ://; write it as '
            "http://host.example.com"
        ),
    ),
    (
        "page URL with ws",
        {"staging_public_url": "ws://app.example.com"},
        (
            'staging_public_url is "ws://app.example.com", but a page\'s URL starts with http:// or '
            "https://; write http://app.example.com"
        ),
    ),
    (
        "page URL with ftp",
        {"staging_public_url": "ftp://app.example.com"},
        (
            'staging_public_url is "ftp://app.example.com", but a page\'s URL starts with http:// or '
            "https://; write http:// or https://"
        ),
    ),
    (
        "WebSocket URL with http",
        {"staging_public_ws_url": "http://api.example.com/ws"},
        (
            'staging_public_ws_url is "http://api.example.com/ws", but a WebSocket\'s URL starts with ws:// '
            "or wss://; write ws://api.example.com/ws"
        ),
    ),
    (
        "WebSocket URL with https",
        {"staging_public_ws_url": "https://api.example.com:8443/ws"},
        (
            'staging_public_ws_url is "https://api.example.com:8443/ws", but a WebSocket\'s URL starts with '
            "ws:// or wss://; write wss://api.example.com:8443/ws"
        ),
    ),
    (
        "API URL with ws",
        {"staging_public_api_url": "ws://api.example.com"},
        (
            'staging_public_api_url is "ws://api.example.com", but an API\'s URL starts with http:// or '
            "https://; write http://api.example.com"
        ),
    ),
    (
        "URL that is a number",
        {"staging_public_url": 8080},
        "staging_public_url is 8080, but a text is expected; put it in quotes",
    ),
    (
        "newline in a URL",
        {"staging_public_ws_url": "ws://api.example.com/ws\nX-Evil: 1"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws\\nX-Evil: 1", but one line without control '
            "characters is expected; remove them"
        ),
    ),
    (
        "space at the end of a URL",
        {"staging_public_url": "http://app.example.com "},
        ('staging_public_url is "http://app.example.com ", but no space is expected at its ends; remove it'),
    ),
    (
        "space in a URL",
        {"staging_public_url": "http://app example.com"},
        (
            'staging_public_url is "http://app example.com", but a URL contains neither spaces nor backslashes; '
            "write it as http://host.example.com"
        ),
    ),
    (
        "backslash in a URL",
        {"staging_public_ws_url": "ws://api.example.com\\ws"},
        (
            'staging_public_ws_url is "ws://api.example.com\\\\ws", but a URL contains neither spaces nor '
            "backslashes; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "scheme in capitals",
        {"staging_public_url": "HTTP://app.example.com"},
        (
            'staging_public_url is "HTTP://app.example.com", but the scheme is written in lower case; write it as '
            "http://host.example.com"
        ),
    ),
    (
        "IPv6 address with a zone",
        {"staging_public_url": "http://[fe80::1%25eth0]"},
        (
            'staging_public_url is "http://[fe80::1%25eth0]", but an IPv6 address with a zone is valid on one machine '
            "only, and browsers do not open it; write it as http://host.example.com"
        ),
    ),
    (
        "no host",
        {"staging_public_url": "http://"},
        ('staging_public_url is "http://", but a host name is expected after ://; write it as http://host.example.com'),
    ),
    (
        "no host but a port",
        {"staging_public_url": "http://:8080"},
        (
            'staging_public_url is "http://:8080", but a host name is expected after ://; write it as '
            "http://host.example.com"
        ),
    ),
    (
        "user and password in a URL",
        {"staging_public_url": "http://me:pw@app.example.com"},
        (
            'staging_public_url is "http://***@app.example.com", but a public URL contains no user name and '
            "password; write it as http://host.example.com"
        ),
    ),
    (
        "port of a URL not a number",
        {"staging_public_url": "http://app.example.com:http"},
        (
            'staging_public_url is "http://app.example.com:http", but the port of a URL is a number from 1 '
            "to 65535; write it as http://host.example.com"
        ),
    ),
    (
        "port of a URL zero",
        {"staging_public_ws_url": "ws://api.example.com:0/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:0/ws", but the port of a URL is a number from 1 '
            "to 65535; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "port of a URL too large",
        {"staging_public_ws_url": "ws://api.example.com:65536/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:65536/ws", but the port of a URL is a number '
            "from 1 to 65535; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "two dots in a host name",
        {"staging_public_url": "http://app..example.com"},
        (
            'staging_public_url is "http://app..example.com", but a host name is made of letters, digits, '
            "hyphens and single dots between them; write it as http://host.example.com"
        ),
    ),
    (
        "underscore in a host name",
        {"staging_public_url": "http://my_app.example.com"},
        (
            'staging_public_url is "http://my_app.example.com", but a host name is made of letters, digits, '
            "hyphens and single dots between them; write it as http://host.example.com"
        ),
    ),
    (
        "hyphen at the end of a label",
        {"staging_public_url": "http://app-.example.com"},
        (
            'staging_public_url is "http://app-.example.com", but a host name is made of letters, digits, '
            "hyphens and single dots between them; write it as http://host.example.com"
        ),
    ),
    (
        "dot at the end of a host name",
        {"staging_public_url": "http://app.example.com."},
        (
            'staging_public_url is "http://app.example.com.", but a host name ends without a dot, since browsers '
            "compare it with the certificate; write it as http://host.example.com"
        ),
    ),
    (
        "letters beyond ASCII in a host name",
        {"staging_public_url": "http://bücher.example"},
        (
            'staging_public_url is "http://bücher.example", but a host name with other letters than a to z '
            "is written in its ASCII form (xn--...); write it as http://host.example.com"
        ),
    ),
    (
        "malformed IPv4 address",
        {"staging_public_url": "http://10.0.0.256"},
        (
            'staging_public_url is "http://10.0.0.256", but its IPv4 address is malformed; write it as '
            "http://host.example.com"
        ),
    ),
    (
        "IPv6 address without brackets",
        {"staging_public_ws_url": "ws://2001:db8::1/ws"},
        (
            'staging_public_ws_url is "ws://2001:db8::1/ws", but an IPv6 address is written in brackets, before the '
            "port; write it as ws://host.example.com/ws"
        ),
    ),
    (
        "malformed IPv6 address",
        {"staging_public_ws_url": "ws://[2001:::1]/ws"},
        (
            'staging_public_ws_url is "ws://[2001:::1]/ws", but its IPv6 address is malformed; write it as '
            "ws://host.example.com/ws"
        ),
    ),
    (
        "query in a WebSocket URL",
        {"staging_public_ws_url": "ws://api.example.com/ws?token=x"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws?token=x", but it ends behind its path; '
            "remove the part from ? or # on"
        ),
    ),
    (
        "fragment in a page URL",
        {"staging_public_url": "http://app.example.com#top"},
        (
            'staging_public_url is "http://app.example.com#top", but it ends behind its path; remove the '
            "part from ? or # on"
        ),
    ),
    (
        "double slash in a path",
        {"staging_public_ws_url": "ws://api.example.com//ws"},
        (
            'staging_public_ws_url is "ws://api.example.com//ws", but its path has no empty parts; write // '
            "behind the host as one /"
        ),
    ),
    (
        "no path in a WebSocket URL",
        {"staging_public_ws_url": "ws://api.example.com"},
        (
            'staging_public_ws_url is "ws://api.example.com", but a path is expected behind the host name; '
            "add the path of the endpoint, such as /ws"
        ),
    ),
    (
        "localhost as the page's host",
        {"staging_public_url": "http://localhost:8080"},
        (
            'staging_public_url is "http://localhost:8080", but localhost is every user\'s own machine, '
            "never this host; write the name under which users reach the host (staging_allow_loopback: true "
            "for a demo)"
        ),
    ),
    (
        "loopback address in a WebSocket URL",
        {"staging_public_ws_url": "ws://127.0.0.1:8080/ws"},
        (
            'staging_public_ws_url is "ws://127.0.0.1:8080/ws", but 127.0.0.1 is every user\'s own machine, '
            "never this host; write the name under which users reach the host (staging_allow_loopback: true "
            "for a demo)"
        ),
    ),
    (
        "IPv6 loopback in a WebSocket URL",
        {"staging_public_ws_url": "ws://[::1]/ws"},
        (
            'staging_public_ws_url is "ws://[::1]/ws", but ::1 is every user\'s own machine, never this '
            "host; write the name under which users reach the host (staging_allow_loopback: true for a demo)"
        ),
    ),
    (
        "name below localhost",
        {"staging_public_ws_url": "ws://api.localhost/ws"},
        (
            'staging_public_ws_url is "ws://api.localhost/ws", but api.localhost is every user\'s own '
            "machine, never this host; write the name under which users reach the host "
            "(staging_allow_loopback: true for a demo)"
        ),
    ),
    (
        "any address as a host",
        {"staging_public_url": "http://0.0.0.0"},
        (
            'staging_public_url is "http://0.0.0.0", but 0.0.0.0 is every user\'s own machine, never this '
            "host; write the name under which users reach the host (staging_allow_loopback: true for a demo)"
        ),
    ),
    (
        "port that browsers refuse",
        {"staging_public_url": "http://app.example.com:6000"},
        (
            'staging_public_url is "http://app.example.com:6000", but browsers refuse to open port 6000; '
            "choose another port"
        ),
    ),
    (
        "ws for an https page",
        {**TLS, "staging_public_ws_url": "ws://api.example.com/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws", but a browser lets a page of https:// '
            "(https://app.example.com) connect to wss:// only; write wss://api.example.com/ws, or serve the "
            "page with http://"
        ),
    ),
    (
        "http API for an https page",
        {**TLS, "staging_public_api_url": "http://api.example.com"},
        (
            'staging_public_api_url is "http://api.example.com", but a browser lets a page of https:// '
            "(https://app.example.com) connect to https:// only; write https://api.example.com, or serve "
            "the page with http://"
        ),
    ),
    (
        "https on port 80",
        {**TLS, "staging_public_url": "https://app.example.com:80"},
        (
            'staging_public_url is "https://app.example.com:80", but port 80 speaks plain HTTP; leave the '
            "port out, or write the other scheme"
        ),
    ),
    (
        "http on port 443",
        {"staging_public_url": "http://app.example.com:443"},
        (
            'staging_public_url is "http://app.example.com:443", but port 443 speaks TLS; leave the port '
            "out, or write the other scheme"
        ),
    ),
    (
        "TLS without a certificate",
        {"staging_public_url": "https://app.example.com", "staging_public_ws_url": "wss://api.example.com/ws"},
        (
            "staging_tls_certificate is missing, but nginx needs a certificate and a key for "
            "staging_public_url and staging_public_ws_url; set staging_tls_certificate and "
            "staging_tls_key, or staging_tls_before_proxy where TLS ends before nginx"
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
            'staging_tls_certificate is "/etc/ssl/app.pem", but none is expected where TLS ends before nginx '
            "(staging_tls_before_proxy); remove one of the two"
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
            'staging_public_ws_url is "ws://api.example.com/ws", but nginx would have to listen on port 14200, which '
            "is the backend's (staging_backend_port); write the port of the proxy (none for 80 and 443), or give the "
            "backend another one"
        ),
    ),
    (
        "port of nginx that is none",
        {"staging_proxy_port": 99999},
        (
            "staging_proxy_port is 99999, but a port is a number from 1 to 65535; leave it out for that of the public "
            "URLs"
        ),
    ),
    (
        "certificate without a key",
        {**TLS, "staging_tls_key": None},
        ("staging_tls_key is missing, but staging_tls_certificate is set, and nginx needs both; set staging_tls_key"),
    ),
    (
        "key without a certificate",
        {**TLS, "staging_tls_certificate": None},
        (
            "staging_tls_certificate is missing, but staging_tls_key is set, and nginx needs both; set "
            "staging_tls_certificate"
        ),
    ),
    (
        "relative path of a certificate",
        {**TLS, "staging_tls_certificate": "a.pem"},
        ('staging_tls_certificate is "a.pem", but an absolute path on the host is expected; start it with a slash'),
    ),
    (
        "host that the certificate does not name",
        {**TLS, "staging_tls_names": ["app.example.com"]},
        (
            'staging_public_ws_url is "wss://api.example.com/ws", but its host is expected to be a name of '
            "the certificate (staging_tls_names); add api.example.com there, or change the URL"
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
            'staging_public_ws_url is "wss://api.example.com/ws", but its host is expected to be a name of '
            "the certificate (staging_tls_names); add api.example.com there, or change the URL"
        ),
    ),
    (
        "server names of the proxy as a text",
        {"staging_proxy_server_names": "api.example.com"},
        ('staging_proxy_server_names is "api.example.com", but a list of names is expected; write [api.example.com]'),
    ),
    (
        "host that the proxy does not serve",
        {"staging_proxy_server_names": ["app.example.com", "*.api.example.com"]},
        (
            'staging_public_ws_url is "ws://api.example.com/ws", but its host is expected to be a server '
            "name of the proxy (staging_proxy_server_names); add api.example.com there, or change the URL"
        ),
    ),
    (
        "WebSocket path that is not routed",
        {"staging_websocket_paths": ["/socket"]},
        (
            'staging_public_ws_url is "ws://api.example.com/ws", but the proxy routes WebSockets for '
            "/socket only (staging_websocket_paths), and takes in what is below a path where that ends with a slash; "
            "add /ws to staging_websocket_paths, or correct the path of the URL"
        ),
    ),
    (
        "WebSocket path below a route without a slash at its end",
        {"staging_public_ws_url": "ws://api.example.com/ws/v2", "staging_websocket_paths": ["/ws"]},
        (
            'staging_public_ws_url is "ws://api.example.com/ws/v2", but the proxy routes WebSockets for '
            "/ws only (staging_websocket_paths), and takes in what is below a path where that ends with a slash; "
            "add /ws/v2 to staging_websocket_paths, or correct the path of the URL"
        ),
    ),
    (
        "characters in a WebSocket path that would break out of a directive",
        {"staging_public_ws_url": "ws://api.example.com/ws;x"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws;x", but its path holds letters, digits and '
            ". _ ~ + , = : @ / - only, and no part that is . or .., since the configuration of the proxy holds it as "
            "nginx compares it; choose another path"
        ),
    ),
    (
        "route without a slash",
        {"staging_websocket_paths": ["ws"]},
        (
            'staging_websocket_paths is "ws", but a path starts with a slash and holds neither spaces, % or '
            "dots as parts nor patterns; write it as /ws, or as /ws/ for all below it"
        ),
    ),
    (
        "route with a pattern",
        {"staging_sse_paths": ["^/api/.*$"]},
        (
            'staging_sse_paths is "^/api/.*$", but a path starts with a slash and holds neither spaces, % or '
            "dots as parts nor patterns; write it as /ws, or as /ws/ for all below it"
        ),
    ),
    (
        "route with a pattern to the API",
        {"staging_api_paths": ["/api/*"]},
        (
            'staging_api_paths is "/api/*", but a path starts with a slash and holds neither spaces, % or '
            "dots as parts nor patterns; write it as /ws, or as /ws/ for all below it"
        ),
    ),
    (
        "route that nginx never compares",
        {"staging_websocket_paths": ["/ws", "/a/../ws%20x"]},
        (
            'staging_websocket_paths is "/a/../ws%20x", but a path starts with a slash and holds neither spaces, % or '
            "dots as parts nor patterns; write it as /ws, or as /ws/ for all below it"
        ),
    ),
    (
        "route that is no text",
        {"staging_websocket_paths": [{"path": "/ws"}]},
        (
            'staging_websocket_paths is {"path": "/ws"}, but a path starts with a slash and holds neither spaces, % or '
            "dots as parts nor patterns; write it as /ws, or as /ws/ for all below it"
        ),
    ),
    (
        "route in two lists",
        {"staging_websocket_paths": ["/ws"], "staging_sse_paths": ["/ws"]},
        ('staging_sse_paths is "/ws", but /ws stands in staging_websocket_paths already; list each path once'),
    ),
    (
        "routes as a text",
        {"staging_websocket_paths": "/ws"},
        'staging_websocket_paths is "/ws", but a list of paths is expected; write [/ws]',
    ),
    (
        "no routes",
        {"staging_websocket_paths": []},
        "staging_websocket_paths is [], but at least one path is expected; list the WebSocket's path",
    ),
    (
        "unknown provider",
        {"staging_proxy_provider": "apache"},
        (
            'staging_proxy_provider is "apache", but one of nginx, nginx_proxy_manager, manual is expected; '
            "choose one of these"
        ),
    ),
    (
        "truth value as a text",
        {"staging_proxy_page": "no"},
        'staging_proxy_page is "no", but true or false is expected; write true or false without quotes',
    ),
    (
        "equal ports",
        {"staging_backend_port": 14100},
        (
            "staging_backend_port is 14100, but staging_frontend_port is the same, and two processes cannot "
            "share a port; give one of them another port"
        ),
    ),
    (
        "equal ports, one a text",
        {"staging_backend_port": "14100"},
        (
            'staging_backend_port is "14100", but staging_frontend_port is the same, and two processes '
            "cannot share a port; give one of them another port"
        ),
    ),
    (
        "both instances of the backend have the same port",
        {"staging_backend_switch": "blue_green", "staging_backend_green_port": 14200},
        (
            "staging_backend_green_port is 14200, but staging_backend_port is the same, and two processes cannot "
            "share a port; give one of them another port"
        ),
    ),
    (
        "the backend's green port, by default, is the frontend's",
        {"staging_backend_switch": "blue_green", "staging_frontend_port": 14201},
        (
            "staging_backend_green_port is 14201, but staging_frontend_port is the same, and two processes cannot "
            "share a port; give one of them another port"
        ),
    ),
    (
        "the backend's green port is no port",
        {"staging_backend_switch": "blue_green", "staging_backend_green_port": "next"},
        ('staging_backend_green_port is "next", but a port is a number from 1 to 65535; choose a free port above 1023'),
    ),
    (
        "WebSocket URL at the backend's green port",
        {"staging_backend_switch": "blue_green", "staging_public_ws_url": "ws://api.example.com:14201/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:14201/ws", but nginx would have to listen on port 14201, '
            "which is the backend's green instance's (staging_backend_green_port); write the port of the proxy (none "
            "for 80 and 443), or give the backend another one"
        ),
    ),
    (
        "unknown way to replace a process",
        {"staging_backend_switch": "blue-green"},
        'staging_backend_switch is "blue-green", but one of restart, blue_green is expected; choose one of these',
    ),
    (
        "blue-green behind a proxy of another machine",
        {"staging_backend_switch": "blue_green", "staging_proxy_provider": "manual"},
        (
            'staging_backend_switch is "blue_green", but staging_proxy_provider is manual, and only nginx on the '
            "same host can be switched from one instance to the other; write restart"
        ),
    ),
    (
        "nothing that starts the backend",
        {"staging_backend_command": None},
        (
            "staging_backend_command is missing, but what starts the backend is needed; set staging_backend_command, "
            "or name an ecosystem file in staging_ecosystem_file"
        ),
    ),
    (
        "a command in one text",
        {"staging_backend_command": "python -m app"},
        (
            'staging_backend_command is "python -m app", but a list of the program and its arguments is expected; '
            "write them as a list, each in an entry of its own"
        ),
    ),
    (
        "an ecosystem file outside of the project",
        {"staging_ecosystem_file": "/etc/ecosystem.config.js"},
        (
            'staging_ecosystem_file is "/etc/ecosystem.config.js", but a path inside the project is expected, relative '
            "to its root; remove the leading slash or the .."
        ),
    ),
    (
        "port zero",
        {"staging_backend_port": 0},
        ("staging_backend_port is 0, but a port is a number from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "port too large",
        {"staging_frontend_port": 70000},
        ("staging_frontend_port is 70000, but a port is a number from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "port not a number",
        {"staging_backend_port": "http"},
        ('staging_backend_port is "http", but a port is a number from 1 to 65535; choose a free port above 1023'),
    ),
    (
        "negative port",
        {"staging_backend_port": -1},
        ("staging_backend_port is -1, but a port is a number from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "port true",
        {"staging_backend_port": True},
        ("staging_backend_port is true, but a port is a number from 1 to 65535; choose a free port above 1023"),
    ),
    (
        "privileged port",
        {"staging_frontend_port": 443},
        (
            "staging_frontend_port is 443, but an unprivileged process can listen on ports from 1024 on "
            "only; choose a free port above 1023"
        ),
    ),
    (
        "WebSocket URL at the frontend's port",
        {"staging_public_ws_url": "ws://app.example.com:14100/ws"},
        (
            'staging_public_ws_url is "ws://app.example.com:14100/ws", but port 14100 is that of the page\'s '
            "own server (staging_frontend_port), which has no such endpoint; write the host and port of the "
            "proxy that leads to the backend"
        ),
    ),
    (
        "WebSocket URL at the backend's port behind nginx",
        {"staging_public_ws_url": "ws://api.example.com:14200/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:14200/ws", but nginx would have to listen on '
            "port 14200, which is the backend's (staging_backend_port); write the port of the proxy (none "
            "for 80 and 443), or give the backend another one"
        ),
    ),
    (
        "page at the backend's port",
        {"staging_public_url": "http://app.example.com:14200"},
        (
            'staging_public_url is "http://app.example.com:14200", but port 14200 is the backend\'s '
            "(staging_backend_port), which serves no page; write the host and port under which users open "
            "the page"
        ),
    ),
    (
        "page at the frontend's port though proxied",
        {"staging_public_url": "http://app.example.com:14100"},
        (
            'staging_public_url is "http://app.example.com:14100", but nginx would have to listen on port '
            "14100, which is the page's own server's (staging_frontend_port); write the port of the proxy, "
            "or set staging_proxy_page: false if the page is served without it"
        ),
    ),
    (
        "page at a port that nothing serves",
        {"staging_proxy_page": False},
        (
            'staging_public_url is "http://app.example.com", but without the proxy (staging_proxy_page: '
            "false) the page is served on port 14100 (staging_frontend_port); write "
            "http://app.example.com:14100, or set staging_proxy_page: true"
        ),
    ),
    (
        "CORS origins as a text",
        {"staging_cors_origins": "http://app.example.com"},
        (
            'staging_cors_origins is "http://app.example.com", but a list of origins is expected; write '
            "[http://app.example.com]"
        ),
    ),
    (
        "CORS origin with a slash",
        {"staging_cors_origins": ["http://app.example.com/"]},
        (
            'staging_cors_origins is "http://app.example.com/", but an origin ends after host and port, as in '
            "http://app.example.com; write it as http://app.example.com"
        ),
    ),
    (
        "CORS origin without a scheme",
        {"staging_cors_origins": ["app.example.com"]},
        (
            'staging_cors_origins is "app.example.com", but a URL starts with its scheme and ://; write it '
            "as https://host.example.com"
        ),
    ),
    (
        "CORS origin with its default port",
        {"staging_cors_origins": ["http://app.example.com:80"]},
        (
            'staging_cors_origins is "http://app.example.com:80", but a browser sends it as '
            "http://app.example.com; write it as http://app.example.com"
        ),
    ),
    (
        "CORS origin in capitals",
        {"staging_cors_origins": ["http://App.example.com"]},
        (
            'staging_cors_origins is "http://App.example.com", but a browser sends it as '
            "http://app.example.com; write it as http://app.example.com"
        ),
    ),
    (
        "CORS origin that is no text",
        {"staging_cors_origins": [None]},
        (
            "staging_cors_origins is null, but a URL starts with its scheme and ://; write it as "
            "https://host.example.com"
        ),
    ),
    (
        "page missing among the CORS origins",
        {"staging_cors_origins": ["http://other.example.com"]},
        (
            'staging_cors_origins is ["http://other.example.com"], but the page\'s origin '
            "http://app.example.com is expected in it, since staging_public_ws_url leads elsewhere; add "
            "http://app.example.com"
        ),
    ),
    (
        "project directory missing",
        {"staging_project_dir": None},
        (
            "staging_project_dir is missing, but the directory of the project on the host is needed; set "
            "staging_project_dir"
        ),
    ),
    (
        "relative project directory",
        {"staging_project_dir": "projects/app"},
        ('staging_project_dir is "projects/app", but an absolute path on the host is expected; start it with a slash'),
    ),
    (
        "project directory with ..",
        {"staging_project_dir": "/home/deploy/../app"},
        (
            'staging_project_dir is "/home/deploy/../app", but a path without //, /./ and .. is expected; '
            "write the plain path"
        ),
    ),
    (
        "project directory with a space",
        {"staging_project_dir": "/home/deploy/my app"},
        (
            'staging_project_dir is "/home/deploy/my app", but no spaces, quotes and shell characters are '
            "expected in it, since nginx, pm2 and systemd get it too; use letters, digits, dots, hyphens "
            "and underscores"
        ),
    ),
    (
        "project directory with a newline",
        {"staging_project_dir": "/home/deploy/app\n"},
        (
            'staging_project_dir is "/home/deploy/app\\n", but one line without control characters is '
            "expected; remove them"
        ),
    ),
    (
        "project directory that is the system's",
        {"staging_project_dir": "/srv"},
        (
            'staging_project_dir is "/srv", but a directory for the project alone is expected, since it '
            "becomes a link to the current release; add a directory of its own, such as "
            "/home/deploy/projects/app"
        ),
    ),
    (
        "project directory that is a home",
        {"staging_project_dir": "/home/deploy"},
        (
            'staging_project_dir is "/home/deploy", but a directory for the project alone is expected, '
            "since it becomes a link to the current release; add a directory of its own, such as "
            "/home/deploy/projects/app"
        ),
    ),
    (
        "project directory with a slash at the end",
        {"staging_project_dir": "/home/deploy/app/"},
        (
            'staging_project_dir is "/home/deploy/app/", but no slash is expected at its end, since it is a '
            "link; remove it"
        ),
    ),
    (
        "frontend directory outside of the project",
        {"staging_frontend_dir": "../web-ui"},
        (
            'staging_frontend_dir is "../web-ui", but a path inside the project is expected, relative to '
            "its root; remove the leading slash or the .."
        ),
    ),
    (
        "absolute backend directory",
        {"staging_backend_dir": "/srv/backend"},
        (
            'staging_backend_dir is "/srv/backend", but a path inside the project is expected, relative to '
            "its root; remove the leading slash or the .."
        ),
    ),
    (
        "shared path outside of the project",
        {"staging_shared_paths": ["data", "/var/data"]},
        (
            'staging_shared_paths is "/var/data", but a path inside the project is expected, relative to '
            "its root; remove the leading slash or the .."
        ),
    ),
    (
        "user with capitals",
        {"staging_user": "Deploy"},
        (
            'staging_user is "Deploy", but the name of a user is up to 32 small letters, digits, hyphens '
            "and underscores, starting with a letter; choose such a name"
        ),
    ),
    (
        "root as the user",
        {"staging_user": "root"},
        (
            'staging_user is "root", but an unprivileged user is expected to run the application; choose '
            "another name; the user is made if it is missing"
        ),
    ),
    (
        "unknown source type",
        {"staging_source_type": "svn"},
        ('staging_source_type is "svn", but one of git, archive, in_place is expected; choose one of these'),
    ),
    (
        "git without a URL",
        {"staging_source_type": "git", "staging_git_url": None},
        "staging_git_url is missing, but staging_source_type is git; set staging_git_url",
    ),
    (
        "source type that is null",
        {"staging_source_type": None},
        (
            "staging_source_type is empty, but a value is expected; write a value, or remove the variable for its "
            "default"
        ),
    ),
    (
        "port that is an empty text",
        {"staging_frontend_port": ""},
        (
            "staging_frontend_port is empty, but a value is expected; write a value, or remove the variable for its "
            "default"
        ),
    ),
    (
        "environment that is null",
        {"staging_env": None},
        "staging_env is empty, but a value is expected; write a value, or remove the variable for its default",
    ),
    (
        "vantage point that is none",
        {"staging_vantages": ["direct", "outside"]},
        'staging_vantages is "outside", but one of direct, proxy, public is expected; choose one of these',
    ),
    (
        "way of installing that is none",
        {"staging_backend_install": "poetry"},
        (
            'staging_backend_install is "poetry", but one of none, project, requirements, uv is expected; choose one '
            "of these"
        ),
    ),
    (
        "pages as a text",
        {"staging_pages": "/about"},
        'staging_pages is "/about", but a list is expected; write [/about]',
    ),
    (
        "headers as a text",
        {"staging_websocket_secret_headers": "X-Token: planted"},
        (
            "staging_websocket_secret_headers is a text, but a dictionary of keys and values is expected; write KEY: "
            "value"
        ),
    ),
    (
        "drain that is no number",
        {"staging_backend_drain": "a minute"},
        'staging_backend_drain is "a minute", but a whole number, 0 or more, is expected; write it in digits',
    ),
    (
        "hold in parts of a second",
        {"staging_hold": 70.5},
        "staging_hold is 70.5, but a whole number, 0 or more, is expected; write it in digits",
    ),
    (
        "truth that is none",
        {"staging_validate_certs": "maybe"},
        'staging_validate_certs is "maybe", but true or false is expected; write true or false',
    ),
    (
        "name with a space",
        {"staging_app_name": "my app"},
        (
            'staging_app_name is "my app", but a name is made of up to 100 letters, digits, dots, hyphens and '
            "underscores, starting with a letter or digit; choose such a name"
        ),
    ),
    (
        "project directory that gives no name",
        {"staging_project_dir": "/home/deploy/projects/my+app"},
        (
            'staging_project_dir is "/home/deploy/projects/my+app", but its last part, which names the site and the '
            "processes, is made of up to 100 letters, digits, dots, hyphens and underscores, starting with a letter or "
            "digit; choose another directory, or set staging_app_name"
        ),
    ),
    (
        "one name for two processes",
        {"staging_backend_process_name": "app", "staging_frontend_process_name": "app"},
        (
            'staging_backend_process_name is "app", but staging_frontend_process_name is the same, and pm2 tells the '
            "two by their names; give one of them another name"
        ),
    ),
    (
        "git URL without a protocol",
        {"staging_git_url": "github.com/x/y"},
        (
            'staging_git_url is "github.com/x/y", but the URL of a repository is expected; write '
            "https://..., ssh://... or user@host:path"
        ),
    ),
    (
        "git URL that is an option",
        {"staging_git_url": "--upload-pack=touch /tmp/x"},
        (
            'staging_git_url is "--upload-pack=touch /tmp/x", but the URL of a repository is expected; '
            "write https://..., ssh://... or user@host:path"
        ),
    ),
    (
        "password in a git URL",
        {"staging_git_url": "https://me:pw-of-mine@example.com/x.git"},
        (
            'staging_git_url is "https://***@example.com/x.git", but no password is expected in it, since '
            "it would stand in the configuration of the repository; use an SSH key of the deploy user or a "
            "credential helper"
        ),
    ),
    (
        "git version with a space",
        {"staging_git_version": "main branch"},
        (
            'staging_git_version is "main branch", but the name of a branch or tag, or a commit, is '
            "expected; write main, v1.2.3 or a full commit id"
        ),
    ),
    (
        "git version that is an option",
        {"staging_git_version": "--force"},
        (
            'staging_git_version is "--force", but the name of a branch or tag, or a commit, is expected; '
            "write main, v1.2.3 or a full commit id"
        ),
    ),
    (
        "archive without a directory",
        {"staging_source_type": "archive"},
        "staging_source_dir is missing, but staging_source_type is archive; set staging_source_dir",
    ),
    (
        "env key that is no name",
        {"staging_env": {"MY-KEY": "1"}},
        (
            "staging_env.MY-KEY is set, but MY-KEY is no name of a variable (letters, digits and "
            "underscores, not starting with a digit); choose another name"
        ),
    ),
    (
        "env key of bash's own",
        {"staging_env": {"UID": "1"}},
        ("staging_env.UID is set, but UID is a variable of bash's own, which a file cannot set; choose another name"),
    ),
    (
        "env value that is a list",
        {"staging_env": {"A": [1]}},
        "staging_env.A is a list, but an env file holds text; write it as one text",
    ),
    (
        "env value null",
        {"staging_env": {"A": None}},
        "staging_env.A is null, but an env file holds text; write it as one text",
    ),
    (
        "env value that the readers differ on",
        {"staging_env": {"A": "p$HOME"}},
        (
            'staging_env.A is "p$HOME", but it contains a "$" before a name, which next would read '
            "differently from an env file; choose another value"
        ),
    ),
    (
        "env as a text",
        {"staging_env": "A=1"},
        "staging_env is a text, but a dictionary of keys and values is expected; write KEY: value",
    ),
    (
        "placeholder in the env",
        {"staging_env": {"OPENAI_API_KEY": "your-key-here"}},
        (
            'staging_env.OPENAI_API_KEY is "your-key-here", but it only marks the place of a value; write '
            "the value itself"
        ),
    ),
    (
        "placeholder in a secret",
        {"staging_env_secrets": {"OPENAI_API_KEY": "changeme"}},
        (
            "staging_env_secrets.OPENAI_API_KEY is set (not shown), but it only marks the place of a value; "
            "write the value itself"
        ),
    ),
    (
        "empty secret",
        {"staging_env_secrets": {"AUTH_SECRET": ""}},
        "staging_env_secrets.AUTH_SECRET is empty, but a secret is expected; set it, or remove the key",
    ),
    (
        "secret that the readers differ on",
        {"staging_env_secrets": {"AUTH_SECRET": "hunter$two"}},
        (
            'staging_env_secrets.AUTH_SECRET is set (not shown), but it contains a "$" before a name, which '
            "next would read differently from an env file; choose another value"
        ),
    ),
    (
        "key both plain and secret",
        {"staging_env": {"A": "1"}, "staging_env_secrets": {"A": "hunter2"}},
        "staging_env.A is set, but staging_env_secrets.A is set too; keep it in one of them",
    ),
    (
        "secret with the public prefix",
        {"staging_env_secrets": {"NEXT_PUBLIC_KEY": "hunter2"}},
        (
            "staging_env_secrets.NEXT_PUBLIC_KEY is set, but what starts with NEXT_PUBLIC_ is baked into "
            "the page, where everybody can read it; take another name and read it on the server, or move it "
            "to staging_env if it is no secret"
        ),
    ),
    (
        "secret that Vite puts into the page",
        {"staging_env_secrets": {"VITE_KEY": "hunter2"}},
        (
            "staging_env_secrets.VITE_KEY is set, but what starts with VITE_ is baked into the page, where everybody "
            "can read it; take another name and read it on the server, or move it to staging_env if it is no secret"
        ),
    ),
    (
        "backend port that differs in the env",
        {"staging_env": {"BACKEND_PORT": 8000}},
        ("staging_env.BACKEND_PORT is 8000, but staging_backend_port is 14200; write 14200, or leave the key out"),
    ),
    (
        "backend port that differs in the build",
        {"staging_frontend_build_env": {"BACKEND_PORT": "8080"}},
        (
            'staging_frontend_build_env.BACKEND_PORT is "8080", but staging_backend_port is 14200; write '
            "14200, or leave the key out"
        ),
    ),
    (
        "localhost in a public variable",
        {"staging_env": {"NEXT_PUBLIC_API_URL": "http://localhost:14200"}},
        (
            'staging_env.NEXT_PUBLIC_API_URL is "http://localhost:14200", but localhost is every user\'s own '
            "machine, never this host; write the name under which users reach the host"
        ),
    ),
    (
        "malformed public variable",
        {"staging_public_env": {"NEXT_PUBLIC_DOCS_URL": "http://"}},
        (
            'staging_public_env.NEXT_PUBLIC_DOCS_URL is "http://", but a host name is expected after ://; correct '
            "the URL"
        ),
    ),
    (
        "public WebSocket URL that differs",
        {"staging_public_env": {"NEXT_PUBLIC_WS_URL": "ws://old.example.com/ws"}},
        (
            'staging_public_env.NEXT_PUBLIC_WS_URL is "ws://old.example.com/ws", but staging_public_ws_url '
            "is ws://api.example.com/ws; leave the key out, since it is derived, or write the same URL"
        ),
    ),
    (
        "plain URL in a public variable of an https page",
        {**TLS, "staging_public_env": {"NEXT_PUBLIC_API_URL": "http://api.example.com"}},
        (
            'staging_public_env.NEXT_PUBLIC_API_URL is "http://api.example.com", but a browser lets a page '
            "of https:// (https://app.example.com) connect to TLS only; write it with https:// or wss://"
        ),
    ),
    (
        "hold not a number",
        {"staging_hold": "long"},
        ('staging_hold is "long", but a number of seconds from 0 to 86400 is expected; leave it out for the default'),
    ),
    (
        "negative hold",
        {"staging_hold": -1},
        ("staging_hold is -1, but a number of seconds from 0 to 86400 is expected; leave it out for the default"),
    ),
    (
        "hold of more than a day",
        {"staging_hold": 100000},
        ("staging_hold is 100000, but a number of seconds from 0 to 86400 is expected; leave it out for the default"),
    ),
    (
        "generated secret too short",
        {"staging_env_generate": {"AUTH_SECRET": {"length": 8}}},
        (
            'staging_env_generate.AUTH_SECRET is {"length": 8}, but a length of 16 to 4096 characters is expected; '
            "write {length: 48}"
        ),
    ),
    (
        "generated secret of unknown characters",
        {"staging_env_generate": {"AUTH_SECRET": {"alphabet": "emoji"}}},
        (
            'staging_env_generate.AUTH_SECRET is {"alphabet": "emoji"}, but an alphabet among alphanumeric, hex, '
            "base64url is expected; leave it out, or write one of these"
        ),
    ),
    (
        "generated secret for the page",
        {"staging_env_generate": {"NEXT_PUBLIC_KEY": {}}},
        (
            "staging_env_generate.NEXT_PUBLIC_KEY is set, but what starts with NEXT_PUBLIC_ is baked into the page, "
            "where everybody can read it; take another name and read it on the server"
        ),
    ),
    (
        "generated secret with a name that bash keeps",
        {"staging_env_generate": {"UID": {}}},
        (
            "staging_env_generate.UID is set, but UID is a variable of bash's own, which a file cannot set; "
            "choose another name"
        ),
    ),
    (
        "unknown reader of the env file",
        {"staging_env_readers": ["bash", "ruby"]},
        (
            'staging_env_readers is "ruby", but one of bash, dotenv, next, python-dotenv is expected; choose one of '
            "these"
        ),
    ),
    (
        "required key that is empty",
        {"staging_env": {"STRIPE_KEY": ""}, "staging_env_required_keys": ["STRIPE_KEY"]},
        "staging_env.STRIPE_KEY is empty, but staging_env_required_keys asks for a value; set it, or remove the key",
    ),
    (
        "required key that no file can hold",
        {"staging_env_required_keys": ["STRIPE-KEY"]},
        (
            'staging_env_required_keys is "STRIPE-KEY", but STRIPE-KEY is no name of a variable (letters, digits and '
            "underscores, not starting with a digit); correct the name"
        ),
    ),
    (
        "required keys as a text",
        {"staging_env_required_keys": "AUTH_SECRET"},
        ('staging_env_required_keys is "AUTH_SECRET", but a list is expected; write [AUTH_SECRET]'),
    ),
)

WARNINGS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "name with letters swapped",
        {"staging_backend_prot": 14300},
        (
            "staging_backend_prot is set, but no role reads it, and staging_backend_port has nearly the same name; "
            "write staging_backend_port if that is meant"
        ),
    ),
    (
        "internal name",
        {"staging_public_url": "http://app.home.example.net"},
        (
            'staging_public_url is "http://app.home.example.net", but app.home.example.net is known inside '
            "one network only; make sure that every user is inside it, or write a public name"
        ),
    ),
    (
        "name of one label",
        {"staging_public_url": "http://staging"},
        (
            'staging_public_url is "http://staging", but staging is known inside one network only; make '
            "sure that every user is inside it, or write a public name"
        ),
    ),
    (
        "private address",
        {"staging_public_url": "http://10.0.0.5"},
        (
            'staging_public_url is "http://10.0.0.5", but 10.0.0.5 is known inside one network only; make '
            "sure that every user is inside it, or write a public name"
        ),
    ),
    (
        "slash at the end of a page URL",
        {"staging_public_url": "http://app.example.com/"},
        (
            'staging_public_url is "http://app.example.com/", but no slash is expected at its end, since '
            "what is appended to it starts with one; write http://app.example.com"
        ),
    ),
    (
        "slash at the end of a WebSocket path",
        {"staging_public_ws_url": "ws://api.example.com/ws/"},
        (
            'staging_public_ws_url is "ws://api.example.com/ws/", but no slash is expected at its end, '
            "since what is appended to it starts with one; write ws://api.example.com/ws"
        ),
    ),
    (
        "CORS for everybody",
        {"staging_cors_origins": ["*"]},
        (
            'staging_cors_origins is "*", but the origin of the page is expected, since * lets every page '
            "of the web in; write http://app.example.com"
        ),
    ),
    (
        "WebSockets on every path",
        {"staging_websocket_paths": ["/"]},
        (
            'staging_websocket_paths is "/", but the path of the WebSocket alone is expected, since / takes '
            "every request of the host; list the path itself, such as /ws"
        ),
    ),
    (
        "certificate that nothing uses",
        {"staging_tls_certificate": "/etc/ssl/a.pem", "staging_tls_key": "/etc/ssl/a.key"},
        (
            'staging_tls_certificate is "/etc/ssl/a.pem", but a public URL with https:// or wss:// is '
            "expected beside it; write the URLs with https:// and wss://, or remove the certificate"
        ),
    ),
    (
        "hold within the idle cut",
        {"staging_hold": 10},
        (
            "staging_hold is 10, but more than 60 s are needed to see the proxy's default idle cut; hold "
            "for 65 s; a shorter one proves less"
        ),
    ),
    (
        "hold within Nginx Proxy Manager's idle cut",
        {"staging_hold": 65, "staging_proxy_provider": "nginx_proxy_manager"},
        (
            "staging_hold is 65, but more than 90 s are needed to see the proxy's default idle cut; hold "
            "for 95 s; a shorter one proves less"
        ),
    ),
    (
        "WebSocket URL at the backend's port, proxy elsewhere",
        {"staging_proxy_provider": "manual", "staging_public_ws_url": "ws://api.example.com:14200/ws"},
        (
            'staging_public_ws_url is "ws://api.example.com:14200/ws", but port 14200 is the backend\'s own '
            "(staging_backend_port), so that users would go around the proxy; write the host and port of "
            "the proxy"
        ),
    ),
    (
        "git without encryption",
        {"staging_git_url": "http://example.com/x.git"},
        (
            'staging_git_url is "http://example.com/x.git", but a protocol that proves the server is '
            "expected, since the source is run; write https:// or ssh://"
        ),
    ),
    (
        "project directory that is temporary",
        {"staging_project_dir": "/tmp/app"},
        (
            'staging_project_dir is "/tmp/app", but a directory that outlives a restart and a clean-up is '
            "expected; use one below the deploy user's home or /srv"
        ),
    ),
    (
        "variable that is not baked in",
        {"staging_public_env": {"API_URL": "x"}},
        (
            'staging_public_env.API_URL is "x", but only variables that start with NEXT_PUBLIC_ (Next.js) or VITE_ '
            "(Vite) are put into the page; rename it, or move it to staging_frontend_build_env"
        ),
    ),
    (
        "NODE_ENV in the build",
        {"staging_frontend_build_env": {"NODE_ENV": "development"}},
        (
            'staging_frontend_build_env.NODE_ENV is "development", but next build makes a page for '
            "production only; leave the key out"
        ),
    ),
)
