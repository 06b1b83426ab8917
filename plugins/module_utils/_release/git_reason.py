# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why git could not read a repository: the lines of its output that name the reason, and what the user can do."""

from __future__ import annotations

import re

#: Lines that git, ssh and servers print besides the reason.
_NOISE = re.compile(
    r"(?:hint|warning|debug\d?):|Cloning into|From |Submodule |Warning: Permanently added|@+(?: |\Z)"
    r"|It is required that your private key files|This private key will be ignored"
    r"|Please make sure you have the correct access rights|and the repository exists\.|Please contact your system admin"
    r"|Add correct host key in |IT IS POSSIBLE THAT SOMEONE|Someone could be eavesdropping|It is also possible that"
    r"|The fingerprint for the|SHA256:|remote: *(?:[=#*-]*|(?:Enumerating|Counting|Compressing) objects.*|Total \d.*)\Z"
)
_TELLING = ("fatal:", "error:", "ssh:")
#: Of the lines before the first telling one, which may be the reason that it does not repeat.
_BEFORE = 3
_LONGEST = 500


def cause_of(text: str) -> str:
    """Return the lines of git's error output that name the cause, as one line.

    The line that begins with ``fatal:`` is often only the consequence: the reason of ssh, or of the server, is before
    it.
    """
    lines = [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]
    kept = [line for line in lines if not _NOISE.match(line)]
    telling = next((index for index, line in enumerate(kept) if line.startswith(_TELLING)), None)
    if telling is None:
        return (kept or lines or [""])[0][:_LONGEST]
    return " ".join(kept[max(0, telling - _BEFORE) : telling + 1])[:_LONGEST]


_ACCESS = "a deploy key in staging_git_key for a URL of SSH, a token in staging_git_token for one of HTTPS"
_REMEDIES = (
    (r"No space left on device|Disk quota exceeded", "free space in the file system of staging_project_dir"),
    (
        r"died of signal 9|Out of memory|unable to create thread|mmap failed",
        "the memory of the host does not suffice: add memory or swap, or set staging_source_type to archive, which "
        "fetches on the controller",
    ),
    (r"dubious ownership", "give the directory to the deploy user: it belongs to another one"),
    (r"HTTP code 407|Proxy Authentication Required", "correct the user name and the password of the proxy"),
    (
        r"REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed|Offending \w+ key",
        "the server has another key than the known one: compare it with the one that its operator publishes, and "
        "correct staging_git_known_hosts, or ~/.ssh/known_hosts of the deploy user",
    ),
    (
        r"host key verification failed|host key is known for",
        "add the server's line to staging_git_known_hosts: ssh-keyscan prints it, and its operator publishes the "
        "fingerprint to compare it with",
    ),
    (
        r"bad permissions|UNPROTECTED PRIVATE KEY|are too open",
        "let the deploy user alone read the file of staging_git_key_file (chmod 600)",
    ),
    (
        r"no such identity: \S+: No such file|Identity file \S+ not accessible: No such file",
        "correct staging_git_key_file: the host has no such file",
    ),
    (
        r"(?:Load key|no such identity:?) \S+ ?:? Permission denied",
        "let the deploy user read the file of staging_git_key_file",
    ),
    (
        r"Load key \S+ (?:invalid format|error in libcrypto)",
        "the file of staging_git_key_file is no private key that OpenSSH can read: it must be the private half, whole "
        "and with a line end",
    ),
    (
        r"Permission denied \([a-z,-]*publickey|Too many authentication failures",
        "the server accepts none of the keys: set staging_git_key to the private half of a deploy key that may read "
        "the repository, and has no passphrase",
    ),
    (r"cannot run ssh|ssh: not found", "add openssh-client to staging_packages"),
    (
        r"could not read (?:Username|Password)|Authentication failed|terminal prompts disabled|Access denied"
        r"|Invalid (?:username|credentials)|error: 40[13]\b",
        "set staging_git_token to a token that may read the repository and has not expired, and staging_git_user "
        "if the server wants a certain user name with it",
    ),
    (
        r"certificate",
        "install the certificate of the authority that signed the server's on the host, or correct the name",
    ),
    (r"Could not resolve host", "correct the name in the URL, or the resolver of the host"),
    (
        r"Connection (?:refused|timed out|closed|reset)|Network is unreachable|No route to host|Failed to connect"
        r"|Operation timed out",
        "check that the host may connect to the server at that port",
    ),
    (
        r"early EOF|RPC failed|hung up unexpectedly|fetch-pack: unexpected disconnect|unexpected eof",
        "the connection broke off: try again, or raise staging_git_timeout if the repository is large",
    ),
    (
        r"transport '\w+' not allowed",
        "git fetches a submodule only by HTTPS or SSH; correct its URL in .gitmodules",
    ),
    (
        r"not our ref|unadvertised object|did not contain [0-9a-f]{40}|reference is not a tree",
        "push the commit to the repository of the submodule",
    ),
    (
        r"not found|does not appear to be a git repository|does not exist|could not be found",
        f"correct the URL, or give access, because servers answer so to those who may not read it ({_ACCESS})",
    ),
)


def remedy_for(cause: str) -> str:
    """Return what the user can do about a cause."""
    for pattern, remedy in _REMEDIES:
        if re.search(pattern, cause, re.IGNORECASE):
            return remedy
    return f"check the URL, and that the deploy user may read it ({_ACCESS})"
