# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The installed nginx: its version, its paths, and what it says of a configuration tree."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Callable
from typing import Any

from . import config as nginx_config

_ENVIRONMENT = {"LC_ALL": "C", "LANG": "C"}

#: ``AnsibleModule.run_command``: status, output, error output of a command given as a list.
RunCommand = Callable[..., tuple[int, str, str]]


def read_text(path: str) -> str:
    """A configuration file's text; bytes that are no UTF-8 survive a round trip."""
    with open(path, encoding="utf-8", errors="surrogateescape", newline="") as stream:
        return stream.read()


def expand(pattern: str) -> list[str]:
    """Paths that a glob matches in nginx's order (glob(3) in the C locale: by bytes, no hidden files)."""
    return sorted(glob.glob(pattern), key=os.fsencode)


class Nginx:
    """One nginx on this host.

    :param executable: Its program, ``None`` if it is not installed.
    :param config: Main file, if not the one that it was built with; the same for ``prefix``.
    """

    def __init__(self, run_command: RunCommand, executable: str | None, config: str | None, prefix: str | None) -> None:
        self._run_command = run_command
        self.executable = executable
        self._given_prefix = prefix
        built = ""
        if executable is not None:
            _rc, out, err = self.run([executable, "-V"])
            built = out + err
        version = re.search(r"nginx version: [^/\s]+/([0-9][0-9.]*)", built)
        self.version = version.group(1) if version else ""
        self.prefix: str = prefix or self._built(built, "prefix", "/usr/share/nginx")
        self.config: str = config or self._built(built, "conf-path", "/etc/nginx/nginx.conf")
        self._pid_default = self._built(built, "pid-path", "/run/nginx.pid")
        self._error_log_default = self._built(built, "error-log-path", "/var/log/nginx/error.log")

    @staticmethod
    def _built(text: str, name: str, default: str) -> str:
        match = re.search(rf"--{name}=(\S+)", text)
        return match.group(1) if match else default

    def run(self, command: list[str]) -> tuple[int, str, str]:
        """Run a command in the C locale."""
        result: Any = self._run_command(command, environ_update=_ENVIRONMENT)
        return int(result[0]), str(result[1]), str(result[2])

    @property
    def conf_dir(self) -> str:
        return os.path.dirname(self.config)

    def command(self, config: str, *arguments: str) -> list[str]:
        """This nginx with a main file."""
        prefix = ["-p", self._given_prefix] if self._given_prefix else []
        return [self.executable or "nginx", "-c", config, *prefix, *arguments]

    def test(self, config: str | None = None) -> tuple[bool, str]:
        """Whether nginx accepts a tree, and what it said."""
        accepted, _out, said = self._inspect(config or self.config, "-t")
        return accepted, said

    def dump(self) -> tuple[str | None, str]:
        """The configuration as ``nginx -T`` shows it (``None`` if it is refused), and what nginx said."""
        accepted, out, said = self._inspect(self.config, "-T")
        return (out if accepted else None), said

    def _inspect(self, config: str, argument: str) -> tuple[bool, str, str]:
        pid_file = self.pid_file
        had_pid_file = os.path.exists(pid_file)
        rc, out, err = self.run(self.command(config, argument))
        # The test of a stopped nginx leaves an empty file behind.
        if not had_pid_file and os.path.exists(pid_file) and os.path.getsize(pid_file) == 0:
            os.unlink(pid_file)
        return rc == 0, out, err

    def tree(self) -> nginx_config.Tree:
        """The configuration on disk.

        :raises OSError: If the main file cannot be read.
        :raises nginx_config.ConfigError: If it is no configuration.
        """
        return nginx_config.load_tree(self.config, read_text, expand)

    def _path_of(self, directive: str, default: str) -> str:
        value = None
        with contextlib.suppress(OSError, nginx_config.ConfigError):
            value = self.tree().main_value(directive)
        return os.path.join(self.prefix, value or default)

    @property
    def pid_file(self) -> str:
        return self._path_of("pid", self._pid_default)

    @property
    def error_log(self) -> str:
        return self._path_of("error_log", self._error_log_default)
