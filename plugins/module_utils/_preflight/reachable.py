# Copyright: (c) the codeframe.staging contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what a deployment fetches and connects to can be reached, judged from facts that were gathered before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .._host.url import UrlError, parse_url
from .addresses import Addresses
from .finding import PreflightFinding
from .variables import DeploymentInputs

_ADDRESS, _API, _SOURCE_DIR = "staging_proxy_address", "staging_proxy_manager_api_url", "staging_source_dir"
_GIT_URL, _GIT_VERSION = "staging_git_url", "staging_git_version"
_NAMED = 3


def names_to_connect_to(inputs: DeploymentInputs, *, on_host: bool) -> dict[str, str]:
    """The host names by variable to which the staging host, or the controller, connects during a deployment."""
    address = inputs.text(_ADDRESS).strip("[]")
    found = {_ADDRESS: address} if on_host and address else {}
    if inputs.provider == "nginx_proxy_manager":
        from_host = inputs.get("staging_proxy_manager_api_from") == "host"
        # Without another address, the verification connects to the proxy at the host of its API.
        if (from_host or not address) if on_host else not from_host:
            try:
                url = parse_url(inputs.text(_API), lenient=True)
            except UrlError:
                return found
            found[_API] = url.host
    return found


def judge_names_to_connect_to(
    inputs: DeploymentInputs, names: Mapping[str, str], answers: Addresses, *, vantage: str
) -> list[PreflightFinding]:
    """:param names: Host name by variable.
    :param answers: Addresses by host name; a name that was not asked for is left out.
    :param vantage: The machine that asked.
    """
    return [
        inputs.finding(
            "connection-unresolved",
            variable,
            "a name with an address, because the deployment connects to it",
            f"correct the name, write an address, or add the name to the resolver of {vantage}",
            found=f"{vantage} finds no address of {name}",
        )
        for variable, name in names.items()
        if name in answers and not answers[name]
    ]


def judge_repository(
    inputs: DeploymentInputs, problem: str, *, version_unknown: bool, remedy: str = ""
) -> PreflightFinding:
    """:param problem: What git says, or an empty text.
    :param remedy: What the user can do about it, if that is known.
    :param version_unknown: Whether the repository can be read and does not have the version.
    """
    if version_unknown:
        return inputs.finding(
            "git-version-unknown",
            _GIT_VERSION,
            "a branch, a tag or a commit of the repository",
            "push it, or choose another one",
            found=f"{inputs.shown(_GIT_URL)} does not have it",
        )
    return inputs.finding(
        "git-unreadable",
        _GIT_URL,
        f"a repository that {inputs.text('staging_user')} can read from the host",
        remedy or "correct the URL, or give that user access",
        found=f"git cannot read it ({problem.replace(';', ',')})",
    )


def judge_readable(inputs: DeploymentInputs, unreadable: Sequence[str]) -> list[PreflightFinding]:
    """:param unreadable: Paths in the source that this user of the controller cannot read."""
    if not unreadable:
        return []
    more = f" and {len(unreadable) - _NAMED} more" if len(unreadable) > _NAMED else ""
    listed = ", ".join(path if path.isprintable() else ascii(path) for path in unreadable[:_NAMED])
    return [
        inputs.finding(
            "source-unreadable",
            _SOURCE_DIR,
            "files that this user of the controller can read",
            "make them readable, or add them to staging_source_exclude",
            found=f"{listed}{more} cannot be read",
        )
    ]
