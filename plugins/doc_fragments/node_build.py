# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules that install packages of Node.js and build with them have in common."""

    DOCUMENTATION = r"""
options:
  install_command:
    description:
      - Command that installs the packages, as a list.
      - By default C(npm ci --include=dev), or the command for C(pnpm-lock.yaml), C(yarn.lock) or C(bun.lock).
      - The version that C(packageManager) in C(package.json) declares is used. If the host has another one or none, it
        is installed from the npm registry into the user's cache, and compared with the checksum if one is declared.
    type: list
    elements: str
  install_env:
    description:
      - Variables of the installation alone, such as the V(NPM_TOKEN) that C(.npmrc) names. The build gets them empty.
      - Their values are never shown, and nothing in O(path) contains them unless a script of a package writes them.
    type: dict
    default: {}
  build_env:
    description: Further variables for the build. Their values are not shown in messages.
    type: dict
    default: {}
"""
