"""Remedies for what npm, pnpm and yarn print when they cannot install."""

from __future__ import annotations

import pytest
from ansible_collections.codeframe.staging.plugins.module_utils._frontend.install_remedy import remedy_for

SYNC = (
    "npm error code EUSAGE\nnpm error `npm ci` can only install packages when your package.json and package-lock.json "
    "or npm-shrinkwrap.json are in sync. Please update your lock file with `npm install` before continuing.\n"
)


@pytest.mark.parametrize(
    ("output", "remedy"),
    [
        pytest.param("npm error code ENOSPC\nnpm error syscall write\n", "free space", id="space"),
        pytest.param("npm error code E401\nnpm error Incorrect or missing password.\n", "give a token", id="token"),
        pytest.param("ERR_PNPM_FETCH_403  GET https://r.test/x: Forbidden - 403\n", "give a token", id="pnpm-token"),
        pytest.param("npm error code EINTEGRITY\nnpm error sha512-x integrity checksum failed\n", "the registry has",
                     id="integrity"),
        pytest.param(SYNC, "the lock file is not that of package.json, or another version", id="outdated-lock"),
        pytest.param("ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with frozen-lockfile\n", "the lock file is not",
                     id="pnpm-outdated-lock"),
        pytest.param("Error: ERR_PNPM_IGNORED_BUILDS\n\n  Ignored build scripts: esbuild@0.25.9\n",
                     "pnpm runs the scripts of no package", id="pnpm-scripts"),
        pytest.param("ERR_PNPM_LOCKFILE_CONFIG_MISMATCH  Cannot proceed with the frozen installation.\n",
                     "the lock file is not", id="pnpm-other-settings"),
        pytest.param("npm error code EBADPLATFORM\nnpm error notsup Unsupported platform for fsevents@2.3.3\n",
                     "a package is for another operating system", id="platform"),
        pytest.param("npm error code SELF_SIGNED_CERT_IN_CHAIN\n", "install the certificate", id="certificate"),
        pytest.param("npm error code EAI_AGAIN\nnpm error getaddrinfo EAI_AGAIN r.test\n", "check that the host may",
                     id="name"),
        pytest.param("npm error Exit handler never called!\nnpm error This is an error with npm itself.\n",
                     "npm ended without naming the cause, as it does if it cannot reach the registry", id="npm-itself"),
        pytest.param("npm error code E404\nnpm error 404 Not Found - GET https://r.test/@a%2fb\n", "check that the reg",
                     id="no-such-package"),
        pytest.param("npm error code EBADENGINE\n", "set staging_node_version", id="engine"),
        pytest.param("npm error gyp ERR! find Python\n", "a package is compiled", id="compiler"),
        pytest.param("npm error code ERESOLVE\n", "the versions in package.json contradict", id="conflict"),
        pytest.param("error Error: Failed to replace env in config: ${NPM_TOKEN}\n", "set the variable", id="variable"),
        pytest.param("Usage Error: Environment variable not found (NPM_TOKEN) in .yarnrc.yml\n", "set the variable",
                     id="yarn-variable"),
        pytest.param("WARN Failed to replace env in config: ${T}\nERR_PNPM_FETCH_401  GET https://r.test/x\n",
                     "set the variable", id="variable-before-its-consequence"),
        pytest.param("npm error code ENOENT\nnpm error syscall spawn git\nnpm error An unknown git error occurred\n",
                     "a package comes from a git repository: add git", id="without-git"),
        pytest.param("npm error code 128\nnpm error An unknown git error occurred\nnpm error command git ls-remote\n"
                     "npm error git@h.test: Permission denied (publickey).\n",
                     "a package comes from a git repository that the deploy user cannot read", id="git-package"),
        pytest.param('npm error code EUNSUPPORTEDPROTOCOL\nnpm error Unsupported URL Type "workspace:": workspace:*\n',
                     "the packages are those of a workspace", id="workspace-of-another-manager"),
        pytest.param("npm error code EACCES\nnpm error Your cache folder contains root-owned files\n",
                     "a file belongs to another user", id="files-of-root"),
        pytest.param("something else\n", "", id="unknown"),
    ],
)  # fmt: skip
def test_the_remedy_fits_what_was_printed(output: str, remedy: str) -> None:
    found = remedy_for(output)
    assert found.startswith(remedy)
    assert bool(found) is bool(remedy)
