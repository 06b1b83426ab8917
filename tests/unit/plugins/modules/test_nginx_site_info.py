"""nginx_site_info on real files; it needs no nginx."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.codeframe.staging.plugins.modules import nginx_site_info

MARKER = "# Managed by codeframe.staging, site app; manual changes are replaced.\n"
MAIN = "include modules-enabled/*.conf;\nhttp { include conf.d/*.conf; include sites-enabled/*; }\n"
NOTHING = {
    "exists": False,
    "enabled": False,
    "layout": "",
    "path": "",
    "content": "",
    "main_path": "",
    "main_content": "",
    "version": "",
    "changed": False,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("conf.d", "sites-available", "sites-enabled", "modules-enabled"):
        (tmp_path / name).mkdir()
    (tmp_path / "nginx.conf").write_text(MAIN)
    return tmp_path


@pytest.fixture
def look(run_module: Any, root: Path) -> Any:
    options = {"name": "app", "executable": "/no/such/nginx", "config": str(root / "nginx.conf")}

    def run() -> dict[str, Any]:
        result = run_module(nginx_site_info, options)
        assert not result["failed"], result
        return {key: result[key] for key in NOTHING}

    return run


def test_a_host_without_the_site_has_nothing(look: Any) -> None:
    assert look() == NOTHING


def test_a_host_without_nginx_has_nothing(look: Any, root: Path) -> None:
    (root / "nginx.conf").unlink()
    assert look() == NOTHING


def test_an_enabled_site_is_read_with_its_file_for_the_main_context(look: Any, root: Path) -> None:
    file, main = root / "sites-available/app", root / "modules-enabled/app.conf"
    file.write_text(MARKER + "server {}\n")
    (root / "sites-enabled/app").symlink_to(file)
    main.write_text(MARKER + "worker_shutdown_timeout 3s;\n")
    assert look() == {
        **NOTHING,
        "exists": True,
        "enabled": True,
        "layout": "sites",
        "path": str(file),
        "content": "server {}\n",
        "main_path": str(main),
        "main_content": "worker_shutdown_timeout 3s;\n",
    }
