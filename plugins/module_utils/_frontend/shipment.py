# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A build that is made on one machine and used on another, as an archive of its output directory."""

from __future__ import annotations

import os
import tarfile
import zlib

from .._host.files import replacing
from .build_plan import RECORD
from .errors import BuildError


def pack(output: str, archive: str, cache: str = "") -> None:
    """Write the archive of a build, readable by this user alone.

    Links that lead out of it are made again where it is unpacked.

    :param cache: A directory in it that only later builds on this machine use.
    """
    left_out = {RECORD, cache} - {""}
    os.makedirs(os.path.dirname(archive), mode=0o700, exist_ok=True)
    with replacing(archive, mode=0o600) as file, tarfile.open(fileobj=file, mode="w:gz", compresslevel=1) as packed:
        for name in sorted(os.listdir(output)):
            if name not in left_out:
                packed.add(os.path.join(output, name), name, filter=lambda member: _kept(member, output))


def _kept(member: tarfile.TarInfo, output: str) -> tarfile.TarInfo | None:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    if member.issym():
        place = os.path.dirname(os.path.join(output, member.name))
        if not os.path.normpath(os.path.join(place, member.linkname)).startswith(output + "/"):
            return None
    return member


def unpack(archive: str, output: str) -> None:
    """Make the output directory of an archive.

    :raises BuildError: If the archive cannot be read.
    """
    os.makedirs(output, exist_ok=True)
    try:
        with tarfile.open(archive) as packed:
            if hasattr(tarfile, "data_filter"):
                packed.extractall(output, filter="data")
            else:
                # Python before 3.9.17; the archive is the controller's.
                packed.extractall(output)  # noqa: S202
    except (OSError, EOFError, zlib.error, tarfile.TarError) as err:
        raise BuildError(f"the build that was made on the controller cannot be unpacked from {archive}: {err}") from err
