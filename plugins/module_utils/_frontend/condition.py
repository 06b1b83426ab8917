# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a build is as it was made."""

from __future__ import annotations

import os

from .._host.files import read_text
from .build_plan import changed_chunks, read_record
from .frontend import chunk_digests
from .output import client_scripts, incomplete, is_next_build, missing_files, record_path
from .workspace import read_package


def build_damage(path: str, output_dir: str) -> list[str]:
    """Return what a build has lost, or what was changed in it, since it was made; empty if nothing.

    :param path: The directory with its ``package.json``.
    """
    if not os.path.isdir(path):
        return [f"{path} is missing"]
    output = os.path.join(path, output_dir)
    is_next = is_next_build(read_package(path), output)
    unfinished = incomplete(output, next_build=is_next)
    if unfinished:
        return [unfinished]
    record = read_record(read_text(record_path(output, next_build=is_next)) or "")
    found = []
    if record:
        found += missing_files(record.files, output) or changed_chunks(record, chunk_digests(client_scripts(output)))
    return found
