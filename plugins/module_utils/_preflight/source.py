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


def _check_git_url(inputs: DeploymentInputs, url: str) -> None:
    if re.match(r"https?://[^/]*:[^/]*@", url):
        inputs.add(
            "git-credentials",
            _GIT_URL,
            "a URL without a password",
            "use an SSH key of the deploy user or a credential helper",
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
