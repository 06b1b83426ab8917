# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables by which frameworks and task runners do in a deployment what they do where the application is developed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .workspace import package_names

#: Yarn 2 and later makes node_modules in place of Plug'n'Play, which programs that yarn does not start cannot read.
#: A release is no place for the hooks of git that scripts such as prepare install, which fail without a repository,
#: nor for the browser of tests.
INSTALL_VARIABLES = {
    "YARN_NODE_LINKER": "node-modules",
    "HUSKY": "0",
    "LEFTHOOK": "0",
    "SKIP_INSTALL_SIMPLE_GIT_HOOKS": "1",
    "CYPRESS_INSTALL_BINARY": "0",
}
#: A build is made because an input changed, of which the caches of Turborepo and Nx do not know each variable.
_WITHOUT_CACHE = {"TURBO_FORCE": "true", "NX_SKIP_NX_CACHE": "true"}


def build_variables(package: Mapping[str, Any]) -> dict[str, str]:
    """Return the variables of a build, which those of the user replace.

    :param package: Its ``package.json``.
    """
    # With CI, Create React App takes warnings for errors.
    ci = {"CI": "false"} if "react-scripts" in package_names(package) else {}
    return {"NODE_ENV": "production", **_WITHOUT_CACHE, **ci}
