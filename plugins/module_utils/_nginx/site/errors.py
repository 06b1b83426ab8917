# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error of a site that cannot be managed as wanted."""

from __future__ import annotations


class SiteError(ValueError):
    """Why a site is refused, in one sentence for the user; the previous configuration stays in force."""


class NameTakenError(SiteError):
    """A host name of the site is one of an unmanaged file."""
