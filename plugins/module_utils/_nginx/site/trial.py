# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let nginx test a configuration with changes that are not in place."""

from __future__ import annotations

import os
import shutil
import tempfile

from ..program import Nginx, expand, read_text
from .candidate import Changes, shadow


def try_out(nginx: Nginx, changes: Changes, tmpdir: str) -> tuple[bool, str]:
    """Test the whole configuration with the changes; returns whether nginx accepts it, and what it said.

    :raises ConfigError: If the main file cannot be parsed.
    """
    directory = tempfile.mkdtemp(prefix="nginx-candidate-", dir=tmpdir)
    try:
        copy = shadow(nginx.config, directory, changes, read_text, expand)
        # Files with relative paths, such as certificates, are found beside the main file.
        for name in os.listdir(nginx.conf_dir):
            if name not in copy.files:
                os.symlink(os.path.join(nginx.conf_dir, name), os.path.join(directory, name))
        for name, text in copy.files.items():
            path = os.path.join(directory, name)
            with open(path, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
                stream.write(text)
        accepted, said = nginx.test(os.path.join(directory, copy.main))
        return accepted, copy.with_real_paths(said)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
