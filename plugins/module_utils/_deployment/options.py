# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a look compares a host with: the options of the modules that change it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Options of one module, complete and checked.
Options = Mapping[str, Any]


@dataclass(frozen=True)
class AccountOptions:
    """What is compared as the deploy user. A layer without options is not compared.

    Paths of files in a release are relative to it, because which release is active is only known on the host.

    :param release: Of ``release``.
    :param env_file: Of ``dotenv_file``.
    :param virtualenv: Of ``backend_virtualenv``.
    :param backend_build: Of ``backend_node_build``.
    :param build: Of ``frontend_build``.
    :param instances: Of ``pm2_process``, one for each instance of the backend.
    :param hook: Of ``backend_hook``.
    :param frontend: Of ``pm2_process``. Without a script, the server of the build is run.
    :param frontend_port: The port of the frontend.
    :param static_path: The static files in a release, if the frontend's process serves them.
    :param verified_urls: The WebSocket that was verified, by the id of the release. A build of the active one must not
        contain another one than the wanted.
    :param proxied_port: The port of the backend that the proxy routes to; 0 if it does not matter.
    """

    release: Options
    env_file: Options | None = None
    virtualenv: Options | None = None
    backend_build: Options | None = None
    build: Options | None = None
    instances: Sequence[Options] = ()
    hook: Options | None = None
    frontend: Options | None = None
    frontend_port: int = 0
    static_path: str = ""
    verified_urls: Mapping[str, str] = field(default_factory=dict)
    proxied_port: int = 0


@dataclass(frozen=True)
class RootOptions:
    """What is compared as root.

    :param runtime: Of ``runtime_info``.
    :param static_files: Of ``static_files``; ``src`` is below the project directory.
    :param static_path: The static files in a release.
    :param site: Of ``nginx_site``, without its content.
    :param contents: Texts of the site by the version of nginx from which on they are written.
    :param effective: Of ``nginx_effective_info``.
    """

    runtime: Options | None = None
    static_files: Options | None = None
    static_path: str = ""
    site: Options | None = None
    contents: Mapping[str, str] = field(default_factory=dict)
    effective: Options | None = None
