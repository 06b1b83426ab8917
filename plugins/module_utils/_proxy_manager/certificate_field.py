# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The field of a proxy host that names its certificate (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: In place of the id of a certificate that has to be requested first.
NEW_CERTIFICATE = "new"


def has_certificate(host: Mapping[str, Any]) -> bool:
    """Whether a host answers with TLS."""
    value = host.get("certificate_id") or 0
    return value == NEW_CERTIFICATE or int(value) > 0
