# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was installed in a virtual environment, and what of it is missing or was changed."""

from __future__ import annotations

import csv
import glob
import os
from collections.abc import Mapping
from typing import Any

from .._host.files import read_file, read_text
from .._host.json_text import json_value

#: From the first step of an installation to the last, and after it.
BUILDING = ".building"
COMPLETE = ".complete.json"
#: Bytes of a list of the files of one package.
_LARGEST_RECORD = 64 << 20


def read_record(directory: str) -> dict[str, Any] | None:
    """Return what was recorded when an environment was complete; None if there is no record."""
    try:
        record = json_value(read_text(os.path.join(directory, COMPLETE)) or "")
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def distributions(directory: str) -> list[str]:
    """Return the distributions in an environment, as the names of their metadata directories."""
    return sorted(os.path.basename(path)[: -len(".dist-info")] for path in _metadata(directory))


def why_damaged(directory: str, record: Mapping[str, Any], *, edited: bool = True) -> list[str]:
    """Return what an environment has lost of its packages; empty if nothing.

    :param record: What :func:`read_record` returned.
    :param edited: Whether files that were changed are damage, too.
    """
    present = set(distributions(directory))
    recorded = record.get("distributions")
    missing = [str(name) for name in (recorded if isinstance(recorded, list) else ()) if str(name) not in present]
    if missing:
        return [f"packages are missing: {', '.join(missing[:5])}"]
    files = _damaged_files(directory, edited)
    if not files:
        return []
    more = f" and {len(files) - 3} more" if len(files) > 3 else ""
    return [f"installed files are missing{' or were changed' if edited else ''}: {', '.join(files[:3])}{more}"]


def _damaged_files(directory: str, edited: bool) -> list[str]:
    """Return installed files that are missing, and those of another size than recorded if ``edited``.

    Compiled bytecode is not checked: Python creates it again, and other programs may delete it.
    """
    found = []
    for metadata in _metadata(directory):
        site = os.path.dirname(metadata)
        try:
            listed = read_file(os.path.join(metadata, "RECORD"), limit=_LARGEST_RECORD).text()
            rows = list(csv.reader(listed.splitlines(keepends=True)))
        except (OSError, csv.Error):
            found.append(os.path.join(os.path.basename(metadata), "RECORD"))
            continue
        for row in rows:
            if len(row) != 3 or row[0].endswith(".pyc"):
                continue
            try:
                size = os.stat(os.path.join(site, row[0])).st_size
            except OSError:
                found.append(row[0])
                continue
            if edited and row[0].endswith(".py") and row[2].isdigit() and size != int(row[2]):
                found.append(row[0])
    return found


def _metadata(directory: str) -> list[str]:
    return glob.glob(os.path.join(glob.escape(directory), "lib", "python3*", "site-packages", "*.dist-info"))
