# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headers by which a correct proxy tells a backend what the client asked for (pure)."""

from __future__ import annotations

from .url import Url

#: The client is this machine itself.
_CLIENT = "127.0.0.1"


def forwarded_headers(public: Url) -> tuple[tuple[str, str], ...]:
    """What the nginx site of the role proxy sends besides ``Host``, for a request to the public URL."""
    return (
        ("X-Real-IP", _CLIENT),
        ("X-Forwarded-For", _CLIENT),
        ("X-Forwarded-Proto", "https" if public.secure else "http"),
        ("X-Forwarded-Host", public.authority),
        ("X-Forwarded-Port", str(public.port)),
    )
