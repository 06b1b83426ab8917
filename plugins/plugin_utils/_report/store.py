# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The directory of the reports on the controller: ``<directory>/<application>/<host>/<time>/``."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.codeframe.staging.plugins.module_utils._host import files
from ansible_collections.codeframe.staging.plugins.module_utils._host.json_text import json_value

from .document import SCHEMA_VERSION

_TIME = re.compile(r"\d{8}T\d{6}Z(?:-\d+)?\Z")
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")
_DOCUMENT = "report.json"
_LIMIT = 4 * 1024 * 1024
_MODE = 0o644


def directory_name(text: str) -> str:
    """A name for one directory: other characters than letters, digits, ``.``, ``_`` and ``-`` become ``-``."""
    return _NOT_IN_A_NAME.sub("-", text).lstrip(".-") or "unnamed"


class ReportStore:
    """The reports of one application on one host, beside those of others.

    :param root: The directory of all reports; it is created.
    """

    def __init__(self, root: str, application: str, host: str) -> None:
        self.root = Path(root)
        self._own = self.root / directory_name(application) / directory_name(host)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs, and the other hosts of this run, from changing the directory.

        :raises OSError: If the directory cannot be written.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def latest(self) -> dict[str, Any] | None:
        """The document of the latest report of this host, if there is one."""
        kept = self._directories(self._own)
        return _document_in(kept[-1]) if kept else None

    def add(self, contents: Mapping[str, bytes | str], now: float) -> Path:
        """Write the files of a report, the document last, and return their directory.

        :param now: Seconds since the epoch.
        :raises OSError: If a file cannot be written.
        """
        name = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
        taken = {path.name for path in self._directories(self._own)}
        number, chosen = 1, name
        while chosen in taken:
            number += 1
            chosen = f"{name}-{number}"
        directory = self._own / chosen
        directory.mkdir(parents=True, exist_ok=True)
        for file in sorted(contents, key=lambda each: each == _DOCUMENT):
            files.write_atomic(str(directory / file), contents[file], mode=_MODE, sync=False)
        return directory

    def prune(self, keep: int) -> None:
        """Delete all but the latest reports of this host; 0 keeps all."""
        if keep > 0:
            for path in self._directories(self._own)[:-keep]:
                shutil.rmtree(path)

    def write_index(self, content: str) -> None:
        """Replace the page over all reports."""
        files.write_atomic(str(self.root / "index.html"), content, mode=_MODE, sync=False)

    def all_documents(self) -> dict[tuple[str, str], list[tuple[str, dict[str, Any]]]]:
        """By application and host: path of each report below the root, and its document, the oldest first."""
        found: dict[tuple[str, str], list[tuple[str, dict[str, Any]]]] = {}
        for host in sorted(path for path in self.root.glob("*/*") if path.is_dir()):
            for path in self._directories(host):
                document = _document_in(path)
                if document is not None:
                    key = (document["application"], document["host"])
                    found.setdefault(key, []).append((str(path.relative_to(self.root)), document))
        return found

    def _directories(self, host: Path) -> list[Path]:
        if not host.is_dir():
            return []
        named = [path for path in host.iterdir() if _TIME.match(path.name) and path.is_dir() and not path.is_symlink()]

        def order(path: Path) -> tuple[str, int]:
            moment, _dash, number = path.name.partition("-")
            return moment, int(number or 1)

        return sorted(named, key=order)


def _document_in(directory: Path) -> dict[str, Any] | None:
    """The document of a report; ``None`` where there is none of this version."""
    try:
        content = files.read_file(str(directory / _DOCUMENT), limit=_LIMIT)
    except OSError:
        return None
    with contextlib.suppress(ValueError, AttributeError):
        document = json_value(content.data)
        if document.get("version") == SCHEMA_VERSION:
            return dict(document)
    return None


def write_metrics(directory: str, application: str, host: str, content: str) -> None:
    """Write the file that the textfile collector of node_exporter reads.

    :raises OSError: If the directory does not exist or cannot be written.
    """
    name = f"codeframe_staging_{directory_name(application)}_{directory_name(host)}.prom"
    files.write_atomic(os.path.join(directory, name), content, mode=_MODE)
