"""nginx_effective_info without an nginx; tests/integration runs it with a real one."""

from __future__ import annotations

from typing import Any

from ansible_collections.codeframe.staging.plugins.modules import nginx_effective_info

DUMP = """# configuration file /etc/nginx/nginx.conf:
http { include sites-enabled/*; }

# configuration file /etc/nginx/sites-enabled/a:
server {
  listen 80; server_name api.example.com;
  proxy_set_header Upgrade $http_upgrade;
  location / { proxy_pass http://127.0.0.1:1; proxy_http_version 1.1; proxy_read_timeout 1d; proxy_set_header Host a; }
}

"""
FILE = "/etc/nginx/sites-enabled/a"
ARGS = {"host_name": "api.example.com", "dump": DUMP, "executable": "/no/such/nginx"}


def test_a_dump_is_evaluated_without_an_nginx(run_module: Any) -> None:
    result = run_module(nginx_effective_info, ARGS)
    assert result["message"] == (
        f"location / in {FILE}:4 sets proxy_set_header Host in {FILE}:4 and so drops Upgrade set in {FILE}:3"
    )
    assert result["server"] == {"where": f"{FILE}:1", "names": ["api.example.com"], "matched_by": "name"}
    assert result["location"] == {"where": f"{FILE}:4", "match": "/"}
    assert result["effective"]["proxy_read_timeout"] == {
        "value": "1d",
        "where": f"{FILE}:4",
        "context": f"location / in {FILE}:4",
    }
    assert result["headers"] == {
        "host": {"value": "a", "where": f"{FILE}:4", "context": f"location / in {FILE}:4"},
    }
    assert (result["running"], result["changed"], result["ok"]) == (None, False, False)
    assert result["upstream_path"] == "/ws"
    assert result["idle_timeout"] == {
        "seconds": 86400,
        "value": "1d",
        "where": f"{FILE}:4",
        "context": f"location / in {FILE}:4",
    }


def test_the_version_of_the_dump_decides_its_defaults(run_module: Any) -> None:
    dump = DUMP.replace("proxy_http_version 1.1; ", "").replace("proxy_set_header Host a; ", "")
    found = [
        run_module(nginx_effective_info, {**ARGS, "dump": dump, "nginx_version": version})
        for version in ("1.26.3", "1.29.7")
    ]
    assert [each["effective"]["proxy_http_version"]["value"] for each in found] == ["1.0", "1.1"]
    assert [each["version"] for each in found] == ["1.26.3", "1.29.7"]


def test_what_the_caller_knows_decides_what_the_configuration_does_not(run_module: Any) -> None:
    dump = DUMP.replace(
        "proxy_set_header Host a;", "proxy_set_header Upgrade websocket; proxy_set_header Connection upgrade;"
    )
    dump = dump.replace("http://127.0.0.1:1;", "https://127.0.0.1:1/app/; allow 10.0.0.0/8; deny all;")
    args = {**ARGS, "dump": dump}
    known = {"client_address": "10.0.0.9", "upstream_path": "/app/ws", "upstream_tls": True}
    assert (
        run_module(nginx_effective_info, args)["ok"],
        run_module(nginx_effective_info, {**args, **known})["ok"],
    ) == (
        None,
        True,
    )
    for name, value, code in (
        ("client_address", "192.0.2.1", "denied"),
        ("upstream_path", "/ws", "path_changed"),
        ("upstream_tls", False, "upstream_scheme"),
    ):
        result = run_module(nginx_effective_info, {**args, **known, name: value})
        assert (result["ok"], code in [each["code"] for each in result["findings"]]) == (False, True), name


def test_the_version_is_only_taken_with_a_dump(run_module: Any) -> None:
    assert "dump" in run_module(nginx_effective_info, {"host_name": "a", "nginx_version": "1.26.3"})["msg"]


def test_the_port_follows_from_tls(run_module: Any) -> None:
    plain, secure = (run_module(nginx_effective_info, {**ARGS, "tls": tls}) for tls in (False, True))
    assert plain["server"]
    assert [each["message"] for each in secure["findings"]] == ["no server listens on port 443"]


def test_a_missing_nginx_is_a_finding(run_module: Any) -> None:
    result = run_module(nginx_effective_info, {"host_name": "a", "executable": "/no/such/nginx"})
    assert (result["ok"], result["message"]) == (False, "nginx is not installed on this host")
    assert result["findings"][0]["code"] == "no_nginx"


def test_a_path_without_a_slash_is_refused(run_module: Any) -> None:
    result = run_module(nginx_effective_info, {**ARGS, "path": "ws"})
    assert result["msg"] == "path is 'ws', expected one that starts with a slash, such as /ws"


def test_a_text_that_is_not_a_dump_is_refused(run_module: Any) -> None:
    result = run_module(nginx_effective_info, {"host_name": "a", "dump": "nonsense"})
    assert result["msg"] == (
        "the configuration of nginx cannot be read: no '# configuration file PATH:' line in the dump of nginx -T"
    )


def test_all_results_have_the_same_keys(run_module: Any) -> None:
    evaluated = set(run_module(nginx_effective_info, ARGS))
    failed = set(run_module(nginx_effective_info, {**ARGS, "dump": "nonsense"}))
    missing = set(run_module(nginx_effective_info, {"host_name": "a", "executable": "/no/such/nginx"}))
    assert evaluated == missing == failed - {"msg", "exception"}
