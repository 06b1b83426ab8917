"""nginx_site where there is no nginx; tests/integration runs it with a real one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import nginx_site

SITE = {"name": "app-staging", "content": "server { listen 80; }", "executable": "/no/such/nginx"}
FILE = "/etc/nginx/sites-available/app-staging"
LINK = "/etc/nginx/sites-enabled/app-staging"
TEXT = "# Managed by codeframe.staging, site app-staging; manual changes are replaced.\nserver { listen 80; }\n"


def test_check_mode_on_a_bare_host_predicts_the_site(run_module: Any) -> None:
    result = run_module(nginx_site, SITE, check=True, diff=True)
    assert (result["changed"], result["reload"], result["running"]) == (True, False, False)
    assert result["reasons"] == ["nginx is not installed yet"]
    assert (result["path"], result["loaded_path"], result["layout"]) == (FILE, LINK, "sites")
    assert result["state_before"] == {FILE: None, LINK: None}
    assert result["state_after"] == {FILE: TEXT, LINK: f"-> {FILE}"}
    assert result["diff"] == [
        {"before_header": FILE, "after_header": FILE, "before": "", "after": TEXT},
        {"before_header": LINK, "after_header": LINK, "before": "", "after": f"-> {FILE}"},
    ]


@pytest.mark.parametrize(
    ("options", "path", "main_path", "paths"),
    [
        pytest.param({"layout": "sites"}, FILE, "", {FILE, LINK}, id="sites"),
        pytest.param({"layout": "conf_d"}, "/etc/nginx/conf.d/app-staging.conf", "", set(), id="conf-d"),
        pytest.param(
            {"main_content": "worker_shutdown_timeout 3s;"},
            FILE,
            "/etc/nginx/modules-enabled/app-staging.conf",
            {FILE, LINK},
            id="main-context",
        ),
        pytest.param({"main_content": ""}, FILE, "", {FILE, LINK}, id="nothing-in-the-main-context"),
        pytest.param({"config": "/opt/n/nginx.conf"}, "/opt/n/sites-available/app-staging", "", set(), id="main-file"),
    ],
)
def test_the_prediction_for_a_bare_host_has_the_paths_of_debian(
    run_module: Any, options: dict[str, Any], path: str, main_path: str, paths: set[str]
) -> None:
    result = run_module(nginx_site, {**SITE, **options}, check=True)
    assert (result["path"], result["main_path"]) == (path, main_path)
    assert result["state_after"][path] == TEXT
    if main_path:
        assert result["state_after"][main_path].endswith("\nworker_shutdown_timeout 3s;\n")
    assert not paths or set(result["state_after"]) == paths | ({main_path} if main_path else set())


def test_without_nginx_a_real_run_fails_and_says_why(run_module: Any) -> None:
    result = run_module(nginx_site, SITE)
    assert result["msg"] == "nginx is not installed on this host; install the package nginx first"
    assert not result["changed"]


@pytest.mark.parametrize("check", [True, False])
def test_without_nginx_there_is_nothing_to_remove(run_module: Any, check: bool) -> None:
    result = run_module(nginx_site, {**SITE, "state": "absent"}, check=check)
    assert (result["changed"], result["reasons"], result["failed"]) == (False, [], False)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "a\nb", "a b", "a" * 101])
def test_a_name_that_cannot_be_a_file_name_is_refused(run_module: Any, name: str) -> None:
    assert run_module(nginx_site, {**SITE, "name": name})["msg"] == (
        f"name is {name!r}, expected letters, digits, dots, hyphens and underscores"
    )


def test_content_is_required_for_a_site_that_should_exist(run_module: Any) -> None:
    assert "content" in run_module(nginx_site, {"name": "a"})["msg"]


def test_all_results_have_the_same_keys(run_module: Any) -> None:
    predicted = set(run_module(nginx_site, SITE, check=True))
    unchanged = set(run_module(nginx_site, {**SITE, "state": "absent"}))
    failed = set(run_module(nginx_site, SITE))
    assert predicted == unchanged == failed - {"msg", "exception"}
