# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules that read the releases of a project have in common."""

    DOCUMENTATION = r"""
options:
  project_dir:
    description:
      - The project directory, which is a symbolic link to the active release.
    type: path
    required: true
  digest_exclude:
    description:
      - Directories of the source that RV(partial_source_digest) leaves out.
    type: list
    elements: str
    default: []
author:
  - The codeframe.staging contributors (@codeframe)
"""
