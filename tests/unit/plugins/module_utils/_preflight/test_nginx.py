"""Whether nginx accepts its present configuration."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._nginx.site.marker import with_marker
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.nginx import (
    is_link_of_site,
    judge_nginx,
    missing_file,
    refused_for_managed_site,
)
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

EMERG = (
    'nginx: [emerg] 12#12: unknown directive "upgrde" in /etc/nginx/conf.d/x.conf:3\n'
    "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        pytest.param(
            EMERG,
            'unknown directive "upgrde" in /etc/nginx/conf.d/x.conf:3',
            id="file and line",
        ),
        pytest.param("nginx: [alert] no place\n", "no place", id="no place"),
        pytest.param("other words\nlast words\n", "last words", id="another text"),
        pytest.param("", "no reason given", id="nothing"),
    ],
)
def test_the_refusal_is_said_with_its_place(good: DeploymentInputs, output: str, reason: str) -> None:
    found = judge_nginx(good, output)
    assert (found.name, found.level) == ("nginx-refuses", "error")
    assert found.sentence == (
        f'staging_proxy_provider is "nginx" by default, but nginx refuses its present configuration ({reason}); '
        "expected a valid configuration; repair that line, which is "
        "not part of this deployment"
    )


MANAGED = with_marker("app", "map $http_upgrade $app_upgrade {}\nproxy_set_header Upgrade $app_upgrade;\n")
UNMANAGED = "proxy_set_header Upgrade $other_upgrade;\n"
SITE, OTHER = "/etc/nginx/sites-enabled/app", "/etc/nginx/conf.d/other.conf"


@pytest.mark.parametrize(
    ("output", "managed"),
    [
        pytest.param(f"nginx: [emerg] 1#1: unexpected end of file in {SITE}:9\n", True, id="in the managed site"),
        pytest.param(f"nginx: [emerg] 1#1: unexpected end of file in {OTHER}:9\n", False, id="in another file"),
        pytest.param("nginx: [emerg] unexpected end of file in /etc/nginx/gone:9\n", False, id="in no known file"),
        # nginx finds these out when it has read everything, and names no file.
        pytest.param('nginx: [emerg] 1#1: unknown "app_upgrade" variable\n', True, id="variable of the managed site"),
        pytest.param('nginx: [emerg] 1#1: unknown "other_upgrade" variable\n', False, id="variable of another site"),
        pytest.param('nginx: [emerg] 1#1: unknown "upgrade" variable\n', False, id="part of a name"),
        pytest.param('nginx: [emerg] zero size shared memory zone "shared"\n', False, id="in both"),
        pytest.param("nginx: [emerg] no place\n", False, id="no name"),
        pytest.param("other words\n", False, id="another text"),
    ],
)
def test_a_managed_site_that_was_edited_is_no_refusal_of_the_host(output: str, managed: bool) -> None:
    """The role proxy repairs it."""
    both = "limit_conn shared 1;\n"
    assert refused_for_managed_site(output, {SITE: MANAGED + both, OTHER: UNMANAGED + both}) is managed


@pytest.mark.parametrize(
    ("output", "path"),
    [
        pytest.param(
            'nginx: [emerg] 1#1: open() "/etc/nginx/sites-enabled/app" failed (2: No such file or directory) in '
            "/etc/nginx/nginx.conf:61\n",
            "/etc/nginx/sites-enabled/app",
            id="included file",
        ),
        pytest.param(
            'nginx: [emerg] open() "/etc/nginx/x" failed (13: Permission denied) in /etc/nginx/nginx.conf:61\n',
            "",
            id="no permission",
        ),
        pytest.param(EMERG, "", id="another refusal"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_a_file_that_nginx_cannot_find_is_read_from_its_words(output: str, path: str) -> None:
    assert missing_file(output) == path


@pytest.mark.parametrize(
    ("path", "target", "own"),
    [
        pytest.param(SITE, "/etc/nginx/sites-available/app", True, id="deleted site"),
        pytest.param(SITE, "/etc/nginx/sites-enabled/../sites-available/app", True, id="relative link"),
        pytest.param(f"{SITE}.conf", "/etc/nginx/sites-available/app.conf", True, id="with a suffix"),
        pytest.param(SITE, "/srv/app.conf", False, id="link to elsewhere"),
        pytest.param(SITE, "/etc/nginx/sites-available/app.conf", False, id="another file"),
        pytest.param("/etc/nginx/sites-enabled/other", "/etc/nginx/sites-available/other", False, id="another site"),
        pytest.param("/etc/nginx/conf.d/app", "/etc/nginx/sites-available/app", False, id="another directory"),
    ],
)
def test_the_link_of_a_deleted_site_is_no_refusal_of_the_host(path: str, target: str, own: bool) -> None:
    """The role proxy writes the site again."""
    assert is_link_of_site(path, target, "app") is own
