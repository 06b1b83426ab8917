"""Whether nginx accepts its present configuration."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.nginx import judge_nginx, refused_file
from ansible_collections.codeframe.staging.plugins.module_utils._preflight.variables import DeploymentInputs

EMERG = (
    'nginx: [emerg] 12#12: unknown directive "upgrde" in /etc/nginx/conf.d/x.conf:3\n'
    "nginx: configuration file /etc/nginx/nginx.conf test failed\n"
)


@pytest.mark.parametrize(
    ("output", "reason", "file"),
    [
        pytest.param(
            EMERG,
            'unknown directive "upgrde" in /etc/nginx/conf.d/x.conf:3',
            "/etc/nginx/conf.d/x.conf",
            id="file and line",
        ),
        pytest.param("nginx: [alert] no place\n", "no place", "", id="no place"),
        pytest.param("other words\nlast words\n", "last words", "", id="another text"),
        pytest.param("", "no reason given", "", id="nothing"),
    ],
)
def test_the_refusal_is_said_with_its_place(good: DeploymentInputs, output: str, reason: str, file: str) -> None:
    found = judge_nginx(good, output)
    assert (found.name, found.level) == ("nginx-refuses", "error")
    assert found.sentence == (
        f'staging_proxy_provider is "nginx" by default, but nginx refuses its present configuration ({reason}); '
        "expected a valid configuration; repair that line, which is "
        "not part of this deployment"
    )
    assert refused_file(output) == file
