# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installed nginx: its version, its paths, and what it says about a configuration."""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
import time
from collections.abc import Mapping
from typing import Any

from .._host.command import run
from .._host.files import UnsafeFileError, read_file
from .config import ConfigError, Tree, load_tree

#: Seconds for one ``nginx -t``, which resolves the names of upstreams.
_DEADLINE_S = 120
_SYSTEM_DIRECTORIES = "/usr/sbin:/usr/local/sbin:/sbin"


def read_text(path: str) -> str:
    """The text of a configuration file; bytes that are not UTF-8 survive a round trip.

    :raises OSError: If it cannot be read, or is not a regular file.
    """
    try:
        return read_file(path, follow=True).text("surrogateescape")
    except UnsafeFileError:
        # A site that is masked by a link to it.
        if os.path.realpath(path) == os.devnull:
            return ""
        raise


def expand(pattern: str) -> list[str]:
    """The paths that a glob matches, in nginx's order (glob(3) in the C locale: by bytes, no hidden files)."""
    return sorted(glob.glob(pattern), key=os.fsencode)


class Nginx:
    """One nginx on this host.

    :param executable: Path or name of the program.
    :param config: Main file; by default the one that nginx was built with. The same for ``prefix``.
    """

    def __init__(self, executable: str, config: str | None, prefix: str | None) -> None:
        self.executable = find(executable)
        self._given_prefix = prefix
        built = ""
        if self.executable is not None:
            _accepted, out, err = self._run([self.executable, "-V"])
            built = out + err
        version = re.search(r"nginx version: [^/\s]+/([0-9][0-9.]*)", built)
        self.version = version.group(1) if version else ""
        self.prefix: str = prefix or self._built(built, "prefix", "/usr/share/nginx")
        self.config: str = config or self._built(built, "conf-path", "/etc/nginx/nginx.conf")
        self._pid_default = self._built(built, "pid-path", "/run/nginx.pid")
        self._error_log_default = self._built(built, "error-log-path", "/var/log/nginx/error.log")

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> Nginx:
        """The nginx that the options of a module name."""
        return cls(params["executable"], params["config"], params["prefix"])

    @staticmethod
    def _built(text: str, name: str, default: str) -> str:
        match = re.search(rf"--{name}=(\S+)", text)
        return match.group(1) if match else default

    @property
    def conf_dir(self) -> str:
        return os.path.dirname(self.config)

    @property
    def pid_file(self) -> str:
        return self._path_of("pid", self._pid_default)

    @property
    def error_log(self) -> str:
        return self._path_of("error_log", self._error_log_default)

    def test(self, config: str | None = None) -> tuple[bool, str]:
        """Whether nginx accepts a configuration, and what it said."""
        accepted, _out, said = self._inspect(config or self.config, "-t")
        return accepted, said

    def dump(self) -> tuple[str | None, str]:
        """The configuration as ``nginx -T`` prints it (``None`` if nginx refuses it), and what nginx said."""
        accepted, out, said = self._inspect(self.config, "-T")
        return (out if accepted else None), said

    def tree(self) -> Tree:
        """The configuration on disk.

        :raises OSError: If the main file cannot be read.
        :raises ConfigError: If it is not a configuration.
        """
        return load_tree(self.config, read_text, expand)

    def _inspect(self, config: str, argument: str) -> tuple[bool, str, str]:
        pid_file = self.pid_file
        had_pid_file = os.path.exists(pid_file)
        prefix = ["-p", self._given_prefix] if self._given_prefix else []
        result = self._run([self.executable or "nginx", "-c", config, *prefix, argument])
        # While nginx is stopped, the test leaves an empty file behind.
        if not had_pid_file and os.path.exists(pid_file) and os.path.getsize(pid_file) == 0:
            os.unlink(pid_file)
        return result

    @staticmethod
    def _run(command: list[str]) -> tuple[bool, str, str]:
        deadline = time.monotonic() + _DEADLINE_S
        ended = run(command, deadline=deadline, separate=True, errors="surrogateescape")
        late = f"nginx: no answer within {_DEADLINE_S} s\n" if ended.timed_out else ""
        return ended.succeeded, ended.output, ended.errors + late

    def _path_of(self, directive: str, default: str) -> str:
        value = None
        with contextlib.suppress(OSError, ConfigError):
            main = load_tree(self.config, read_text, expand, inside_blocks=False)
            value = main.main_value(directive)
        return os.path.join(self.prefix, value or default)


def find(executable: str) -> str | None:
    """Path of the program, also where root's own directories are missing in the search path; ``None`` if not found."""
    search = f"{os.environ.get('PATH', os.defpath)}:{_SYSTEM_DIRECTORIES}"
    return shutil.which(executable, path=search)
