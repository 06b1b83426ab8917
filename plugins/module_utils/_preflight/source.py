# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the source comes from."""

from __future__ import annotations

import re

from .variables import DeploymentInputs

_TYPE, _GIT_URL, _GIT_VERSION, _DIR = (
    "staging_source_type",
    "staging_git_url",
    "staging_git_version",
    "staging_source_dir",
)
_GIT_KEY, _GIT_KEY_FILE, _GIT_TOKEN, _KNOWN_HOSTS = (
    "staging_git_key",
    "staging_git_key_file",
    "staging_git_token",
    "staging_git_known_hosts",
)
_SSH = re.compile(r"ssh://|[\w.-]+@[\w.-]+:")
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----\s.*-----END [A-Z0-9 ]*PRIVATE KEY-----\Z", re.DOTALL)
_KNOWN_HOST = re.compile(r"(?:@\S+ +)?\S+[ \t]+(?:ssh|ecdsa|sk)-\S+[ \t]+[A-Za-z0-9+/]+=*(?:[ \t].*)?\Z|#")
_REPOSITORY = re.compile(r"(?:(?:https?|ssh|git|file)://[^\s]+|[\w.-]+@[\w.-]+:[^\s]+|/[^\s]+)\Z")
_NO_REVISION = re.compile(r"[\s~^:?*\[\\]|\A-|\.\.|\.lock\Z")


def check_source(inputs: DeploymentInputs) -> None:
    kind = inputs.or_default(_TYPE)
    for variable, needed_by, expected in (
        (_GIT_URL, "git", "the URL of the repository"),
        (_DIR, "archive", "a directory on the controller"),
    ):
        if kind == needed_by and inputs.get(variable) is None:
            by_default = "" if inputs.get(_TYPE) else " by default"
            inputs.add("missing", variable, expected, f"set {variable}", found=f"{_TYPE} is {kind}{by_default}")
    url = inputs.line(_GIT_URL)
    if url is not None and kind == "git":
        _check_git_url(inputs, url)
    version = inputs.line(_GIT_VERSION)
    if version is not None and _NO_REVISION.search(version):
        inputs.add(
            "git-version",
            _GIT_VERSION,
            "the name of a branch or tag, or a commit",
            "write for example main, v1.2.3 or a full commit id",
        )
    inputs.line(_DIR)
    if kind == "git":
        _check_git_access(inputs, url or "")


def _check_git_url(inputs: DeploymentInputs, url: str) -> None:
    if re.match(r"https?://[^/]*:[^/]*@", url):
        inputs.add(
            "git-credentials",
            _GIT_URL,
            "a URL without a password",
            "move it to staging_git_token, and the user name to staging_git_user",
            found="the configuration of the repository would contain the password",
        )
    elif url.startswith("-") or not _REPOSITORY.match(url):
        inputs.add(
            "git-url",
            _GIT_URL,
            "the URL of a repository",
            "write https://..., ssh://... or user@host:path",
        )
    elif url.startswith(("http://", "git://")):
        inputs.add(
            "git-insecure",
            _GIT_URL,
            "a protocol that authenticates the server",
            "write https:// or ssh://",
            found="whoever is between host and server can change the source, which is executed",
        )


def _check_git_access(inputs: DeploymentInputs, url: str) -> None:
    """A key, known hosts and a token have the form that ssh and git read, and belong to the kind of URL."""
    is_https, is_ssh = url.startswith("https://"), bool(_SSH.match(url))
    key = inputs.get(_GIT_KEY)
    if key is not None and not _PRIVATE_KEY.match(str(key).strip()):
        inputs.add(
            "git-key",
            _GIT_KEY,
            "the whole text of a private key, which begins with -----BEGIN ... PRIVATE KEY-----",
            "write it in full, for example with lookup('ansible.builtin.file', ...), or set staging_git_key_file to a "
            "path on the host",
        )
    if key is not None and inputs.get(_GIT_KEY_FILE) is not None:
        inputs.add(
            "git-access",
            _GIT_KEY_FILE,
            "one key",
            f"remove one of {_GIT_KEY} and {_GIT_KEY_FILE}",
            found=f"{_GIT_KEY} is set too",
        )
    if url:
        for variable in (_GIT_KEY, _GIT_KEY_FILE):
            if inputs.get(variable) is not None and not is_ssh:
                inputs.add(
                    "git-access",
                    variable,
                    f"a URL of SSH in {_GIT_URL}",
                    f"write ssh://... or user@host:path there, or remove {variable}",
                    found=f"{_GIT_URL} is none, so the key is not used",
                )
        if inputs.get(_GIT_TOKEN) is not None and not is_https:
            inputs.add(
                "git-access",
                _GIT_TOKEN,
                f"a URL that begins with https:// in {_GIT_URL}",
                f"write https://... there, or remove {_GIT_TOKEN}",
                found=f"{_GIT_URL} is none, and a token is sent by HTTPS only",
            )
    lines = inputs.get(_KNOWN_HOSTS)
    for index, line in enumerate(lines if isinstance(lines, list) else ()):
        if not _KNOWN_HOST.match(str(line).strip()):
            inputs.add(
                "git-known-hosts",
                (_KNOWN_HOSTS, index),
                "a line of known_hosts: names, type of the key, key",
                "write a line that ssh-keyscan prints",
            )
