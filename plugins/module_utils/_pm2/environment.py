# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a process: the same, whoever deploys and over whichever shell."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from typing import Any

from .._dotenv.readers import UnreadableError, read_dotenv
from .._host.files import read_file
from .._host.programs import STANDARD_PATH
from .error import Pm2Error
from .process import setting_text


def base_env(node_dir: str = "") -> dict[str, str]:
    """The variables that every process has.

    :param node_dir: Directory of Node.js, put first into ``PATH``.
    """
    account = pwd.getpwuid(os.getuid())
    path = ":".join(dict.fromkeys(place for place in (node_dir, *STANDARD_PATH.split(":")) if place))
    return {
        "PATH": path,
        "HOME": account.pw_dir,
        "USER": account.pw_name,
        "LOGNAME": account.pw_name,
        "LANG": "C.UTF-8",
    }


def read_env_file(path: str | None, *, check: bool, text: str | None = None) -> dict[str, str]:
    """The variables of an env file.

    :param check: Whether this is check mode, in which a file that is still to be written counts as empty.
    :param text: What it will contain, instead of what it contains now.
    :raises Pm2Error: If it cannot be read.
    """
    if not path:
        return {}
    try:
        if text is None:
            text = read_file(path, follow=True).data.decode()
        values = read_dotenv(text)
    except (FileNotFoundError, NotADirectoryError) as err:
        if check:
            return {}
        raise Pm2Error(f"the env file {path} does not exist") from err
    except (OSError, UnicodeDecodeError) as err:
        raise Pm2Error(f"the env file {path} cannot be read: {getattr(err, 'strerror', None) or err}") from err
    except UnreadableError as err:
        raise Pm2Error(f"the env file cannot be parsed: {path}:{err.line}: {err.why}; repair that line") from err
    return {key: value for key, value in values.items() if value is not None}


def env_texts(env: Mapping[Any, Any] | None) -> dict[str, str]:
    """Variables as texts."""
    return {str(key): setting_text(value) for key, value in (env or {}).items()}
