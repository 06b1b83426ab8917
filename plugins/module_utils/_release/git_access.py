# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Access to a private repository: a key, known hosts, a token. Nothing of it is in an argument or on a disk.

A private key is only in the memory of an ssh-agent that ends with this process. A token is in the environment of git,
which a credential helper that is one line of shell reads; helpers of the host, which might store it, are not asked.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .._host.accounts import Account
from .._host.command import c_locale, run, running
from .errors import ReleaseError

_AGENT_STARTS_WITHIN_S = 10.0
_CONNECT_TIMEOUT_S = 30
_HTTPS = re.compile(r"https://(?:[^/@]*@)?([^/@]+)", re.IGNORECASE)
_USER, _TOKEN = "STAGING_GIT_USER", "STAGING_GIT_TOKEN"  # names of variables, no token
_HELPER = f'!f() {{ if test "$1" = get; then printf "username=%s\\npassword=%s\\n" "${_USER}" "${_TOKEN}"; fi; }}; f'


@dataclass(frozen=True)
class GitAccess:
    """What a user gave to read a repository with.

    :param key: Text of a private key.
    :param key_file: Path of one on the host.
    :param known_hosts: Lines of known_hosts(5); with them, no other server is known.
    :param token: Password for HTTPS, only for the server of the repository.
    :param token_user: User name for it.
    """

    key: str = field(default="", repr=False)
    key_file: str = ""
    known_hosts: Sequence[str] = ()
    token: str = field(default="", repr=False)
    token_user: str = ""


@dataclass(frozen=True)
class OpenAccess:
    """What git is started with.

    :param environment: Further variables.
    :param config: Further settings, by name.
    """

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    config: Sequence[tuple[str, str]] = ()


@contextlib.contextmanager
def opened(access: GitAccess, url: str, account: Account | None = None) -> Iterator[OpenAccess]:
    """Make the access usable while the block runs.

    :param account: The user as whom git runs, if that is another one.
    :raises ReleaseError: If ssh-agent is not installed, or does not take the key.
    """
    with contextlib.ExitStack() as stack:
        options = [f"ConnectTimeout={_CONNECT_TIMEOUT_S}"]
        environment: dict[str, str] = {}
        if access.key or access.known_hosts:
            directory = tempfile.mkdtemp(prefix="staging-git-")
            stack.callback(shutil.rmtree, directory, ignore_errors=True)
            if access.known_hosts:
                options += _known_only(directory, access.known_hosts)
            if account:
                os.chown(directory, account.uid, account.gid)
            if access.key:
                options.append(f"IdentityAgent={stack.enter_context(_agent(directory, access.key))}")
        if access.key_file:
            options += [f"IdentityFile={access.key_file}", "IdentitiesOnly=yes"]
        if access.key or access.key_file or access.known_hosts:
            environment["GIT_SSH_COMMAND"] = ssh_command(options)
        config: list[tuple[str, str]] = []
        if access.token:
            environment.update({_USER: access.token_user, _TOKEN: access.token})
            config = helper_for(url)
        yield OpenAccess(environment, config)


def ssh_command(options: Sequence[str] = ()) -> str:
    """Return the command by which git connects; it never prompts."""
    words = ["ssh", *(word for option in ("BatchMode=yes", *options) for word in ("-o", option))]
    return shlex.join(words)


def helper_for(url: str) -> list[tuple[str, str]]:
    """Return the settings by which git gets the token, and only for the server of the URL.

    :raises ReleaseError: If the URL is none of HTTPS.
    """
    server = _HTTPS.match(url)
    if server is None:
        raise ReleaseError(
            "staging_git_token is set, but staging_git_url does not begin with https://; a token is sent by HTTPS only"
        )
    scope = f"credential.https://{server.group(1)}.helper"
    # An empty value removes the helpers of the host, which might store the token.
    return [("credential.helper", ""), (scope, ""), (scope, _HELPER)]


def _known_only(directory: str, lines: Sequence[str]) -> list[str]:
    path = os.path.join(directory, "known_hosts")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{line.strip()}\n" for line in lines)
    os.chmod(path, 0o644)
    return [f'UserKnownHostsFile="{path}"', "GlobalKnownHostsFile=/dev/null", "StrictHostKeyChecking=yes"]


@contextlib.contextmanager
def _agent(directory: str, key: str) -> Iterator[str]:
    """Run an ssh-agent that has the key while the block runs; yields its socket."""
    socket = os.path.join(directory, "agent")
    try:
        with running(["ssh-agent", "-D", "-a", socket], env=c_locale()) as agent:
            deadline = time.monotonic() + _AGENT_STARTS_WITHIN_S
            while not os.path.exists(socket):
                if agent.code is not None or time.monotonic() > deadline:
                    raise ReleaseError(f"ssh-agent does not start: {agent.end_of_output.strip() or 'no reason given'}")
                time.sleep(0.005)
            _add(socket, key, deadline)
            yield socket
    except FileNotFoundError as missing:
        if missing.filename not in ("ssh-agent", "ssh-add"):
            raise
        raise ReleaseError(
            f"{missing.filename} is not installed, and staging_git_key is set; add openssh-client to staging_packages"
        ) from None


def _add(socket: str, key: str, deadline: float) -> None:
    # OpenSSH reads neither a key with carriage returns nor one without a line end.
    text = "\n".join(line.rstrip() for line in key.strip().splitlines()) + "\n"
    environment = {**c_locale(), "SSH_AUTH_SOCK": socket, "SSH_ASKPASS_REQUIRE": "never"}
    ended = run(["ssh-add", "-q", "-"], deadline=deadline, env=environment, stdin=text.encode())
    if ended.succeeded:
        return
    if "passphrase" in ended.output:
        raise ReleaseError(
            "the key in staging_git_key has a passphrase, which nobody can enter during a deployment; create a deploy "
            "key without one"
        )
    raise ReleaseError(
        f"ssh-add does not take the key in staging_git_key: {ended.output.strip() or 'no reason given'}; expected the "
        "whole text of a private key, from its BEGIN line to its END line"
    )
