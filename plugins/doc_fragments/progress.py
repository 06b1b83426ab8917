# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules that show their progress have in common."""

    DOCUMENTATION = r"""
options:
  progress_file:
    description:
      - Used by the action plugin of the same name, which shows progress while the module runs. Not to be set by users.
    type: path
"""
