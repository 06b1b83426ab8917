"""nginx_site where there is no nginx; with a real one it is tested in tests/integration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import nginx_effective_info, nginx_site

SITE = {"name": "app-staging", "content": "server { listen 80; }", "executable": "/no/such/nginx"}


def test_check_mode_on_a_bare_host_predicts_the_file(run_module: Any) -> None:
    result = run_module(nginx_site, SITE, check=True, diff=True)
    assert result["changed"]
    assert result["reasons"] == ["nginx is not installed yet"]
    assert result["path"] == "/etc/nginx/sites-available/app-staging"
    assert result["diff"][0]["after"] == (
        "# Managed by codeframe.staging, site app-staging; changes by hand are replaced.\nserver { listen 80; }\n"
    )
    assert result["state_after"]["/etc/nginx/sites-enabled/app-staging"] == "-> /etc/nginx/sites-available/app-staging"


@pytest.mark.parametrize(
    ("options", "path", "others"),
    [
        ({"enabled": False}, "/etc/nginx/sites-available/app-staging", {"/etc/nginx/sites-enabled/app-staging": None}),
        ({"layout": "conf_d"}, "/etc/nginx/conf.d/app-staging.conf", {}),
        ({"layout": "conf_d", "enabled": False}, "/etc/nginx/conf.d/app-staging.conf.disabled", {}),
        ({"context": "main"}, "/etc/nginx/modules-enabled/app-staging.conf", {}),
    ],
)
def test_the_prediction_for_a_bare_host_is_where_the_file_will_be(
    run_module: Any, options: dict[str, Any], path: str, others: dict[str, None]
) -> None:
    result = run_module(nginx_site, {**SITE, **options}, check=True)
    assert result["path"] == path
    assert result["state_after"].pop(path).endswith("server { listen 80; }\n")
    assert result["state_after"] == others


def test_without_nginx_a_real_run_fails_by_name(run_module: Any) -> None:
    result = run_module(nginx_site, SITE)
    assert result["msg"] == "the program /no/such/nginx is not on this host; install the package nginx first"
    assert not result["changed"]


def test_without_nginx_nothing_is_there_to_remove(run_module: Any) -> None:
    result = run_module(nginx_site, {**SITE, "state": "absent"})
    assert (result["changed"], result["reasons"]) == (False, [])


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\nb", "a b"])
def test_a_name_that_is_no_file_name_is_refused(run_module: Any, name: str) -> None:
    assert (
        "expected letters, digits, dots, hyphens and underscores"
        in run_module(nginx_site, {**SITE, "name": name})["msg"]
    )


def test_content_is_required(run_module: Any) -> None:
    assert "content" in run_module(nginx_site, {"name": "a"})["msg"]


def test_no_nginx_is_a_finding(run_module: Any) -> None:
    result = run_module(nginx_effective_info, {"host_name": "a", "executable": "/no/such/nginx"})
    assert (result["ok"], result["message"]) == (False, "nginx is not installed here")


DUMP = """# configuration file /etc/nginx/nginx.conf:
http { include sites-enabled/*; }

# configuration file /etc/nginx/sites-enabled/a:
server {
  listen 80; server_name api.example.com;
  proxy_set_header Upgrade $http_upgrade;
  location / { proxy_pass http://127.0.0.1:1; proxy_http_version 1.1; proxy_read_timeout 1d; proxy_set_header Host a; }
}

"""


@pytest.mark.parametrize("parser", ["builtin", "crossplane"])
def test_a_dump_is_explained_without_an_nginx(run_module: Any, parser: str) -> None:
    args = {"host_name": "api.example.com", "dump": DUMP, "parser": parser, "executable": "/no/such/nginx"}
    result = run_module(nginx_effective_info, args)
    assert result["message"] == (
        "location / in /etc/nginx/sites-enabled/a:4 sets proxy_set_header Host in /etc/nginx/sites-enabled/a:4 "
        "and so drops Upgrade set in /etc/nginx/sites-enabled/a:3"
    )
    assert result["server"]["where"] == "/etc/nginx/sites-enabled/a:1"
    assert (result["running"], result["parser"], result["changed"]) == (None, parser, False)


def test_a_path_without_a_slash_is_refused(run_module: Any) -> None:
    result = run_module(nginx_effective_info, {"host_name": "a", "path": "ws", "dump": DUMP})
    assert result["msg"] == "path is 'ws', expected one that starts with a slash, such as /ws"


def test_a_dump_that_is_none_is_refused(run_module: Any) -> None:
    result = run_module(nginx_effective_info, {"host_name": "a", "dump": "nonsense"})
    assert result["msg"] == (
        "the configuration of nginx cannot be read: no '# configuration file PATH:' line in the dump of nginx -T"
    )


def test_files_are_replaced_by_a_rename_and_nothing_is_left_behind(tmp_path: Path) -> None:
    target = tmp_path / "site"
    target.write_text("old")
    held = target.open()
    nginx_site.write_atomically(str(target), "new")
    assert (held.read(), target.read_text(), target.stat().st_mode & 0o777) == ("old", "new", 0o644)
    assert list(tmp_path.iterdir()) == [target]
    held.close()
