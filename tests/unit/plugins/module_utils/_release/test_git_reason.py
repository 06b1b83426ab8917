# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is quoted of git's output, and the remedy for it; the outputs are those of git 2.39, OpenSSH 9.2 and servers."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._release.git_reason import cause_of, remedy_for

ACCESS_RIGHTS = """fatal: Could not read from remote repository.

Please make sure you have the correct access rights
and the repository exists.
"""
CHANGED_KEY = f"""@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @
@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@
IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!
Someone could be eavesdropping on you right now (man-in-the-middle attack)!
It is also possible that a host key has just been changed.
The fingerprint for the ED25519 key sent by the remote host is
SHA256:abc.
Please contact your system administrator.
Add correct host key in /home/deploy/.ssh/known_hosts to get rid of this message.
Offending ED25519 key in /home/deploy/.ssh/known_hosts:1
Host key for git.example.com has changed and you have requested strict checking.\r
Host key verification failed.\r
{ACCESS_RIGHTS}"""


@pytest.mark.parametrize(
    ("output", "cause", "remedy"),
    [
        pytest.param(
            f"Host key verification failed.\r\n{ACCESS_RIGHTS}",
            "Host key verification failed. fatal: Could not read from remote repository.",
            "staging_git_known_hosts: ssh-keyscan",
            id="unknown-host-key",
        ),
        pytest.param(
            CHANGED_KEY,
            "Offending ED25519 key in /home/deploy/.ssh/known_hosts:1 Host key for git.example.com has changed and you "
            "have requested strict checking. Host key verification failed. fatal: Could not read from remote "
            "repository.",
            "another key than the known one",
            id="changed-host-key",
        ),
        pytest.param(
            f"git@git.example.com: Permission denied (publickey).\r\n{ACCESS_RIGHTS}",
            "git@git.example.com: Permission denied (publickey). fatal: Could not read from remote repository.",
            "staging_git_key to the private half",
            id="no-key",
        ),
        pytest.param(
            "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
            "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @\n"
            "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n"
            "Permissions 0644 for '/srv/key' are too open.\n"
            "It is required that your private key files are NOT accessible by others.\n"
            "This private key will be ignored.\n"
            'Load key "/srv/key": bad permissions\n'
            f"git@git.example.com: Permission denied (publickey).\r\n{ACCESS_RIGHTS}",
            "Permissions 0644 for '/srv/key' are too open. Load key \"/srv/key\": bad permissions git@git.example.com: "
            "Permission denied (publickey). fatal: Could not read from remote repository.",
            "chmod 600",
            id="key-file-for-all",
        ),
        pytest.param(
            "no such identity: /srv/key: No such file or directory\n"
            f"git@git.example.com: Permission denied (publickey).\r\n{ACCESS_RIGHTS}",
            "no such identity: /srv/key: No such file or directory git@git.example.com: Permission denied (publickey). "
            "fatal: Could not read from remote repository.",
            "the host has no such file",
            id="key-file-missing",
        ),
        pytest.param(
            'Load key "/srv/key": Permission denied\n'
            f"git@git.example.com: Permission denied (publickey).\r\n{ACCESS_RIGHTS}",
            'Load key "/srv/key": Permission denied git@git.example.com: Permission denied (publickey). fatal: '
            "Could not read from remote repository.",
            "let the deploy user read",
            id="key-file-unreadable",
        ),
        pytest.param(
            'Load key "/srv/key": error in libcrypto\n'
            f"git@git.example.com: Permission denied (publickey).\r\n{ACCESS_RIGHTS}",
            'Load key "/srv/key": error in libcrypto git@git.example.com: Permission denied (publickey). fatal: '
            "Could not read from remote repository.",
            "the private half",
            id="key-file-malformed",
        ),
        pytest.param(
            f"ERROR: Repository not found.\n{ACCESS_RIGHTS}",
            "ERROR: Repository not found. fatal: Could not read from remote repository.",
            "servers answer so to those who may not read it",
            id="hidden-repository",
        ),
        pytest.param(
            "remote: HTTP Basic: Access denied. The provided password or token is incorrect.\n"
            "fatal: Authentication failed for 'https://git.example.com/x.git/'\n",
            "remote: HTTP Basic: Access denied. The provided password or token is incorrect. "
            "fatal: Authentication failed for 'https://git.example.com/x.git/'",
            "set staging_git_token",
            id="wrong-token",
        ),
        pytest.param(
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled\n",
            "fatal: could not read Username for 'https://github.com': terminal prompts disabled",
            "set staging_git_token",
            id="no-token",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example.com/x.git/': SSL certificate problem: unable to get local "
            "issuer certificate\n",
            "fatal: unable to access 'https://git.example.com/x.git/': SSL certificate problem: unable to get local "
            "issuer certificate",
            "certificate of the authority",
            id="unknown-authority",
        ),
        pytest.param(
            f"ssh: Could not resolve hostname git.exmaple.com: Name or service not known\r\n{ACCESS_RIGHTS}",
            "ssh: Could not resolve hostname git.exmaple.com: Name or service not known",
            "correct the name",
            id="name",
        ),
        pytest.param(
            f"ssh: connect to host git.example.com port 22: Connection timed out\r\n{ACCESS_RIGHTS}",
            "ssh: connect to host git.example.com port 22: Connection timed out",
            "may connect to the server",
            id="firewall",
        ),
        pytest.param(
            "error: cannot run ssh: No such file or directory\nfatal: unable to fork\n",
            "error: cannot run ssh: No such file or directory",
            "openssh-client",
            id="no-ssh",
        ),
        pytest.param(
            "Submodule 'lib' (https://git.example.com/lib.git) registered for path 'lib'\nCloning into "
            "'/srv/x/lib'...\n"
            "fatal: transport 'file' not allowed\nfatal: clone of 'file:///srv/lib' into submodule path failed\n",
            "fatal: transport 'file' not allowed",
            ".gitmodules",
            id="submodule-by-path",
        ),
        pytest.param(
            "remote: Enumerating objects: 5, done.\nremote: Counting objects: 100% (5/5), done.\n"
            "fatal: remote error: upload-pack: not our ref 1111111111111111111111111111111111111111\n",
            "fatal: remote error: upload-pack: not our ref 1111111111111111111111111111111111111111",
            "push the commit",
            id="submodule-not-pushed",
        ),
        pytest.param(
            "warning: x\nfatal: repository 'https://x/' not found\nhint: y\n",
            "fatal: repository 'https://x/' not found",
            "correct the URL",
            id="among-hints",
        ),
        pytest.param(
            "remote: Counting objects: 100% (5/5), done.\nfatal: write error: No space left on device\n"
            "fatal: fetch-pack: invalid index-pack output\n",
            "fatal: write error: No space left on device",
            "free space",
            id="no-space",
        ),
        pytest.param(
            "error: index-pack died of signal 9\nfatal: fetch-pack: invalid index-pack output\n",
            "error: index-pack died of signal 9",
            "add memory or swap",
            id="no-memory",
        ),
        pytest.param(
            "error: RPC failed; curl 18 transfer closed with outstanding read data remaining\nfatal: early EOF\n",
            "error: RPC failed; curl 18 transfer closed with outstanding read data remaining",
            "raise staging_git_timeout",
            id="broken-off",
        ),
        pytest.param(
            "fatal: detected dubious ownership in repository at '/srv/app'\n",
            "fatal: detected dubious ownership in repository at '/srv/app'",
            "give the directory to the deploy user",
            id="ownership",
        ),
        pytest.param(
            "fatal: unable to access 'https://git.example.com/x/': Received HTTP code 407 from proxy after CONNECT\n",
            "fatal: unable to access 'https://git.example.com/x/': Received HTTP code 407 from proxy after CONNECT",
            "password of the proxy",
            id="proxy",
        ),
        pytest.param("something else\nmore\n", "something else", "check the URL", id="neither-fatal-nor-error"),
        pytest.param("", "", "check the URL", id="nothing"),
    ],
)
def test_the_reason_is_quoted_and_has_its_remedy(output, cause, remedy):
    assert cause_of(output) == cause
    assert remedy in remedy_for(cause)
