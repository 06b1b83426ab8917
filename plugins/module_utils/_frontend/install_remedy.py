# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a user can do about an installation that npm, pnpm, yarn or bun could not make."""

from __future__ import annotations

import re

#: A failure has consequences that look like another one, so the order matters.
_REMEDIES = (
    (
        r"ENOSPC|No space left on device",
        "free space in the file system of staging_project_dir, and in the home of the deploy user, which has the cache",
    ),
    (
        # Without the variable, npm sends the text itself, and is refused.
        r"Failed to replace env in config|Environment variable not found",
        "set the variable that .npmrc or .yarnrc.yml names in staging_frontend_install_env "
        "(staging_backend_install_env for the backend)",
    ),
    (
        r"spawn git\b|git: (?:command )?not found",
        "a package comes from a git repository: add git to staging_packages",
    ),
    (
        r"unknown git error|Could not read from remote repository|Permission denied \(publickey|"
        r"Host key verification failed|ERR_PNPM_GIT|could not read Username",
        "a package comes from a git repository that the deploy user cannot read: name a key in GIT_SSH_COMMAND in "
        "staging_frontend_install_env (staging_backend_install_env for the backend) and the server in the user's "
        "known_hosts, or publish the package in a registry",
    ),
    (
        r"Unsupported URL Type \"workspace:|EUNSUPPORTEDPROTOCOL",
        "the packages are those of a workspace of pnpm or yarn: commit its lock file, or declare it as packageManager "
        "in package.json",
    ),
    (
        r"\bE40[13]\b|ERR_PNPM_FETCH_40[13]|YN0041|Unable to authenticate|Incorrect or missing password|ENEEDAUTH",
        "give a token that is still valid in staging_frontend_install_env (staging_backend_install_env for the "
        "backend), and name its variable in .npmrc",
    ),
    (
        r"EINTEGRITY|ERR_PNPM_TARBALL_INTEGRITY|YN0018|Integrity check failed",
        "the registry has another package than the one that was locked: find out why before you lock the packages "
        "again",
    ),
    (
        r"ERR_PNPM_IGNORED_BUILDS",
        "pnpm runs the scripts of no package that the source does not name: run `pnpm approve-builds` where you "
        "develop, and commit pnpm-workspace.yaml or package.json, whichever it writes",
    ),
    (
        r"EBADPLATFORM|ERR_PNPM_UNSUPPORTED_PLATFORM",
        "a package is for another operating system or processor than this host: move it to optionalDependencies in "
        "package.json, and commit the lock file",
    ),
    (
        r"package\.json and package-lock\.json.* are (?:not )?in sync|ERR_PNPM_OUTDATED_LOCKFILE|YN0028"
        r"|ERR_PNPM_LOCKFILE_(?:CONFIG_MISMATCH|BREAKING_CHANGE)"
        r"|lockfile needs to be updated|lockfile had changes, but lockfile is frozen",
        "the lock file is not that of package.json, or another version of the package manager wrote it: install the "
        "packages where you develop, commit the lock file, and declare that version as packageManager in package.json",
    ),
    (
        r"SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_HAS_EXPIRED",
        "install the certificate of the authority that signed the registry's on the host, and name it in "
        "NODE_EXTRA_CA_CERTS in staging_frontend_install_env (staging_backend_install_env for the backend)",
    ),
    (
        r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT",
        "check that the host may connect to the registry; .npmrc, or npm_config_registry and HTTPS_PROXY in "
        "staging_frontend_install_env (staging_backend_install_env for the backend), name another one or a proxy",
    ),
    (
        # Of npm that gives up a registry; that is all it prints.
        r"Exit handler never called",
        "npm ended without naming the cause, as it does if it cannot reach the registry: check that the host may "
        "connect to it, and read the newest log in .npm/_logs of the home of the deploy user",
    ),
    (r"\bE404\b|ERR_PNPM_FETCH_404|YN0035", "check that the registry has the package, and that the token may read it"),
    (
        r"EBADENGINE|Unsupported engine|The engine \"node\" is incompatible|ERR_PNPM_UNSUPPORTED_ENGINE",
        "set staging_node_version to a version that the package allows",
    ),
    (
        r"gyp ERR!|node-gyp|not found: make|prebuild-install",
        "a package is compiled: add what it needs to staging_packages, such as build-essential and python3",
    ),
    (
        r"\bEACCES\b|cache folder contains root-owned files",
        "a file belongs to another user, such as root after npm was run with sudo: give the home and the project of "
        "the deploy user to that user (chown -R)",
    ),
    (
        r"ERESOLVE",
        "the versions in package.json contradict one another: correct them, or give the argument --legacy-peer-deps in "
        "staging_frontend_install_command (staging_backend_install_command for the backend)",
    ),
)


def remedy_for(output: str) -> str:
    """Return what the user can do; empty if nothing is known.

    :param output: What the package manager printed.
    """
    return next((remedy for pattern, remedy in _REMEDIES if re.search(pattern, output)), "")
