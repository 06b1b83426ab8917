# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """Options of the modules that work with the nginx of the host."""

    DOCUMENTATION = r"""
options:
  executable:
    description:
      - Path or name of the program nginx.
    type: str
    default: nginx
  config:
    description:
      - Main configuration file. By default the one that nginx was built with.
    type: path
  prefix:
    description:
      - Prefix directory that nginx runs with (C(-p)). By default the one that it was built with.
    type: path
author:
  - The codeframe.staging contributors (@codeframe)
"""
