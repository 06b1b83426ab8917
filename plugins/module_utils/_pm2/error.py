# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exceptions of this package."""

from __future__ import annotations


class Pm2Error(Exception):
    """What keeps a process from being managed, in one sentence."""


class UnmanagedProcessError(Pm2Error):
    """A process of the wanted name belongs to something else: only a person can decide what becomes of it."""


class ClosedLogError(Pm2Error):
    """pm2 cannot write a log of a process, and would stop it instead of starting it again."""
