"""Reading a managed site from real files; no nginx is needed."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.program import Nginx
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.layout import SiteLayout
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.look import (
    FoundSite,
    find_main_file,
    find_site,
)

MARKER = "# Managed by codeframe.staging, site app; manual changes are replaced.\n"
MAIN = "include modules-enabled/*.conf;\nhttp { include conf.d/*.conf; include sites-enabled/*; }\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("conf.d", "sites-available", "sites-enabled", "modules-enabled"):
        (tmp_path / name).mkdir()
    (tmp_path / "nginx.conf").write_text(MAIN)
    return tmp_path


@pytest.fixture
def nginx(root: Path) -> Nginx:
    return Nginx("/no/such/nginx", str(root / "nginx.conf"), None)


def sites(root: Path) -> SiteLayout:
    return SiteLayout("sites", str(root / "sites-available/app"), str(root / "sites-enabled/app"))


def test_an_enabled_site_is_found_with_its_layout(root: Path, nginx: Nginx) -> None:
    (root / "sites-available/app").write_text(MARKER + "server {}\n")
    (root / "sites-enabled/app").symlink_to("../sites-available/app")
    assert find_site(nginx, "app") == FoundSite(sites(root), "server {}\n", enabled=True)


def test_a_site_without_its_link_is_not_enabled(root: Path, nginx: Nginx) -> None:
    (root / "sites-available/app").write_text(MARKER + "server {}\n")
    assert find_site(nginx, "app") == FoundSite(sites(root), "server {}\n", enabled=False)


def test_a_link_to_another_file_does_not_enable_the_site(root: Path, nginx: Nginx) -> None:
    (root / "sites-available/app").write_text(MARKER + "server {}\n")
    (root / "sites-available/other").write_text("")
    (root / "sites-enabled/app").symlink_to(root / "sites-available/other")
    found = find_site(nginx, "app")
    assert found is not None
    assert not found.enabled


def test_of_two_layouts_the_enabled_one_is_found(root: Path, nginx: Nginx) -> None:
    (root / "sites-available/app").write_text(MARKER + "old;\n")
    (root / "conf.d/app.conf").write_text(MARKER + "new;\n")
    layout = SiteLayout("conf_d", str(root / "conf.d/app.conf"))
    assert find_site(nginx, "app") == FoundSite(layout, "new;\n", enabled=True)


def test_the_file_of_the_main_context_is_found_by_itself(root: Path, nginx: Nginx) -> None:
    path = root / "modules-enabled/app.conf"
    path.write_text(MARKER + "worker_shutdown_timeout 3s;\n")
    assert find_site(nginx, "app") is None
    assert find_main_file(nginx, "app") == (str(path), "worker_shutdown_timeout 3s;\n")


def test_without_an_include_in_the_main_context_there_is_no_file(root: Path, nginx: Nginx) -> None:
    (root / "modules-enabled/app.conf").write_text(MARKER)
    (root / "nginx.conf").write_text("http {}\n")
    assert find_main_file(nginx, "app") is None


@pytest.mark.parametrize(
    "text", ["server {}\n", MARKER.replace("site app", "site other") + "server {}\n"], ids=["no-marker", "another-site"]
)
def test_a_file_that_is_not_of_this_site_is_not_found(root: Path, nginx: Nginx, text: str) -> None:
    (root / "sites-available/app").write_text(text)
    (root / "modules-enabled/app.conf").write_text(text)
    assert (find_site(nginx, "app"), find_main_file(nginx, "app")) == (None, None)


def test_a_host_without_nginx_has_no_site(root: Path, nginx: Nginx) -> None:
    (root / "nginx.conf").unlink()
    assert (find_site(nginx, "app"), find_main_file(nginx, "app")) == (None, None)
