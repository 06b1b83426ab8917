# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How page and backend are built and served, as far as the inputs contradict one another."""

from __future__ import annotations

from .variables import DeploymentInputs

_SERVE, _URL_AT, _BUILD_ON = "staging_frontend_serve", "staging_frontend_url_at", "staging_frontend_build_on"
_BACKEND_BUILD = "staging_backend_build_command"


def check_build(inputs: DeploymentInputs) -> None:
    """What would be found when the packages are installed, or never."""
    if inputs.get(_SERVE) == "static":
        _check_static_page(inputs)
    if inputs.get(_BUILD_ON) == "controller" and inputs.or_default("staging_source_type") == "in_place":
        inputs.add(
            "controller-without-source",
            _BUILD_ON,
            "host, or a source that the controller can take",
            "write host, or set staging_source_type to git or archive",
            found="staging_source_type is in_place, so that only the host has the source",
        )
    install = inputs.or_default("staging_backend_install")
    if inputs.get(_BACKEND_BUILD) and install != "npm":
        inputs.add(
            "backend-build-unused",
            _BACKEND_BUILD,
            "a backend for Node.js",
            "set staging_backend_install: npm, or run the command by staging_backend_before_activation",
            found=f"staging_backend_install is {install}, which builds nothing",
        )


def _check_static_page(inputs: DeploymentInputs) -> None:
    if inputs.provider != "nginx" or not inputs.proxies_page:
        other = inputs.provider != "nginx"
        why = f"staging_proxy_provider is {inputs.provider}" if other else "staging_proxy_page is false"
        inputs.add(
            "static-without-nginx",
            _SERVE,
            "nginx on the host, which serves the files",
            "write process, and serve the page by staging_frontend_command, or let nginx serve it",
            found=why,
        )
    if inputs.get(_URL_AT) == "start":
        inputs.add(
            "static-url-at-start",
            _URL_AT,
            "build",
            "remove it, or write staging_frontend_serve: process",
            found=f"{_SERVE} is static, so that no process gives the page a URL when it starts",
        )
