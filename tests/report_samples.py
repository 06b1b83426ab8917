"""Results of a verification, as the role websocket_verify returns them."""

from __future__ import annotations

from typing import Any

CHECK: dict[str, Any] = {
    "name": "WebSocket, direct",
    "url": "ws://127.0.0.1:14200/ws",
    "vantage": "direct",
    "transport": "websocket",
    "passed": True,
    "cause": None,
    "explanation": None,
    "status": 101,
    "address": "127.0.0.1:14200",
    "phases": {"resolve": 0.0, "tcp": 0.0004, "upgrade": 0.004, "message": 0.002, "hold": 65.0, "close": 0.001},
    "subprotocol": None,
    "extensions": None,
    "server": "uvicorn",
    "held_s": 65.0,
    "longest_silence_s": 20.0,
    "idle_timeout_proven_s": 20.0,
    "proves": "the idle timeout is at least 20 s, since the server sends a ping every 20 s",
    "server_pings": 3,
    "round_trips": None,
    "samples": [],
    "arrivals_s": [20.0, 40.0, 60.0],
    "close": {"code": 1000, "name": "normal closure", "reason": "", "by": "client"},
    "tls": None,
    "first_event_s": None,
    "event_gaps": None,
    "connections": None,
    "evidence": [],
}
PROXY: dict[str, Any] = {
    **CHECK,
    "name": "WebSocket, proxy",
    "url": "wss://api.example.com/ws",
    "vantage": "proxy",
    "address": "127.0.0.1:443",
    "server": "nginx",
    "phases": {**CHECK["phases"], "tls": 0.012},
    "tls": {"version": "TLSv1.3", "expires_in_days": 61},
}
PUBLIC: dict[str, Any] = {
    **PROXY,
    "name": "WebSocket, public",
    "vantage": "public",
    "address": "192.0.2.10:443",
    "phases": {**PROXY["phases"], "resolve": 0.02, "tcp": 0.03},
    "round_trips": {"sent": 4, "lost": 0, "min": 0.03, "median": 0.031, "p95": 0.045, "max": 0.045},
    "samples": [[0.0, 0.03], [15.0, 0.031], [30.0, 0.045], [45.0, 0.03]],
}  # fmt: skip
FAILED_PROXY: dict[str, Any] = {
    **PROXY,
    "passed": False,
    "cause": "upgrade_not_forwarded",
    "explanation": "the proxy does not forward the upgrade",
    "status": 404,
    "held_s": None,
    "longest_silence_s": None,
    "proves": None,
    "server_pings": 0,
    "phases": {"resolve": 0.0, "tcp": 0.0004, "upgrade": 0.004},
    "evidence": ["404 Not Found <script>alert(1)</script>"],
}
DIAGNOSIS: dict[str, Any] = {
    "cause": "upgrade_not_forwarded",
    "explanation": "the proxy does not forward the upgrade",
    "remedy": "set proxy_http_version 1.1 and the headers Upgrade and Connection in /etc/nginx/sites-enabled/app:30",
    "evidence": ["the same page is returned to a request without an upgrade"],
}
VERIFICATION: dict[str, Any] = {
    "passed": True,
    "host_passed": True,
    "message": "",
    "url": "wss://api.example.com/ws",
    "page_url": "https://app.example.com",
    "results": [CHECK, PROXY, PUBLIC],
    "diagnosis": {"cause": "none", "explanation": "", "remedy": "", "evidence": []},
    "page": {"passed": True, "found": {"wss://api.example.com/ws": ["/_next/static/chunks/app.js"]}, "forbidden": {}},
}
FAILED: dict[str, Any] = {
    **VERIFICATION,
    "passed": False,
    "host_passed": False,
    "message": "the proxy does not forward the upgrade",
    "results": [CHECK, FAILED_PROXY, {**FAILED_PROXY, "name": "WebSocket, public", "vantage": "public"}],
    "diagnosis": DIAGNOSIS,
    "page": {
        "passed": False,
        "complaint": "ws://localhost:8080/ws is in app.js",
        "forbidden": {"ws://localhost": ["app.js"]},
    },
}
