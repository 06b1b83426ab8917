# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of the API of Nginx Proxy Manager, by what can be done about them."""

from __future__ import annotations


class ApiError(Exception):
    """A call that failed; the text is one sentence without secrets."""


class UnreachableError(ApiError):
    """No answer; the request had no effect, or was one that has none."""


class CutError(ApiError):
    """The connection ended after a writing request was sent, which may have been carried out or not."""


class LoginRefusedError(ApiError):
    """Name, password or token are not accepted."""


class TwoFactorError(LoginRefusedError):
    """The account requires a second factor."""


class ForbiddenError(ApiError):
    """The account may not do this."""


class NotFoundError(ApiError):
    """The object does not exist (any more)."""


class RejectedError(ApiError):
    """The request was refused as malformed or impossible; nothing was changed."""


class ServerFaultError(ApiError):
    """Status 500: the database has probably changed, the configuration on disk has not."""
