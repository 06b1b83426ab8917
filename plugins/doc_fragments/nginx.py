# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules that look into an nginx of the host have in common."""

    DOCUMENTATION = r"""
options:
  executable:
    description:
      - The program nginx, as a path or a name.
    type: str
    default: nginx
  config:
    description:
      - The main configuration file. By default the one that nginx was built with.
    type: path
  prefix:
    description:
      - The prefix directory that nginx runs with (C(-p)). By default the one that it was built with.
    type: path
author:
  - The codeframe.staging contributors (@codeframe)
"""
